package outrigger_test

import (
	"context"
	"fmt"
	"strings"

	outrigger "github.com/outrigger-dhcp/outrigger/hooks/go/sdk"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/hooktest"
)

// Phones sends phones to subnet 2.
type Phones struct{}

func (Phones) Subnet4Select(ctx context.Context, call *outrigger.Subnet4Select) error {
	class, _ := call.Query().Options().String("vendor-class-identifier")
	if strings.HasPrefix(class, "phone") {
		call.SelectSubnet(2)
	}
	return nil
}

// A whole service: main calls outrigger.Main(phones).
func Example() {
	phones := outrigger.Service{Name: "phones", Version: "1.0.0", Hook: Phones{}}

	result, err := hooktest.Try(phones, "subnet4_select",
		hooktest.Query4("discover", hooktest.Option("vendor-class-identifier", "phone-7")),
		hooktest.Subnets(1, 2))
	fmt.Println(result.Changes.GetSubnetId(), err)
	// Output: 2 <nil>
}

// Boot tells devices where their boot file is: which one, the server's configuration says.
type Boot struct {
	URL string `json:"url"`
}

func (b *Boot) Pkt6Receive(ctx context.Context, call *outrigger.Pkt6Receive) error {
	if architectures, ok := call.Query().Options().Uint32s("client-arch-type"); ok {
		return call.WriteContext(architectures)
	}
	return nil
}

func (b *Boot) Pkt6Send(ctx context.Context, call *outrigger.Pkt6Send) error {
	var architectures []uint32
	if found, err := call.ReadContext(&architectures); !found {
		return err
	}
	return call.Response().SetOption("bootfile-url", fmt.Sprintf("%s/%d.efi", b.URL, architectures[0]))
}

// loadBoot makes the hook for one configuration of one server.
func loadBoot(_ context.Context, load *outrigger.Load) (any, error) {
	boot := &Boot{}
	if err := load.ReadParameters(boot); err != nil {
		return nil, err
	}
	if boot.URL == "" {
		return nil, &outrigger.Refusal{Text: "boot wants the parameter \"url\""}
	}
	return boot, nil
}

// A hook with parameters, which keeps something from one hook point to the next.
func ExampleService() {
	service := outrigger.Service{
		Name: "boot", Version: "1.0.0", Load: loadBoot,
		Subscriptions: map[string]outrigger.Subscription{
			"pkt6_receive": {Reads: []string{"query.options.client-arch-type"}, Writes: []string{}},
			"pkt6_send":    {Reads: []string{"query.options.client-arch-type"}, Writes: []string{"response.options"}},
		},
	}
	parameters := hooktest.Parameters(map[string]string{"url": "https://boot.example.org"})

	received, err := hooktest.Try(service, "pkt6_receive", parameters,
		hooktest.Query6("solicit", hooktest.Option("client-arch-type", []uint16{7})))
	if err != nil {
		fmt.Println(err)
		return
	}
	sent, _ := hooktest.Try(service, "pkt6_send", parameters, hooktest.After(received), hooktest.Response6("advertise"))
	fmt.Println(sent.ResponseOption("bootfile-url"))

	_, err = hooktest.Try(service, "pkt6_send")
	fmt.Println(err)
	// Output:
	// "https://boot.example.org/7.efi" true
	// the service refuses to load: boot wants the parameter "url"
}

// A control command that the service offers.
func ExampleService_commands() {
	blocked := []string{"08:00:27:00:00:01"}
	service := outrigger.Service{
		Name: "blocklist", Version: "1.0.0",
		Commands: map[string]outrigger.CommandFunc{
			"blocklist-get": func(ctx context.Context, call *outrigger.Command) error {
				return call.Answer(outrigger.Answer{Arguments: blocked})
			},
		},
	}
	result, err := hooktest.Try(service, "command", hooktest.Command("blocklist-get", nil))
	fmt.Println(result.Changes.GetCommandResponse(), err)
	// Output: {"result":0,"arguments":["08:00:27:00:00:01"]} <nil>
}

// Ping asks whether somebody uses an address before it is offered.
type Ping struct {
	isInUse func(ctx context.Context, address string) bool
}

func (p Ping) Lease4Offer(ctx context.Context, call *outrigger.Lease4Offer) error {
	if _, ok := call.ParkBudget(); !ok || len(call.Leases()) == 0 {
		return nil
	}
	if err := call.Park(); err != nil {
		return err
	}
	call.ReportAddressInUse(p.isInUse(ctx, call.Leases()[0].Address().String()))
	return nil
}

// Without a session a packet cannot be held, and this hook leaves it alone.
func ExampleCall() {
	ping := Ping{func(context.Context, string) bool { return true }}
	result, err := hooktest.Try(ping, "lease4_offer", hooktest.Query4("discover"))
	fmt.Println(result.Parked, result.Changes, err)
	// Output: false <nil> <nil>
}

// What a callout is not allowed to do says what it may do instead.
func ExampleNotChangeableError() {
	result, _ := hooktest.Try(naughty{}, "lease4_recover")
	fmt.Println(result.Failure)
	result, _ = hooktest.Try(naughty{}, "pkt4_receive", hooktest.Query4("discover"))
	fmt.Println(result.Failure)
	// Output:
	// lease.names cannot be changed at lease4_recover (nothing can be)
	// option 3 (routers) is a list of ipv4-address, not "192.0.2.1" (string): field 1: a netip.Addr is wanted, an ipv4-address
}

type naughty struct{}

func (naughty) Lease4Recover(ctx context.Context, call *outrigger.Lease4Recover) error {
	call.Lease().SetHostname("x")
	return nil
}

func (naughty) Pkt4Receive(ctx context.Context, call *outrigger.Pkt4Receive) error {
	return call.Query().SetOption("routers", "192.0.2.1")
}
