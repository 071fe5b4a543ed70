package outrigger

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// LeaseType is what is leased.
type LeaseType int32

// Every lease type.
const (
	LeaseV4 LeaseType = LeaseType(hooksv1.LeaseType_LEASE_TYPE_V4)
	// LeaseNA is an address in an IA_NA.
	LeaseNA LeaseType = LeaseType(hooksv1.LeaseType_LEASE_TYPE_NA)
	// LeasePD is a prefix in an IA_PD.
	LeasePD LeaseType = LeaseType(hooksv1.LeaseType_LEASE_TYPE_PD)
)

// String is "V4", "IA_NA" or "IA_PD".
func (t LeaseType) String() string {
	switch t {
	case LeaseV4:
		return "V4"
	case LeaseNA:
		return "IA_NA"
	case LeasePD:
		return "IA_PD"
	}
	return fmt.Sprintf("lease type %d", int32(t))
}

// LeaseState is what a lease is at present.
type LeaseState int32

// Every lease state.
const (
	LeaseDefault          LeaseState = LeaseState(hooksv1.LeaseState_LEASE_STATE_DEFAULT)
	LeaseDeclined         LeaseState = LeaseState(hooksv1.LeaseState_LEASE_STATE_DECLINED)
	LeaseExpiredReclaimed LeaseState = LeaseState(hooksv1.LeaseState_LEASE_STATE_EXPIRED_RECLAIMED)
	LeaseReleased         LeaseState = LeaseState(hooksv1.LeaseState_LEASE_STATE_RELEASED)
	LeaseRegistered       LeaseState = LeaseState(hooksv1.LeaseState_LEASE_STATE_REGISTERED)
)

// String is the state as Kea writes it: "default", "expired-reclaimed".
func (s LeaseState) String() string {
	switch s {
	case LeaseDefault:
		return "default"
	case LeaseDeclined:
		return "declined"
	case LeaseExpiredReclaimed:
		return "expired-reclaimed"
	case LeaseReleased:
		return "released"
	case LeaseRegistered:
		return "registered"
	}
	return fmt.Sprintf("lease state %d", int32(s))
}

// Infinite is the lifetime of a lease that never expires.
const Infinite uint32 = 0xffffffff

// Lease is a lease of either family. What a setter changed reads back; a setter that the hook point does not allow fails
// the call.
type Lease struct {
	call    *Call
	message *hooksv1.Lease
	// fixed is the path of a lease that no hook point may change: "old-lease".
	fixed string
}

// Message is the lease as it travels.
func (l *Lease) Message() *hooksv1.Lease { return l.message }

// Type is what is leased.
func (l *Lease) Type() LeaseType { return LeaseType(l.message.GetType()) }

// Address is the leased address, of a prefix its first one.
func (l *Lease) Address() netip.Addr { return addrOf(l.message.GetAddress()) }

// Prefix is the leased prefix; of an address it is as long as the address.
func (l *Lease) Prefix() netip.Prefix {
	return netip.PrefixFrom(l.Address(), int(min(l.message.GetPrefixLength(), 128)))
}

// IAID is the number of the identity association (DHCPv6).
func (l *Lease) IAID() uint32 { return l.message.GetIaid() }

// DUID is the client's DUID (DHCPv6, or inside an RFC 4361 client identifier).
func (l *Lease) DUID() []byte { return l.message.GetDuid() }

// ClientID is the client identifier, DHCPv4 option 61; empty where the client sent none.
func (l *Lease) ClientID() []byte { return l.message.GetClientId() }

// HwAddress is the client's hardware address, where it is known.
func (l *Lease) HwAddress() HwAddress { return hwAddressOf(l.message.GetHwAddress()) }

// ValidLifetime is in seconds from the client's last transmission, or Infinite.
func (l *Lease) ValidLifetime() uint32 { return l.message.GetValidLifetime() }

// PreferredLifetime is in seconds from the client's last transmission, or Infinite.
func (l *Lease) PreferredLifetime() uint32 { return l.message.GetPreferredLifetime() }

// ClientLastTransmission is when the client asked for the lease last.
func (l *Lease) ClientLastTransmission() time.Time {
	return time.Unix(int64(l.message.GetClientLastTransmission()&(1<<62-1)), 0).UTC()
}

// SubnetID is the subnet of the lease.
func (l *Lease) SubnetID() uint32 { return l.message.GetSubnetId() }

// PoolID is the pool of the lease.
func (l *Lease) PoolID() uint32 { return l.message.GetPoolId() }

// Hostname is the client's name; empty where it has none.
func (l *Lease) Hostname() string { return l.message.GetHostname() }

// FqdnFwd says whether the name points to the address in DNS.
func (l *Lease) FqdnFwd() bool { return l.message.GetFqdnFwd() }

// FqdnRev says whether the address points to the name in DNS.
func (l *Lease) FqdnRev() bool { return l.message.GetFqdnRev() }

// State is what the lease is at present.
func (l *Lease) State() LeaseState { return LeaseState(l.message.GetState()) }

// UserContext is a JSON map that is kept with the lease; nil where there is none.
func (l *Lease) UserContext() json.RawMessage {
	if l.message.GetUserContext() == "" {
		return nil
	}
	return json.RawMessage(l.message.GetUserContext())
}

// SetAddress proposes another address or prefix of the subnet. It must be free, and not reserved for somebody else.
func (l *Lease) SetAddress(address netip.Addr) {
	if address.Is4() != (l.Type() == LeaseV4) || !address.IsValid() {
		l.call.fail(fmt.Errorf("%s is no address for a lease of type %s", address, l.Type()))
		return
	}
	if changes := l.changes(changeLeaseAddress); changes != nil {
		changes.Address = address.AsSlice()
		l.message.Address = changes.Address
	}
}

// SetValidLifetime decides the valid lifetime, in seconds.
func (l *Lease) SetValidLifetime(seconds uint32) {
	if changes := l.changes(changeLeaseLifetimes); changes != nil {
		changes.ValidLifetime, l.message.ValidLifetime = &seconds, seconds
	}
}

// SetPreferredLifetime decides the preferred lifetime, in seconds.
func (l *Lease) SetPreferredLifetime(seconds uint32) {
	if changes := l.changes(changeLeaseLifetimes); changes != nil {
		changes.PreferredLifetime, l.message.PreferredLifetime = &seconds, seconds
	}
}

// SetHostname decides the name that is written with the lease.
func (l *Lease) SetHostname(hostname string) {
	if changes := l.changes(changeLeaseNames); changes != nil {
		changes.Hostname, l.message.Hostname = &hostname, hostname
	}
}

// SetFqdnFwd decides whether the name points to the address in DNS.
func (l *Lease) SetFqdnFwd(update bool) {
	if changes := l.changes(changeLeaseNames); changes != nil {
		changes.FqdnFwd, l.message.FqdnFwd = &update, update
	}
}

// SetFqdnRev decides whether the address points to the name in DNS.
func (l *Lease) SetFqdnRev(update bool) {
	if changes := l.changes(changeLeaseNames); changes != nil {
		changes.FqdnRev, l.message.FqdnRev = &update, update
	}
}

// SetUserContext keeps value with the lease: anything that is a map as JSON. nil is none.
func (l *Lease) SetUserContext(value any) error {
	if err := l.check(changeLeaseUserContext); err != nil {
		return err
	}
	text, err := json.Marshal(value)
	switch {
	case err != nil:
		return fmt.Errorf("the user context cannot be written as JSON: %w", err)
	case string(text) == "null":
		text = nil
	case text[0] != '{':
		return fmt.Errorf("the user context of a lease is a JSON map, not %s", clipped(string(text)))
	}
	context := string(text)
	l.changes(changeLeaseUserContext).UserContext = &context
	l.message.UserContext = context
	return nil
}

func (l *Lease) check(what change) error {
	if l.fixed != "" {
		return &NotChangeableError{HookPoint: l.call.HookPoint(), Path: l.fixed, Possible: l.call.rights.possible()}
	}
	return l.call.rights.check(what)
}

// changes is where the reply changes the lease; nil, with a mistake recorded, where it may not.
func (l *Lease) changes(what change) *hooksv1.LeaseChanges {
	if err := l.check(what); err != nil {
		l.call.fail(err)
		return nil
	}
	changes := l.call.Changes()
	if changes.Lease == nil {
		changes.Lease = &hooksv1.LeaseChanges{}
	}
	return changes.Lease
}

// withLease is the lease that a call is about.
type withLease struct {
	lease Lease
}

func (w *withLease) fill(call *Call, message *hooksv1.Lease) {
	if message == nil {
		// The subscription did not ask for it.
		message = &hooksv1.Lease{}
	}
	w.lease = Lease{call: call, message: message}
}

// Lease is the lease in question.
func (w *withLease) Lease() *Lease { return &w.lease }

// withNewLease is the lease of addr6_register, "lease" in the words of changes.
type withNewLease struct {
	newLease Lease
}

func (w *withNewLease) fill(call *Call, message *hooksv1.Lease) {
	var lease withLease
	lease.fill(call, message)
	w.newLease = lease.lease
}

// NewLease is the registration as it is about to be written.
func (w *withNewLease) NewLease() *Lease { return &w.newLease }

type withOldLease struct {
	oldLease *Lease
}

func (w *withOldLease) fill(call *Call, message *hooksv1.Lease) {
	if message != nil {
		w.oldLease = &Lease{call: call, message: message, fixed: "old-lease"}
	}
}

// OldLease is the lease that there was before; nil where there was none.
func (w *withOldLease) OldLease() *Lease { return w.oldLease }

// withLeases are the leases of a reply.
type withLeases struct {
	call     *Call
	messages []*hooksv1.Lease
}

func (w *withLeases) fill(call *Call, messages []*hooksv1.Lease) { w.call, w.messages = call, messages }

// Leases has the leases of the reply; declined ones after DECLINE, none where the address was reused from cache.
func (w *withLeases) Leases() []*Lease { return leasesOf(w.call, "leases", w.messages) }

type withDeletedLeases struct {
	call     *Call
	messages []*hooksv1.Lease
}

func (w *withDeletedLeases) fill(call *Call, messages []*hooksv1.Lease) {
	w.call, w.messages = call, messages
}

// DeletedLeases has the leases that the client no longer has.
func (w *withDeletedLeases) DeletedLeases() []*Lease {
	return leasesOf(w.call, "deleted-leases", w.messages)
}

func leasesOf(call *Call, path string, messages []*hooksv1.Lease) []*Lease {
	leases := make([]*Lease, len(messages))
	for i, message := range messages {
		leases[i] = &Lease{call: call, message: message, fixed: path}
	}
	return leases
}
