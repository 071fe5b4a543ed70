package outrigger

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/hookpoints"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

const (
	// maxCommands is how many control commands one service may offer.
	maxCommands = 128
	// maxCommand is how many bytes the name of a command may have.
	maxCommand = 64
	// maxHookPoint is the highest number of a hook point.
	maxHookPoint = int(hookpoints.Command)
)

// Service is a hook service: what it is called, and the hook that works for the servers that load it.
type Service struct {
	// Name is as the service calls itself: "user-chk".
	Name string
	// Version is its version: "1.0.0".
	Version string
	// Hook is any value with methods of hook points: Subnet4Select makes it a Subnet4SelectHook. Its methods are called by
	// several goroutines at a time.
	Hook any
	// Load takes the place of Hook for a service with parameters, or one that works differently for each server: it makes
	// the hook for one configuration of one server. An error refuses to work for it; its text, or that of a *Refusal,
	// reaches the server's operator. Several servers and configurations may be loaded at a time.
	Load func(ctx context.Context, load *Load) (hook any, err error)
	// Subscriptions narrows what the server sends to, and takes from, the methods of the hook: by Kea's name of the hook
	// point. A hook point that is not there gets everything and may change all that the table of hook points allows.
	Subscriptions map[string]Subscription
	// Commands has the control commands that the service offers, by name: "blocklist-get". The server calls the service for
	// these alone, and lists them in list-commands; one of its own of the same name is no longer called. nil in place of a
	// function: the hook's method Command answers it.
	Commands map[string]CommandFunc
	// Start is run once before anything else, Stop once after the last call; both may be nil.
	Start, Stop func(ctx context.Context) error
	// Readiness is for a service that cannot work at times; nil: it always can.
	Readiness *Readiness
}

// CommandFunc answers a control command.
type CommandFunc func(ctx context.Context, call *Command) error

// Subscription is what a callout reads and writes, in paths of the table of hook points: "query.options.60" is one
// option of the query. Option names stand for their codes: "query.options.vendor-class-identifier".
type Subscription struct {
	// Reads is what the server sends; nil: everything. Header fields of a packet are always sent.
	Reads []string
	// Writes is what the callout may change; nil: all that the hook point allows. Empty: nothing but the next step and the
	// context.
	Writes []string
}

// translated has the paths with codes in place of option names, or says what the table does not have.
func (s Subscription) translated(spec *hookpoints.Spec) (reads, writes []string, err error) {
	if s.Writes == nil {
		s.Writes = spec.Changes
	}
	if reads, err = translatedPaths("read", s.Reads, spec.Reads, spec); err != nil {
		return nil, nil, err
	}
	if writes, err = translatedPaths("change", s.Writes, spec.Changes, spec); err != nil {
		return nil, nil, err
	}
	return reads, writes, nil
}

func translatedPaths(verb string, paths, listed []string, spec *hookpoints.Spec) ([]string, error) {
	translated := make([]string, 0, len(paths))
	for _, path := range paths {
		// One of them contains the other: "response" is a way to ask for each of "response.options" and "response.header".
		related := func(row string) bool { return covers(row, path) || covers(path, row) }
		if !slices.ContainsFunc(listed, related) {
			return nil, fmt.Errorf("the service wants to %s %q at %s; possible are: %s",
				verb, path, spec.Name, strings.Join(listed, ", "))
		}
		path, err := translatedPath(path, spec.Family)
		if err != nil {
			return nil, fmt.Errorf("the service wants to %s at %s: %w", verb, spec.Name, err)
		}
		translated = append(translated, path)
	}
	return translated, nil
}

// check finds what is wrong with the service whatever the configuration.
func (s *Service) check() error {
	switch {
	case s.Name == "":
		return errors.New("the service has no name")
	case s.Version == "":
		return fmt.Errorf("service %s has no version", s.Name)
	case s.Hook == nil && s.Load == nil && len(s.Commands) == 0:
		return fmt.Errorf("service %s has neither a hook nor a function that loads one", s.Name)
	case s.Hook != nil && s.Load != nil:
		return fmt.Errorf("service %s has a hook and a function that loads one: only one of them is possible", s.Name)
	}
	for name, subscription := range s.Subscriptions {
		if err := checkSubscription(name, subscription); err != nil {
			return err
		}
	}
	if err := s.checkCommands(); err != nil {
		return err
	}
	if s.Load != nil {
		return nil
	}
	if _, err := calloutsOf(s.Hook, s.Commands); err != nil {
		return err
	}
	for name := range s.Subscriptions {
		if p := pointNamed(name); s.Hook == nil || p.callout(s.Hook) == nil {
			return fmt.Errorf("there is a subscription to %s, but the hook has no method %s", name, p.method())
		}
	}
	return nil
}

func checkSubscription(name string, subscription Subscription) error {
	p := pointNamed(name)
	if p == nil {
		return fmt.Errorf("there is no hook point %q", name)
	}
	spec := hookpoints.Specs[p.hookPoint]
	_, _, err := subscription.translated(&spec)
	return err
}

func (s *Service) checkCommands() error {
	if len(s.Commands) > maxCommands {
		return fmt.Errorf("the service offers %d commands; %d are possible", len(s.Commands), maxCommands)
	}
	isForbidden := func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' }
	for name := range s.Commands {
		if name == "" || len(name) > maxCommand || strings.ContainsFunc(name, isForbidden) {
			return fmt.Errorf("the service offers the command %q; a name has up to %d lower-case letters, digits and hyphens",
				name, maxCommand)
		}
	}
	return nil
}

// pointNamed is the hook point with Kea's name; nil where there is none. "command" stands for "$command".
func pointNamed(name string) *point {
	if name == "command" {
		name = "$command"
	}
	for i := range points {
		if hookpoints.Specs[points[i].hookPoint].Name == name {
			return &points[i]
		}
	}
	return nil
}

// calloutsOf finds the methods of hook points, by number.
func calloutsOf(hook any, commands map[string]CommandFunc) ([maxHookPoint + 1]callout, error) {
	var callouts [maxHookPoint + 1]callout
	found := len(commands)
	if hook != nil {
		for i := range points {
			p := &points[i]
			callout := p.callout(hook)
			if callout == nil {
				if err := almost(hook, p); err != nil {
					return callouts, err
				}
				continue
			}
			callouts[p.hookPoint] = callout
			found++
		}
	}
	if found == 0 {
		return callouts, fmt.Errorf("%T has no method of a hook point: Subnet4Select for instance", hook)
	}
	command := callouts[hookpoints.Command]
	if command != nil && len(commands) == 0 {
		return callouts, fmt.Errorf("%T has the method Command, but Service.Commands has no command for it", hook)
	}
	for _, name := range slices.Sorted(maps.Keys(commands)) {
		if commands[name] == nil && command == nil {
			return callouts, fmt.Errorf("nothing answers the command %s: the hook has no method Command", name)
		}
	}
	if command == nil && len(commands) > 0 {
		callouts[hookpoints.Command] = bind(func(context.Context, *Command) error { return nil })
	}
	return callouts, nil
}

// almost says what is wrong where hook has the method of p, but not as it has to be.
func almost(hook any, p *point) error {
	wanted := p.hook.Method(0)
	method, ok := reflect.TypeOf(hook).MethodByName(wanted.Name)
	if ok {
		return fmt.Errorf("the method %s of %T is %s; a callout of %s is %s",
			wanted.Name, hook, withoutReceiver(method.Type), hookPointName(p.hookPoint), wanted.Type)
	}
	if _, ok := reflect.PointerTo(reflect.TypeOf(hook)).MethodByName(wanted.Name); ok {
		return fmt.Errorf("the method %s belongs to the pointer: the hook has to be a *%T", wanted.Name, hook)
	}
	return nil
}

func withoutReceiver(method reflect.Type) reflect.Type {
	var in, out []reflect.Type
	for i := 1; i < method.NumIn(); i++ {
		in = append(in, method.In(i))
	}
	for i := range method.NumOut() {
		out = append(out, method.Out(i))
	}
	return reflect.FuncOf(in, out, method.IsVariadic())
}

// configure makes what calls of this configuration need, and says what the server is to call.
func (s *Service) configure(load *Load, hook any) (*configuration, []*hooksv1.Subscription, error) {
	callouts, err := calloutsOf(hook, s.Commands)
	if err != nil {
		return nil, nil, err
	}
	for _, names := range [][]string{slices.Sorted(maps.Keys(load.narrowed)), slices.Sorted(maps.Keys(load.leftOut))} {
		for _, name := range names {
			if err := checkSubscription(name, load.narrowed[name]); err != nil {
				return nil, nil, err
			}
		}
	}
	made := &configuration{load: load, commands: s.Commands}
	var subscriptions []*hooksv1.Subscription
	for i := range points {
		number := points[i].hookPoint
		spec := hookpoints.Specs[number]
		if _, out := load.leftOut[spec.Name]; out || callouts[number] == nil || !isOf(spec, load.Family) {
			continue
		}
		subscription, ok := load.narrowed[spec.Name]
		if !ok {
			subscription = s.Subscriptions[spec.Name]
		}
		reads, writes, err := subscription.translated(&spec)
		if err != nil {
			return nil, nil, err
		}
		made.callouts[number] = boundCallout{callouts[number], newRights(number, reads, writes)}
		// The server subscribes for the commands by itself.
		if number != hookpoints.Command {
			subscriptions = append(subscriptions, &hooksv1.Subscription{
				HookPoint: hooksv1.HookPoint(number), Reads: reads, Writes: writes,
			})
		}
	}
	return made, subscriptions, nil
}

// isOf says whether a server of this family has the hook point; a server that does not say its family has all.
func isOf(spec hookpoints.Spec, family int) bool {
	return spec.Family == 0 || family == 0 || spec.Family == family
}
