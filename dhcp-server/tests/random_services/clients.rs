//! Clients that do at random what clients do.

use super::bound::Lease;
use crate::common::{RELAY4, SERVER4, at4, at6};
use outrigger_testkit::client4::message as message4;
use outrigger_testkit::client6::message as message6;
use outrigger_testkit::{Client4, Client6, Ia, Relay4, Relay6, Reply4Seen, Reply6Seen};
use outrigger_wire::{Link, Outgoing};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Instant;

/// What a client does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Move {
    /// DISCOVER, SOLICIT.
    Begin,
    /// REQUEST of what was offered, where something was.
    Take,
    /// The following where it has a lease.
    Renew,
    Rebind,
    Release,
    Decline,
    /// INFORM, INFORMATION-REQUEST.
    Inform,
}

impl Move {
    /// Whether it may change the client's leases.
    pub(super) fn changes(self) -> bool {
        !matches!(self, Self::Begin | Self::Inform)
    }
}

pub(super) fn moves() -> impl Strategy<Value = Move> {
    prop_oneof![
        12 => Just(Move::Begin),
        18 => Just(Move::Take),
        9 => Just(Move::Renew),
        3 => Just(Move::Rebind),
        1 => Just(Move::Release),
        1 => Just(Move::Decline),
        3 => Just(Move::Inform),
    ]
}

/// What tells the answer to one packet: transaction, and whether it is of a kind that only offers.
pub(super) type Key = (u32, bool);

/// A packet to send.
pub(super) struct Packet {
    pub(super) bytes: Vec<u8>,
    pub(super) key: Key,
    pub(super) wants_answer: bool,
    /// It may change the client's leases. Until the answer the client counts as holding none: what it asks for may end the
    /// lease that it had, and somebody else may hear of that address first.
    pub(super) changes: bool,
}

/// What an answer tells a client.
#[derive(Debug)]
pub(super) enum Told {
    Leased(Lease),
    Refused,
    Nothing,
}

/// A client of either family.
pub(super) trait Device {
    fn new(number: u8) -> Self;
    fn link() -> Link;
    fn send(&mut self, step: Move) -> Option<Packet>;
    /// `None` for what is no message, as services may make it.
    fn key_of(answer: &Outgoing) -> Option<Key>;
    fn is_for_it(&self, answer: &Outgoing) -> bool;
    fn hear(&mut self, answer: &Outgoing) -> Told;
}

fn packet(bytes: Vec<u8>, xid: u32, step: Move) -> Packet {
    Packet {
        bytes,
        key: (xid, step == Move::Begin),
        wants_answer: true,
        changes: step.changes(),
    }
}

pub(super) struct Device4 {
    client: Client4,
    offer: Option<Reply4Seen>,
    lease: Option<Reply4Seen>,
    asked: BTreeMap<u32, Instant>,
}

impl Device for Device4 {
    fn new(number: u8) -> Self {
        let mut client = Client4::new([2, 0, 0, 0, 1, number]);
        client.relay = Some(Relay4 {
            giaddr: RELAY4,
            relay_info: Vec::new(),
        });
        Self {
            client,
            offer: None,
            lease: None,
            asked: BTreeMap::new(),
        }
    }

    fn link() -> Link {
        at4(SERVER4, RELAY4, 67)
    }

    fn send(&mut self, step: Move) -> Option<Packet> {
        let client = &mut self.client;
        let bytes = match step {
            Move::Begin => client.discover(),
            Move::Take => client.request_selecting(&self.offer.take()?),
            Move::Renew => client.request_renewing(self.lease.as_ref()?.yiaddr),
            Move::Rebind => client.request_rebinding(self.lease.as_ref()?.yiaddr),
            Move::Release => client.release(&self.lease.take()?),
            Move::Decline => client.decline(&self.lease.take()?),
            Move::Inform => client.inform(self.lease.as_ref()?.yiaddr),
        };
        self.asked.insert(client.xid(), Instant::now());
        let packet = packet(bytes, client.xid(), step);
        Some(Packet {
            // RFC 2131: nothing answers DHCPRELEASE and DHCPDECLINE.
            wants_answer: !matches!(step, Move::Release | Move::Decline),
            ..packet
        })
    }

    fn key_of(answer: &Outgoing) -> Option<Key> {
        let reply = Reply4Seen::parse(&answer.bytes).ok()?;
        Some((reply.xid, reply.message_type == message4::OFFER))
    }

    fn is_for_it(&self, answer: &Outgoing) -> bool {
        let reply = Reply4Seen::parse(&answer.bytes);
        reply.is_ok_and(|reply| reply.hw_address == self.client.hw_address)
    }

    fn hear(&mut self, answer: &Outgoing) -> Told {
        const LEASE_TIME: u8 = 51;
        let reply = Reply4Seen::parse(&answer.bytes).unwrap();
        match (reply.message_type, reply.number(LEASE_TIME)) {
            (message4::OFFER, _) => self.offer = Some(reply),
            (message4::ACK, Some(valid)) if !reply.yiaddr.is_unspecified() => {
                let address = reply.yiaddr.into();
                let asked = self.asked[&reply.xid];
                self.lease = Some(reply);
                return Told::Leased(Lease {
                    address,
                    valid,
                    asked,
                });
            }
            (message4::NAK, _) => {
                self.lease = None;
                return Told::Refused;
            }
            _ => {}
        }
        Told::Nothing
    }
}

pub(super) struct Device6 {
    client: Client6,
    advertise: Option<Reply6Seen>,
    lease: Option<Reply6Seen>,
    asked: BTreeMap<u32, (Move, Instant)>,
}

impl Device for Device6 {
    fn new(number: u8) -> Self {
        let duid = Client6::duid_ll([2, 0, 0, 0, 1, number]);
        let mut client = Client6::new(duid, vec![Ia::na(1)]);
        let relay = Relay6::new("2001:db8::1".parse().unwrap(), "fe80::7".parse().unwrap());
        client.relays = vec![relay];
        Self {
            client,
            advertise: None,
            lease: None,
            asked: BTreeMap::new(),
        }
    }

    fn link() -> Link {
        at6("2001:db8::1", "2001:db8::1")
    }

    fn send(&mut self, step: Move) -> Option<Packet> {
        let client = &mut self.client;
        let bytes = match step {
            Move::Begin => client.solicit(),
            Move::Take => client.request(&self.advertise.take()?),
            Move::Renew => client.renew(self.lease.as_ref()?),
            Move::Rebind => client.rebind(self.lease.as_ref()?),
            Move::Release => client.release(&self.lease.take()?),
            Move::Decline => client.decline(&self.lease.take()?),
            Move::Inform => client.information_request(),
        };
        self.asked.insert(client.xid(), (step, Instant::now()));
        Some(packet(bytes, client.xid(), step))
    }

    fn key_of(answer: &Outgoing) -> Option<Key> {
        let reply = Reply6Seen::parse(&answer.bytes).ok()?;
        Some((reply.xid, reply.message_type == message6::ADVERTISE))
    }

    fn is_for_it(&self, answer: &Outgoing) -> bool {
        let reply = Reply6Seen::parse(&answer.bytes);
        reply.is_ok_and(|reply| reply.client_id() == Some(&self.client.duid))
    }

    fn hear(&mut self, answer: &Outgoing) -> Told {
        let reply = Reply6Seen::parse(&answer.bytes).unwrap();
        let mut addresses = reply.addresses();
        let seen = addresses.find(|seen| seen.valid > 0);
        let seen = seen.map(|seen| (seen.address.into(), seen.valid));
        drop(addresses);
        let (step, asked) = self.asked[&reply.xid];
        match (reply.message_type, seen, step) {
            (message6::ADVERTISE, Some(_), _) => self.advertise = Some(reply),
            (message6::REPLY, Some((address, valid)), Move::Take | Move::Renew | Move::Rebind) => {
                self.lease = Some(reply);
                return Told::Leased(Lease {
                    address,
                    valid,
                    asked,
                });
            }
            (message6::REPLY, None, Move::Take | Move::Renew | Move::Rebind) => {
                self.lease = None;
                return Told::Refused;
            }
            _ => {}
        }
        Told::Nothing
    }
}
