package outrigger

import (
	"fmt"
	"iter"
	"net/netip"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// Option is one option as it is in a packet.
type Option struct {
	// Code is its number.
	Code uint16
	// Data is the payload without code and length.
	Data  []byte
	space *space
}

// Name is the option's name as in Kea; empty where the code has none.
func (o Option) Name() string {
	if known, ok := o.space.byCode[o.Code]; ok {
		return known.name
	}
	return ""
}

// Value is the payload as a Go value: netip.Addr, netip.Prefix, string, bool, the integer types, PSID, []byte; a slice of
// one of them for an option that is a list, []any for a record. Options that only have others inside are nil. An error
// says what is wrong with the bytes.
func (o Option) Value() (any, error) {
	value, err := decodeOption(o.space.byCode[o.Code], o.space.family, o.Data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.space.describe(o.Code), err)
	}
	return value, nil
}

// String is the value as it would be configured; hex where the bytes do not have the form of the option.
func (o Option) String() string {
	return optionText(o.space.byCode[o.Code], o.space.family, o.Data)
}

// PacketOptions are the options of a packet, of a relay layer, or those inside another option. What was changed reads back; the
// changes reach the server in the order made. An option is named as in Kea; the methods ending in Code take its number
// instead.
//
// A typed reader is false where there is no such option, or where the bytes that somebody sent are not of its type
// (Get and Option.Value say what is wrong with them). A name that does not exist, or a reader that does not belong to
// the option's type, fails the call.
type PacketOptions struct {
	call  *Call
	space *space
	list  *[]*hooksv1.Option
	what  change
	// relay is the layer, where what is one of relays.
	relay uint32
	// nested is where the options are, where they are inside another one.
	nested *nesting
}

func (o *PacketOptions) init(call *Call, space *space, list *[]*hooksv1.Option, what change) {
	o.call, o.space, o.list, o.what = call, space, list, what
}

// Has says whether there is an option with this name.
func (o *PacketOptions) Has(name string) bool {
	_, found := o.find(name)
	return found != nil
}

// HasCode says whether there is an option with this code.
func (o *PacketOptions) HasCode(code uint16) bool { return o.first(code) != nil }

// Get is the first option with this name.
func (o *PacketOptions) Get(name string) (Option, bool) {
	known, found := o.find(name)
	if found == nil {
		return Option{}, false
	}
	return Option{known.code, found.GetData(), o.space}, true
}

// GetCode is the first option with this code.
func (o *PacketOptions) GetCode(code uint16) (Option, bool) {
	found := o.first(code)
	if found == nil {
		return Option{}, false
	}
	return Option{code, found.GetData(), o.space}, true
}

// Raw is the payload of the first option with this code.
func (o *PacketOptions) Raw(code uint16) ([]byte, bool) {
	found := o.first(code)
	return found.GetData(), found != nil
}

// All has every option in the order of the packet.
func (o *PacketOptions) All() iter.Seq[Option] {
	return func(yield func(Option) bool) {
		for _, option := range *o.list {
			if !yield(Option{uint16(option.GetCode()), option.GetData(), o.space}) {
				return
			}
		}
	}
}

// Instances has every instance of the option with this name.
func (o *PacketOptions) Instances(name string) []Option {
	known := o.named(name)
	if known == nil {
		return nil
	}
	return o.InstancesCode(known.code)
}

// InstancesCode has every instance of the option with this code.
func (o *PacketOptions) InstancesCode(code uint16) []Option {
	var instances []Option
	for option := range o.All() {
		if option.Code == code {
			instances = append(instances, option)
		}
	}
	return instances
}

// Len is how many options there are.
func (o *PacketOptions) Len() int { return len(*o.list) }

// Bytes is the payload of the option, of whatever type.
func (o *PacketOptions) Bytes(name string) ([]byte, bool) {
	_, found := o.find(name)
	return found.GetData(), found != nil
}

// String is the text of an option of text, a domain name, or a value of any other type as it would be configured.
func (o *PacketOptions) String(name string) (string, bool) {
	known, found := o.find(name)
	if found == nil {
		return "", false
	}
	if known.kind == "string" && !known.array {
		return string(found.GetData()), true
	}
	value, err := decodeOption(known, o.space.family, found.GetData())
	if err != nil {
		return "", false
	}
	if text, ok := value.(string); ok {
		return text, true
	}
	return optionText(known, o.space.family, found.GetData()), true
}

// Strings is an option that is a list of texts or domain names.
func (o *PacketOptions) Strings(name string) ([]string, bool) {
	return readList[string](o, name, "string")
}

// Addr is an option that is an address.
func (o *PacketOptions) Addr(name string) (netip.Addr, bool) {
	return read[netip.Addr](o, name, "address")
}

// Addrs is an option that is a list of addresses.
func (o *PacketOptions) Addrs(name string) ([]netip.Addr, bool) {
	return readList[netip.Addr](o, name, "address")
}

// Prefix is an option that is an IPv6 prefix.
func (o *PacketOptions) Prefix(name string) (netip.Prefix, bool) {
	return read[netip.Prefix](o, name, "prefix")
}

// Bool is an option that is a boolean.
func (o *PacketOptions) Bool(name string) (bool, bool) { return read[bool](o, name, "boolean") }

// Uint32 is an option that is an unsigned integer of whatever size.
func (o *PacketOptions) Uint32(name string) (uint32, bool) {
	value, ok := o.value(name)
	if !ok {
		return 0, false
	}
	switch number := value.(type) {
	case uint8:
		return uint32(number), true
	case uint16:
		return uint32(number), true
	case uint32:
		return number, true
	}
	o.wrongReader(name, "unsigned integer")
	return 0, false
}

// Uint32s is an option that is a list of unsigned integers of whatever size.
func (o *PacketOptions) Uint32s(name string) ([]uint32, bool) {
	value, ok := o.value(name)
	if !ok {
		return nil, false
	}
	switch numbers := value.(type) {
	case []uint8:
		return widened(numbers), true
	case []uint16:
		return widened(numbers), true
	case []uint32:
		return numbers, true
	}
	o.wrongReader(name, "list of unsigned integers")
	return nil, false
}

// Int32 is an option that is a signed integer of whatever size.
func (o *PacketOptions) Int32(name string) (int32, bool) {
	value, ok := o.value(name)
	if !ok {
		return 0, false
	}
	switch number := value.(type) {
	case int8:
		return int32(number), true
	case int16:
		return int32(number), true
	case int32:
		return number, true
	}
	o.wrongReader(name, "signed integer")
	return 0, false
}

// Value is an option of any type, see Option.Value.
func (o *PacketOptions) Value(name string) (any, bool) { return o.value(name) }

func widened[T uint8 | uint16](numbers []T) []uint32 {
	wide := make([]uint32, len(numbers))
	for i, number := range numbers {
		wide[i] = uint32(number)
	}
	return wide
}

func read[T any](o *PacketOptions, name, wanted string) (T, bool) {
	var none T
	value, ok := o.value(name)
	if !ok {
		return none, false
	}
	typed, ok := value.(T)
	if !ok {
		o.wrongReader(name, wanted)
	}
	return typed, ok
}

func readList[T any](o *PacketOptions, name, wanted string) ([]T, bool) {
	value, ok := o.value(name)
	if !ok {
		return nil, false
	}
	switch typed := value.(type) {
	case []T:
		return typed, true
	case T:
		return []T{typed}, true
	}
	o.wrongReader(name, "list of "+wanted)
	return nil, false
}

func (o *PacketOptions) wrongReader(name, wanted string) {
	known := o.space.byName[name]
	o.mistake(fmt.Errorf("%s is no %s: it is %s", o.space.describe(known.code), wanted, known.typeText()))
}

func (o *PacketOptions) value(name string) (any, bool) {
	known, found := o.find(name)
	if found == nil {
		return nil, false
	}
	value, err := decodeOption(known, o.space.family, found.GetData())
	return value, err == nil
}

func (o *PacketOptions) mistake(mistake error) {
	if o.call != nil {
		o.call.fail(mistake)
	}
}

func (o *PacketOptions) named(name string) *definition {
	known, err := o.space.named(name)
	if err != nil {
		o.mistake(err)
	}
	return known
}

func (o *PacketOptions) find(name string) (*definition, *hooksv1.Option) {
	known := o.named(name)
	if known == nil {
		return nil, nil
	}
	return known, o.first(known.code)
}

func (o *PacketOptions) first(code uint16) *hooksv1.Option {
	for _, option := range *o.list {
		if option.GetCode() == uint32(code) {
			return option
		}
	}
	return nil
}
