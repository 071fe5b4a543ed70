// Command user-chk is the user_chk hook service: it decides the subnet and the boot file of DHCP clients by
// registration.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"sync"

	outrigger "github.com/outrigger-dhcp/outrigger/hooks/go/sdk"
	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/counters"
	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/outcome"
	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/registry"
	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/service"
)

// Exit codes of sysexits.h.
const (
	exitUsage    = 64
	exitSoftware = 70
	exitIO       = 74
)

const about = `Decides the subnet and the boot file of DHCP clients by registration.

What belongs to a site comes from the DHCP server's configuration, as "parameters" of the hook service:
restricted-subnet-id (required), subnet-selection, option-overrides, outcome-records.

usage: user-chk --listen ENDPOINT --registry SOURCE --outcome FILE [flags]

`

func main() {
	os.Exit(run(outrigger.UntilSignal(), os.Args[1:]))
}

// arguments are what the command line has.
type arguments struct {
	options           *outrigger.Options
	registry, outcome string
	version           bool
}

func parse(args []string) (arguments, error) {
	flags := flag.NewFlagSet("user-chk", flag.ContinueOnError)
	// An error is reported once, by the caller.
	flags.SetOutput(io.Discard)
	parsed := arguments{options: outrigger.Flags(flags)}
	flags.Func("registry", "who is registered: file:PATH or just the path of a file in Kea's form, the `SOURCE`; it is read again when it changes",
		func(text string) (err error) {
			parsed.registry, err = registry.ParseSource(text)
			return err
		})
	flags.StringVar(&parsed.outcome, "outcome", "", "`FILE` to record granted addresses in; it is made where it is missing")
	flags.BoolVar(&parsed.version, "version", false, "print name and version")
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Print(about)
		flags.SetOutput(os.Stdout)
		flags.PrintDefaults()
		return parsed, err
	case err != nil || parsed.version:
		return parsed, err
	case flags.NArg() > 0:
		return parsed, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case parsed.options.Listen == "" || parsed.registry == "" || parsed.outcome == "":
		return parsed, errors.New("--listen, --registry and --outcome are required; --help says what they are")
	}
	return parsed, nil
}

// run is the program; its value is the exit code.
func run(ctx context.Context, args []string) int {
	parsed, err := parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(os.Stderr, "user-chk:", err)
		return exitUsage
	case parsed.version:
		fmt.Println("user-chk", service.Version)
		return 0
	}
	handler := slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: parsed.options.LogLevel})
	slog.SetDefault(slog.New(handler))
	if err := offer(ctx, parsed); err != nil {
		slog.Error(err.Error())
		return exitCode(err)
	}
	return 0
}

func exitCode(err error) int {
	var usage *outrigger.UsageError
	switch {
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, outrigger.ErrStuck):
		return exitSoftware
	}
	return exitIO
}

// offer offers the service until ctx is done.
func offer(ctx context.Context, parsed arguments) error {
	var counts counters.Counters
	records, err := outcome.Open(parsed.outcome, &counts)
	if err != nil {
		var failed *fs.PathError
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return fmt.Errorf("outcome file %s: %w", parsed.outcome, err)
	}
	defer records.Close()
	readiness := &outrigger.Readiness{}
	readiness.Set(false)
	users := registry.New(parsed.registry, &counts, func() { readiness.Set(true) })
	users.Refresh()
	watch, stop := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() { users.Watch(watch, registry.DefaultWatch()) })
	userChk := &service.UserChk{Registry: users, Outcome: records, Counters: &counts, Readiness: readiness}
	err = outrigger.Serve(ctx, userChk.Service(), *parsed.options)
	stop()
	watching.Wait()
	records.Close()
	slog.Info("stopped", "counters", counts.String())
	return err
}
