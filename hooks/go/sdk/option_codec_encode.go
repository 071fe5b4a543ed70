package outrigger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
)

// encodeOption is the payload for a value. An error names the option, its type and the value.
func encodeOption(s *space, code uint16, value any) ([]byte, error) {
	if raw, ok := value.([]byte); ok {
		return append([]byte(nil), raw...), nil
	}
	d := s.byCode[code]
	data, err := encodeFields(d, s.family, value)
	if err != nil {
		return nil, fmt.Errorf("%s is %s, not %s: %w", s.describe(code), d.typeText(), shown(value), err)
	}
	if s.family == 4 && s.name != "dhcp4" && len(data) > 255 {
		return nil, fmt.Errorf("%s has %d bytes; 255 are possible", s.describe(code), len(data))
	}
	return data, nil
}

// shown is a value for errors, shortened, with its type.
func shown(value any) string {
	return fmt.Sprintf("%s (%T)", clipped(fmt.Sprintf("%#v", value)), value)
}

func encodeFields(d *definition, family int, value any) ([]byte, error) {
	switch {
	case d == nil, d.kind == "internal":
		return nil, errors.New("[]byte is wanted")
	case d.kind != "record" && !d.array:
		return appendField(nil, d.kind, d.tupleLength(family), value)
	}
	fields := []any{value}
	if list := reflect.ValueOf(value); value != nil && list.Kind() == reflect.Slice {
		fields = make([]any, list.Len())
		for i := range fields {
			fields[i] = list.Index(i).Interface()
		}
	} else if d.kind == "record" {
		return nil, errors.New("[]any with the fields is wanted")
	}
	kinds, tupleLength := d.fields(), d.tupleLength(family)
	if d.kind == "record" && (len(fields) < len(kinds) || len(fields) > len(kinds) && !d.array) {
		return nil, fmt.Errorf("it has %d fields, %d are wanted", len(fields), len(kinds))
	}
	var data []byte
	for i, field := range fields {
		var err error
		if data, err = appendField(data, kinds[min(i, len(kinds)-1)], tupleLength, field); err != nil {
			return nil, fmt.Errorf("field %d: %w", i+1, err)
		}
	}
	return data, nil
}

// appendField puts one field behind data.
func appendField(data []byte, kind string, tupleLength int, value any) ([]byte, error) {
	switch kind {
	case "empty":
		if value != nil {
			return nil, errors.New("nil is wanted")
		}
		return data, nil
	case "boolean":
		flag, ok := value.(bool)
		switch {
		case !ok:
			return nil, errors.New("a bool is wanted")
		case flag:
			return append(data, 1), nil
		}
		return append(data, 0), nil
	case "int8", "int16", "int32", "uint8", "uint16", "uint32":
		return appendInteger(data, kind, value)
	case "ipv4-address", "ipv6-address":
		address, ok := value.(netip.Addr)
		if !ok || !address.IsValid() || address.Is4() != (kind == "ipv4-address") {
			return nil, fmt.Errorf("a netip.Addr is wanted, an %s", kind)
		}
		return append(data, address.AsSlice()...), nil
	case "ipv6-prefix":
		prefix, ok := value.(netip.Prefix)
		if !ok || !prefix.IsValid() || prefix.Addr().Is4() {
			return nil, errors.New("a netip.Prefix is wanted, an IPv6 one")
		}
		address := prefix.Masked().Addr().As16()
		return append(append(data, byte(prefix.Bits())), address[:(prefix.Bits()+7)/8]...), nil
	case "psid":
		psid, ok := value.(PSID)
		if !ok || psid.Length > 16 || uint32(psid.Value)>>psid.Length != 0 {
			return nil, errors.New("a PSID is wanted, its value in at most 16 bits of its length")
		}
		shifted := uint16(uint32(psid.Value) << (16 - psid.Length))
		return binary.BigEndian.AppendUint16(append(data, psid.Length), shifted), nil
	case "string", "tuple", "fqdn":
		text, ok := value.(string)
		if !ok {
			return nil, errors.New("a string is wanted")
		}
		return appendText(data, kind, tupleLength, text)
	}
	raw, ok := value.([]byte)
	if !ok {
		return nil, errors.New("[]byte is wanted")
	}
	return append(data, raw...), nil
}

func appendText(data []byte, kind string, tupleLength int, text string) ([]byte, error) {
	switch kind {
	case "fqdn":
		return appendFqdn(data, text)
	case "string":
		return append(data, text...), nil
	}
	if tupleLength == 1 {
		if len(text) > 255 {
			return nil, fmt.Errorf("the text has %d bytes; 255 are possible", len(text))
		}
		return append(append(data, byte(len(text))), text...), nil
	}
	if len(text) > 65535 {
		return nil, fmt.Errorf("the text has %d bytes; 65535 are possible", len(text))
	}
	return append(binary.BigEndian.AppendUint16(data, uint16(len(text))), text...), nil
}

// appendFqdn writes a domain name; a dot at its end may be left out. \DDD and the escapes of a decoded name are
// understood.
func appendFqdn(data []byte, name string) ([]byte, error) {
	before := len(data)
	for _, label := range strings.Split(strings.TrimSuffix(name, "."), ".") {
		if label == "" && (name == "." || name == "") {
			break
		}
		bytes, err := unescaped(label)
		if err != nil || len(bytes) == 0 || len(bytes) > 63 {
			return nil, errors.New("a domain name is wanted, its labels of 1 to 63 bytes")
		}
		data = append(append(data, byte(len(bytes))), bytes...)
	}
	data = append(data, 0)
	if len(data)-before > 255 {
		return nil, errors.New("a domain name has at most 255 bytes")
	}
	return data, nil
}

func unescaped(label string) ([]byte, error) {
	if !strings.ContainsRune(label, '\\') {
		return []byte(label), nil
	}
	var bytes []byte
	for label != "" {
		// Either quote is escaped in a name, but UnquoteChar takes one of them only.
		if len(label) > 1 && label[0] == '\\' && (label[1] == '\'' || label[1] == '"') {
			bytes, label = append(bytes, label[1]), label[2:]
			continue
		}
		r, multibyte, rest, err := strconv.UnquoteChar(label, 0)
		if err != nil {
			return nil, err
		}
		if multibyte {
			bytes = append(bytes, string(r)...)
		} else {
			bytes = append(bytes, byte(r))
		}
		label = rest
	}
	return bytes, nil
}

// appendInteger takes any of Go's integers that fits.
func appendInteger(data []byte, kind string, value any) ([]byte, error) {
	bits, _ := strconv.Atoi(strings.TrimLeft(kind, "uint"))
	lowest, highest := int64(0), int64(1)<<bits-1
	if kind[0] == 'i' {
		lowest, highest = -(int64(1) << (bits - 1)), int64(1)<<(bits-1)-1
	}
	number := reflect.ValueOf(value)
	var integer int64
	switch {
	case value != nil && number.CanInt():
		integer = number.Int()
	case value != nil && number.CanUint():
		integer = int64(min(number.Uint(), 1<<62))
	default:
		return nil, errors.New("an integer is wanted")
	}
	if integer < lowest || integer > highest {
		return nil, fmt.Errorf("an integer from %d to %d is wanted", lowest, highest)
	}
	switch bits {
	case 8:
		return append(data, byte(integer)), nil
	case 16:
		return binary.BigEndian.AppendUint16(data, uint16(integer)), nil
	}
	return binary.BigEndian.AppendUint32(data, uint32(integer)), nil
}
