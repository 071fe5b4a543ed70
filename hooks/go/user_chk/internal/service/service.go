// Package service is the hook: what a server is told that loads it, and what is decided at each hook point.
//
// Received: who is it, and is it registered? The verdict travels with the packet. Subnet: clients that are not
// registered go to the restricted one. Sent: record what is granted, override boot file and TFTP server.
package service

import (
	"context"
	"log/slog"

	outrigger "github.com/outrigger-dhcp/outrigger/hooks/go/sdk"
	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/counters"
	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/identifier"
	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/outcome"
	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/registry"
	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/verdict"
)

// Version of the service.
const Version = "0.1.0"

// UserChk is the service: one registry and one outcome file, for any number of servers of either family.
type UserChk struct {
	// Registry is who is registered.
	Registry *registry.Registry
	// Outcome is where responses are recorded.
	Outcome *outcome.Outcome
	// Counters are what is counted.
	Counters *counters.Counters
	// Readiness says whether there is a registry.
	Readiness *outrigger.Readiness
}

// Service is how the SDK offers it.
func (u *UserChk) Service() outrigger.Service {
	return outrigger.Service{
		Name: "user-chk", Version: Version, Load: u.load, Subscriptions: subscriptions, Readiness: u.Readiness,
	}
}

func (u *UserChk) load(_ context.Context, load *outrigger.Load) (any, error) {
	if u.Registry.Current() == nil {
		return nil, &outrigger.Refusal{Text: u.Registry.Problem().Error()}
	}
	s, err := readSettings(load.Parameters, load.Subnets)
	if err != nil {
		return nil, &outrigger.Refusal{Text: err.Error()}
	}
	if load.Family != 4 && load.Family != 6 {
		return nil, &outrigger.Refusal{Text: "the server says neither DHCPv4 nor DHCPv6 of itself"}
	}
	s.narrow(load)
	slog.Info("settings", "server", load.ServerName, "family", load.Family, "restricted_subnet_id", s.restrictedSubnetID,
		"subnet_selection", s.subnetSelection, "option_overrides", s.optionOverrides, "outcome_records", s.outcomeRecords)
	return hook{u, s}, nil
}

// subscriptions are those for a server that wants everything done. The hardware address is in the header of a DHCPv4
// packet, which is always there; no option is read. Option 1 of a DHCPv6 message is read at each hook point, so that a
// lost or changed context is noticed and the client looked up again.
var subscriptions = map[string]outrigger.Subscription{
	"pkt4_receive":   {Reads: []string{"query.header"}, Writes: nothing},
	"subnet4_select": {Reads: []string{"subnet"}, Writes: []string{"subnet"}},
	"pkt4_send": {
		Reads:  []string{"response.header"},
		Writes: []string{"response.options.66", "response.options.67", "response.header"},
	},
	"pkt6_receive":   {Reads: []string{"query.options.1"}, Writes: nothing},
	"subnet6_select": {Reads: []string{"query.options.1", "subnet"}, Writes: []string{"subnet"}},
	"pkt6_send": {
		Reads:  []string{"query.options.1", "response.options.3", "response.options.17", "response.options.25"},
		Writes: []string{"response.options.17"},
	},
}

// nothing is what a callout writes that may change the context alone; nil would be everything.
var nothing = []string{}

// narrow leaves out the hook points at which there is nothing to do.
func (s *settings) narrow(load *outrigger.Load) {
	selects, sends := "subnet4_select", "pkt4_send"
	if load.Family == 6 {
		selects, sends = "subnet6_select", "pkt6_send"
	}
	if !s.subnetSelection {
		load.LeaveOut(selects)
	}
	switch {
	case !s.optionOverrides && !s.outcomeRecords:
		load.LeaveOut(sends)
	case !s.optionOverrides:
		load.Narrow(sends, outrigger.Subscription{Reads: subscriptions[sends].Reads, Writes: nothing})
	}
}

// hook has the callouts, for one configuration of one server. They read the messages of the protocol as they came,
// which is all they need.
type hook struct {
	*UserChk
	settings settings
}

// decide looks a client up. One without an identifier is not registered: the gate fails closed.
func (h *hook) decide(client identifier.Client, packet string) verdict.Verdict {
	decided := verdict.Verdict{Client: client}
	if !client.Known() {
		h.Counters.Unregistered.Add(1)
		h.Counters.WithoutIdentifier.Add(1)
		slog.Debug("no usable identifier: not registered", "packet", packet)
		return decided
	}
	properties, found := h.Registry.Current().Users.Find(client.Type, client.Bytes)
	if found {
		h.Counters.Registered.Add(1)
		decided.Registered = true
		decided.Overrides = registry.OverridesOf(properties)
	} else {
		h.Counters.Unregistered.Add(1)
	}
	if slog.Default().Enabled(context.Background(), slog.LevelDebug) {
		slog.Debug("looked up", "packet", packet, "client", client.String(), "registered", found)
	}
	return decided
}

// verdict is what was decided when the packet was received, or else is decided now: the call then may have failed, or
// somebody changed the context.
func (h *hook) verdict(kept []byte, client identifier.Client, packet string) verdict.Verdict {
	if decided, ok := verdict.Decode(kept); ok && decided.Client.Equal(client) {
		return decided
	}
	if len(kept) > 0 {
		slog.Warn("the context is not what this service kept; deciding anew",
			"packet", packet, "bad_contexts", h.Counters.BadContexts.Add(1))
	}
	return h.decide(client, packet)
}

// otherSubnet is the subnet that the client has to be in; false where that is the selected one (0: none).
func (h *hook) otherSubnet(decided *verdict.Verdict, selected uint32) (uint32, bool) {
	restricted := h.settings.restrictedSubnetID
	return restricted, h.settings.subnetSelection && !decided.Registered && selected != restricted
}

// overrides are what is to be overridden: for clients that are not registered, what the default user has.
func (h *hook) overrides(decided *verdict.Verdict, kind identifier.Type) registry.Overrides {
	switch {
	case !h.settings.optionOverrides:
		return registry.Overrides{}
	case decided.Registered:
		return decided.Overrides
	}
	return registry.OverridesOf(h.Registry.Current().Users.Default(kind))
}

// record records a response. One to a client without identifier has nobody to be recorded for.
func (h *hook) record(record *outcome.Record) {
	if h.settings.outcomeRecords && record.Client.Known() {
		h.Outcome.Record(record)
	}
}

// settled says whether a service before this one ended the matter.
func settled(status outrigger.NextStep) bool {
	return status == outrigger.Skip || status == outrigger.Drop
}
