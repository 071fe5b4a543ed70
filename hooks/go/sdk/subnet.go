package outrigger

import (
	"encoding/json"
	"fmt"
	"net/netip"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// Subnet is a subnet of the server's configuration.
type Subnet struct {
	// ID is never 0.
	ID uint32
	// Prefix is its addresses; invalid where the server sent something else.
	Prefix netip.Prefix
	// SharedNetwork is the name of its shared network; empty where it has none.
	SharedNetwork string
	// Interface it is directly reachable on; empty where not configured.
	Interface string
	// UserContext is JSON; nil where there is none.
	UserContext json.RawMessage
}

func subnetOf(message *hooksv1.Subnet) *Subnet {
	// What the server sends was parsed there; a text that is no prefix leaves an invalid one.
	prefix, _ := netip.ParsePrefix(message.GetPrefix())
	subnet := &Subnet{
		ID:            message.GetId(),
		Prefix:        prefix,
		SharedNetwork: message.GetSharedNetwork(),
		Interface:     message.GetInterface(),
	}
	if text := message.GetUserContext(); text != "" {
		subnet.UserContext = json.RawMessage(text)
	}
	return subnet
}

// ReadUserContext decodes the subnet's user context into target. false: there is none.
func (s *Subnet) ReadUserContext(target any) (bool, error) {
	if s.UserContext == nil {
		return false, nil
	}
	if err := json.Unmarshal(s.UserContext, target); err != nil {
		return false, fmt.Errorf("the user context of subnet %d is not what was expected: %w", s.ID, err)
	}
	return true, nil
}

// IdentifierType is what a host reservation goes by.
type IdentifierType int32

// Every identifier type.
const (
	IdentifierHwAddress IdentifierType = IdentifierType(hooksv1.IdentifierType_IDENTIFIER_TYPE_HW_ADDRESS)
	// IdentifierDUID is in DHCPv4 inside an RFC 4361 client identifier.
	IdentifierDUID IdentifierType = IdentifierType(hooksv1.IdentifierType_IDENTIFIER_TYPE_DUID)
	// IdentifierCircuitID is DHCPv4 option 82.1.
	IdentifierCircuitID IdentifierType = IdentifierType(hooksv1.IdentifierType_IDENTIFIER_TYPE_CIRCUIT_ID)
	// IdentifierClientID is DHCPv4 option 61.
	IdentifierClientID IdentifierType = IdentifierType(hooksv1.IdentifierType_IDENTIFIER_TYPE_CLIENT_ID)
	// IdentifierFlexID is what a callout makes of the packet.
	IdentifierFlexID IdentifierType = IdentifierType(hooksv1.IdentifierType_IDENTIFIER_TYPE_FLEX_ID)
)

// String is the type as in the configuration: "hw-address", "flex-id".
func (t IdentifierType) String() string {
	switch t {
	case IdentifierHwAddress:
		return "hw-address"
	case IdentifierDUID:
		return "duid"
	case IdentifierCircuitID:
		return "circuit-id"
	case IdentifierClientID:
		return "client-id"
	case IdentifierFlexID:
		return "flex-id"
	}
	return fmt.Sprintf("identifier type %d", int32(t))
}

// Host is a host reservation.
type Host struct {
	message *hooksv1.Host
}

// Message is the reservation as it travels.
func (h *Host) Message() *hooksv1.Host { return h.message }

// IdentifierType is what the reservation goes by.
func (h *Host) IdentifierType() IdentifierType { return IdentifierType(h.message.GetIdentifierType()) }

// Identifier is the bytes that the client is known by.
func (h *Host) Identifier() []byte { return h.message.GetIdentifier() }

// SubnetID is the subnet of the reservation; 0: a global one.
func (h *Host) SubnetID() uint32 { return h.message.GetSubnetId() }

// Resources has the reserved addresses and prefixes; an address is a prefix of its own length.
func (h *Host) Resources() []netip.Prefix {
	var resources []netip.Prefix
	for _, text := range h.message.GetResources() {
		if prefix, err := netip.ParsePrefix(text); err == nil {
			resources = append(resources, prefix)
		} else if address, err := netip.ParseAddr(text); err == nil {
			resources = append(resources, netip.PrefixFrom(address, address.BitLen()))
		}
	}
	return resources
}

// Hostname is the reserved name; empty where there is none.
func (h *Host) Hostname() string { return h.message.GetHostname() }

// ClientClasses has the classes that the reservation gives the client.
func (h *Host) ClientClasses() []string { return h.message.GetClientClasses() }
