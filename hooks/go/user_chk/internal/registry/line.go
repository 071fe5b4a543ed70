package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/identifier"
)

// maxLine is the longest line, in bytes without white space at its ends. Kea cuts longer ones, and with them the file.
const maxLine = 4095

// User is a registered user.
type User struct {
	// Identifier is who.
	Identifier identifier.Identifier
	// Properties are what is known.
	Properties Properties
}

// ParseLine reads the user of a line; ok is false where it is blank or a comment (# or //).
func ParseLine(line []byte) (user User, ok bool, err error) {
	if bytes.HasPrefix(line, []byte("\xef\xbb\xbf")) {
		return User{}, false, errors.New("starts with a byte-order mark; save the file without it")
	}
	line = bytes.Trim(line, " \t\n\f\r")
	if len(line) == 0 || line[0] == '#' || bytes.HasPrefix(line, []byte("//")) {
		return User{}, false, nil
	}
	if len(line) > maxLine {
		return User{}, false, fmt.Errorf("has %d bytes; %d are possible", len(line), maxLine)
	}
	if !utf8.Valid(line) {
		return User{}, false, errors.New("is not UTF-8")
	}
	entry, err := parseEntry(line)
	if err != nil {
		return User{}, false, fmt.Errorf("is not a JSON object of strings: %w", err)
	}
	user, err = entry.user()
	return user, err == nil, err
}

// entry is an object of strings; of a repeated key the last one counts.
type entry struct {
	kind, id   *string
	properties Properties
	blank      bool
}

func (e entry) user() (User, error) {
	if e.kind == nil {
		return User{}, errors.New("has no \"type\"")
	}
	kind, err := identifier.ParseType(*e.kind)
	if err != nil {
		return User{}, err
	}
	if e.id == nil {
		return User{}, errors.New("has no \"id\"")
	}
	who, err := identifier.Parse(kind, *e.id)
	if err != nil {
		return User{}, err
	}
	if e.blank {
		return User{}, errBlankName
	}
	if err := checkOverrides(kind, e.properties); err != nil {
		return User{}, err
	}
	return User{Identifier: who, Properties: e.properties}, nil
}

// parseEntry reads the object key by key: into a map, keys would be lost that are there twice, and into a struct, keys
// would be found that are written in another case.
func parseEntry(line []byte) (entry, error) {
	decoder := json.NewDecoder(bytes.NewReader(line))
	if token, err := decoder.Token(); err != nil {
		return entry{}, jsonError(err)
	} else if token != json.Delim('{') {
		return entry{}, fmt.Errorf("invalid type: %s, expected an object with \"type\" and \"id\"", describe(token))
	}
	var read entry
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return entry{}, jsonError(err)
		}
		name, ok := key.(string)
		if !ok {
			return entry{}, errors.New("a key is no string")
		}
		value, err := decoder.Token()
		if err != nil {
			return entry{}, jsonError(err)
		}
		text, ok := value.(string)
		if !ok {
			return entry{}, fmt.Errorf("the value of \"%s\" is no string", name)
		}
		read.set(name, text)
	}
	if _, err := decoder.Token(); err != nil {
		return entry{}, jsonError(err)
	}
	if decoder.InputOffset() != int64(len(line)) {
		return entry{}, fmt.Errorf("trailing characters at column %d", decoder.InputOffset()+1)
	}
	// What the decoder replaces with U+FFFD no other reader of the file takes.
	return read, checkSurrogates(line)
}

func (e *entry) set(name, value string) {
	switch name {
	case "type":
		e.kind = &value
	case "id":
		e.id = &value
	default:
		e.blank = e.properties.Set(name, value) != nil || e.blank
	}
}

// describe is what stands where an object is expected.
func describe(token json.Token) string {
	switch token := token.(type) {
	case nil:
		return "null"
	case bool:
		return fmt.Sprintf("boolean `%t`", token)
	case string:
		return fmt.Sprintf("string %q", token)
	case float64:
		return fmt.Sprintf("number `%v`", token)
	}
	return "sequence"
}

// jsonError says what the end of the text means in the middle of an object.
func jsonError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it ends too early")
	}
	return err
}

// checkSurrogates refuses \u escapes of one half of a character (RFC 8259 §8.2). The text is known to be valid JSON.
func checkSurrogates(text []byte) error {
	for {
		escape := bytes.IndexByte(text, '\\')
		if escape < 0 {
			return nil
		}
		text = text[escape:]
		unit := unitOf(text)
		switch {
		case unit < 0xd800 || unit > 0xdfff:
			text = text[2:]
		case unit <= 0xdbff && isLow(unitOf(text[6:])):
			text = text[12:]
		default:
			return fmt.Errorf("%s is half a character", text[:6])
		}
	}
}

func isLow(unit uint64) bool {
	return unit >= 0xdc00 && unit <= 0xdfff
}

// unitOf is the UTF-16 unit of the \u escape that text begins with; 0 where there is none.
func unitOf(text []byte) uint64 {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0
	}
	unit, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	if err != nil {
		return 0
	}
	return unit
}
