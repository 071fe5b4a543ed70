package outrigger

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/hookpoints"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// ErrStuck says that as many callouts are stuck as there are processors, so that a new process is needed.
var ErrStuck = errors.New("as many callouts are stuck as there are processors")

// maxStacks is how much of the stacks of all goroutines is looked at.
const maxStacks = 16 << 20

// stuck reports a callout that runs on long after its time is over. It cannot be stopped, only its process can.
func (s *server) stuck(c *call, now time.Duration) {
	count := s.metrics.stuck.Add(1)
	if count >= int64(s.maxStuck) {
		s.giveUp.Do(func() { close(s.givenUp) })
	}
	// The stacks stop everything for a moment: not under the locks of the batch.
	go s.log.Error("a callout is stuck: it runs on long after its time is over",
		"hook_point", pointName(c.request), "packet", c.request.GetPacketLabel(), "for", now, "stuck", count,
		"stack", lazyStack{c})
}

// lazyStack is the stack of a call's goroutine when it is logged.
type lazyStack struct{ call *call }

// String is the stack as a panic prints it.
func (l lazyStack) String() string { return stackOf(l.call) }

// stackOf is the stack of the goroutine that runs c.
func stackOf(c *call) string {
	buffer := make([]byte, 64<<10)
	length := runtime.Stack(buffer, true)
	for length == len(buffer) && length < maxStacks {
		buffer = make([]byte, 2*length)
		length = runtime.Stack(buffer, true)
	}
	// Traces show the receiver of a method as its first argument.
	frame := fmt.Appendf(nil, "(*call).run(%p", c)
	for stack := range bytes.SplitSeq(buffer[:length], []byte("\n\n")) {
		if bytes.Contains(stack, frame) {
			return string(stack)
		}
	}
	return "not found: the callout may have returned"
}

// pointName is the hook point as it is logged.
func pointName(request *hooksv1.CalloutRequest) string {
	point := hookpoints.HookPoint(request.GetHookPoint())
	if _, ok := hookpoints.Specs[point]; !ok {
		return fmt.Sprintf("hook point %d", point)
	}
	return point.String()
}
