package identifier

import (
	"strings"
	"testing"
)

var (
	both   = []Type{HwAddr, DUID}
	octets = []byte{0x01, 0x02, 0x03, 0xaa, 0xbb, 0xcc}
)

func parse(t *testing.T, kind Type, text string) Identifier {
	t.Helper()
	identifier, err := Parse(kind, text)
	if err != nil {
		t.Fatalf("%s %q: %v", kind, text, err)
	}
	return identifier
}

func TestNoBytesAndNoTextAreRefused(t *testing.T) {
	for _, kind := range both {
		_, ofBytes := New(kind, nil)
		_, ofText := Parse(kind, "")
		_, ofColon := Parse(kind, ":")
		for _, err := range []error{ofBytes, ofText, ofColon} {
			if err == nil || !strings.HasPrefix(err.Error(), "id has 0 bytes; a "+kind.String()) {
				t.Errorf("%s: %v", kind, err)
			}
		}
	}
}

func TestLabelsAndTypesAreReadAndWrittenAlike(t *testing.T) {
	for _, kind := range both {
		if read, err := ParseType(kind.String()); err != nil || read != kind {
			t.Errorf("%s: %v, %v", kind, read, err)
		}
	}
	for _, wrong := range []string{"hw_addr", "CLIENT_ID", ""} {
		if _, err := ParseType(wrong); err == nil || !strings.HasPrefix(err.Error(), "type \""+wrong+"\" is neither") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

func TestTextRoundTripsAndIdentifiersCompareByValue(t *testing.T) {
	for _, kind := range both {
		identifier, err := New(kind, octets)
		if err != nil {
			t.Fatal(err)
		}
		if identifier.Type != kind || identifier.Bytes != string(octets) || identifier.String() != "010203aabbcc" {
			t.Errorf("%s: %+v", kind, identifier)
		}
		if parse(t, kind, identifier.String()) != identifier {
			t.Errorf("%s does not round trip", kind)
		}
		if parse(t, kind, "010203aabbcd") == identifier {
			t.Errorf("%s: different bytes are equal", kind)
		}
	}
}

func TestColonsCaseAndWhiteSpaceDoNotMatter(t *testing.T) {
	for _, kind := range both {
		plain := parse(t, kind, "010203aabbcc")
		for _, text := range []string{"01:02:03:AA:bb:cC", "0102:03aa:bbcc", ":01 02\t03aabb:cc:"} {
			if parse(t, kind, text) != plain {
				t.Errorf("%s %q", kind, text)
			}
		}
	}
}

func TestTheSameBytesOfAnotherTypeAreAnotherIdentifier(t *testing.T) {
	if parse(t, HwAddr, "010203") == parse(t, DUID, "010203") {
		t.Error("they are equal")
	}
}

func TestWhatIsNotHexadecimalIsRefusedWithTheReason(t *testing.T) {
	for text, expected := range map[string]string{
		"01-02-03": `id has "-", which is no hexadecimal digit`,
		"01.02":    `id has ".", which is no hexadecimal digit`,
		"0g":       `id has "g", which is no hexadecimal digit`,
		"0é":       `id has "é", which is no hexadecimal digit`,
		"01020":    "id has an odd number of digits",
	} {
		if _, err := Parse(HwAddr, text); err == nil || err.Error() != expected {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestLengthsAreThoseOfTheProtocols(t *testing.T) {
	for _, c := range []struct {
		kind   Type
		length int
		fits   bool
	}{
		{HwAddr, 1, true}, {HwAddr, 20, true}, {HwAddr, 21, false},
		{DUID, 2, false}, {DUID, 3, true}, {DUID, 130, true}, {DUID, 131, false},
	} {
		if _, err := New(c.kind, make([]byte, c.length)); (err == nil) != c.fits {
			t.Errorf("%s of %d bytes: %v", c.kind, c.length, err)
		}
	}
}

func TestADHCPv4ClientIsItsHardwareAddress(t *testing.T) {
	client := Of4(1, []byte{2, 0, 0, 0, 0, 1})
	if !client.Known() || client.String() != "hwtype=1 02:00:00:00:00:01" {
		t.Errorf("%v", client)
	}
	for _, c := range []struct {
		htype  uint32
		length int
	}{{1, 0}, {1, 21}, {70_000, 6}} {
		if Of4(c.htype, make([]byte, c.length)).Known() {
			t.Errorf("type %d, %d bytes", c.htype, c.length)
		}
	}
}

func TestADHCPv6ClientIsItsDUID(t *testing.T) {
	client := Of6([]byte{0, 3, 0, 1, 0xab})
	if !client.Known() || client.String() != "00:03:00:01:ab" {
		t.Errorf("%v", client)
	}
	for _, length := range []int{0, 2, 131} {
		if Of6(make([]byte, length)).Known() {
			t.Errorf("%d bytes", length)
		}
	}
}

func TestClientsAreEqualWithTypeHardwareTypeAndBytes(t *testing.T) {
	client := Of4(1, octets)
	for _, c := range []struct {
		other Client
		equal bool
	}{
		{Of4(1, octets), true},
		{Of4(6, octets), false},
		{Of4(1, octets[1:]), false},
		{Of6(octets), false},
		{Client{}, false},
	} {
		if client.Equal(c.other) != c.equal {
			t.Errorf("%v and %v", client, c.other)
		}
	}
}
