package service

import (
	"encoding/binary"
	"iter"
	"net/netip"
)

// Options inside an IA (RFC 9915 §21).
const (
	optionIAAddr     = 5
	optionStatusCode = 13
	optionIAPrefix   = 26
)

// Bytes before the options inside: of an IA (IAID, T1, T2), an IA Address (address, lifetimes), an IA Prefix
// (lifetimes, length, prefix).
const (
	iaHeader       = 12
	iaAddrHeader   = 24
	iaPrefixHeader = 25
)

// nested are the options that fill payload. After a malformed one, which has ok false, there are no more.
func nested(payload []byte) iter.Seq2[record, bool] {
	return func(yield func(record, bool) bool) {
		for rest := payload; len(rest) > 0; {
			if len(rest) < 4 {
				yield(record{}, false)
				return
			}
			code, length := binary.BigEndian.Uint16(rest), int(binary.BigEndian.Uint16(rest[2:]))
			rest = rest[4:]
			if len(rest) < length {
				yield(record{}, false)
				return
			}
			if !yield(record{code, rest[:length]}, true) {
				return
			}
			rest = rest[length:]
		}
	}
}

// record is one option inside another.
type record struct {
	code uint16
	data []byte
}

// wellFormed says whether options fill payload.
func wellFormed(payload []byte) bool {
	for _, ok := range nested(payload) {
		if !ok {
			return false
		}
	}
	return true
}

// grantedAddress is the first address of an IA_NA that lives. Nothing where the IA is malformed or has a status other
// than success.
func grantedAddress(ia []byte) (address netip.Addr, grants bool) {
	options, ok := iaOptions(ia)
	if !ok {
		return netip.Addr{}, false
	}
	for option := range nested(options) {
		if option.code != optionIAAddr {
			continue
		}
		if len(option.data) < iaAddrHeader || !wellFormed(option.data[iaAddrHeader:]) {
			return netip.Addr{}, false
		}
		// A reply that retires an address has it with lifetime 0, RFC 9915 §18.3.4.
		if valid := binary.BigEndian.Uint32(option.data[20:]); valid > 0 && !grants {
			address, grants = netip.AddrFrom16([16]byte(option.data[:16])), true
		}
	}
	return address, grants
}

// grantedPrefix is the same of an IA_PD.
func grantedPrefix(ia []byte) (prefix netip.Prefix, grants bool) {
	options, ok := iaOptions(ia)
	if !ok {
		return netip.Prefix{}, false
	}
	for option := range nested(options) {
		if option.code != optionIAPrefix {
			continue
		}
		if len(option.data) < iaPrefixHeader || option.data[8] > 128 || !wellFormed(option.data[iaPrefixHeader:]) {
			return netip.Prefix{}, false
		}
		if valid := binary.BigEndian.Uint32(option.data[4:]); valid > 0 && !grants {
			address := netip.AddrFrom16([16]byte(option.data[9:25]))
			prefix, grants = netip.PrefixFrom(address, int(option.data[8])).Masked(), true
		}
	}
	return prefix, grants
}

// iaOptions are what is inside an IA; false where it is malformed or says that it failed.
func iaOptions(ia []byte) ([]byte, bool) {
	if len(ia) < iaHeader {
		return nil, false
	}
	options := ia[iaHeader:]
	for option, ok := range nested(options) {
		if !ok {
			return nil, false
		}
		success := len(option.data) >= 2 && option.data[0] == 0 && option.data[1] == 0
		if option.code == optionStatusCode && !success {
			return nil, false
		}
	}
	return options, true
}
