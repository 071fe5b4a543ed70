// Command slowbackend asks a slow backend whether an address may be given out, and holds the packet meanwhile.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	outrigger "github.com/outrigger-dhcp/outrigger/hooks/go/sdk"
)

const (
	// open is how many questions are open at a time.
	open = 256
	// answerBytes is the longest answer.
	answerBytes = 64
)

// hook asks a backend: a line with an address, answered by a line, "free" or "taken".
type hook struct {
	address string
	slots   chan struct{}
}

func load(_ context.Context, load *outrigger.Load) (any, error) {
	var parameters struct {
		Host string `json:"host"`
		Port uint16 `json:"port"`
	}
	if err := load.ReadParameters(&parameters); err != nil {
		return nil, err
	}
	if parameters.Host == "" || parameters.Port == 0 {
		return nil, &outrigger.Refusal{Text: `parameters: write {"host": "127.0.0.1", "port": 7000}`}
	}
	address := net.JoinHostPort(parameters.Host, strconv.Itoa(int(parameters.Port)))
	return &hook{address: address, slots: make(chan struct{}, open)}, nil
}

// Lease4Offer: an address that is taken is declined by the server; the client gets no offer and asks again.
func (h *hook) Lease4Offer(ctx context.Context, call *outrigger.Lease4Offer) error {
	taken, err := h.anyTaken(ctx, call)
	if taken {
		call.ReportAddressInUse(true)
	}
	return err
}

// Leases6Committed: the leases are written already; all that can be done is not to tell the client.
func (h *hook) Leases6Committed(ctx context.Context, call *outrigger.Leases6Committed) error {
	taken, err := h.anyTaken(ctx, call)
	if taken {
		call.Drop("the backend says that it is taken")
	}
	return err
}

// offer is what calls of both families have.
type offer interface {
	Leases() []*outrigger.Lease
	ParkBudget() (time.Duration, bool)
	Park() error
}

// anyTaken holds the packet and asks. Where nobody answers in time it is a failure, and the server's policy applies.
func (h *hook) anyTaken(ctx context.Context, call offer) (bool, error) {
	budget, canPark := call.ParkBudget()
	if !canPark || len(call.Leases()) == 0 {
		// Nobody waits so long: the address is given out unasked.
		return false, nil
	}
	if err := call.Park(); err != nil {
		return false, err
	}
	// From here on the park budget counts, of which a part is for the reply.
	ctx, cancel := context.WithTimeout(ctx, budget*9/10)
	defer cancel()
	answers := make([]bool, len(call.Leases()))
	questions, ctx := errgroup.WithContext(ctx)
	for i, lease := range call.Leases() {
		questions.Go(func() (err error) {
			answers[i], err = h.isTaken(ctx, lease.Address().String())
			return err
		})
	}
	if err := questions.Wait(); err != nil {
		return false, fmt.Errorf("the backend did not answer: %w", err)
	}
	for _, taken := range answers {
		if taken {
			return true, nil
		}
	}
	return false, nil
}

func (h *hook) isTaken(ctx context.Context, address string) (bool, error) {
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", h.address)
	if err != nil {
		return false, err
	}
	defer connection.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := connection.SetDeadline(deadline); err != nil {
			return false, err
		}
	}
	if _, err := fmt.Fprintln(connection, address); err != nil {
		return false, err
	}
	answer, err := bufio.NewReader(io.LimitReader(connection, answerBytes)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	switch answer = strings.TrimSpace(answer); answer {
	case "free", "taken":
		return answer == "taken", nil
	}
	return false, fmt.Errorf("the answer is %q", answer)
}

func service() outrigger.Service {
	return outrigger.Service{
		Name: "slow-backend", Version: "1.0.0", Load: load,
		Subscriptions: map[string]outrigger.Subscription{
			"lease4_offer":      {Reads: []string{"leases"}, Writes: []string{"offer-address-in-use"}},
			"leases6_committed": {Reads: []string{"leases"}, Writes: []string{}},
		},
	}
}

func main() { outrigger.Main(service()) }
