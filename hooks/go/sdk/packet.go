package outrigger

import (
	"fmt"
	"net/netip"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// side says whose packet it is.
type side uint8

const (
	querySide side = iota
	responseSide
)

func (s side) pick(query, response change) change {
	if s == responseSide {
		return response
	}
	return query
}

func (s side) options() change { return s.pick(changeQueryOptions, changeResponseOptions) }
func (s side) header() change  { return s.pick(changeQueryHeader, changeResponseHeader) }
func (s side) relays() change  { return s.pick(changeQueryRelays, changeResponseRelays) }
func (s side) wire() change    { return s.pick(changeQueryWire, changeResponseWire) }

// packet is what packets of both families have.
type packet struct {
	call    *Call
	side    side
	options PacketOptions
}

// Options has the packet's options, to read and to change.
func (p *packet) Options() *PacketOptions { return &p.options }

// SetOption replaces the option with this name; where there is none, it is appended. See PacketOptions.Set.
func (p *packet) SetOption(name string, value any) error { return p.options.Set(name, value) }

// AddOption appends another instance of the option with this name. See PacketOptions.Set.
func (p *packet) AddOption(name string, value any) error { return p.options.Add(name, value) }

// RemoveOption removes every instance of the option with this name; nothing happens where there is none.
func (p *packet) RemoveOption(name string) error { return p.options.Remove(name) }

// may records a mistake where the change is not allowed. Some changes exist for one side only: never is the path that
// the change would have on the other side, "" where both have it.
func (p *packet) may(what change, never string) bool {
	if never != "" && what.side() != p.side {
		p.call.fail(&NotChangeableError{
			HookPoint: p.call.HookPoint(), Path: never, Possible: p.call.rights.possible(),
		})
		return false
	}
	return p.call.may(what)
}

// side is whose packet a change is of.
func (c change) side() side {
	if c >= changeResponseOptions && c <= changeResponseWire {
		return responseSide
	}
	return querySide
}

func (p *packet) mayAddClass(class string) bool {
	if class == "" {
		p.call.fail(fmt.Errorf("a client class has a name"))
		return false
	}
	return p.may(changeQueryClasses, "response.classes")
}

func (p *packet) setInterface(changes *hooksv1.LinkChanges, link *hooksv1.Link, name string) {
	if changes != nil {
		changes.Interface, link.Interface = &name, name
	}
}

func (p *packet) setRemote(changes *hooksv1.LinkChanges, link *hooksv1.Link, remote netip.AddrPort, family int) {
	if changes == nil || !p.isOf(remote.Addr(), family) {
		return
	}
	port := uint32(remote.Port())
	changes.RemoteAddress, changes.RemotePort = remote.Addr().AsSlice(), &port
	link.RemoteAddress, link.RemotePort = changes.RemoteAddress, port
}

func (p *packet) setLocal(changes *hooksv1.LinkChanges, link *hooksv1.Link, local netip.Addr, family int) {
	if changes == nil || !p.isOf(local, family) {
		return
	}
	changes.LocalAddress = local.AsSlice()
	link.LocalAddress = changes.LocalAddress
}

func (p *packet) isOf(address netip.Addr, family int) bool {
	if address.IsValid() && address.Is4() == (family == 4) {
		return true
	}
	p.call.fail(fmt.Errorf("%s is no IPv%d address", address, family))
	return false
}
