package verdict

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/identifier"
	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/registry"
)

func verdicts() []Verdict {
	hwAddr := identifier.Of4(6, bytes.Repeat([]byte{1}, 20))
	duid := identifier.Of6(bytes.Repeat([]byte{9}, 130))
	overrides := registry.Overrides{Bootfile: "/b", TFTPServer: "2001:db8::1"}
	return []Verdict{
		{},
		{Client: hwAddr},
		{Client: duid},
		{Client: hwAddr, Registered: true, Overrides: overrides},
		{Client: duid, Registered: true, Overrides: overrides},
		{Client: duid, Registered: true},
	}
}

func TestAVerdictComesBackAsItWas(t *testing.T) {
	for _, verdict := range verdicts() {
		if decoded, ok := Decode(verdict.AppendTo(nil)); !ok || !reflect.DeepEqual(decoded, verdict) {
			t.Errorf("%+v: %+v, %v", verdict, decoded, ok)
		}
	}
}

func TestNoContextThatWasCutOrChangedIsMisread(t *testing.T) {
	for _, context := range [][]byte{nil, make([]byte, 4097), bytes.Repeat([]byte{0xff}, 40), []byte("registered")} {
		if _, ok := Decode(context); ok {
			t.Errorf("%x is read", context)
		}
	}
	for _, verdict := range verdicts() {
		context := verdict.AppendTo(nil)
		for cut := range context {
			decoded, ok := Decode(context[:cut])
			if ok && (reflect.DeepEqual(decoded, verdict) || decoded.Registered && !decoded.Client.Known()) {
				t.Errorf("cut at %d: %+v", cut, decoded)
			}
		}
	}
}

// contextOf makes a context of fields that need not make sense.
func contextOf(form, registered, identifierType, htype uint64, identifierLength int) []byte {
	context := appendNumber(nil, fieldForm, form)
	context = appendNumber(context, fieldRegistered, registered)
	context = appendNumber(context, fieldIdentifierType, identifierType)
	context = appendNumber(context, fieldHType, htype)
	return appendBytes(context, fieldIdentifier, bytes.Repeat([]byte{1}, identifierLength))
}

func TestWhatNoVersionOfThisServiceMadeIsRefused(t *testing.T) {
	good := contextOf(1, 1, 2, 0, 10)
	if _, ok := Decode(good); !ok {
		t.Error("the good one is refused")
	}
	if _, ok := Decode(append(contextOf(1, 1, 2, 0, 10), 0x98, 0x06, 0x01)); !ok {
		t.Error("a field that is not known is not passed over")
	}
	for name, bad := range map[string][]byte{
		"another form":              contextOf(2, 1, 2, 0, 10),
		"no form":                   contextOf(0, 1, 2, 0, 10),
		"another type":              contextOf(1, 1, 3, 0, 10),
		"an identifier of no type":  contextOf(1, 1, 0, 0, 10),
		"a short DUID":              contextOf(1, 1, 2, 0, 2),
		"an empty hardware address": contextOf(1, 1, 1, 0, 0),
		"a long hardware address":   contextOf(1, 1, 1, 0, 21),
		"no hardware type":          contextOf(1, 1, 1, 65_536, 10),
		"registered nobody":         contextOf(1, 1, 0, 0, 0),
		"a number that is bytes":    append(good[:len(good):len(good)], 0x0a, 0),
		"bytes that are a number":   append(good[:len(good):len(good)], 0x28, 0),
		"a boot file that is no text": appendBytes(good[:len(good):len(good)], fieldBootfile,
			[]byte{0xff}),
		"field 0": append(good[:len(good):len(good)], 0, 0),
	} {
		if verdict, ok := Decode(bad); ok {
			t.Errorf("%s: %+v", name, verdict)
		}
	}
}

func TestTheLongestRegistryLineFitsAContext(t *testing.T) {
	start := fmt.Sprintf(`{"type":"DUID","id":"%s","bootfile":"`, strings.Repeat("ab", 130))
	line := start + strings.Repeat("x", 4095-len(start)-2) + `"}`
	user, _, err := registry.ParseLine([]byte(line))
	if err != nil {
		t.Fatal(err)
	}
	verdict := Verdict{
		Client:     identifier.Of6([]byte(user.Identifier.Bytes)),
		Registered: true,
		Overrides:  registry.OverridesOf(user.Properties),
	}
	if length := len(verdict.AppendTo(nil)); length > maxContext {
		t.Errorf("%d bytes", length)
	}
}

func FuzzDecode(f *testing.F) {
	for _, verdict := range verdicts() {
		f.Add(verdict.AppendTo(nil))
	}
	f.Fuzz(func(t *testing.T, context []byte) {
		verdict, ok := Decode(context)
		if !ok {
			return
		}
		if again, ok := Decode(verdict.AppendTo(nil)); !ok || !again.Client.Equal(verdict.Client) {
			t.Errorf("%+v, %+v", verdict, again)
		}
	})
}
