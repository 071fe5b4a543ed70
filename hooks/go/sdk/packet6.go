package outrigger

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// MessageType6 is the DHCPv6 message type.
type MessageType6 uint8

// The DHCPv6 message types.
const (
	Solicit6            MessageType6 = 1
	Advertise6          MessageType6 = 2
	Request6            MessageType6 = 3
	Confirm6            MessageType6 = 4
	Renew6              MessageType6 = 5
	Rebind6             MessageType6 = 6
	Reply6              MessageType6 = 7
	Release6            MessageType6 = 8
	Decline6            MessageType6 = 9
	Reconfigure6        MessageType6 = 10
	InformationRequest6 MessageType6 = 11
	RelayForward6       MessageType6 = 12
	RelayReply6         MessageType6 = 13
	LeaseQuery6         MessageType6 = 14
	LeaseQueryReply6    MessageType6 = 15
	DHCPv4Query6        MessageType6 = 20
	DHCPv4Response6     MessageType6 = 21
	AddrRegInform6      MessageType6 = 36
	AddrRegReply6       MessageType6 = 37
)

var messageNames6 = map[MessageType6]string{
	Solicit6: "SOLICIT", Advertise6: "ADVERTISE", Request6: "REQUEST", Confirm6: "CONFIRM", Renew6: "RENEW",
	Rebind6: "REBIND", Reply6: "REPLY", Release6: "RELEASE", Decline6: "DECLINE", Reconfigure6: "RECONFIGURE",
	InformationRequest6: "INFORMATION-REQUEST", RelayForward6: "RELAY-FORW", RelayReply6: "RELAY-REPL",
	LeaseQuery6: "LEASEQUERY", LeaseQueryReply6: "LEASEQUERY-REPLY", DHCPv4Query6: "DHCPV4-QUERY",
	DHCPv4Response6: "DHCPV4-RESPONSE", AddrRegInform6: "ADDR-REG-INFORM", AddrRegReply6: "ADDR-REG-REPLY",
}

// String is the name as in the RFCs: "SOLICIT".
func (t MessageType6) String() string {
	if name, ok := messageNames6[t]; ok {
		return name
	}
	return fmt.Sprintf("DHCPv6 message %d", uint8(t))
}

// Packet6 is a DHCPv6 packet (RFC 9915), relay layers taken off. Options are those that the subscription asks for. What
// was changed reads back; a setter without an error fails the call where the hook point does not allow it.
type Packet6 struct {
	packet
	message *hooksv1.Packet6
	relays  []*Relay6
}

func (p *Packet6) fill(call *Call, side side, message *hooksv1.Packet6) {
	if message == nil {
		// The subscription did not ask for it.
		message = &hooksv1.Packet6{}
	}
	p.message = message
	p.call, p.side = call, side
	p.options.init(call, dhcp6Space(), &message.Options, side.options())
}

// Message is the packet as it travels.
func (p *Packet6) Message() *hooksv1.Packet6 { return p.message }

// MessageType is what the packet asks for or answers.
func (p *Packet6) MessageType() MessageType6 { return MessageType6(p.message.GetMessageType()) }

// TransactionID is the number that the client chose, 24 bits.
func (p *Packet6) TransactionID() uint32 { return p.message.GetTransactionId() }

// DUID is option 1, the client's DUID; nil where there is none.
func (p *Packet6) DUID() []byte {
	data, _ := p.options.Raw(1)
	return data
}

// Classes has the client classes that the packet is a member of.
func (p *Packet6) Classes() []string { return p.message.GetClasses() }

// InClass says whether the packet is a member of the client class.
func (p *Packet6) InClass(class string) bool { return slices.Contains(p.message.GetClasses(), class) }

// Link is where the packet came from or goes to.
func (p *Packet6) Link() Link { return linkOf(p.message.GetLink()) }

// Wire is the datagram; only at buffer6_receive and buffer6_send.
func (p *Packet6) Wire() []byte { return p.message.GetWire() }

// String is the packet for logs: type and transaction.
func (p *Packet6) String() string {
	return fmt.Sprintf("%s, transaction %06x", p.MessageType(), p.TransactionID())
}

// Relays has the relay layers: first is the relay nearest the server, last the one nearest the client.
func (p *Packet6) Relays() []*Relay6 {
	if p.relays == nil && len(p.message.GetRelays()) > 0 {
		p.relays = make([]*Relay6, len(p.message.GetRelays()))
		for i, message := range p.message.GetRelays() {
			p.relays[i] = newRelay6(p.call, p.side, i, message)
		}
	}
	return p.relays
}

// Relay6 is one layer of Relay-forward or Relay-reply.
type Relay6 struct {
	message *hooksv1.Relay6
	options PacketOptions
}

func newRelay6(call *Call, side side, index int, message *hooksv1.Relay6) *Relay6 {
	if message == nil {
		message = &hooksv1.Relay6{}
	}
	relay := &Relay6{message: message}
	relay.options.init(call, dhcp6Space(), &message.Options, side.relays())
	relay.options.relay = uint32(index)
	return relay
}

// Message is the layer as it travels.
func (r *Relay6) Message() *hooksv1.Relay6 { return r.message }

// MessageType is Relay-forward or Relay-reply.
func (r *Relay6) MessageType() MessageType6 { return MessageType6(r.message.GetMessageType()) }

// HopCount is how many relays came before this one.
func (r *Relay6) HopCount() uint8 { return uint8(r.message.GetHopCount()) }

// LinkAddress is an address of the client's link.
func (r *Relay6) LinkAddress() netip.Addr { return addrOf(r.message.GetLinkAddress()) }

// PeerAddress is who the relay got the packet from.
func (r *Relay6) PeerAddress() netip.Addr { return addrOf(r.message.GetPeerAddress()) }

// Options has the relay's options, without the relayed message, to read and to change.
func (r *Relay6) Options() *PacketOptions { return &r.options }

// IA is an identity association of a packet: an IA_NA, IA_TA or IA_PD.
type IA struct {
	// IAID is its number.
	IAID uint32
	// T1 and T2 are in seconds; 0 of an IA_TA.
	T1, T2 uint32
	// Leases has its addresses and prefixes.
	Leases []IALease
	// Options has its options, those of addresses and prefixes included.
	Options *PacketOptions
}

// IALease is an address or prefix in an IA.
type IALease struct {
	// Prefix is the prefix, or the address with its own length.
	Prefix netip.Prefix
	// PreferredLifetime and ValidLifetime are in seconds.
	PreferredLifetime, ValidLifetime uint32
	// Options has what is inside the IAADDR or IAPREFIX option.
	Options *PacketOptions
}

// IANA has the packet's IA_NA options.
func (p *Packet6) IANA() []IA { return p.options.associations(3) }

// IATA has the packet's IA_TA options.
func (p *Packet6) IATA() []IA { return p.options.associations(4) }

// IAPD has the packet's IA_PD options.
func (p *Packet6) IAPD() []IA { return p.options.associations(25) }

// SetMessageType decides what the packet asks for.
func (p *Packet6) SetMessageType(messageType MessageType6) {
	if p.may(changeQueryHeader, "response.header") {
		p.message.MessageType = uint32(messageType)
		p.changes().MessageType = &p.message.MessageType
	}
}

// AddClass makes the packet a member of a client class. Classes that were decided before are not decided again.
func (p *Packet6) AddClass(class string) {
	if p.mayAddClass(class) {
		p.message.Classes = append(p.message.Classes, class)
		changes := p.changes()
		changes.AddClasses = append(changes.AddClasses, class)
	}
}

// AddAdditionalClass has a client class evaluated once the lease is known.
func (p *Packet6) AddAdditionalClass(class string) {
	if p.mayAddClass(class) {
		changes := p.changes()
		changes.AddAdditionalClasses = append(changes.AddAdditionalClasses, class)
	}
}

// ReplaceWire has the server decode this datagram instead of the received one, or send it instead of what it made. At
// pkt6_send it takes effect together with Skip. Transaction id and the relays' addresses have to stay.
func (p *Packet6) ReplaceWire(datagram []byte) {
	if p.may(p.side.wire(), "") {
		p.message.Wire = slices.Clone(datagram)
		p.changes().Wire = p.message.Wire
	}
}

// ReplaceParsed has the server take this packet and not decode the datagram at all: the next step is Skip. Transaction
// id, number and addresses of the relays, and link stay those of the datagram.
func (p *Packet6) ReplaceParsed(parsed *hooksv1.Packet6) {
	if p.may(changeQueryParsed, "response.parsed") {
		p.changes().Parsed = parsed
		p.call.Skip()
	}
}

// SetInterface sends the packet by another of the server's interfaces.
func (p *Packet6) SetInterface(name string) {
	changes, link := p.linkChanges()
	p.setInterface(changes, link, name)
}

// SetRemote sends the packet to another address and port.
func (p *Packet6) SetRemote(remote netip.AddrPort) {
	changes, link := p.linkChanges()
	p.setRemote(changes, link, remote, 6)
}

// SetLocalAddress sends the packet from another of the server's addresses.
func (p *Packet6) SetLocalAddress(local netip.Addr) {
	changes, link := p.linkChanges()
	p.setLocal(changes, link, local, 6)
}

// linkChanges is where the reply changes the link, with the link that reads back; nil where it may not.
func (p *Packet6) linkChanges() (*hooksv1.LinkChanges, *hooksv1.Link) {
	if !p.may(changeResponseLink, "query.link") {
		return nil, nil
	}
	changes := p.changes()
	if changes.Link == nil {
		changes.Link = &hooksv1.LinkChanges{}
	}
	if p.message.Link == nil {
		p.message.Link = &hooksv1.Link{}
	}
	return changes.Link, p.message.Link
}

func (p *Packet6) changes() *hooksv1.Packet6Changes { return changes6(p.call, p.side) }

// changes6 is where the reply changes a DHCPv6 packet.
func changes6(call *Call, side side) *hooksv1.Packet6Changes {
	changes := call.Changes()
	place := &changes.Query6
	if side == responseSide {
		place = &changes.Response6
	}
	if *place == nil {
		*place = &hooksv1.Packet6Changes{}
	}
	return *place
}

type withQuery6 struct{ query Packet6 }

func (w *withQuery6) fill(call *Call, message *hooksv1.Packet6) {
	w.query.fill(call, querySide, message)
}

// Query is the client's packet.
func (w *withQuery6) Query() *Packet6 { return &w.query }

type withResponse6 struct{ response Packet6 }

func (w *withResponse6) fill(call *Call, message *hooksv1.Packet6) {
	w.response.fill(call, responseSide, message)
}

// Response is the server's packet.
func (w *withResponse6) Response() *Packet6 { return &w.response }

type withOptionalResponse6 struct{ response *Packet6 }

func (w *withOptionalResponse6) fill(call *Call, message *hooksv1.Packet6) {
	if message != nil || !call.rights.readsResponse {
		w.response = &Packet6{}
		w.response.fill(call, responseSide, message)
	}
}

// Response is the server's packet; nil where the message has no answer.
func (w *withOptionalResponse6) Response() *Packet6 { return w.response }

// associations has the IAs of one kind. One that is malformed has nothing but what could be read.
func (o *PacketOptions) associations(code uint16) []IA {
	var associations []IA
	for _, option := range *o.list {
		data := option.GetData()
		if option.GetCode() != uint32(code) || len(data) < 4 {
			continue
		}
		ia := IA{IAID: binary.BigEndian.Uint32(data), Options: o.inside(code, option)}
		if code != 4 && len(data) >= 12 {
			ia.T1, ia.T2 = binary.BigEndian.Uint32(data[4:]), binary.BigEndian.Uint32(data[8:])
		}
		ia.Leases = ia.Options.leases()
		associations = append(associations, ia)
	}
	return associations
}

// leases has the addresses and prefixes among the options of an IA (RFC 9915 §21.6, §21.22).
func (o *PacketOptions) leases() []IALease {
	var leases []IALease
	for _, option := range *o.list {
		data := option.GetData()
		switch {
		case option.GetCode() == 5 && len(data) >= 24:
			leases = append(leases, IALease{
				Prefix:            netip.PrefixFrom(addrOf(data[:16]), 128),
				PreferredLifetime: binary.BigEndian.Uint32(data[16:]),
				ValidLifetime:     binary.BigEndian.Uint32(data[20:]),
				Options:           o.inside(5, option),
			})
		case option.GetCode() == 26 && len(data) >= 25 && data[8] <= 128:
			leases = append(leases, IALease{
				Prefix:            netip.PrefixFrom(addrOf(data[9:25]), int(data[8])),
				PreferredLifetime: binary.BigEndian.Uint32(data),
				ValidLifetime:     binary.BigEndian.Uint32(data[4:]),
				Options:           o.inside(26, option),
			})
		}
	}
	return leases
}
