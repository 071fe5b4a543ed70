package check

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

const (
	// patience is what a service may take to start, or to end.
	patience = 30 * time.Second
	// checkTime is what all rules together may take on a busy machine.
	checkTime = 2 * time.Minute
)

// modules have the services; their programs are named as their folders.
var modules = map[string]string{
	"../examples": "./...",
	"../sdk":      "./internal/checkservice",
	"../user_chk": "./cmd/user-chk",
}

// backends are what services ask.
type backends struct {
	api  string
	port int
}

// subject is a service with all that it needs.
type subject struct {
	program string
	// arguments beside the endpoint; files are in the folder that the service starts in.
	arguments []string
	// parameters are those for a family.
	parameters func(family string, ask backends) string
}

func none(string, backends) string { return "" }

var subjects = []subject{
	{"checkservice", nil, none},
	{"denylist", []string{"--list", "denied.txt"}, none},
	{"leaseevents", []string{"--events", "leases.jsonl"}, none},
	{"optionbyclass", nil, func(family string, _ backends) string {
		option := map[string]string{"4": "boot-file-name", "6": "bootfile-url"}[family]
		return fmt.Sprintf(`{"classes": {"ALL": {%q: "boot"}}}`, option)
	}},
	{"slowbackend", nil, func(_ string, ask backends) string {
		return fmt.Sprintf(`{"host": "127.0.0.1", "port": %d}`, ask.port)
	}},
	{"subnetfromapi", nil, func(_ string, ask backends) string { return fmt.Sprintf(`{"url": %q}`, ask.api) }},
	{"user-chk", []string{"--registry", "registry.txt", "--outcome", "outcome.txt"}, func(string, backends) string {
		return `{"restricted-subnet-id": 2}`
	}},
}

// files are those that services read.
var files = map[string]string{
	"denied.txt":   "hw-address 08:00:27:00:00:01\n",
	"registry.txt": `{"type":"DUID","id":"000100011ef01234080027aabb01","bootfile":"/tmp/v6bootfile"}` + "\n",
}

func TestEveryServiceKeepsEveryRule(t *testing.T) {
	runner := hookRunner(t)
	programs := build(t)
	ask := startBackends(t)
	for _, subject := range subjects {
		for _, family := range []string{"4", "6"} {
			t.Run(subject.program+" DHCPv"+family, func(t *testing.T) {
				t.Parallel()
				service := start(t, filepath.Join(programs, subject.program), subject.arguments)
				ctx, cancel := context.WithTimeout(t.Context(), checkTime)
				defer cancel()
				check := exec.CommandContext(ctx, runner, "check", service.endpoint, "--family", family,
					"--drain-pid", fmt.Sprint(service.command.Process.Pid), "--parameters", subject.parameters(family, ask))
				output, err := check.CombinedOutput()
				if err != nil {
					t.Fatalf("%v\n%s\nthe service says:\n%s", err, output, service.log)
				}
				service.end(t)
			})
		}
	}
}

func hookRunner(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("OUTRIGGER_BIN_DIR")
	if folder == "" {
		folder = filepath.Join("..", "..", "..", "target", "debug")
	}
	binary, err := filepath.Abs(filepath.Join(folder, "hook-runner"))
	if err == nil {
		_, err = os.Stat(binary)
	}
	if err != nil {
		t.Fatalf("%v: cargo build -p outrigger-hook-runner, or set OUTRIGGER_BIN_DIR", err)
	}
	return binary
}

// build builds every service; the folder with the programs.
func build(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for module, packages := range modules {
		output, err := exec.Command("go", "-C", module, "build", "-o", folder+"/", packages).CombinedOutput()
		if err != nil {
			t.Fatalf("go build in %s: %v\n%s", module, err, output)
		}
	}
	return folder
}

// startBackends starts an API that puts everybody into subnet 2, and a backend to which every address is free.
func startBackends(t *testing.T) backends {
	t.Helper()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		// A client that left needs no answer.
		_, _ = io.WriteString(w, `{"subnet": 2}`)
	}))
	t.Cleanup(api.Close)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			asked, err := listener.Accept()
			if err != nil {
				return
			}
			go sayFree(asked)
		}
	}()
	return backends{api: api.URL, port: listener.Addr().(*net.TCPAddr).Port}
}

// sayFree answers the line of a client; one that left needs no answer.
func sayFree(asked net.Conn) {
	defer func() { _ = asked.Close() }()
	for one := make([]byte, 1); one[0] != '\n'; {
		if _, err := asked.Read(one); err != nil {
			return
		}
	}
	_, _ = io.WriteString(asked, "free\n")
}
