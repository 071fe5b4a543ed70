package outrigger

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// logBuffer keeps what is logged.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBuffer) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// hang waits for release whatever becomes of its call.
//
//go:noinline
func hang(release <-chan struct{}) { <-release }

func TestAStuckCalloutIsReportedOnceAndOthersGoOn(t *testing.T) {
	release := make(chan struct{})
	log := &logBuffer{}
	r := serveTest(t, func(_ context.Context, request *hooksv1.CalloutRequest, _ func() error) *hooksv1.CalloutReply {
		if request.GetId() == 1 {
			hang(release)
		}
		return result(request.GetId())
	}, func(s *server) {
		s.stuckAfter = time.Millisecond
		s.maxStuck = 2
		s.log = slog.New(slog.NewTextHandler(log, nil))
	})
	s := r.session(t)
	bad := request(1)
	bad.BudgetUs, bad.PacketLabel = shortBudget, "the bad one"
	s.calls(bad, request(2), request(3))
	for range 3 {
		if reply := s.reply(); (reply.GetFailure() != nil) != (reply.GetId() == 1) {
			t.Errorf("call %d is answered with %v", reply.GetId(), reply)
		}
	}
	eventually(t, "a report", func() bool { return strings.Contains(log.String(), "is stuck") })
	for _, part := range []string{"subnet4_select", "the bad one", "sdk.hang("} {
		if !strings.Contains(log.String(), part) {
			t.Errorf("%q is not in the report: %s", part, log)
		}
	}
	s.calls(request(4))
	if s.reply().GetResult() == nil {
		t.Error("beside a stuck callout, a call fails")
	}
	close(release)
	eventually(t, "an end of it", func() bool { return r.metrics.stuck.Load() == 0 && r.metrics.overdue.Load() == 0 })
	if count := strings.Count(log.String(), "is stuck"); count != 1 {
		t.Errorf("it is reported %d times", count)
	}
}

func TestTooManyStuckCalloutsAreTheEnd(t *testing.T) {
	release := make(chan struct{})
	r := serveTest(t, func(_ context.Context, request *hooksv1.CalloutRequest, _ func() error) *hooksv1.CalloutReply {
		hang(release)
		return result(request.GetId())
	}, func(s *server) {
		s.stuckAfter = time.Millisecond
		s.maxStuck = 2
	})
	defer close(release)
	s := r.session(t)
	one, other := request(1), request(2)
	one.BudgetUs, other.BudgetUs = shortBudget, shortBudget
	s.calls(one)
	s.calls(other)
	for drained, failed := false, 0; !drained || failed < 2; {
		message := s.next()
		drained = drained || message.GetDrain() != nil
		failed += len(message.GetReplies().GetReplies())
	}
	s.bye()
	if err := wait(t, "the end", r.ended); !errors.Is(err, ErrStuck) {
		t.Errorf("it ends with %v", err)
	}
}

func TestCalloutsThatNeverReturnAreBounded(t *testing.T) {
	r := serveTest(t, answer, nil)
	r.metrics.overdue.Store(maxInFlight)
	s := r.session(t)
	s.calls(request(1))
	if reply := s.reply(); reply.GetFailure().GetText() != textOverloaded {
		t.Errorf("answered with %v", reply)
	}
}
