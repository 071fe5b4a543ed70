// Command optionbyclass gives the clients of a class other options than the server's configuration has.
package main

import (
	"context"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"slices"

	outrigger "github.com/outrigger-dhcp/outrigger/hooks/go/sdk"
)

// hook has options by Kea's name, by client class.
type hook map[string]map[string]any

func load(_ context.Context, load *outrigger.Load) (any, error) {
	var parameters struct {
		Classes map[string]map[string]any `json:"classes"`
	}
	if err := load.ReadParameters(&parameters); err != nil {
		return nil, err
	}
	var writes []string
	for _, options := range parameters.Classes {
		for name := range options {
			writes = append(writes, "response.options."+name)
		}
	}
	if len(writes) == 0 {
		return nil, &outrigger.Refusal{Text: `parameters: write {"classes": {"phones": {"tftp-server-name": "192.0.2.9"}}}`}
	}
	slices.Sort(writes)
	// What is not in here, the server does not let this service change. The classes of a packet come with its header.
	load.Narrow(fmt.Sprintf("pkt%d_send", load.Family), outrigger.Subscription{
		Reads: []string{"query.classes"}, Writes: slices.Compact(writes),
	})
	return hook(parameters.Classes), nil
}

func (h hook) Pkt4Send(_ context.Context, call *outrigger.Pkt4Send) error {
	return h.override(call.Query().Classes(), call.Response().Options())
}

func (h hook) Pkt6Send(_ context.Context, call *outrigger.Pkt6Send) error {
	return h.override(call.Query().Classes(), call.Response().Options())
}

// override sets the options of the client's classes. The class that the packet joined last wins.
func (h hook) override(classes []string, options *outrigger.PacketOptions) error {
	for _, class := range classes {
		for _, name := range slices.Sorted(maps.Keys(h[class])) {
			if err := set(options, name, h[class][name]); err != nil {
				return fmt.Errorf("class %s: %w", class, err)
			}
		}
	}
	return nil
}

// set sets a value as JSON has it. A text is an address where the option wants one.
func set(options *outrigger.PacketOptions, name string, value any) error {
	err := options.Set(name, converted(value, func(text string) (any, bool) { return text, true }))
	if err == nil {
		return nil
	}
	addresses := converted(value, func(text string) (any, bool) {
		address, err := netip.ParseAddr(text)
		return address, err == nil
	})
	if options.Set(name, addresses) == nil {
		return nil
	}
	return err
}

// converted has the texts of a value converted, as far as that is possible, and JSON's numbers as integers.
func converted(value any, convert func(string) (any, bool)) any {
	switch value := value.(type) {
	case string:
		if made, ok := convert(value); ok {
			return made
		}
	case float64:
		if value == math.Trunc(value) {
			return int64(value)
		}
	case []any:
		made := make([]any, len(value))
		for i, field := range value {
			made[i] = converted(field, convert)
		}
		return made
	}
	return value
}

func service() outrigger.Service {
	return outrigger.Service{Name: "option-by-class", Version: "1.0.0", Load: load}
}

func main() { outrigger.Main(service()) }
