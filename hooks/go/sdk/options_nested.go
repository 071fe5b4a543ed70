package outrigger

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

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
