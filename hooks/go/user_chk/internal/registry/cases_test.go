package registry

import (
	"strings"
	"testing"

	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/cases"
)

func TestLinesAreReadAsInEveryLanguage(t *testing.T) {
	for _, c := range cases.Read(t).Lines {
		user, ok, err := ParseLine(c.Bytes())
		if c.User == nil {
			if ok || c.Nobody != (err == nil) || err != nil && !strings.Contains(err.Error(), c.Error) {
				t.Errorf("%.200s: %v, %v", c.Line, ok, err)
			}
			continue
		}
		if !ok || user.Identifier.Type.String() != c.User.Type || user.Identifier.Bytes != string(c.User.Hex) ||
			len(user.Properties) != len(c.User.Properties) {
			t.Errorf("%.200s: %v, %v", c.Line, user, err)
		}
		for name, value := range c.User.Properties {
			if user.Properties.Get(name) != value {
				t.Errorf("%.200s: %s is %s", c.Line, name, user.Properties.Get(name))
			}
		}
	}
}

func TestRegistriesAreReadAsInEveryLanguage(t *testing.T) {
	for _, c := range cases.Read(t).Registries {
		users, err := Read([]byte(c.Content))
		switch {
		case c.Error == "":
			if err != nil || users.Len() != c.Users {
				t.Errorf("%s: %v", c.Name, err)
			}
		case err == nil || !strings.HasPrefix(err.Error(), c.Error) || !strings.HasSuffix(err.Error(), c.Last):
			t.Errorf("%s: %v", c.Name, err)
		}
	}
}

func TestSourcesAreReadAsInEveryLanguage(t *testing.T) {
	for _, c := range cases.Read(t).Sources {
		path, err := ParseSource(c.Text)
		if path != c.Path || (err == nil) != (c.Error == "") || err != nil && !strings.Contains(err.Error(), c.Error) {
			t.Errorf("%s: %s, %v", c.Text, path, err)
		}
	}
}
