// Command leaseevents writes what happens to leases into a file, one JSON object per line.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	outrigger "github.com/outrigger-dhcp/outrigger/hooks/go/sdk"
)

// waiting is how many events wait for the disk; what comes on top of them is lost, and nobody waits for it.
const waiting = 10_000

// event is a line of the file.
type event struct {
	Time          time.Time `json:"time"`
	Event         string    `json:"event"`
	Address       string    `json:"address"`
	SubnetID      uint32    `json:"subnet-id"`
	HwAddress     string    `json:"hw-address"`
	ClientID      string    `json:"client-id"`
	DUID          string    `json:"duid"`
	Hostname      string    `json:"hostname"`
	ValidLifetime uint32    `json:"valid-lifetime"`
	Packet        string    `json:"packet"`
}

// hook is the file with the goroutine that writes it.
type hook struct {
	path  string
	queue chan event
	lost  atomic.Uint64
	// reopen has SIGHUP: the file was moved away.
	reopen chan os.Signal
	end    chan struct{}
	ended  sync.WaitGroup
}

// Leases4Committed is called when leases are written.
func (h *hook) Leases4Committed(_ context.Context, call *outrigger.Leases4Committed) error {
	h.committed(call.Leases(), call.DeletedLeases(), call.PacketLabel())
	return nil
}

// Leases6Committed is the same in DHCPv6.
func (h *hook) Leases6Committed(_ context.Context, call *outrigger.Leases6Committed) error {
	h.committed(call.Leases(), call.DeletedLeases(), call.PacketLabel())
	return nil
}

func (h *hook) committed(leases, deleted []*outrigger.Lease, packet string) {
	for _, lease := range leases {
		h.add("committed", lease, packet)
	}
	for _, lease := range deleted {
		h.add("deleted", lease, packet)
	}
}

func (h *hook) Lease4Release(_ context.Context, call *outrigger.Lease4Release) error {
	h.add("released", call.Lease(), call.PacketLabel())
	return nil
}

func (h *hook) Lease6Release(_ context.Context, call *outrigger.Lease6Release) error {
	h.add("released", call.Lease(), call.PacketLabel())
	return nil
}

func (h *hook) Lease4Decline(_ context.Context, call *outrigger.Lease4Decline) error {
	h.add("declined", call.Lease(), call.PacketLabel())
	return nil
}

func (h *hook) Lease6Decline(_ context.Context, call *outrigger.Lease6Decline) error {
	h.add("declined", call.Lease(), call.PacketLabel())
	return nil
}

func (h *hook) Lease4Expire(_ context.Context, call *outrigger.Lease4Expire) error {
	h.add("expired", call.Lease(), "")
	return nil
}

func (h *hook) Lease6Expire(_ context.Context, call *outrigger.Lease6Expire) error {
	h.add("expired", call.Lease(), "")
	return nil
}

// add queues an event. It never waits.
func (h *hook) add(what string, lease *outrigger.Lease, packet string) {
	address := lease.Address().String()
	if lease.Type() == outrigger.LeasePD {
		address = lease.Prefix().String()
	}
	text := func(bytes []byte) string { return outrigger.HwAddress{Address: bytes}.String() }
	select {
	case h.queue <- event{
		Time: time.Now().UTC(), Event: what, Address: address, SubnetID: lease.SubnetID(),
		HwAddress: lease.HwAddress().String(), ClientID: text(lease.ClientID()), DUID: text(lease.DUID()),
		Hostname: lease.Hostname(), ValidLifetime: lease.ValidLifetime(), Packet: packet,
	}:
	default:
		h.lost.Add(1)
	}
}

func (h *hook) open() (*os.File, error) {
	return os.OpenFile(h.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
}

// write writes events until it is told to end, then those that still wait.
func (h *hook) write(file *os.File) {
	defer func() {
		if err := file.Close(); err != nil {
			slog.Error("the events cannot be closed", "error", err)
		}
	}()
	var told uint64
	for {
		select {
		case event := <-h.queue:
			h.line(file, event)
		case <-h.reopen:
			if opened, err := h.open(); err != nil {
				slog.Error("the events go on into the file as it was", "error", err)
			} else {
				file.Close()
				file = opened
			}
		case <-h.end:
			for range len(h.queue) {
				h.line(file, <-h.queue)
			}
			return
		}
		if lost := h.lost.Load(); lost > told {
			told = lost
			slog.Error("events were lost", "events", lost)
		}
	}
}

// line writes a line in one piece, so that whoever follows the file meets whole ones.
func (h *hook) line(file *os.File, event event) {
	line, err := json.Marshal(event)
	if err == nil {
		_, err = file.Write(append(line, '\n'))
	}
	if err != nil {
		h.lost.Add(1)
		slog.Error("an event cannot be written", "error", err)
	}
}

func service(path string) outrigger.Service {
	h := &hook{path: path, queue: make(chan event, waiting), reopen: make(chan os.Signal, 1), end: make(chan struct{})}
	subscriptions := map[string]outrigger.Subscription{}
	for _, family := range []int{4, 6} {
		subscriptions[fmt.Sprintf("leases%d_committed", family)] = outrigger.Subscription{
			Reads: []string{"leases", "deleted-leases"}, Writes: []string{},
		}
		for _, what := range []string{"release", "decline", "expire"} {
			subscriptions[fmt.Sprintf("lease%d_%s", family, what)] = outrigger.Subscription{
				Reads: []string{"lease"}, Writes: []string{},
			}
		}
	}
	return outrigger.Service{
		Name: "lease-events", Version: "1.0.0", Hook: h, Subscriptions: subscriptions,
		Start: func(context.Context) error {
			file, err := h.open()
			if err != nil {
				return err
			}
			signal.Notify(h.reopen, syscall.SIGHUP)
			h.ended.Go(func() { h.write(file) })
			return nil
		},
		Stop: func(context.Context) error {
			signal.Stop(h.reopen)
			close(h.end)
			h.ended.Wait()
			return nil
		},
	}
}

func main() {
	path := flag.String("events", "", "where to, a `FILE` that is appended to; SIGHUP opens it anew")
	options := outrigger.Flags(flag.CommandLine)
	flag.Parse()
	slog.SetLogLoggerLevel(options.LogLevel)
	if err := outrigger.Serve(outrigger.UntilSignal(), service(*path), *options); err != nil {
		slog.Error(err.Error())
		os.Exit(1)
	}
}
