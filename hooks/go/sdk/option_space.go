package outrigger

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// space is the options of one option space of a family.
type space struct {
	family int
	// name is as in the configuration: "dhcp4", "vendor-4491".
	name   string
	byCode map[uint16]*definition
	byName map[string]*definition
}

func newSpace(family int, name string) *space {
	table := optionTable[fmt.Sprintf("%d:%s", family, name)]
	s := &space{
		family: family, name: name,
		byCode: make(map[uint16]*definition, len(table)), byName: make(map[string]*definition, len(table)),
	}
	for i := range table {
		s.byCode[table[i].code] = &table[i]
		s.byName[table[i].name] = &table[i]
	}
	return s
}

var (
	dhcp4Space = sync.OnceValue(func() *space { return newSpace(4, "dhcp4") })
	dhcp6Space = sync.OnceValue(func() *space { return newSpace(6, "dhcp6") })
)

// packetSpace is the space of the options of a packet.
func packetSpace(family int) *space {
	if family == 6 {
		return dhcp6Space()
	}
	return dhcp4Space()
}

var (
	spacesMutex sync.Mutex
	// spaces has those of the table that were asked for.
	spaces = map[string]*space{}
)

// spaceNamed is a space of the table; one without options where there is none.
func spaceNamed(family int, name string) *space {
	key := fmt.Sprintf("%d:%s", family, name)
	if _, ok := optionTable[key]; !ok {
		// Anybody may send any enterprise number: what is kept is bounded by the table.
		return &space{family: family, name: name}
	}
	spacesMutex.Lock()
	defer spacesMutex.Unlock()
	known, ok := spaces[key]
	if !ok {
		known = newSpace(family, name)
		spaces[key] = known
	}
	return known
}

// named is the option with this name.
func (s *space) named(name string) (*definition, error) {
	if known, ok := s.byName[name]; ok {
		return known, nil
	}
	return nil, fmt.Errorf("there is no DHCPv%d option %q in the space %s: options without a name go by their code",
		s.family, clipped(name), s.name)
}

// describe is an option for errors: "option 67 (boot-file-name)".
func (s *space) describe(code uint16) string {
	if known, ok := s.byCode[code]; ok {
		return fmt.Sprintf("option %d (%s)", code, known.name)
	}
	return fmt.Sprintf("option %d", code)
}

// inside is the space of the options in an option.
func (s *space) inside(code uint16) *space {
	known := s.byCode[code]
	switch {
	case s.family == 6 && s.name == "dhcp6" && (code >= 3 && code <= 5 || code == 25 || code == 26):
		// An IA, an address and a prefix have options of the protocol inside (RFC 9915 §21).
		return s
	case known != nil && known.encapsulates != "":
		return spaceNamed(s.family, known.encapsulates)
	}
	return &space{family: s.family, name: s.name + "." + strconv.Itoa(int(code))}
}

// canEnter says whether the server edits inside the option that path leads to.
func canEnter(family int, path []uint32) bool {
	last := path[len(path)-1]
	if family == 4 {
		return path[0] == 43 || path[0] == 125 || len(path) == 1 && path[0] == 82
	}
	if path[0] == 17 {
		return true
	}
	switch last {
	case 3, 4, 5, 25, 26, 45, 56, 66, 94, 95, 96:
		return true
	}
	return false
}

// translatedPath has the code in place of an option's name: "query.options.60" for
// "query.options.vendor-class-identifier".
func translatedPath(path string, family int) (string, error) {
	for _, packet := range []string{"query", "response"} {
		rest, ok := strings.CutPrefix(path, packet+".options.")
		if !ok {
			continue
		}
		name, deeper, _ := strings.Cut(rest, ".")
		if _, err := strconv.ParseUint(name, 10, 16); err == nil {
			return path, nil
		}
		known, err := packetSpace(family).named(name)
		if err != nil {
			return "", err
		}
		if deeper != "" {
			return "", fmt.Errorf("%q: a path ends at the option of the packet", path)
		}
		return fmt.Sprintf("%s.options.%d", packet, known.code), nil
	}
	return path, nil
}
