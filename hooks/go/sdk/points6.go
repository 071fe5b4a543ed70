package outrigger

import (
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// Buffer6Receive is a call of buffer6_receive: a datagram has arrived and is not parsed yet.
type Buffer6Receive struct {
	Call
	withQuery6

	arguments *hooksv1.Query6Arguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Buffer6Receive) Arguments() *hooksv1.Query6Arguments { return c.arguments }

func (c *Buffer6Receive) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetBuffer6Receive()
	c.arguments = a
	c.withQuery6.fill(&c.Call, a.GetQuery())
	return a != nil
}

// Pkt6Receive is a call of pkt6_receive: the packet is parsed.
type Pkt6Receive struct {
	Call
	withQuery6

	arguments *hooksv1.Query6Arguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Pkt6Receive) Arguments() *hooksv1.Query6Arguments { return c.arguments }

func (c *Pkt6Receive) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetPkt6Receive()
	c.arguments = a
	c.withQuery6.fill(&c.Call, a.GetQuery())
	return a != nil
}

// Subnet6Select is a call of subnet6_select: the server has selected a subnet, or none.
type Subnet6Select struct {
	Call
	withQuery6
	selectsSubnet
	parks

	arguments *hooksv1.Subnet6SelectArguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Subnet6Select) Arguments() *hooksv1.Subnet6SelectArguments { return c.arguments }

func (c *Subnet6Select) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetSubnet6Select()
	c.arguments = a
	c.withQuery6.fill(&c.Call, a.GetQuery())
	c.selectsSubnet.fill(&c.Call, a.GetSubnetId(), a.GetSubnetIds())
	c.parks.call = &c.Call
	return a != nil
}

// Host6Identifier is a call of host6_identifier: identifiers for host reservations are collected and flex-id is among those to look up.
type Host6Identifier struct {
	Call
	withQuery6
	identifiesHost

	arguments *hooksv1.Host6IdentifierArguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Host6Identifier) Arguments() *hooksv1.Host6IdentifierArguments { return c.arguments }

func (c *Host6Identifier) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetHost6Identifier()
	c.arguments = a
	c.withQuery6.fill(&c.Call, a.GetQuery())
	c.identifiesHost.fill(&c.Call, a.GetIdentifierType())
	return a != nil
}

// Ddns6Update is a call of ddns6_update: the client's name and the directions of DNS updates are decided.
type Ddns6Update struct {
	Call
	withQuery6
	withResponse6
	withSubnet
	namesClient

	arguments *hooksv1.Ddns6UpdateArguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Ddns6Update) Arguments() *hooksv1.Ddns6UpdateArguments { return c.arguments }

func (c *Ddns6Update) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetDdns6Update()
	c.arguments = a
	c.withQuery6.fill(&c.Call, a.GetQuery())
	c.withResponse6.fill(&c.Call, a.GetResponse())
	c.withSubnet.fill(&c.Call, a.GetSubnetId())
	c.namesClient.fill(&c.Call, a)
	return a != nil
}

// Lease6Select is a call of lease6_select: an address or prefix that the client does not hold yet is about to be advertised or leased.
type Lease6Select struct {
	Call
	withQuery6
	withSubnet
	withLease
	withFakeAllocation

	arguments *hooksv1.Lease6SelectArguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Lease6Select) Arguments() *hooksv1.Lease6SelectArguments { return c.arguments }

func (c *Lease6Select) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetLease6Select()
	c.arguments = a
	c.withQuery6.fill(&c.Call, a.GetQuery())
	c.withSubnet.fill(&c.Call, a.GetSubnetId())
	c.withLease.fill(&c.Call, a.GetLease())
	c.fakeAllocation = a.GetFakeAllocation()
	return a != nil
}

// Lease6Renew is a call of lease6_renew: a RENEW extends a lease; called for each lease.
type Lease6Renew struct {
	Call
	withQuery6
	withLease
	editsIA

	arguments *hooksv1.Lease6Arguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Lease6Renew) Arguments() *hooksv1.Lease6Arguments { return c.arguments }

func (c *Lease6Renew) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetLease6Renew()
	c.arguments = a
	c.withQuery6.fill(&c.Call, a.GetQuery())
	c.withLease.fill(&c.Call, a.GetLease())
	c.editsIA.fill(&c.Call)
	return a != nil
}

// Lease6Rebind is a call of lease6_rebind: a REBIND extends a lease; called for each lease.
type Lease6Rebind struct {
	Call
	withQuery6
	withLease
	editsIA

	arguments *hooksv1.Lease6Arguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Lease6Rebind) Arguments() *hooksv1.Lease6Arguments { return c.arguments }

func (c *Lease6Rebind) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetLease6Rebind()
	c.arguments = a
	c.withQuery6.fill(&c.Call, a.GetQuery())
	c.withLease.fill(&c.Call, a.GetLease())
	c.editsIA.fill(&c.Call)
	return a != nil
}

// Lease6Release is a call of lease6_release: a client gives back its lease.
type Lease6Release struct {
	Call
	withQuery6
	withLease

	arguments *hooksv1.Lease6Arguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Lease6Release) Arguments() *hooksv1.Lease6Arguments { return c.arguments }

func (c *Lease6Release) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetLease6Release()
	c.arguments = a
	c.withQuery6.fill(&c.Call, a.GetQuery())
	c.withLease.fill(&c.Call, a.GetLease())
	return a != nil
}

// Lease6Decline is a call of lease6_decline: a client found its address in use by somebody else.
type Lease6Decline struct {
	Call
	withQuery6
	withLease

	arguments *hooksv1.Lease6Arguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Lease6Decline) Arguments() *hooksv1.Lease6Arguments { return c.arguments }

func (c *Lease6Decline) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetLease6Decline()
	c.arguments = a
	c.withQuery6.fill(&c.Call, a.GetQuery())
	c.withLease.fill(&c.Call, a.GetLease())
	return a != nil
}

// Addr6Register is a call of addr6_register: a client registers an address that it made itself (RFC 9686).
type Addr6Register struct {
	Call
	withQuery6
	withResponse6
	withOldLease
	withNewLease
	withAddress

	arguments *hooksv1.Addr6RegisterArguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Addr6Register) Arguments() *hooksv1.Addr6RegisterArguments { return c.arguments }

func (c *Addr6Register) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetAddr6Register()
	c.arguments = a
	c.withQuery6.fill(&c.Call, a.GetQuery())
	c.withResponse6.fill(&c.Call, a.GetResponse())
	c.withOldLease.fill(&c.Call, a.GetOldLease())
	c.withNewLease.fill(&c.Call, a.GetNewLease())
	c.withAddress.bytes = a.GetAddress()
	return a != nil
}

// Leases6Committed is a call of leases6_committed: the leases are written and the reply is complete.
type Leases6Committed struct {
	Call
	withQuery6
	withOptionalResponse6
	withLeases
	withDeletedLeases
	parks

	arguments *hooksv1.Leases6CommittedArguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Leases6Committed) Arguments() *hooksv1.Leases6CommittedArguments { return c.arguments }

func (c *Leases6Committed) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetLeases6Committed()
	c.arguments = a
	c.withQuery6.fill(&c.Call, a.GetQuery())
	c.withOptionalResponse6.fill(&c.Call, a.GetResponse())
	c.withLeases.fill(&c.Call, a.GetLeases())
	c.withDeletedLeases.fill(&c.Call, a.GetDeletedLeases())
	c.parks.call = &c.Call
	return a != nil
}

// Pkt6Send is a call of pkt6_send: a reply is complete and not packed yet.
type Pkt6Send struct {
	Call
	withQuery6
	withResponse6
	withSubnet

	arguments *hooksv1.Response6Arguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Pkt6Send) Arguments() *hooksv1.Response6Arguments { return c.arguments }

func (c *Pkt6Send) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetPkt6Send()
	c.arguments = a
	c.withQuery6.fill(&c.Call, a.GetQuery())
	c.withResponse6.fill(&c.Call, a.GetResponse())
	c.withSubnet.fill(&c.Call, a.GetSubnetId())
	return a != nil
}

// Buffer6Send is a call of buffer6_send: a reply is packed.
type Buffer6Send struct {
	Call
	withResponse6

	arguments *hooksv1.Response6Arguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Buffer6Send) Arguments() *hooksv1.Response6Arguments { return c.arguments }

func (c *Buffer6Send) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetBuffer6Send()
	c.arguments = a
	c.withResponse6.fill(&c.Call, a.GetResponse())
	return a != nil
}

// Lease6Expire is a call of lease6_expire: a lease has expired.
type Lease6Expire struct {
	Call
	withLease
	withRemoveLease

	arguments *hooksv1.ExpiredLeaseArguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Lease6Expire) Arguments() *hooksv1.ExpiredLeaseArguments { return c.arguments }

func (c *Lease6Expire) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetLease6Expire()
	c.arguments = a
	c.withLease.fill(&c.Call, a.GetLease())
	c.removeLease = a.GetRemoveLease()
	return a != nil
}

// Lease6Recover is a call of lease6_recover: an expired lease was declined: its address comes back into use.
type Lease6Recover struct {
	Call
	withLease

	arguments *hooksv1.ExpiredLeaseArguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Lease6Recover) Arguments() *hooksv1.ExpiredLeaseArguments { return c.arguments }

func (c *Lease6Recover) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetLease6Recover()
	c.arguments = a
	c.withLease.fill(&c.Call, a.GetLease())
	return a != nil
}

// Dhcp6SrvConfigured is a call of dhcp6_srv_configured: a configuration is complete and about to be used.
type Dhcp6SrvConfigured struct {
	Call
	refusesConfiguration

	arguments *hooksv1.ServerConfiguredArguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Dhcp6SrvConfigured) Arguments() *hooksv1.ServerConfiguredArguments { return c.arguments }

func (c *Dhcp6SrvConfigured) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetDhcp6SrvConfigured()
	c.arguments = a
	c.refusesConfiguration.fill(&c.Call, a.GetConfiguration())
	return a != nil
}

// Cb6Updated is a call of cb6_updated: the running configuration was changed.
type Cb6Updated struct {
	Call
	withAuditEntries

	arguments *hooksv1.ConfigurationUpdatedArguments
}

// Arguments is the message of the protocol that the server sent.
func (c *Cb6Updated) Arguments() *hooksv1.ConfigurationUpdatedArguments { return c.arguments }

func (c *Cb6Updated) begin(arguments *hooksv1.Arguments) bool {
	a := arguments.GetCb6Updated()
	c.arguments = a
	c.auditEntries = a.GetAuditEntries()
	return a != nil
}
