package outrigger

import (
	"context"
	"net"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/hookpoints"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// patience is what a test waits for something that has to come.
const patience = 20 * time.Second

// notLoaded is a revision of the configuration that no service of these tests has loaded.
const notLoaded = 404

type runFunc func(ctx context.Context, request *hooksv1.CalloutRequest, park func() error) *hooksv1.CalloutReply

// fakeEngine is an engine whose callout is a function.
type fakeEngine struct {
	callout runFunc
	stopped bool
}

func (f *fakeEngine) start(context.Context) error { return nil }

func (f *fakeEngine) stop(context.Context) error {
	f.stopped = true
	return nil
}

func (f *fakeEngine) load(context.Context, *hooksv1.LoadRequest) *hooksv1.LoadReply {
	return &hooksv1.LoadReply{Result: &hooksv1.LoadReply_Loaded{Loaded: &hooksv1.Loaded{ProtocolVersion: 1}}}
}

// isLoaded is false for one revision.
func (f *fakeEngine) isLoaded(_ string, revision uint64) bool { return revision != notLoaded }

func (f *fakeEngine) run(
	ctx context.Context, _ string, request *hooksv1.CalloutRequest, park func() error,
) *hooksv1.CalloutReply {
	return f.callout(ctx, request, park)
}

// result is a reply that changes nothing.
func result(id uint64) *hooksv1.CalloutReply {
	return &hooksv1.CalloutReply{Id: id, Outcome: &hooksv1.CalloutReply_Result{Result: &hooksv1.CalloutResult{}}}
}

// running is a service of a test.
type running struct {
	*server
	engine *fakeEngine
	client hooksv1.CalloutsClient
	conn   *grpc.ClientConn
	path   string
	// stop has the service drain; ended gets what serve returns.
	stop  context.CancelFunc
	ended chan error
}

// serveTest offers a callout on a unix socket.
func serveTest(t testing.TB, callout runFunc, tweak func(*server)) *running {
	t.Helper()
	engine := &fakeEngine{callout: callout}
	s := newServer(engine, &Options{})
	if tweak != nil {
		tweak(s)
	}
	path := filepath.Join(t.TempDir(), "hook.sock")
	ctx, stop := context.WithCancel(context.Background())
	r := &running{server: s, engine: engine, path: path, stop: stop, ended: make(chan error, 1)}
	go func() {
		r.ended <- s.serve(ctx, Endpoint{path: path}, &Options{})
		close(r.ended)
	}()
	conn := dial(t, path)
	r.conn, r.client = conn, hooksv1.NewCalloutsClient(conn)
	t.Cleanup(func() {
		stop()
		wait(t, "the end of the service", r.ended)
	})
	loadWhenReady(t, r.client)
	return r
}

// dial connects to a socket that may not be there yet.
func dial(t testing.TB, path string) *grpc.ClientConn {
	t.Helper()
	retry := backoff.Config{BaseDelay: time.Millisecond, Multiplier: 1, MaxDelay: time.Millisecond}
	conn, err := grpc.NewClient("unix:"+path, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: retry, MinConnectTimeout: patience}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	return conn
}

// loadWhenReady has the service load configuration 1 of server 1.
func loadWhenReady(t testing.TB, client hooksv1.CalloutsClient) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	request := &hooksv1.LoadRequest{
		ProtocolVersions: []uint32{hookpoints.ProtocolVersion}, ConfigurationRevision: 1,
		Server: &hooksv1.ServerIdentity{InstanceId: "1", Family: hooksv1.Family_FAMILY_DHCP4},
	}
	reply, err := client.Load(ctx, request, grpc.WaitForReady(true))
	if err != nil || reply.GetLoaded() == nil {
		t.Fatal(reply, err)
	}
}

// wait has a value of a channel, or the test fails.
func wait[T any](t testing.TB, what string, channel <-chan T) (value T) {
	t.Helper()
	select {
	case value = <-channel:
	case <-time.After(patience):
		t.Fatalf("%s did not come", what)
	}
	return value
}

// testSession is a session as a server sees it.
type testSession struct {
	t      testing.TB
	stream grpc.BidiStreamingClient[hooksv1.ServerMessage, hooksv1.ServiceMessage]
	// replies that came and were not asked for yet.
	replies []*hooksv1.CalloutReply
	cancel  context.CancelFunc
}

// session opens a session after Hello and Welcome.
func (r *running) session(t testing.TB) *testSession {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	stream, err := r.client.Session(ctx)
	if err != nil {
		t.Fatal(err)
	}
	s := &testSession{t: t, stream: stream, cancel: cancel}
	hello := &hooksv1.Hello{InstanceId: "1", ConfigurationRevision: 1}
	s.send(&hooksv1.ServerMessage{Message: &hooksv1.ServerMessage_Hello{Hello: hello}})
	if s.next().GetWelcome() == nil {
		t.Fatal("the first message is not Welcome")
	}
	return s
}

func (s *testSession) send(message *hooksv1.ServerMessage) {
	s.t.Helper()
	if err := s.stream.Send(message); err != nil {
		s.t.Fatal(err)
	}
}

func (s *testSession) next() *hooksv1.ServiceMessage {
	s.t.Helper()
	message, err := s.stream.Recv()
	if err != nil {
		s.t.Fatal(err)
	}
	return message
}

// calls sends one batch.
func (s *testSession) calls(requests ...*hooksv1.CalloutRequest) {
	s.t.Helper()
	batch := &hooksv1.CallBatch{Calls: requests}
	s.send(&hooksv1.ServerMessage{Message: &hooksv1.ServerMessage_Calls{Calls: batch}})
}

func (s *testSession) bye() {
	s.t.Helper()
	s.send(&hooksv1.ServerMessage{Message: &hooksv1.ServerMessage_Bye{Bye: &hooksv1.Bye{}}})
}

// reply is the next one.
func (s *testSession) reply() *hooksv1.CalloutReply {
	s.t.Helper()
	for len(s.replies) == 0 {
		s.replies = s.next().GetReplies().GetReplies()
	}
	reply := s.replies[0]
	s.replies = s.replies[1:]
	return reply
}

// request is a call with plenty of time.
func request(id uint64) *hooksv1.CalloutRequest {
	return &hooksv1.CalloutRequest{
		Id: id, HookPoint: hooksv1.HookPoint(hookpoints.Subnet4Select), BudgetUs: 20_000_000, PacketLabel: "test",
	}
}

// shortBudget is over soon, and yet not before a busy machine starts the callout, in microseconds.
const shortBudget = 300_000

func answer(_ context.Context, request *hooksv1.CalloutRequest, _ func() error) *hooksv1.CalloutReply {
	return result(request.GetId())
}

func TestHealthAndReflectionAreOffered(t *testing.T) {
	r := serveTest(t, answer, nil)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, service := range []string{"", "outrigger.hooks.v1.Callouts"} {
		reply, err := grpc_health_v1.NewHealthClient(r.conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: service})
		if err != nil || reply.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
			t.Errorf("the health of %q is %v, %v", service, reply, err)
		}
	}
	for _, version := range []string{"v1", "v1alpha"} {
		method := "/grpc.reflection." + version + ".ServerReflection/ServerReflectionInfo"
		stream, err := r.conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, method)
		if err != nil {
			t.Fatal(err)
		}
		// Both versions have the same messages.
		asked := &grpc_reflection_v1.ServerReflectionRequest{
			MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_FileContainingSymbol{
				FileContainingSymbol: "outrigger.hooks.v1.Callouts",
			},
		}
		if err := stream.SendMsg(asked); err != nil {
			t.Fatal(err)
		}
		var reply grpc_reflection_v1.ServerReflectionResponse
		err = stream.RecvMsg(&reply)
		if err != nil || len(reply.GetFileDescriptorResponse().GetFileDescriptorProto()) == 0 {
			t.Errorf("reflection %s: %v, %v", version, &reply, err)
		}
	}
}

func TestLoadedTellsOfSessions(t *testing.T) {
	r := serveTest(t, answer, nil)
	reply, err := r.client.Load(context.Background(), &hooksv1.LoadRequest{})
	if err != nil || !reply.GetLoaded().GetSessions() || reply.GetLoaded().GetMaxInFlight() != maxInFlight {
		t.Fatalf("%v, %v", reply, err)
	}
}

func TestADrainUnderLoadFailsNoCall(t *testing.T) {
	r := serveTest(t, answer, nil)
	s := r.session(t)
	single := make(chan error, 1)
	var open, id uint64
	drained := false
	for n := 0; !drained; n++ {
		// Until it hears Drain, a server goes on.
		for ; open < 256; open++ {
			id++
			s.calls(request(id))
		}
		if n == 3 {
			r.stop()
			go func() {
				_, err := r.client.Call(context.Background(), request(0))
				single <- err
			}()
		}
		message := s.next()
		drained = message.GetDrain() != nil
		for _, reply := range message.GetReplies().GetReplies() {
			open--
			if reply.GetResult() == nil {
				t.Fatalf("a call failed: %v", reply)
			}
		}
	}
	// What was on its way is answered as well.
	s.calls(request(id + 1))
	for open++; open > 0; open-- {
		if reply := s.reply(); reply.GetResult() == nil {
			t.Fatalf("a call failed after Drain: %v", reply)
		}
	}
	if err := wait(t, "the single call", single); err != nil {
		t.Errorf("the single call: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	health, err := grpc_health_v1.NewHealthClient(r.conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	if err != nil || health.GetStatus() != grpc_health_v1.HealthCheckResponse_NOT_SERVING {
		t.Errorf("while it drains, its health is %v, %v", health, err)
	}
	if _, err := r.client.Load(ctx, &hooksv1.LoadRequest{}); status.Code(err) != codes.Unavailable {
		t.Errorf("Load while it drains: %v", err)
	}
	s.bye()
	if err := wait(t, "the end", r.ended); err != nil {
		t.Fatal(err)
	}
	if !r.engine.stopped {
		t.Error("Stop was not run")
	}
	if _, err := net.Dial("unix", r.path); err == nil {
		t.Error("it still listens")
	}
}

func TestTheGracePeriodIsTheEndOfADrain(t *testing.T) {
	r := serveTest(t, answer, func(s *server) { s.grace = 10 * time.Millisecond })
	r.session(t)
	r.stop()
	if err := wait(t, "the end, though the session stays open", r.ended); err != nil {
		t.Fatal(err)
	}
}
