package service

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/hookpoints"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/cases"
)

func TestParametersAreReadAsInEveryLanguage(t *testing.T) {
	for _, c := range cases.Read(t).Parameters {
		s, err := readSettings([]byte(c.Text), subnets(c.Subnets...))
		if c.Settings == nil {
			if err == nil || !strings.Contains(err.Error(), c.Refusal) {
				t.Errorf("%s: %v", c.Text, err)
			}
			continue
		}
		expected := settings{optionOverrides: c.Settings.OptionOverrides, outcomeRecords: c.Settings.OutcomeRecords}
		if restricted := c.Settings.RestrictedSubnetID; restricted != nil {
			expected.subnetSelection, expected.restrictedSubnetID = true, *restricted
		}
		if err != nil || s != expected {
			t.Errorf("%s: %+v, %v", c.Text, s, err)
		}
	}
}

func TestSubscriptionsAreThoseOfEveryLanguage(t *testing.T) {
	f := newFixture(t, "")
	for _, c := range cases.Read(t).Subscriptions {
		var expected []*hooksv1.Subscription
		for _, s := range c.Subscriptions {
			expected = append(expected, &hooksv1.Subscription{HookPoint: hookPoint(t, s.Point), Reads: s.Reads, Writes: s.Writes})
		}
		loaded := f.load(c.Family, c.Text).GetLoaded()
		if got := (&hooksv1.Loaded{Subscriptions: loaded.GetSubscriptions()}); !proto.Equal(got, &hooksv1.Loaded{Subscriptions: expected}) {
			t.Errorf("%d %s: %v", c.Family, c.Text, got)
		}
	}
}

func TestPacketsAreDecidedAsInEveryLanguage(t *testing.T) {
	for _, c := range cases.Read(t).Packets {
		t.Run(fmt.Sprintf("%s (v%d)", c.Name, c.Family), func(t *testing.T) {
			f := newFixture(t, strings.Join(c.Registry, "\n"))
			parameters := c.Parameters
			if parameters == nil {
				parameters = json.RawMessage(`{"restricted-subnet-id": 2}`)
			}
			if reply := f.load(c.Family, string(parameters)); reply.GetLoaded() == nil {
				t.Fatal(reply)
			}
			var kept []byte
			for index, call := range c.Calls {
				if call.Registry != nil {
					f.rewriteRegistry(strings.Join(call.Registry, "\n"))
				}
				reply := f.call(request(t, c.Family, call, kept))
				compare(t, index+1, call, reply)
				if context := reply.GetResult().GetContext(); context != nil {
					kept = context
				}
			}
			if records := f.records(); records != c.Outcome {
				t.Errorf("records:\n%s", records)
			}
		})
	}
}

func hookPoint(t *testing.T, name string) hooksv1.HookPoint {
	t.Helper()
	for number, spec := range hookpoints.Specs {
		if spec.Name == name {
			return hooksv1.HookPoint(number)
		}
	}
	t.Fatalf("%s is no hook point", name)
	return 0
}

func request(t *testing.T, family int, call cases.Call, kept []byte) *hooksv1.CalloutRequest {
	t.Helper()
	if call.Context != "kept" {
		var err error
		if kept, err = hex.DecodeString(call.Context); err != nil {
			t.Fatal(err)
		}
	}
	status := "NEXT_STEP_CONTINUE"
	if call.Status != "" {
		status = "NEXT_STEP_" + call.Status
	}
	arguments := arguments4
	if family == 6 {
		arguments = arguments6
	}
	return &hooksv1.CalloutRequest{
		HookPoint: hookPoint(t, call.Point),
		Status:    hooksv1.NextStep(hooksv1.NextStep_value[status]),
		Context:   kept,
		Arguments: arguments(call),
	}
}

func arguments4(call cases.Call) *hooksv1.Arguments {
	query, response := packet4(call.Query), packet4(call.Response)
	switch call.Point {
	case "pkt4_receive":
		return &hooksv1.Arguments{Point: &hooksv1.Arguments_Pkt4Receive{Pkt4Receive: &hooksv1.Query4Arguments{Query: query}}}
	case "subnet4_select":
		selected := &hooksv1.Subnet4SelectArguments{Query: query, SubnetId: call.Subnet}
		return &hooksv1.Arguments{Point: &hooksv1.Arguments_Subnet4Select{Subnet4Select: selected}}
	}
	sent := &hooksv1.Response4Arguments{Query: query, Response: response, SubnetId: call.Subnet}
	return &hooksv1.Arguments{Point: &hooksv1.Arguments_Pkt4Send{Pkt4Send: sent}}
}

func arguments6(call cases.Call) *hooksv1.Arguments {
	query, response := packet6(call.Query), packet6(call.Response)
	switch call.Point {
	case "pkt6_receive":
		return &hooksv1.Arguments{Point: &hooksv1.Arguments_Pkt6Receive{Pkt6Receive: &hooksv1.Query6Arguments{Query: query}}}
	case "subnet6_select":
		selected := &hooksv1.Subnet6SelectArguments{Query: query, SubnetId: call.Subnet}
		return &hooksv1.Arguments{Point: &hooksv1.Arguments_Subnet6Select{Subnet6Select: selected}}
	}
	sent := &hooksv1.Response6Arguments{Query: query, Response: response, SubnetId: call.Subnet}
	return &hooksv1.Arguments{Point: &hooksv1.Arguments_Pkt6Send{Pkt6Send: sent}}
}

func packet4(packet *cases.Packet) *hooksv1.Packet4 {
	if packet == nil {
		return nil
	}
	made := &hooksv1.Packet4{MessageType: packet.Type, Yiaddr: packet.Yiaddr, Options: options(packet)}
	if packet.HW != nil {
		made.HwAddress = &hooksv1.HwAddress{Htype: packet.HType, Address: *packet.HW}
	}
	return made
}

func packet6(packet *cases.Packet) *hooksv1.Packet6 {
	if packet == nil {
		return nil
	}
	return &hooksv1.Packet6{MessageType: packet.Type, Options: options(packet)}
}

func options(packet *cases.Packet) []*hooksv1.Option {
	var made []*hooksv1.Option
	for _, option := range packet.Options {
		made = append(made, &hooksv1.Option{Code: option.Code, Data: option.Data})
	}
	return made
}

// compare checks all of a reply; warning and failure are parts.
func compare(t *testing.T, number int, call cases.Call, reply *hooksv1.CalloutReply) {
	t.Helper()
	expect := call.Expect
	if failure := reply.GetFailure(); failure != nil || expect.Failure != "" {
		if expect.Failure == "" || !strings.Contains(failure.GetText(), expect.Failure) {
			t.Errorf("call %d: %v", number, reply)
		}
		return
	}
	result := reply.GetResult()
	warning := result.GetWarning()
	if (warning == "") != (expect.Warning == "") || !strings.Contains(warning, expect.Warning) {
		t.Errorf("call %d: warning %q", number, warning)
	}
	expected := &hooksv1.CalloutResult{Warning: warning, Changes: changes(call)}
	if expect.Context != nil {
		expected.Context = *expect.Context
	}
	if !proto.Equal(result, expected) {
		t.Errorf("call %d:\n%v, not\n%v", number, result, expected)
	}
}

func changes(call cases.Call) *hooksv1.Changes {
	expect := call.Expect
	if expect.Subnet == nil && expect.Options == nil {
		return nil
	}
	changes := &hooksv1.Changes{SubnetId: expect.Subnet}
	var edits []*hooksv1.OptionEdit
	for _, edit := range expect.Options {
		edits = append(edits, &hooksv1.OptionEdit{Path: edit.Path, Data: edit.Bytes()})
	}
	switch {
	case edits == nil:
	case call.Point == "pkt4_send":
		changes.Response4 = &hooksv1.Packet4Changes{Options: edits}
		if expect.File != nil {
			changes.Response4.File = []byte(*expect.File)
		}
	default:
		changes.Response6 = &hooksv1.Packet6Changes{Options: edits}
	}
	return changes
}

// records ends the service and reads the outcome file.
func (f *fixture) records() string {
	f.t.Helper()
	f.outcome.Close()
	text, err := os.ReadFile(f.outcomePath)
	if err != nil {
		f.t.Fatal(err)
	}
	return string(text)
}
