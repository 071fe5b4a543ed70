package outrigger

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

func TestMetricsShowWhatBecameOfCalls(t *testing.T) {
	r := serveTest(t, func(_ context.Context, request *hooksv1.CalloutRequest, _ func() error) *hooksv1.CalloutReply {
		if request.GetId() == 2 {
			return failedReply(2, "no")
		}
		return result(request.GetId())
	}, nil)
	s := r.session(t)
	unknown := request(3)
	unknown.HookPoint = 9999
	s.calls(request(1), request(2), unknown)
	for range 3 {
		s.reply()
	}
	var page strings.Builder
	if err := r.metrics.write(&page); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`outrigger_hooks_calls_total{hook_point="subnet4_select",outcome="result"} 1`,
		`outrigger_hooks_calls_total{hook_point="subnet4_select",outcome="failure"} 1`,
		`outrigger_hooks_calls_total{hook_point="unknown",outcome="result"} 1`,
		`outrigger_hooks_call_duration_seconds_count{hook_point="subnet4_select"} 2`,
		`outrigger_hooks_call_duration_seconds_bucket{hook_point="subnet4_select",le="+Inf"} 2`,
		`outrigger_hooks_call_batch_size_bucket{le="2"} 0`,
		`outrigger_hooks_call_batch_size_bucket{le="4"} 1`,
		`outrigger_hooks_call_batch_size_sum 3`,
		`outrigger_hooks_sessions 1`,
		`outrigger_hooks_sessions_opened_total 1`,
		`outrigger_hooks_open_calls 0`,
		`outrigger_hooks_stuck_callouts 0`,
	} {
		if !strings.Contains(page.String(), line+"\n") {
			t.Errorf("%s is not in\n%s", line, &page)
		}
	}
	if strings.Contains(page.String(), "pkt4_receive") {
		t.Error("a hook point that was not called is shown")
	}
}

func TestADurationIsCountedInItsBucket(t *testing.T) {
	var point pointMetrics
	point.answered(outcomeResult, 30*time.Microsecond)
	point.answered(outcomeResult, 31*time.Microsecond)
	point.answered(outcomeResult, time.Minute)
	for bucket, wanted := range map[int]uint64{1: 1, 2: 1, len(durationBounds): 1} {
		if count := point.durations[bucket].Load(); count != wanted {
			t.Errorf("bucket %d has %d", bucket, count)
		}
	}
}

func TestMetricsAreOfferedOverHTTP(t *testing.T) {
	// A port that was free a moment ago; if it is taken meanwhile, the error says so.
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	s := newServer(&fakeEngine{}, &Options{})
	closeMetrics, err := s.offerMetrics(address)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(response.Body)
	if err != nil || !strings.Contains(string(page), "outrigger_hooks_sessions 0\n") {
		t.Errorf("%s, %v", page, err)
	}
	if err := response.Body.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.offerMetrics(address); err == nil || !strings.Contains(err.Error(), "cannot offer metrics") {
		t.Errorf("twice: %v", err)
	}
	closeMetrics()
}
