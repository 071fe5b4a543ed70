//! Which calls are those of one packet, so that each gets the context of the one before it.
//!
//! A recording says so nowhere: the label is that of client and transaction, and a client that sends again has the same
//! label. A call belongs to an earlier call of the same server and label when its context is the one that the service
//! left then, and when a packet can come from that hook point to this one.

use bytes::Bytes;
use outrigger_proto::{HookPoint, MAX_CONTEXT};
use std::collections::HashMap;
use tokio::sync::oneshot;

/// Labels that are remembered.
const MAX_LABELS: usize = 16 * 1024;
/// Longest label that a server makes, with room.
const MAX_LABEL: usize = 1024;
/// Packets of one label that may be under way.
const MAX_PACKETS: usize = 4;
/// A packet of which nothing was heard this long is over, when labels have to be forgotten.
const FORGOTTEN_US: u64 = 60_000_000;
/// Where the hook point alone does not tell, a pause this long does: clients wait longer before they send again.
const PAUSE_US: u64 = 1_000_000;

/// A call as far as its packet is concerned.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    /// Index of the server.
    pub(super) server: usize,
    pub(super) label: &'a str,
    pub(super) hook_point: i32,
    /// Of the call, and of its final reply.
    pub(super) at_us: u64,
    pub(super) answered_us: u64,
    /// What the service was given, and what it left.
    pub(super) context: &'a Bytes,
    pub(super) context_after: &'a Bytes,
}

/// How far a packet has come: hook points in the order in which a packet meets them.
fn stage(hook_point: i32) -> Option<u8> {
    let name = HookPoint::try_from(hook_point).ok()?.spec().name;
    Some(match name {
        "buffer4_receive" | "buffer6_receive" => 0,
        "pkt4_receive" | "pkt6_receive" => 1,
        "subnet4_select" | "subnet6_select" => 2,
        "host4_identifier" | "host6_identifier" => 3,
        // Once for each lease, and again where another one has to be tried.
        "ddns4_update" | "ddns6_update" => LEASES,
        "lease4_offer" | "leases4_committed" | "leases6_committed" => 5,
        "pkt4_send" | "pkt6_send" => 6,
        "buffer4_send" | "buffer6_send" => 7,
        name if name.ends_with("_expire") || name.ends_with("_recover") => return None,
        name if name.starts_with("lease") || name == "addr6_register" => LEASES,
        _ => return None,
    })
}

const LEASES: u8 = 4;

/// The latest call of a packet.
#[derive(Debug)]
struct Tail {
    stage: u8,
    answered_us: u64,
    context_after: Bytes,
    /// What the service of today leaves.
    context_now: oneshot::Receiver<Bytes>,
}

impl Tail {
    fn goes_on_with(&self, stage: u8, seen: &Seen<'_>) -> bool {
        let is_in_order = match stage.cmp(&self.stage) {
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Equal if stage == LEASES => {
                seen.at_us.saturating_sub(self.answered_us) < PAUSE_US
            }
            std::cmp::Ordering::Equal | std::cmp::Ordering::Less => false,
        };
        is_in_order && self.context_after == *seen.context
    }
}

/// Where a call gets its context from, and where it leaves it.
#[derive(Debug)]
pub(super) struct Link {
    /// The call before it; nothing where the recording has none.
    pub(super) before: Option<oneshot::Receiver<Bytes>>,
    /// For the call after it; nothing where there cannot be one.
    pub(super) after: Option<oneshot::Sender<Bytes>>,
}

/// The packets that are under way.
#[derive(Debug, Default)]
pub(super) struct Packets(HashMap<(usize, String), Vec<Tail>>);

impl Packets {
    /// Puts a call behind the others of its packet. Calls come in the order in which they were made.
    pub(super) fn link(&mut self, seen: &Seen<'_>) -> Link {
        let alone = Link {
            before: None,
            after: None,
        };
        let is_usable =
            (1..=MAX_LABEL).contains(&seen.label.len()) && seen.context_after.len() <= MAX_CONTEXT;
        let Some(stage) = stage(seen.hook_point).filter(|_| is_usable) else {
            return alone;
        };
        self.forget(seen.at_us);
        let key = (seen.server, seen.label.to_owned());
        let tails = self.0.entry(key).or_default();
        let found = tails
            .iter()
            .rposition(|tail| tail.goes_on_with(stage, seen));
        let before = found.map(|index| tails.remove(index).context_now);
        if tails.len() == MAX_PACKETS {
            tails.remove(0);
        }
        let (after, context_now) = oneshot::channel();
        tails.push(Tail {
            stage,
            answered_us: seen.answered_us,
            context_after: seen.context_after.clone(),
            context_now,
        });
        Link {
            before,
            after: Some(after),
        }
    }

    fn forget(&mut self, now_us: u64) {
        if self.0.len() < MAX_LABELS {
            return;
        }
        self.0.retain(|_, tails| {
            let latest = tails.iter().map(|tail| tail.answered_us).max();
            latest.is_some_and(|latest| now_us.saturating_sub(latest) < FORGOTTEN_US)
        });
        if self.0.len() >= MAX_LABELS {
            // Contexts of the recording are used where packets are forgotten.
            self.0.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which earlier call each is put behind: (label, hook point, ms, context, context after).
    fn links(calls: &[(&str, HookPoint, u64, &str, &str)]) -> Vec<Option<u8>> {
        let mut packets = Packets::default();
        let mut links: Vec<Option<u8>> = Vec::new();
        for (index, (label, point, at_ms, context, after)) in calls.iter().enumerate() {
            let link = packets.link(&Seen {
                server: 0,
                label,
                hook_point: i32::from(point.number()),
                at_us: at_ms * 1000,
                answered_us: at_ms * 1000 + 500,
                context: &Bytes::copy_from_slice(context.as_bytes()),
                context_after: &Bytes::copy_from_slice(after.as_bytes()),
            });
            let before = link.before.and_then(|mut before| before.try_recv().ok());
            links.push(before.map(|context| context[0]));
            if let Some(after) = link.after {
                after
                    .send(vec![u8::try_from(index).unwrap()].into())
                    .unwrap();
            }
        }
        links
    }

    #[test]
    fn each_call_follows_the_one_before_it_in_its_packet() {
        use HookPoint::{Lease4Select, Leases4Committed, Pkt4Receive, Pkt4Send};
        let calls = [
            ("a", Pkt4Receive, 0, "", "x"),
            ("b", Pkt4Receive, 0, "", "x"),
            ("a", Lease4Select, 1, "x", "x"),
            ("a", Lease4Select, 1, "x", "y"),
            ("b", Pkt4Send, 2, "x", "x"),
            ("a", Leases4Committed, 2, "y", "y"),
        ];
        let expected = [None, None, Some(0), Some(2), Some(1), Some(3)];
        assert_eq!(links(&calls), expected);
    }

    #[test]
    fn a_packet_that_is_sent_again_is_another_one() {
        use HookPoint::{Lease6Renew, Pkt6Receive, Pkt6Send};
        let same_point = [
            ("a", Pkt6Receive, 0, "", ""),
            ("a", Pkt6Send, 1, "", ""),
            ("a", Pkt6Receive, 2, "", ""),
            ("a", Pkt6Send, 3, "", ""),
        ];
        assert_eq!(links(&same_point), [None, Some(0), None, Some(2)]);
        let after_a_pause = [
            ("a", Lease6Renew, 0, "", ""),
            ("a", Lease6Renew, 1, "", ""),
            ("a", Lease6Renew, 2000, "", ""),
        ];
        assert_eq!(links(&after_a_pause), [None, Some(0), None]);
    }

    #[test]
    fn packets_of_one_label_that_overlap_are_told_apart_by_their_context() {
        use HookPoint::{Pkt4Receive, Pkt4Send};
        let calls = [
            ("a", Pkt4Receive, 0, "", "first"),
            ("a", Pkt4Receive, 1, "", "second"),
            ("a", Pkt4Send, 2, "first", "first"),
            ("a", Pkt4Send, 3, "second", "second"),
            ("a", Pkt4Send, 4, "third", "third"),
        ];
        assert_eq!(links(&calls), [None, None, Some(0), Some(1), None]);
    }

    #[test]
    fn without_a_label_or_a_packet_a_call_is_alone() {
        use HookPoint::{Lease4Expire, Pkt4Receive, Pkt4Send};
        let long = "x".repeat(MAX_LABEL + 1);
        let calls = [
            ("", Pkt4Receive, 0, "", ""),
            ("", Pkt4Send, 1, "", ""),
            ("a", Lease4Expire, 1, "", ""),
            ("a", Lease4Expire, 1, "", ""),
            (&long, Pkt4Receive, 0, "", ""),
            (&long, Pkt4Send, 1, "", ""),
        ];
        assert_eq!(links(&calls), [None; 6]);
    }

    #[test]
    fn labels_without_end_are_forgotten() {
        let mut packets = Packets::default();
        for number in 0..(2 * MAX_LABELS) {
            let _ = packets.link(&Seen {
                server: 0,
                label: &number.to_string(),
                hook_point: i32::from(HookPoint::Pkt4Receive.number()),
                at_us: 0,
                answered_us: 0,
                context: &Bytes::new(),
                context_after: &Bytes::new(),
            });
            assert!(packets.0.len() <= MAX_LABELS);
        }
    }
}
