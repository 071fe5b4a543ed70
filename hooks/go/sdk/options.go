package outrigger

import (
	"encoding/binary"
	"errors"
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

// nesting is how options are inside another one.
type nesting struct {
	parent *PacketOptions
	// path leads to the option, which is path's last code.
	path       []uint32
	enterprise uint32
	// isVendor: the options are those of the enterprise, in the option's block or instance.
	isVendor bool
	// option is the instance of the parent; nil where there is none.
	option *hooksv1.Option
	// before and after are its bytes around the options.
	before, after []byte
	records       []*hooksv1.Option
	// problem is why the options cannot be edited.
	problem error
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

// Sub has the options inside the option with this name; none where there is no such option.
func (o *PacketOptions) Sub(name string) *PacketOptions {
	known := o.named(name)
	if known == nil {
		return o.without(errors.New("there is no such option"))
	}
	return o.SubCode(known.code)
}

// SubCode has the options inside the option with this code; none where there is no such option.
func (o *PacketOptions) SubCode(code uint16) *PacketOptions {
	if o.nested == nil && o.space == dhcp4Space() && code == 125 {
		return o.without(fmt.Errorf("the options inside %s belong to an enterprise: see Vendor", o.space.describe(code)))
	}
	return o.inside(code, o.first(code))
}

// without has no options, and none can be set.
func (o *PacketOptions) without(problem error) *PacketOptions {
	sub := &PacketOptions{call: o.call, space: &space{family: o.space.family}, what: o.what, relay: o.relay}
	sub.nested = &nesting{parent: o, problem: problem}
	sub.list = &sub.nested.records
	return sub
}

// inside has the options in one instance.
func (o *PacketOptions) inside(code uint16, option *hooksv1.Option) *PacketOptions {
	sub := &PacketOptions{call: o.call, space: o.space.inside(code), what: o.what, relay: o.relay}
	n := &nesting{parent: o, option: option, path: append(o.path(), uint32(code))}
	sub.nested, sub.list = n, &n.records
	if o.nested != nil {
		n.enterprise = o.nested.enterprise
	}
	switch {
	case o.nested != nil && o.nested.problem != nil:
		n.problem = o.nested.problem
	case option != o.first(code) && code != 17:
		// A path has no number of an instance.
		n.problem = fmt.Errorf("only the first %s can be changed inside", o.space.describe(code))
	case !canEnter(o.space.family, n.path):
		n.problem = fmt.Errorf("the options inside %s cannot be changed one by one: set it as a whole", o.space.describe(code))
	}
	if option == nil {
		return sub
	}
	head := o.space.byCode[code].headLength(o.space.family, option.GetData())
	if head < 0 {
		n.problem = fmt.Errorf("%s is malformed", o.space.describe(code))
		return sub
	}
	n.before = option.GetData()[:head]
	n.parse(o.space.family, o.space.describe(code), option.GetData()[head:])
	return sub
}

// path leads to the options.
func (o *PacketOptions) path() []uint32 {
	if o.nested == nil {
		return nil
	}
	return append([]uint32(nil), o.nested.path...)
}

func (n *nesting) parse(family int, container string, data []byte) {
	records, rest := parseRecords(family, data)
	n.records = records
	// RFC 2132 §8.4: the options of a vendor may end before the bytes do.
	if family == 4 && len(n.path) == 1 && n.path[0] == 43 && len(rest) > 0 && rest[0] == 255 {
		n.after = rest
	} else if len(rest) > 0 {
		n.problem = fmt.Errorf("%s is malformed", container)
	}
}

// Vendor has the options of one enterprise: inside DHCPv4 option 125 or DHCPv6 option 17.
func (o *PacketOptions) Vendor(enterprise uint32) *PacketOptions {
	if o.nested != nil {
		return o.without(errors.New("options of vendors are in the packet itself"))
	}
	if o.space.family == 4 {
		return o.vendor4(enterprise)
	}
	sub := o.inside(17, o.instanceOf(enterprise))
	sub.space = spaceNamed(6, fmt.Sprintf("vendor-%d", enterprise))
	sub.nested.belongTo(enterprise)
	return sub
}

// belongTo has the options be those of an enterprise.
func (n *nesting) belongTo(enterprise uint32) {
	n.enterprise, n.isVendor = enterprise, true
	if enterprise == 0 && n.problem == nil {
		// In an edit, 0 is whichever comes first.
		n.problem = errors.New("options of the enterprise 0 cannot be changed one by one")
	}
}

func (o *PacketOptions) instanceOf(enterprise uint32) *hooksv1.Option {
	for _, option := range *o.list {
		data := option.GetData()
		if option.GetCode() == 17 && len(data) >= 4 && binary.BigEndian.Uint32(data) == enterprise {
			return option
		}
	}
	return nil
}

// vendor4 finds the block of an enterprise in option 125 (RFC 3925 §4).
func (o *PacketOptions) vendor4(enterprise uint32) *PacketOptions {
	sub := &PacketOptions{call: o.call, what: o.what, space: spaceNamed(4, fmt.Sprintf("vendor-%d", enterprise))}
	n := &nesting{parent: o, path: []uint32{125}}
	n.belongTo(enterprise)
	sub.nested, sub.list = n, &n.records
	option := o.first(125)
	data := option.GetData()
	for at := 0; at < len(data); {
		if len(data)-at < 5 || len(data)-at-5 < int(data[at+4]) {
			n.option, n.problem = option, fmt.Errorf("%s is malformed", o.space.describe(125))
			return sub
		}
		end := at + 5 + int(data[at+4])
		if binary.BigEndian.Uint32(data[at:]) == enterprise {
			n.option, n.before, n.after = option, data[:at+4], data[end:]
			n.parse(4, o.space.describe(125), data[at+5:end])
			return sub
		}
		at = end
	}
	if option != nil {
		n.before = data
	}
	return sub
}

// parseRecords takes options apart; rest is what is none.
func parseRecords(family int, data []byte) (records []*hooksv1.Option, rest []byte) {
	for len(data) > 0 {
		var code, head, length int
		switch {
		case family == 4 && data[0] == 0:
			// Padding.
			data = data[1:]
			continue
		case family == 4 && len(data) >= 2 && data[0] != 255:
			code, head, length = int(data[0]), 2, int(data[1])
		case family == 6 && len(data) >= 4:
			code, head = int(binary.BigEndian.Uint16(data)), 4
			length = int(binary.BigEndian.Uint16(data[2:]))
		default:
			return records, data
		}
		if len(data)-head < length {
			return records, data
		}
		records = append(records, &hooksv1.Option{Code: uint32(code), Data: data[head : head+length : head+length]})
		data = data[head+length:]
	}
	return records, nil
}

// appendRecords puts options together.
func appendRecords(data []byte, family int, records []*hooksv1.Option) ([]byte, error) {
	for _, record := range records {
		length := len(record.GetData())
		if family == 4 {
			if length > 255 {
				return nil, fmt.Errorf("option %d has %d bytes; 255 are possible inside another one", record.GetCode(), length)
			}
			data = append(data, byte(record.GetCode()), byte(length))
		} else {
			if length > 65535 {
				return nil, fmt.Errorf("option %d has %d bytes; 65535 are possible", record.GetCode(), length)
			}
			data = binary.BigEndian.AppendUint16(data, uint16(record.GetCode()))
			data = binary.BigEndian.AppendUint16(data, uint16(length))
		}
		data = append(data, record.GetData()...)
	}
	return data, nil
}
