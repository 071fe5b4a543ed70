package outrigger

import (
	"slices"
	"strconv"
	"strings"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/hookpoints"
)

// change is one row of what replies can change, as in the table of hook points.
type change uint8

const (
	changeQueryOptions change = iota
	changeQueryHeader
	changeQueryHwAddress
	changeQueryRelays
	changeQueryClasses
	changeQueryWire
	changeQueryParsed
	changeResponseOptions
	changeResponseHeader
	changeResponseRelays
	changeResponseLink
	changeResponseWire
	changeSubnet
	changeIdentifier
	changeNames
	changeLeaseAddress
	changeLeaseLifetimes
	changeLeaseNames
	changeLeaseUserContext
	changeIAOptions
	changeOfferAddressInUse
	changeError
	changeCommandResponse
	changes
)

// changePaths has the path of each change.
var changePaths = [changes]string{
	changeQueryOptions:      "query.options",
	changeQueryHeader:       "query.header",
	changeQueryHwAddress:    "query.hw-address",
	changeQueryRelays:       "query.relays",
	changeQueryClasses:      "query.classes",
	changeQueryWire:         "query.wire",
	changeQueryParsed:       "query.parsed",
	changeResponseOptions:   "response.options",
	changeResponseHeader:    "response.header",
	changeResponseRelays:    "response.relays",
	changeResponseLink:      "response.link",
	changeResponseWire:      "response.wire",
	changeSubnet:            "subnet",
	changeIdentifier:        "identifier",
	changeNames:             "names",
	changeLeaseAddress:      "lease.address",
	changeLeaseLifetimes:    "lease.lifetimes",
	changeLeaseNames:        "lease.names",
	changeLeaseUserContext:  "lease.user-context",
	changeIAOptions:         "ia.options",
	changeOfferAddressInUse: "offer-address-in-use",
	changeError:             "error",
	changeCommandResponse:   "command-response",
}

// rights is what the callout of one hook point may change: the table of hook points, narrowed by the subscription.
type rights struct {
	hookPoint hookpoints.HookPoint
	// allowed has a bit for each change.
	allowed uint32
	// codes has the options that may be changed where the subscription names single ones.
	codes map[change][]uint16
	// readPaths is what the server sends; none: everything.
	readPaths []string
	// readsResponse: a response that is absent does not exist.
	readsResponse bool
}

// newRights reads the table and the paths of a subscription; nil writes: all that the table allows.
func newRights(hookPoint hookpoints.HookPoint, reads, writes []string) *rights {
	spec := hookpoints.Specs[hookPoint]
	if writes == nil {
		writes = spec.Changes
	}
	r := &rights{hookPoint: hookPoint, readPaths: reads}
	r.readsResponse = len(reads) == 0 || slices.ContainsFunc(reads, func(path string) bool {
		return covers("response", path)
	})
	for what, path := range changePaths {
		if !slices.Contains(spec.Changes, path) {
			continue
		}
		for _, declared := range writes {
			if covers(declared, path) {
				r.allowed |= 1 << what
				delete(r.codes, change(what))
				break
			}
			if code, ok := optionOf(path, declared); ok {
				r.allowed |= 1 << what
				if r.codes == nil {
					r.codes = map[change][]uint16{}
				}
				r.codes[change(what)] = append(r.codes[change(what)], code)
			}
		}
	}
	return r
}

// optionOf is the code in declared, where that names one option below path: "response.options.67".
func optionOf(path, declared string) (uint16, bool) {
	if !covers(path, declared) || path == declared {
		return 0, false
	}
	first, _, _ := strings.Cut(declared[len(path)+1:], ".")
	code, err := strconv.ParseUint(first, 10, 16)
	return uint16(code), err == nil
}

// covers says whether path is granted or below it.
func covers(granted, path string) bool {
	rest, ok := strings.CutPrefix(path, granted)
	return ok && (rest == "" || rest[0] == '.')
}

// check is nil where the callout may make this change.
func (r *rights) check(what change) error {
	if r.allowed&(1<<what) != 0 {
		return nil
	}
	return r.refused(what, changePaths[what])
}

// checkOption is nil where the callout may change this option.
func (r *rights) checkOption(what change, code uint16) error {
	if r.allowed&(1<<what) == 0 {
		return r.refused(what, changePaths[what])
	}
	if codes, ok := r.codes[what]; ok && !slices.Contains(codes, code) {
		return r.refused(what, changePaths[what]+"."+strconv.Itoa(int(code)))
	}
	return nil
}

// reads says whether the server sends an option, where it is in the packet that what is a change of.
func (r *rights) reads(what change, code uint32) bool {
	if what == changeIAOptions {
		return false
	}
	path := "query"
	if what.side() == responseSide {
		path = "response"
	}
	if what == changeQueryRelays || what == changeResponseRelays {
		path += ".relays"
	} else {
		path += ".options." + strconv.FormatUint(uint64(code), 10)
	}
	return len(r.readPaths) == 0 || slices.ContainsFunc(r.readPaths, func(granted string) bool {
		return covers(granted, path)
	})
}

func (r *rights) refused(what change, path string) error {
	spec := hookpoints.Specs[r.hookPoint]
	refusal := &NotChangeableError{HookPoint: hookPointName(r.hookPoint), Path: path, Possible: spec.Changes}
	if slices.Contains(spec.Changes, changePaths[what]) {
		refusal.Subscription = true
		refusal.Possible = r.possible()
	}
	return refusal
}

// possible has the paths that the subscription writes.
func (r *rights) possible() []string {
	var paths []string
	for what, path := range changePaths {
		if r.allowed&(1<<what) == 0 {
			continue
		}
		codes, narrow := r.codes[change(what)]
		if !narrow {
			paths = append(paths, path)
			continue
		}
		for _, code := range codes {
			paths = append(paths, path+"."+strconv.Itoa(int(code)))
		}
	}
	return paths
}
