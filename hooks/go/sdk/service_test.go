package outrigger

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/hookpoints"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

type both struct{}

func (both) Subnet4Select(context.Context, *Subnet4Select) error { return nil }
func (both) Pkt4Send(_ context.Context, call *Pkt4Send) error {
	return call.Response().SetOption("domain-name", "example.org")
}
func (both) Pkt6Send(context.Context, *Pkt6Send) error { return nil }

func TestTheServerHearsWhatTheHookWants(t *testing.T) {
	service := Service{
		Name: "both", Version: "2", Hook: both{},
		Subscriptions: map[string]Subscription{"pkt4_send": {
			Reads: []string{"query.options.vendor-class-identifier", "response"}, Writes: []string{"response.options.15"},
		}},
		Commands: map[string]CommandFunc{"x": func(context.Context, *Command) error { return nil }},
	}
	engine, err := newEngine(service)
	if err != nil {
		t.Fatal(err)
	}
	loaded := engine.load(context.Background(), loadRequest("one", hooksv1.Family_FAMILY_DHCP4, 1)).GetLoaded()
	subscriptions := loaded.GetSubscriptions()
	if len(subscriptions) != 2 || loaded.GetName() != "both" || loaded.GetProtocolVersion() != 1 || !loaded.GetSessions() ||
		strings.Join(loaded.GetCommands(), "") != "x" {
		t.Fatal(loaded)
	}
	if len(subscriptions[0].GetReads()) != 0 || strings.Join(subscriptions[0].GetWrites(), " ") != "subnet query.classes" {
		t.Error(subscriptions[0])
	}
	if strings.Join(subscriptions[1].GetReads(), " ") != "query.options.60 response" ||
		strings.Join(subscriptions[1].GetWrites(), " ") != "response.options.15" {
		t.Error(subscriptions[1])
	}
	request := &hooksv1.CalloutRequest{
		HookPoint: hooksv1.HookPoint_HOOK_POINT_PKT4_SEND, ConfigurationRevision: 1,
		Arguments: &hooksv1.Arguments{Point: &hooksv1.Arguments_Pkt4Send{Pkt4Send: &hooksv1.Response4Arguments{}}},
	}
	if reply := engine.run(context.Background(), "one", request, nil); reply.GetResult() == nil {
		t.Error(reply)
	}
	load := newLoad(loadRequest("one", hooksv1.Family_FAMILY_DHCP4, 1))
	load.Narrow("pkt4_send", Subscription{Writes: []string{}})
	load.LeaveOut("subnet4_select")
	configuration, subscriptions, err := service.configure(load, both{})
	if err != nil || len(subscriptions) != 1 || len(subscriptions[0].GetWrites()) != 0 ||
		configuration.callouts[hookpoints.Subnet4Select].run != nil {
		t.Error(subscriptions, err)
	}
}

type wrong struct{}

func (wrong) Subnet4Select(context.Context, *Subnet6Select) error { return nil }

func TestAServiceThatCannotWorkIsRefusedAtTheStart(t *testing.T) {
	answer := func(context.Context, *Command) error { return nil }
	many := map[string]CommandFunc{}
	for i := range 129 {
		many[fmt.Sprint("c", i)] = answer
	}
	for says, service := range map[string]Service{
		"neither a hook nor":       {},
		"only one of them":         {Hook: both{}, Load: func(context.Context, *Load) (any, error) { return both{}, nil }},
		"no method of a hook":      {Hook: struct{}{}},
		"has to be a *outrigger.g": {Hook: greeter{}, Commands: map[string]CommandFunc{"a": nil}},
		"has no command for it":    {Hook: &greeter{}},
		"nothing answers the":      {Hook: both{}, Commands: map[string]CommandFunc{"a": nil}},
		`the command "A"`:          {Hook: both{}, Commands: map[string]CommandFunc{"A": answer}},
		`the command ""`:           {Hook: both{}, Commands: map[string]CommandFunc{"": answer}},
		"129 commands; 128":        {Hook: both{}, Commands: many},
		`no hook point "pkt4"`:     {Hook: both{}, Subscriptions: map[string]Subscription{"pkt4": {}}},
		"has no method Pkt4Receive": {
			Hook: both{}, Subscriptions: map[string]Subscription{"pkt4_receive": {}},
		},
		`read "lease" at pkt4_send; possible are: query`: {
			Hook: both{}, Subscriptions: map[string]Subscription{"pkt4_send": {Reads: []string{"lease"}}},
		},
		`change "subnet" at pkt4_send`: {
			Hook: both{}, Subscriptions: map[string]Subscription{"pkt4_send": {Writes: []string{"subnet"}}},
		},
		`no DHCPv4 option "phone"`: {
			Hook: both{}, Subscriptions: map[string]Subscription{"pkt4_send": {Reads: []string{"query.options.phone"}}},
		},
		"a callout of subnet4_select is func(context.Context, *outrigger.Subnet4Select) error": {Hook: wrong{}},
	} {
		service.Name, service.Version = "x", "1"
		if _, err := newEngine(service); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", says, err)
		}
	}
	if _, err := newEngine(Service{Version: "1", Hook: both{}}); err == nil {
		t.Error("a service without a name is taken")
	}
	if _, err := newEngine(Service{Name: "x", Hook: both{}}); err == nil {
		t.Error("a service without a version is taken")
	}
}

func TestALoadIsRefusedWithAText(t *testing.T) {
	type parameters struct{ Floor int }
	for says, test := range map[string]struct {
		change func(*hooksv1.LoadRequest)
		load   func(context.Context, *Load) (any, error)
	}{
		"versions [2] of the hook protocol": {change: func(r *hooksv1.LoadRequest) { r.ProtocolVersions = []uint32{2} }},
		"not a JSON map":                    {change: func(r *hooksv1.LoadRequest) { r.Parameters = "[]" }},
		"are not a JSON map":                {change: func(r *hooksv1.LoadRequest) { r.Parameters = "{" }},
		`parameters of phones: json: unknown field "flor"`: {
			change: func(r *hooksv1.LoadRequest) { r.Parameters = `{"flor": 1}` },
			load: func(_ context.Context, load *Load) (any, error) {
				return both{}, load.ReadParameters(&parameters{})
			},
		},
		"wants a floor": {load: func(context.Context, *Load) (any, error) { return nil, &Refusal{"wants a floor"} }},
		"panic: oh":     {load: func(context.Context, *Load) (any, error) { panic("oh") }},
		"(runtime.Goexit)": {load: func(context.Context, *Load) (any, error) {
			runtime.Goexit()
			return nil, nil
		}},
		"no method of a hook point": {load: func(context.Context, *Load) (any, error) { return nil, nil }},
		"a callout of subnet4_sel":  {load: func(context.Context, *Load) (any, error) { return wrong{}, nil }},
		`no hook point "pkt4"`: {load: func(_ context.Context, load *Load) (any, error) {
			load.LeaveOut("pkt4")
			return both{}, nil
		}},
	} {
		service := Service{Name: "x", Version: "1", Load: test.load}
		if test.load == nil {
			service.Hook = both{}
		}
		engine, err := newEngine(service)
		if err != nil {
			t.Fatal(err)
		}
		request := loadRequest("one", hooksv1.Family_FAMILY_DHCP4, 1)
		if test.change != nil {
			test.change(request)
		}
		if reply := engine.load(context.Background(), request); !strings.Contains(reply.GetRefusal().GetText(), says) {
			t.Errorf("%q: %v", says, reply)
		}
	}
}

// floors is a hook with the state of one configuration.
type floors struct{ name string }

func (f *floors) Subnet4Select(_ context.Context, call *Subnet4Select) error {
	call.SetContext([]byte(f.name))
	return nil
}

func TestEachConfigurationMeetsItsOwnHook(t *testing.T) {
	engine, err := newEngine(Service{Name: "x", Version: "1", Load: func(_ context.Context, load *Load) (any, error) {
		var floor struct{ Floor int }
		if found, err := load.Subnets[1].ReadUserContext(&floor); err != nil || !found || floor.Floor != 3 {
			return nil, errors.New("no user context")
		}
		if load.Subnets[1].Prefix.String() != "192.0.2.0/24" || string(load.Parameters) != "{}" {
			return nil, errors.New("no prefix")
		}
		return &floors{fmt.Sprint(load.InstanceID, load.ServiceName, load.Revision)}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	load := func(instance, service string, revision uint64) {
		request := loadRequest(instance, hooksv1.Family_FAMILY_DHCP4, revision)
		request.ServiceName = service
		if reply := engine.load(ctx, request); reply.GetLoaded() == nil {
			t.Fatal(reply)
		}
	}
	for _, revision := range []uint64{1, 2} {
		load("one", "a", revision)
		load("one", "b", revision)
		load("two", "a", revision)
	}
	run := func(instance string, revision uint64) string {
		request := selectRequest("x")
		request.ConfigurationRevision = revision
		reply := engine.run(ctx, instance, request, nil)
		return string(reply.GetResult().GetContext()) + reply.GetFailure().GetText()
	}
	for instance, wanted := range map[string]string{
		"": "twoa1", "one": "oneb1", "two": "twoa1", serverKey("one", "a"): "onea1", serverKey("one", "b"): "oneb1",
		serverKey("two", "b"): "configuration 1 is not loaded here: call Load first",
	} {
		if got := run(instance, 1); got != wanted {
			t.Errorf("%q: %s", instance, got)
		}
	}
	if got := run("one", 2); got != "oneb2" {
		t.Error(got)
	}
	for i := range 1000 {
		load(fmt.Sprint(i), "a", 1)
	}
	if len(engine.loads.entries) != maxLoads || run("999", 1) != "999a1" || run("one", 2) == "oneb2" {
		t.Error(len(engine.loads.entries), run("999", 1))
	}
}
