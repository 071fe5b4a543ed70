package outrigger

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// batch is the calls that came in one message.
//
// One goroutine runs them one after the other, because most callouts take a few microseconds. When the batch is not
// done after a millisecond, or one of its calls parks, each of the rest gets a goroutine of its own. One timer serves
// the whole batch: for that, for deadlines, and for callouts that run on after theirs.
type batch struct {
	server *server
	// ctx is that of the stream: its end is the end of the calls.
	ctx     context.Context
	replies replies
	// instance names the server of the session; empty outside sessions.
	instance string
	received time.Time
	calls    []call
	// next is the index of the first call that nobody runs yet.
	next atomic.Int64
	// left is how many calls are not done.
	left atomic.Int64
	// apart: each of the calls that are left has its own goroutine.
	apart atomic.Bool

	mu    sync.Mutex
	timer *time.Timer
}

func newBatch(
	server *server, ctx context.Context, replies replies, instance string, requests []*hooksv1.CalloutRequest,
) *batch {
	b := &batch{
		server: server, ctx: ctx, replies: replies, instance: instance,
		received: time.Now(), calls: make([]call, len(requests)),
	}
	for i, request := range requests {
		b.calls[i].batch, b.calls[i].request = b, request
	}
	b.left.Store(int64(len(requests)))
	return b
}

func (b *batch) elapsed() time.Duration { return time.Since(b.received) }

// arm sets the timer, usually before the calls are run; now is since the batch was received.
func (b *batch) arm(now time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	first := b.server.takeover
	if len(b.calls) == 1 {
		b.apart.Store(true)
		first = b.calls[0].limit()
	}
	// A single call without a limit needs no timer, unless it parks.
	if first > 0 {
		b.timer = time.AfterFunc(first-now, b.tick)
	}
}

// run runs the calls that nobody runs yet.
func (b *batch) run() {
	isOver := false
	defer func() {
		// A callout has ended its goroutine (runtime.Goexit). The others have another one.
		if !isOver {
			b.replies.flush()
			go b.run()
		}
	}()
	now := b.elapsed()
	flushed := now
	for {
		i := b.next.Add(1) - 1
		if i >= int64(len(b.calls)) {
			break
		}
		now = b.calls[i].run(now)
		if now-flushed > flushAfter || b.apart.Load() {
			flushed = now
			b.replies.flush()
		}
	}
	isOver = true
	b.replies.flush()
}

// done counts a call whose callout has returned, or was not started at all.
func (b *batch) done() {
	if b.left.Add(-1) > 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.timer != nil {
		b.timer.Stop()
	}
}

// takeApart gives a goroutine to each call that nobody runs yet.
func (b *batch) takeApart() {
	if b.apart.Swap(true) {
		return
	}
	// What is done already need not wait for the call that takes its time.
	b.replies.flush()
	all := int64(len(b.calls))
	for i := b.next.Swap(all); i < all; i++ {
		go func() {
			defer b.replies.flush()
			b.calls[i].run(b.elapsed())
		}()
	}
}

// parked is told when a call parks: it takes long, and another time limit holds now.
func (b *batch) parked() {
	b.takeApart()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.timer != nil {
		b.timer.Reset(0)
	} else {
		b.timer = time.AfterFunc(0, b.tick)
	}
}

// tick does what is due, and sets the timer to what is due next.
func (b *batch) tick() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left.Load() == 0 {
		return
	}
	b.takeApart()
	now := b.elapsed()
	next := time.Duration(0)
	for i := range b.calls {
		if due := b.calls[i].tick(now); due > 0 && (next == 0 || due < next) {
			next = due
		}
	}
	b.replies.flush()
	if next > 0 {
		b.timer.Reset(next - now)
	}
}
