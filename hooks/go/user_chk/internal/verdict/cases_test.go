package verdict

import (
	"bytes"
	"testing"

	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/cases"
	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/identifier"
	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/registry"
)

func verdictOf(c cases.Verdict) Verdict {
	var verdict Verdict
	switch {
	case c.Client == nil:
	case c.Client.DUID != nil:
		verdict.Client = identifier.Of6(c.Client.DUID)
	default:
		verdict.Client = identifier.Of4(c.Client.HType, c.Client.HW)
	}
	if c.Registered != nil {
		verdict.Registered = true
		verdict.Overrides = registry.Overrides(*c.Registered)
	}
	return verdict
}

func TestContextsAreThoseOfEveryLanguage(t *testing.T) {
	read := cases.Read(t)
	for _, c := range read.Verdicts {
		verdict := verdictOf(c)
		if context := verdict.AppendTo(nil); !bytes.Equal(context, c.Context) {
			t.Errorf("%s: %x", c.Name, context)
		}
	}
	for _, c := range append(read.Verdicts, read.OtherContexts...) {
		expected := verdictOf(c)
		verdict, ok := Decode(c.Context)
		if !ok || !verdict.Client.Equal(expected.Client) || verdict.Registered != expected.Registered ||
			verdict.Overrides != expected.Overrides {
			t.Errorf("%s: %+v, %v", c.Name, verdict, ok)
		}
	}
	for _, c := range read.NoContexts {
		if verdict, ok := Decode(c.Context); ok {
			t.Errorf("%s: %+v", c.Name, verdict)
		}
	}
}
