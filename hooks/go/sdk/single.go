package outrigger

import (
	"context"
	"errors"
	"sync"
	"time"

	"google.golang.org/grpc/status"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// Call is a call of its own. It cannot be held.
func (s *server) Call(ctx context.Context, request *hooksv1.CalloutRequest) (*hooksv1.CalloutReply, error) {
	s.enter(true)
	defer s.leave()
	if s.singles.Add(1) > maxInFlight {
		s.singles.Add(-1)
		s.metrics.point(int32(request.GetHookPoint())).answered(outcomeRefused, 0)
		return failedReply(request.GetId(), textOverloaded), nil
	}
	defer s.singles.Add(-1)
	s.metrics.open.Add(1)
	defer s.metrics.open.Add(-1)
	single := newSingle(s, ctx, request)
	isArmed := !single.endsWith(ctx)
	if isArmed {
		single.batch.arm(0)
	}
	s.workers.run(&single.batch)
	select {
	case reply := <-single.reply:
		return reply, nil
	case <-ctx.Done():
		// Nobody waits for the reply, but the callout may go on.
		if !isArmed {
			single.batch.arm(single.batch.elapsed())
		}
		return nil, status.FromContextError(ctx.Err()).Err()
	}
}

// single is a call outside sessions, and where its reply goes: a batch of one, in one piece of memory.
type single struct {
	batch batch
	call  [1]call
	reply chan *hooksv1.CalloutReply
}

func newSingle(server *server, ctx context.Context, request *hooksv1.CalloutRequest) *single {
	s := &single{reply: make(chan *hooksv1.CalloutReply, 1)}
	b := &s.batch
	b.server, b.ctx, b.replies, b.received, b.calls = server, ctx, s, time.Now(), s.call[:]
	b.left.Store(1)
	s.call[0].batch, s.call[0].request = b, request
	return s
}

// endsWith says that the client stops waiting no later than the call's time is over. Its own timer is enough then.
func (s *single) endsWith(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ok && !deadline.After(s.batch.received.Add(s.call[0].limit()))
}

func (s *single) final(_ int32, reply *hooksv1.CalloutReply, _ bool) { s.reply <- reply }

func (s *single) park(uint64) error { return errors.New("only a call of a session can park") }

func (s *single) flush() {}

// maxIdle is how many workers wait for their next call.
const maxIdle = 64

// workers are goroutines that run calls outside sessions. A new goroutine for each would have its stack grow each time.
type workers struct {
	mu sync.Mutex
	// idle has those that wait, the latest last.
	idle   []chan *batch
	closed bool
}

// run has a worker run b: one that waits, or a new one.
func (w *workers) run(b *batch) {
	w.mu.Lock()
	last := len(w.idle) - 1
	if last < 0 {
		w.mu.Unlock()
		go w.work(b)
		return
	}
	next := w.idle[last]
	w.idle = w.idle[:last]
	w.mu.Unlock()
	next <- b
}

func (w *workers) work(b *batch) {
	next := make(chan *batch, 1)
	for ok := true; ok; b, ok = <-next {
		b.run()
		if !w.rest(next) {
			return
		}
	}
}

// rest has the worker of next wait for another call, unless enough of them do.
func (w *workers) rest(next chan *batch) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || len(w.idle) >= maxIdle {
		return false
	}
	w.idle = append(w.idle, next)
	return true
}

// close ends the workers that wait; calls that come all the same get new goroutines.
func (w *workers) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for _, next := range w.idle {
		close(next)
	}
	w.idle = nil
}
