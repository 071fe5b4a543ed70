package outrigger

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// MessageType4 is the DHCPv4 message type, option 53.
type MessageType4 uint8

// The DHCPv4 message types.
const (
	BOOTP4          MessageType4 = 0
	Discover4       MessageType4 = 1
	Offer4          MessageType4 = 2
	Request4        MessageType4 = 3
	Decline4        MessageType4 = 4
	Ack4            MessageType4 = 5
	Nak4            MessageType4 = 6
	Release4        MessageType4 = 7
	Inform4         MessageType4 = 8
	LeaseQuery4     MessageType4 = 10
	LeaseUnassign4  MessageType4 = 11
	LeaseUnknown4   MessageType4 = 12
	LeaseActive4    MessageType4 = 13
	BulkLeaseQuery4 MessageType4 = 14
	LeaseQueryDone4 MessageType4 = 15
)

var messageNames4 = map[MessageType4]string{
	BOOTP4: "BOOTP", Discover4: "DHCPDISCOVER", Offer4: "DHCPOFFER", Request4: "DHCPREQUEST", Decline4: "DHCPDECLINE",
	Ack4: "DHCPACK", Nak4: "DHCPNAK", Release4: "DHCPRELEASE", Inform4: "DHCPINFORM", LeaseQuery4: "DHCPLEASEQUERY",
	LeaseUnassign4: "DHCPLEASEUNASSIGNED", LeaseUnknown4: "DHCPLEASEUNKNOWN", LeaseActive4: "DHCPLEASEACTIVE",
	BulkLeaseQuery4: "DHCPBULKLEASEQUERY", LeaseQueryDone4: "DHCPLEASEQUERYDONE",
}

// String is the name as in the RFCs: "DHCPDISCOVER".
func (t MessageType4) String() string {
	if name, ok := messageNames4[t]; ok {
		return name
	}
	return fmt.Sprintf("DHCPv4 message %d", uint8(t))
}

// HwAddress is a hardware address.
type HwAddress struct {
	// Htype is IANA's hardware type; 1 is Ethernet.
	Htype uint16
	// Address has at most 20 bytes.
	Address []byte
}

func hwAddressOf(message *hooksv1.HwAddress) HwAddress {
	return HwAddress{Htype: uint16(message.GetHtype()), Address: message.GetAddress()}
}

// String is the address alone: "08:00:27:00:00:01".
func (a HwAddress) String() string {
	text := make([]byte, 0, 3*len(a.Address))
	for i, b := range a.Address {
		if i > 0 {
			text = append(text, ':')
		}
		text = hex.AppendEncode(text, []byte{b})
	}
	return string(text)
}

// Link is where a packet came from or goes to. "Local" is always the server's side.
type Link struct {
	Interface      string
	InterfaceIndex uint32
	Local, Remote  netip.AddrPort
}

func linkOf(message *hooksv1.Link) Link {
	return Link{
		Interface:      message.GetInterface(),
		InterfaceIndex: message.GetInterfaceIndex(),
		Local:          netip.AddrPortFrom(addrOf(message.GetLocalAddress()), uint16(message.GetLocalPort())),
		Remote:         netip.AddrPortFrom(addrOf(message.GetRemoteAddress()), uint16(message.GetRemotePort())),
	}
}

// addrOf is an address of 4 or 16 bytes; the zero Addr where there are others.
func addrOf(bytes []byte) netip.Addr {
	address, _ := netip.AddrFromSlice(bytes)
	return address
}

// addr4Of is a header field of a DHCPv4 packet, where nothing is 0.0.0.0.
func addr4Of(bytes []byte) netip.Addr {
	if len(bytes) != 4 {
		return netip.IPv4Unspecified()
	}
	return addrOf(bytes)
}

// Packet4 is a DHCPv4 packet (RFC 2131). Header fields are always there; options are those that the subscription asks
// for. What was changed reads back; a setter without an error fails the call where the hook point does not allow it.
type Packet4 struct {
	packet
	message *hooksv1.Packet4
}

func (p *Packet4) fill(call *Call, side side, message *hooksv1.Packet4) {
	if message == nil {
		// The subscription did not ask for it.
		message = &hooksv1.Packet4{}
	}
	p.message = message
	p.call, p.side = call, side
	p.options.init(call, dhcp4Space(), &message.Options, side.options())
}

// Message is the packet as it travels.
func (p *Packet4) Message() *hooksv1.Packet4 { return p.message }

// MessageType is option 53.
func (p *Packet4) MessageType() MessageType4 { return MessageType4(p.message.GetMessageType()) }

// TransactionID is the number that the client chose.
func (p *Packet4) TransactionID() uint32 { return p.message.GetTransactionId() }

// Op is 1 of a client's packet, 2 of a server's.
func (p *Packet4) Op() uint8 { return uint8(p.message.GetOp()) }

// Hops is how many relays the packet came through.
func (p *Packet4) Hops() uint8 { return uint8(p.message.GetHops()) }

// Secs is since when the client has been trying, in seconds.
func (p *Packet4) Secs() uint16 { return uint16(p.message.GetSecs()) }

// Flags has the flags; 0x8000 is the broadcast flag.
func (p *Packet4) Flags() uint16 { return uint16(p.message.GetFlags()) }

// Ciaddr is the address that the client uses.
func (p *Packet4) Ciaddr() netip.Addr { return addr4Of(p.message.GetCiaddr()) }

// Yiaddr is the address that the server leases.
func (p *Packet4) Yiaddr() netip.Addr { return addr4Of(p.message.GetYiaddr()) }

// Siaddr is the server to boot from.
func (p *Packet4) Siaddr() netip.Addr { return addr4Of(p.message.GetSiaddr()) }

// Giaddr is the relay that the packet came through.
func (p *Packet4) Giaddr() netip.Addr { return addr4Of(p.message.GetGiaddr()) }

// HwAddress is the client's hardware address.
func (p *Packet4) HwAddress() HwAddress { return hwAddressOf(p.message.GetHwAddress()) }

// ClientID is option 61; nil where the client sent none.
func (p *Packet4) ClientID() []byte {
	data, _ := p.options.Raw(61)
	return data
}

// Sname is the name of the server to boot from.
func (p *Packet4) Sname() []byte { return p.message.GetSname() }

// File is the file to boot.
func (p *Packet4) File() []byte { return p.message.GetFile() }

// Classes has the client classes that the packet is a member of.
func (p *Packet4) Classes() []string { return p.message.GetClasses() }

// InClass says whether the packet is a member of the client class.
func (p *Packet4) InClass(class string) bool { return slices.Contains(p.message.GetClasses(), class) }

// Link is where the packet came from or goes to.
func (p *Packet4) Link() Link { return linkOf(p.message.GetLink()) }

// Wire is the datagram; only at buffer4_receive and buffer4_send.
func (p *Packet4) Wire() []byte { return p.message.GetWire() }

// String is the packet for logs: type, client and transaction.
func (p *Packet4) String() string {
	return fmt.Sprintf("%s from %s, transaction %08x", p.MessageType(), p.HwAddress(), p.TransactionID())
}

// SetMessageType decides option 53.
func (p *Packet4) SetMessageType(messageType MessageType4) {
	if changes := p.header(); changes != nil {
		p.message.MessageType = uint32(messageType)
		changes.MessageType = &p.message.MessageType
	}
}

// SetHops decides the number of relays.
func (p *Packet4) SetHops(hops uint8) {
	if changes := p.header(); changes != nil {
		p.message.Hops = uint32(hops)
		changes.Hops = &p.message.Hops
	}
}

// SetSecs decides since when the client has been trying, in seconds.
func (p *Packet4) SetSecs(secs uint16) {
	if changes := p.header(); changes != nil {
		p.message.Secs = uint32(secs)
		changes.Secs = &p.message.Secs
	}
}

// SetFlags decides the flags; 0x8000 is the broadcast flag.
func (p *Packet4) SetFlags(flags uint16) {
	if changes := p.header(); changes != nil {
		p.message.Flags = uint32(flags)
		changes.Flags = &p.message.Flags
	}
}

// SetCiaddr decides the address that the client uses.
func (p *Packet4) SetCiaddr(address netip.Addr) {
	if bytes, ok := p.address("ciaddr", address); ok {
		p.message.Ciaddr = bytes
		p.header().Ciaddr = bytes
	}
}

// SetYiaddr decides the address that the reply says is leased. The lease stays as it is.
func (p *Packet4) SetYiaddr(address netip.Addr) {
	if bytes, ok := p.address("yiaddr", address); ok {
		p.message.Yiaddr = bytes
		p.header().Yiaddr = bytes
	}
}

// SetSiaddr decides the server to boot from.
func (p *Packet4) SetSiaddr(address netip.Addr) {
	if bytes, ok := p.address("siaddr", address); ok {
		p.message.Siaddr = bytes
		p.header().Siaddr = bytes
	}
}

// SetSname decides the name of the server to boot from: at most 64 bytes, 63 are safe with old clients.
func (p *Packet4) SetSname(sname string) {
	if changes := p.text("sname", sname, 64); changes != nil {
		p.message.Sname = []byte(sname)
		changes.Sname = p.message.Sname
	}
}

// SetFile decides the file to boot: at most 128 bytes, 127 are safe with old clients.
func (p *Packet4) SetFile(file string) {
	if changes := p.text("file", file, 128); changes != nil {
		p.message.File = []byte(file)
		changes.File = p.message.File
	}
}

// SetHwAddress has the server take this for the client's hardware address. It has at most 20 bytes.
func (p *Packet4) SetHwAddress(address HwAddress) {
	if len(address.Address) > 20 {
		p.call.fail(fmt.Errorf("the hardware address %s has %d bytes; 20 are possible",
			clipped(address.String()), len(address.Address)))
		return
	}
	if p.may(changeQueryHwAddress, "response.hw-address") {
		p.message.HwAddress = &hooksv1.HwAddress{Htype: uint32(address.Htype), Address: slices.Clone(address.Address)}
		p.changes().HwAddress = p.message.HwAddress
	}
}

// AddClass makes the packet a member of a client class. Classes that were decided before are not decided again.
func (p *Packet4) AddClass(class string) {
	if p.mayAddClass(class) {
		p.message.Classes = append(p.message.Classes, class)
		changes := p.changes()
		changes.AddClasses = append(changes.AddClasses, class)
	}
}

// AddAdditionalClass has a client class evaluated once the lease is known.
func (p *Packet4) AddAdditionalClass(class string) {
	if p.mayAddClass(class) {
		changes := p.changes()
		changes.AddAdditionalClasses = append(changes.AddAdditionalClasses, class)
	}
}

// ReplaceWire has the server decode this datagram instead of the received one, or send it instead of what it made. At
// pkt4_send it takes effect together with Skip. Transaction id and relay address have to stay.
func (p *Packet4) ReplaceWire(datagram []byte) {
	if p.may(p.side.wire(), "") {
		p.message.Wire = slices.Clone(datagram)
		p.changes().Wire = p.message.Wire
	}
}

// ReplaceParsed has the server take this packet and not decode the datagram at all: the next step is Skip. Transaction
// id, relay address and link stay those of the datagram.
func (p *Packet4) ReplaceParsed(parsed *hooksv1.Packet4) {
	if p.may(changeQueryParsed, "response.parsed") {
		p.changes().Parsed = parsed
		p.call.Skip()
	}
}

// SetInterface sends the packet by another of the server's interfaces.
func (p *Packet4) SetInterface(name string) {
	changes, link := p.linkChanges()
	p.setInterface(changes, link, name)
}

// SetRemote sends the packet to another address and port.
func (p *Packet4) SetRemote(remote netip.AddrPort) {
	changes, link := p.linkChanges()
	p.setRemote(changes, link, remote, 4)
}

// SetLocalAddress sends the packet from another of the server's addresses.
func (p *Packet4) SetLocalAddress(local netip.Addr) {
	changes, link := p.linkChanges()
	p.setLocal(changes, link, local, 4)
}

// linkChanges is where the reply changes the link, with the link that reads back; nil where it may not.
func (p *Packet4) linkChanges() (*hooksv1.LinkChanges, *hooksv1.Link) {
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

func (p *Packet4) changes() *hooksv1.Packet4Changes { return changes4(p.call, p.side) }

func (p *Packet4) header() *hooksv1.Packet4Changes {
	if !p.may(p.side.header(), "") {
		return nil
	}
	return p.changes()
}

func (p *Packet4) address(field string, address netip.Addr) ([]byte, bool) {
	if !address.Is4() {
		p.call.fail(fmt.Errorf("%s is an IPv4 address, not %s", field, address))
		return nil, false
	}
	return address.AsSlice(), p.may(p.side.header(), "")
}

func (p *Packet4) text(field, text string, most int) *hooksv1.Packet4Changes {
	if len(text) > most || strings.ContainsRune(text, 0) {
		p.call.fail(fmt.Errorf("%s has at most %d bytes, none of them 0, not %q", field, most, clipped(text)))
		return nil
	}
	return p.header()
}

// changes4 is where the reply changes a DHCPv4 packet.
func changes4(call *Call, side side) *hooksv1.Packet4Changes {
	changes := call.Changes()
	place := &changes.Query4
	if side == responseSide {
		place = &changes.Response4
	}
	if *place == nil {
		*place = &hooksv1.Packet4Changes{}
	}
	return *place
}

type withQuery4 struct{ query Packet4 }

func (w *withQuery4) fill(call *Call, message *hooksv1.Packet4) {
	w.query.fill(call, querySide, message)
}

// Query is the client's packet.
func (w *withQuery4) Query() *Packet4 { return &w.query }

type withResponse4 struct{ response Packet4 }

func (w *withResponse4) fill(call *Call, message *hooksv1.Packet4) {
	w.response.fill(call, responseSide, message)
}

// Response is the server's packet.
func (w *withResponse4) Response() *Packet4 { return &w.response }

type withOptionalResponse4 struct{ response *Packet4 }

func (w *withOptionalResponse4) fill(call *Call, message *hooksv1.Packet4) {
	if message != nil || !call.rights.readsResponse {
		w.response = &Packet4{}
		w.response.fill(call, responseSide, message)
	}
}

// Response is the server's packet; nil for RELEASE and DECLINE, which have no answer.
func (w *withOptionalResponse4) Response() *Packet4 { return w.response }
