package registry

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// quick is a watch for tests, which have no time to lose.
var quick = WatchSettings{Poll: 10 * time.Millisecond, Quiet: 20 * time.Millisecond, Patience: 100 * time.Millisecond}

// inForceWithin is what a test waits at most for a change to come into force.
const inForceWithin = 20 * time.Second

func user(last byte) string {
	return fmt.Sprintf("{\"type\":\"HW_ADDR\",\"id\":\"0102%02x\"}\n", last)
}

// watch refreshes the fixture's registry until the test ends.
func (f *fixture) watch(settings WatchSettings) {
	f.Refresh()
	ctx, stop := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	watching.Go(func() { f.Watch(ctx, settings) })
	f.t.Cleanup(func() {
		stop()
		watching.Wait()
	})
}

func (f *fixture) knowsUser(last byte) bool {
	return f.Current() != nil && f.knows("\x01\x02"+string(rune(last)))
}

func (f *fixture) waitUntil(what string, reached func() bool) {
	f.t.Helper()
	limit := time.After(inForceWithin)
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !reached() {
		select {
		case <-limit:
			f.t.Fatalf("not in time: %s", what)
		case <-look.C:
		}
	}
}

// replace writes beside the file and renames, as editors and deployments do.
func (f *fixture) replace(content string) {
	f.t.Helper()
	if err := os.WriteFile(f.path+".new", []byte(content), 0o600); err != nil {
		f.t.Fatal(err)
	}
	if err := os.Rename(f.path+".new", f.path); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) append(content string) {
	f.t.Helper()
	file, err := os.OpenFile(f.path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		f.t.Fatal(err)
	}
	_, err = file.WriteString(content)
	if closed := file.Close(); err != nil || closed != nil {
		f.t.Fatal(err, closed)
	}
}

func TestAFileThatIsReplacedByRenamingComesIntoForce(t *testing.T) {
	f := newFixture(t)
	f.write(user(1))
	f.watch(quick)
	for last := byte(2); last < 5; last++ {
		f.replace(user(last))
		f.waitUntil("the new user", func() bool { return f.knowsUser(last) })
		if f.knowsUser(last - 1) {
			t.Error("the old user is still there")
		}
	}
}

func TestAFileThatIsWrittenInPlaceComesIntoForce(t *testing.T) {
	f := newFixture(t)
	f.write(user(1))
	f.watch(quick)
	f.write(user(1) + user(2))
	f.waitUntil("the second user", func() bool { return f.knowsUser(2) })
	f.append(user(3))
	f.waitUntil("the third user", func() bool { return f.knowsUser(3) })
	if !f.knowsUser(1) {
		t.Error("the first user is gone")
	}
}

func TestAWriterThatPausesWithinALineIsLetFinish(t *testing.T) {
	f := newFixture(t)
	f.write(user(1))
	f.Refresh()
	settled := make(chan bool)
	f.write(user(2) + user(3)[:10])
	quiet := WatchSettings{Quiet: time.Second, Patience: time.Hour}
	go func() { settled <- f.settle(context.Background(), quiet) }()
	f.append(user(3)[10:])
	if !<-settled {
		t.Fatal("it does not settle")
	}
	f.refresh(Loaded)
	if !f.knowsUser(3) || f.counts.RefusedReloads.Load() != 0 {
		t.Error(f.counts.String())
	}
}

func TestAFileThatIsNeverQuietIsReadAllTheSame(t *testing.T) {
	f := newFixture(t)
	f.write(user(1))
	ctx, stop := context.WithCancel(context.Background())
	var writing sync.WaitGroup
	writing.Go(func() {
		for ctx.Err() == nil {
			f.write(user(1))
		}
	})
	if !f.settle(context.Background(), WatchSettings{Quiet: 10 * time.Millisecond, Patience: 50 * time.Millisecond}) {
		t.Error("it does not settle")
	}
	stop()
	writing.Wait()
}

func TestARemovedFileLeavesTheLastVersionUntilItIsBack(t *testing.T) {
	f := newFixture(t)
	f.write(user(1))
	f.watch(quick)
	if err := os.Remove(f.path); err != nil {
		t.Fatal(err)
	}
	f.waitUntil("the alarm", func() bool { return f.Problem() != nil })
	if !f.knowsUser(1) {
		t.Error("it is gone")
	}
	f.write(user(2))
	f.waitUntil("the file is back", func() bool { return f.knowsUser(2) && f.Problem() == nil })
}

func TestARegistryWhoseFolderAppearsLaterBecomesReady(t *testing.T) {
	f := newFixture(t)
	f.path = filepath.Join(t.TempDir(), "later", "registry.txt")
	f.watch(quick)
	if err := os.Mkdir(filepath.Dir(f.path), 0o700); err != nil {
		t.Fatal(err)
	}
	f.write(user(1))
	f.waitUntil("ready", func() bool { return f.knowsUser(1) })
}

func TestASymbolicLinkThatIsTurnedIsFollowed(t *testing.T) {
	f := newFixture(t)
	f.write("")
	f.watch(quick)
	elsewhere := t.TempDir()
	for last := byte(1); last < 3; last++ {
		version := filepath.Join(elsewhere, fmt.Sprint(last))
		if err := os.WriteFile(version, []byte(user(last)), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(version, f.path+".link"); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(f.path+".link", f.path); err != nil {
			t.Fatal(err)
		}
		f.waitUntil("the link's file", func() bool { return f.knowsUser(last) })
	}
}

func TestAChangeIsInForceWithinASecond(t *testing.T) {
	settings := DefaultWatch()
	if quiet := settings.Poll + settings.Quiet; quiet > 500*time.Millisecond {
		t.Errorf("a file that is written at once: %s", quiet)
	}
}
