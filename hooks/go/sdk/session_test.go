package outrigger

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

func TestTheCallsOfABatchAreAnsweredInOrder(t *testing.T) {
	var running atomic.Int64
	r := serveTest(t, func(_ context.Context, request *hooksv1.CalloutRequest, _ func() error) *hooksv1.CalloutReply {
		defer running.Add(-1)
		if running.Add(1) > 1 {
			t.Error("two of them run at a time")
		}
		runtime.Gosched()
		return result(request.GetId())
	}, func(s *server) { s.takeover = time.Hour })
	s := r.session(t)
	for id := uint64(0); id < 8; id += 2 {
		s.calls(request(id), request(id+1))
		for _, wanted := range []uint64{id, id + 1} {
			if reply := s.reply(); reply.GetId() != wanted || reply.GetResult() == nil {
				t.Fatalf("call %d is answered with %v", wanted, reply)
			}
		}
	}
	s.bye()
	if _, err := s.stream.Recv(); !errors.Is(err, io.EOF) {
		t.Fatalf("after Bye: %v", err)
	}
}

func TestHeadersComeBeforeTheFirstMessage(t *testing.T) {
	r := serveTest(t, answer, nil)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	stream, err := r.client.Session(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Header(); err != nil {
		t.Fatal(err)
	}
}

func TestASlowCalloutDoesNotHoldUpItsBatch(t *testing.T) {
	release := make(chan struct{})
	r := serveTest(t, func(_ context.Context, request *hooksv1.CalloutRequest, _ func() error) *hooksv1.CalloutReply {
		if request.GetId() == 1 || request.GetId() == 3 {
			<-release
		}
		return result(request.GetId())
	}, nil)
	s := r.session(t)
	s.calls(request(0), request(1), request(2), request(3), request(4))
	seen := map[uint64]bool{}
	for range 3 {
		seen[s.reply().GetId()] = true
	}
	if !seen[0] || !seen[2] || !seen[4] {
		t.Fatalf("answered are %v", seen)
	}
	close(release)
	if sum := s.reply().GetId() + s.reply().GetId(); sum != 4 {
		t.Fatalf("the slow ones are not answered: %d", sum)
	}
}

func TestACallThatIsLateIsAFailureAndItsReplyIsDropped(t *testing.T) {
	finished := make(chan struct{})
	r := serveTest(t, func(ctx context.Context, request *hooksv1.CalloutRequest, _ func() error) *hooksv1.CalloutReply {
		if request.GetId() == 1 {
			defer close(finished)
			<-ctx.Done()
			if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				t.Errorf("the context ended with %v", ctx.Err())
			}
		}
		return result(request.GetId())
	}, nil)
	s := r.session(t)
	late := request(1)
	late.BudgetUs = shortBudget
	s.calls(late)
	if reply := s.reply(); reply.GetFailure().GetText() != "the call's budget of 300000 µs ran out" {
		t.Fatalf("answered with %v", reply)
	}
	wait(t, "the end of the callout", finished)
	s.calls(request(2))
	if reply := s.reply(); reply.GetId() != 2 || reply.GetResult() == nil {
		t.Fatalf("the next reply is %v", reply)
	}
	s.bye()
	if _, err := s.stream.Recv(); !errors.Is(err, io.EOF) {
		t.Fatalf("after Bye: %v", err)
	}
	point := r.metrics.point(int32(late.GetHookPoint()))
	if point.outcomes[outcomeExpired].Load() != 1 {
		t.Error("the call is not counted as expired")
	}
	eventually(t, "a late reply", func() bool { return point.late.Load() == 1 && r.metrics.overdue.Load() == 0 })
}

// eventually is for what happens just after an event that can be awaited.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for limit := time.Now().Add(patience); !happened(); runtime.Gosched() {
		if time.Now().After(limit) {
			t.Fatalf("there is not %s", what)
		}
	}
}

func TestABudgetThatRanOutOnTheWayIsNotStarted(t *testing.T) {
	r := serveTest(t, func(context.Context, *hooksv1.CalloutRequest, func() error) *hooksv1.CalloutReply {
		t.Error("it is started")
		return nil
	}, nil)
	b := newBatch(r.server, context.Background(), newOutbox(&r.metrics), "1", []*hooksv1.CalloutRequest{request(1)})
	b.calls[0].run(21 * time.Second)
	if b.calls[0].state != callExpired {
		t.Errorf("its state is %d", b.calls[0].state)
	}
}

func TestParkHasTwoReplies(t *testing.T) {
	release := make(chan struct{})
	r := serveTest(t, func(ctx context.Context, request *hooksv1.CalloutRequest, park func() error) *hooksv1.CalloutReply {
		if park == nil {
			return failedReply(request.GetId(), "it cannot park")
		}
		before, _ := ctx.Deadline()
		if err := errors.Join(park(), park()); err != nil {
			return failedReply(request.GetId(), err.Error())
		}
		if after, _ := ctx.Deadline(); !after.After(before) {
			t.Errorf("the deadline was %v, and is %v", before, after)
		}
		<-release
		return result(request.GetId())
	}, nil)
	s := r.session(t)
	held := request(1)
	held.BudgetUs, held.ParkBudgetUs = 10_000_000, 20_000_000
	s.calls(held, request(2))
	if reply := s.reply(); reply.GetId() != 1 || reply.GetResult().GetNextStep() != hooksv1.NextStep_NEXT_STEP_PARK {
		t.Fatalf("the first reply is %v", reply)
	}
	if reply := s.reply(); reply.GetId() != 2 || reply.GetFailure().GetText() != "it cannot park" {
		t.Fatalf("the second reply is %v", reply)
	}
	if r.metrics.held.Load() != 1 || r.metrics.open.Load() != 1 {
		t.Errorf("held %d, open %d", r.metrics.held.Load(), r.metrics.open.Load())
	}
	s.bye()
	close(release)
	if reply := s.reply(); reply.GetId() != 1 || reply.GetResult() == nil || reply.GetResult().NextStep != nil {
		t.Fatalf("the final reply is %v", reply)
	}
	if _, err := s.stream.Recv(); !errors.Is(err, io.EOF) {
		t.Fatalf("after Bye: %v", err)
	}
	if r.metrics.held.Load() != 0 || r.metrics.open.Load() != 0 {
		t.Errorf("held %d, open %d", r.metrics.held.Load(), r.metrics.open.Load())
	}
}

func TestAPacketIsNotHeldForEver(t *testing.T) {
	r := serveTest(t, func(ctx context.Context, request *hooksv1.CalloutRequest, park func() error) *hooksv1.CalloutReply {
		if err := park(); err != nil {
			return failedReply(request.GetId(), err.Error())
		}
		<-ctx.Done()
		return result(request.GetId())
	}, nil)
	s := r.session(t)
	held := request(1)
	held.ParkBudgetUs = 5000
	s.calls(held)
	if reply := s.reply(); reply.GetResult().GetNextStep() != hooksv1.NextStep_NEXT_STEP_PARK {
		t.Fatalf("the first reply is %v", reply)
	}
	wanted := "the packet was held for 5000 µs and there is no final reply"
	if reply := s.reply(); reply.GetFailure().GetText() != wanted {
		t.Fatalf("the final reply is %v", reply)
	}
}

func TestAHeldPacketMayOutliveTheBudgetOfItsCall(t *testing.T) {
	r := serveTest(t, func(ctx context.Context, request *hooksv1.CalloutRequest, park func() error) *hooksv1.CalloutReply {
		done := ctx.Done()
		if err := park(); err != nil {
			return failedReply(request.GetId(), err.Error())
		}
		select {
		case <-done:
			return failedReply(request.GetId(), "it ended with the call")
		case <-time.After(2 * shortBudget * time.Microsecond):
			return result(request.GetId())
		}
	}, nil)
	s := r.session(t)
	held := request(1)
	held.BudgetUs, held.ParkBudgetUs = shortBudget, 20_000_000
	s.calls(held)
	s.reply()
	if reply := s.reply(); reply.GetResult() == nil {
		t.Fatalf("the final reply is %v", reply)
	}
}

func TestACalloutThatEndsItsGoroutineIsAFailure(t *testing.T) {
	r := serveTest(t, func(_ context.Context, request *hooksv1.CalloutRequest, _ func() error) *hooksv1.CalloutReply {
		if request.GetId()%2 == 1 {
			runtime.Goexit()
		}
		return result(request.GetId())
	}, func(s *server) { s.takeover = time.Hour })
	s := r.session(t)
	s.calls(request(0), request(1), request(2), request(3))
	for id := range uint64(4) {
		reply := s.reply()
		if reply.GetId() != id || (reply.GetFailure() != nil) != (id%2 == 1) {
			t.Errorf("call %d is answered with %v", id, reply)
		}
	}
}

func TestMessagesOutOfPlaceEndTheSession(t *testing.T) {
	r := serveTest(t, answer, nil)
	twice := r.session(t)
	twice.send(&hooksv1.ServerMessage{Message: &hooksv1.ServerMessage_Hello{Hello: &hooksv1.Hello{}}})
	_, err := twice.stream.Recv()
	if status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), "one Hello") {
		t.Errorf("Hello twice: %v", err)
	}
	stream, err := r.client.Session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	without := &testSession{t: t, stream: stream}
	without.calls(request(1))
	without.next()
	if _, err := stream.Recv(); status.Code(err) != codes.InvalidArgument {
		t.Errorf("calls without Hello: %v", err)
	}
	s := r.session(t)
	s.send(&hooksv1.ServerMessage{})
	s.calls(request(1))
	if s.reply().GetResult() == nil {
		t.Error("after a message of an unknown kind, a call fails")
	}
}

func TestAVanishedServerEndsTheContextsOfItsCalls(t *testing.T) {
	started, ended := make(chan struct{}), make(chan error, 2)
	r := serveTest(t, func(ctx context.Context, request *hooksv1.CalloutRequest, _ func() error) *hooksv1.CalloutReply {
		derived, cancel := context.WithCancel(ctx)
		defer cancel()
		close(started)
		<-ctx.Done()
		<-derived.Done()
		ended <- ctx.Err()
		ended <- derived.Err()
		return result(request.GetId())
	}, nil)
	s := r.session(t)
	s.calls(request(1))
	wait(t, "the callout", started)
	s.cancel()
	for range 2 {
		if err := wait(t, "the end of the context", ended); !errors.Is(err, context.Canceled) {
			t.Errorf("it ended with %v", err)
		}
	}
	eventually(t, "an end of the open calls", func() bool { return r.metrics.open.Load() == 0 })
}

func TestTheContextOfACallEndsWithItsCallout(t *testing.T) {
	kept := make(chan context.Context, 2)
	r := serveTest(t, func(ctx context.Context, request *hooksv1.CalloutRequest, _ func() error) *hooksv1.CalloutReply {
		if ctx.Err() != nil {
			t.Errorf("it has ended: %v", ctx.Err())
		}
		derived, cancel := context.WithTimeout(ctx, time.Hour)
		context.AfterFunc(derived, cancel)
		if theirs, _ := derived.Deadline(); time.Until(theirs) > time.Minute {
			t.Errorf("the deadline is %v", theirs)
		}
		kept <- ctx
		kept <- derived
		return result(request.GetId())
	}, nil)
	s := r.session(t)
	s.calls(request(1))
	s.reply()
	for range 2 {
		ctx := wait(t, "the context", kept)
		wait(t, "its end", ctx.Done())
		if !errors.Is(ctx.Err(), context.Canceled) {
			t.Errorf("it ended with %v", ctx.Err())
		}
	}
}

func TestMoreCallsThanMayBeOpenAreRefused(t *testing.T) {
	release := make(chan struct{})
	r := serveTest(t, func(_ context.Context, request *hooksv1.CalloutRequest, _ func() error) *hooksv1.CalloutReply {
		<-release
		return result(request.GetId())
	}, nil)
	s := r.session(t)
	requests := make([]*hooksv1.CalloutRequest, maxInFlight+2)
	for i := range requests {
		requests[i] = request(uint64(i))
	}
	s.calls(requests...)
	for id := uint64(maxInFlight); id < maxInFlight+2; id++ {
		if reply := s.reply(); reply.GetId() != id || reply.GetFailure().GetText() != "more than 4096 calls are open" {
			t.Fatalf("call %d is answered with %v", id, reply)
		}
	}
	close(release)
	for range maxInFlight {
		if reply := s.reply(); reply.GetResult() == nil {
			t.Fatalf("a call that was accepted fails: %v", reply)
		}
	}
	s.calls(request(1))
	if s.reply().GetResult() == nil {
		t.Error("afterwards there is no room")
	}
}

func TestAHelloForWhatIsNotLoadedEndsItsSession(t *testing.T) {
	r := serveTest(t, answer, nil)
	stream, err := r.client.Session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	hello := &hooksv1.Hello{InstanceId: "1", ConfigurationRevision: notLoaded}
	if err := stream.Send(&hooksv1.ServerMessage{Message: &hooksv1.ServerMessage_Hello{Hello: hello}}); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = stream.Recv()
	}
	wanted := "configuration 404 is not loaded here: call Load first"
	if found := status.Convert(err); found.Code() != codes.FailedPrecondition || found.Message() != wanted {
		t.Errorf("it ends with %v", err)
	}
}

func TestASingleCallHasItsDeadlineAndNoPark(t *testing.T) {
	r := serveTest(t, func(ctx context.Context, request *hooksv1.CalloutRequest, park func() error) *hooksv1.CalloutReply {
		if park != nil {
			t.Error("it could park")
		}
		if request.GetId() == 2 {
			<-ctx.Done()
		}
		return result(request.GetId())
	}, nil)
	once := request(1)
	once.ParkBudgetUs = 1000
	if reply, err := r.client.Call(t.Context(), once); err != nil || reply.GetResult() == nil {
		t.Errorf("%v, %v", reply, err)
	}
	late := request(2)
	late.BudgetUs = 2000
	reply, err := r.client.Call(t.Context(), late)
	if err != nil || !strings.Contains(reply.GetFailure().GetText(), "ran out") {
		t.Errorf("%v, %v", reply, err)
	}
}

func TestSessionsDoNotDisturbEachOther(t *testing.T) {
	r := serveTest(t, answer, nil)
	var group sync.WaitGroup
	for range 4 {
		s := r.session(t)
		group.Go(func() {
			for n := range uint64(50) {
				s.calls(request(2*n), request(2*n+1))
				for range 2 {
					if id := s.reply().GetId(); id/2 != n {
						t.Errorf("reply %d comes in round %d", id, n)
					}
				}
			}
		})
	}
	group.Wait()
}

// rawCodec sends bytes as they are.
type rawCodec struct{ codec }

func (c rawCodec) Marshal(message any) (mem.BufferSlice, error) {
	if bytes, ok := message.([]byte); ok {
		return mem.BufferSlice{mem.SliceBuffer(bytes)}, nil
	}
	return c.codec.Marshal(message)
}

func TestBytesThatAreNoMessageEndTheirSessionOnly(t *testing.T) {
	r := serveTest(t, answer, nil)
	s := r.session(t)
	description := &hooksv1.Callouts_ServiceDesc.Streams[0]
	broken, err := r.conn.NewStream(t.Context(), description, hooksv1.Callouts_Session_FullMethodName,
		grpc.ForceCodecV2(rawCodec{newCodec()}))
	if err != nil {
		t.Fatal(err)
	}
	if err := broken.SendMsg([]byte{0xff, 0xff, 0xff}); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		err = broken.RecvMsg(&hooksv1.ServiceMessage{})
	}
	if status.Code(err) != codes.Internal {
		t.Errorf("it ends with %v", err)
	}
	s.calls(request(1))
	if s.reply().GetResult() == nil {
		t.Error("another session is disturbed")
	}
}
