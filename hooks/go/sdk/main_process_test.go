package outrigger

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// asProgram is in the environment where the test binary is to be a hook service.
const asProgram = "OUTRIGGER_TEST_PROGRAM"

// hangingHook never returns from one hook point.
type hangingHook struct{ mainHook }

func (hangingHook) Pkt4Send(context.Context, *Pkt4Send) error { select {} }

func init() {
	if os.Getenv(asProgram) != "" {
		Main(Service{Name: "phones", Version: "1.2.3", Hook: hangingHook{}}, func(o *Options) { o.StuckAfter = 1 })
	}
}

// program is a hook service in a process of its own, with a session.
type program struct {
	command *exec.Cmd
	session *testSession
	stderr  *bytes.Buffer
}

func startProgram(t *testing.T) *program {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hook.sock")
	command := exec.Command(os.Args[0], "unix:"+path)
	command.Env = append(os.Environ(), asProgram+"=1", "GOMAXPROCS=1")
	stderr := &bytes.Buffer{}
	command.Stderr = stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if command.ProcessState == nil {
			// Whatever the test failed with says more.
			_ = command.Process.Kill()
			_ = command.Wait()
		}
	})
	r := &running{client: hooksv1.NewCalloutsClient(dial(t, path))}
	loadWhenReady(t, r.client)
	return &program{command: command, session: r.session(t), stderr: stderr}
}

// signal sends SIGTERM.
func (p *program) signal(t *testing.T) {
	t.Helper()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// end waits for the end of the process.
func (p *program) end(t *testing.T) *os.ProcessState {
	t.Helper()
	// Its exit code is what the tests look at.
	_ = p.command.Wait()
	return p.command.ProcessState
}

func TestASignalDrainsTheProcess(t *testing.T) {
	p := startProgram(t)
	p.signal(t)
	if p.session.next().GetDrain() == nil {
		t.Error("there is no Drain")
	}
	p.session.bye()
	if state := p.end(t); state.ExitCode() != exitOK {
		t.Errorf("it ends with %v\n%s", state, p.stderr)
	}
}

func TestASecondSignalEndsTheProcessAtOnce(t *testing.T) {
	p := startProgram(t)
	p.signal(t)
	if p.session.next().GetDrain() == nil {
		t.Error("there is no Drain")
	}
	p.signal(t)
	status, ok := p.end(t).Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() || status.Signal() != syscall.SIGTERM {
		t.Errorf("it ends with %v\n%s", p.command.ProcessState, p.stderr)
	}
}

func TestAProcessWithoutAProcessorLeftEnds(t *testing.T) {
	p := startProgram(t)
	call := request(1)
	call.BudgetUs, call.ConfigurationRevision = shortBudget, 1
	call.HookPoint = hooksv1.HookPoint_HOOK_POINT_PKT4_SEND
	call.Arguments = &hooksv1.Arguments{Point: &hooksv1.Arguments_Pkt4Send{Pkt4Send: &hooksv1.Response4Arguments{}}}
	p.session.calls(call)
	for drained, failed := false, false; !drained || !failed; {
		message := p.session.next()
		drained = drained || message.GetDrain() != nil
		failed = failed || len(message.GetReplies().GetReplies()) == 1
	}
	p.session.bye()
	if state := p.end(t); state.ExitCode() != exitSoftware {
		t.Errorf("it ends with %v", state)
	}
	if !strings.Contains(p.stderr.String(), "hangingHook.Pkt4Send") {
		t.Errorf("the stack is not logged: %s", p.stderr)
	}
}
