package outrigger

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/hookpoints"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

func TestSeveralViewsOfAnOptionDoNotLoseEdits(t *testing.T) {
	response := response4(t, Subscription{})
	first, second := response.Options().Vendor(9), response.Options().Vendor(77)
	relay, again := response.Options().Sub("dhcp-agent-options"), response.Options().Sub("dhcp-agent-options")
	must(t, first.SetCode(1, []byte{1}))
	must(t, second.SetCode(2, []byte{2}))
	must(t, first.SetCode(3, []byte{3}))
	must(t, relay.Set("circuit-id", []byte("a")))
	must(t, again.Set("remote-id", []byte("b")))
	if got := packetText(response.Options()); got != "125 0000000906010101030103"+"0000004d03020102, 82 010161020162" {
		t.Error(got)
	}
	got := travels(response.call.Changes().GetResponse4().GetOptions())
	if got != "SET 125 0000000903010101, SET 125 00000009030101010000004d03020102, SET 125.3/9 03, "+
		"SET 82 010161, SET 82.2 62" {
		t.Error(got)
	}
	unread := response4(t, Subscription{Reads: []string{"query"}}).Options().Sub("dhcp-agent-options")
	must(t, unread.Set("circuit-id", []byte("a")))
	must(t, unread.Set("remote-id", []byte("b")))
	if got := packetText(unread); got != "1 61, 2 62" {
		t.Error(got)
	}
}

func TestAnInstanceThatNoPathLeadsToIsNotEdited(t *testing.T) {
	address := "00050018" + strings.Repeat("00", 24)
	response := response6(t, Subscription{}, "3 000000010000000000000000", "3 000000020000000000000000"+address)
	second := response.IANA()[1]
	for _, options := range []*PacketOptions{second.Options, second.Leases[0].Options} {
		err := options.Set("status-code", []any{0, ""})
		if err == nil || err.Error() != "only the first option 3 (ia-na) can be changed inside" {
			t.Error(err)
		}
	}
	if err := response.Options().Vendor(0).SetCode(1, []byte{}); err == nil {
		t.Error("an edit that means any enterprise is made")
	}
	v4 := response4(t, Subscription{})
	if err := v4.Options().SubCode(125).SetCode(1, []byte{}); err == nil || !strings.Contains(err.Error(), "see Vendor") {
		t.Error(err)
	}
}

// TestWhateverBytesAreInAPacket reads and changes packets of random bytes: there is a value or an error, and what was
// changed can be read again.
func TestWhateverBytesAreInAPacket(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	data := func() []byte {
		data := make([]byte, random.IntN(40))
		for i := range data {
			// Small numbers are likely lengths and codes.
			data[i] = byte(random.IntN(1 << (1 + random.IntN(8))))
		}
		return data
	}
	for range 20000 {
		v4, _ := newCall(t, pointOf(t, hookpoints.Pkt4Send), Subscription{})
		response4 := v4.(*Pkt4Send).Response()
		for _, code := range []uint32{43, 82, 122, 125} {
			response4.message.Options = append(response4.message.Options, &hooksv1.Option{Code: code, Data: data()})
		}
		v6, _ := newCall(t, pointOf(t, hookpoints.Pkt6Send), Subscription{})
		response6 := v6.(*Pkt6Send).Response()
		for _, code := range []uint32{3, 4, 17, 25, 66, 94} {
			response6.message.Options = append(response6.message.Options, &hooksv1.Option{Code: code, Data: data()})
		}
		subs := []*PacketOptions{
			response4.Options().SubCode(43), response4.Options().SubCode(82), response4.Options().SubCode(122),
			response4.Options().Vendor(1), response6.Options().Vendor(1), response6.Options().SubCode(66),
			response6.Options().SubCode(94).SubCode(89),
		}
		for _, ias := range [][]IA{response6.IANA(), response6.IATA(), response6.IAPD()} {
			for _, ia := range ias {
				subs = append(subs, ia.Options)
			}
		}
		for _, sub := range subs {
			for option := range sub.All() {
				if text := fmt.Sprint(option); strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
					t.Fatalf("%q is not fit for a log", text)
				}
			}
			if err := sub.SetCode(7, []byte{1, 2}); err == nil {
				if read, ok := sub.Raw(7); !ok || len(read) != 2 {
					t.Fatalf("%x", read)
				}
			}
		}
	}
}
