package main

import (
	"strings"
	"testing"

	outrigger "github.com/outrigger-dhcp/outrigger/hooks/go/sdk"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/hooktest"
)

type object = map[string]any

func parameters(classes object) hooktest.Argument {
	return hooktest.Parameters(object{"classes": classes})
}

func TestClientsOfAClassGetItsOptions(t *testing.T) {
	classes := parameters(object{"phones": object{
		"tftp-server-name": "192.0.2.9",
		"ntp-servers":      []string{"192.0.2.123", "192.0.2.124"},
		"default-ip-ttl":   64,
	}})
	result := hooktest.Run(t, service(), "pkt4_send", classes,
		hooktest.Query4("discover", hooktest.Classes("ALL", "phones")), hooktest.Response4("offer"))
	for name, expected := range map[string]string{
		"tftp-server-name": `"192.0.2.9"`, "ntp-servers": "192.0.2.123, 192.0.2.124", "default-ip-ttl": "64",
	} {
		if text, _ := result.ResponseOption(name); text != expected {
			t.Errorf("%s is %q: %s", name, text, result)
		}
	}
	result = hooktest.Run(t, service(), "pkt4_send", classes,
		hooktest.Query4("discover", hooktest.Classes("ALL")), hooktest.Response4("offer"))
	if result.Failure != "" || result.Changes != nil {
		t.Errorf("of another class: %s", result)
	}
}

func TestDHCPv6IsTheSame(t *testing.T) {
	result := hooktest.Run(t, service(), "pkt6_send",
		parameters(object{"phones": object{"bootfile-url": "tftp://[2001:db8::5]/phone", "dns-servers": []string{"2001:db8::53"}}}),
		hooktest.Query6("solicit", hooktest.Classes("phones")), hooktest.Response6("advertise"))
	url, _ := result.ResponseOption("bootfile-url")
	servers, _ := result.ResponseOption("dns-servers")
	if url != `"tftp://[2001:db8::5]/phone"` || servers != "2001:db8::53" {
		t.Error(result)
	}
}

func TestTheClassThatWasJoinedLastWins(t *testing.T) {
	classes := parameters(object{"a": object{"boot-file-name": "/a"}, "b": object{"boot-file-name": "/b"}})
	for _, joined := range [][]string{{"a", "b"}, {"b", "a"}} {
		result := hooktest.Run(t, service(), "pkt4_send", classes,
			hooktest.Query4("request", hooktest.Classes(joined...)), hooktest.Response4("ack"))
		if file, _ := result.ResponseOption("boot-file-name"); file != `"/`+joined[1]+`"` {
			t.Errorf("%v: %s", joined, result)
		}
	}
}

func TestAValueThatDoesNotFitFailsTheCall(t *testing.T) {
	for _, value := range []any{"ten", 300, 1.5, true, []int{1, 2}} {
		result := hooktest.Run(t, service(), "pkt4_send", parameters(object{"phones": object{"default-ip-ttl": value}}),
			hooktest.Query4("request", hooktest.Classes("phones")), hooktest.Response4("ack"))
		if !strings.Contains(result.Failure, "class phones: ") || !strings.Contains(result.Failure, "default-ip-ttl") {
			t.Errorf("%v: %s", value, result)
		}
	}
}

func TestParametersThatMakeNoSenseAreRefused(t *testing.T) {
	for part, wrong := range map[string]object{
		`write {"classes"`: {},
		"unknown field":    {"class": object{}},
		"no-such-option":   {"classes": object{"phones": object{"no-such-option": 1}}},
		"cannot unmarshal": {"classes": "phones"},
	} {
		_, err := hooktest.Try(service(), "pkt4_send", hooktest.Parameters(wrong))
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v: %v", wrong, err)
		}
	}
}

var _ outrigger.Pkt6SendHook = hook{}
