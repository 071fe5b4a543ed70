package service

import (
	"context"
	"errors"
	"log/slog"

	outrigger "github.com/outrigger-dhcp/outrigger/hooks/go/sdk"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/identifier"
	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/outcome"
	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/registry"
	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/verdict"
)

// informationRequest is INFORMATION-REQUEST (RFC 9915 §7.3).
const informationRequest = 11

// Options of DHCPv6.
const (
	optionClientID   = 1
	optionIANA       = 3
	optionVendorOpts = 17
	optionIAPD       = 25
)

// Sub-options of option 17, enterprise 4491.
const (
	tftpServers = 32
	configFile  = 33
)

// Pkt6Receive looks the client up.
func (h hook) Pkt6Receive(_ context.Context, call *outrigger.Pkt6Receive) error {
	if settled(call.Status()) {
		return nil
	}
	client, err := client6(call.Arguments().GetQuery())
	if err != nil {
		return err
	}
	decided := h.decide(client, call.PacketLabel())
	// SetContext copies, so the buffer need not be on the heap.
	var buffer [verdict.UsualContext]byte
	call.SetContext(decided.AppendTo(buffer[:0]))
	return nil
}

// Subnet6Select moves a client that is not registered into the restricted subnet.
func (h hook) Subnet6Select(_ context.Context, call *outrigger.Subnet6Select) error {
	if settled(call.Status()) {
		return nil
	}
	client, err := client6(call.Arguments().GetQuery())
	if err != nil {
		return err
	}
	decided := h.verdict(call.Context(), client, call.PacketLabel())
	if subnet, other := h.otherSubnet(&decided, call.SubnetID()); other {
		call.SelectSubnet(subnet)
	}
	return nil
}

// Pkt6Send records the response and overrides boot file and TFTP server in it.
func (h hook) Pkt6Send(_ context.Context, call *outrigger.Pkt6Send) error {
	if call.Status() == outrigger.Drop {
		return nil
	}
	query, response := call.Arguments().GetQuery(), call.Arguments().GetResponse()
	client, err := client6(query)
	if err != nil {
		return err
	}
	if response == nil {
		return errors.New("the call came without a response")
	}
	record, grants := granted(response)
	// Kea: without an IA nothing is overridden, not even in the reply to INFORMATION-REQUEST, which never has one.
	if !grants && query.GetMessageType() != informationRequest {
		return nil
	}
	decided := h.verdict(call.Context(), client, call.PacketLabel())
	if grants {
		record.Client, record.Registered = client, decided.Registered
		h.record(&record)
	}
	// SKIP: a service before this one packed the response, so options are no longer looked at.
	if call.Status() == outrigger.Skip {
		return nil
	}
	h.override6(call, h.overrides(&decided, identifier.DUID))
	return nil
}

// client6 is the client of a query; one without option 1, or with one that is no DUID, has no usable identifier.
func client6(query *hooksv1.Packet6) (identifier.Client, error) {
	if query == nil {
		return identifier.Client{}, errors.New("the call came without a query")
	}
	duid, _ := option(query, optionClientID)
	return identifier.Of6(duid), nil
}

// option is the first option with the code; false where there is none.
func option(packet *hooksv1.Packet6, code uint32) ([]byte, bool) {
	for _, option := range packet.GetOptions() {
		if option.GetCode() == code {
			return option.GetData(), true
		}
	}
	return nil, false
}

// granted is what the first IA_NA grants, or, where there is no IA_NA, the first IA_PD; false where that is nothing.
func granted(response *hooksv1.Packet6) (record outcome.Record, grants bool) {
	if payload, found := option(response, optionIANA); found {
		record.Address, grants = grantedAddress(payload)
	} else if payload, found := option(response, optionIAPD); found {
		record.Prefix, grants = grantedPrefix(payload)
	}
	return record, grants
}

// override6 changes sub-options of the first option 17, whatever its enterprise. It is never made: without it nothing
// happens.
func (h hook) override6(call *outrigger.Pkt6Send, overrides registry.Overrides) {
	servers, err := overrides.TFTPAddresses()
	if err != nil {
		// Only another version of this service can have let it through.
		call.Warn(err.Error())
		return
	}
	if overrides.Bootfile == "" && len(servers) == 0 {
		return
	}
	payload, found := option(call.Arguments().GetResponse(), optionVendorOpts)
	if !found {
		slog.Debug("no option 17 to override anything in", "packet", call.PacketLabel())
		return
	}
	if len(payload) < 4 || !wellFormed(payload[4:]) {
		call.Warn("option 17 of the response is malformed and stays as it is")
		return
	}
	h.Counters.Overrides.Add(1)
	// The edits name no enterprise: the first option 17 is meant, whatever it has.
	changes := &hooksv1.Packet6Changes{}
	call.Changes().Response6 = changes
	if overrides.Bootfile != "" {
		changes.Options = append(changes.Options, set([]uint32{optionVendorOpts, configFile}, []byte(overrides.Bootfile)))
	}
	if len(servers) > 0 {
		changes.Options = append(changes.Options, set([]uint32{optionVendorOpts, tftpServers}, servers))
	}
}
