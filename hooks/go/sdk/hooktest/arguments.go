package hooktest

import (
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/internal/trial"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// types4 has the DHCPv4 message types by the end of their names.
var types4 = map[string]uint32{
	"bootp": 0, "discover": 1, "offer": 2, "request": 3, "decline": 4, "ack": 5, "nak": 6, "release": 7, "inform": 8,
	"leasequery": 10,
}

// types6 has the DHCPv6 message types.
var types6 = map[string]uint32{
	"solicit": 1, "advertise": 2, "request": 3, "confirm": 4, "renew": 5, "rebind": 6, "reply": 7, "release": 8,
	"decline": 9, "information-request": 11, "leasequery": 14, "addr-reg-inform": 36, "addr-reg-reply": 37,
}

// packet is a packet in the making; the message of the other family is nil.
type packet struct {
	v4 *hooksv1.Packet4
	v6 *hooksv1.Packet6
}

func (p *packet) family() int {
	if p.v4 != nil {
		return 4
	}
	return 6
}

// PacketPart is one thing that is known of a packet.
type PacketPart func(*packet) error

// Query4 is a client's DHCPv4 packet: "discover", "request", ... It comes from the Ethernet address 02:00:00:00:00:01
// unless a part says something else.
func Query4(messageType string, parts ...PacketPart) Argument {
	return packet4("query", messageType, 1, parts)
}

// Response4 is a server's DHCPv4 packet: "offer", "ack", "nak".
func Response4(messageType string, parts ...PacketPart) Argument {
	return packet4("response", messageType, 2, parts)
}

// Query6 is a client's DHCPv6 packet: "solicit", "request", ...
func Query6(messageType string, parts ...PacketPart) Argument {
	return packet6("query", messageType, parts)
}

// Response6 is a server's DHCPv6 packet: "advertise", "reply".
func Response6(messageType string, parts ...PacketPart) Argument {
	return packet6("response", messageType, parts)
}

func packet4(field, messageType string, op uint32, parts []PacketPart) Argument {
	return func(s *setup) error {
		number, ok := types4[strings.TrimPrefix(strings.ToLower(messageType), "dhcp")]
		if !ok {
			return fmt.Errorf("there is no DHCPv4 message %q", messageType)
		}
		message := &hooksv1.Packet4{
			MessageType: number, Op: op, TransactionId: 0x11223344,
			HwAddress: &hooksv1.HwAddress{Htype: 1, Address: []byte{2, 0, 0, 0, 0, 1}},
		}
		for _, part := range parts {
			if err := part(&packet{v4: message}); err != nil {
				return err
			}
		}
		return s.setMessage(field, message)
	}
}

func packet6(field, messageType string, parts []PacketPart) Argument {
	return func(s *setup) error {
		number, ok := types6[strings.ToLower(messageType)]
		if !ok {
			return fmt.Errorf("there is no DHCPv6 message %q", messageType)
		}
		message := &hooksv1.Packet6{MessageType: number, TransactionId: 0x112233}
		for _, part := range parts {
			if err := part(&packet{v6: message}); err != nil {
				return err
			}
		}
		return s.setMessage(field, message)
	}
}

// Option is an option of a packet by Kea's name; the value is as for outrigger.PacketOptions.Set.
func Option(name string, value any) PacketPart {
	return func(p *packet) error {
		option, err := trial.Encode(p.family(), name, value)
		if err == nil {
			p.add(option)
		}
		return err
	}
}

// OptionCode is an option of a packet by its code, with its payload as it is.
func OptionCode(code uint16, data []byte) PacketPart {
	return func(p *packet) error {
		p.add(&hooksv1.Option{Code: uint32(code), Data: data})
		return nil
	}
}

func (p *packet) add(option *hooksv1.Option) {
	if p.v4 != nil {
		p.v4.Options = append(p.v4.Options, option)
	} else {
		p.v6.Options = append(p.v6.Options, option)
	}
}

// HwAddress is the client's Ethernet address, "08:00:27:00:00:01", in a DHCPv4 packet.
func HwAddress(text string) PacketPart {
	return func(p *packet) error {
		address, err := net.ParseMAC(text)
		if err != nil {
			return err
		}
		if p.v4 == nil {
			return fmt.Errorf("a DHCPv6 packet has no hardware address")
		}
		p.v4.HwAddress = &hooksv1.HwAddress{Htype: 1, Address: address}
		return nil
	}
}

// Classes are client classes that the packet is a member of.
func Classes(classes ...string) PacketPart {
	return func(p *packet) error {
		if p.v4 != nil {
			p.v4.Classes = append(p.v4.Classes, classes...)
		} else {
			p.v6.Classes = append(p.v6.Classes, classes...)
		}
		return nil
	}
}

// Relay is a layer of a DHCPv6 packet, the one nearest the server first. Its parts are options.
func Relay(linkAddress, peerAddress string, options ...PacketPart) PacketPart {
	return func(p *packet) error {
		if p.v6 == nil {
			return fmt.Errorf("a DHCPv4 packet has no relay layers")
		}
		link, err := netip.ParseAddr(linkAddress)
		if err != nil {
			return err
		}
		peer, err := netip.ParseAddr(peerAddress)
		if err != nil {
			return err
		}
		inside := &packet{v6: &hooksv1.Packet6{}}
		for _, option := range options {
			if err := option(inside); err != nil {
				return err
			}
		}
		p.v6.Relays = append(p.v6.Relays, &hooksv1.Relay6{
			MessageType: 12, LinkAddress: link.AsSlice(), PeerAddress: peer.AsSlice(), Options: inside.v6.Options,
		})
		return nil
	}
}

// Packet4 changes the DHCPv4 packet in a way that has no part of its own.
func Packet4(change func(*hooksv1.Packet4)) PacketPart {
	return func(p *packet) error {
		if p.v4 == nil {
			return fmt.Errorf("it is a DHCPv6 packet")
		}
		change(p.v4)
		return nil
	}
}

// Packet6 changes the DHCPv6 packet in a way that has no part of its own.
func Packet6(change func(*hooksv1.Packet6)) PacketPart {
	return func(p *packet) error {
		if p.v6 == nil {
			return fmt.Errorf("it is a DHCPv4 packet")
		}
		change(p.v6)
		return nil
	}
}

// Subnets are the ids of the configuration's subnets in ascending order; the server has selected the first of them.
// Their prefixes are 10.ID.0.0/16 or 2001:db8:ID::/48, unless Load says something else.
func Subnets(ids ...uint32) Argument {
	return func(s *setup) error {
		for _, id := range ids {
			prefix := fmt.Sprintf("10.%d.0.0/16", id%256)
			if s.family == 6 {
				prefix = fmt.Sprintf("2001:db8:%x::/48", id%65536)
			}
			s.load.Subnets = append(s.load.Subnets, &hooksv1.Subnet{Id: id, Prefix: prefix})
		}
		fields := s.arguments.Descriptor().Fields()
		if field := fields.ByName("subnet_ids"); field != nil {
			list := s.arguments.Mutable(field).List()
			for _, id := range ids {
				list.Append(protoreflect.ValueOfUint32(id))
			}
		}
		if field := fields.ByName("subnet_id"); field != nil && len(ids) > 0 {
			s.arguments.Set(field, protoreflect.ValueOfUint32(ids[0]))
		}
		return nil
	}
}

// SubnetID is the subnet that the server selected; 0 is none.
func SubnetID(id uint32) Argument {
	return func(s *setup) error { return s.set("subnet_id", protoreflect.ValueOfUint32(id)) }
}

// Lease is the lease of the call, at addr6_register the new one.
func Lease(lease *hooksv1.Lease) Argument {
	return func(s *setup) error {
		if s.arguments.Descriptor().Fields().ByName("new_lease") != nil {
			return s.setMessage("new_lease", lease)
		}
		return s.setMessage("lease", lease)
	}
}

// OldLease is the lease that there was before.
func OldLease(lease *hooksv1.Lease) Argument {
	return func(s *setup) error { return s.setMessage("old_lease", lease) }
}

// Leases are the leases of the reply.
func Leases(leases ...*hooksv1.Lease) Argument { return leaseList("leases", leases) }

// DeletedLeases are the leases that the client no longer has.
func DeletedLeases(leases ...*hooksv1.Lease) Argument { return leaseList("deleted_leases", leases) }

func leaseList(name protoreflect.Name, leases []*hooksv1.Lease) Argument {
	return func(s *setup) error {
		field := s.arguments.Descriptor().Fields().ByName(name)
		if field == nil {
			return fmt.Errorf("a call of it has no %s", strings.ReplaceAll(string(name), "_", "-"))
		}
		list := s.arguments.Mutable(field).List()
		for _, lease := range leases {
			list.Append(protoreflect.ValueOfMessage(lease.ProtoReflect()))
		}
		return nil
	}
}

// Command is a control command as its sender would write it; nil arguments are none.
func Command(name string, arguments any) Argument {
	return func(s *setup) error {
		command := map[string]any{"command": name}
		if arguments != nil {
			command["arguments"] = arguments
		}
		text, err := json.Marshal(command)
		if err != nil {
			return err
		}
		return s.set("command", protoreflect.ValueOfString(string(text)))
	}
}

// Configuration is what is in the top-level key, JSON, at dhcp4_srv_configured and dhcp6_srv_configured.
func Configuration(text string) Argument {
	return func(s *setup) error { return s.set("configuration", protoreflect.ValueOfString(text)) }
}
