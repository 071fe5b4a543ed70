package registry

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/counters"
	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/identifier"
)

const someone = `{"type":"HW_ADDR","id":"01:02:03"}`

type fixture struct {
	*Registry
	t      *testing.T
	counts counters.Counters
	// versions counts those that were told of.
	versions int
}

func newFixture(t *testing.T) *fixture {
	f := &fixture{t: t}
	f.Registry = New(filepath.Join(t.TempDir(), "reg.txt"), &f.counts, func() { f.versions++ })
	return f
}

func (f *fixture) write(content string) {
	f.t.Helper()
	if err := os.WriteFile(f.path, []byte(content), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) refresh(expected Refresh) {
	f.t.Helper()
	if done := f.Refresh(); done != expected {
		f.t.Errorf("refresh: %d, not %d; %v", done, expected, f.Problem())
	}
}

func (f *fixture) expectProblem(part string) {
	f.t.Helper()
	if problem := f.Problem(); problem == nil || !strings.Contains(problem.Error(), part) {
		f.t.Errorf("%v, not %s", problem, part)
	}
}

func (f *fixture) knows(bytes string) bool {
	f.t.Helper()
	version := f.Current()
	if version == nil {
		f.t.Fatal("no version in force")
	}
	_, found := version.Users.Find(identifier.HwAddr, []byte(bytes))
	return found
}

func TestAMissingRegistryIsNamedAndBecomesReadyWhenItAppears(t *testing.T) {
	f := newFixture(t)
	f.expectProblem("reg.txt is not read yet")
	f.refresh(Refused)
	f.expectProblem("reg.txt: no such file")
	if f.Current() != nil || f.versions != 0 {
		t.Error("ready without a registry")
	}
	f.write(someone)
	f.refresh(Loaded)
	if f.Problem() != nil || f.versions != 1 || !f.knows("\x01\x02\x03") {
		t.Error(f.Problem(), f.versions)
	}
}

func TestARegistryThatIsBrokenAtTheStartNamesItsLines(t *testing.T) {
	f := newFixture(t)
	f.write(someone + "\n{\"type\":\"OTHER\",\"id\":\"01\"}\n")
	f.refresh(Refused)
	f.expectProblem(`reg.txt: line 2: type "OTHER"`)
	if f.Current() != nil || f.versions != 0 {
		t.Error("line 1 counts")
	}
}

func TestABadNewVersionLeavesTheLastGoodOneInForce(t *testing.T) {
	f := newFixture(t)
	f.write(someone)
	f.refresh(Loaded)
	const newcomer = `{"type":"HW_ADDR","id":"0a0b0c"}`
	for _, broken := range []string{
		newcomer + "\n{\"type\":\"HW_ADDR\",\"id\":\"0102",
		newcomer + "\n" + newcomer + "\n",
		newcomer + "\n{\"type\":\"OTHER\",\"id\":\"01\"}",
	} {
		f.write(broken)
		f.refresh(Refused)
		f.expectProblem("line 2")
		if !f.knows("\x01\x02\x03") || f.knows("\x0a\x0b\x0c") {
			t.Errorf("after %q", broken)
		}
	}
	f.write(newcomer)
	f.refresh(Loaded)
	if f.knows("\x01\x02\x03") || !f.knows("\x0a\x0b\x0c") {
		t.Error("the repaired file is not in force")
	}
}

func TestARegistryThatWasRemovedStaysInForce(t *testing.T) {
	f := newFixture(t)
	f.write(someone)
	f.refresh(Loaded)
	if err := os.Remove(f.path); err != nil {
		t.Fatal(err)
	}
	f.refresh(Refused)
	if !f.knows("\x01\x02\x03") {
		t.Error("it is gone")
	}
}

func TestOneChangeIsOneReloadOrOneAlarm(t *testing.T) {
	f := newFixture(t)
	for _, step := range []struct {
		content string
		done    Refresh
	}{
		{someone, Loaded}, {someone, Unchanged}, {"nonsense", Refused}, {"nonsense", Unchanged}, {someone, Loaded},
	} {
		f.write(step.content)
		f.refresh(step.done)
	}
	if f.counts.Reloads.Load() != 2 || f.counts.RefusedReloads.Load() != 1 {
		t.Error(f.counts.String())
	}
}

func TestWhatIsNoOrdinaryFileIsNoRegistry(t *testing.T) {
	f := newFixture(t)
	f.path = t.TempDir()
	f.refresh(Refused)
	f.expectProblem("is not an ordinary file")
}

func TestAVersionThatIsLookedAtSurvivesAReload(t *testing.T) {
	f := newFixture(t)
	f.write(someone)
	f.refresh(Loaded)
	before := f.Current()
	f.write("")
	f.refresh(Loaded)
	after := f.Current()
	if before.Users.Len() != 1 || after.Users.Len() != 0 || before.Number != 1 || after.Number != 2 {
		t.Errorf("%+v, %+v", before, after)
	}
}
