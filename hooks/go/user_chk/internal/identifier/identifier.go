// Package identifier has what clients are registered and recorded by: hardware addresses and DUIDs.
package identifier

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// Type is what an identifier is. The numbers are those of the packet's context; hardware addresses sort before DUIDs.
type Type uint8

const (
	// HwAddr is HW_ADDR: the hardware address in the header of a DHCPv4 packet, whatever its hardware type.
	HwAddr Type = 1
	// DUID is option 1 of a DHCPv6 message.
	DUID Type = 2
)

// ParseType reads a type as the registry has it; case matters.
func ParseType(label string) (Type, error) {
	switch label {
	case "HW_ADDR":
		return HwAddr, nil
	case "DUID":
		return DUID, nil
	}
	return 0, fmt.Errorf("type \"%s\" is neither \"HW_ADDR\" nor \"DUID\"", label)
}

// String is the type as in the registry and in the outcome file.
func (t Type) String() string {
	if t == HwAddr {
		return "HW_ADDR"
	}
	return "DUID"
}

// Lengths are the least and the most bytes of an identifier.
func (t Type) Lengths() (least, most int) {
	if t == HwAddr {
		// Kea: ":" is accepted and means no bytes, which no client can match.
		return 1, 20
	}
	return 3, 130
}

// Fits says whether an identifier of the type may have so many bytes.
func (t Type) Fits(length int) bool {
	least, most := t.Lengths()
	return least <= length && length <= most
}

// Identifier is who is registered. Two are equal when type and bytes are.
type Identifier struct {
	Type Type
	// Bytes are the identifier itself, 1 to 20 of a hardware address, 3 to 130 of a DUID. A string can be a map's key.
	Bytes string
}

// New makes an identifier of bytes; the length must be one of the type.
func New(kind Type, bytes []byte) (Identifier, error) {
	if !kind.Fits(len(bytes)) {
		least, most := kind.Lengths()
		return Identifier{}, fmt.Errorf("id has %d bytes; a %s has %d to %d", len(bytes), kind, least, most)
	}
	return Identifier{Type: kind, Bytes: string(bytes)}, nil
}

// Parse reads hexadecimal digits of either case. Colons and white space are passed over, wherever they are.
func Parse(kind Type, text string) (Identifier, error) {
	digits := make([]byte, 0, len(text))
	for _, character := range text {
		switch {
		case strings.ContainsRune(": \t\n\f\r", character):
		case strings.ContainsRune("0123456789abcdefABCDEF", character):
			digits = append(digits, byte(character))
		default:
			return Identifier{}, fmt.Errorf("id has \"%c\", which is no hexadecimal digit", character)
		}
	}
	if len(digits)%2 != 0 {
		return Identifier{}, fmt.Errorf("id has an odd number of digits")
	}
	count, err := hex.Decode(digits, digits)
	if err != nil {
		return Identifier{}, fmt.Errorf("id: %w", err)
	}
	return New(kind, digits[:count])
}

// String is the canonical text: lower-case digits without separators.
func (i Identifier) String() string {
	return hex.EncodeToString([]byte(i.Bytes))
}
