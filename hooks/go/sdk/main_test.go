package outrigger

import (
	"context"
	"flag"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// mainHook is a hook that does nothing.
type mainHook struct{}

func (mainHook) Pkt4Receive(context.Context, *Pkt4Receive) error { return nil }

var mainService = Service{Name: "phones", Version: "1.2.3", Hook: mainHook{}}

// runMain runs a whole program that is told to stop before it starts.
func runMain(t *testing.T, service Service, arguments ...string) (code int, stdout, stderr string) {
	t.Helper()
	before := slog.Default()
	defer slog.SetDefault(before)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out strings.Builder
	errs := &logBuffer{}
	code = run(ctx, service, arguments, &out, errs, nil)
	return code, out.String(), errs.String()
}

func TestTheCommandLine(t *testing.T) {
	socket := "unix:" + filepath.Join(t.TempDir(), "hook.sock")
	broken := mainService
	broken.Start = func(context.Context) error { return context.DeadlineExceeded }
	for _, test := range []struct {
		name      string
		service   Service
		arguments []string
		code      int
		// output is part of what is printed.
		output string
	}{
		{"flag", mainService, []string{"--listen", socket}, exitOK, "stopped"},
		{"positional", mainService, []string{socket}, exitOK, "stopped"},
		{"level", mainService, []string{"--log-level=error", socket}, exitOK, ""},
		{"version", mainService, []string{"--version"}, exitOK, "phones 1.2.3\n"},
		{"short version", mainService, []string{"-v"}, exitOK, "phones 1.2.3\n"},
		{"help", mainService, []string{"--help"}, exitOK, "-tls-trust-anchor FILE"},
		{"no endpoint", mainService, nil, exitUsage, "say where to listen"},
		{"both", mainService, []string{"--listen", socket, socket}, exitUsage, "said twice"},
		{"two", mainService, []string{socket, "more"}, exitUsage, `also "more"`},
		{"unknown flag", mainService, []string{"--workers", "2"}, exitUsage, "not defined: -workers"},
		{"stuck-after", mainService, []string{"--stuck-after", "soon", socket}, exitUsage, "number of seconds"},
		{"stuck-after 0", mainService, []string{"--stuck-after", "0", socket}, exitUsage, "more than 0"},
		{"log-level", mainService, []string{"--log-level", "loud", socket}, exitUsage, "loud"},
		{"plaintext", mainService, []string{"http://192.0.2.1:1"}, exitUsage, "--allow-plaintext"},
		{"https", mainService, []string{"https://127.0.0.1:0"}, exitUsage, "needs --tls-cert-file"},
		{"http with TLS", mainService, []string{"--tls-cert-file", "x", "http://127.0.0.1:0"}, exitUsage, "without TLS"},
		{"no folder", mainService, []string{"unix:/no/such/folder/x"}, exitIO, "/no/such/folder"},
		{"no file", mainService, []string{"--tls-cert-file=/no/such", "--tls-key-file=/no/such", "https://127.0.0.1:0"}, exitIO, "/no/such"},
		{"metrics", mainService, []string{"--metrics", "nowhere", socket}, exitIO, "cannot offer metrics"},
		{"no hook", Service{Name: "phones", Version: "1"}, []string{socket}, exitSoftware, "phones"},
		{"start", broken, []string{socket}, exitSoftware, "cannot start"},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, stdout, stderr := runMain(t, test.service, test.arguments...)
			if code != test.code || !strings.Contains(stdout+stderr, test.output) {
				t.Errorf("exit %d\n%s%s", code, stdout, stderr)
			}
			if test.name == "level" && stderr != "" {
				t.Errorf("it logs %s", stderr)
			}
		})
	}
}

func TestFlagsAreThoseOfTheProgramsOwnSet(t *testing.T) {
	fs := flag.NewFlagSet("own", flag.ContinueOnError)
	own := fs.Bool("own", false, "")
	options := Flags(fs)
	if options.StuckAfter != defaultStuckAfter {
		t.Errorf("a callout is stuck after %v", options.StuckAfter)
	}
	arguments := []string{"-own", "-listen", "unix:/x", "-stuck-after", "2.5", "-metrics", "127.0.0.1:1", "-log-level", "debug"}
	if err := fs.Parse(arguments); err != nil {
		t.Fatal(err)
	}
	wanted := Options{
		Listen: "unix:/x", StuckAfter: 2500 * time.Millisecond, Metrics: "127.0.0.1:1", LogLevel: slog.LevelDebug,
	}
	if !*own || *options != wanted {
		t.Errorf("%+v", options)
	}
}

func TestTheWholeServiceIsServed(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	path := filepath.Join(t.TempDir(), "hook.sock")
	stopped := false
	service := mainService
	service.Stop = func(ctx context.Context) error {
		stopped = true
		return ctx.Err()
	}
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, service, Options{Listen: "unix:" + path}) }()
	conn := dial(t, path)
	client := hooksv1.NewCalloutsClient(conn)
	loadWhenReady(t, client)
	r := &running{client: client}
	s := r.session(t)
	call := request(5)
	call.HookPoint = hooksv1.HookPoint_HOOK_POINT_PKT4_RECEIVE
	call.ConfigurationRevision = 1
	call.Arguments = &hooksv1.Arguments{Point: &hooksv1.Arguments_Pkt4Receive{
		Pkt4Receive: &hooksv1.Query4Arguments{Query: &hooksv1.Packet4{}},
	}}
	s.calls(call)
	if reply := s.reply(); reply.GetId() != 5 || reply.GetResult() == nil {
		t.Errorf("answered with %v", reply)
	}
	s.bye()
	stop()
	if err := wait(t, "the end", ended); err != nil {
		t.Error(err)
	}
	if !stopped {
		t.Error("Stop was not run")
	}
}
