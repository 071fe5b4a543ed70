//! Packets that get no answer. Each has one reason, counted once.

use crate::telemetry::Traffic;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! discard_reasons {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// Why a packet gets no answer.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum DiscardReason {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl DiscardReason {
            /// Every reason, in the order a packet meets them.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// As in logs and metrics.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// What it means, for people.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($doc,)+),)+
                }
            }
        }
    };
}

discard_reasons! {
    /// More packets than can be served: this one had waited longest or mattered least.
    Overload = "overload",
    /// It had waited longer than its client waits for an answer.
    TooOld = "too-old",
    /// A hook service has disabled the service.
    ServiceDisabled = "service-disabled",
    /// The datagram is longer than the largest that is received.
    Oversized = "oversized",
    /// The datagram is no DHCP packet of a client.
    Malformed = "malformed",
    /// It names another server, or none of the messages a server answers.
    NotForUs = "not-for-us",
    /// It breaks a MUST of the standard for messages of its type.
    RfcViolation = "rfc-violation",
    /// The same packet of the client is being served already.
    Duplicate = "duplicate",
    /// A newer packet of the client took its place in the queue.
    Replaced = "replaced",
    /// A callout answered SKIP or DROP.
    HookDecision = "hook-decision",
    /// A callout failed, and its policy is to drop.
    HookFailure = "hook-failure",
    /// As many packets as may wait for the final reply of a callout do so already.
    ParkingFull = "parking-full",
    /// The packet is a member of the class DROP.
    DropClass = "drop-class",
    /// The packet is a member of the class REJECT, and the standard has no negative answer to it.
    RejectClass = "reject-class",
    /// No subnet, and the standard asks for silence.
    NoSubnet = "no-subnet",
    /// The client asks for a lease of which this server knows nothing.
    UnknownLease = "unknown-lease",
    /// The address to register (RFC 9686) is leased, reserved for another client, or not of the client's link.
    Unregistrable = "unregistrable",
    /// No address is left to offer.
    NoneLeft = "none-left",
    /// A callout found the offered address in use.
    AddressInUse = "address-in-use",
    /// Other packets were faster at every address that was tried.
    LostEveryRace = "lost-every-race",
    /// The lease store takes no change now.
    StoreBusy = "store-busy",
    /// The lease could not be made durable.
    NotDurable = "not-durable",
    /// The reply does not fit into a datagram.
    ReplyTooLong = "reply-too-long",
    /// The reply could not be sent.
    NotSent = "not-sent",
    /// The server is stopping.
    Stopping = "stopping",
    /// Serving it failed by a defect of the server.
    Defect = "defect",
}

impl fmt::Display for DiscardReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A packet that gets no answer: normal, not an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Discard {
    /// Why.
    pub reason: DiscardReason,
}

impl Discard {
    /// With this reason.
    #[must_use]
    pub const fn because(reason: DiscardReason) -> Self {
        Self { reason }
    }
}

/// How many packets of one family got no answer, by reason; and of how many.
#[derive(Debug)]
pub struct Discards {
    counts: Vec<AtomicU64>,
    /// All packets that came, and the answers.
    pub traffic: Traffic,
}

impl Default for Discards {
    fn default() -> Self {
        Self {
            counts: DiscardReason::ALL
                .iter()
                .map(|_| AtomicU64::new(0))
                .collect(),
            traffic: Traffic::default(),
        }
    }
}

impl Discards {
    /// Counts one.
    pub fn count(&self, discard: Discard) {
        self.count_many(discard, 1);
    }

    /// Counts `packets` of one reason.
    pub fn count_many(&self, discard: Discard, packets: u64) {
        if let Some(count) = self.counts.get(discard.reason as usize) {
            count.fetch_add(packets, Ordering::Relaxed);
        }
    }

    /// How many there were for this reason.
    #[must_use]
    pub fn of(&self, reason: DiscardReason) -> u64 {
        self.counts
            .get(reason as usize)
            .map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// Every reason with a count that is not 0.
    pub fn iter(&self) -> impl Iterator<Item = (DiscardReason, u64)> {
        DiscardReason::ALL
            .iter()
            .map(|reason| (*reason, self.of(*reason)))
            .filter(|(_, count)| *count > 0)
    }
}
