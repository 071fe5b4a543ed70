package registry

import (
	"strings"
	"testing"

	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/identifier"
)

const good = `{ "type" : "HW_ADDR", "id" : "01AC00F03344", "opt1" : "v1" }
{ "type" : "HW_ADDR", "id" : "01:ac:00:f0:33:45", "opt1" : "v2" }
{ "type" : "DUID", "id" : "225060de0a0b", "opt1" : "v3" }
{ "type" : "DUID", "id" : "22:50:60:DE:0A:0C", "opt1" : "v4" }
`

func read(t *testing.T, content string) *Users {
	t.Helper()
	users, err := Read([]byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return users
}

func TestAPropertyIsSetReplacedAndMayBeEmpty(t *testing.T) {
	var properties Properties
	for _, value := range []string{"1", "2", ""} {
		if err := properties.Set("a", value); err != nil || properties.Get("a") != value {
			t.Errorf("%q: %v", value, properties)
		}
	}
	if properties.Get("b") != "" {
		t.Error("a property that was not set")
	}
	if err := properties.Set("", "1"); err == nil {
		t.Error("a property without a name")
	}
}

func TestUsersOfAFileAreFoundByCanonicalIdentifierAndType(t *testing.T) {
	users := read(t, good)
	if users.Len() != 4 {
		t.Errorf("%d users", users.Len())
	}
	for _, c := range []struct {
		kind       identifier.Type
		bytes      string
		opt1       string
		registered bool
	}{
		{identifier.HwAddr, "\x01\xac\x00\xf0\x33\x44", "v1", true},
		{identifier.HwAddr, "\x01\xac\x00\xf0\x33\x45", "v2", true},
		{identifier.DUID, "\x22\x50\x60\xde\x0a\x0b", "v3", true},
		{identifier.DUID, "\x22\x50\x60\xde\x0a\x0c", "v4", true},
		{identifier.DUID, "\x01\xac\x00\xf0\x33\x44", "", false},
		{identifier.HwAddr, "", "", false},
	} {
		properties, found := users.Find(c.kind, []byte(c.bytes))
		if found != c.registered || properties.Get("opt1") != c.opt1 {
			t.Errorf("%s %x: %v, %v", c.kind, c.bytes, properties, found)
		}
	}
}

func TestTheDefaultUserIsOfItsType(t *testing.T) {
	users := read(t, `{"type":"DUID","id":"00:00:00:00","bootfile":"/six"}`)
	if users.Default(identifier.DUID).Get(Bootfile) != "/six" || users.Default(identifier.HwAddr).Get(Bootfile) != "" {
		t.Errorf("%v", users)
	}
}

func TestAnEmptyFileAndOneWithoutALastNewlineAreRegistries(t *testing.T) {
	for content, count := range map[string]int{"": 0, "\n# nobody yet\n\n": 0, strings.TrimSpace(good): 4} {
		if users := read(t, content); users.Len() != count {
			t.Errorf("%d users in %q", users.Len(), content)
		}
	}
}

func TestBadLinesAreReportedWithTheirNumbers(t *testing.T) {
	_, err := Read([]byte("\n{\"type\":\"HW_ADDR\",\"id\":\"01:02\"}\nnonsense\n{\"type\":\"HW_ADDR\",\"id\":\"0102\"}\n"))
	if err == nil {
		t.Fatal("no error")
	}
	text := err.Error()
	if !strings.HasPrefix(text, "line 3: is not a JSON object of strings") ||
		!strings.HasSuffix(text, "; line 4: HW_ADDR 0102 is there already, in line 2") {
		t.Error(text)
	}
}

func TestAFileOfAnotherKindIsReportedInAFewLines(t *testing.T) {
	_, err := Read([]byte(strings.Repeat("x\n", 10_000)))
	if err == nil || !strings.HasSuffix(err.Error(), "; and 9980 more bad lines") || strings.Count(err.Error(), "line ") != 20 {
		t.Error(err)
	}
}

func TestADHCPv6TFTPServerIsAListOfAddresses(t *testing.T) {
	octets, err := Overrides{TFTPServer: "2001:db8::1, 2001:db8::2,"}.TFTPAddresses()
	if err != nil || len(octets) != 32 || string(octets[:4]) != "\x20\x01\x0d\xb8" || octets[15] != 1 || octets[31] != 2 {
		t.Errorf("%x, %v", octets, err)
	}
	if octets, err := (Overrides{}).TFTPAddresses(); err != nil || len(octets) != 0 {
		t.Errorf("%x, %v", octets, err)
	}
	for _, wrong := range []string{"tftp.example.net", "192.0.2.1", "fe80::1%eth0"} {
		const rest = "; DHCPv6 clients need IPv6 addresses, with commas between them"
		_, err := Overrides{TFTPServer: "::1," + wrong}.TFTPAddresses()
		if err == nil || err.Error() != `tftp_server has "`+wrong+`"`+rest {
			t.Errorf("%s: %v", wrong, err)
		}
	}
	read(t, `{"type":"HW_ADDR","id":"01","tftp_server":"tftp.example.net"}`)
}

func TestASourceIsAPathWithOrWithoutSayingSo(t *testing.T) {
	for text, path := range map[string]string{
		"/etc/reg.txt": "/etc/reg.txt", "file:/etc/reg.txt": "/etc/reg.txt", "file:reg:1.txt": "reg:1.txt",
		"./reg:1.txt": "./reg:1.txt", "reg.txt": "reg.txt",
	} {
		if parsed, err := ParseSource(text); err != nil || parsed != path {
			t.Errorf("%s: %s, %v", text, parsed, err)
		}
	}
	for text, part := range map[string]string{
		"mysql://localhost/kea": `of the kind "mysql:" are not supported yet; write file:PATH`,
		"postgresql:x":          `of the kind "postgresql:" are not supported yet; write file:PATH`,
		"":                      "has no path",
		"file:":                 "has no path",
	} {
		if _, err := ParseSource(text); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
