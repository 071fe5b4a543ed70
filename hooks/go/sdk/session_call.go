package outrigger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/hookpoints"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// callState is how far a call is.
type callState int

const (
	// callOpen has no reply yet.
	callOpen callState = iota
	// callParked has PARK for its first reply, and no final one yet.
	callParked
	// callAnswered has the reply of its callout.
	callAnswered
	// callExpired was answered with a failure because its time is over; the callout may still run.
	callExpired
)

// call is one call, and the context that its callout gets. Times are since the batch was received.
type call struct {
	batch   *batch
	request *hooksv1.CalloutRequest

	mu    sync.Mutex
	state callState
	// isRunning: the callout has started and has not returned.
	isRunning bool
	// isStuck: it was reported.
	isStuck bool
	// parkedUntil is when the server gives up the packet.
	parkedUntil time.Duration
	ending
}

// limit is when the server stops waiting for the first reply; 0: never, as for a client that does not think of budgets.
func (c *call) limit() time.Duration {
	return time.Duration(c.request.GetBudgetUs()) * time.Microsecond
}

// run runs the callout and answers. It returns when that was. Not inlined: stackOf looks for its frame.
//
//go:noinline
func (c *call) run(now time.Duration) (at time.Duration) {
	defer c.batch.done()
	if !c.begin(now) {
		return now
	}
	var park func() error
	// Outside a session there is one reply.
	if c.request.GetParkBudgetUs() > 0 && c.batch.instance != "" {
		park = c.park
	}
	var reply *hooksv1.CalloutReply
	defer func() {
		if reply == nil {
			reply = failureReply(c.request.GetId(), errGoexit)
			c.batch.server.log.Warn("callout failed", "hook_point", hookPointName(hookpoints.HookPoint(c.request.GetHookPoint())),
				"packet", c.request.GetPacketLabel(), "failure", errGoexit.Error())
		}
		at = c.returned(reply)
	}()
	reply = c.batch.server.engine.run(c, c.batch.instance, c.request, park)
	return at
}

// begin says whether the callout is to be run; if not, the call is answered.
func (c *call) begin(now time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	metrics := &c.batch.server.metrics
	switch {
	case c.state != callOpen:
		return false
	case c.limit() > 0 && now >= c.limit():
		c.expire(now)
		return false
	case metrics.overdue.Load() >= maxInFlight:
		c.state = callAnswered
		c.answer(failedReply(c.request.GetId(), textOverloaded), outcomeRefused, now, false)
		return false
	}
	c.isRunning = true
	return true
}

// returned takes the reply of the callout.
func (c *call) returned(reply *hooksv1.CalloutReply) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isRunning = false
	now := c.batch.elapsed()
	if c.state == callExpired {
		c.late(now)
		return now
	}
	outcome := outcomeResult
	if reply.GetFailure() != nil {
		outcome = outcomeFailure
	}
	held := c.state == callParked
	c.state = callAnswered
	c.answer(reply, outcome, now, held)
	c.end(context.Canceled)
	return now
}

// late counts the reply that nobody waits for.
func (c *call) late(now time.Duration) {
	server := c.batch.server
	server.metrics.point(int32(c.request.GetHookPoint())).late.Add(1)
	server.metrics.overdue.Add(-1)
	if c.isStuck {
		server.metrics.stuck.Add(-1)
		server.log.Warn("a stuck callout has returned", "hook_point", pointName(c.request),
			"packet", c.request.GetPacketLabel(), "after", now)
	}
}

func (c *call) answer(reply *hooksv1.CalloutReply, outcome outcome, now time.Duration, held bool) {
	point := int32(c.request.GetHookPoint())
	c.batch.server.metrics.point(point).answered(outcome, now)
	c.batch.replies.final(point, reply, held)
}

// expire answers in place of the callout.
func (c *call) expire(now time.Duration) {
	text := fmt.Sprintf("the call's budget of %d µs ran out", c.request.GetBudgetUs())
	held := c.state == callParked
	if held {
		text = fmt.Sprintf("the packet was held for %d µs and there is no final reply", c.request.GetParkBudgetUs())
	}
	c.state = callExpired
	if c.isRunning {
		c.batch.server.metrics.overdue.Add(1)
	}
	c.answer(failedReply(c.request.GetId(), text), outcomeExpired, now, held)
	c.end(context.DeadlineExceeded)
}

// park sends the first of two replies. Asking again changes nothing.
func (c *call) park() error {
	if err := c.hold(); err != nil {
		return err
	}
	c.batch.parked()
	return nil
}

func (c *call) hold() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.state {
	case callParked:
		return nil
	case callAnswered:
		return errors.New("the call is answered already: it can no longer park")
	case callExpired:
		return errors.New("the call's time is over: it can no longer park")
	}
	if err := c.batch.replies.park(c.request.GetId()); err != nil {
		return err
	}
	c.state = callParked
	budget := time.Duration(c.request.GetParkBudgetUs()) * time.Microsecond
	c.parkedUntil = c.batch.elapsed() + budget
	c.batch.server.metrics.point(int32(c.request.GetHookPoint())).parked.Add(1)
	return nil
}

// tick does what is due at this time, and returns when something is due next; 0: never.
func (c *call) tick(now time.Duration) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	limit := c.limit()
	if c.parkedUntil > 0 {
		limit = c.parkedUntil
	}
	switch {
	case c.state == callAnswered || limit == 0:
		return 0
	case c.state != callExpired && now < limit:
		return limit
	case c.state != callExpired:
		c.expire(now)
	}
	if !c.isRunning || c.isStuck {
		return 0
	}
	stuck := limit + c.batch.server.stuckAfter
	if now < stuck {
		return stuck
	}
	c.isStuck = true
	c.batch.server.stuck(c, now)
	return 0
}

// ending is the part of a call's context that most callouts never ask for.
type ending struct {
	err  error
	done chan struct{}
	// after are run at the end.
	after map[*func()]struct{}
	// unhook forgets the end of the stream.
	unhook func() bool
}

// end ends the call's context, once.
func (e *ending) end(err error) {
	if e.err != nil {
		return
	}
	e.err = err
	if e.done != nil {
		close(e.done)
	}
	if e.unhook != nil {
		e.unhook()
	}
	for f := range e.after {
		// They ask this context why it ended.
		go (*f)()
	}
	e.after = nil
}

// hook has the context end with its stream.
func (c *call) hook() {
	if c.unhook != nil || c.err != nil {
		return
	}
	stream := c.batch.ctx
	c.unhook = context.AfterFunc(stream, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.end(stream.Err())
	})
}

// Deadline is when the server stops waiting for the reply that comes next.
func (c *call) Deadline() (deadline time.Time, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	limit := c.limit()
	if c.parkedUntil > 0 {
		limit = c.parkedUntil
	}
	return c.batch.received.Add(limit), limit > 0
}

// Done is made when it is asked for.
func (c *call) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.err != nil {
			close(c.done)
		}
		c.hook()
	}
	return c.done
}

// Err is why the context has ended.
func (c *call) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.batch.ctx.Err(); err != nil {
		c.end(err)
	}
	return c.err
}

// Value is that of the stream: metadata and peer.
func (c *call) Value(key any) any { return c.batch.ctx.Value(key) }

// AfterFunc has contexts that derive from this one end with it, without a goroutine for each.
func (c *call) AfterFunc(f func()) (stop func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		go f()
		return func() bool { return false }
	}
	if c.after == nil {
		c.after = make(map[*func()]struct{})
	}
	c.after[&f] = struct{}{}
	c.hook()
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		_, waits := c.after[&f]
		delete(c.after, &f)
		return waits
	}
}
