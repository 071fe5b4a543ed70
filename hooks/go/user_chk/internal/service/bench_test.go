package service

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/counters"
	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/identifier"
	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/outcome"
	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/registry"
	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/verdict"
)

// decisions are the three hook points of one client, without the SDK around them.
func decisions(t testing.TB, registered bool) func() {
	t.Helper()
	counts := new(counters.Counters)
	path := filepath.Join(t.TempDir(), "registry.txt")
	lines := ""
	if registered {
		lines = `{"type":"HW_ADDR","id":"020000000001","bootfile":"/srv/boot/gold.bin"}`
	}
	if err := os.WriteFile(path, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	users := registry.New(path, counts, func() {})
	users.Refresh()
	records, err := outcome.Open(filepath.Join(t.TempDir(), "outcome.txt"), counts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(records.Close)
	h := hook{&UserChk{Registry: users, Outcome: records, Counters: counts},
		settings{restrictedSubnetID: 2, subnetSelection: true, optionOverrides: true, outcomeRecords: true}}
	client := identifier.Of4(1, []byte{2, 0, 0, 0, 0, 1})
	context := make([]byte, 0, verdict.UsualContext)
	return func() {
		received := h.decide(client, "packet")
		context = received.AppendTo(context[:0])
		selected := h.verdict(context, client, "packet")
		if subnet, other := h.otherSubnet(&selected, 1); other == registered || other && subnet != 2 {
			t.Fatal("the subnet is wrong")
		}
		sent := h.verdict(context, client, "packet")
		h.record(&outcome.Record{Client: client, Registered: sent.Registered})
		if overrides := h.overrides(&sent, identifier.HwAddr); (overrides.Bootfile != "") != registered {
			t.Fatal("the boot file is wrong")
		}
	}
}

// Whoever writes the record in the background allocates nothing, so that what is counted is that of the callouts.
func TestDecisionsOfAnUnregisteredClientAllocateTheRecordOnly(t *testing.T) {
	for registered, most := range map[bool]float64{
		false: 1,
		// And the boot file, at the two hook points that read the context.
		true: 3,
	} {
		if allocations := testing.AllocsPerRun(100, decisions(t, registered)); allocations > most {
			t.Errorf("registered %v: %v allocations", registered, allocations)
		}
	}
}

func BenchmarkDecisions(b *testing.B) {
	for name, registered := range map[string]bool{"registered": true, "unregistered": false} {
		b.Run(name, func(b *testing.B) {
			decide := decisions(b, registered)
			b.ReportAllocs()
			for b.Loop() {
				decide()
			}
		})
	}
}
