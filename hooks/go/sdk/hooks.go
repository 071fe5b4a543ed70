package outrigger

import (
	"context"
)

// Buffer4ReceiveHook is called at buffer4_receive: a datagram has arrived and is not parsed yet.
type Buffer4ReceiveHook interface {
	Buffer4Receive(ctx context.Context, call *Buffer4Receive) error
}

// Pkt4ReceiveHook is called at pkt4_receive: the packet is parsed.
type Pkt4ReceiveHook interface {
	Pkt4Receive(ctx context.Context, call *Pkt4Receive) error
}

// Subnet4SelectHook is called at subnet4_select: the server has selected a subnet, or none.
type Subnet4SelectHook interface {
	Subnet4Select(ctx context.Context, call *Subnet4Select) error
}

// Host4IdentifierHook is called at host4_identifier: identifiers for host reservations are collected and flex-id is among those to look up.
type Host4IdentifierHook interface {
	Host4Identifier(ctx context.Context, call *Host4Identifier) error
}

// Ddns4UpdateHook is called at ddns4_update: the client's name and the directions of DNS updates are decided.
type Ddns4UpdateHook interface {
	Ddns4Update(ctx context.Context, call *Ddns4Update) error
}

// Lease4SelectHook is called at lease4_select: an address that the client does not hold yet is about to be offered or leased.
type Lease4SelectHook interface {
	Lease4Select(ctx context.Context, call *Lease4Select) error
}

// Lease4RenewHook is called at lease4_renew: a client extends its lease.
type Lease4RenewHook interface {
	Lease4Renew(ctx context.Context, call *Lease4Renew) error
}

// Lease4ReleaseHook is called at lease4_release: a client gives back its lease.
type Lease4ReleaseHook interface {
	Lease4Release(ctx context.Context, call *Lease4Release) error
}

// Lease4DeclineHook is called at lease4_decline: a client found its address in use by somebody else.
type Lease4DeclineHook interface {
	Lease4Decline(ctx context.Context, call *Lease4Decline) error
}

// Lease4OfferHook is called at lease4_offer: an offer is complete.
type Lease4OfferHook interface {
	Lease4Offer(ctx context.Context, call *Lease4Offer) error
}

// Lease4ServerDeclineHook is called at lease4_server_decline: the server declines an address that a callout of lease4_offer reported in use.
type Lease4ServerDeclineHook interface {
	Lease4ServerDecline(ctx context.Context, call *Lease4ServerDecline) error
}

// Leases4CommittedHook is called at leases4_committed: the leases are written and the reply is complete.
type Leases4CommittedHook interface {
	Leases4Committed(ctx context.Context, call *Leases4Committed) error
}

// Pkt4SendHook is called at pkt4_send: a reply is complete and not packed yet.
type Pkt4SendHook interface {
	Pkt4Send(ctx context.Context, call *Pkt4Send) error
}

// Buffer4SendHook is called at buffer4_send: a reply is packed.
type Buffer4SendHook interface {
	Buffer4Send(ctx context.Context, call *Buffer4Send) error
}

// Lease4ExpireHook is called at lease4_expire: a lease has expired.
type Lease4ExpireHook interface {
	Lease4Expire(ctx context.Context, call *Lease4Expire) error
}

// Lease4RecoverHook is called at lease4_recover: an expired lease was declined: its address comes back into use.
type Lease4RecoverHook interface {
	Lease4Recover(ctx context.Context, call *Lease4Recover) error
}

// Dhcp4SrvConfiguredHook is called at dhcp4_srv_configured: a configuration is complete and about to be used.
type Dhcp4SrvConfiguredHook interface {
	Dhcp4SrvConfigured(ctx context.Context, call *Dhcp4SrvConfigured) error
}

// Cb4UpdatedHook is called at cb4_updated: the running configuration was changed.
type Cb4UpdatedHook interface {
	Cb4Updated(ctx context.Context, call *Cb4Updated) error
}

// Buffer6ReceiveHook is called at buffer6_receive: a datagram has arrived and is not parsed yet.
type Buffer6ReceiveHook interface {
	Buffer6Receive(ctx context.Context, call *Buffer6Receive) error
}

// Pkt6ReceiveHook is called at pkt6_receive: the packet is parsed.
type Pkt6ReceiveHook interface {
	Pkt6Receive(ctx context.Context, call *Pkt6Receive) error
}

// Subnet6SelectHook is called at subnet6_select: the server has selected a subnet, or none.
type Subnet6SelectHook interface {
	Subnet6Select(ctx context.Context, call *Subnet6Select) error
}

// Host6IdentifierHook is called at host6_identifier: identifiers for host reservations are collected and flex-id is among those to look up.
type Host6IdentifierHook interface {
	Host6Identifier(ctx context.Context, call *Host6Identifier) error
}

// Ddns6UpdateHook is called at ddns6_update: the client's name and the directions of DNS updates are decided.
type Ddns6UpdateHook interface {
	Ddns6Update(ctx context.Context, call *Ddns6Update) error
}

// Lease6SelectHook is called at lease6_select: an address or prefix that the client does not hold yet is about to be advertised or leased.
type Lease6SelectHook interface {
	Lease6Select(ctx context.Context, call *Lease6Select) error
}

// Lease6RenewHook is called at lease6_renew: a RENEW extends a lease; called for each lease.
type Lease6RenewHook interface {
	Lease6Renew(ctx context.Context, call *Lease6Renew) error
}

// Lease6RebindHook is called at lease6_rebind: a REBIND extends a lease; called for each lease.
type Lease6RebindHook interface {
	Lease6Rebind(ctx context.Context, call *Lease6Rebind) error
}

// Lease6ReleaseHook is called at lease6_release: a client gives back its lease.
type Lease6ReleaseHook interface {
	Lease6Release(ctx context.Context, call *Lease6Release) error
}

// Lease6DeclineHook is called at lease6_decline: a client found its address in use by somebody else.
type Lease6DeclineHook interface {
	Lease6Decline(ctx context.Context, call *Lease6Decline) error
}

// Addr6RegisterHook is called at addr6_register: a client registers an address that it made itself (RFC 9686).
type Addr6RegisterHook interface {
	Addr6Register(ctx context.Context, call *Addr6Register) error
}

// Leases6CommittedHook is called at leases6_committed: the leases are written and the reply is complete.
type Leases6CommittedHook interface {
	Leases6Committed(ctx context.Context, call *Leases6Committed) error
}

// Pkt6SendHook is called at pkt6_send: a reply is complete and not packed yet.
type Pkt6SendHook interface {
	Pkt6Send(ctx context.Context, call *Pkt6Send) error
}

// Buffer6SendHook is called at buffer6_send: a reply is packed.
type Buffer6SendHook interface {
	Buffer6Send(ctx context.Context, call *Buffer6Send) error
}

// Lease6ExpireHook is called at lease6_expire: a lease has expired.
type Lease6ExpireHook interface {
	Lease6Expire(ctx context.Context, call *Lease6Expire) error
}

// Lease6RecoverHook is called at lease6_recover: an expired lease was declined: its address comes back into use.
type Lease6RecoverHook interface {
	Lease6Recover(ctx context.Context, call *Lease6Recover) error
}

// Dhcp6SrvConfiguredHook is called at dhcp6_srv_configured: a configuration is complete and about to be used.
type Dhcp6SrvConfiguredHook interface {
	Dhcp6SrvConfigured(ctx context.Context, call *Dhcp6SrvConfigured) error
}

// Cb6UpdatedHook is called at cb6_updated: the running configuration was changed.
type Cb6UpdatedHook interface {
	Cb6Updated(ctx context.Context, call *Cb6Updated) error
}

// CommandProcessedHook is called at command_processed: a control command was handled, by the server or by a service.
type CommandProcessedHook interface {
	CommandProcessed(ctx context.Context, call *CommandProcessed) error
}

// CommandHook is called at $command: somebody sent a control command that the service offers (Service.Commands).
type CommandHook interface {
	Command(ctx context.Context, call *Command) error
}
