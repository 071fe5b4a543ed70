// Command service is the test service in Go: it does wrong what it is told to.
//
// As tests/service in Rust it subscribes to the reception of a packet, the selection of its subnet and the sending of the
// answer, and marks every answer with an option.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"

	outrigger "github.com/outrigger-dhcp/outrigger/hooks/go/sdk"
)

// The options that mark an answer.
const (
	mark4 = 224
	mark6 = 65000
)

var (
	mark   = []byte("marked")
	faults = []string{"none", "error", "panic", "nil", "goexit", "exit", "loop", "hang", "wrong-type", "huge"}
)

type hook struct {
	fault, at, only string
}

// call is what every call has.
type call interface {
	HookPoint() string
	PacketLabel() string
}

// fails says whether it is this call that goes wrong, and in this way.
func (h hook) fails(c call, fault string) bool {
	elsewhere := h.at != "" && h.at != c.HookPoint()
	return h.fault == fault && !elsewhere && strings.Contains(c.PacketLabel(), h.only)
}

func endlessLoop() {
	for n := 0; ; n++ {
		if n < 0 {
			n = 0
		}
	}
}

// goWrong is the fault, in a callout of whatever hook point.
func (h hook) goWrong(ctx context.Context, c call) error {
	switch {
	case h.fails(c, "error"):
		return errors.New("no such subscriber")
	case h.fails(c, "panic"):
		panic("no such subscriber")
	case h.fails(c, "nil"):
		var subscriber *struct{ name string }
		return errors.New(subscriber.name)
	case h.fails(c, "goexit"):
		runtime.Goexit()
	case h.fails(c, "exit"):
		os.Exit(3)
	case h.fails(c, "loop"):
		endlessLoop()
	case h.fails(c, "hang"):
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

func (h hook) Pkt4Receive(ctx context.Context, c *outrigger.Pkt4Receive) error {
	if h.fails(c, "wrong-type") {
		return c.Query().SetOption("routers", 5)
	}
	if h.fails(c, "huge") {
		return c.Query().SetOption("boot-file-name", strings.Repeat("x", 10_485_760))
	}
	return h.goWrong(ctx, c)
}

func (h hook) Pkt6Receive(ctx context.Context, c *outrigger.Pkt6Receive) error {
	if h.fails(c, "wrong-type") {
		return c.Query().SetOption("dns-servers", 5)
	}
	if h.fails(c, "huge") {
		return c.Query().SetOption("bootfile-url", strings.Repeat("x", 10_485_760))
	}
	return h.goWrong(ctx, c)
}

func (h hook) Subnet4Select(ctx context.Context, c *outrigger.Subnet4Select) error {
	return h.goWrong(ctx, c)
}

func (h hook) Subnet6Select(ctx context.Context, c *outrigger.Subnet6Select) error {
	return h.goWrong(ctx, c)
}

func (h hook) Pkt4Send(ctx context.Context, c *outrigger.Pkt4Send) error {
	if err := h.goWrong(ctx, c); err != nil {
		return err
	}
	return c.Response().Options().SetCode(mark4, mark)
}

func (h hook) Pkt6Send(ctx context.Context, c *outrigger.Pkt6Send) error {
	if err := h.goWrong(ctx, c); err != nil {
		return err
	}
	return c.Response().Options().SetCode(mark6, mark)
}

func subscriptions() map[string]outrigger.Subscription {
	receive := outrigger.Subscription{Reads: []string{"query"}, Writes: []string{"query.options"}}
	selects := outrigger.Subscription{Reads: []string{"query", "subnet"}, Writes: []string{"subnet"}}
	send := outrigger.Subscription{Reads: []string{"query", "response"}, Writes: []string{"response.options"}}
	return map[string]outrigger.Subscription{
		"pkt4_receive": receive, "pkt6_receive": receive,
		"subnet4_select": selects, "subnet6_select": selects,
		"pkt4_send": send, "pkt6_send": send,
	}
}

func main() {
	var h hook
	options := outrigger.Flags(flag.CommandLine)
	flag.StringVar(&h.fault, "fault", "none", "what it does wrong: "+strings.Join(faults, ", "))
	flag.StringVar(&h.at, "at", "", "at this hook point only")
	flag.StringVar(&h.only, "only", "", "for packets only whose label contains this")
	flag.Parse()
	service := outrigger.Service{
		Name: "outrigger-test-service", Version: "0.1.0", Hook: h, Subscriptions: subscriptions(),
	}
	if err := outrigger.Serve(outrigger.UntilSignal(), service, *options); err != nil {
		fmt.Fprintln(os.Stderr, "outrigger-test-service:", err)
		os.Exit(1)
	}
}
