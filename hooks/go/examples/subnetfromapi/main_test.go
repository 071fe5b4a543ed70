package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	outrigger "github.com/outrigger-dhcp/outrigger/hooks/go/sdk"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/hooktest"
)

// patienceOfTests is what a step may take at most on a busy machine.
const patienceOfTests = 20 * time.Second

// api is an API whose answers the test decides.
type api struct {
	*httptest.Server
	questions atomic.Int64
	answer    atomic.Pointer[http.HandlerFunc]
}

func newAPI(t *testing.T) *api {
	a := &api{}
	a.says(`{"subnet": 2}`)
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.questions.Add(1)
		(*a.answer.Load())(w, r)
	}))
	t.Cleanup(a.Close)
	return a
}

func (a *api) does(handler http.HandlerFunc) { a.answer.Store(&handler) }

func (a *api) says(text string) {
	a.does(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) })
}

func (a *api) fails(code int) {
	a.does(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
}

// clock is the time as the test has it.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time { return time.Unix(1_000_000+c.at.Load(), 0) }

// newHook has a TTL of 60 s, 10 s for clients that are not known, and uses answers of up to 3600 s.
func newHook(t *testing.T, a *api) (*hook, *clock) {
	t.Helper()
	made, err := load(context.Background(), &outrigger.Load{Parameters: []byte(fmt.Sprintf(`{"url": "%s/subnets/"}`, a.URL))})
	if err != nil {
		t.Fatal(err)
	}
	clock := &clock{}
	h := made.(*hook)
	h.now = clock.now
	return h, clock
}

func select4(t *testing.T, h *hook) *hooktest.Result {
	t.Helper()
	return hooktest.Run(t, h, "subnet4_select", hooktest.Subnets(1, 2),
		hooktest.Query4("discover", hooktest.HwAddress("08:00:27:00:00:01")))
}

func expectSubnet(t *testing.T, result *hooktest.Result, subnet uint32) {
	t.Helper()
	if result.Failure != "" || result.Changes.GetSubnetId() != subnet {
		t.Errorf("%s, not subnet %d", result, subnet)
	}
}

func TestTheAPIIsAskedForTheHardwareAddressOrTheDUID(t *testing.T) {
	a := newAPI(t)
	paths := make(chan string, 2)
	a.does(func(w http.ResponseWriter, r *http.Request) {
		paths <- r.URL.Path
		fmt.Fprint(w, `{"subnet": 2}`)
	})
	h, _ := newHook(t, a)
	expectSubnet(t, select4(t, h), 2)
	expectSubnet(t, hooktest.Run(t, h, "subnet6_select", hooktest.Subnets(1, 2),
		hooktest.Query6("solicit", hooktest.OptionCode(1, []byte{0, 3, 0, 1, 0xab}))), 2)
	if four, six := <-paths, <-paths; four != "/subnets/08:00:27:00:00:01" || six != "/subnets/00:03:00:01:ab" {
		t.Error(four, six)
	}
	expectSubnet(t, hooktest.Run(t, h, "subnet6_select", hooktest.Subnets(1, 2), hooktest.Query6("solicit")), 0)
}

func TestAnAnswerIsRememberedForItsTime(t *testing.T) {
	a := newAPI(t)
	h, clock := newHook(t, a)
	for _, step := range []struct{ at, questions int64 }{{0, 1}, {59, 1}, {60, 2}, {119, 2}} {
		clock.at.Store(step.at)
		expectSubnet(t, select4(t, h), 2)
		if questions := a.questions.Load(); questions != step.questions {
			t.Errorf("%d questions after %d s", questions, step.at)
		}
	}
}

func TestAClientThatIsNotKnownKeepsTheServersSubnetAndIsAskedForAgainSooner(t *testing.T) {
	a := newAPI(t)
	a.fails(http.StatusNotFound)
	h, clock := newHook(t, a)
	for _, step := range []struct{ at, questions int64 }{{0, 1}, {9, 1}, {10, 2}} {
		clock.at.Store(step.at)
		expectSubnet(t, select4(t, h), 0)
		if questions := a.questions.Load(); questions != step.questions {
			t.Errorf("%d questions after %d s", questions, step.at)
		}
	}
}

func TestAnOldAnswerIsUsedWhileTheAPIIsOutOfOrder(t *testing.T) {
	a := newAPI(t)
	h, clock := newHook(t, a)
	expectSubnet(t, select4(t, h), 2)
	a.fails(http.StatusInternalServerError)
	clock.at.Store(3599)
	expectSubnet(t, select4(t, h), 2)
	clock.at.Store(3600)
	if result := select4(t, h); !strings.Contains(result.Failure, "of 08:00:27:00:00:01 is not known: the API answered 500") {
		t.Error(result)
	}
}

func TestManyPacketsOfAClientAreOneQuestion(t *testing.T) {
	a := newAPI(t)
	arrived, permit := make(chan struct{}), make(chan struct{})
	a.does(func(w http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		<-permit
		fmt.Fprint(w, `{"subnet": 2}`)
	})
	h, _ := newHook(t, a)
	results := make(chan *hooktest.Result, 8)
	var running sync.WaitGroup
	for range cap(results) {
		running.Go(func() { results <- select4(t, h) })
	}
	<-arrived
	close(permit)
	running.Wait()
	for range cap(results) {
		expectSubnet(t, <-results, 2)
	}
	// Whoever came later found the answer.
	if questions := a.questions.Load(); questions != 1 {
		t.Errorf("%d questions", questions)
	}
}

func TestWhoeverCannotWaitGoesWithoutAndTheNextHasTheAnswer(t *testing.T) {
	a := newAPI(t)
	permit := make(chan struct{})
	a.does(func(w http.ResponseWriter, _ *http.Request) {
		<-permit
		fmt.Fprint(w, `{"subnet": 2}`)
	})
	h, _ := newHook(t, a)
	result := hooktest.Run(t, h, "subnet4_select", hooktest.Subnets(1, 2), hooktest.Budget(20*time.Millisecond),
		hooktest.Query4("discover", hooktest.HwAddress("08:00:27:00:00:01")))
	if !strings.Contains(result.Failure, "no answer in time") {
		t.Error(result)
	}
	close(permit)
	limit := time.After(patienceOfTests)
	for {
		if _, ok := h.known("08:00:27:00:00:01"); ok {
			break
		}
		select {
		case <-limit:
			t.Fatal("the answer was not kept")
		case <-time.After(time.Millisecond):
		}
	}
	expectSubnet(t, select4(t, h), 2)
	if questions := a.questions.Load(); questions != 1 {
		t.Errorf("%d questions", questions)
	}
}

func TestAnswersThatMakeNoSenseAreFailures(t *testing.T) {
	a := newAPI(t)
	h, _ := newHook(t, a)
	for text, part := range map[string]string{
		"nonsense":                       "the API's answer: invalid character",
		"{}":                             "has no subnet",
		`{"subnet": "2"}`:                "cannot unmarshal",
		`{"subnet": -1}`:                 "cannot unmarshal",
		strings.Repeat(" ", 5000) + "{}": "EOF",
	} {
		a.says(text)
		if result := select4(t, h); !strings.Contains(result.Failure, part) {
			t.Errorf("%.20s: %s", text, result)
		}
	}
	a.says(`{"subnet": 9}`)
	if result := select4(t, h); !strings.Contains(result.Failure, "subnet 9 for 08:00:27:00:00:01, which the server does not have") {
		t.Error(result)
	}
}

func TestParametersThatMakeNoSenseAreRefused(t *testing.T) {
	for part, wrong := range map[string]map[string]any{
		`write {"url"`:                       {},
		"ttl, negative-ttl and stale are":    {"url": "http://127.0.0.1/", "ttl": -1},
		"unknown field":                      {"url": "http://127.0.0.1/", "TLL": 1},
		`write {"url": "http://127.0.0.1:80`: {"url": "ftp://127.0.0.1/"},
	} {
		_, err := hooktest.Try(service(), "subnet4_select", hooktest.Parameters(wrong))
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v: %v", wrong, err)
		}
	}
}
