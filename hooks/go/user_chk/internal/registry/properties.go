package registry

import (
	"errors"
	"slices"
	"strings"
)

// Names of the properties that have an effect.
const (
	// Bootfile is the boot file.
	Bootfile = "bootfile"
	// TFTPServer is the TFTP server.
	TFTPServer = "tftp_server"
)

var errBlankName = errors.New("a property has an empty name")

// Properties are what is known of a user beside the identifier, in order of the names; few, so that a million users
// need no map each.
type Properties []property

type property struct {
	name, value string
}

// Get is the value; empty where there is none, which is the same to every reader.
func (p Properties) Get(name string) string {
	if position, found := p.position(name); found {
		return p[position].value
	}
	return ""
}

// Set sets or replaces a value, which may be empty; the name may not.
func (p *Properties) Set(name, value string) error {
	if name == "" {
		return errBlankName
	}
	position, found := p.position(name)
	if found {
		(*p)[position].value = value
		return nil
	}
	*p = slices.Insert(*p, position, property{name, value})
	return nil
}

// position is where the property is, or where it would be.
func (p Properties) position(name string) (int, bool) {
	return slices.BinarySearchFunc(p, name, func(known property, name string) int {
		return strings.Compare(known.name, name)
	})
}
