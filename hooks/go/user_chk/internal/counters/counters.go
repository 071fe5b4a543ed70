// Package counters has what the service counts.
package counters

import (
	"fmt"
	"strings"
	"sync/atomic"
)

// Counters count since the start and are shown in logs.
type Counters struct {
	// Registered counts packets of registered clients.
	Registered atomic.Uint64
	// Unregistered counts packets of other clients.
	Unregistered atomic.Uint64
	// WithoutIdentifier counts packets without a usable identifier, which are among those of other clients.
	WithoutIdentifier atomic.Uint64
	// BadContexts counts contexts that came back changed or broken, and were decided anew.
	BadContexts atomic.Uint64
	// Overrides counts responses with an option changed.
	Overrides atomic.Uint64
	// Records counts outcome records written.
	Records atomic.Uint64
	// LostRecords counts outcome records that came faster than they could be written, or could not be written.
	LostRecords atomic.Uint64
	// Reloads counts versions of the registry that came into force.
	Reloads atomic.Uint64
	// RefusedReloads counts changes of the registry that were refused.
	RefusedReloads atomic.Uint64
}

// String is as in logs: "registered=3 unregistered=1 …".
func (c *Counters) String() string {
	var text strings.Builder
	for index, counter := range []struct {
		name  string
		value *atomic.Uint64
	}{
		{"registered", &c.Registered},
		{"unregistered", &c.Unregistered},
		{"without_identifier", &c.WithoutIdentifier},
		{"bad_contexts", &c.BadContexts},
		{"overrides", &c.Overrides},
		{"records", &c.Records},
		{"lost_records", &c.LostRecords},
		{"reloads", &c.Reloads},
		{"refused_reloads", &c.RefusedReloads},
	} {
		if index > 0 {
			text.WriteByte(' ')
		}
		fmt.Fprintf(&text, "%s=%d", counter.name, counter.value.Load())
	}
	return text.String()
}
