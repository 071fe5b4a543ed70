package outrigger

import (
	"context"
	"errors"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/hookpoints"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// makers try to make each change with the methods that a call has; false: it has none.
var makers = map[change]func(call any) (bool, error){
	changeQueryOptions:   onQuery(func(p *packet) error { return p.options.SetCode(12, []byte("x")) }),
	changeQueryHeader:    onQuery4or6(func(p *Packet4) { p.SetMessageType(1) }, func(p *Packet6) { p.SetMessageType(1) }),
	changeQueryHwAddress: onQuery4or6(func(p *Packet4) { p.SetHwAddress(HwAddress{1, []byte{1}}) }, nil),
	changeQueryRelays:    onQuery4or6(nil, editRelay),
	changeQueryClasses:   onQuery4or6(func(p *Packet4) { p.AddClass("a") }, func(p *Packet6) { p.AddClass("a") }),
	changeQueryWire: onQuery4or6(func(p *Packet4) { p.ReplaceWire([]byte{1}) },
		func(p *Packet6) { p.ReplaceWire([]byte{1}) }),
	changeQueryParsed: onQuery4or6(func(p *Packet4) { p.ReplaceParsed(&hooksv1.Packet4{}) },
		func(p *Packet6) { p.ReplaceParsed(&hooksv1.Packet6{}) }),
	changeResponseOptions: onResponse(func(p *packet) error { return p.options.SetCode(12, []byte("x")) }),
	changeResponseHeader:  onResponse4or6(func(p *Packet4) { p.SetFile("x") }, nil),
	changeResponseRelays:  onResponse4or6(nil, editRelay),
	changeResponseLink: onResponse4or6(func(p *Packet4) { p.SetInterface("eth1") },
		func(p *Packet6) { p.SetInterface("eth1") }),
	changeResponseWire: onResponse4or6(func(p *Packet4) { p.ReplaceWire([]byte{1}) },
		func(p *Packet6) { p.ReplaceWire([]byte{1}) }),
	changeSubnet: does(func(c interface{ SelectSubnet(uint32) }) error { c.SelectSubnet(1); return nil }),
	changeIdentifier: does(func(c interface{ IdentifyHost([]byte) }) error {
		c.IdentifyHost([]byte("x"))
		return nil
	}),
	changeNames: does(func(c interface{ SetHostname(string) }) error { c.SetHostname("x"); return nil }),
	changeLeaseAddress: onLease(func(l *Lease) error {
		l.SetAddress(netip.MustParseAddr("2001:db8::1"))
		return nil
	}),
	changeLeaseLifetimes:   onLease(func(l *Lease) error { l.SetValidLifetime(1); return nil }),
	changeLeaseNames:       onLease(func(l *Lease) error { l.SetHostname("x"); return nil }),
	changeLeaseUserContext: onLease(func(l *Lease) error { return l.SetUserContext(map[string]int{"a": 1}) }),
	changeIAOptions: does(func(c interface{ IAOptions() *PacketOptions }) error {
		return c.IAOptions().SetCode(13, []byte{0, 0})
	}),
	changeOfferAddressInUse: does(func(c interface{ ReportAddressInUse(bool) }) error {
		c.ReportAddressInUse(true)
		return nil
	}),
	changeError: does(func(c interface{ RefuseConfiguration(string) }) error {
		c.RefuseConfiguration("no")
		return nil
	}),
	changeCommandResponse: does(func(c interface{ Answer(Answer) error }) error { return c.Answer(Answer{Text: "done"}) }),
}

func does[T any](change func(T) error) func(any) (bool, error) {
	return func(call any) (bool, error) {
		able, ok := call.(T)
		if !ok {
			return false, nil
		}
		return true, change(able)
	}
}

func editRelay(p *Packet6) {
	p.message.Relays = []*hooksv1.Relay6{{}}
	if err := p.Relays()[0].Options().SetCode(18, []byte("x")); err != nil {
		p.call.fail(err)
	}
}

func onLease(change func(*Lease) error) func(any) (bool, error) {
	return func(call any) (bool, error) {
		switch call := call.(type) {
		case interface{ Lease() *Lease }:
			return true, change(call.Lease())
		case interface{ NewLease() *Lease }:
			return true, change(call.NewLease())
		}
		return false, nil
	}
}

func onPacket(packets ...any) func(func(*packet) error) (bool, error) {
	return func(change func(*packet) error) (bool, error) {
		for _, p := range packets {
			switch p := p.(type) {
			case *Packet4:
				return true, change(&p.packet)
			case *Packet6:
				return true, change(&p.packet)
			}
		}
		return false, nil
	}
}

func packetOf(call any, method string) any {
	m := reflect.ValueOf(call).MethodByName(method)
	if !m.IsValid() {
		return nil
	}
	return m.Call(nil)[0].Interface()
}

func onQuery(change func(*packet) error) func(any) (bool, error) {
	return func(call any) (bool, error) { return onPacket(packetOf(call, "Query"))(change) }
}

func onResponse(change func(*packet) error) func(any) (bool, error) {
	return func(call any) (bool, error) { return onPacket(packetOf(call, "Response"))(change) }
}

func on4or6(method string, on4 func(*Packet4), on6 func(*Packet6)) func(any) (bool, error) {
	return func(call any) (bool, error) {
		switch p := packetOf(call, method).(type) {
		case *Packet4:
			if on4 != nil {
				on4(p)
				return true, nil
			}
		case *Packet6:
			if on6 != nil {
				on6(p)
				return true, nil
			}
		}
		return false, nil
	}
}

func onQuery4or6(on4 func(*Packet4), on6 func(*Packet6)) func(any) (bool, error) {
	return on4or6("Query", on4, on6)
}

func onResponse4or6(on4 func(*Packet4), on6 func(*Packet6)) func(any) (bool, error) {
	return on4or6("Response", on4, on6)
}

// newCall is an empty call of a hook point, with everything in it that there may be.
func newCall(t *testing.T, p *point, subscription Subscription) (call any, base *Call) {
	t.Helper()
	spec := hookpoints.Specs[p.hookPoint]
	reads, writes, err := subscription.translated(&spec)
	if err != nil {
		t.Fatal(err)
	}
	arguments := &hooksv1.Arguments{}
	field := arguments.ProtoReflect().Descriptor().Fields().ByNumber(protoreflect.FieldNumber(p.hookPoint))
	message := arguments.ProtoReflect().Mutable(field).Message()
	for _, name := range []protoreflect.Name{"query", "response", "lease", "new_lease"} {
		if field := message.Descriptor().Fields().ByName(name); field != nil && field.Message() != nil {
			message.Mutable(field)
		}
	}
	call = reflect.New(p.hook.Method(0).Type.In(1).Elem()).Interface()
	base = call.(interface{ base() *Call }).base()
	*base = Call{
		request: &hooksv1.CalloutRequest{}, load: newLoad(&hooksv1.LoadRequest{}),
		rights: newRights(p.hookPoint, reads, writes), result: &hooksv1.CalloutResult{},
	}
	if !call.(interface{ begin(*hooksv1.Arguments) bool }).begin(arguments) {
		t.Fatalf("%s does not take its own arguments", spec.Name)
	}
	return call, base
}

func TestACalloutMayDoWhatTheTableOfHookPointsLists(t *testing.T) {
	if len(makers) != int(changes) {
		t.Fatalf("%d changes are tried, of %d", len(makers), changes)
	}
	for i := range points {
		p := &points[i]
		spec := hookpoints.Specs[p.hookPoint]
		for _, listed := range spec.Changes {
			if !slices.Contains(changePaths[:], listed) {
				t.Errorf("%s is new: which method changes it?", listed)
			}
		}
		for what, path := range changePaths {
			call, base := newCall(t, p, Subscription{})
			able, err := makers[change(what)](call)
			err = errors.Join(err, base.mistake)
			if !slices.Contains(spec.Changes, path) {
				var refused *NotChangeableError
				if able && (!errors.As(err, &refused) || base.result.GetChanges() != nil) {
					t.Errorf("%s: %s can be changed: %v", spec.Name, path, err)
				}
				continue
			}
			if !able || err != nil || base.result.GetChanges() == nil {
				t.Errorf("%s: %s cannot be changed: %v", spec.Name, path, err)
			}
			call, base = newCall(t, p, Subscription{Writes: []string{}})
			_, err = makers[change(what)](call)
			if err = errors.Join(err, base.mistake); err == nil || !strings.Contains(err.Error(), "said it writes") {
				t.Errorf("%s: %s without a subscription: %v", spec.Name, path, err)
			}
		}
	}
}

func TestAPacketIsHeldWhereTheTableOfHookPointsSaysSo(t *testing.T) {
	for i := range points {
		call, _ := newCall(t, &points[i], Subscription{})
		spec := hookpoints.Specs[points[i].hookPoint]
		if _, able := call.(interface{ Park() error }); able != spec.CanPark {
			t.Errorf("%s can park: %t", spec.Name, able)
		}
	}
}

// TestWhatAHookPointGivesCanBeRead holds the methods of calls equal to what the table says that a hook point gives.
func TestWhatAHookPointGivesCanBeRead(t *testing.T) {
	readers := map[string]string{
		"query": "Query", "query.wire": "Query", "query.link": "Query", "response": "Response",
		"response.wire": "Response", "response.link": "Response", "subnet": "SubnetID", "subnets": "SubnetIDs",
		"identifier-type": "IdentifierType", "names": "Hostname", "ddns-parameters": "DdnsParameters", "lease": "Lease",
		"leases": "Leases", "deleted-leases": "DeletedLeases", "old-lease": "OldLease", "new-lease": "NewLease",
		"address": "Address", "host": "Host", "fake-allocation": "FakeAllocation", "offer-lifetime": "OfferLifetime",
		"remove-lease": "RemoveLease", "configuration": "Configuration", "audit-entries": "AuditEntries", "name": "Name",
		"arguments": "CommandArguments", "command": "Name",
	}
	for i := range points {
		call, _ := newCall(t, &points[i], Subscription{})
		spec := hookpoints.Specs[points[i].hookPoint]
		for _, path := range spec.Reads {
			if !reflect.ValueOf(call).MethodByName(readers[path]).IsValid() {
				t.Errorf("%s: nothing reads %s", spec.Name, path)
			}
		}
	}
}

func TestEachHookPointHasItsMethod(t *testing.T) {
	var numbers []hookpoints.HookPoint
	for i := range points {
		p := &points[i]
		numbers = append(numbers, p.hookPoint)
		name := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(hookpoints.Specs[p.hookPoint].Name, "$"), "_", ""))
		if strings.ToLower(p.method()) != name || p.hook.Method(0).Type.In(1).Elem().Name() != p.method() {
			t.Errorf("%s has the method %s", name, p.method())
		}
		if p.hook.Method(0).Type.In(0) != reflect.TypeFor[context.Context]() {
			t.Errorf("%s takes no context", p.method())
		}
	}
	slices.Sort(numbers)
	if !slices.Equal(numbers, slices.Compact(slices.Clone(numbers))) || len(numbers) != len(hookpoints.Specs) {
		t.Errorf("the hook points are %v", numbers)
	}
}
