package identifier

import (
	"bytes"
	"strconv"
)

// Client is whom a packet is from. The zero value is a client without a usable identifier.
type Client struct {
	// Type is 0 where there is no usable identifier.
	Type Type
	// HType is the IANA hardware type of a hardware address; it is recorded and plays no part in lookups.
	HType uint16
	// Bytes are to be looked up. They belong to whoever made the client.
	Bytes []byte
}

// Of4 is the client with this hardware address; without a usable identifier where it is none.
func Of4(htype uint32, address []byte) Client {
	if htype > 0xffff || !HwAddr.Fits(len(address)) {
		return Client{}
	}
	return Client{Type: HwAddr, HType: uint16(htype), Bytes: address}
}

// Of6 is the client with this DUID; without a usable identifier where it is none.
func Of6(duid []byte) Client {
	if !DUID.Fits(len(duid)) {
		return Client{}
	}
	return Client{Type: DUID, Bytes: duid}
}

// Known says whether there is a usable identifier.
func (c Client) Known() bool {
	return c.Type != 0
}

// Equal says whether both are the same client, hardware type included.
func (c Client) Equal(other Client) bool {
	return c.Type == other.Type && c.HType == other.HType && bytes.Equal(c.Bytes, other.Bytes)
}

// AppendText appends the client as the outcome file has it: "hwtype=1 52:54:00:0a:0b:01", or the colon-separated DUID.
func (c Client) AppendText(text []byte) []byte {
	const digits = "0123456789abcdef"
	if c.Type == HwAddr {
		text = append(text, "hwtype="...)
		text = strconv.AppendUint(text, uint64(c.HType), 10)
		text = append(text, ' ')
	}
	for index, octet := range c.Bytes {
		if index > 0 {
			text = append(text, ':')
		}
		text = append(text, digits[octet>>4], digits[octet&15])
	}
	return text
}

// String is as AppendText has it.
func (c Client) String() string {
	return string(c.AppendText(nil))
}
