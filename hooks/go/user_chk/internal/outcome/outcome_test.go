package outcome

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/counters"
	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/identifier"
)

var duid = identifier.Of6([]byte{0, 1, 0, 1, 0x1e, 0xf0, 0x12, 0x34, 8, 0, 0x27, 0xaa, 0xbb, 1})

func v6(address string, registered bool) *Record {
	return &Record{Client: duid, Address: netip.MustParseAddr(address), Registered: registered}
}

func open(t *testing.T, path string) *Outcome {
	t.Helper()
	outcome, err := Open(path, new(counters.Counters))
	if err != nil {
		t.Fatal(err)
	}
	return outcome
}

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestRecordsAreWrittenAsKeaWritesThem(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outcome.txt")
	outcome := open(t, path)
	if text := content(t, path); text != "" {
		t.Errorf("it is not made empty: %s", text)
	}
	outcome.Record(v6("3000:0::a", false))
	outcome.Record(v6("2001:db8:1::a", true))
	outcome.Record(&Record{
		Client:     identifier.Of4(1, []byte{0x52, 0x54, 0, 0x0a, 0x0b, 1}),
		Address:    netip.MustParseAddr("192.0.2.10"),
		Registered: true,
	})
	outcome.Close()
	const expected = `id_type=DUID
client=00:01:00:01:1e:f0:12:34:08:00:27:aa:bb:01
addr=3000::a
registered=no

id_type=DUID
client=00:01:00:01:1e:f0:12:34:08:00:27:aa:bb:01
addr=2001:db8:1::a
registered=yes

id_type=HW_ADDR
client=hwtype=1 52:54:00:0a:0b:01
addr=192.0.2.10
registered=yes

`
	if text := content(t, path); text != expected {
		t.Error(text)
	}
}

func TestAnExistingFileIsAppendedTo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outcome.txt")
	if err := os.WriteFile(path, []byte("before\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	outcome := open(t, path)
	for _, prefix := range []string{"2001:db8:8::/56", "2001:db8::1/128"} {
		outcome.Record(&Record{Client: duid, Prefix: netip.MustParsePrefix(prefix), Registered: true})
	}
	outcome.Close()
	text := content(t, path)
	if !strings.HasPrefix(text, "before\nid_type=DUID\n") || !strings.Contains(text, "\naddr=2001:db8:8::/56\n") ||
		!strings.Contains(text, "\naddr=2001:db8::1/128\n") {
		t.Error(text)
	}
}

func TestAPathThatCannotBeOpenedIsAnError(t *testing.T) {
	_, err := Open(filepath.Join(t.TempDir(), "no", "outcome.txt"), new(counters.Counters))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// disk is a file that does what a function does.
type disk func(text []byte) (int, error)

func (d disk) Write(text []byte) (int, error) { return d(text) }
func (d disk) Close() error                   { return nil }

func TestRecordsThatTheDiskIsTooSlowForAreCountedAndHoldNobodyUp(t *testing.T) {
	started, permit := make(chan struct{}), make(chan struct{})
	slow := disk(func(text []byte) (int, error) {
		started <- struct{}{}
		<-permit
		return len(text), nil
	})
	var log strings.Builder
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	var counts counters.Counters
	outcome := start(slow, "slow", 2, &counts)
	outcome.Record(v6("::1", true))
	<-started
	for range 5 {
		outcome.Record(v6("::1", true))
	}
	if lost := counts.LostRecords.Load(); lost != 3 {
		t.Errorf("%d are lost", lost)
	}
	permit <- struct{}{}
	for range 2 {
		<-started
		permit <- struct{}{}
	}
	outcome.Close()
	if counts.Records.Load() != 3 {
		t.Error(counts.String())
	}
	if strings.Count(log.String(), "msg=\"outcome records were lost\" outcome=slow lost_records=3") != 1 {
		t.Error(log.String())
	}
}

func TestAFullDiskCostsItsRecordsAndNothingLater(t *testing.T) {
	var written bytes.Buffer
	failures := 2
	full := disk(func(text []byte) (int, error) {
		if failures > 0 {
			failures--
			return 0, errors.New("no space left on device")
		}
		return written.Write(text)
	})
	var counts counters.Counters
	outcome := start(full, "full", 8, &counts)
	for range 3 {
		outcome.Record(v6("::1", true))
	}
	outcome.Close()
	if counts.LostRecords.Load() != 2 || counts.Records.Load() != 1 {
		t.Error(counts.String())
	}
	if expected := v6("::1", true).appendText(nil); written.String() != string(expected) {
		t.Error(written.String())
	}
}

func TestARecordAfterTheEndIsCountedAsLost(t *testing.T) {
	var counts counters.Counters
	outcome := start(disk(func(text []byte) (int, error) { return len(text), nil }), "ended", 8, &counts)
	outcome.Close()
	outcome.Close()
	outcome.Record(v6("::1", true))
	if counts.LostRecords.Load() != 1 {
		t.Error(counts.String())
	}
}
