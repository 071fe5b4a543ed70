// Command denylist drops the packets of clients that are on a list.
package main

import (
	"context"
	"encoding/hex"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"time"

	outrigger "github.com/outrigger-dhcp/outrigger/hooks/go/sdk"
)

// interval is the time between two looks at the file.
const interval = time.Second

// denied is a list as it was when all of it was good: type and bytes of each client.
type denied map[string]struct{}

// hook has the last good list, or why there is none.
type hook struct {
	path string
	// list is nil before the first good one.
	list atomic.Pointer[denied]
	// problem is why the file as it is now does not count.
	problem atomic.Pointer[string]
	// seen is the file that was read last; only the goroutine that looks uses it.
	seen os.FileInfo
}

// Pkt4Receive goes by the hardware address, whatever its type.
func (h *hook) Pkt4Receive(_ context.Context, call *outrigger.Pkt4Receive) error {
	address := call.Query().HwAddress()
	if h.denies("hw-address", address.Address) {
		call.Drop(fmt.Sprintf("hw-address %s is on the list", address))
	}
	return nil
}

// Pkt6Receive goes by the DUID.
func (h *hook) Pkt6Receive(_ context.Context, call *outrigger.Pkt6Receive) error {
	duid := call.Query().DUID()
	if h.denies("duid", duid) {
		call.Drop(fmt.Sprintf("duid %s is on the list", outrigger.HwAddress{Address: duid}))
	}
	return nil
}

func (h *hook) denies(kind string, identifier []byte) bool {
	_, found := (*h.list.Load())[kind+string(identifier)]
	return found
}

// watch looks at the file until ctx is done.
func (h *hook) watch(ctx context.Context) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			h.look()
		case <-ctx.Done():
			return
		}
	}
}

// look reads the file if it is another one than before.
func (h *hook) look() {
	file, err := os.Stat(h.path)
	if err == nil && h.seen != nil && os.SameFile(file, h.seen) && file.Size() == h.seen.Size() &&
		file.ModTime().Equal(h.seen.ModTime()) {
		return
	}
	h.seen = file
	text, err := os.ReadFile(h.path)
	var list denied
	if err == nil {
		if list, err = parse(string(text)); err != nil {
			err = fmt.Errorf("%s: %w", h.path, err)
		}
	}
	if err == nil {
		h.list.Store(&list)
		h.problem.Store(nil)
		slog.Info("the list is in force", "list", h.path, "clients", len(list))
		return
	}
	problem := err.Error()
	if told := h.problem.Swap(&problem); told == nil || *told != problem {
		slog.Warn(problem + "; the list before stays in force")
	}
}

// parse reads lines of "hw-address 08:00:27:00:00:01" and "duid 00:03:00:01:08:00:27:00:00:01"; "#" starts a comment.
func parse(text string) (denied, error) {
	list := make(denied)
	number := 0
	for line := range strings.Lines(text) {
		number++
		content, _, _ := strings.Cut(line, "#")
		words := strings.Fields(content)
		if len(words) == 0 {
			continue
		}
		var identifier []byte
		err := fmt.Errorf("there are %d words", len(words))
		if len(words) == 2 && (words[0] == "hw-address" || words[0] == "duid") {
			identifier, err = hex.DecodeString(strings.ReplaceAll(words[1], ":", ""))
		}
		if err != nil || len(identifier) == 0 {
			return nil, fmt.Errorf("line %d: %.80q is neither \"hw-address XX:XX:...\" nor \"duid XX:XX:...\"",
				number, strings.TrimSpace(line))
		}
		list[words[0]+string(identifier)] = struct{}{}
	}
	return list, nil
}

func service(path string) outrigger.Service {
	h := &hook{path: path}
	watching, stop := context.WithCancel(context.Background())
	return outrigger.Service{
		Name: "deny-list", Version: "1.0.0",
		Subscriptions: map[string]outrigger.Subscription{
			"pkt4_receive": {Reads: []string{"query.header"}, Writes: []string{}},
			"pkt6_receive": {Reads: []string{"query.options.clientid"}, Writes: []string{}},
		},
		Load: func(context.Context, *outrigger.Load) (any, error) {
			// A server that starts without the list would let everybody in.
			if h.list.Load() == nil {
				return nil, &outrigger.Refusal{Text: "the list is not good: " + *h.problem.Load()}
			}
			return h, nil
		},
		Start: func(context.Context) error {
			h.look()
			go h.watch(watching)
			return nil
		},
		Stop: func(context.Context) error {
			stop()
			return nil
		},
	}
}

func main() {
	path := flag.String("list", "", "the list, a `FILE`; it is read when it changes")
	options := outrigger.Flags(flag.CommandLine)
	flag.Parse()
	slog.SetLogLoggerLevel(options.LogLevel)
	if err := outrigger.Serve(outrigger.UntilSignal(), service(*path), *options); err != nil {
		slog.Error(err.Error())
		os.Exit(1)
	}
}
