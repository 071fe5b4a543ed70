// Package hooktest runs one callout the way a session would, without a network: the same checks, the same handling of
// errors and panics.
//
//	result := hooktest.Run(t, hook{}, "subnet4_select",
//		hooktest.Query4("discover", hooktest.Option("vendor-class-identifier", "phone-7")),
//		hooktest.Subnets(1, 2))
//	if result.Changes.GetSubnetId() != 2 {
//		t.Error(result)
//	}
package hooktest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	outrigger "github.com/outrigger-dhcp/outrigger/hooks/go/sdk"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/hookpoints"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/internal/trial"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// Argument is one thing that is known of the call.
type Argument func(*setup) error

// setup is a call in the making.
type setup struct {
	family  int
	load    *hooksv1.LoadRequest
	request *hooksv1.CalloutRequest
	// arguments is the message of the hook point.
	arguments protoreflect.Message
	budget    time.Duration
}

// Result is what the callout decided.
type Result struct {
	// NextStep is what the final reply says; Decided: the callout said something about it.
	NextStep outrigger.NextStep
	Decided  bool
	// Changes is as it travels; its getters work where nothing was changed.
	Changes *hooksv1.Changes
	// Context is what was kept; nil: unchanged.
	Context []byte
	// Warning is empty where there was none.
	Warning string
	// Failure is why there is no result, as the server would get it; empty where there is one.
	Failure string
	// FailureCode is the service's own number.
	FailureCode uint32
	// Parked: the callout held the packet, and this is its final reply.
	Parked bool

	family int
	before []byte
}

// String is the result for messages of tests.
func (r *Result) String() string {
	if r.Failure != "" {
		return "failure: " + r.Failure
	}
	return fmt.Sprintf("next step %s, changes {%v}, context %q, warning %q", r.NextStep, r.Changes, r.Context, r.Warning)
}

// QueryOption is what the callout set the option of the query to, as it would be configured.
func (r *Result) QueryOption(name string) (string, bool) {
	return r.option(name, append(r.Changes.GetQuery4().GetOptions(), r.Changes.GetQuery6().GetOptions()...))
}

// ResponseOption is what the callout set the option of the response to, as it would be configured.
func (r *Result) ResponseOption(name string) (string, bool) {
	return r.option(name, append(r.Changes.GetResponse4().GetOptions(), r.Changes.GetResponse6().GetOptions()...))
}

func (r *Result) option(name string, edits []*hooksv1.OptionEdit) (text string, found bool) {
	code, err := trial.Code(r.family, name)
	if err != nil {
		return "", false
	}
	for _, edit := range edits {
		if path := edit.GetPath(); len(path) == 1 && path[0] == code {
			text = trial.Text(r.family, &hooksv1.Option{Code: code, Data: edit.GetData()})
			found = edit.GetAction() != hooksv1.OptionEdit_ACTION_REMOVE
		}
	}
	return text, found
}

// ReadAnswer decodes the answer to a command into target.
func (r *Result) ReadAnswer(target any) error {
	if err := json.Unmarshal([]byte(r.Changes.GetCommandResponse()), target); err != nil {
		return fmt.Errorf("the answer: %w", err)
	}
	return nil
}

// Run runs the callout of a hook point to its end. hookOrService is a hook, an outrigger.Service or a pointer to one;
// hookPoint is Kea's name. It is the first call of its packet, with nobody before it and no limit of time, unless the
// arguments say something else. A call that cannot be made fails the test; a callout that fails is a result.
func Run(t testing.TB, hookOrService any, hookPoint string, arguments ...Argument) *Result {
	t.Helper()
	result, err := Try(hookOrService, hookPoint, arguments...)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// Try is Run without a test. The error says why the call cannot be made: a wrong argument, or a service that refuses to
// load.
func Try(hookOrService any, hookPoint string, arguments ...Argument) (*Result, error) {
	engine, err := trial.New(hookOrService)
	if err != nil {
		return nil, err
	}
	s, err := newSetup(hookPoint, arguments)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	if refusal := engine.Load(ctx, s.load).GetRefusal(); refusal != nil {
		return nil, fmt.Errorf("the service refuses to load: %s", refusal.GetText())
	}
	if s.budget > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.budget)
		defer cancel()
	}
	parked := false
	var park func() error
	if s.request.GetParkBudgetUs() > 0 {
		park = func() error {
			parked = true
			return nil
		}
	}
	before := s.request.GetContext()
	reply := engine.Run(ctx, s.request, park)
	return &Result{
		NextStep:    outrigger.NextStep(reply.GetResult().GetNextStep()),
		Decided:     reply.GetResult() != nil && reply.GetResult().NextStep != nil,
		Changes:     reply.GetResult().GetChanges(),
		Context:     reply.GetResult().GetContext(),
		Warning:     reply.GetResult().GetWarning(),
		Failure:     reply.GetFailure().GetText(),
		FailureCode: reply.GetFailure().GetCode(),
		Parked:      parked,
		family:      s.family,
		before:      before,
	}, nil
}

func newSetup(hookPoint string, arguments []Argument) (*setup, error) {
	if hookPoint == "command" {
		hookPoint = "$command"
	}
	for number, spec := range hookpoints.Specs {
		if spec.Name != hookPoint {
			continue
		}
		s := &setup{family: spec.Family}
		all := (&hooksv1.Arguments{}).ProtoReflect()
		field := all.Descriptor().Fields().ByNumber(protoreflect.FieldNumber(number))
		s.arguments = all.Mutable(field).Message()
		s.load = &hooksv1.LoadRequest{
			ProtocolVersions: []uint32{hookpoints.ProtocolVersion},
			Server: &hooksv1.ServerIdentity{
				Name: "trial", Family: hooksv1.Family(max(spec.Family, 4)), Version: "0", InstanceId: "trial",
			},
			ConfigurationRevision: 1,
			ServiceName:           "trial",
		}
		s.request = &hooksv1.CalloutRequest{
			Id: 1, HookPoint: hooksv1.HookPoint(number), PacketLabel: "trial", ConfigurationRevision: 1,
		}
		for _, argument := range arguments {
			if err := argument(s); err != nil {
				return nil, fmt.Errorf("%s: %w", hookPoint, err)
			}
		}
		if s.family == 0 {
			s.family = 4
		}
		// Whatever the test keeps of the arguments stays as it is.
		s.request.Arguments = proto.CloneOf(all.Interface().(*hooksv1.Arguments))
		return s, nil
	}
	return nil, fmt.Errorf("there is no hook point %q", hookPoint)
}

// set fills one field of the arguments.
func (s *setup) set(name string, value protoreflect.Value) error {
	field := s.arguments.Descriptor().Fields().ByName(protoreflect.Name(name))
	if field == nil {
		return fmt.Errorf("a call of it has no %s", strings.ReplaceAll(name, "_", "-"))
	}
	if message, ok := value.Interface().(protoreflect.Message); ok &&
		(field.Message() == nil || field.Message() != message.Descriptor()) {
		return fmt.Errorf("its %s is of another family", strings.ReplaceAll(name, "_", "-"))
	}
	s.arguments.Set(field, value)
	return nil
}

func (s *setup) setMessage(name string, message proto.Message) error {
	return s.set(name, protoreflect.ValueOfMessage(message.ProtoReflect()))
}

// Arguments has all of the arguments in the message of the protocol.
func Arguments(message proto.Message) Argument {
	return func(s *setup) error {
		if message.ProtoReflect().Descriptor() != s.arguments.Descriptor() {
			return fmt.Errorf("its arguments are %s, not %s",
				s.arguments.Descriptor().Name(), message.ProtoReflect().Descriptor().Name())
		}
		proto.Merge(s.arguments.Interface(), message)
		return nil
	}
}

// Context is as if an earlier call had kept it.
func Context(context []byte) Argument {
	return func(s *setup) error {
		s.request.Context = context
		return nil
	}
}

// After is at a later hook point of the packet that an earlier result is of: with the context that was kept.
func After(earlier *Result) Argument {
	return func(s *setup) error {
		s.request.Context = earlier.before
		if earlier.Context != nil {
			s.request.Context = earlier.Context
		}
		return nil
	}
}

// Status is as if the services before had decided so.
func Status(status outrigger.NextStep) Argument {
	return func(s *setup) error {
		s.request.Status = hooksv1.NextStep(status)
		return nil
	}
}

// Budget limits the time of the call: the callout's context has a deadline.
func Budget(budget time.Duration) Argument {
	return func(s *setup) error {
		s.budget = budget
		s.request.BudgetUs = uint32(min(budget.Microseconds(), 1<<32-1))
		return nil
	}
}

// ParkBudget is a session whose server would hold the packet for so long: the callout may park. The limit is not
// enforced.
func ParkBudget(budget time.Duration) Argument {
	return func(s *setup) error {
		s.request.ParkBudgetUs = uint32(min(budget.Microseconds(), 1<<32-1))
		return nil
	}
}

// Parameters is what the server's configuration has for the service: anything that is a map as JSON.
func Parameters(parameters any) Argument {
	return func(s *setup) error {
		text, err := json.Marshal(parameters)
		s.load.Parameters = string(text)
		return err
	}
}

// Load is more of what the server says when it loads the service.
func Load(request *hooksv1.LoadRequest) Argument {
	return func(s *setup) error {
		proto.Merge(s.load, request)
		if family := s.load.GetServer().GetFamily(); s.family != 0 && int(family) != s.family {
			return errors.New("it is a hook point of the other family")
		}
		s.request.ConfigurationRevision = s.load.GetConfigurationRevision()
		return nil
	}
}
