package outrigger

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/hookpoints"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

func pointOf(t *testing.T, hookPoint hookpoints.HookPoint) *point {
	t.Helper()
	for i := range points {
		if points[i].hookPoint == hookPoint {
			return &points[i]
		}
	}
	t.Fatal("no such hook point")
	return nil
}

// response4 is the response of a call of pkt4_send with these options, each code and hex.
func response4(t *testing.T, subscription Subscription, options ...string) *Packet4 {
	t.Helper()
	call, _ := newCall(t, pointOf(t, hookpoints.Pkt4Send), subscription)
	response := call.(*Pkt4Send).Response()
	response.message.Options = optionsOf(t, options)
	return response
}

func response6(t *testing.T, subscription Subscription, options ...string) *Packet6 {
	t.Helper()
	call, _ := newCall(t, pointOf(t, hookpoints.Pkt6Send), subscription)
	response := call.(*Pkt6Send).Response()
	response.message.Options = optionsOf(t, options)
	return response
}

func optionsOf(t *testing.T, texts []string) []*hooksv1.Option {
	t.Helper()
	var options []*hooksv1.Option
	for _, text := range texts {
		var code uint32
		var payload string
		if _, err := fmt.Sscanf(text, "%d %s", &code, &payload); err != nil {
			t.Fatal(err)
		}
		data, err := hex.DecodeString(payload)
		if err != nil {
			t.Fatal(err)
		}
		options = append(options, &hooksv1.Option{Code: code, Data: data})
	}
	return options
}

// travels is the edits as they travel: "SET 125.1/4491 ab".
func travels(edits []*hooksv1.OptionEdit) string {
	var texts []string
	for _, edit := range edits {
		var path []string
		for _, code := range edit.GetPath() {
			path = append(path, fmt.Sprint(code))
		}
		text := strings.TrimPrefix(edit.GetAction().String(), "ACTION_") + " " + strings.Join(path, ".")
		if edit.GetEnterprise() != 0 {
			text += fmt.Sprintf("/%d", edit.GetEnterprise())
		}
		texts = append(texts, text+" "+hex.EncodeToString(edit.GetData()))
	}
	return strings.Join(texts, ", ")
}

func packetText(options *PacketOptions) string {
	var texts []string
	for option := range options.All() {
		texts = append(texts, fmt.Sprintf("%d %x", option.Code, option.Data))
	}
	return strings.Join(texts, ", ")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestEditsTravelInTheOrderMadeAndReadBack(t *testing.T) {
	response := response4(t, Subscription{}, "12 61", "6 01010101", "12 62")
	must(t, response.SetOption("host-name", "x"))
	must(t, response.AddOption("host-name", "y"))
	must(t, response.RemoveOption("domain-name-servers"))
	must(t, response.Options().SetCode(224, []byte{1}))
	must(t, response.SetOption("routers", []netip.Addr{netip.MustParseAddr("192.0.2.1")}))
	if got := packetText(response.Options()); got != "12 78, 12 79, 224 01, 3 c0000201" {
		t.Error(got)
	}
	got := travels(response.call.Changes().GetResponse4().GetOptions())
	if got != "SET 12 78, ADD 12 79, REMOVE 6 , SET 224 01, SET 3 c0000201" {
		t.Error(got)
	}
	if name, ok := response.Options().String("host-name"); name != "x" || !ok {
		t.Error(name)
	}
	if all := response.Options().Instances("host-name"); len(all) != 2 || string(all[1].Data) != "y" {
		t.Error(all)
	}
	if response.Options().Has("domain-name-servers") || response.Options().Len() != 4 {
		t.Error("it is still there")
	}
}

func TestOptionsAreReadByType(t *testing.T) {
	o := response4(t, Subscription{},
		"3 c0000201c0000202", "1 ffffff00", "26 05dc", "2 ffffffff", "19 01", "55 0102", "119 01610001620063", "60 78",
		"54 0102", "88 01610001620000",
	).Options()
	routers, _ := o.Addrs("routers")
	mask, _ := o.Addr("subnet-mask")
	mtu, _ := o.Uint32("interface-mtu")
	offset, _ := o.Int32("time-offset")
	forwards, _ := o.Bool("ip-forwarding")
	wanted, _ := o.Uint32s("dhcp-parameter-request-list")
	class, _ := o.String("vendor-class-identifier")
	text, _ := o.String("routers")
	names, _ := o.Strings("bcms-controller-names")
	got := fmt.Sprint(routers, mask, mtu, offset, forwards, wanted, class, text, names)
	if got != "[192.0.2.1 192.0.2.2] 255.255.255.0 1500 -1 true [1 2]x192.0.2.1, 192.0.2.2[a. b. .]" {
		t.Error(got)
	}
	if address, ok := o.Addr("dhcp-server-identifier"); ok || address.IsValid() {
		t.Error("two bytes are an address")
	}
	option, ok := o.Get("dhcp-server-identifier")
	if _, err := option.Value(); !ok || err == nil || option.String() != "0102" || option.Name() != "dhcp-server-identifier" {
		t.Error(option, err)
	}
	if o.call.mistake != nil {
		t.Error(o.call.mistake)
	}
	if _, ok := o.Addr("log-servers"); ok || o.call.mistake != nil {
		t.Error("an option that is not there fails the call")
	}
}

func TestOptionsInsideOthersAreEdited(t *testing.T) {
	response := response4(t, Subscription{}, "82 01016102027878", "43 0101aaff00", "125 0000118b030101ff00000009020500")
	relay := response.Options().Sub("dhcp-agent-options")
	if circuit, _ := relay.Bytes("circuit-id"); string(circuit) != "a" {
		t.Error(circuit)
	}
	must(t, relay.Set("circuit-id", []byte("bc")))
	must(t, relay.Remove("remote-id"))
	must(t, response.Options().Sub("vendor-encapsulated-options").SetCode(2, []byte{2}))
	must(t, response.Options().Vendor(9).SetCode(6, []byte{7}))
	must(t, response.Options().Vendor(77).SetCode(1, []byte{1}))
	if got := packetText(response.Options()); got != "82 01026263, 43 0101aa020102ff00, "+
		"125 0000118b030101ff000000090505000601070000004d03010101" {
		t.Error(got)
	}
	got := travels(response.call.Changes().GetResponse4().GetOptions())
	if got != "SET 82.1 6263, REMOVE 82.2 , SET 43.2 02, SET 125.6/9 07, "+
		"SET 125 0000118b030101ff000000090505000601070000004d03010101" {
		t.Error(got)
	}
}

func TestOptionsOfVendorsAndAssociationsAreEdited(t *testing.T) {
	address := strings.Repeat("00", 15) + "01"
	response := response6(t, Subscription{},
		"17 0000000900010001aa", "3 00000007000000010000000200050018"+address+"0000000300000004")
	vendor := response.Options().Vendor(4491)
	must(t, vendor.Set("tftp-servers", []netip.Addr{netip.MustParseAddr("::1")}))
	must(t, vendor.SetCode(33, []byte("x")))
	must(t, response.Options().Vendor(9).RemoveCode(1))
	ia := response.IANA()[0]
	if ia.IAID != 7 || ia.T1 != 1 || ia.T2 != 2 || ia.Leases[0].Prefix.String() != "::1/128" ||
		ia.Leases[0].PreferredLifetime != 3 || ia.Leases[0].ValidLifetime != 4 {
		t.Error(ia)
	}
	must(t, ia.Leases[0].Options.Set("status-code", []any{0, "ok"}))
	must(t, ia.Options.SetCode(200, []byte{}))
	want := "17 00000009, 3 00000007000000010000000200050020" + address + "0000000300000004000d000400006f6b00c80000, " +
		"17 0000118b00200010" + address + "0021000178"
	if got := packetText(response.Options()); got != want {
		t.Errorf("%s\nis not %s", got, want)
	}
	got := travels(response.call.Changes().GetResponse6().GetOptions())
	if got != "ADD 17 0000118b00200010"+address+", SET 17.33/4491 78, REMOVE 17.1/9 , SET 3.5.13 00006f6b, SET 3.200 " {
		t.Error(got)
	}
}

func TestWhatIsNotReadIsEditedInTheServer(t *testing.T) {
	response := response4(t, Subscription{Reads: []string{"query"}})
	must(t, response.Options().Sub("dhcp-agent-options").Set("circuit-id", []byte("x")))
	must(t, response.Options().Vendor(4491).SetCode(1, []byte{1}))
	got := travels(response.call.Changes().GetResponse4().GetOptions())
	if got != "SET 82.1 78, SET 125.1/4491 01" {
		t.Error(got)
	}
	created := response4(t, Subscription{})
	must(t, created.Options().Sub("dhcp-agent-options").Set("circuit-id", []byte("x")))
	must(t, created.Options().Sub("vendor-encapsulated-options").RemoveCode(1))
	if got := travels(created.call.Changes().GetResponse4().GetOptions()); got != "SET 82 010178" {
		t.Error(got)
	}
}

func TestRelaysAreEdited(t *testing.T) {
	call, base := newCall(t, pointOf(t, hookpoints.Pkt6Receive), Subscription{})
	query := call.(*Pkt6Receive).Query()
	query.message.Relays = []*hooksv1.Relay6{nil, {
		LinkAddress: netip.MustParseAddr("2001:db8::1").AsSlice(), HopCount: 1, MessageType: 12,
		Options: []*hooksv1.Option{{Code: 18, Data: []byte("a")}},
	}}
	relay := query.Relays()[1]
	if id, _ := relay.Options().Bytes("interface-id"); string(id) != "a" || relay.LinkAddress().String() != "2001:db8::1" ||
		relay.MessageType() != RelayForward6 || relay.HopCount() != 1 || relay.PeerAddress().IsValid() {
		t.Error(relay)
	}
	must(t, relay.Options().Set("interface-id", []byte("b")))
	edits := base.Changes().GetQuery6().GetRelayOptions()
	if len(edits) != 1 || edits[0].GetRelay() != 1 || travels([]*hooksv1.OptionEdit{edits[0].GetEdit()}) != "SET 18 62" {
		t.Error(edits)
	}
}

func TestAnEditThatCannotBeSaysWhy(t *testing.T) {
	long := bytes.Repeat([]byte("x"), 256)
	for says, edit := range map[string]func(*PacketOptions) error{
		"option 125 (vivso-suboptions) is malformed": func(o *PacketOptions) error { return o.Vendor(9).SetCode(1, []byte{}) },
		"option 82 (dhcp-agent-options) is malformed": func(o *PacketOptions) error {
			return o.Sub("dhcp-agent-options").Set("circuit-id", []byte{})
		},
		"256 bytes; 255": func(o *PacketOptions) error {
			return o.Sub("vendor-encapsulated-options").SetCode(1, long)
		},
		"set it as a whole":              func(o *PacketOptions) error { return o.Sub("cablelabs-client-conf").SetCode(1, long[:4]) },
		"there is no such option":        func(o *PacketOptions) error { return o.Sub("nothing").SetCode(1, long[:4]) },
		"in the packet itself":           func(o *PacketOptions) error { return o.Sub("rsvp").Vendor(9).SetCode(1, long[:4]) },
		`no DHCPv4 option "nothing"`:     func(o *PacketOptions) error { return o.Set("nothing", 1) },
		"a code up to 255, not 256":      func(o *PacketOptions) error { return o.SetCode(256, []byte{}) },
		"option 225 is of no known type": func(o *PacketOptions) error { return o.SetCode(225, "x") },
		"response.options.12 is not among what the service said it writes at pkt4_send (possible: response.options.67, " +
			"response.options.82)": func(o *PacketOptions) error {
			narrow := response4(t, Subscription{Writes: []string{"response.options.67", "response.options.82"}})
			must(t, narrow.SetOption("boot-file-name", "x"))
			must(t, narrow.Options().SubCode(82).SetCode(1, []byte{}))
			return narrow.SetOption("host-name", "x")
		},
	} {
		o := response4(t, Subscription{}, "125 000000", "82 0105", "122 0101ff").Options()
		if err := edit(o); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", says, err)
		}
		if o.call.result.GetChanges() != nil {
			t.Errorf("%q: %v", says, prototext.Format(o.call.Changes()))
		}
	}
}

func TestTheHeaderReadsBack(t *testing.T) {
	response := response4(t, Subscription{})
	address := netip.MustParseAddr("192.0.2.9")
	response.SetMessageType(Nak4)
	response.SetHops(1)
	response.SetSecs(2)
	response.SetFlags(0x8000)
	response.SetCiaddr(address)
	response.SetYiaddr(address)
	response.SetSiaddr(address)
	response.SetSname("s")
	response.SetFile("f")
	response.SetRemote(netip.AddrPortFrom(address, 68))
	response.SetLocalAddress(address)
	response.SetInterface("eth0")
	got := fmt.Sprint(response.MessageType(), response.Hops(), response.Secs(), response.Flags(), response.Ciaddr(),
		response.Yiaddr(), response.Siaddr(), response.Giaddr(), string(response.Sname()), string(response.File()), response.Link())
	if got != "DHCPNAK 1 2 32768 192.0.2.9 192.0.2.9 192.0.2.9 0.0.0.0sf{eth0 0 192.0.2.9:0 192.0.2.9:68}" {
		t.Error(got)
	}
	changes := response.call.Changes().GetResponse4()
	if response.call.mistake != nil || changes.GetMessageType() != 6 || changes.GetHops() != 1 || changes.GetSecs() != 2 ||
		changes.GetFlags() != 0x8000 || len(changes.GetCiaddr()) != 4 || len(changes.GetYiaddr()) != 4 ||
		len(changes.GetSiaddr()) != 4 || string(changes.GetSname()) != "s" || string(changes.GetFile()) != "f" ||
		changes.GetLink().GetRemotePort() != 68 || changes.GetLink().GetInterface() != "eth0" {
		t.Error(response.call.mistake, changes)
	}
	for says, change := range map[string]func(*Packet4){
		"siaddr is an IPv4 address, not ::1": func(p *Packet4) { p.SetSiaddr(netip.IPv6Loopback()) },
		"file has at most 128 bytes":         func(p *Packet4) { p.SetFile(strings.Repeat("x", 129)) },
		"21 bytes; 20 are possible":          func(p *Packet4) { p.SetHwAddress(HwAddress{1, make([]byte, 21)}) },
		"response.hw-address cannot":         func(p *Packet4) { p.SetHwAddress(HwAddress{1, []byte{1}}) },
		"response.classes cannot":            func(p *Packet4) { p.AddClass("x") },
		"a client class has a name":          func(p *Packet4) { p.AddClass("") },
		"::1 is no IPv4 address":             func(p *Packet4) { p.SetLocalAddress(netip.IPv6Loopback()) },
	} {
		response := response4(t, Subscription{})
		change(response)
		if response.call.mistake == nil || !strings.Contains(response.call.mistake.Error(), says) {
			t.Errorf("%q: %v", says, response.call.mistake)
		}
	}
}

func TestALeaseReadsBack(t *testing.T) {
	call, base := newCall(t, pointOf(t, hookpoints.Lease4Select), Subscription{})
	lease := call.(*Lease4Select).Lease()
	lease.message.Type = hooksv1.LeaseType_LEASE_TYPE_V4
	lease.SetAddress(netip.MustParseAddr("192.0.2.7"))
	lease.SetValidLifetime(600)
	lease.SetPreferredLifetime(Infinite)
	lease.SetHostname("h")
	lease.SetFqdnFwd(true)
	lease.SetFqdnRev(true)
	must(t, lease.SetUserContext(map[string]any{"a": 1}))
	got := fmt.Sprint(lease.Address(), lease.ValidLifetime(), lease.PreferredLifetime(), lease.Hostname(), lease.FqdnFwd(),
		lease.FqdnRev(), string(lease.UserContext()), lease.Type(), lease.State(), lease.HwAddress(), lease.SubnetID())
	if got != `192.0.2.7 600 4294967295htrue true{"a":1}V4 default  0` {
		t.Error(got)
	}
	changes := base.Changes().GetLease()
	if base.mistake != nil || changes.GetUserContext() != `{"a":1}` || changes.GetValidLifetime() != 600 ||
		!slices.Equal(changes.GetAddress(), []byte{192, 0, 2, 7}) || !changes.GetFqdnFwd() || !changes.GetFqdnRev() {
		t.Error(base.mistake, changes)
	}
	if err := lease.SetUserContext([]int{1}); err == nil || !strings.Contains(err.Error(), "a JSON map, not [1]") {
		t.Error(err)
	}
	must(t, lease.SetUserContext(nil))
	if lease.UserContext() != nil || base.Changes().GetLease().UserContext == nil {
		t.Error("it is not removed")
	}
	lease.SetAddress(netip.IPv6Loopback())
	if base.mistake == nil || base.mistake.Error() != "::1 is no address for a lease of type V4" {
		t.Error(base.mistake)
	}
}

func TestOtherLeasesAreFixed(t *testing.T) {
	call, base := newCall(t, pointOf(t, hookpoints.Addr6Register), Subscription{})
	var old withOldLease
	old.fill(base, &hooksv1.Lease{})
	old.OldLease().SetHostname("x")
	if base.mistake == nil || !strings.HasPrefix(base.mistake.Error(), "old-lease cannot be changed at addr6_register") {
		t.Error(base.mistake)
	}
	if call.(*Addr6Register).OldLease() != nil || base.result.Changes != nil {
		t.Error(base.result)
	}
}

func TestAResponseThatDoesNotExistIsNil(t *testing.T) {
	request := &hooksv1.Arguments{Point: &hooksv1.Arguments_Leases4Committed{
		Leases4Committed: &hooksv1.Leases4CommittedArguments{
			DeletedLeases: []*hooksv1.Lease{{Address: []byte{192, 0, 2, 1}}},
		},
	}}
	for _, reads := range [][]string{nil, {"query"}} {
		call := &Leases4Committed{Call: Call{rights: newRights(hookpoints.Leases4Committed, reads, nil)}}
		if !call.begin(request) || (call.Response() == nil) != (reads == nil) || len(call.Leases()) != 0 ||
			call.DeletedLeases()[0].Address().String() != "192.0.2.1" {
			t.Error(call.Response())
		}
	}
}

func TestTheConfigurationIsRefused(t *testing.T) {
	call, base := newCall(t, pointOf(t, hookpoints.Dhcp4SrvConfigured), Subscription{})
	configured := call.(*Dhcp4SrvConfigured)
	configured.text = `{"valid-lifetime": 7}`
	var configuration map[string]json.RawMessage
	must(t, configured.ReadConfiguration(&configuration))
	configured.RefuseConfiguration("valid-lifetime has to be 86400")
	if base.Changes().GetError() == "" || base.result.GetNextStep() != hooksv1.NextStep_NEXT_STEP_DROP ||
		string(configuration["valid-lifetime"]) != "7" {
		t.Error(base.result)
	}
}
