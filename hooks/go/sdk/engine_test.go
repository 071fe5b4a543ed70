package outrigger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

func loadRequest(instance string, family hooksv1.Family, revision uint64) *hooksv1.LoadRequest {
	return &hooksv1.LoadRequest{
		ProtocolVersions:      []uint32{9, 1},
		Server:                &hooksv1.ServerIdentity{Name: "server", Family: family, InstanceId: instance},
		ConfigurationRevision: revision,
		ServiceName:           "phones",
		Subnets:               []*hooksv1.Subnet{{Id: 1, Prefix: "192.0.2.0/24", UserContext: `{"floor": 3}`}},
	}
}

func selectRequest(vendorClass string) *hooksv1.CalloutRequest {
	query := &hooksv1.Packet4{MessageType: 1}
	if vendorClass != "" {
		query.Options = []*hooksv1.Option{{Code: 55, Data: []byte{1}}, {Code: 60, Data: []byte(vendorClass)}}
	}
	return &hooksv1.CalloutRequest{
		Id: 7, HookPoint: hooksv1.HookPoint_HOOK_POINT_SUBNET4_SELECT, ConfigurationRevision: 1,
		Context: []byte("kept"),
		Arguments: &hooksv1.Arguments{Point: &hooksv1.Arguments_Subnet4Select{
			Subnet4Select: &hooksv1.Subnet4SelectArguments{Query: query, SubnetId: 1, SubnetIds: []uint32{1, 2}},
		}},
	}
}

// selects is a hook of one function.
type selects func(context.Context, *Subnet4Select) error

func (f selects) Subnet4Select(ctx context.Context, call *Subnet4Select) error { return f(ctx, call) }

func loadedEngine(t testing.TB, service Service) *engine {
	t.Helper()
	service.Name, service.Version = "phones", "1.0.0"
	engine, err := newEngine(service)
	if err != nil {
		t.Fatal(err)
	}
	reply := engine.load(context.Background(), loadRequest("one", hooksv1.Family_FAMILY_DHCP4, 1))
	if reply.GetLoaded() == nil {
		t.Fatal(reply)
	}
	return engine
}

func phones(_ context.Context, call *Subnet4Select) error {
	class, _ := call.Query().Options().String("vendor-class-identifier")
	if strings.HasPrefix(class, "phone") {
		call.SelectSubnet(2)
	}
	return nil
}

func TestALoadIsThatOfItsServerAndRevision(t *testing.T) {
	engine := loadedEngine(t, Service{Hook: selects(phones)})
	for _, known := range []struct {
		server   string
		revision uint64
		isLoaded bool
	}{
		{"one", 1, true}, {serverKey("one", "phones"), 1, true}, {serverKey("one", "desks"), 1, false},
		{serverKey("two", "phones"), 1, false}, {serverKey("one", "phones"), 2, false},
	} {
		if engine.isLoaded(known.server, known.revision) != known.isLoaded {
			t.Errorf("%q %d: loaded is not %t", known.server, known.revision, known.isLoaded)
		}
	}
}

func TestACalloutAnswers(t *testing.T) {
	engine := loadedEngine(t, Service{Hook: selects(phones)})
	for _, instance := range []string{"", "one", serverKey("one", "phones")} {
		reply := engine.run(context.Background(), instance, selectRequest("phone-7"), nil)
		if reply.GetId() != 7 || reply.GetResult().GetChanges().GetSubnetId() != 2 || reply.GetResult().NextStep != nil {
			t.Error(reply)
		}
	}
	reply := engine.run(context.Background(), "one", selectRequest(""), nil)
	if reply.GetResult() == nil || reply.GetResult().GetChanges() != nil || reply.GetResult().Context != nil {
		t.Error(reply)
	}
}

func TestEveryFailureOfACalloutIsAReply(t *testing.T) {
	for _, test := range []struct {
		hook selects
		says string
		code uint32
	}{
		{func(context.Context, *Subnet4Select) error { return fmt.Errorf("billing: %w", io.EOF) }, "billing: EOF", 0},
		{func(context.Context, *Subnet4Select) error { return fmt.Errorf("x: %w", &Failure{7, "late"}) }, "x: late", 7},
		{func(context.Context, *Subnet4Select) error { return errors.New("") }, "the callout failed with an empty", 0},
		{func(context.Context, *Subnet4Select) error { panic("what now") }, "panic: what now", 0},
		{func(context.Context, *Subnet4Select) error { panic(nil) }, "panic: panic called with nil argument", 0},
		{func(_ context.Context, call *Subnet4Select) error {
			var lease *Lease
			lease.SetHostname("x")
			return nil
		}, "panic: runtime error: invalid memory address", 0},
		{func(_ context.Context, call *Subnet4Select) error {
			call.SetContext(make([]byte, 4097))
			return nil
		}, "context has 4097 bytes; 4096 are possible", 0},
		{func(_ context.Context, call *Subnet4Select) error {
			return call.WriteContext(strings.Repeat("x", 4096))
		}, "4098 bytes as JSON; 4096", 0},
		{func(_ context.Context, call *Subnet4Select) error {
			call.Query().SetSecs(1)
			call.Query().SetFlags(1)
			return nil
		}, "query.header cannot be changed at subnet4_select (possible: subnet, query.classes)", 0},
		{func(_ context.Context, call *Subnet4Select) error {
			call.SelectSubnet(3)
			return nil
		}, "there is no subnet 3; possible: [1 2]", 0},
		{func(_ context.Context, call *Subnet4Select) error {
			call.Query().Options().Has("vendor-clas")
			return nil
		}, `there is no DHCPv4 option "vendor-clas" in the space dhcp4`, 0},
		{func(_ context.Context, call *Subnet4Select) error {
			call.Query().Options().Addr("vendor-class-identifier")
			return nil
		}, "option 60 (vendor-class-identifier) is no address: it is of type string", 0},
		{func(_ context.Context, call *Subnet4Select) error { return call.Park() }, "only a call of a session can park", 0},
		{func(_ context.Context, call *Subnet4Select) error {
			return call.Query().SetOption("host-name", "x")
		}, "query.options cannot be changed at subnet4_select", 0},
	} {
		engine := loadedEngine(t, Service{Hook: test.hook})
		reply := engine.run(context.Background(), "one", selectRequest("x"), nil)
		if !strings.HasPrefix(reply.GetFailure().GetText(), test.says) &&
			!strings.Contains(reply.GetFailure().GetText(), test.says) || reply.GetFailure().GetCode() != test.code {
			t.Errorf("%q: %v", test.says, reply)
		}
		if reply.GetId() != 7 {
			t.Error(reply)
		}
	}
}

func TestTheStackOfAPanicIsLogged(t *testing.T) {
	var log strings.Builder
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	engine := loadedEngine(t, Service{Hook: selects(func(context.Context, *Subnet4Select) error { panic("what now") })})
	engine.run(context.Background(), "one", selectRequest("x"), nil)
	if !strings.Contains(log.String(), "engine_test.go") || !strings.Contains(log.String(), "what now") {
		t.Error(log.String())
	}
}

func TestARequestThatMakesNoSenseIsAFailure(t *testing.T) {
	engine := loadedEngine(t, Service{Hook: selects(phones)})
	for says, change := range map[string]func(*hooksv1.CalloutRequest){
		"there is no hook point 999":               func(r *hooksv1.CalloutRequest) { r.HookPoint = 999 },
		"there is no hook point 0":                 func(r *hooksv1.CalloutRequest) { r.HookPoint = 0 },
		"there is no hook point -1":                func(r *hooksv1.CalloutRequest) { r.HookPoint = -1 },
		"configuration 2 is not loaded here":       func(r *hooksv1.CalloutRequest) { r.ConfigurationRevision = 2 },
		"subnet4_select came without arguments":    func(r *hooksv1.CalloutRequest) { r.Arguments = nil },
		"the service has no callout for pkt4_send": func(r *hooksv1.CalloutRequest) { r.HookPoint = 13 },
		"there is no next step 9":                  func(r *hooksv1.CalloutRequest) { r.Status = 9 },
		"with the arguments of another hook point": func(r *hooksv1.CalloutRequest) {
			r.Arguments = &hooksv1.Arguments{Point: &hooksv1.Arguments_Pkt4Receive{}}
		},
	} {
		request := selectRequest("phone")
		change(request)
		if reply := engine.run(context.Background(), "one", request, nil); !strings.Contains(reply.GetFailure().GetText(), says) {
			t.Errorf("%q: %v", says, reply)
		}
	}
	reply := engine.run(context.Background(), "two", selectRequest("x"), nil)
	if !strings.Contains(reply.GetFailure().GetText(), "call Load first") {
		t.Error(reply)
	}
	for _, sparse := range []*hooksv1.Arguments{
		{Point: &hooksv1.Arguments_Subnet4Select{Subnet4Select: &hooksv1.Subnet4SelectArguments{}}},
	} {
		request := selectRequest("")
		request.Arguments = sparse
		if reply := engine.run(context.Background(), "one", request, nil); reply.GetResult() == nil {
			t.Error(reply)
		}
	}
}

func TestWhatACalloutDecidedReadsBack(t *testing.T) {
	engine := loadedEngine(t, Service{Hook: selects(func(_ context.Context, call *Subnet4Select) error {
		call.SetContext([]byte{})
		call.SelectNoSubnet()
		call.Query().AddClass("phones")
		call.Query().AddAdditionalClass("late")
		call.Warn("odd")
		call.Drop("because")
		call.Skip()
		step, decided := call.NextStep()
		if call.SubnetID() != 0 || !call.Query().InClass("phones") || len(call.Context()) != 0 || !decided || step != Skip {
			return errors.New("it does not read back")
		}
		return nil
	})})
	result := engine.run(context.Background(), "one", selectRequest("x"), nil).GetResult()
	changes := result.GetChanges()
	if result.Context == nil || changes.SubnetId == nil || result.GetNextStep() != hooksv1.NextStep_NEXT_STEP_SKIP ||
		changes.GetQuery4().GetAddClasses()[0] != "phones" || changes.GetQuery4().GetAddAdditionalClasses()[0] != "late" ||
		result.GetWarning() != "odd" {
		t.Error(result)
	}
}

func TestAPacketIsHeldOnce(t *testing.T) {
	held := 0
	engine := loadedEngine(t, Service{Hook: selects(func(_ context.Context, call *Subnet4Select) error {
		if budget, ok := call.ParkBudget(); !ok || budget.Milliseconds() != 5 {
			return errors.New("no budget")
		}
		return errors.Join(call.Park(), call.Park())
	})})
	request := selectRequest("x")
	request.ParkBudgetUs = 5000
	reply := engine.run(context.Background(), "one", request, func() error { held++; return nil })
	if held != 1 || reply.GetResult() == nil || reply.GetResult().NextStep != nil {
		t.Error(held, reply)
	}
	full := errors.New("too many packets are held")
	engine = loadedEngine(t, Service{Hook: selects(func(_ context.Context, call *Subnet4Select) error {
		if err := call.Park(); !errors.Is(err, full) {
			return errors.New("no reason")
		}
		return nil
	})})
	if reply := engine.run(context.Background(), "one", request, func() error { return full }); reply.GetResult() == nil {
		t.Error(reply)
	}
}

type greeter struct{ greeting string }

func (g *greeter) Command(_ context.Context, call *Command) error {
	var arguments struct{ Name string }
	if err := call.ReadArguments(&arguments); err != nil {
		return err
	}
	return call.Answer(Answer{Text: g.greeting + " " + arguments.Name})
}

func commandRequest(text string) *hooksv1.CalloutRequest {
	return &hooksv1.CalloutRequest{
		HookPoint: hooksv1.HookPoint_HOOK_POINT_COMMAND, ConfigurationRevision: 1,
		Arguments: &hooksv1.Arguments{Point: &hooksv1.Arguments_Command{
			Command: &hooksv1.CommandArguments{Command: text},
		}},
	}
}

func TestCommandsAreAnswered(t *testing.T) {
	engine := loadedEngine(t, Service{Hook: &greeter{"hello"}, Commands: map[string]CommandFunc{
		"greet": nil,
		"count": func(_ context.Context, call *Command) error {
			return call.AnswerJSON(map[string]any{"result": 3, "arguments": []int{1}})
		},
		"bad": func(_ context.Context, call *Command) error { return call.AnswerJSON("done") },
	}})
	for text, wanted := range map[string]string{
		`{"command": "greet", "arguments": {"name": "ada"}}`: `{"result":0,"text":"hello ada"}`,
		`{"command": "count"}`:                               `{"arguments":[1],"result":3}`,
	} {
		reply := engine.run(context.Background(), "one", commandRequest(text), nil)
		if got := reply.GetResult().GetChanges().GetCommandResponse(); got != wanted {
			t.Errorf("%s: %v", text, reply)
		}
	}
	for text, says := range map[string]string{
		`{"command": "greet", "arguments": 7}`: "the arguments of greet are not what was expected",
		`{"command": "other"}`:                 `does not offer the command "other"`,
		`{"command": 1}`:                       "the command is not JSON",
		`{}`:                                   "the command has no name",
		``:                                     "the command is not JSON",
		`{"command": "bad"}`:                   `an object with an integer "result", not "done"`,
	} {
		reply := engine.run(context.Background(), "one", commandRequest(text), nil)
		if !strings.Contains(reply.GetFailure().GetText(), says) {
			t.Errorf("%s: %v", text, reply)
		}
	}
}

func TestStartAndStopSayWhatWentWrong(t *testing.T) {
	ctx := context.Background()
	engine, err := newEngine(Service{
		Name: "x", Version: "1", Hook: both{},
		Start: func(context.Context) error { panic("oh") },
		Stop:  func(context.Context) error { return io.EOF },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.start(ctx); err == nil || err.Error() != "panic: oh" {
		t.Error(err)
	}
	if err := engine.stop(ctx); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

func TestCallsRunAtTheSameTimeAsLoads(t *testing.T) {
	engine := loadedEngine(t, Service{Hook: selects(phones)})
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 200 {
				if reply := engine.run(context.Background(), "one", selectRequest("phone"), nil); reply.GetResult() == nil {
					t.Error(reply)
				}
			}
		})
		group.Go(func() {
			for revision := range uint64(50) {
				engine.load(context.Background(), loadRequest("one", hooksv1.Family_FAMILY_DHCP4, 1+revision%30))
			}
		})
	}
	group.Wait()
}

// BenchmarkCallout is a small callout: one option read, the context read, one change.
func BenchmarkCallout(b *testing.B) {
	engine := loadedEngine(b, Service{Hook: selects(func(_ context.Context, call *Subnet4Select) error {
		class, _ := call.Query().Options().String("vendor-class-identifier")
		if strings.HasPrefix(class, "phone") && len(call.Context()) > 0 {
			call.SelectSubnet(2)
		}
		return nil
	})})
	request := selectRequest("phone-7")
	key := serverKey("one", "phones")
	b.ReportAllocs()
	for b.Loop() {
		if reply := engine.run(context.Background(), key, request, nil); reply.GetResult() == nil {
			b.Fatal(reply)
		}
	}
}

func TestMain(m *testing.M) {
	// The log of failures that tests cause is not what anybody wants to read.
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}
