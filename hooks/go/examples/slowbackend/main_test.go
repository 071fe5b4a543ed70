package main

import (
	"bufio"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	outrigger "github.com/outrigger-dhcp/outrigger/hooks/go/sdk"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/hooktest"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// patience is longer than anything here takes, on a busy machine too.
const patience = 20 * time.Second

// backend answers each question with a line; "" is no answer, until the test ends.
func backend(t *testing.T, answer func(question string) string) hooktest.Argument {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				question, err := bufio.NewReader(connection).ReadString('\n')
				if text := answer(strings.TrimSpace(question)); err == nil && text != "" {
					fmt.Fprint(connection, text)
					connection.Close()
				}
			}()
		}
	}()
	address := netip.MustParseAddrPort(listener.Addr().String())
	return hooktest.Parameters(map[string]any{"host": address.Addr().String(), "port": address.Port()})
}

func leases(addresses ...string) hooktest.Argument {
	var made []*hooksv1.Lease
	for _, address := range addresses {
		made = append(made, &hooksv1.Lease{Address: netip.MustParseAddr(address).AsSlice()})
	}
	return hooktest.Leases(made...)
}

// says answers "taken" for these addresses, "free" for others.
func says(taken ...string) func(string) string {
	return func(question string) string {
		for _, address := range taken {
			if address == question {
				return "taken\n"
			}
		}
		return "free\n"
	}
}

func TestAnAddressThatIsTakenIsNotOffered(t *testing.T) {
	parameters := backend(t, says("192.0.2.10"))
	for address, taken := range map[string]bool{"192.0.2.10": true, "192.0.2.11": false} {
		result := hooktest.Run(t, service(), "lease4_offer", parameters, hooktest.ParkBudget(patience),
			hooktest.Query4("discover"), hooktest.Response4("offer"), leases(address))
		if result.Failure != "" || !result.Parked || result.Changes.GetOfferAddressInUse() != taken {
			t.Errorf("%s: %s", address, result)
		}
	}
}

func TestAReplyWithATakenAddressIsNotSent(t *testing.T) {
	parameters := backend(t, says("2001:db8::b"))
	for addresses, expected := range map[string]outrigger.NextStep{
		"2001:db8::a 2001:db8::b": outrigger.Drop, "2001:db8::a 2001:db8::c": outrigger.Continue,
	} {
		result := hooktest.Run(t, service(), "leases6_committed", parameters, hooktest.ParkBudget(patience),
			hooktest.Query6("request"), hooktest.Response6("reply"), leases(strings.Fields(addresses)...))
		if result.Failure != "" || !result.Parked || result.NextStep != expected {
			t.Errorf("%s: %s", addresses, result)
		}
	}
}

func TestWhereAPacketCannotBeHeldNobodyIsAsked(t *testing.T) {
	parameters := backend(t, func(question string) string {
		t.Errorf("asked for %s", question)
		return "taken\n"
	})
	for name, arguments := range map[string][]hooktest.Argument{
		"no park budget": {leases("192.0.2.10")}, "no leases": {hooktest.ParkBudget(patience)},
	} {
		result := hooktest.Run(t, service(), "lease4_offer", append(arguments, parameters, hooktest.Query4("discover"))...)
		if result.Failure != "" || result.Parked || result.Decided || result.Changes != nil {
			t.Errorf("%s: %s", name, result)
		}
	}
}

func TestABackendThatDoesNotAnswerIsAFailure(t *testing.T) {
	silence := make(chan struct{})
	t.Cleanup(func() { close(silence) })
	silent := func(string) string {
		<-silence
		return ""
	}
	for name, c := range map[string]struct {
		parameters hooktest.Argument
		budget     time.Duration
		part       string
	}{
		"silent":   {backend(t, silent), 20 * time.Millisecond, "the backend did not answer: "},
		"nonsense": {backend(t, func(string) string { return "perhaps\n" }), patience, `the answer is "perhaps"`},
		"endless":  {backend(t, func(string) string { return strings.Repeat("x", 1000) }), patience, "the answer is \"xxx"},
		"nobody":   {nobody(t), patience, "connection refused"},
	} {
		result := hooktest.Run(t, service(), "lease4_offer", c.parameters, hooktest.ParkBudget(c.budget),
			hooktest.Query4("discover"), leases("192.0.2.10"))
		if !result.Parked || !strings.Contains(result.Failure, c.part) {
			t.Errorf("%s: %s", name, result)
		}
	}
}

// nobody listens there.
func nobody(t *testing.T) hooktest.Argument {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	listener.Close()
	return hooktest.Parameters(map[string]any{"host": "127.0.0.1", "port": port})
}

func TestParametersThatMakeNoSenseAreRefused(t *testing.T) {
	for part, wrong := range map[string]map[string]any{
		`write {"host"`:    {"host": "127.0.0.1"},
		"cannot unmarshal": {"host": "127.0.0.1", "port": 70000},
		"unknown field":    {"address": "127.0.0.1:7000"},
	} {
		_, err := hooktest.Try(service(), "lease4_offer", hooktest.Parameters(wrong))
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v: %v", wrong, err)
		}
	}
}
