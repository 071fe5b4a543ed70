package service

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	outrigger "github.com/outrigger-dhcp/outrigger/hooks/go/sdk"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/identifier"
	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/outcome"
	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/registry"
	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/verdict"
)

// nak is DHCPNAK, of option 53 (RFC 2132 §9.6).
const nak = 6

// Options (RFC 2132 §9.4 and §9.5).
const (
	tftpServerName = 66
	bootfileName   = 67
)

// fileField is the size of the header's file field (RFC 2131 §2).
const fileField = 128

// Pkt4Receive looks the client up.
func (h hook) Pkt4Receive(_ context.Context, call *outrigger.Pkt4Receive) error {
	if settled(call.Status()) {
		return nil
	}
	client, err := client4(call.Arguments().GetQuery())
	if err != nil {
		return err
	}
	decided := h.decide(client, call.PacketLabel())
	// SetContext copies, so the buffer need not be on the heap.
	var buffer [verdict.UsualContext]byte
	call.SetContext(decided.AppendTo(buffer[:0]))
	return nil
}

// Subnet4Select moves a client that is not registered into the restricted subnet.
func (h hook) Subnet4Select(_ context.Context, call *outrigger.Subnet4Select) error {
	if settled(call.Status()) {
		return nil
	}
	client, err := client4(call.Arguments().GetQuery())
	if err != nil {
		return err
	}
	decided := h.verdict(call.Context(), client, call.PacketLabel())
	if subnet, other := h.otherSubnet(&decided, call.SubnetID()); other {
		call.SelectSubnet(subnet)
	}
	return nil
}

// Pkt4Send records the response and overrides boot file and TFTP server in it.
func (h hook) Pkt4Send(_ context.Context, call *outrigger.Pkt4Send) error {
	response := call.Arguments().GetResponse()
	if response == nil {
		return errors.New("the call came without a response")
	}
	if call.Status() == outrigger.Drop || response.GetMessageType() == nak {
		return nil
	}
	client, err := client4(call.Arguments().GetQuery())
	if err != nil {
		return err
	}
	yiaddr, err := address4(response.GetYiaddr())
	if err != nil {
		return err
	}
	decided := h.verdict(call.Context(), client, call.PacketLabel())
	h.record(&outcome.Record{Client: client, Address: yiaddr, Registered: decided.Registered})
	// SKIP: a service before this one packed the response, so options are no longer looked at.
	if call.Status() == outrigger.Skip {
		return nil
	}
	overrides := h.overrides(&decided, identifier.HwAddr)
	if overrides.Bootfile == "" && overrides.TFTPServer == "" {
		return nil
	}
	h.Counters.Overrides.Add(1)
	override4(call, overrides)
	return nil
}

// client4 is the client of a query; one that sent no hardware address, or one that is none, has no usable identifier.
func client4(query *hooksv1.Packet4) (identifier.Client, error) {
	if query == nil {
		return identifier.Client{}, errors.New("the call came without a query")
	}
	sent := query.GetHwAddress()
	return identifier.Of4(sent.GetHtype(), sent.GetAddress()), nil
}

// address4 is an address of 4 bytes, or none for 0.0.0.0.
func address4(bytes []byte) (netip.Addr, error) {
	if len(bytes) == 0 {
		return netip.IPv4Unspecified(), nil
	}
	if len(bytes) != 4 {
		return netip.Addr{}, errors.New("yiaddr has not 4 bytes")
	}
	return netip.AddrFrom4([4]byte(bytes)), nil
}

// override4 sets options and field. They are set as they are: what a registry has need not be what an author would
// write.
func override4(call *outrigger.Pkt4Send, overrides registry.Overrides) {
	changes := &hooksv1.Packet4Changes{}
	call.Changes().Response4 = changes
	if bootfile := overrides.Bootfile; bootfile != "" {
		changes.Options = append(changes.Options, set([]uint32{bootfileName}, []byte(bootfile)))
		if len(bootfile) <= fileField {
			changes.File = []byte(bootfile)
		} else {
			call.Warn(fmt.Sprintf("the boot file has %d bytes; the file field holds %d and stays as it is, option %d has all of it",
				len(bootfile), fileField, bootfileName))
		}
	}
	if overrides.TFTPServer != "" {
		changes.Options = append(changes.Options, set([]uint32{tftpServerName}, []byte(overrides.TFTPServer)))
	}
}

// set replaces an option; where there is none, it is appended.
func set(path []uint32, data []byte) *hooksv1.OptionEdit {
	return &hooksv1.OptionEdit{Action: hooksv1.OptionEdit_ACTION_SET, Path: path, Data: data}
}
