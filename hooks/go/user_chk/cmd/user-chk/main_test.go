package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

const (
	// patience is what a step may take at most on a busy machine.
	patience = 20 * time.Second
	// asProgram has the test's own program run as user-chk.
	asProgram = "USER_CHK_AS_PROGRAM"
)

var duid = []byte{0, 1, 0, 1, 0x1e, 0xf0, 0x12, 0x34, 8, 0, 0x27, 0xaa, 0xbb, 1}

const (
	line       = `{"type":"DUID","id":"000100011ef01234080027aabb01","bootfile":"/tmp/v6bootfile"}`
	restricted = `{"restricted-subnet-id": 2}`
)

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

func program(arguments ...string) *exec.Cmd {
	command := exec.Command(os.Args[0], arguments...)
	command.Env = append(os.Environ(), asProgram+"=1")
	return command
}

// exit runs the program to its end: exit code and what it printed.
func exit(t *testing.T, arguments ...string) (int, string) {
	t.Helper()
	command := program(arguments...)
	output, err := command.CombinedOutput()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return command.ProcessState.ExitCode(), string(output)
}

// running is a running program in a folder of its own.
type running struct {
	t                 *testing.T
	command           *exec.Cmd
	log               logBuffer
	registry, outcome string
	connection        *grpc.ClientConn
	client            hooksv1.CalloutsClient
}

// logBuffer is what the program has printed so far.
type logBuffer struct {
	mutex sync.Mutex
	text  strings.Builder
}

func (l *logBuffer) Write(text []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.Write(text)
}

func (l *logBuffer) String() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.String()
}

func start(t *testing.T, registry string) *running {
	t.Helper()
	// Not t.TempDir: the path of a socket has at most 107 bytes.
	folder, err := os.MkdirTemp("", "user-chk")
	if err != nil {
		t.Fatal(err)
	}
	r := &running{t: t, registry: filepath.Join(folder, "registry.txt"), outcome: filepath.Join(folder, "outcome.txt")}
	if registry != missing {
		r.write(registry)
	}
	endpoint := "unix:" + filepath.Join(folder, "hook.sock")
	r.command = program("--listen", endpoint, "--registry", "file:"+r.registry, "--outcome", r.outcome)
	r.command.Stderr = &r.log
	if err := r.command.Start(); err != nil {
		t.Fatal(err)
	}
	if r.connection, err = grpc.NewClient(endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.WaitForReady(true))); err != nil {
		t.Fatal(err)
	}
	r.client = hooksv1.NewCalloutsClient(r.connection)
	t.Cleanup(func() {
		// Both fail where the test did it already, as most do.
		_ = r.connection.Close()
		_ = r.command.Process.Kill()
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	})
	return r
}

// missing is a registry whose file is not there.
const missing = "missing"

func (r *running) write(registry string) {
	r.t.Helper()
	if err := os.WriteFile(r.registry, []byte(registry), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// load is what a DHCPv6 server is told; revision 1 with these parameters.
func (r *running) load(parameters string) *hooksv1.LoadReply {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	reply, err := r.client.Load(ctx, &hooksv1.LoadRequest{
		ProtocolVersions:      []uint32{1},
		Server:                &hooksv1.ServerIdentity{InstanceId: "instance", Family: hooksv1.Family_FAMILY_DHCP6},
		ConfigurationRevision: 1,
		ServiceName:           "user-chk",
		Parameters:            parameters,
		Subnets:               []*hooksv1.Subnet{{Id: 1, Prefix: "2001:db8:1::/64"}, {Id: 2, Prefix: "3000::/64"}},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return reply
}

// loadUntil loads until the answer is as wanted: the file is looked at a few times a second.
func (r *running) loadUntil(wanted func(*hooksv1.LoadReply) bool) {
	r.t.Helper()
	r.until(func() (bool, any) {
		reply := r.load(restricted)
		return wanted(reply), reply
	})
}

func (r *running) until(reached func() (bool, any)) {
	r.t.Helper()
	limit := time.After(patience)
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		ok, seen := reached()
		if ok {
			return
		}
		select {
		case <-limit:
			r.t.Fatalf("not in time; last: %v", seen)
		case <-look.C:
		}
	}
}

func (r *running) call(point hooksv1.HookPoint, kept []byte, arguments *hooksv1.Arguments) *hooksv1.CalloutResult {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	reply, err := r.client.Call(ctx, &hooksv1.CalloutRequest{
		Id: 1, HookPoint: point, ConfigurationRevision: 1, BudgetUs: uint32(patience.Microseconds()),
		Context: kept, Arguments: arguments,
	})
	if err != nil || reply.GetResult() == nil {
		r.t.Fatal(reply, err)
	}
	return reply.GetResult()
}

// exchange is the three hook points of one SOLICIT: the subnet that was chosen (0: none other), and how many options
// were changed.
func (r *running) exchange() (subnet uint32, edits int) {
	r.t.Helper()
	query := &hooksv1.Packet6{MessageType: 1, Options: []*hooksv1.Option{{Code: 1, Data: duid}}}
	kept := r.call(hooksv1.HookPoint_HOOK_POINT_PKT6_RECEIVE, nil, &hooksv1.Arguments{
		Point: &hooksv1.Arguments_Pkt6Receive{Pkt6Receive: &hooksv1.Query6Arguments{Query: query}},
	}).GetContext()
	selected := r.call(hooksv1.HookPoint_HOOK_POINT_SUBNET6_SELECT, kept, &hooksv1.Arguments{
		Point: &hooksv1.Arguments_Subnet6Select{Subnet6Select: &hooksv1.Subnet6SelectArguments{Query: query, SubnetId: 1}},
	})
	// IAID, T1, T2; IAADDR 3000::a with lifetimes of 60 s.
	ia := append(make([]byte, 12), 0, 5, 0, 24, 0x30, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0a, 0, 0, 0, 60, 0, 0, 0, 60)
	response := &hooksv1.Packet6{MessageType: 2, Options: []*hooksv1.Option{
		{Code: 3, Data: ia}, {Code: 17, Data: []byte{0, 0, 0x11, 0x8b}},
	}}
	sent := r.call(hooksv1.HookPoint_HOOK_POINT_PKT6_SEND, kept, &hooksv1.Arguments{
		Point: &hooksv1.Arguments_Pkt6Send{Pkt6Send: &hooksv1.Response6Arguments{Query: query, Response: response}},
	})
	return selected.GetChanges().GetSubnetId(), len(sent.GetChanges().GetResponse6().GetOptions())
}

// stop sends SIGTERM: exit code and log.
func (r *running) stop() (int, string) {
	r.t.Helper()
	// What the client thinks of the end of its connection does not matter.
	_ = r.connection.Close()
	if err := r.command.Process.Signal(syscall.SIGTERM); err != nil {
		r.t.Fatal(err)
	}
	var ended *exec.ExitError
	if err := r.command.Wait(); err != nil && !errors.As(err, &ended) {
		r.t.Fatal(err)
	}
	return r.command.ProcessState.ExitCode(), r.log.String()
}

func TestAClientIsServedByRegistrationAndRecorded(t *testing.T) {
	r := start(t, "")
	loaded := r.load(restricted).GetLoaded()
	var points []hooksv1.HookPoint
	for _, subscription := range loaded.GetSubscriptions() {
		points = append(points, subscription.GetHookPoint())
	}
	if loaded.GetName() != "user-chk" || fmt.Sprint(points) !=
		"[HOOK_POINT_PKT6_RECEIVE HOOK_POINT_SUBNET6_SELECT HOOK_POINT_PKT6_SEND]" {
		t.Error(loaded)
	}
	if subnet, edits := r.exchange(); subnet != 2 || edits != 0 {
		t.Errorf("not registered: %d, %d", subnet, edits)
	}
	r.write(line)
	r.until(func() (bool, any) {
		subnet, edits := r.exchange()
		return subnet == 0 && edits == 1, []any{subnet, edits}
	})
	r.write(line[:30])
	// A file that is bad is alarmed of; what it does not do shows in the last exchange.
	r.until(func() (bool, any) { return strings.Contains(r.log.String(), "stays in force"), "no alarm" })
	if subnet, edits := r.exchange(); subnet != 0 || edits != 1 {
		t.Errorf("the last good version: %d, %d", subnet, edits)
	}
	code, log := r.stop()
	text, err := os.ReadFile(r.outcome)
	if err != nil {
		t.Fatal(err)
	}
	records := string(text)
	exchanges := strings.Count(records, "addr=3000::a\n")
	if code != 0 || !strings.HasPrefix(records, "id_type=DUID\nclient=00:01:00:01:1e:f0:12:34:08:00:27:aa:bb:01\naddr=3000::a\nregistered=no\n\n") ||
		!strings.HasSuffix(records, "registered=yes\n\n") || !strings.Contains(log, fmt.Sprintf("records=%d lost_records=0", exchanges)) {
		t.Errorf("%d\n%s\n%s", code, records, log)
	}
	if !strings.Contains(log, r.registry+": line 1: is not a JSON object of strings") || !strings.Contains(log, "alarm=registry") {
		t.Error(log)
	}
}

func TestWithoutARegistryItListensAndIsNotReady(t *testing.T) {
	r := start(t, missing)
	refused := func(part string) func(*hooksv1.LoadReply) bool {
		return func(reply *hooksv1.LoadReply) bool { return strings.Contains(reply.GetRefusal().GetText(), part) }
	}
	r.loadUntil(refused("registry.txt: no such file"))
	r.expectHealth(grpc_health_v1.HealthCheckResponse_NOT_SERVING)
	r.write("nonsense")
	r.loadUntil(refused("registry.txt: line 1: is not a JSON object"))
	r.write(line)
	r.loadUntil(func(reply *hooksv1.LoadReply) bool { return reply.GetLoaded() != nil })
	r.expectHealth(grpc_health_v1.HealthCheckResponse_SERVING)
	// The last good version stays in force, so the service still works.
	if err := os.Remove(r.registry); err != nil {
		t.Fatal(err)
	}
	r.until(func() (bool, any) { return strings.Contains(r.log.String(), "stays in force"), "no alarm" })
	r.expectHealth(grpc_health_v1.HealthCheckResponse_SERVING)
}

func (r *running) expectHealth(expected grpc_health_v1.HealthCheckResponse_ServingStatus) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	// The version is in force a moment before the health check says so.
	r.until(func() (bool, any) {
		reply, err := grpc_health_v1.NewHealthClient(r.connection).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
		return err == nil && reply.GetStatus() == expected, fmt.Sprint(reply, err)
	})
}

func TestParametersThatCannotWorkAreRefusedWithTheReason(t *testing.T) {
	r := start(t, line)
	for parameters, part := range map[string]string{
		"{}":                          "restricted-subnet-id is missing",
		`{"restricted-subnet-id": 3}`: "there is no subnet 3",
		`{"restricted": 2}`:           "unknown field `restricted`",
	} {
		if text := r.load(parameters).GetRefusal().GetText(); !strings.Contains(text, part) {
			t.Errorf("%s: %s", parameters, text)
		}
	}
}

func TestWhatCannotBeOpenedEndsItWith74(t *testing.T) {
	outcome := filepath.Join(t.TempDir(), "outcome.txt")
	for _, c := range []struct{ outcome, part string }{
		{"/nowhere/outcome.txt", "outcome file /nowhere/outcome.txt: no such file"},
		{outcome, "cannot listen on unix:/nowhere/hook.sock: "},
	} {
		code, log := exit(t, "--listen", "unix:/nowhere/hook.sock", "--registry", "/nowhere/r", "--outcome", c.outcome)
		if code != exitIO || !strings.Contains(log, c.part) {
			t.Errorf("%d: %s", code, log)
		}
	}
}

func TestWrongUsageEndsItWith64AndSaysWhatToWrite(t *testing.T) {
	outcome := filepath.Join(t.TempDir(), "outcome.txt")
	for _, c := range []struct{ listen, registry, part string }{
		{"/run/hook.sock", "r", "unix:/path"},
		{"unix:/run/h", "mysql://localhost/kea", `"mysql:" are not supported yet`},
		{"unix:/run/h", "", "the registry has no path"},
	} {
		code, text := exit(t, "--listen", c.listen, "--registry", c.registry, "--outcome", outcome)
		if code != exitUsage || !strings.Contains(text, c.part) {
			t.Errorf("%d: %s", code, text)
		}
	}
	for _, arguments := range [][]string{{"--listen", "unix:/run/h"}, {"--nonsense"}, {"something"}} {
		if code, text := exit(t, arguments...); code != exitUsage || strings.Count(text, "\n") != 1 {
			t.Errorf("%v: %d: %s", arguments, code, text)
		}
	}
	for _, argument := range []string{"--version", "--help", "-h"} {
		if code, text := exit(t, argument); code != 0 || !strings.Contains(text, "user-chk") {
			t.Errorf("%s: %d: %s", argument, code, text)
		}
	}
}
