// Code generated from the table of hook points by `make gen`; DO NOT EDIT.

// Package hookpoints has the hook points of the protocol outrigger.hooks.v1: numbers, arguments, changes, next steps.
package hookpoints

const (
	// ProtocolVersion is the version of the protocol.
	ProtocolVersion = 1
	// MaxContext is the largest context that a service may keep per packet, in bytes.
	MaxContext = 4096
	// MaxReply is the largest reply to one call without the answer to a control command in it, in bytes.
	MaxReply = 524288
	// MaxMessage is the largest message, in bytes.
	MaxMessage = 4194304
)

// NextStep is what follows a hook point.
type NextStep int32

// Every NextStep.
const (
	Continue NextStep = 0
	Skip     NextStep = 1
	Drop     NextStep = 2
	Park     NextStep = 3
)

// HookPoint is a named place in the server where callouts run.
type HookPoint int32

// Every HookPoint.
const (
	Buffer4Receive      HookPoint = 1
	Pkt4Receive         HookPoint = 2
	Subnet4Select       HookPoint = 3
	Host4Identifier     HookPoint = 4
	Ddns4Update         HookPoint = 5
	Lease4Select        HookPoint = 6
	Lease4Renew         HookPoint = 7
	Lease4Release       HookPoint = 8
	Lease4Decline       HookPoint = 9
	Lease4Offer         HookPoint = 10
	Lease4ServerDecline HookPoint = 11
	Leases4Committed    HookPoint = 12
	Pkt4Send            HookPoint = 13
	Buffer4Send         HookPoint = 14
	Lease4Expire        HookPoint = 15
	Lease4Recover       HookPoint = 16
	Dhcp4SrvConfigured  HookPoint = 17
	Cb4Updated          HookPoint = 18
	Buffer6Receive      HookPoint = 33
	Pkt6Receive         HookPoint = 34
	Subnet6Select       HookPoint = 35
	Host6Identifier     HookPoint = 36
	Ddns6Update         HookPoint = 37
	Lease6Select        HookPoint = 38
	Lease6Renew         HookPoint = 39
	Lease6Rebind        HookPoint = 40
	Lease6Release       HookPoint = 41
	Lease6Decline       HookPoint = 42
	Addr6Register       HookPoint = 43
	Leases6Committed    HookPoint = 44
	Pkt6Send            HookPoint = 45
	Buffer6Send         HookPoint = 46
	Lease6Expire        HookPoint = 47
	Lease6Recover       HookPoint = 48
	Dhcp6SrvConfigured  HookPoint = 49
	Cb6Updated          HookPoint = 50
	CommandProcessed    HookPoint = 64
	Command             HookPoint = 65
)

// Spec is what is known of a hook point.
type Spec struct {
	// Name is as in Kea, in the configuration, and in metrics and logs of the server.
	Name string
	// Family is 4 or 6; 0: both families have it.
	Family int
	// Reads is what a service may ask for: paths.
	Reads []string
	// Changes is what a reply may change: paths.
	Changes []string
	// NextSteps has the next steps with an effect, with that effect. Any other counts as Continue.
	NextSteps map[NextStep]string
	// CanPark says whether Park holds the packet until a final reply comes.
	CanPark bool
	// OnFailure is what a failed call does where nothing is configured: "continue" or "drop".
	OnFailure string
	// CanDrop says whether "on-failure": "drop" has an effect.
	CanDrop bool
}

// String is the name as in Kea.
func (p HookPoint) String() string {
	return Specs[p].Name
}

// Specs has every hook point.
var Specs = map[HookPoint]Spec{
	Buffer4Receive: {
		Name:      "buffer4_receive",
		Family:    4,
		Reads:     []string{"query.wire", "query.link"},
		Changes:   []string{"query.wire", "query.parsed", "query.classes"},
		NextSteps: map[NextStep]string{Skip: "the server does not parse: the reply brings the parsed packet, without which it is dropped", Drop: "the packet is dropped"},
		CanPark:   false,
		OnFailure: "continue",
		CanDrop:   true,
	},
	Pkt4Receive: {
		Name:      "pkt4_receive",
		Family:    4,
		Reads:     []string{"query"},
		Changes:   []string{"query.options", "query.header", "query.hw-address", "query.classes"},
		NextSteps: map[NextStep]string{Skip: "the packet is dropped", Drop: "the packet is dropped"},
		CanPark:   false,
		OnFailure: "continue",
		CanDrop:   true,
	},
	Subnet4Select: {
		Name:      "subnet4_select",
		Family:    4,
		Reads:     []string{"query", "subnet", "subnets"},
		Changes:   []string{"subnet", "query.classes"},
		NextSteps: map[NextStep]string{Skip: "the client has no subnet", Drop: "the packet is dropped", Park: "the packet is held; its subnet is taken from the final reply"},
		CanPark:   true,
		OnFailure: "continue",
		CanDrop:   true,
	},
	Host4Identifier: {
		Name:      "host4_identifier",
		Family:    4,
		Reads:     []string{"query", "identifier-type"},
		Changes:   []string{"identifier", "query.classes"},
		NextSteps: map[NextStep]string{Skip: "the identifier is not used", Drop: "the identifier is not used", Park: "the identifier is not used"},
		CanPark:   false,
		OnFailure: "continue",
		CanDrop:   true,
	},
	Ddns4Update: {
		Name:      "ddns4_update",
		Family:    4,
		Reads:     []string{"query", "response", "subnet", "names", "ddns-parameters"},
		Changes:   []string{"names", "response.options", "response.header", "query.classes"},
		NextSteps: nil,
		CanPark:   false,
		OnFailure: "continue",
		CanDrop:   true,
	},
	Lease4Select: {
		Name:      "lease4_select",
		Family:    4,
		Reads:     []string{"query", "subnet", "fake-allocation", "offer-lifetime", "lease"},
		Changes:   []string{"lease.address", "lease.lifetimes", "lease.names", "lease.user-context", "query.classes"},
		NextSteps: map[NextStep]string{Skip: "the candidate is given up; the next one is tried"},
		CanPark:   false,
		OnFailure: "continue",
		CanDrop:   true,
	},
	Lease4Renew: {
		Name:      "lease4_renew",
		Family:    4,
		Reads:     []string{"query", "subnet", "lease"},
		Changes:   []string{"lease.lifetimes", "lease.names", "lease.user-context", "query.classes"},
		NextSteps: map[NextStep]string{Skip: "the lease is not extended; the reply tells what is left of it"},
		CanPark:   false,
		OnFailure: "continue",
		CanDrop:   true,
	},
	Lease4Release: {
		Name:      "lease4_release",
		Family:    4,
		Reads:     []string{"query", "lease"},
		Changes:   []string{"query.classes"},
		NextSteps: map[NextStep]string{Skip: "the lease stays", Drop: "the lease stays"},
		CanPark:   false,
		OnFailure: "continue",
		CanDrop:   true,
	},
	Lease4Decline: {
		Name:      "lease4_decline",
		Family:    4,
		Reads:     []string{"query", "lease"},
		Changes:   []string{"query.classes"},
		NextSteps: map[NextStep]string{Skip: "the lease stays as it is", Drop: "the lease stays as it is"},
		CanPark:   false,
		OnFailure: "continue",
		CanDrop:   true,
	},
	Lease4Offer: {
		Name:      "lease4_offer",
		Family:    4,
		Reads:     []string{"query", "response", "leases", "offer-lifetime", "old-lease", "host"},
		Changes:   []string{"response.options", "response.header", "response.link", "query.classes", "offer-address-in-use"},
		NextSteps: map[NextStep]string{Drop: "the offer is not sent", Park: "the offer is held; the final reply may report the address in use"},
		CanPark:   true,
		OnFailure: "continue",
		CanDrop:   true,
	},
	Lease4ServerDecline: {
		Name:      "lease4_server_decline",
		Family:    4,
		Reads:     []string{"query", "lease"},
		Changes:   nil,
		NextSteps: nil,
		CanPark:   false,
		OnFailure: "continue",
		CanDrop:   false,
	},
	Leases4Committed: {
		Name:      "leases4_committed",
		Family:    4,
		Reads:     []string{"query", "response", "leases", "deleted-leases"},
		Changes:   []string{"response.options", "response.header", "response.link", "query.classes"},
		NextSteps: map[NextStep]string{Drop: "the reply is not sent; the leases stay changed", Park: "the reply is held"},
		CanPark:   true,
		OnFailure: "continue",
		CanDrop:   true,
	},
	Pkt4Send: {
		Name:      "pkt4_send",
		Family:    4,
		Reads:     []string{"query", "response", "subnet"},
		Changes:   []string{"response.options", "response.header", "response.link", "response.wire", "query.classes"},
		NextSteps: map[NextStep]string{Skip: "the server does not pack the reply; the changed bytes are sent", Drop: "the reply is not sent"},
		CanPark:   false,
		OnFailure: "continue",
		CanDrop:   true,
	},
	Buffer4Send: {
		Name:      "buffer4_send",
		Family:    4,
		Reads:     []string{"response.wire", "response.link"},
		Changes:   []string{"response.link", "response.wire"},
		NextSteps: map[NextStep]string{Skip: "the reply is not sent", Drop: "the reply is not sent"},
		CanPark:   false,
		OnFailure: "continue",
		CanDrop:   true,
	},
	Lease4Expire: {
		Name:      "lease4_expire",
		Family:    4,
		Reads:     []string{"lease", "remove-lease"},
		Changes:   []string{"lease.names", "lease.user-context"},
		NextSteps: map[NextStep]string{Skip: "the server does not reclaim it now and presents it again"},
		CanPark:   false,
		OnFailure: "continue",
		CanDrop:   false,
	},
	Lease4Recover: {
		Name:      "lease4_recover",
		Family:    4,
		Reads:     []string{"lease"},
		Changes:   nil,
		NextSteps: map[NextStep]string{Skip: "the lease stays declined"},
		CanPark:   false,
		OnFailure: "continue",
		CanDrop:   false,
	},
	Dhcp4SrvConfigured: {
		Name:      "dhcp4_srv_configured",
		Family:    4,
		Reads:     []string{"configuration"},
		Changes:   []string{"error"},
		NextSteps: map[NextStep]string{Drop: "the configuration is refused with the error; the one before stays, at the start the server ends"},
		CanPark:   false,
		OnFailure: "continue",
		CanDrop:   true,
	},
	Cb4Updated: {
		Name:      "cb4_updated",
		Family:    4,
		Reads:     []string{"audit-entries"},
		Changes:   nil,
		NextSteps: nil,
		CanPark:   false,
		OnFailure: "continue",
		CanDrop:   false,
	},
	Buffer6Receive: {
		Name:      "buffer6_receive",
		Family:    6,
		Reads:     []string{"query.wire", "query.link"},
		Changes:   []string{"query.wire", "query.parsed", "query.classes"},
		NextSteps: map[NextStep]string{Skip: "the server does not parse: the reply brings the parsed packet, without which it is dropped", Drop: "the packet is dropped"},
		CanPark:   false,
		OnFailure: "continue",
		CanDrop:   true,
	},
	Pkt6Receive: {
		Name:      "pkt6_receive",
		Family:    6,
		Reads:     []string{"query"},
		Changes:   []string{"query.options", "query.header", "query.relays", "query.classes"},
		NextSteps: map[NextStep]string{Skip: "the packet is dropped", Drop: "the packet is dropped"},
		CanPark:   false,
		OnFailure: "continue",
		CanDrop:   true,
	},
	Subnet6Select: {
		Name:      "subnet6_select",
		Family:    6,
		Reads:     []string{"query", "subnet", "subnets"},
		Changes:   []string{"subnet", "query.classes"},
		NextSteps: map[NextStep]string{Skip: "the client has no subnet", Drop: "the packet is dropped", Park: "the packet is held; its subnet is taken from the final reply"},
		CanPark:   true,
		OnFailure: "continue",
		CanDrop:   true,
	},
	Host6Identifier: {
		Name:      "host6_identifier",
		Family:    6,
		Reads:     []string{"query", "identifier-type"},
		Changes:   []string{"identifier", "query.classes"},
		NextSteps: map[NextStep]string{Skip: "the identifier is not used", Drop: "the identifier is not used", Park: "the identifier is not used"},
		CanPark:   false,
		OnFailure: "continue",
		CanDrop:   true,
	},
	Ddns6Update: {
		Name:      "ddns6_update",
		Family:    6,
		Reads:     []string{"query", "response", "subnet", "names", "ddns-parameters"},
		Changes:   []string{"names", "response.options", "response.relays", "query.classes"},
		NextSteps: nil,
		CanPark:   false,
		OnFailure: "continue",
		CanDrop:   true,
	},
	Lease6Select: {
		Name:      "lease6_select",
		Family:    6,
		Reads:     []string{"query", "subnet", "fake-allocation", "lease"},
		Changes:   []string{"lease.address", "lease.lifetimes", "lease.names", "lease.user-context", "query.classes"},
		NextSteps: map[NextStep]string{Skip: "the candidate is given up; the next one is tried"},
		CanPark:   false,
		OnFailure: "continue",
		CanDrop:   true,
	},
	Lease6Renew: {
		Name:      "lease6_renew",
		Family:    6,
		Reads:     []string{"query", "lease"},
		Changes:   []string{"lease.lifetimes", "lease.names", "lease.user-context", "ia.options", "query.classes"},
		NextSteps: map[NextStep]string{Skip: "the lease is not extended; the reply tells what is left of it"},
		CanPark:   false,
		OnFailure: "continue",
		CanDrop:   true,
	},
	Lease6Rebind: {
		Name:      "lease6_rebind",
		Family:    6,
		Reads:     []string{"query", "lease"},
		Changes:   []string{"lease.lifetimes", "lease.names", "lease.user-context", "ia.options", "query.classes"},
		NextSteps: map[NextStep]string{Skip: "the lease is not extended; the reply tells what is left of it"},
		CanPark:   false,
		OnFailure: "continue",
		CanDrop:   true,
	},
	Lease6Release: {
		Name:      "lease6_release",
		Family:    6,
		Reads:     []string{"query", "lease"},
		Changes:   []string{"query.classes"},
		NextSteps: map[NextStep]string{Skip: "the lease stays; the client is told UnspecFail", Drop: "the lease stays; the client is told UnspecFail"},
		CanPark:   false,
		OnFailure: "continue",
		CanDrop:   true,
	},
	Lease6Decline: {
		Name:      "lease6_decline",
		Family:    6,
		Reads:     []string{"query", "lease"},
		Changes:   []string{"query.classes"},
		NextSteps: map[NextStep]string{Skip: "the lease stays as it is; the IA has no status", Drop: "no reply; addresses declined before in this message stay declined"},
		CanPark:   false,
		OnFailure: "continue",
		CanDrop:   true,
	},
	Addr6Register: {
		Name:      "addr6_register",
		Family:    6,
		Reads:     []string{"query", "response", "address", "old-lease", "new-lease"},
		Changes:   []string{"response.options", "response.relays", "response.link", "lease.lifetimes", "lease.names", "lease.user-context", "query.classes"},
		NextSteps: map[NextStep]string{Skip: "nothing is registered; the reply is sent", Drop: "nothing is registered and no reply is sent"},
		CanPark:   false,
		OnFailure: "continue",
		CanDrop:   true,
	},
	Leases6Committed: {
		Name:      "leases6_committed",
		Family:    6,
		Reads:     []string{"query", "response", "leases", "deleted-leases"},
		Changes:   []string{"response.options", "response.relays", "response.link", "query.classes"},
		NextSteps: map[NextStep]string{Drop: "the reply is not sent; the leases stay changed", Park: "the reply is held"},
		CanPark:   true,
		OnFailure: "continue",
		CanDrop:   true,
	},
	Pkt6Send: {
		Name:      "pkt6_send",
		Family:    6,
		Reads:     []string{"query", "response", "subnet"},
		Changes:   []string{"response.options", "response.relays", "response.link", "response.wire", "query.classes"},
		NextSteps: map[NextStep]string{Skip: "the server does not pack the reply; the changed bytes are sent", Drop: "the reply is not sent"},
		CanPark:   false,
		OnFailure: "continue",
		CanDrop:   true,
	},
	Buffer6Send: {
		Name:      "buffer6_send",
		Family:    6,
		Reads:     []string{"response.wire", "response.link"},
		Changes:   []string{"response.link", "response.wire"},
		NextSteps: map[NextStep]string{Skip: "the reply is not sent", Drop: "the reply is not sent"},
		CanPark:   false,
		OnFailure: "continue",
		CanDrop:   true,
	},
	Lease6Expire: {
		Name:      "lease6_expire",
		Family:    6,
		Reads:     []string{"lease", "remove-lease"},
		Changes:   []string{"lease.names", "lease.user-context"},
		NextSteps: map[NextStep]string{Skip: "the server does not reclaim it now and presents it again"},
		CanPark:   false,
		OnFailure: "continue",
		CanDrop:   false,
	},
	Lease6Recover: {
		Name:      "lease6_recover",
		Family:    6,
		Reads:     []string{"lease"},
		Changes:   nil,
		NextSteps: map[NextStep]string{Skip: "the lease stays declined"},
		CanPark:   false,
		OnFailure: "continue",
		CanDrop:   false,
	},
	Dhcp6SrvConfigured: {
		Name:      "dhcp6_srv_configured",
		Family:    6,
		Reads:     []string{"configuration"},
		Changes:   []string{"error"},
		NextSteps: map[NextStep]string{Drop: "the configuration is refused with the error; the one before stays, at the start the server ends"},
		CanPark:   false,
		OnFailure: "continue",
		CanDrop:   true,
	},
	Cb6Updated: {
		Name:      "cb6_updated",
		Family:    6,
		Reads:     []string{"audit-entries"},
		Changes:   nil,
		NextSteps: nil,
		CanPark:   false,
		OnFailure: "continue",
		CanDrop:   false,
	},
	CommandProcessed: {
		Name:      "command_processed",
		Family:    0,
		Reads:     []string{"name", "arguments", "response"},
		Changes:   []string{"command-response"},
		NextSteps: nil,
		CanPark:   false,
		OnFailure: "continue",
		CanDrop:   false,
	},
	Command: {
		Name:      "$command",
		Family:    0,
		Reads:     []string{"command", "response"},
		Changes:   []string{"command-response"},
		NextSteps: nil,
		CanPark:   false,
		OnFailure: "continue",
		CanDrop:   false,
	},
}
