package registry

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/identifier"
)

// reported is how many bad lines a report names; the rest is counted.
const reported = 20

// defaultUser identifies the users whose properties unregistered clients get: four zero bytes, of either type.
const defaultUser = "\x00\x00\x00\x00"

// Users are users by identifier, of one version of the registry.
type Users struct {
	hwAddrs, duids map[string]Properties
}

// NewUsers are none.
func NewUsers() *Users {
	return &Users{hwAddrs: make(map[string]Properties), duids: make(map[string]Properties)}
}

// Len is how many there are.
func (u *Users) Len() int {
	return len(u.hwAddrs) + len(u.duids)
}

// Add registers a user; false where the user is there already, and stays as before.
func (u *Users) Add(user User) bool {
	users := u.of(user.Identifier.Type)
	if _, found := users[user.Identifier.Bytes]; found {
		return false
	}
	users[user.Identifier.Bytes] = user.Properties
	return true
}

// Find is a user's properties and whether the client is registered. Any bytes may be asked for.
func (u *Users) Find(kind identifier.Type, bytes []byte) (Properties, bool) {
	properties, found := u.of(kind)[string(bytes)]
	return properties, found
}

// Default are the properties of the default user of a type; none where there is no such user.
func (u *Users) Default(kind identifier.Type) Properties {
	return u.of(kind)[defaultUser]
}

func (u *Users) of(kind identifier.Type) map[string]Properties {
	if kind == identifier.HwAddr {
		return u.hwAddrs
	}
	return u.duids
}

// Problems are why a file is no registry: its bad lines.
type Problems struct {
	// First are the first of them, in order.
	First []Problem
	// Total is how many there are in all.
	Total int
}

// Problem is a bad line, counted from 1.
type Problem struct {
	// Line is where.
	Line int
	// Err is what is wrong there.
	Err error
}

// Error is as in logs and refusals: `line 3: is not UTF-8; line 7: has no "id"`.
func (p *Problems) Error() string {
	var text strings.Builder
	for index, problem := range p.First {
		if index > 0 {
			text.WriteString("; ")
		}
		fmt.Fprintf(&text, "line %d: %s", problem.Line, problem.Err)
	}
	if more := p.Total - len(p.First); more > 0 {
		fmt.Fprintf(&text, "; and %d more bad lines", more)
	}
	return text.String()
}

func (p *Problems) add(line int, err error) {
	p.Total++
	if len(p.First) < reported {
		p.First = append(p.First, Problem{Line: line, Err: err})
	}
}

// Read reads the users of a file. The error is *Problems where any line is bad; then nobody of the file counts.
func Read(content []byte) (*Users, error) {
	users := NewUsers()
	lines := make(map[identifier.Identifier]int)
	var problems Problems
	number := 0
	for line := range bytes.SplitSeq(content, []byte("\n")) {
		number++
		user, ok, err := ParseLine(line)
		switch {
		case err != nil:
			problems.add(number, err)
		case !ok:
		case !users.Add(user):
			who := user.Identifier
			problems.add(number, fmt.Errorf("%s %s is there already, in line %d", who.Type, who, lines[who]))
		default:
			lines[user.Identifier] = number
		}
	}
	if problems.Total > 0 {
		return nil, &problems
	}
	return users, nil
}
