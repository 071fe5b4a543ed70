//! The table of hook points.
//!
//! Enum, reply checks, generated documentation, constants of the SDKs and metric labels come from here. The numbers are
//! those of `outrigger.hooks.v1.HookPoint` and never change. Kea's effects are followed; where its documentation and
//! its code disagree, the text here says what happens.

use crate::next_step::NextStep;
use std::fmt;
use std::str::FromStr;

/// DHCP family of a hook point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// DHCPv4.
    V4,
    /// DHCPv6.
    V6,
}

/// What a failed call does where the configuration does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OnFailure {
    /// As if the callout had answered CONTINUE without changes.
    Continue,
    /// The packet gets no answer.
    Drop,
}

/// Everything that is known of a hook point.
#[derive(Debug)]
pub struct Spec {
    /// Which.
    pub hook_point: HookPoint,
    /// As in Kea: `subnet6_select`.
    pub name: &'static str,
    /// Whose; `None`: both families have it.
    pub family: Option<Family>,
    /// When it fires, one paragraph.
    pub fires: &'static str,
    /// Arguments that a service may ask for, as paths.
    pub reads: &'static [&'static str],
    /// What a reply may change, as paths.
    pub changes: &'static [&'static str],
    /// Next steps beside CONTINUE that have an effect, with that effect. Any other counts as CONTINUE.
    pub next: &'static [(NextStep, &'static str)],
    /// What a failed call does where nothing is configured.
    pub on_failure: OnFailure,
    /// Whether `on-failure: drop` has an effect: there is a packet that can stay without an answer.
    pub can_drop: bool,
}

const V4: Option<Family> = Some(Family::V4);
const V6: Option<Family> = Some(Family::V6);
const BOTH: Option<Family> = None;

macro_rules! hook_points {
    ($(
        $(#[doc = $doc:literal])+
        $variant:ident = $number:literal, $name:literal, $family:ident {
            reads: [$($read:literal),*],
            changes: [$($change:literal),*],
            next: [$($step:ident($effect:literal)),*],
            on_failure: $on_failure:ident, can_drop: $can_drop:literal,
        }
    )+) => {
        /// A named place in the server where callouts run.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum HookPoint {
            $($(#[doc = $doc])+ $variant = $number,)+
        }

        impl HookPoint {
            /// Every hook point, in ascending number.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// What the table says of it.
            #[must_use]
            pub fn spec(self) -> &'static Spec {
                match self {
                    $(Self::$variant => {
                        const SPEC: Spec = Spec {
                            hook_point: HookPoint::$variant,
                            name: $name,
                            family: $family,
                            fires: concat!($($doc,)+),
                            reads: &[$($read,)*],
                            changes: &[$($change,)*],
                            next: &[$((NextStep::$step, $effect),)*],
                            on_failure: OnFailure::$on_failure,
                            can_drop: $can_drop,
                        };
                        &SPEC
                    })+
                }
            }
        }
    };
}

hook_points! {
    /// A datagram has arrived and is not parsed yet.
    Buffer4Receive = 1, "buffer4_receive", V4 {
        reads: ["query.wire", "query.link"],
        changes: ["query.wire", "query.parsed", "query.classes"],
        next: [
            Skip("the server does not parse: the reply brings the parsed packet, without which it is dropped"),
            Drop("the packet is dropped")
        ],
        on_failure: Continue, can_drop: true,
    }
    /// The packet is parsed and addressed to this server; classes by test are known. The class DROP is checked after it.
    Pkt4Receive = 2, "pkt4_receive", V4 {
        reads: ["query"],
        changes: ["query.options", "query.header", "query.hw-address", "query.classes"],
        next: [Skip("the packet is dropped"), Drop("the packet is dropped")],
        on_failure: Continue, can_drop: true,
    }
    /// The server has selected a subnet, or none, for a DISCOVER, REQUEST or INFORM.
    Subnet4Select = 3, "subnet4_select", V4 {
        reads: ["query", "subnet", "subnets"],
        changes: ["subnet", "query.classes"],
        next: [
            Skip("the client has no subnet"), Drop("the packet is dropped"),
            Park("the packet is held; its subnet is taken from the final reply")
        ],
        on_failure: Continue, can_drop: true,
    }
    /// Identifiers for host reservations are collected and `flex-id` is among those to look up.
    Host4Identifier = 4, "host4_identifier", V4 {
        reads: ["query", "identifier-type"],
        changes: ["identifier", "query.classes"],
        next: [
            Skip("the identifier is not used"), Drop("the identifier is not used"),
            Park("the identifier is not used")
        ],
        on_failure: Continue, can_drop: true,
    }
    /// The client's name and the directions of DNS updates are decided, before a lease is.
    Ddns4Update = 5, "ddns4_update", V4 {
        reads: ["query", "response", "subnet", "names", "ddns-parameters"],
        changes: ["names", "response.options", "response.header", "query.classes"],
        next: [],
        on_failure: Continue, can_drop: true,
    }
    /// An address that the client does not hold yet is about to be offered or leased.
    Lease4Select = 6, "lease4_select", V4 {
        reads: ["query", "subnet", "fake-allocation", "offer-lifetime", "lease"],
        changes: ["lease.address", "lease.lifetimes", "lease.names", "lease.user-context", "query.classes"],
        next: [Skip("the candidate is given up; the next one is tried")],
        on_failure: Continue, can_drop: true,
    }
    /// The client gets a lease that it already holds, for a REQUEST or a DISCOVER.
    Lease4Renew = 7, "lease4_renew", V4 {
        reads: ["query", "subnet", "lease"],
        changes: ["lease.lifetimes", "lease.names", "lease.user-context", "query.classes"],
        next: [Skip("the lease is not extended; the reply tells what is left of it")],
        on_failure: Continue, can_drop: true,
    }
    /// The client gives back a lease that it holds.
    Lease4Release = 8, "lease4_release", V4 {
        reads: ["query", "lease"],
        changes: ["query.classes"],
        next: [Skip("the lease stays"), Drop("the lease stays")],
        on_failure: Continue, can_drop: true,
    }
    /// The client found its address in use by somebody else.
    Lease4Decline = 9, "lease4_decline", V4 {
        reads: ["query", "lease"],
        changes: ["query.classes"],
        next: [Skip("the lease stays as it is"), Drop("the lease stays as it is")],
        on_failure: Continue, can_drop: true,
    }
    /// An OFFER is complete.
    Lease4Offer = 10, "lease4_offer", V4 {
        reads: ["query", "response", "leases", "offer-lifetime", "old-lease", "host"],
        changes: ["response.options", "response.header", "response.link", "query.classes", "offer-address-in-use"],
        next: [Drop("the offer is not sent"), Park("the offer is held; the final reply may report the address in use")],
        on_failure: Continue, can_drop: true,
    }
    /// A held offer turned out to be in use; the address is declined.
    Lease4ServerDecline = 11, "lease4_server_decline", V4 {
        reads: ["query", "lease"],
        changes: [],
        next: [],
        on_failure: Continue, can_drop: false,
    }
    /// The database is changed and the reply, if there is one, is complete. For REQUEST, RELEASE and DECLINE.
    Leases4Committed = 12, "leases4_committed", V4 {
        reads: ["query", "response", "leases", "deleted-leases"],
        changes: ["response.options", "response.header", "response.link", "query.classes"],
        next: [Drop("the reply is not sent; the leases stay changed"), Park("the reply is held")],
        on_failure: Continue, can_drop: true,
    }
    /// A reply is complete and not packed yet.
    Pkt4Send = 13, "pkt4_send", V4 {
        reads: ["query", "response", "subnet"],
        changes: ["response.options", "response.header", "response.link", "response.wire", "query.classes"],
        next: [
            Skip("the server does not pack the reply; the changed bytes are sent"),
            Drop("the reply is not sent")
        ],
        on_failure: Continue, can_drop: true,
    }
    /// A reply is packed.
    Buffer4Send = 14, "buffer4_send", V4 {
        reads: ["response.wire", "response.link"],
        changes: ["response.link", "response.wire"],
        next: [Skip("the reply is not sent"), Drop("the reply is not sent")],
        on_failure: Continue, can_drop: true,
    }
    /// A lease has expired: in a reclamation pass, or because a packet takes it over.
    Lease4Expire = 15, "lease4_expire", V4 {
        reads: ["lease", "remove-lease"],
        changes: ["lease.names", "lease.user-context"],
        next: [Skip("the server does not reclaim it now and presents it again")],
        on_failure: Continue, can_drop: false,
    }
    /// An expired lease was declined: its address comes back into use.
    Lease4Recover = 16, "lease4_recover", V4 {
        reads: ["lease"],
        changes: [],
        next: [Skip("the lease stays declined")],
        on_failure: Continue, can_drop: false,
    }
    /// A configuration is complete: at the start, and whenever another one is about to replace it.
    Dhcp4SrvConfigured = 17, "dhcp4_srv_configured", V4 {
        reads: ["configuration"],
        changes: ["error"],
        next: [Drop("the configuration is refused with the error; the one before stays, at the start the server ends")],
        on_failure: Continue, can_drop: true,
    }
    /// The running configuration was changed through the server's API or a control command.
    Cb4Updated = 18, "cb4_updated", V4 {
        reads: ["audit-entries"],
        changes: [],
        next: [],
        on_failure: Continue, can_drop: false,
    }
    /// A datagram has arrived and is not parsed yet, relay layers neither.
    Buffer6Receive = 33, "buffer6_receive", V6 {
        reads: ["query.wire", "query.link"],
        changes: ["query.wire", "query.parsed", "query.classes"],
        next: [
            Skip("the server does not parse: the reply brings the parsed packet, without which it is dropped"),
            Drop("the packet is dropped")
        ],
        on_failure: Continue, can_drop: true,
    }
    /// The packet is parsed and addressed to this server. Client and server identifier and the class DROP are checked
    /// after it.
    Pkt6Receive = 34, "pkt6_receive", V6 {
        reads: ["query"],
        changes: ["query.options", "query.header", "query.relays", "query.classes"],
        next: [Skip("the packet is dropped"), Drop("the packet is dropped")],
        on_failure: Continue, can_drop: true,
    }
    /// The server has selected a subnet, or none, for a message of any type.
    Subnet6Select = 35, "subnet6_select", V6 {
        reads: ["query", "subnet", "subnets"],
        changes: ["subnet", "query.classes"],
        next: [
            Skip("the client has no subnet"), Drop("the packet is dropped"),
            Park("the packet is held; its subnet is taken from the final reply")
        ],
        on_failure: Continue, can_drop: true,
    }
    /// Identifiers for host reservations are collected and `flex-id` is among those to look up.
    Host6Identifier = 36, "host6_identifier", V6 {
        reads: ["query", "identifier-type"],
        changes: ["identifier", "query.classes"],
        next: [
            Skip("the identifier is not used"), Drop("the identifier is not used"),
            Park("the identifier is not used")
        ],
        on_failure: Continue, can_drop: true,
    }
    /// The client's name and the directions of DNS updates are decided, before a lease is.
    Ddns6Update = 37, "ddns6_update", V6 {
        reads: ["query", "response", "subnet", "names", "ddns-parameters"],
        changes: ["names", "response.options", "response.relays", "query.classes"],
        next: [],
        on_failure: Continue, can_drop: true,
    }
    /// An address or prefix that the client does not hold yet is about to be advertised or leased.
    Lease6Select = 38, "lease6_select", V6 {
        reads: ["query", "subnet", "fake-allocation", "lease"],
        changes: ["lease.address", "lease.lifetimes", "lease.names", "lease.user-context", "query.classes"],
        next: [Skip("the candidate is given up; the next one is tried")],
        on_failure: Continue, can_drop: true,
    }
    /// A RENEW extends a lease. Once per lease.
    Lease6Renew = 39, "lease6_renew", V6 {
        reads: ["query", "lease"],
        changes: ["lease.lifetimes", "lease.names", "lease.user-context", "ia.options", "query.classes"],
        next: [Skip("the lease is not extended; the reply tells what is left of it")],
        on_failure: Continue, can_drop: true,
    }
    /// A REBIND extends a lease. Once per lease.
    Lease6Rebind = 40, "lease6_rebind", V6 {
        reads: ["query", "lease"],
        changes: ["lease.lifetimes", "lease.names", "lease.user-context", "ia.options", "query.classes"],
        next: [Skip("the lease is not extended; the reply tells what is left of it")],
        on_failure: Continue, can_drop: true,
    }
    /// The client gives back a lease that it holds. Once per lease.
    Lease6Release = 41, "lease6_release", V6 {
        reads: ["query", "lease"],
        changes: ["query.classes"],
        next: [
            Skip("the lease stays; the client is told UnspecFail"),
            Drop("the lease stays; the client is told UnspecFail")
        ],
        on_failure: Continue, can_drop: true,
    }
    /// The client found its address in use by somebody else. Once per address.
    Lease6Decline = 42, "lease6_decline", V6 {
        reads: ["query", "lease"],
        changes: ["query.classes"],
        next: [
            Skip("the lease stays as it is; the IA has no status"),
            Drop("no reply; addresses declined before in this message stay declined")
        ],
        on_failure: Continue, can_drop: true,
    }
    /// A client registers an address that it made itself (RFC 9686).
    Addr6Register = 43, "addr6_register", V6 {
        reads: ["query", "response", "address", "old-lease", "new-lease"],
        changes: [
            "response.options", "response.relays", "response.link", "lease.lifetimes", "lease.names", "lease.user-context",
            "query.classes"
        ],
        next: [Skip("nothing is registered; the reply is sent"), Drop("nothing is registered and no reply is sent")],
        on_failure: Continue, can_drop: true,
    }
    /// The database is changed and the reply is complete. Not for ADVERTISE, CONFIRM and INFORMATION-REQUEST.
    Leases6Committed = 44, "leases6_committed", V6 {
        reads: ["query", "response", "leases", "deleted-leases"],
        changes: ["response.options", "response.relays", "response.link", "query.classes"],
        next: [Drop("the reply is not sent; the leases stay changed"), Park("the reply is held")],
        on_failure: Continue, can_drop: true,
    }
    /// A reply is complete and not packed yet.
    Pkt6Send = 45, "pkt6_send", V6 {
        reads: ["query", "response", "subnet"],
        changes: ["response.options", "response.relays", "response.link", "response.wire", "query.classes"],
        next: [
            Skip("the server does not pack the reply; the changed bytes are sent"),
            Drop("the reply is not sent")
        ],
        on_failure: Continue, can_drop: true,
    }
    /// A reply is packed, relay layers around it.
    Buffer6Send = 46, "buffer6_send", V6 {
        reads: ["response.wire", "response.link"],
        changes: ["response.link", "response.wire"],
        next: [Skip("the reply is not sent"), Drop("the reply is not sent")],
        on_failure: Continue, can_drop: true,
    }
    /// A lease has expired: in a reclamation pass, or because a packet takes it over.
    Lease6Expire = 47, "lease6_expire", V6 {
        reads: ["lease", "remove-lease"],
        changes: ["lease.names", "lease.user-context"],
        next: [Skip("the server does not reclaim it now and presents it again")],
        on_failure: Continue, can_drop: false,
    }
    /// An expired lease was declined: its address comes back into use.
    Lease6Recover = 48, "lease6_recover", V6 {
        reads: ["lease"],
        changes: [],
        next: [Skip("the lease stays declined")],
        on_failure: Continue, can_drop: false,
    }
    /// A configuration is complete: at the start, and whenever another one is about to replace it.
    Dhcp6SrvConfigured = 49, "dhcp6_srv_configured", V6 {
        reads: ["configuration"],
        changes: ["error"],
        next: [Drop("the configuration is refused with the error; the one before stays, at the start the server ends")],
        on_failure: Continue, can_drop: true,
    }
    /// The running configuration was changed through the server's API or a control command.
    Cb6Updated = 50, "cb6_updated", V6 {
        reads: ["audit-entries"],
        changes: [],
        next: [],
        on_failure: Continue, can_drop: false,
    }
    /// A control command was handled, by the server or by a service; failed and unknown ones too.
    CommandProcessed = 64, "command_processed", BOTH {
        reads: ["name", "arguments", "response"],
        changes: ["command-response"],
        next: [],
        on_failure: Continue, can_drop: false,
    }
    /// A control command that the service offers. Services that offer the same one are called in order; each may replace
    /// the answer. It is called instead of the server's own command of that name.
    Command = 65, "$command", BOTH {
        reads: ["command", "response"],
        changes: ["command-response"],
        next: [],
        on_failure: Continue, can_drop: false,
    }
}

impl HookPoint {
    /// One more than the largest number: the size of an array indexed by [`Self::number`].
    pub const COUNT: usize = 66;

    /// As on the wire.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }

    /// As in Kea: `subnet6_select`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// Whether a server of `family` has it.
    #[must_use]
    pub fn is_of(self, family: Family) -> bool {
        self.spec().family.is_none_or(|own| own == family)
    }

    /// Whether PARK holds the packet here until a final reply comes.
    #[must_use]
    pub fn can_park(self) -> bool {
        matches!(
            self,
            Self::Subnet4Select
                | Self::Lease4Offer
                | Self::Leases4Committed
                | Self::Subnet6Select
                | Self::Leases6Committed
        )
    }

    /// The effect that `step` has here: `step` itself where the table lists it, else CONTINUE.
    #[must_use]
    pub fn effective(self, step: NextStep) -> NextStep {
        let listed = self.spec().next.iter().any(|(known, _)| *known == step);
        if listed { step } else { NextStep::Continue }
    }
}

impl fmt::Display for HookPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for HookPoint {
    type Err = UnknownHookPoint;

    fn from_str(name: &str) -> Result<Self, UnknownHookPoint> {
        Self::ALL
            .iter()
            .copied()
            .find(|point| point.name() == name)
            .ok_or_else(|| UnknownHookPoint(name.to_owned()))
    }
}

impl TryFrom<i32> for HookPoint {
    type Error = i32;

    /// From the number on the wire.
    fn try_from(number: i32) -> Result<Self, i32> {
        Self::ALL
            .iter()
            .copied()
            .find(|point| i32::from(point.number()) == number)
            .ok_or(number)
    }
}

/// There is no hook point of this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownHookPoint(pub String);

impl fmt::Display for UnknownHookPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no hook point \"{}\"", self.0)
    }
}

impl std::error::Error for UnknownHookPoint {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1;

    #[test]
    fn the_table_and_the_protocol_name_the_same_hook_points() {
        for point in HookPoint::ALL {
            let wire = v1::HookPoint::try_from(i32::from(point.number()))
                .expect("every row has a number in the proto");
            let name = point.name().trim_start_matches('$').to_uppercase();
            assert_eq!(wire.as_str_name(), format!("HOOK_POINT_{name}"));
            assert_eq!(point.name().parse(), Ok(*point));
        }
        let in_protocol = (1..1000)
            .filter(|number| v1::HookPoint::try_from(*number).is_ok())
            .count();
        assert_eq!(in_protocol, HookPoint::ALL.len());
        assert_eq!(HookPoint::ALL.len(), 38);
        let largest = HookPoint::ALL
            .iter()
            .map(|point| usize::from(point.number()))
            .max();
        assert_eq!(largest.map(|number| number + 1), Some(HookPoint::COUNT));
    }

    #[test]
    fn a_next_step_that_is_not_listed_counts_as_continue() {
        assert_eq!(
            HookPoint::Lease6Select.effective(NextStep::Drop),
            NextStep::Continue
        );
        assert_eq!(
            HookPoint::Lease6Select.effective(NextStep::Skip),
            NextStep::Skip
        );
        assert_eq!(
            HookPoint::Pkt6Send.effective(NextStep::Park),
            NextStep::Continue
        );
    }

    #[test]
    fn twins_differ_only_where_the_families_do() {
        for point in HookPoint::ALL
            .iter()
            .filter(|point| point.spec().family == Some(Family::V4))
        {
            let Ok(twin) = point.name().replace('4', "6").parse::<HookPoint>() else {
                assert!(
                    matches!(
                        point,
                        HookPoint::Lease4Offer | HookPoint::Lease4ServerDecline
                    ),
                    "{point}"
                );
                continue;
            };
            assert_eq!(point.spec().can_drop, twin.spec().can_drop, "{point}");
            assert_eq!(point.spec().on_failure, twin.spec().on_failure, "{point}");
        }
    }
}
