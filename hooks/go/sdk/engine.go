package outrigger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/hookpoints"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// engine is everything between the transport and the callouts of one service.
type engine struct {
	service Service
	loads   loads
}

// newEngine finds what is wrong with the service.
func newEngine(service Service) (*engine, error) {
	if err := service.check(); err != nil {
		return nil, err
	}
	// The map is the author's.
	service.Commands = maps.Clone(service.Commands)
	return &engine{service: service}, nil
}

func (e *engine) start(ctx context.Context) error { return runOnce(ctx, "Start", e.service.Start) }

func (e *engine) stop(ctx context.Context) error { return runOnce(ctx, "Stop", e.service.Stop) }

func runOnce(ctx context.Context, what string, function func(context.Context) error) (err error) {
	if function == nil {
		return nil
	}
	failure := guardedApart(what, func() { err = function(ctx) })
	return errors.Join(failure, err)
}

// load has the service agree to a configuration of a server, or refuse. Never panics, whatever the request or the author's
// function.
func (e *engine) load(ctx context.Context, request *hooksv1.LoadRequest) *hooksv1.LoadReply {
	load := newLoad(request)
	log := slog.With("server", load.ServerName, "instance", load.InstanceID, "service", load.ServiceName,
		"revision", load.Revision)
	subscriptions, err := e.loadFor(ctx, request, load)
	if err != nil {
		log.WarnContext(ctx, "refused to load", "text", err.Error())
		return &hooksv1.LoadReply{Result: &hooksv1.LoadReply_Refusal{Refusal: &hooksv1.Refusal{Text: err.Error()}}}
	}
	log.InfoContext(ctx, "loaded")
	return &hooksv1.LoadReply{Result: &hooksv1.LoadReply_Loaded{Loaded: &hooksv1.Loaded{
		ProtocolVersion: hookpoints.ProtocolVersion,
		Name:            e.service.Name,
		Version:         e.service.Version,
		Subscriptions:   subscriptions,
		Sessions:        true,
		Commands:        slices.Sorted(maps.Keys(e.service.Commands)),
	}}}
}

func (e *engine) loadFor(ctx context.Context, request *hooksv1.LoadRequest, load *Load) ([]*hooksv1.Subscription, error) {
	if versions := request.GetProtocolVersions(); !slices.Contains(versions, hookpoints.ProtocolVersion) {
		return nil, fmt.Errorf("the server speaks versions %v of the hook protocol, the service %d",
			versions, hookpoints.ProtocolVersion)
	}
	if err := checkParameters(load); err != nil {
		return nil, err
	}
	hook := e.service.Hook
	if e.service.Load != nil {
		var err error
		failure := guardedApart("Load", func() { hook, err = e.service.Load(ctx, load) })
		if err := errors.Join(failure, err); err != nil {
			return nil, err
		}
	}
	configuration, subscriptions, err := e.service.configure(load, hook)
	if err != nil {
		return nil, err
	}
	e.loads.insert(configuration)
	return subscriptions, nil
}

// isLoaded says whether there is a load of that configuration and server; instanceID is as for run.
func (e *engine) isLoaded(instanceID string, revision uint64) bool {
	return e.loads.find(instanceID, revision) != nil
}

// errNotLoaded is the failure of calls and sessions of a configuration that is not known, or forgotten.
func errNotLoaded(revision uint64) error {
	return fmt.Errorf("configuration %d is not loaded here: call Load first", revision)
}

// run runs the callout that a request asks for, in this goroutine: a callout that ends it (runtime.Goexit) does not come
// back, and the caller answers with errGoexit. The request belongs to the call from here on. instanceID is that of the
// session's server, or serverKey of its Hello; empty for a call outside any session, which names no server. park sends
// the PARK reply; nil: the packet cannot be held. Never panics, whatever the request or the callout.
func (e *engine) run(
	ctx context.Context, instanceID string, request *hooksv1.CalloutRequest, park func() error,
) *hooksv1.CalloutReply {
	point := hookpoints.HookPoint(request.GetHookPoint())
	call, err := e.call(ctx, instanceID, point, request, park)
	if err != nil {
		slog.WarnContext(ctx, "callout failed", "hook_point", hookPointName(point),
			"packet", request.GetPacketLabel(), "failure", err.Error())
		return failureReply(request.GetId(), err)
	}
	if call.reason != "" {
		slog.InfoContext(ctx, "dropped", "hook_point", hookPointName(point), "packet", request.GetPacketLabel(),
			"reason", call.reason)
	}
	return &hooksv1.CalloutReply{Id: request.GetId(), Outcome: &hooksv1.CalloutReply_Result{Result: call.result}}
}

func (e *engine) call(
	ctx context.Context, instanceID string, point hookpoints.HookPoint, request *hooksv1.CalloutRequest, park func() error,
) (*Call, error) {
	family, ok := familyOf(point)
	if !ok {
		return nil, malformed("there is no hook point %d", int32(point))
	}
	configuration := e.find(instanceID, family, request.GetConfigurationRevision())
	if configuration == nil {
		return nil, errNotLoaded(request.GetConfigurationRevision())
	}
	bound := configuration.callouts[point]
	if bound.run == nil {
		return nil, fmt.Errorf("the service has no callout for %s", hookPointName(point))
	}
	if request.GetArguments().GetPoint() == nil {
		return nil, malformed("%s came without arguments", hookPointName(point))
	}
	if status := NextStep(request.GetStatus()); status < Continue || status > Park {
		return nil, malformed("there is no next step %d", int32(request.GetStatus()))
	}
	setup := Call{
		request: request, load: configuration.load, rights: bound.rights, holdPacket: park,
		result: &hooksv1.CalloutResult{},
	}
	var call *Call
	var err error
	run := bound.run
	if point == hookpoints.Command {
		if run, err = configuration.command(request.GetArguments()); err != nil {
			return nil, err
		}
	}
	if failure := guarded("callout", func() { call, ok, err = run(ctx, setup, request.GetArguments()) }); failure != nil {
		return nil, failure
	}
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, malformed("%s came with the arguments of another hook point", hookPointName(point))
	case call.mistake != nil:
		return nil, call.mistake
	}
	return call, nil
}

func (e *engine) find(instanceID string, family int, revision uint64) *configuration {
	if instanceID == "" {
		return e.loads.findUnnamed(family, revision)
	}
	return e.loads.find(instanceID, revision)
}

// command is the callout for a control command; an error where the service does not offer it.
func (c *configuration) command(arguments *hooksv1.Arguments) (callout, error) {
	var command withCommand
	command.fill(arguments.GetCommand().GetCommand())
	if command.malformed != nil {
		return nil, command.malformed
	}
	answer, ok := c.commands[command.name]
	if !ok {
		return nil, fmt.Errorf("the service does not offer the command %q", clipped(command.name))
	}
	if answer == nil {
		return c.callouts[hookpoints.Command].run, nil
	}
	return bind(answer), nil
}

// errGoexit is the failure of a callout that ended its goroutine.
var errGoexit = errors.New("the callout ended its goroutine (runtime.Goexit)")

// guardedApart is guarded in a goroutine of its own, so that runtime.Goexit is an error too.
func guardedApart(what string, function func()) error {
	failure := fmt.Errorf("%s ended its goroutine (runtime.Goexit)", what)
	done := make(chan struct{})
	go func() {
		defer close(done)
		failure = guarded(what, function)
	}()
	<-done
	return failure
}

// guarded calls a function of the author. A panic is an error, with the stack in the log.
func guarded(what string, function func()) (failure error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if cause := recover(); cause != nil {
			slog.Error("panic", "in", what, "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
			failure = fmt.Errorf("panic: %v", cause)
		}
	}()
	function()
	returned = true
	return nil
}

// failureReply is a failure as it travels.
func failureReply(id uint64, err error) *hooksv1.CalloutReply {
	failure := &hooksv1.CalloutFailure{Text: err.Error()}
	var numbered *Failure
	if errors.As(err, &numbered) {
		failure.Code = numbered.Code
	}
	if failure.Text == "" {
		failure.Text = fmt.Sprintf("the callout failed with an empty %T", err)
	}
	return &hooksv1.CalloutReply{Id: id, Outcome: &hooksv1.CalloutReply_Failure{Failure: failure}}
}
