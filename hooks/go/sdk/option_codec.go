package outrigger

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// PSID is a port set identifier (RFC 7597 §5.1).
type PSID struct {
	// Value has Length bits.
	Value uint16
	// Length is at most 16.
	Length uint8
}

// String is as it would be configured: "3/4".
func (p PSID) String() string { return fmt.Sprintf("%d/%d", p.Value, p.Length) }

// typeText is the type of an option for errors: "a list of ipv4-address".
func (d *definition) typeText() string {
	switch {
	case d == nil:
		return "of no known type: []byte"
	case d.kind == "record" && d.array:
		return "a record of " + strings.Join(d.record, ", ") + " (repeated)"
	case d.kind == "record":
		return "a record of " + strings.Join(d.record, ", ")
	case d.array:
		return "a list of " + d.kind
	}
	return "of type " + d.kind
}

// fields has the types of the option's fields.
func (d *definition) fields() []string {
	if d.kind == "record" {
		return d.record
	}
	return []string{d.kind}
}

// tupleLength is how many bytes the length of a text takes: DHCPv4 has one, DHCPv6 and RFC 8572 have two.
func (d *definition) tupleLength(family int) int {
	if family == 4 && d.name != "v4-sztp-redirect" {
		return 1
	}
	return 2
}

// errShort says that a value ends before it is complete.
var errShort = errors.New("the value is cut short")

// headLength is how many bytes come before the options in this option; -1 where it is malformed.
func (d *definition) headLength(family int, data []byte) int {
	if d == nil {
		return 0
	}
	rest := data
	for _, kind := range d.fields() {
		_, behind, err := takeField(kind, d.tupleLength(family), rest)
		if err != nil {
			return -1
		}
		rest = behind
	}
	return len(data) - len(rest)
}

// decodeFields takes the fields of an option; rest is what follows them.
func decodeFields(d *definition, family int, data []byte) (fields []any, rest []byte, err error) {
	kinds := d.fields()
	rest = data
	for len(fields) < len(kinds) || d.array && len(rest) > 0 {
		if d.array && d.kind != "record" && len(rest) == 0 {
			break
		}
		kind := kinds[min(len(fields), len(kinds)-1)]
		before := len(rest)
		var value any
		if value, rest, err = takeField(kind, d.tupleLength(family), rest); err != nil {
			return nil, nil, fmt.Errorf("field %d: %s: %w", len(fields)+1, kind, err)
		}
		fields = append(fields, value)
		if len(fields) > len(kinds) && len(rest) == before {
			return nil, nil, fmt.Errorf("field %d: %s: it takes no bytes", len(fields), kind)
		}
	}
	return fields, rest, nil
}

// decodeOption is the value of an option; the bytes where it has no definition.
func decodeOption(d *definition, family int, data []byte) (any, error) {
	if d == nil || d.kind == "internal" {
		return data, nil
	}
	fields, _, err := decodeFields(d, family, data)
	switch {
	case err != nil:
		return nil, err
	case d.kind == "record":
		return fields, nil
	case d.array:
		return listOf(d.kind, fields), nil
	}
	return fields[0], nil
}

// listOf is a slice of the type of kind.
func listOf(kind string, fields []any) any {
	switch kind {
	case "uint8":
		return typedList[uint8](fields)
	case "uint16":
		return typedList[uint16](fields)
	case "uint32":
		return typedList[uint32](fields)
	case "int8":
		return typedList[int8](fields)
	case "int16":
		return typedList[int16](fields)
	case "int32":
		return typedList[int32](fields)
	case "ipv4-address", "ipv6-address":
		return typedList[netip.Addr](fields)
	case "string", "tuple", "fqdn":
		return typedList[string](fields)
	}
	return fields
}

func typedList[T any](fields []any) []T {
	list := make([]T, len(fields))
	for i, field := range fields {
		// takeField made each of them of this type.
		list[i] = field.(T)
	}
	return list
}

// takeField takes one field off data.
func takeField(kind string, tupleLength int, data []byte) (value any, rest []byte, err error) {
	take := func(length int) []byte {
		if len(data) < length {
			err = errShort
			return make([]byte, length)
		}
		taken := data[:length]
		rest = data[length:]
		return taken
	}
	switch kind {
	case "empty":
		return nil, data, nil
	case "boolean":
		value = take(1)[0] != 0
	case "int8":
		value = int8(take(1)[0])
	case "int16":
		value = int16(binary.BigEndian.Uint16(take(2)))
	case "int32":
		value = int32(binary.BigEndian.Uint32(take(4)))
	case "uint8":
		value = take(1)[0]
	case "uint16":
		value = binary.BigEndian.Uint16(take(2))
	case "uint32":
		value = binary.BigEndian.Uint32(take(4))
	case "ipv4-address":
		value = addrOf(take(4))
	case "ipv6-address":
		value = addrOf(take(16))
	case "ipv6-prefix":
		return takePrefix(data)
	case "psid":
		bytes := take(3)
		length := min(bytes[0], 16)
		value = PSID{Value: uint16(uint32(binary.BigEndian.Uint16(bytes[1:])) >> (16 - length)), Length: length}
	case "string":
		return string(data), nil, nil
	case "tuple":
		return takeTuple(tupleLength, data)
	case "fqdn":
		return takeFqdn(data)
	default:
		return data, nil, nil
	}
	return value, rest, err
}

func takePrefix(data []byte) (any, []byte, error) {
	if len(data) == 0 {
		return nil, nil, errShort
	}
	length := (int(data[0]) + 7) / 8
	switch {
	case data[0] > 128:
		return nil, nil, errors.New("the prefix is longer than an address")
	case len(data)-1 < length:
		return nil, nil, errors.New("the prefix is cut short")
	}
	var address [16]byte
	copy(address[:], data[1:1+length])
	return netip.PrefixFrom(netip.AddrFrom16(address), int(data[0])), data[1+length:], nil
}

func takeTuple(head int, data []byte) (any, []byte, error) {
	if len(data) < head {
		return nil, nil, errors.New("the text is cut short")
	}
	length := int(data[0])
	if head == 2 {
		length = int(binary.BigEndian.Uint16(data))
	}
	if len(data)-head < length {
		return nil, nil, errors.New("the text is cut short")
	}
	return string(data[head : head+length]), data[head+length:], nil
}

func takeFqdn(data []byte) (any, []byte, error) {
	var name strings.Builder
	for {
		if len(data) == 0 {
			return nil, nil, errors.New("the name does not end")
		}
		length := int(data[0])
		switch {
		case length == 0 && name.Len() == 0:
			return ".", data[1:], nil
		case length == 0:
			return name.String(), data[1:], nil
		case length > 63:
			return nil, nil, errors.New("the name is compressed")
		case len(data)-1 < length:
			return nil, nil, errors.New("a label is cut short")
		}
		name.WriteString(escaped(data[1 : 1+length]))
		name.WriteByte('.')
		data = data[1+length:]
	}
}

// escaped is text of a peer without control characters.
func escaped(bytes []byte) string {
	var text strings.Builder
	for _, b := range bytes {
		switch {
		case b == '\t':
			text.WriteString(`\t`)
		case b == '\r':
			text.WriteString(`\r`)
		case b == '\n':
			text.WriteString(`\n`)
		case b == '\\' || b == '\'' || b == '"':
			text.WriteByte('\\')
			text.WriteByte(b)
		case b < 0x20 || b >= 0x7f:
			fmt.Fprintf(&text, `\x%02x`, b)
		default:
			text.WriteByte(b)
		}
	}
	return text.String()
}

// optionText is the value as it would be configured; hex where the bytes do not have the form of the option, and for what
// follows its fields.
func optionText(d *definition, family int, data []byte) string {
	if d == nil || d.kind == "internal" {
		return hex.EncodeToString(data)
	}
	fields, rest, err := decodeFields(d, family, data)
	if err != nil {
		return hex.EncodeToString(data)
	}
	var texts []string
	kinds := d.fields()
	for i, field := range fields {
		if text := fieldText(kinds[min(i, len(kinds)-1)], field); text != "" {
			texts = append(texts, text)
		}
	}
	if len(rest) > 0 {
		texts = append(texts, hex.EncodeToString(rest))
	}
	return strings.Join(texts, ", ")
}

func fieldText(kind string, field any) string {
	switch value := field.(type) {
	case nil:
		return ""
	case []byte:
		return hex.EncodeToString(value)
	case string:
		if kind == "fqdn" {
			return value
		}
		return `"` + escaped([]byte(value)) + `"`
	}
	return fmt.Sprint(field)
}
