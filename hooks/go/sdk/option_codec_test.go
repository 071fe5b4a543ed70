package outrigger

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"os"
	"strings"
	"testing"
)

// vector is one value of an option, as the server's codec has it.
type vector struct {
	Family  int     `json:"family"`
	Space   string  `json:"space"`
	Code    uint16  `json:"code"`
	Name    string  `json:"name"`
	Hex     string  `json:"hex"`
	Text    *string `json:"text"`
	Data    *string `json:"data"`
	Problem string  `json:"problem"`
}

func vectors(t *testing.T) []vector {
	t.Helper()
	text, err := os.ReadFile("../../../proto/vectors/options.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) < 1000 {
		t.Fatalf("there are only %d vectors", len(vectors))
	}
	return vectors
}

func TestOptionsAreDecodedAndEncodedAsByTheServer(t *testing.T) {
	for _, v := range vectors(t) {
		s := spaceNamed(v.Family, v.Space)
		data, err := hex.DecodeString(v.Hex)
		if err != nil {
			t.Fatal(err)
		}
		option := Option{v.Code, data, s}
		if option.Name() != v.Name {
			t.Errorf("%d:%s: option %d is %q, not %q", v.Family, v.Space, v.Code, option.Name(), v.Name)
		}
		if v.Text != nil && option.String() != *v.Text {
			t.Errorf("%d:%s %s %s: %s, not %s", v.Family, v.Space, v.Name, v.Hex, option, *v.Text)
		}
		value, err := option.Value()
		if internal := s.byCode[v.Code].kind == "internal"; (err == nil) != (v.Text != nil) && !internal {
			t.Errorf("%d:%s %s %s: %v; the server says %q", v.Family, v.Space, v.Name, v.Hex, err, v.Problem)
		}
		if v.Data == nil || err != nil {
			continue
		}
		if encoded, err := encodeOption(s, v.Code, value); err != nil || !bytes.Equal(encoded, data) {
			t.Errorf("%d:%s %s: %#v is encoded as %x (%v), not %s", v.Family, v.Space, v.Name, value, encoded, err, v.Hex)
		}
	}
}

func TestAnyBytesOfAnyOptionAreDecodedWithoutPanic(t *testing.T) {
	for _, v := range vectors(t) {
		s := spaceNamed(v.Family, v.Space)
		data, err := hex.DecodeString(v.Hex)
		if err != nil {
			t.Fatal(err)
		}
		for end := range data {
			for _, flipped := range []byte{0, 0xff} {
				cut := bytes.Clone(data[:end+1])
				cut[end] ^= flipped
				option := Option{v.Code, cut, s}
				if value, err := option.Value(); err == nil && value == nil && s.byCode[v.Code].kind != "empty" {
					t.Errorf("%s has neither value nor error", v.Name)
				}
				if text := option.String(); strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
					t.Errorf("%s: %q is not fit for a log", v.Name, text)
				}
			}
		}
	}
}

func TestAWrongValueIsNamed(t *testing.T) {
	for _, test := range []struct {
		space *space
		name  string
		value any
		says  []string
	}{
		{dhcp4Space(), "routers", "192.0.2.1", []string{
			"option 3 (routers)", "a list of ipv4-address", `"192.0.2.1" (string)`, "a netip.Addr is wanted",
		}},
		{dhcp4Space(), "routers", []netip.Addr{netip.MustParseAddr("::1")}, []string{"ipv4-address", "field 1"}},
		{dhcp4Space(), "interface-mtu", 70000, []string{"uint16", "70000 (int)", "from 0 to 65535"}},
		{dhcp4Space(), "time-offset", uint64(1) << 63, []string{"int32", "from -2147483648 to 2147483647"}},
		{dhcp4Space(), "ip-forwarding", 1, []string{"boolean", "a bool is wanted"}},
		{dhcp4Space(), "boot-file-name", nil, []string{"string", "a string is wanted"}},
		{dhcp4Space(), "boot-file-name", 7, []string{"option 67 (boot-file-name)", "string", "7 (int)"}},
		{dhcp6Space(), "client-fqdn", "www.example.", []string{"a record of uint8, fqdn", "[]any"}},
		{dhcp6Space(), "client-fqdn", []any{1}, []string{"1 fields, 2 are wanted"}},
		{dhcp6Space(), "client-fqdn", []any{1, "a..b"}, []string{"field 2", "a domain name"}},
		{dhcp4Space(), "domain-name", 7, []string{"domain-name"}},
		{dhcp4Space(), "dhcp-agent-options", "x", []string{"of type empty", "nil is wanted"}},
		{dhcp4Space(), "v4-dnr", "x", []string{"[]byte is wanted"}},
		{dhcp6Space(), "bootfile-url", strings.Repeat("x", 200), nil},
		{dhcp4Space(), "interface-mtu", strings.Repeat("x", 200), []string{`"xxxxx`, "...", "an integer is wanted"}},
	} {
		known, err := test.space.named(test.name)
		if err != nil {
			t.Fatal(err)
		}
		_, err = encodeOption(test.space, known.code, test.value)
		if (err == nil) != (test.says == nil) {
			t.Errorf("%s, %v: %v", test.name, test.value, err)
			continue
		}
		for _, part := range test.says {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q does not say %q", err, part)
			}
		}
		if err != nil && len(err.Error()) > 300 {
			t.Errorf("%q is too long", err)
		}
	}
}

func TestIntegersOfAnyTypeAreTaken(t *testing.T) {
	type myNumber uint8
	for _, value := range []any{7, int8(7), uint16(7), int64(7), uint64(7), myNumber(7)} {
		if data, err := encodeOption(dhcp4Space(), 26, value); err != nil || !bytes.Equal(data, []byte{0, 7}) {
			t.Errorf("%T: %x, %v", value, data, err)
		}
	}
}
