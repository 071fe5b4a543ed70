// Command checkservice is a hook service that uses everything the protocol has: both families, changes, context, PARK
// and control commands. Tests have `hook-runner check` look at it.
package main

import (
	"context"
	"errors"
	"time"

	outrigger "github.com/outrigger-dhcp/outrigger/hooks/go/sdk"
)

// hook keeps marks in contexts, and holds packets for a moment.
type hook struct{}

func (hook) Pkt4Receive(_ context.Context, call *outrigger.Pkt4Receive) error {
	call.SetContext([]byte("seen"))
	return nil
}

func (hook) Pkt6Receive(_ context.Context, call *outrigger.Pkt6Receive) error {
	call.SetContext([]byte("seen"))
	return nil
}

// parks is what calls have whose packet can be held.
type parks interface {
	ParkBudget() (time.Duration, bool)
	Park() error
}

// hold holds the packet for a moment, where that is possible.
func hold(ctx context.Context, call parks) (held bool, err error) {
	if _, ok := call.ParkBudget(); !ok {
		return false, nil
	}
	if err := call.Park(); err != nil {
		return false, err
	}
	select {
	case <-time.After(5 * time.Millisecond):
		return true, nil
	case <-ctx.Done():
		return true, ctx.Err()
	}
}

func (hook) Subnet4Select(ctx context.Context, call *outrigger.Subnet4Select) error {
	if ids := call.SubnetIDs(); len(ids) > 1 {
		call.SelectSubnet(ids[1])
	}
	_, err := hold(ctx, call)
	return err
}

func (hook) Subnet6Select(ctx context.Context, call *outrigger.Subnet6Select) error {
	if ids := call.SubnetIDs(); len(ids) > 1 {
		call.SelectSubnet(ids[1])
	}
	_, err := hold(ctx, call)
	return err
}

func (hook) Lease4Offer(ctx context.Context, call *outrigger.Lease4Offer) error {
	held, err := hold(ctx, call)
	if held && err == nil {
		call.ReportAddressInUse(false)
	}
	return err
}

func (hook) Leases4Committed(ctx context.Context, call *outrigger.Leases4Committed) error {
	_, err := hold(ctx, call)
	return err
}

func (hook) Leases6Committed(ctx context.Context, call *outrigger.Leases6Committed) error {
	_, err := hold(ctx, call)
	return err
}

func (hook) Pkt4Send(_ context.Context, call *outrigger.Pkt4Send) error {
	return call.Response().SetOption("boot-file-name", "phones.cfg")
}

func (hook) Pkt6Send(_ context.Context, call *outrigger.Pkt6Send) error {
	return call.Response().SetOption("bootfile-url", "http://[2001:db8::1]/phones.cfg")
}

func get(_ context.Context, call *outrigger.Command) error {
	return call.Answer(outrigger.Answer{Result: 0, Text: "the list is empty"})
}

// load refuses parameters that are not known.
func load(_ context.Context, load *outrigger.Load) (any, error) {
	var parameters struct{}
	if err := load.ReadParameters(&parameters); err != nil {
		return nil, err
	}
	if load.Family == 0 {
		return nil, &outrigger.Refusal{Text: "the server does not say its family"}
	}
	return hook{}, nil
}

func main() {
	outrigger.Main(outrigger.Service{
		Name: "check-service", Version: "1.0.0", Load: load,
		Commands: map[string]outrigger.CommandFunc{"checklist-get": get},
		Stop: func(ctx context.Context) error {
			if ctx.Err() != nil {
				return errors.New("there is no time to stop")
			}
			return nil
		},
	})
}
