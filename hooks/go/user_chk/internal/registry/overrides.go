package registry

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/identifier"
)

// Overrides are the properties of one user that change a response; empty ones change nothing.
type Overrides struct {
	// Bootfile is the boot file name.
	Bootfile string
	// TFTPServer is a name or address in DHCPv4, addresses in DHCPv6.
	TFTPServer string
}

// OverridesOf are those of a user.
func OverridesOf(properties Properties) Overrides {
	return Overrides{Bootfile: properties.Get(Bootfile), TFTPServer: properties.Get(TFTPServer)}
}

// TFTPAddresses are the TFTP servers as DHCPv6 sub-option 32 has them, 16 bytes each. A name among them is an error:
// Kea writes the text there, which no client can read.
func (o Overrides) TFTPAddresses() ([]byte, error) {
	var octets []byte
	for word := range strings.SplitSeq(o.TFTPServer, ",") {
		word = strings.TrimSpace(word)
		if word == "" {
			continue
		}
		address, err := netip.ParseAddr(word)
		if err != nil || !address.Is6() || address.Zone() != "" {
			return nil, fmt.Errorf("%s has \"%s\"; DHCPv6 clients need IPv6 addresses, with commas between them", TFTPServer, word)
		}
		octets = append(octets, address.AsSlice()...)
	}
	return octets, nil
}

// checkOverrides says whether every property of a user can be written into a response of the user's family.
func checkOverrides(kind identifier.Type, properties Properties) error {
	if kind != identifier.DUID {
		return nil
	}
	_, err := OverridesOf(properties).TFTPAddresses()
	return err
}
