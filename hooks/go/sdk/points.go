package outrigger

import (
	"context"
	"reflect"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/hookpoints"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// callout runs one method of a hook: it makes the typed call around setup and arguments. false: the arguments are
// another hook point's.
type callout func(ctx context.Context, setup Call, arguments *hooksv1.Arguments) (call *Call, ok bool, err error)

// point is a hook point as a method of a hook.
type point struct {
	hookPoint hookpoints.HookPoint
	// hook is the interface with the one method.
	hook reflect.Type
	// callout is the method of a hook; nil where it has none.
	callout func(hook any) callout
}

// method is the name of the method.
func (p *point) method() string { return p.hook.Method(0).Name }

// typedCall is what every call type has.
type typedCall[T any] interface {
	*T
	// begin takes the arguments; false where they are another hook point's.
	begin(arguments *hooksv1.Arguments) bool
	base() *Call
}

// bind makes a method of a hook a callout.
func bind[T any, C typedCall[T]](method func(context.Context, C) error) callout {
	return func(ctx context.Context, setup Call, arguments *hooksv1.Arguments) (*Call, bool, error) {
		call := C(new(T))
		base := call.base()
		*base = setup
		if !call.begin(arguments) {
			return base, false, nil
		}
		return base, true, method(ctx, call)
	}
}

// points has every hook point, in the order of their numbers.
var points = []point{
	{hookpoints.Buffer4Receive, reflect.TypeFor[Buffer4ReceiveHook](), func(hook any) callout {
		if hook, ok := hook.(Buffer4ReceiveHook); ok {
			return bind(hook.Buffer4Receive)
		}
		return nil
	}},
	{hookpoints.Pkt4Receive, reflect.TypeFor[Pkt4ReceiveHook](), func(hook any) callout {
		if hook, ok := hook.(Pkt4ReceiveHook); ok {
			return bind(hook.Pkt4Receive)
		}
		return nil
	}},
	{hookpoints.Subnet4Select, reflect.TypeFor[Subnet4SelectHook](), func(hook any) callout {
		if hook, ok := hook.(Subnet4SelectHook); ok {
			return bind(hook.Subnet4Select)
		}
		return nil
	}},
	{hookpoints.Host4Identifier, reflect.TypeFor[Host4IdentifierHook](), func(hook any) callout {
		if hook, ok := hook.(Host4IdentifierHook); ok {
			return bind(hook.Host4Identifier)
		}
		return nil
	}},
	{hookpoints.Ddns4Update, reflect.TypeFor[Ddns4UpdateHook](), func(hook any) callout {
		if hook, ok := hook.(Ddns4UpdateHook); ok {
			return bind(hook.Ddns4Update)
		}
		return nil
	}},
	{hookpoints.Lease4Select, reflect.TypeFor[Lease4SelectHook](), func(hook any) callout {
		if hook, ok := hook.(Lease4SelectHook); ok {
			return bind(hook.Lease4Select)
		}
		return nil
	}},
	{hookpoints.Lease4Renew, reflect.TypeFor[Lease4RenewHook](), func(hook any) callout {
		if hook, ok := hook.(Lease4RenewHook); ok {
			return bind(hook.Lease4Renew)
		}
		return nil
	}},
	{hookpoints.Lease4Release, reflect.TypeFor[Lease4ReleaseHook](), func(hook any) callout {
		if hook, ok := hook.(Lease4ReleaseHook); ok {
			return bind(hook.Lease4Release)
		}
		return nil
	}},
	{hookpoints.Lease4Decline, reflect.TypeFor[Lease4DeclineHook](), func(hook any) callout {
		if hook, ok := hook.(Lease4DeclineHook); ok {
			return bind(hook.Lease4Decline)
		}
		return nil
	}},
	{hookpoints.Lease4Offer, reflect.TypeFor[Lease4OfferHook](), func(hook any) callout {
		if hook, ok := hook.(Lease4OfferHook); ok {
			return bind(hook.Lease4Offer)
		}
		return nil
	}},
	{hookpoints.Lease4ServerDecline, reflect.TypeFor[Lease4ServerDeclineHook](), func(hook any) callout {
		if hook, ok := hook.(Lease4ServerDeclineHook); ok {
			return bind(hook.Lease4ServerDecline)
		}
		return nil
	}},
	{hookpoints.Leases4Committed, reflect.TypeFor[Leases4CommittedHook](), func(hook any) callout {
		if hook, ok := hook.(Leases4CommittedHook); ok {
			return bind(hook.Leases4Committed)
		}
		return nil
	}},
	{hookpoints.Pkt4Send, reflect.TypeFor[Pkt4SendHook](), func(hook any) callout {
		if hook, ok := hook.(Pkt4SendHook); ok {
			return bind(hook.Pkt4Send)
		}
		return nil
	}},
	{hookpoints.Buffer4Send, reflect.TypeFor[Buffer4SendHook](), func(hook any) callout {
		if hook, ok := hook.(Buffer4SendHook); ok {
			return bind(hook.Buffer4Send)
		}
		return nil
	}},
	{hookpoints.Lease4Expire, reflect.TypeFor[Lease4ExpireHook](), func(hook any) callout {
		if hook, ok := hook.(Lease4ExpireHook); ok {
			return bind(hook.Lease4Expire)
		}
		return nil
	}},
	{hookpoints.Lease4Recover, reflect.TypeFor[Lease4RecoverHook](), func(hook any) callout {
		if hook, ok := hook.(Lease4RecoverHook); ok {
			return bind(hook.Lease4Recover)
		}
		return nil
	}},
	{hookpoints.Dhcp4SrvConfigured, reflect.TypeFor[Dhcp4SrvConfiguredHook](), func(hook any) callout {
		if hook, ok := hook.(Dhcp4SrvConfiguredHook); ok {
			return bind(hook.Dhcp4SrvConfigured)
		}
		return nil
	}},
	{hookpoints.Cb4Updated, reflect.TypeFor[Cb4UpdatedHook](), func(hook any) callout {
		if hook, ok := hook.(Cb4UpdatedHook); ok {
			return bind(hook.Cb4Updated)
		}
		return nil
	}},
	{hookpoints.Buffer6Receive, reflect.TypeFor[Buffer6ReceiveHook](), func(hook any) callout {
		if hook, ok := hook.(Buffer6ReceiveHook); ok {
			return bind(hook.Buffer6Receive)
		}
		return nil
	}},
	{hookpoints.Pkt6Receive, reflect.TypeFor[Pkt6ReceiveHook](), func(hook any) callout {
		if hook, ok := hook.(Pkt6ReceiveHook); ok {
			return bind(hook.Pkt6Receive)
		}
		return nil
	}},
	{hookpoints.Subnet6Select, reflect.TypeFor[Subnet6SelectHook](), func(hook any) callout {
		if hook, ok := hook.(Subnet6SelectHook); ok {
			return bind(hook.Subnet6Select)
		}
		return nil
	}},
	{hookpoints.Host6Identifier, reflect.TypeFor[Host6IdentifierHook](), func(hook any) callout {
		if hook, ok := hook.(Host6IdentifierHook); ok {
			return bind(hook.Host6Identifier)
		}
		return nil
	}},
	{hookpoints.Ddns6Update, reflect.TypeFor[Ddns6UpdateHook](), func(hook any) callout {
		if hook, ok := hook.(Ddns6UpdateHook); ok {
			return bind(hook.Ddns6Update)
		}
		return nil
	}},
	{hookpoints.Lease6Select, reflect.TypeFor[Lease6SelectHook](), func(hook any) callout {
		if hook, ok := hook.(Lease6SelectHook); ok {
			return bind(hook.Lease6Select)
		}
		return nil
	}},
	{hookpoints.Lease6Renew, reflect.TypeFor[Lease6RenewHook](), func(hook any) callout {
		if hook, ok := hook.(Lease6RenewHook); ok {
			return bind(hook.Lease6Renew)
		}
		return nil
	}},
	{hookpoints.Lease6Rebind, reflect.TypeFor[Lease6RebindHook](), func(hook any) callout {
		if hook, ok := hook.(Lease6RebindHook); ok {
			return bind(hook.Lease6Rebind)
		}
		return nil
	}},
	{hookpoints.Lease6Release, reflect.TypeFor[Lease6ReleaseHook](), func(hook any) callout {
		if hook, ok := hook.(Lease6ReleaseHook); ok {
			return bind(hook.Lease6Release)
		}
		return nil
	}},
	{hookpoints.Lease6Decline, reflect.TypeFor[Lease6DeclineHook](), func(hook any) callout {
		if hook, ok := hook.(Lease6DeclineHook); ok {
			return bind(hook.Lease6Decline)
		}
		return nil
	}},
	{hookpoints.Addr6Register, reflect.TypeFor[Addr6RegisterHook](), func(hook any) callout {
		if hook, ok := hook.(Addr6RegisterHook); ok {
			return bind(hook.Addr6Register)
		}
		return nil
	}},
	{hookpoints.Leases6Committed, reflect.TypeFor[Leases6CommittedHook](), func(hook any) callout {
		if hook, ok := hook.(Leases6CommittedHook); ok {
			return bind(hook.Leases6Committed)
		}
		return nil
	}},
	{hookpoints.Pkt6Send, reflect.TypeFor[Pkt6SendHook](), func(hook any) callout {
		if hook, ok := hook.(Pkt6SendHook); ok {
			return bind(hook.Pkt6Send)
		}
		return nil
	}},
	{hookpoints.Buffer6Send, reflect.TypeFor[Buffer6SendHook](), func(hook any) callout {
		if hook, ok := hook.(Buffer6SendHook); ok {
			return bind(hook.Buffer6Send)
		}
		return nil
	}},
	{hookpoints.Lease6Expire, reflect.TypeFor[Lease6ExpireHook](), func(hook any) callout {
		if hook, ok := hook.(Lease6ExpireHook); ok {
			return bind(hook.Lease6Expire)
		}
		return nil
	}},
	{hookpoints.Lease6Recover, reflect.TypeFor[Lease6RecoverHook](), func(hook any) callout {
		if hook, ok := hook.(Lease6RecoverHook); ok {
			return bind(hook.Lease6Recover)
		}
		return nil
	}},
	{hookpoints.Dhcp6SrvConfigured, reflect.TypeFor[Dhcp6SrvConfiguredHook](), func(hook any) callout {
		if hook, ok := hook.(Dhcp6SrvConfiguredHook); ok {
			return bind(hook.Dhcp6SrvConfigured)
		}
		return nil
	}},
	{hookpoints.Cb6Updated, reflect.TypeFor[Cb6UpdatedHook](), func(hook any) callout {
		if hook, ok := hook.(Cb6UpdatedHook); ok {
			return bind(hook.Cb6Updated)
		}
		return nil
	}},
	{hookpoints.CommandProcessed, reflect.TypeFor[CommandProcessedHook](), func(hook any) callout {
		if hook, ok := hook.(CommandProcessedHook); ok {
			return bind(hook.CommandProcessed)
		}
		return nil
	}},
	{hookpoints.Command, reflect.TypeFor[CommandHook](), func(hook any) callout {
		if hook, ok := hook.(CommandHook); ok {
			return bind(hook.Command)
		}
		return nil
	}},
}

// families has the family of each hook point by number, -1 where there is none: a lookup that costs a call nothing.
var families = func() (families [maxHookPoint + 1]int) {
	for i := range families {
		families[i] = -1
	}
	for number, spec := range hookpoints.Specs {
		families[number] = spec.Family
	}
	return families
}()

// familyOf is the family of a hook point, 0 where both have it; false: there is no such hook point.
func familyOf(point hookpoints.HookPoint) (int, bool) {
	if point < 0 || int(point) > maxHookPoint || families[point] < 0 {
		return 0, false
	}
	return families[point], true
}
