package outrigger

import (
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// Buffer4Receive is a call of buffer4_receive: a datagram has arrived and is not parsed yet.
type Buffer4Receive struct {
	Call
	withQuery4

	arguments *hooksv1.Query4Arguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Buffer4Receive) Arguments() *hooksv1.Query4Arguments { return c.arguments }

func (c *Buffer4Receive) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetBuffer4Receive()
	c.arguments = a
	c.withQuery4.fill(&c.Call, a.GetQuery())
	return a != nil
}

// Pkt4Receive is a call of pkt4_receive: the packet is parsed.
type Pkt4Receive struct {
	Call
	withQuery4

	arguments *hooksv1.Query4Arguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Pkt4Receive) Arguments() *hooksv1.Query4Arguments { return c.arguments }

func (c *Pkt4Receive) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetPkt4Receive()
	c.arguments = a
	c.withQuery4.fill(&c.Call, a.GetQuery())
	return a != nil
}

// Subnet4Select is a call of subnet4_select: the server has selected a subnet, or none.
type Subnet4Select struct {
	Call
	withQuery4
	selectsSubnet
	parks

	arguments *hooksv1.Subnet4SelectArguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Subnet4Select) Arguments() *hooksv1.Subnet4SelectArguments { return c.arguments }

func (c *Subnet4Select) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetSubnet4Select()
	c.arguments = a
	c.withQuery4.fill(&c.Call, a.GetQuery())
	c.selectsSubnet.fill(&c.Call, a.GetSubnetId(), a.GetSubnetIds())
	c.parks.call = &c.Call
	return a != nil
}

// Host4Identifier is a call of host4_identifier: identifiers for host reservations are collected and flex-id is among those to look up.
type Host4Identifier struct {
	Call
	withQuery4
	identifiesHost

	arguments *hooksv1.Host4IdentifierArguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Host4Identifier) Arguments() *hooksv1.Host4IdentifierArguments { return c.arguments }

func (c *Host4Identifier) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetHost4Identifier()
	c.arguments = a
	c.withQuery4.fill(&c.Call, a.GetQuery())
	c.identifiesHost.fill(&c.Call, a.GetIdentifierType())
	return a != nil
}

// Ddns4Update is a call of ddns4_update: the client's name and the directions of DNS updates are decided.
type Ddns4Update struct {
	Call
	withQuery4
	withResponse4
	withSubnet
	namesClient

	arguments *hooksv1.Ddns4UpdateArguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Ddns4Update) Arguments() *hooksv1.Ddns4UpdateArguments { return c.arguments }

func (c *Ddns4Update) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetDdns4Update()
	c.arguments = a
	c.withQuery4.fill(&c.Call, a.GetQuery())
	c.withResponse4.fill(&c.Call, a.GetResponse())
	c.withSubnet.fill(&c.Call, a.GetSubnetId())
	c.namesClient.fill(&c.Call, a)
	return a != nil
}

// Lease4Select is a call of lease4_select: an address that the client does not hold yet is about to be offered or leased.
type Lease4Select struct {
	Call
	withQuery4
	withSubnet
	withLease
	withFakeAllocation
	withOfferLifetime

	arguments *hooksv1.Lease4SelectArguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Lease4Select) Arguments() *hooksv1.Lease4SelectArguments { return c.arguments }

func (c *Lease4Select) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetLease4Select()
	c.arguments = a
	c.withQuery4.fill(&c.Call, a.GetQuery())
	c.withSubnet.fill(&c.Call, a.GetSubnetId())
	c.withLease.fill(&c.Call, a.GetLease())
	c.fakeAllocation = a.GetFakeAllocation()
	c.offerLifetime = a.GetOfferLifetime()
	return a != nil
}

// Lease4Renew is a call of lease4_renew: a client extends its lease.
type Lease4Renew struct {
	Call
	withQuery4
	withSubnet
	withLease

	arguments *hooksv1.Lease4Arguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Lease4Renew) Arguments() *hooksv1.Lease4Arguments { return c.arguments }

func (c *Lease4Renew) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetLease4Renew()
	c.arguments = a
	c.withQuery4.fill(&c.Call, a.GetQuery())
	c.withSubnet.fill(&c.Call, a.GetSubnetId())
	c.withLease.fill(&c.Call, a.GetLease())
	return a != nil
}

// Lease4Release is a call of lease4_release: a client gives back its lease.
type Lease4Release struct {
	Call
	withQuery4
	withLease

	arguments *hooksv1.Lease4Arguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Lease4Release) Arguments() *hooksv1.Lease4Arguments { return c.arguments }

func (c *Lease4Release) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetLease4Release()
	c.arguments = a
	c.withQuery4.fill(&c.Call, a.GetQuery())
	c.withLease.fill(&c.Call, a.GetLease())
	return a != nil
}

// Lease4Decline is a call of lease4_decline: a client found its address in use by somebody else.
type Lease4Decline struct {
	Call
	withQuery4
	withLease

	arguments *hooksv1.Lease4Arguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Lease4Decline) Arguments() *hooksv1.Lease4Arguments { return c.arguments }

func (c *Lease4Decline) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetLease4Decline()
	c.arguments = a
	c.withQuery4.fill(&c.Call, a.GetQuery())
	c.withLease.fill(&c.Call, a.GetLease())
	return a != nil
}

// Lease4Offer is a call of lease4_offer: an offer is complete.
type Lease4Offer struct {
	Call
	withQuery4
	withResponse4
	withLeases
	withOfferLifetime
	withOldLease
	withHost
	reportsAddressInUse
	parks

	arguments *hooksv1.Lease4OfferArguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Lease4Offer) Arguments() *hooksv1.Lease4OfferArguments { return c.arguments }

func (c *Lease4Offer) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetLease4Offer()
	c.arguments = a
	c.withQuery4.fill(&c.Call, a.GetQuery())
	c.withResponse4.fill(&c.Call, a.GetResponse())
	c.withLeases.fill(&c.Call, a.GetLeases())
	c.offerLifetime = a.GetOfferLifetime()
	c.withOldLease.fill(&c.Call, a.GetOldLease())
	c.host = a.GetHost()
	c.reportsAddressInUse.call = &c.Call
	c.parks.call = &c.Call
	return a != nil
}

// Lease4ServerDecline is a call of lease4_server_decline: the server declines an address that a callout of lease4_offer reported in use.
type Lease4ServerDecline struct {
	Call
	withQuery4
	withLease

	arguments *hooksv1.Lease4Arguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Lease4ServerDecline) Arguments() *hooksv1.Lease4Arguments { return c.arguments }

func (c *Lease4ServerDecline) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetLease4ServerDecline()
	c.arguments = a
	c.withQuery4.fill(&c.Call, a.GetQuery())
	c.withLease.fill(&c.Call, a.GetLease())
	return a != nil
}

// Leases4Committed is a call of leases4_committed: the leases are written and the reply is complete.
type Leases4Committed struct {
	Call
	withQuery4
	withOptionalResponse4
	withLeases
	withDeletedLeases
	parks

	arguments *hooksv1.Leases4CommittedArguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Leases4Committed) Arguments() *hooksv1.Leases4CommittedArguments { return c.arguments }

func (c *Leases4Committed) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetLeases4Committed()
	c.arguments = a
	c.withQuery4.fill(&c.Call, a.GetQuery())
	c.withOptionalResponse4.fill(&c.Call, a.GetResponse())
	c.withLeases.fill(&c.Call, a.GetLeases())
	c.withDeletedLeases.fill(&c.Call, a.GetDeletedLeases())
	c.parks.call = &c.Call
	return a != nil
}

// Pkt4Send is a call of pkt4_send: a reply is complete and not packed yet.
type Pkt4Send struct {
	Call
	withQuery4
	withResponse4
	withSubnet

	arguments *hooksv1.Response4Arguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Pkt4Send) Arguments() *hooksv1.Response4Arguments { return c.arguments }

func (c *Pkt4Send) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetPkt4Send()
	c.arguments = a
	c.withQuery4.fill(&c.Call, a.GetQuery())
	c.withResponse4.fill(&c.Call, a.GetResponse())
	c.withSubnet.fill(&c.Call, a.GetSubnetId())
	return a != nil
}

// Buffer4Send is a call of buffer4_send: a reply is packed.
type Buffer4Send struct {
	Call
	withResponse4

	arguments *hooksv1.Response4Arguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Buffer4Send) Arguments() *hooksv1.Response4Arguments { return c.arguments }

func (c *Buffer4Send) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetBuffer4Send()
	c.arguments = a
	c.withResponse4.fill(&c.Call, a.GetResponse())
	return a != nil
}

// Lease4Expire is a call of lease4_expire: a lease has expired.
type Lease4Expire struct {
	Call
	withLease
	withRemoveLease

	arguments *hooksv1.ExpiredLeaseArguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Lease4Expire) Arguments() *hooksv1.ExpiredLeaseArguments { return c.arguments }

func (c *Lease4Expire) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetLease4Expire()
	c.arguments = a
	c.withLease.fill(&c.Call, a.GetLease())
	c.removeLease = a.GetRemoveLease()
	return a != nil
}

// Lease4Recover is a call of lease4_recover: an expired lease was declined: its address comes back into use.
type Lease4Recover struct {
	Call
	withLease

	arguments *hooksv1.ExpiredLeaseArguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Lease4Recover) Arguments() *hooksv1.ExpiredLeaseArguments { return c.arguments }

func (c *Lease4Recover) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetLease4Recover()
	c.arguments = a
	c.withLease.fill(&c.Call, a.GetLease())
	return a != nil
}

// Dhcp4SrvConfigured is a call of dhcp4_srv_configured: a configuration is complete and about to be used.
type Dhcp4SrvConfigured struct {
	Call
	refusesConfiguration

	arguments *hooksv1.ServerConfiguredArguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Dhcp4SrvConfigured) Arguments() *hooksv1.ServerConfiguredArguments { return c.arguments }

func (c *Dhcp4SrvConfigured) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetDhcp4SrvConfigured()
	c.arguments = a
	c.refusesConfiguration.fill(&c.Call, a.GetConfiguration())
	return a != nil
}

// Cb4Updated is a call of cb4_updated: the running configuration was changed.
type Cb4Updated struct {
	Call
	withAuditEntries

	arguments *hooksv1.ConfigurationUpdatedArguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Cb4Updated) Arguments() *hooksv1.ConfigurationUpdatedArguments { return c.arguments }

func (c *Cb4Updated) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetCb4Updated()
	c.arguments = a
	c.auditEntries = a.GetAuditEntries()
	return a != nil
}
