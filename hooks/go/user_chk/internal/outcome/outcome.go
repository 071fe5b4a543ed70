// Package outcome has the outcome file: what was offered to whom, for an external reader.
//
// Records have Kea's text form and are written one by one, as they come. A decision never waits for the disk: what the
// disk is too slow for is counted and left out.
package outcome

import (
	"io"
	"log/slog"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/counters"
	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/identifier"
)

// capacity is how many records wait for the disk: some seconds of a busy server.
const capacity = 16 * 1024

// reportEvery is how often the log says that records were lost: not for each of them, while the disk is too slow.
const reportEvery = time.Second

// Record is what one response grants.
type Record struct {
	// Client is whom the response goes to.
	Client identifier.Client
	// Address is of DHCPv4, 0.0.0.0 in the reply to INFORM; or the first address of the first IA_NA.
	Address netip.Addr
	// Prefix is the first prefix of the first IA_PD; where it is valid, it is what is granted.
	Prefix netip.Prefix
	// Registered says whether the client was registered when its packet was received.
	Registered bool
}

// appendText appends the record as in the file: four lines and an empty one.
func (r *Record) appendText(text []byte) []byte {
	text = append(text, "id_type="...)
	text = append(text, r.Client.Type.String()...)
	text = append(text, "\nclient="...)
	text = r.Client.AppendText(text)
	text = append(text, "\naddr="...)
	if r.Prefix.IsValid() {
		text = r.Prefix.AppendTo(text)
	} else {
		text = r.Address.AppendTo(text)
	}
	if r.Registered {
		return append(text, "\nregistered=yes\n\n"...)
	}
	return append(text, "\nregistered=no\n\n"...)
}

// textLength is the longest of most records; a longer one costs another allocation.
const textLength = 128

// Outcome is the outcome file with the goroutine that writes it.
type Outcome struct {
	// queue has whole records: what they were made of may be gone when they are written.
	queue    chan []byte
	counters *counters.Counters
	written  sync.WaitGroup
	closing  sync.RWMutex
	closed   bool
}

// Open opens the file to append to it; a missing one is made.
func Open(path string, counters *counters.Counters) (*Outcome, error) {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return nil, err
	}
	return start(file, path, capacity, counters), nil
}

func start(file io.WriteCloser, path string, capacity int, counters *counters.Counters) *Outcome {
	outcome := &Outcome{queue: make(chan []byte, capacity), counters: counters}
	writer := writer{file: file, log: slog.With("outcome", path), counters: counters}
	outcome.written.Go(func() { writer.run(outcome.queue) })
	return outcome
}

// Record queues a record. It never waits: where the queue is full, the record is lost and counted.
func (o *Outcome) Record(record *Record) {
	o.closing.RLock()
	defer o.closing.RUnlock()
	if !o.closed {
		select {
		case o.queue <- record.appendText(make([]byte, 0, textLength)):
			return
		default:
		}
	}
	o.counters.LostRecords.Add(1)
}

// Close writes everything queued and closes the file.
func (o *Outcome) Close() {
	o.closing.Lock()
	if !o.closed {
		o.closed = true
		close(o.queue)
	}
	o.closing.Unlock()
	o.written.Wait()
}

type writer struct {
	file     io.WriteCloser
	log      *slog.Logger
	counters *counters.Counters
	// reported is how many lost records the log knows of, reportedAt since when.
	reported   uint64
	reportedAt time.Time
	failing    bool
}

func (w *writer) run(records <-chan []byte) {
	for record := range records {
		w.write(record)
		if !w.failing && time.Since(w.reportedAt) >= reportEvery {
			w.report()
		}
	}
	w.report()
	if err := w.file.Close(); err != nil {
		w.log.Error("the outcome file cannot be closed", "error", err)
	}
}

func (w *writer) report() {
	lost := w.counters.LostRecords.Load()
	if lost > w.reported {
		w.reported, w.reportedAt = lost, time.Now()
		w.log.Error("outcome records were lost", "lost_records", lost)
	}
}

// write writes a record in one piece, so that a reader that follows the file meets whole records.
func (w *writer) write(record []byte) {
	if _, err := w.file.Write(record); err != nil {
		w.counters.LostRecords.Add(1)
		if !w.failing {
			w.log.Error("the outcome file cannot be written; records are lost", "error", err)
		}
		w.failing = true
		return
	}
	w.counters.Records.Add(1)
	if w.failing {
		w.log.Info("the outcome file can be written again")
	}
	w.failing = false
}
