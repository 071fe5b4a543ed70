package outrigger

import (
	"context"
	"runtime"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// waiting is how many workers wait for a call.
func (w *workers) waiting() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.idle)
}

func TestAWorkerRunsOneSingleCallAfterTheOther(t *testing.T) {
	r := serveTest(t, answer, nil)
	for id := range uint64(10) {
		if reply, err := r.client.Call(t.Context(), request(id)); err != nil || reply.GetId() != id {
			t.Fatalf("call %d: %v, %v", id, reply, err)
		}
		eventually(t, "a worker that waits", func() bool { return r.workers.waiting() == 1 })
	}
}

func TestWorkersThatWaitAreBounded(t *testing.T) {
	release := make(chan struct{})
	started := make(chan struct{}, 2*maxIdle)
	r := serveTest(t, func(_ context.Context, request *hooksv1.CalloutRequest, _ func() error) *hooksv1.CalloutReply {
		started <- struct{}{}
		<-release
		return result(request.GetId())
	}, nil)
	answered := make(chan error, 2*maxIdle)
	for id := range uint64(2 * maxIdle) {
		go func() {
			_, err := r.client.Call(t.Context(), request(id))
			answered <- err
		}()
		wait(t, "a call beside the others", started)
	}
	close(release)
	for range 2 * maxIdle {
		if err := wait(t, "a reply", answered); err != nil {
			t.Error(err)
		}
	}
	eventually(t, "the bound of the workers that wait", func() bool { return r.workers.waiting() == maxIdle })
	r.stop()
	if err := wait(t, "the end", r.ended); err != nil || r.workers.waiting() != 0 {
		t.Errorf("%d workers wait after the end (%v)", r.workers.waiting(), err)
	}
}

func TestACalloutThatEndsItsWorkerIsAFailure(t *testing.T) {
	r := serveTest(t, func(_ context.Context, request *hooksv1.CalloutRequest, _ func() error) *hooksv1.CalloutReply {
		if request.GetId() == 2 {
			runtime.Goexit()
		}
		return result(request.GetId())
	}, nil)
	for id := range uint64(5) {
		reply, err := r.client.Call(t.Context(), request(id))
		if fails := reply.GetFailure() != nil; err != nil || fails != (id == 2) {
			t.Errorf("call %d: %v, %v", id, reply, err)
		}
	}
}

func TestASingleCallThatItsClientGivesUpIsWatched(t *testing.T) {
	release := make(chan struct{})
	r := serveTest(t, func(ctx context.Context, request *hooksv1.CalloutRequest, _ func() error) *hooksv1.CalloutReply {
		<-ctx.Done()
		<-release
		return result(request.GetId())
	}, func(s *server) { s.stuckAfter, s.maxStuck = time.Millisecond, 2 })
	ctx, cancel := context.WithTimeout(t.Context(), shortBudget*time.Microsecond)
	defer cancel()
	late := request(1)
	late.BudgetUs = 2 * shortBudget
	if _, err := r.client.Call(ctx, late); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("the client is told %v", err)
	}
	eventually(t, "a report", func() bool { return r.metrics.stuck.Load() == 1 })
	if r.metrics.point(int32(late.GetHookPoint())).outcomes[outcomeExpired].Load() != 1 {
		t.Error("the call is not counted as expired")
	}
	close(release)
	eventually(t, "an end of it", func() bool { return r.metrics.stuck.Load() == 0 && r.metrics.overdue.Load() == 0 })
}
