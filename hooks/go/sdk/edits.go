package outrigger

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// The actions of an edit.
const (
	actionSet    = hooksv1.OptionEdit_ACTION_SET
	actionAdd    = hooksv1.OptionEdit_ACTION_ADD
	actionRemove = hooksv1.OptionEdit_ACTION_REMOVE
)

// Set replaces the option with this name where it stands; where there is none, it is appended. The value is of the
// option's type: string, netip.Addr, netip.Prefix, bool, any integer, PSID; a slice of them for a list; []any for a
// record. []byte is the payload as it is, nil that of an option without a value.
//
// An option inside another one (Sub, Vendor) is changed there. Where the other one is not in the packet, it is added,
// unless the subscription does not read it: then it has to be there.
func (o *PacketOptions) Set(name string, value any) error { return o.editNamed(actionSet, name, value) }

// SetCode is Set by the option's code. An option without a name takes []byte.
func (o *PacketOptions) SetCode(code uint16, value any) error { return o.edit(actionSet, code, value) }

// Add appends another instance of the option with this name. See Set.
func (o *PacketOptions) Add(name string, value any) error { return o.editNamed(actionAdd, name, value) }

// AddCode is Add by the option's code.
func (o *PacketOptions) AddCode(code uint16, value any) error { return o.edit(actionAdd, code, value) }

// Remove removes every instance of the option with this name; nothing happens where there is none.
func (o *PacketOptions) Remove(name string) error { return o.editNamed(actionRemove, name, nil) }

// RemoveCode is Remove by the option's code.
func (o *PacketOptions) RemoveCode(code uint16) error { return o.edit(actionRemove, code, nil) }

func (o *PacketOptions) editNamed(action hooksv1.OptionEdit_Action, name string, value any) error {
	known, err := o.space.named(name)
	if err != nil {
		return err
	}
	return o.edit(action, known.code, value)
}

func (o *PacketOptions) edit(action hooksv1.OptionEdit_Action, code uint16, value any) error {
	if err := o.mayEdit(code); err != nil {
		return err
	}
	if o.space.family == 4 && code > 255 {
		return fmt.Errorf("a DHCPv4 option has a code up to 255, not %d", code)
	}
	var data []byte
	if action != actionRemove {
		var err error
		if data, err = encodeOption(o.space, code, value); err != nil {
			return err
		}
	}
	if o.nested != nil {
		return o.editNested(action, code, data)
	}
	apply(o.list, action, code, data)
	o.push(&hooksv1.OptionEdit{Action: action, Path: []uint32{uint32(code)}, Data: data})
	return nil
}

// mayEdit is nil where the hook point allows the edit.
func (o *PacketOptions) mayEdit(code uint16) error {
	if o.nested != nil && len(o.nested.path) > 0 {
		code = uint16(o.nested.path[0])
	}
	return o.call.rights.checkOption(o.what, code)
}

func (o *PacketOptions) editNested(action hooksv1.OptionEdit_Action, code uint16, data []byte) error {
	o.refresh()
	n := o.nested
	if n.problem != nil {
		return n.problem
	}
	isAbsent := n.option == nil
	records := slices.Clone(n.records)
	apply(&records, action, code, data)
	if isAbsent && !o.isRead() {
		// It may be in the packet all the same: the server finds out.
		n.records = records
		o.push(&hooksv1.OptionEdit{
			Action: action, Path: append(o.path(), uint32(code)), Enterprise: n.enterprise, Data: data,
		})
		return nil
	}
	if isAbsent && action == actionRemove {
		return nil
	}
	whole, err := n.encode(o.space.family, records)
	if err != nil {
		return err
	}
	if isAbsent {
		return o.makeContainer(whole, records)
	}
	if err := o.store(whole); err != nil {
		return err
	}
	n.records = records
	o.push(&hooksv1.OptionEdit{
		Action: action, Path: append(o.path(), uint32(code)), Enterprise: n.enterprise, Data: data,
	})
	return nil
}

// refresh has the options be those of the packet as it is now: other edits may have changed what is around them.
func (o *PacketOptions) refresh() {
	n := o.nested
	if n.problem != nil || n.option == nil && !o.isRead() {
		return
	}
	if n.parent.nested != nil {
		n.parent.refresh()
	}
	around := n.parent
	if n.isVendor {
		*n = *around.Vendor(n.enterprise).nested
	} else {
		*n = *around.SubCode(uint16(n.path[len(n.path)-1])).nested
	}
}

// isRead says whether the server sent the option that these are inside of, where it is in the packet.
func (o *PacketOptions) isRead() bool {
	for o.nested.parent.nested != nil {
		o = o.nested.parent
	}
	return o.call.rights.reads(o.what, o.nested.path[0])
}

// makeContainer adds the option that the records are inside of.
func (o *PacketOptions) makeContainer(whole []byte, records []*hooksv1.Option) error {
	n := o.nested
	code := uint16(n.path[len(n.path)-1])
	action := actionSet
	if o.space.family == 6 && code == 17 {
		// Other enterprises have instances of their own.
		action = actionAdd
	}
	if o.space.family == 6 && code != 17 && n.parent.space.byCode[code].headLength(6, nil) != 0 {
		return fmt.Errorf("there is no %s to change options in", n.parent.space.describe(code))
	}
	if err := n.parent.edit(action, code, whole); err != nil {
		return err
	}
	n.records = records
	for _, option := range *n.parent.list {
		if option.GetCode() == uint32(code) {
			n.option = option
		}
	}
	// From here on, the others of the option are around the new ones.
	if o.space.family == 4 && code == 125 {
		n.before = whole[:len(n.before)+4]
	} else if code == 17 {
		n.before = whole[:4]
	}
	return nil
}

// encode is the payload of the option with these records inside.
func (n *nesting) encode(family int, records []*hooksv1.Option) ([]byte, error) {
	whole := slices.Clone(n.before)
	isVendor4 := family == 4 && len(n.path) == 1 && n.path[0] == 125
	if n.option == nil && (isVendor4 || family == 6 && n.path[0] == 17) {
		whole = binary.BigEndian.AppendUint32(whole, n.enterprise)
	}
	inner, err := appendRecords(nil, family, records)
	if err != nil {
		return nil, err
	}
	if isVendor4 {
		if len(inner) > 255 {
			return nil, fmt.Errorf("the options of enterprise %d have %d bytes; 255 are possible", n.enterprise, len(inner))
		}
		whole = append(whole, byte(len(inner)))
	}
	return append(append(whole, inner...), n.after...), nil
}

// store has the change read back in the option around, and in the one around that.
func (o *PacketOptions) store(whole []byte) error {
	n := o.nested
	if n.parent.nested != nil {
		before := n.option.Data
		n.option.Data = whole
		outer, err := n.parent.nested.encode(o.space.family, n.parent.nested.records)
		if err == nil {
			err = n.parent.store(outer)
		}
		if err != nil {
			n.option.Data = before
			return err
		}
	}
	n.option.Data = whole
	return nil
}

// push has the edit travel.
func (o *PacketOptions) push(edit *hooksv1.OptionEdit) {
	if o.what == changeIAOptions {
		changes := o.call.Changes()
		changes.IaOptions = append(changes.IaOptions, edit)
		return
	}
	if o.space.family == 4 {
		changes := changes4(o.call, o.what.side())
		changes.Options = append(changes.Options, edit)
		return
	}
	changes := changes6(o.call, o.what.side())
	if o.what == changeQueryRelays || o.what == changeResponseRelays {
		changes.RelayOptions = append(changes.RelayOptions, &hooksv1.RelayOptionEdit{Relay: o.relay, Edit: edit})
		return
	}
	changes.Options = append(changes.Options, edit)
}

// apply does to options what the server will do.
func apply(options *[]*hooksv1.Option, action hooksv1.OptionEdit_Action, code uint16, data []byte) {
	is := func(option *hooksv1.Option) bool { return option.GetCode() == uint32(code) }
	added := &hooksv1.Option{Code: uint32(code), Data: data}
	at := -1
	if action == actionSet {
		at = slices.IndexFunc(*options, is)
	}
	switch {
	case action == actionAdd || action == actionSet && at < 0:
		*options = append(*options, added)
	case action == actionSet:
		rest := slices.DeleteFunc(slices.Clone((*options)[at+1:]), is)
		*options = append(append((*options)[:at:at], added), rest...)
	default:
		*options = slices.DeleteFunc(slices.Clone(*options), is)
	}
}

// editsIA is the ability to change the IA of a reply.
type editsIA struct {
	edited  []*hooksv1.Option
	options PacketOptions
}

func (e *editsIA) fill(call *Call) {
	e.options.init(call, dhcp6Space(), &e.edited, changeIAOptions)
}

// IAOptions has the options that the callout puts into the IA that answers the client; addresses and lifetimes are those
// of the lease.
func (e *editsIA) IAOptions() *PacketOptions { return &e.options }
