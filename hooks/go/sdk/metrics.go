package outrigger

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/hookpoints"
)

// The text format is written here, and not by a client library: it is a page of counters, and a library would bring
// its dependencies into every hook.

// outcome is what came of a call.
type outcome int

const (
	outcomeResult outcome = iota
	outcomeFailure
	// outcomeExpired: the time ran out, before the callout started or later.
	outcomeExpired
	// outcomeRefused: the callout was not started, because too many calls are open.
	outcomeRefused
	outcomes
)

var outcomeNames = [outcomes]string{"result", "failure", "expired", "refused"}

var (
	// durationBounds are upper bounds of durations.
	durationBounds = [...]time.Duration{
		10 * time.Microsecond, 30 * time.Microsecond, 100 * time.Microsecond, 300 * time.Microsecond,
		time.Millisecond, 3 * time.Millisecond, 10 * time.Millisecond, 30 * time.Millisecond,
		100 * time.Millisecond, 300 * time.Millisecond, time.Second, 3 * time.Second, 10 * time.Second,
	}
	// batchBounds are upper bounds of the calls in one message.
	batchBounds = [...]int{1, 2, 4, 8, 16, 32, 64, 128, 256, 512}
)

// pointMetrics are those of one hook point.
type pointMetrics struct {
	outcomes [outcomes]atomic.Uint64
	late     atomic.Uint64
	parked   atomic.Uint64
	// durations are from the receipt of a call to its final reply; the last bucket is for all above the bounds.
	durations [len(durationBounds) + 1]atomic.Uint64
	// nanoseconds is the sum of the durations.
	nanoseconds atomic.Uint64
}

// metrics are those of one service. Counting is an addition: it costs a call nothing to speak of.
type metrics struct {
	// points by number; 0 is for those that this SDK does not know.
	points   [hookpoints.Command + 1]pointMetrics
	batches  [len(batchBounds) + 1]atomic.Uint64
	calls    atomic.Uint64
	opened   atomic.Uint64
	sessions atomic.Int64
	open     atomic.Int64
	held     atomic.Int64
	overdue  atomic.Int64
	stuck    atomic.Int64
}

func (m *metrics) point(number int32) *pointMetrics {
	if number < 0 || int(number) >= len(m.points) {
		return &m.points[0]
	}
	return &m.points[number]
}

// batch counts a message with so many calls.
func (m *metrics) batch(size int) {
	bucket := 0
	for bucket < len(batchBounds) && size > batchBounds[bucket] {
		bucket++
	}
	m.batches[bucket].Add(1)
	m.calls.Add(uint64(size))
}

// answered counts a final reply.
func (p *pointMetrics) answered(outcome outcome, took time.Duration) {
	p.outcomes[outcome].Add(1)
	bucket := 0
	for bucket < len(durationBounds) && took > durationBounds[bucket] {
		bucket++
	}
	p.durations[bucket].Add(1)
	p.nanoseconds.Add(uint64(max(took, 0)))
}

// page writes metrics in the text format of Prometheus. The first error of writing is kept.
type page struct {
	to  io.Writer
	err error
}

func (p *page) printf(format string, arguments ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.to, format, arguments...)
	}
}

func (p *page) head(name, kind, help string) {
	p.printf("# HELP outrigger_hooks_%s %s\n# TYPE outrigger_hooks_%s %s\n", name, help, name, kind)
}

func (p *page) value(name, kind, help string, value int64) {
	p.head(name, kind, help)
	p.printf("outrigger_hooks_%s %d\n", name, value)
}

// write writes everything that was counted; hook points that were never called are left out.
func (m *metrics) write(to io.Writer) error {
	p := &page{to: to}
	called := m.called()
	p.head("calls_total", "counter", "Calls by what came of them.")
	for _, number := range called {
		for outcome, name := range outcomeNames {
			count := m.points[number].outcomes[outcome].Load()
			p.printf("outrigger_hooks_calls_total{hook_point=%q,outcome=%q} %d\n", pointLabel(number), name, count)
		}
	}
	p.head("late_replies_total", "counter", "Replies that came after the server stopped waiting for them.")
	for _, number := range called {
		p.printf("outrigger_hooks_late_replies_total{hook_point=%q} %d\n", pointLabel(number), m.points[number].late.Load())
	}
	p.head("parked_total", "counter", "Packets held with PARK.")
	for _, number := range called {
		p.printf("outrigger_hooks_parked_total{hook_point=%q} %d\n", pointLabel(number), m.points[number].parked.Load())
	}
	p.head("call_duration_seconds", "histogram", "From the receipt of a call to its final reply.")
	for _, number := range called {
		m.points[number].writeDurations(p, pointLabel(number))
	}
	m.writeBatches(p)
	p.value("sessions_opened_total", "counter", "Sessions opened.", int64(m.opened.Load()))
	p.value("sessions", "gauge", "Sessions that are open.", m.sessions.Load())
	p.value("open_calls", "gauge", "Calls without a final reply.", m.open.Load())
	p.value("held_packets", "gauge", "Packets that wait for a final reply after PARK.", m.held.Load())
	p.value("overdue_callouts", "gauge", "Callouts that run on after their time is over.", m.overdue.Load())
	p.value("stuck_callouts", "gauge", "Those of them that count as stuck.", m.stuck.Load())
	return p.err
}

func (p *pointMetrics) writeDurations(to *page, label string) {
	sum := uint64(0)
	for bucket := range p.durations {
		sum += p.durations[bucket].Load()
		bound := "+Inf"
		if bucket < len(durationBounds) {
			bound = strconv.FormatFloat(durationBounds[bucket].Seconds(), 'g', -1, 64)
		}
		to.printf("outrigger_hooks_call_duration_seconds_bucket{hook_point=%q,le=%q} %d\n", label, bound, sum)
	}
	seconds := time.Duration(p.nanoseconds.Load()).Seconds()
	to.printf("outrigger_hooks_call_duration_seconds_sum{hook_point=%q} %g\n", label, seconds)
	to.printf("outrigger_hooks_call_duration_seconds_count{hook_point=%q} %d\n", label, sum)
}

func (m *metrics) writeBatches(p *page) {
	p.head("call_batch_size", "histogram", "Calls that came in one message.")
	sum := uint64(0)
	for bucket := range m.batches {
		sum += m.batches[bucket].Load()
		bound := "+Inf"
		if bucket < len(batchBounds) {
			bound = strconv.Itoa(batchBounds[bucket])
		}
		p.printf("outrigger_hooks_call_batch_size_bucket{le=%q} %d\n", bound, sum)
	}
	p.printf("outrigger_hooks_call_batch_size_sum %d\noutrigger_hooks_call_batch_size_count %d\n", m.calls.Load(), sum)
}

// called has the numbers of the hook points that had a call.
func (m *metrics) called() []hookpoints.HookPoint {
	known := append(slices.Sorted(maps.Keys(hookpoints.Specs)), 0)
	return slices.DeleteFunc(known, func(number hookpoints.HookPoint) bool {
		point := &m.points[number]
		for outcome := range point.outcomes {
			if point.outcomes[outcome].Load() > 0 {
				return false
			}
		}
		return point.parked.Load() == 0
	})
}

func pointLabel(number hookpoints.HookPoint) string {
	if number == 0 {
		return "unknown"
	}
	return number.String()
}
