package hooktest_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	outrigger "github.com/outrigger-dhcp/outrigger/hooks/go/sdk"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/hookpoints"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/hooktest"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// hook is told by each test what to do.
type hook struct {
	onSelect func(context.Context, *outrigger.Subnet4Select) error
	onRenew  func(context.Context, *outrigger.Lease6Renew) error
}

func (h hook) Subnet4Select(ctx context.Context, call *outrigger.Subnet4Select) error {
	return h.onSelect(ctx, call)
}

func (h hook) Lease6Renew(ctx context.Context, call *outrigger.Lease6Renew) error {
	return h.onRenew(ctx, call)
}

func TestACallIsWhatTheArgumentsSay(t *testing.T) {
	saw := ""
	h := hook{onSelect: func(ctx context.Context, call *outrigger.Subnet4Select) error {
		query := call.Query()
		name, _ := query.Options().String("host-name")
		_, hasDeadline := ctx.Deadline()
		saw = fmt.Sprint(query.MessageType(), " ", query.HwAddress(), " ", name, " ", query.Classes(), query.Giaddr(), " ",
			call.Subnet().Prefix, " ", call.SubnetIDs(), " ", len(call.Subnets()), call.Status(), " ", string(call.Context()),
			" ", hasDeadline, " ", call.Load().Family, " ", call.HookPoint(), " ", string(query.ClientID()))
		return nil
	}}
	result := hooktest.Run(t, h, "subnet4_select",
		hooktest.Query4("request",
			hooktest.Option("host-name", "ada"), hooktest.OptionCode(61, []byte("id")), hooktest.Classes("a"),
			hooktest.HwAddress("08:00:27:00:00:01"),
			hooktest.Packet4(func(p *hooksv1.Packet4) { p.Giaddr = []byte{192, 0, 2, 1} })),
		hooktest.Subnets(7, 9), hooktest.Status(outrigger.Skip), hooktest.Context([]byte("kept")),
		hooktest.Budget(time.Hour))
	if saw != "DHCPREQUEST 08:00:27:00:00:01 ada [a] 192.0.2.1 10.7.0.0/16 [7 9] 2 SKIP kept true 4 subnet4_select id" {
		t.Error(saw)
	}
	if result.Decided || result.Failure != "" || result.Changes != nil || result.Context != nil {
		t.Error(result)
	}
}

func TestAResultIsWhatTheCalloutDecided(t *testing.T) {
	lease := &hooksv1.Lease{Type: hooksv1.LeaseType_LEASE_TYPE_NA, Address: netip.IPv6Loopback().AsSlice(), PrefixLength: 128}
	h := hook{onRenew: func(_ context.Context, call *outrigger.Lease6Renew) error {
		call.Lease().SetValidLifetime(60)
		call.SetContext([]byte(call.Lease().Prefix().String()))
		call.Warn("odd")
		call.Skip()
		return call.IAOptions().Set("status-code", []any{0, "fine"})
	}}
	result := hooktest.Run(t, h, "lease6_renew", hooktest.Lease(lease), hooktest.Query6("renew",
		hooktest.Relay("2001:db8::1", "fe80::1", hooktest.Option("interface-id", []byte("x")))))
	if result.NextStep != outrigger.Skip || !result.Decided || result.Warning != "odd" || string(result.Context) != "::1/128" ||
		result.Changes.GetLease().GetValidLifetime() != 60 || len(result.Changes.GetIaOptions()) != 1 {
		t.Error(result)
	}
	if lease.GetValidLifetime() != 0 {
		t.Error("the test's own lease was changed")
	}
}

func TestFailuresAreResults(t *testing.T) {
	for says, onSelect := range map[string]func(context.Context, *outrigger.Subnet4Select) error{
		"late": func(context.Context, *outrigger.Subnet4Select) error {
			return &outrigger.Failure{Code: 7, Text: "late"}
		},
		"panic: oh":         func(context.Context, *outrigger.Subnet4Select) error { panic("oh") },
		"(runtime.Goexit)":  func(context.Context, *outrigger.Subnet4Select) error { runtime.Goexit(); return nil },
		"deadline exceeded": func(ctx context.Context, _ *outrigger.Subnet4Select) error { <-ctx.Done(); return ctx.Err() },
	} {
		result := hooktest.Run(t, hook{onSelect: onSelect}, "subnet4_select", hooktest.Budget(time.Millisecond))
		if !strings.Contains(result.Failure, says) || (result.FailureCode == 7) != (says == "late") {
			t.Errorf("%q: %v", says, result)
		}
	}
}

func TestAHeldPacketHasItsFinalReply(t *testing.T) {
	h := hook{onSelect: func(_ context.Context, call *outrigger.Subnet4Select) error {
		if err := call.Park(); err != nil {
			return err
		}
		call.SelectSubnet(9)
		return nil
	}}
	result := hooktest.Run(t, h, "subnet4_select", hooktest.Subnets(7, 9), hooktest.ParkBudget(time.Second))
	if !result.Parked || result.Changes.GetSubnetId() != 9 {
		t.Error(result)
	}
	if result := hooktest.Run(t, h, "subnet4_select"); result.Failure != outrigger.ErrNoSession.Error() {
		t.Error(result)
	}
}

func TestACallThatCannotBeMadeSaysWhy(t *testing.T) {
	none := errors.New("none")
	for says, arguments := range map[string][]hooktest.Argument{
		`no DHCPv4 message "solicit"`: {hooktest.Query4("solicit")},
		"its query is of another":     {hooktest.Query6("solicit")},
		"has no response":             {hooktest.Response4("ack")},
		"has no lease":                {hooktest.Lease(&hooksv1.Lease{})},
		"has no leases":               {hooktest.Leases(&hooksv1.Lease{})},
		"has no command":              {hooktest.Command("x", nil)},
		"a list of ipv4-address":      {hooktest.Query4("discover", hooktest.Option("routers", 1))},
		"of the other family": {hooktest.Load(&hooksv1.LoadRequest{
			Server: &hooksv1.ServerIdentity{Family: hooksv1.Family_FAMILY_DHCP6},
		})},
		"not Lease4Arguments": {hooktest.Arguments(&hooksv1.Lease4Arguments{})},
	} {
		h := hook{onSelect: func(context.Context, *outrigger.Subnet4Select) error { return none }}
		if _, err := hooktest.Try(h, "subnet4_select", arguments...); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", says, err)
		}
	}
	if _, err := hooktest.Try(hook{}, "pkt4"); err == nil || !strings.Contains(err.Error(), `no hook point "pkt4"`) {
		t.Error(err)
	}
	if _, err := hooktest.Try(struct{}{}, "pkt4_receive"); err == nil {
		t.Error("a hook without methods is tried")
	}
}

func TestEveryHookPointCanBeTried(t *testing.T) {
	for _, spec := range hookpoints.Specs {
		if spec.Name == "$command" {
			continue
		}
		result := hooktest.Run(t, hook{}, spec.Name)
		wanted := "the service has no callout for " + spec.Name
		if spec.Name == "subnet4_select" || spec.Name == "lease6_renew" {
			wanted = "panic: runtime error"
		}
		if !strings.HasPrefix(result.Failure, wanted) {
			t.Errorf("%s: %v", spec.Name, result)
		}
	}
}
