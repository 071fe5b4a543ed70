package outrigger

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/hookpoints"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// NextStep is what happens after a hook point. Its effect differs by hook point; one without an effect counts as
// Continue.
type NextStep int32

// Every next step.
const (
	// Continue: the server goes on with the changes applied.
	Continue NextStep = NextStep(hookpoints.Continue)
	// Skip: the server leaves out the step that follows.
	Skip NextStep = NextStep(hookpoints.Skip)
	// Drop: the server abandons the packet.
	Drop NextStep = NextStep(hookpoints.Drop)
	// Park: the server holds the packet until the final reply.
	Park NextStep = NextStep(hookpoints.Park)
)

// String is "CONTINUE", "SKIP", "DROP" or "PARK".
func (s NextStep) String() string {
	switch s {
	case Continue:
		return "CONTINUE"
	case Skip:
		return "SKIP"
	case Drop:
		return "DROP"
	case Park:
		return "PARK"
	}
	return fmt.Sprintf("next step %d", int32(s))
}

// Call is what calls of all hook points have in common: the surroundings of one packet, and the reply as far as it is
// made. What a callout does not touch stays as it is in the server. The reply counts when the callout returns nil; an
// error discards it.
//
// A call belongs to one callout: it must not be used by several goroutines at a time, nor after the callout returned.
type Call struct {
	request *hooksv1.CalloutRequest
	load    *Load
	rights  *rights
	result  *hooksv1.CalloutResult
	// holdPacket sends the PARK reply; nil where there is no session.
	holdPacket func() error
	parked     bool
	// mistake is the first wrong use of a method that returns no error; it fails the call.
	mistake error
	reason  string
}

func (c *Call) base() *Call { return c }

// Load is the configuration that the call belongs to.
func (c *Call) Load() *Load { return c.load }

// HookPoint is the hook point's name as in Kea.
func (c *Call) HookPoint() string { return hookPointName(c.rights.hookPoint) }

// PacketLabel has client and transaction, for logs.
func (c *Call) PacketLabel() string { return c.request.GetPacketLabel() }

// TraceParent is the W3C trace context; empty where the packet is not traced.
func (c *Call) TraceParent() string { return c.request.GetTraceParent() }

// ConfigurationRevision is the configuration of the server that the packet is served by.
func (c *Call) ConfigurationRevision() uint64 { return c.request.GetConfigurationRevision() }

// Status is what the services before this one decided.
func (c *Call) Status() NextStep { return NextStep(c.request.GetStatus()) }

// Context is what this service put there at an earlier hook point of this packet, perhaps in another process or version
// of it, or in this call; empty where it put nothing. It comes from the network: check it.
func (c *Call) Context() []byte {
	if c.result.Context != nil {
		return c.result.Context
	}
	return c.request.GetContext()
}

// SetContext keeps context for later hook points of this packet. More than 4096 bytes fail the call.
func (c *Call) SetContext(context []byte) {
	if len(context) > hookpoints.MaxContext {
		c.fail(fmt.Errorf("the callout's context has %d bytes; %d are possible", len(context), hookpoints.MaxContext))
		return
	}
	// Empty is not absent.
	c.result.Context = append(make([]byte, 0, len(context)), context...)
}

// ReadContext decodes the context as JSON into target. false: there is none.
func (c *Call) ReadContext(target any) (bool, error) {
	context := c.Context()
	if len(context) == 0 {
		return false, nil
	}
	if err := json.Unmarshal(context, target); err != nil {
		return false, fmt.Errorf("the context is not what was expected: %w", err)
	}
	return true, nil
}

// WriteContext keeps value, as JSON of at most 4096 bytes, for later hook points of this packet.
func (c *Call) WriteContext(value any) error {
	context, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("the context cannot be written as JSON: %w", err)
	}
	if len(context) > hookpoints.MaxContext {
		return fmt.Errorf("the callout's context has %d bytes as JSON; %d are possible", len(context), hookpoints.MaxContext)
	}
	c.result.Context = context
	return nil
}

// Proceed has the server go on, whatever the services before decided. A callout that says nothing leaves that as it is.
func (c *Call) Proceed() { c.setNextStep(Continue) }

// Skip has the server leave out the step that follows. What that is differs by hook point.
func (c *Call) Skip() { c.setNextStep(Skip) }

// Drop has the server abandon the packet, where the hook point allows it. The service logs why.
func (c *Call) Drop(why string) {
	c.setNextStep(Drop)
	c.reason = why
}

// NextStep is what the callout decided; false: nothing yet.
func (c *Call) NextStep() (NextStep, bool) {
	return NextStep(c.result.GetNextStep()), c.result.NextStep != nil
}

func (c *Call) setNextStep(step NextStep) {
	c.result.NextStep = hooksv1.NextStep(step).Enum()
	c.reason = ""
}

// Warn has the server log and count text as a warning of this service; the reply counts all the same.
func (c *Call) Warn(text string) { c.result.Warning = text }

// Changes is what the reply changes, as it will travel, for what has no method of its own. The server refuses the whole
// reply when something is in it that the hook point, the subscription or the operator does not allow.
func (c *Call) Changes() *hooksv1.Changes {
	if c.result.Changes == nil {
		c.result.Changes = &hooksv1.Changes{}
	}
	return c.result.Changes
}

// fail keeps the first mistake.
func (c *Call) fail(mistake error) {
	if c.mistake == nil {
		c.mistake = mistake
	}
}

// may records a mistake where the change is not allowed.
func (c *Call) may(what change) bool {
	err := c.rights.check(what)
	if err != nil {
		c.fail(err)
	}
	return err == nil
}

// parks is the ability to hold the packet.
type parks struct {
	call *Call
}

// ParkBudget is how long the server would hold the packet for this call; false where it cannot be held, as for a reply
// that goes into a DHCPv6 packet (RFC 7341), or without a session.
func (p *parks) ParkBudget() (time.Duration, bool) {
	budget := p.call.request.GetParkBudgetUs()
	if budget == 0 || p.call.holdPacket == nil {
		return 0, false
	}
	return time.Duration(budget) * time.Microsecond, true
}

// Park holds the packet while the callout goes on: what it decides until it returns is the final reply. From here on the
// budget for held packets counts, not that of the call. The server serves the client's other packets meanwhile. Asking
// again changes nothing.
func (p *parks) Park() error {
	c := p.call
	switch {
	case c.parked:
		return nil
	case c.holdPacket == nil:
		return ErrNoSession
	case c.request.GetParkBudgetUs() == 0:
		return ErrNotHeld
	}
	if err := c.holdPacket(); err != nil {
		return fmt.Errorf("the packet is not held: %w", err)
	}
	c.parked = true
	return nil
}

// clipped is text for an error: at most 60 bytes of it.
func clipped(text string) string {
	const most = 60
	if len(text) <= most {
		return text
	}
	return string(bytes.ToValidUTF8([]byte(text[:most]), nil)) + "..."
}
