package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	outrigger "github.com/outrigger-dhcp/outrigger/hooks/go/sdk"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/hooktest"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// patience is what a step may take at most on a busy machine.
const patience = 20 * time.Second

func started(t *testing.T) (outrigger.Service, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "leases.jsonl")
	made := service(path)
	if err := made.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	return made, path
}

// stopped ends the service, and has the events that were written.
func stopped(t *testing.T, service outrigger.Service, path string) []event {
	t.Helper()
	if err := service.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	return events(t, path)
}

func events(t *testing.T, path string) []event {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var read []event
	for line := range strings.Lines(string(text)) {
		var one event
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		read = append(read, one)
	}
	return read
}

func lease4() *hooksv1.Lease {
	return &hooksv1.Lease{
		Type: hooksv1.LeaseType_LEASE_TYPE_V4, Address: []byte{192, 0, 2, 10}, PrefixLength: 32, SubnetId: 1,
		HwAddress: &hooksv1.HwAddress{Htype: 1, Address: []byte{8, 0, 0x27, 0, 0, 1}}, ClientId: []byte{1, 2},
		Hostname: "phone-1", ValidLifetime: 3600,
	}
}

func lease6(kind hooksv1.LeaseType, length uint32) *hooksv1.Lease {
	return &hooksv1.Lease{
		Type: kind, Address: []byte{0x20, 1, 0xd, 0xb8, 15: 0}, PrefixLength: length, SubnetId: 2,
		Duid: []byte{0, 3, 0, 1}, ValidLifetime: 4000,
	}
}

func TestEachEventIsALine(t *testing.T) {
	service, path := started(t)
	prefix := lease6(hooksv1.LeaseType_LEASE_TYPE_PD, 56)
	address := lease6(hooksv1.LeaseType_LEASE_TYPE_NA, 128)
	for _, call := range []struct {
		point     string
		arguments []hooktest.Argument
	}{
		{"leases4_committed", []hooktest.Argument{hooktest.Query4("request"), hooktest.Leases(lease4())}},
		{"lease4_release", []hooktest.Argument{hooktest.Query4("release"), hooktest.Lease(lease4())}},
		{"lease4_decline", []hooktest.Argument{hooktest.Query4("decline"), hooktest.Lease(lease4())}},
		{"lease4_expire", []hooktest.Argument{hooktest.Lease(lease4())}},
		{"leases6_committed", []hooktest.Argument{hooktest.Query6("renew"), hooktest.Leases(prefix), hooktest.DeletedLeases(address)}},
		{"lease6_release", []hooktest.Argument{hooktest.Query6("release"), hooktest.Lease(prefix)}},
		{"lease6_decline", []hooktest.Argument{hooktest.Query6("decline"), hooktest.Lease(address)}},
		{"lease6_expire", []hooktest.Argument{hooktest.Lease(address)}},
	} {
		if result := hooktest.Run(t, service, call.point, call.arguments...); result.Failure != "" || result.Decided || result.Changes != nil {
			t.Errorf("%s: %s", call.point, result)
		}
	}
	written := stopped(t, service, path)
	var seen []string
	for _, event := range written {
		seen = append(seen, event.Event+" "+event.Address)
	}
	const expected = "committed 192.0.2.10, released 192.0.2.10, declined 192.0.2.10, expired 192.0.2.10, " +
		"committed 2001:db8::/56, deleted 2001:db8::, released 2001:db8::/56, declined 2001:db8::, expired 2001:db8::"
	if text := strings.Join(seen, ", "); text != expected {
		t.Fatal(text)
	}
	first, sixth := written[0], written[4]
	if first.Time.IsZero() || first.SubnetID != 1 || first.HwAddress != "08:00:27:00:00:01" || first.ClientID != "01:02" ||
		first.Hostname != "phone-1" || first.ValidLifetime != 3600 || first.Packet != "trial" || first.DUID != "" {
		t.Errorf("%+v", first)
	}
	if sixth.DUID != "00:03:00:01" || sixth.HwAddress != "" || sixth.SubnetID != 2 || written[3].Packet != "" {
		t.Errorf("%+v", sixth)
	}
}

func TestAFileThatWasMovedAwayIsMadeAnewAfterSIGHUP(t *testing.T) {
	service, path := started(t)
	expire := func() { hooktest.Run(t, service, "lease4_expire", hooktest.Lease(lease4())) }
	expire()
	until(t, "the first event", func() bool { return len(events(t, path)) == 1 })
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	until(t, "the new file", func() bool {
		_, err := os.Stat(path)
		return err == nil
	})
	expire()
	if written := stopped(t, service, path); len(written) != 1 || len(events(t, path+".1")) != 1 {
		t.Error(written)
	}
}

func until(t *testing.T, what string, reached func() bool) {
	t.Helper()
	limit := time.After(patience)
	for !reached() {
		select {
		case <-limit:
			t.Fatalf("not in time: %s", what)
		case <-time.After(time.Millisecond):
		}
	}
}

func TestAFullQueueHoldsNobodyUp(t *testing.T) {
	// Nobody writes: it was not started.
	made := service(filepath.Join(t.TempDir(), "leases.jsonl"))
	h := made.Hook.(*hook)
	h.queue = make(chan event, 2)
	for range 5 {
		hooktest.Run(t, made, "lease4_expire", hooktest.Lease(lease4()))
	}
	if lost := h.lost.Load(); lost != 3 {
		t.Errorf("%d are lost", lost)
	}
}

func TestAFileThatCannotBeOpenedEndsTheStart(t *testing.T) {
	made := service(filepath.Join(t.TempDir(), "no", "leases.jsonl"))
	if err := made.Start(context.Background()); !os.IsNotExist(err) {
		t.Error(err)
	}
}
