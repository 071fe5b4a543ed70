package outrigger

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

// Exit codes, those of sysexits.
const (
	exitOK       = 0
	exitUsage    = 64
	exitSoftware = 70
	exitIO       = 74
)

// Main runs a hook service as the whole program: it reads the command line, serves until SIGTERM or SIGINT, drains, and
// ends the process. A second signal ends it at once.
//
// The exit code is 0 after a drain, 64 where the command line is wrong, 74 where it cannot listen, and 70 for a service
// that is wrong, or stuck and to be started anew. configure may change what holds where the command line says nothing.
func Main(service Service, configure ...func(*Options)) {
	os.Exit(run(UntilSignal(), service, os.Args[1:], os.Stdout, os.Stderr, configure))
}

// UntilSignal is a context that is done when the process is told to end, by SIGTERM or SIGINT; for programs that call
// Serve. From then on signals have their own effect again, so that a second one ends the process at once.
func UntilSignal() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-told
		// Before anybody hears of the first, so that the second is not lost.
		signal.Reset(syscall.SIGTERM, syscall.SIGINT)
		cancel()
	}()
	return ctx
}

// run is Main without the process around it.
func run(
	ctx context.Context, service Service, arguments []string, stdout, stderr io.Writer, configure []func(*Options),
) int {
	options := &Options{}
	for _, configure := range configure {
		configure(options)
	}
	err := options.parse(service, arguments, stderr)
	switch {
	case errors.Is(err, errVersion):
		fmt.Fprintf(stdout, "%s %s\n", service.Name, service.Version)
		return exitOK
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err == nil:
		slog.SetDefault(newLog(stderr, options.LogLevel))
		err = Serve(ctx, service, *options)
	}
	return report(err, service.Name, stderr)
}

// report tells why the service ended.
func report(err error, name string, stderr io.Writer) int {
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(stderr, "%s: %v\n", name, err)
	var usage *UsageError
	var io inputOutputError
	switch {
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &io):
		return exitIO
	default:
		return exitSoftware
	}
}

var errVersion = errors.New("the version was asked for")

// parse reads a command line: flags, and the endpoint where --listen does not say it.
func (o *Options) parse(service Service, arguments []string, stderr io.Writer) error {
	fs := flag.NewFlagSet(service.Name, flag.ContinueOnError)
	// An error is reported once, by its caller.
	fs.SetOutput(io.Discard)
	var version bool
	fs.BoolVar(&version, "version", false, "say name and version, and end")
	fs.BoolVar(&version, "v", false, "the same")
	configured := o.Listen
	o.Listen = ""
	o.define(fs)
	err := fs.Parse(arguments)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(stderr, "%s %s, a hook service\n\nusage: %s [flags] [ENDPOINT]\n\n", service.Name, service.Version, service.Name)
		fs.SetOutput(stderr)
		fs.PrintDefaults()
		return flag.ErrHelp
	case err != nil:
		return &UsageError{err.Error()}
	case version:
		return errVersion
	case fs.NArg() > 1:
		return &UsageError{fmt.Sprintf("one endpoint is possible; there is also %q", fs.Arg(1))}
	case fs.NArg() == 1 && o.Listen != "":
		return &UsageError{fmt.Sprintf("the endpoint is said twice: %s and %s", o.Listen, fs.Arg(0))}
	case fs.NArg() == 1:
		o.Listen = fs.Arg(0)
	case o.Listen == "":
		o.Listen = configured
	}
	return nil
}
