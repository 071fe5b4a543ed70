package registry

import (
	"strings"
	"testing"

	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/identifier"
)

func parsed(t *testing.T, line string) User {
	t.Helper()
	user, ok, err := ParseLine([]byte(line))
	if err != nil || !ok {
		t.Fatalf("%s: %v, %v", line, ok, err)
	}
	return user
}

func TestAUserWithPropertiesIsRead(t *testing.T) {
	user := parsed(t, `{ "type" : "DUID", "id" : "00:01:00:01:1E:F0", "bootfile" : "/b", "note" : "n" }`)
	if user.Identifier.Type != identifier.DUID || user.Identifier.String() != "000100011ef0" {
		t.Errorf("%v", user.Identifier)
	}
	if user.Properties.Get("bootfile") != "/b" || user.Properties.Get("note") != "n" {
		t.Errorf("%v", user.Properties)
	}
}

func TestBlankLinesAndCommentsAreNobody(t *testing.T) {
	for _, line := range []string{"", "   ", "\t\r", "# a comment", "  // another"} {
		if _, ok, err := ParseLine([]byte(line)); ok || err != nil {
			t.Errorf("%q: %v, %v", line, ok, err)
		}
	}
}

func TestWhiteSpaceAroundTheObjectIsAllowed(t *testing.T) {
	if user := parsed(t, " \t{\"type\":\"HW_ADDR\",\"id\":\"010203\"} \r"); user.Identifier.Bytes != "\x01\x02\x03" {
		t.Errorf("%v", user)
	}
}

func TestOfARepeatedKeyTheLastOneCounts(t *testing.T) {
	user := parsed(t, `{"type":"x","type":"HW_ADDR","id":"","id":"01","a":"1","a":"2"}`)
	if user.Identifier.String() != "01" || user.Properties.Get("a") != "2" {
		t.Errorf("%v", user)
	}
}

func TestKeysAreCaseSensitive(t *testing.T) {
	user := parsed(t, `{"type":"HW_ADDR","id":"01","Type":"x","ID":"y","Bootfile":"/b"}`)
	if user.Identifier.String() != "01" || user.Properties.Get("bootfile") != "" {
		t.Errorf("%v", user)
	}
}

func TestEscapesAreUndoneAndHalfCharactersRefused(t *testing.T) {
	user := parsed(t, `{"type":"HW_ADDR","id":"01","a":"\u00e9\ud83d\ude00\\ud800","b\n":"\ufffd"}`)
	if got := user.Properties.Get("a"); got != "é😀\\ud800" {
		t.Errorf("%q", got)
	}
	for _, half := range []string{`\ud83d`, `\ude00`, `\ud83dx`, `\ud83d\u0041`, `\ud83d\\`} {
		_, _, err := ParseLine([]byte(`{"type":"HW_ADDR","id":"01","a":"` + half + `"}`))
		if err == nil || !strings.Contains(err.Error(), "JSON object of strings") {
			t.Errorf("%s: %v", half, err)
		}
	}
}

func TestEachBadEntryIsRefusedWithItsReason(t *testing.T) {
	for _, c := range []struct{ line, part string }{
		{`{"id":"01"}`, `has no "type"`},
		{`{"Type":"HW_ADDR","id":"01"}`, `has no "type"`},
		{`{"type":"BOGUS","id":"01"}`, `type "BOGUS" is neither`},
		{`{"type":"duid","id":"010203"}`, `type "duid" is neither`},
		{`{"type":1,"id":"01"}`, `value of "type" is no string`},
		{`{"type":"HW_ADDR"}`, `has no "id"`},
		{`{"type":"HW_ADDR","id":"010"}`, "odd number of digits"},
		{`{"type":"HW_ADDR","id":"01zz"}`, `"z", which is no`},
		{`{"type":"HW_ADDR","id":""}`, "id has 0 bytes"},
		{`{"type":"HW_ADDR","id":0102}`, "JSON object of strings"},
		{`{"type":"HW_ADDR","id":"01","a":1}`, `"a" is no string`},
		{`{"type":"HW_ADDR","id":"01","a":null}`, `"a" is no string`},
		{`{"type":"HW_ADDR","id":"01","a":[["b"]]}`, `"a" is no string`},
		{`{"type":"HW_ADDR","id":"01","a":{"b":"c"}}`, `"a" is no string`},
		{`{"type":"HW_ADDR","id":"01","":"b"}`, "empty name"},
		{`{"type":"HW_ADDR","id":"01"} x`, "trailing characters"},
		{`{"type":"HW_ADDR","id":"01"}}`, "trailing characters"},
		{`{"type":"HW_ADDR","id":"01"}{}`, "trailing characters"},
		{`{"type":"HW_ADDR","id":"01"`, "JSON object of strings"},
		{`{"type":"HW_ADDR","id":"01",}`, "JSON object of strings"},
		{`{"type":"HW_ADDR" "id":"01"}`, "JSON object of strings"},
		{`{"type","HW_ADDR","id":"01"}`, "JSON object of strings"},
		{`{,"type":"HW_ADDR","id":"01"}`, "JSON object of strings"},
		{`{"type":"HW_ADDR","id":"01"]`, "JSON object of strings"},
		{`{"type":"HW_ADDR","id":'01'}`, "JSON object of strings"},
		{`{1:"HW_ADDR","id":"01"}`, "JSON object of strings"},
		{`["type","HW_ADDR"]`, `an object with "type" and "id"`},
		{"true", `an object with "type" and "id"`},
		{"null", `an object with "type" and "id"`},
		{"\ufeff{}", "byte-order mark"},
		{"{\"type\":\"\xff\"}", "not UTF-8"},
		{`{"a":` + strings.Repeat("[", 2000), "JSON object of strings"},
		{`{"type":"DUID","id":"010203","tftp_server":"tftp.example.net"}`, `tftp_server has "tftp.example.net"`},
	} {
		_, ok, err := ParseLine([]byte(c.line))
		if ok || err == nil || !strings.Contains(err.Error(), c.part) {
			t.Errorf("%.60s: %v, %v", c.line, ok, err)
		}
	}
}

func TestALineHasItsLimitWithoutTheWhiteSpaceAfterIt(t *testing.T) {
	lineOf := func(length int) string {
		const start, end = `{"type":"HW_ADDR","id":"01","a":"`, `"}`
		return start + strings.Repeat("x", length-len(start)-len(end)) + end
	}
	parsed(t, lineOf(4095))
	if _, _, err := ParseLine([]byte(lineOf(4096))); err == nil || err.Error() != "has 4096 bytes; 4095 are possible" {
		t.Errorf("%v", err)
	}
	parsed(t, lineOf(100)+strings.Repeat(" ", 5000))
}

func FuzzParseLine(f *testing.F) {
	f.Add([]byte(`{"type":"HW_ADDR","id":"01:02","bootfile":"\ud83d\ude00"}`))
	f.Add([]byte(`{"type":"DUID","id":"010203","tftp_server":"::1"} `))
	f.Fuzz(func(t *testing.T, line []byte) {
		user, ok, err := ParseLine(line)
		if ok && err != nil || ok != (user.Identifier.Bytes != "") {
			t.Errorf("%v, %v, %v", user, ok, err)
		}
	})
}
