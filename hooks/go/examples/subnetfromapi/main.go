// Command subnetfromapi asks an HTTP API for the subnet of each client, and remembers what it said.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	outrigger "github.com/outrigger-dhcp/outrigger/hooks/go/sdk"
)

const (
	// remembered is how many clients are remembered, asked how many are asked for at a time.
	remembered = 100_000
	asked      = 64
	// patience is what the API has; whoever cannot wait so long goes on without it.
	patience = 5 * time.Second
	// answerBytes is how much of an answer is looked at.
	answerBytes = 4096
)

// answer is what the API said; subnet 0: it does not know the client.
type answer struct {
	subnet uint32
	given  time.Time
}

// hook has what the API says, with a memory: one question per client at a time, and old answers while it is out of
// order.
type hook struct {
	url                     string
	ttl, negativeTTL, stale time.Duration
	http                    http.Client
	questions               singleflight.Group
	slots                   chan struct{}
	now                     func() time.Time

	mutex   sync.Mutex
	answers map[string]answer
}

func load(_ context.Context, load *outrigger.Load) (any, error) {
	parameters := struct {
		URL         string  `json:"url"`
		TTL         float64 `json:"ttl"`
		NegativeTTL float64 `json:"negative-ttl"`
		Stale       float64 `json:"stale"`
	}{TTL: 60, NegativeTTL: 10, Stale: 3600}
	if err := load.ReadParameters(&parameters); err != nil {
		return nil, err
	}
	if address, err := url.Parse(parameters.URL); err != nil || address.Scheme != "http" && address.Scheme != "https" {
		return nil, &outrigger.Refusal{Text: `parameters: write {"url": "http://127.0.0.1:8080/subnets"}`}
	}
	const longest = float64(10 * 365 * 24 * 3600)
	if seconds := []float64{parameters.TTL, parameters.NegativeTTL, parameters.Stale}; min(seconds[0], seconds[1], seconds[2]) < 0 ||
		max(seconds[0], seconds[1], seconds[2]) > longest {
		return nil, &outrigger.Refusal{Text: "parameters: ttl, negative-ttl and stale are seconds"}
	}
	duration := func(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }
	return &hook{
		url: strings.TrimSuffix(parameters.URL, "/"),
		ttl: duration(parameters.TTL), negativeTTL: duration(parameters.NegativeTTL), stale: duration(parameters.Stale),
		// The API is nearby; a proxy of the environment is for something else.
		http:    http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: asked}},
		slots:   make(chan struct{}, asked),
		now:     time.Now,
		answers: make(map[string]answer),
	}, nil
}

// Subnet4Select asks for the hardware address.
func (h *hook) Subnet4Select(ctx context.Context, call *outrigger.Subnet4Select) error {
	return h.selectSubnet(ctx, call, call.Query().HwAddress().String())
}

// Subnet6Select asks for the DUID.
func (h *hook) Subnet6Select(ctx context.Context, call *outrigger.Subnet6Select) error {
	duid := outrigger.HwAddress{Address: call.Query().DUID()}
	return h.selectSubnet(ctx, call, duid.String())
}

// selection is what calls of both families have.
type selection interface {
	Load() *outrigger.Load
	SubnetID() uint32
	SelectSubnet(id uint32)
}

func (h *hook) selectSubnet(ctx context.Context, call selection, client string) error {
	if client == "" {
		return nil
	}
	if deadline, ok := ctx.Deadline(); ok {
		// Some of the time is left to answer in.
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(deadline)*4/5)
		defer cancel()
	}
	subnet, err := h.subnetOf(ctx, client)
	switch {
	case err != nil:
		return fmt.Errorf("the subnet of %s is not known: %w", client, err)
	case subnet == 0 || subnet == call.SubnetID():
		return nil
	case call.Load().Subnets[subnet] == nil:
		return fmt.Errorf("the API says subnet %d for %s, which the server does not have", subnet, client)
	}
	call.SelectSubnet(subnet)
	return nil
}

// subnetOf is the client's subnet; 0 where the API does not know it.
func (h *hook) subnetOf(ctx context.Context, client string) (uint32, error) {
	if known, ok := h.fresh(client); ok {
		return known.subnet, nil
	}
	// The question goes on without this client, so that the next packet has the answer.
	question := h.questions.DoChan(client, func() (any, error) { return h.ask(client) })
	var err error
	select {
	case reply := <-question:
		if reply.Err == nil {
			return reply.Val.(uint32), nil
		}
		err = reply.Err
	case <-ctx.Done():
		err = errors.New("no answer in time")
	}
	if known, ok := h.known(client); ok && h.age(known) < h.stale {
		slog.Warn("an old answer is used", "client", client, "age", h.age(known), "error", err)
		return known.subnet, nil
	}
	return 0, err
}

func (h *hook) known(client string) (answer, bool) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	known, ok := h.answers[client]
	return known, ok
}

// fresh is an answer that needs no question.
func (h *hook) fresh(client string) (answer, bool) {
	known, ok := h.known(client)
	ttl := h.ttl
	if known.subnet == 0 {
		ttl = h.negativeTTL
	}
	return known, ok && h.age(known) < ttl
}

func (h *hook) age(known answer) time.Duration { return h.now().Sub(known.given) }

func (h *hook) remember(client string, subnet uint32) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if _, ok := h.answers[client]; !ok && len(h.answers) >= remembered {
		// Any of them: it will be asked for again.
		for other := range h.answers {
			delete(h.answers, other)
			break
		}
	}
	h.answers[client] = answer{subnet, h.now()}
}

// ask is GET URL/CLIENT: {"subnet": 7}, or 404 for a client that the API does not know.
func (h *hook) ask(client string) (uint32, error) {
	// The answer to the question before may have come since somebody looked.
	if known, ok := h.fresh(client); ok {
		return known.subnet, nil
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	default:
		return 0, fmt.Errorf("%d questions are open already", asked)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, h.url+"/"+url.PathEscape(client), nil)
	if err != nil {
		return 0, err
	}
	response, err := h.http.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNotFound {
		h.remember(client, 0)
		return 0, nil
	}
	if response.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("the API answered %s", response.Status)
	}
	var said struct {
		Subnet uint32 `json:"subnet"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, answerBytes)).Decode(&said); err != nil {
		return 0, fmt.Errorf("the API's answer: %w", err)
	}
	if said.Subnet == 0 {
		return 0, errors.New("the API's answer has no subnet")
	}
	h.remember(client, said.Subnet)
	return said.Subnet, nil
}

func service() outrigger.Service {
	return outrigger.Service{
		Name: "subnet-from-api", Version: "1.0.0", Load: load,
		Subscriptions: map[string]outrigger.Subscription{
			"subnet4_select": {Reads: []string{"query.header", "subnet"}, Writes: []string{"subnet"}},
			"subnet6_select": {Reads: []string{"query.options.clientid", "subnet"}, Writes: []string{"subnet"}},
		},
	}
}

func main() { outrigger.Main(service()) }
