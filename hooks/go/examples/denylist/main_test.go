package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	outrigger "github.com/outrigger-dhcp/outrigger/hooks/go/sdk"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/hooktest"
)

// patience is what the watch may take at most on a busy machine.
const patience = 20 * time.Second

const list = `# phones that were stolen
hw-address 08:00:27:00:00:01   # the first one
duid 00:03:00:01:08:00:27:00:00:01
`

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// started is the service with this list, and the list's path.
func started(t *testing.T, text string) (outrigger.Service, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "denied.txt")
	if text != "" {
		write(t, path, text)
	}
	made := service(path)
	if err := made.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := made.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return made, path
}

func drops4(t *testing.T, service outrigger.Service, address string) bool {
	t.Helper()
	result := hooktest.Run(t, service, "pkt4_receive", hooktest.Query4("discover", hooktest.HwAddress(address)))
	if result.Failure != "" || result.Changes != nil {
		t.Error(result)
	}
	return result.NextStep == outrigger.Drop
}

func TestClientsOnTheListAreDropped(t *testing.T) {
	denies, _ := started(t, list)
	for address, expected := range map[string]bool{"08:00:27:00:00:01": true, "08:00:27:00:00:02": false} {
		if drops4(t, denies, address) != expected {
			t.Error(address)
		}
	}
	for last, expected := range map[byte]outrigger.NextStep{1: outrigger.Drop, 2: outrigger.Continue} {
		duid := []byte{0, 3, 0, 1, 8, 0, 0x27, 0, 0, last}
		result := hooktest.Run(t, denies, "pkt6_receive", hooktest.Query6("solicit", hooktest.OptionCode(1, duid)))
		if result.NextStep != expected {
			t.Errorf("%x: %s", duid, result)
		}
	}
	for _, anonymous := range []*hooktest.Result{
		hooktest.Run(t, denies, "pkt6_receive", hooktest.Query6("solicit")),
		// The bytes of a DUID are no hardware address.
		hooktest.Run(t, denies, "pkt6_receive", hooktest.Query6("solicit", hooktest.OptionCode(1, []byte{8, 0, 0x27, 0, 0, 1}))),
	} {
		if anonymous.Decided || anonymous.Failure != "" {
			t.Error(anonymous)
		}
	}
}

func TestAListThatChangesIsReadAgain(t *testing.T) {
	denies, path := started(t, list)
	write(t, path, "hw-address 080027000002\n")
	limit := time.After(patience)
	for drops4(t, denies, "08:00:27:00:00:01") {
		select {
		case <-limit:
			t.Fatal("the list of before is still in force")
		case <-time.After(10 * time.Millisecond):
		}
	}
	if !drops4(t, denies, "08:00:27:00:00:02") {
		t.Error("the new list is not in force")
	}
}

func TestABadLineIsNamedAndTheListBeforeStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "denied.txt")
	h := &hook{path: path}
	write(t, path, list)
	h.look()
	for text, part := range map[string]string{
		"\nhw-address 08:00:27:00:00:0g": `line 2: "hw-address 08:00:27:00:00:0g" is neither "hw-address XX:XX:..." nor "duid XX:XX:..."`,
		"08:00:27:00:00:02 hw-address":   "line 1: ",
		"hw-address\n":                   "line 1: ",
		"duid :\n":                       "line 1: ",
		"duid 00 03 00":                  "line 1: ",
	} {
		write(t, path, text)
		h.look()
		problem := h.problem.Load()
		if problem == nil || !strings.Contains(*problem, path+": "+part) {
			t.Errorf("%q: %v", text, problem)
		}
		if !h.denies("hw-address", []byte{8, 0, 0x27, 0, 0, 1}) {
			t.Fatalf("%q: the list before is gone", text)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	h.look()
	if problem := h.problem.Load(); problem == nil || !strings.Contains(*problem, "no such file") || len(*h.list.Load()) != 2 {
		t.Error("a list that was removed is no problem, or not in force")
	}
	write(t, path, "")
	h.look()
	if h.problem.Load() != nil || len(*h.list.Load()) != 0 {
		t.Error("the repaired list is not in force")
	}
}

func TestWithoutAGoodListTheServiceRefusesToBeLoaded(t *testing.T) {
	denies, path := started(t, "")
	_, err := hooktest.Try(denies, "pkt4_receive", hooktest.Query4("discover"))
	if err == nil || !strings.Contains(err.Error(), "the list is not good: ") || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
}
