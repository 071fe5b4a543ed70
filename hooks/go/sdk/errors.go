package outrigger

import (
	"errors"
	"fmt"
	"strings"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/hookpoints"
)

// Refusal says that the service will not work with this server or these parameters. Text reaches the server's operator:
// what is wrong and what to do.
type Refusal struct {
	Text string
}

func (r *Refusal) Error() string { return r.Text }

// Failure is an error of a callout with a number of the service's own, which the server logs. Any other error has the
// number 0.
type Failure struct {
	Code uint32
	Text string
}

func (f *Failure) Error() string { return f.Text }

// NotChangeableError says that a callout wanted to change what the hook point or its subscription does not allow.
type NotChangeableError struct {
	HookPoint string
	// Path is the change, as in the table of hook points: "response.options".
	Path string
	// Possible is what may be changed instead; nil where nothing may.
	Possible []string
	// Subscription: the hook point would allow it, the subscription's Writes do not.
	Subscription bool
}

func (e *NotChangeableError) Error() string {
	possible := "nothing can be"
	if len(e.Possible) > 0 {
		possible = "possible: " + strings.Join(e.Possible, ", ")
	}
	if e.Subscription {
		return fmt.Sprintf("%s is not among what the service said it writes at %s (%s)", e.Path, e.HookPoint, possible)
	}
	return fmt.Sprintf("%s cannot be changed at %s (%s)", e.Path, e.HookPoint, possible)
}

// Why Park cannot hold a packet.
var (
	// ErrNoSession says that only a call of a session can be held.
	ErrNoSession = errors.New("only a call of a session can park")
	// ErrNotHeld says that the server does not hold the packet of this call.
	ErrNotHeld = errors.New("the server does not hold the packet of this call")
)

// malformed is the failure for a request that makes no sense.
func malformed(format string, arguments ...any) error {
	return fmt.Errorf("malformed request: "+format, arguments...)
}

// hookPointName is the name as in Kea; the number where there is none.
func hookPointName(p hookpoints.HookPoint) string {
	if spec, ok := hookpoints.Specs[p]; ok {
		return spec.Name
	}
	return fmt.Sprintf("hook point %d", int32(p))
}
