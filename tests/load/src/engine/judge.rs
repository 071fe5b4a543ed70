//! What an answer means for its exchange, and what is wrong with it.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::Engine;
use super::flight::{Flight, Slot};
use crate::faults::Fault;
use crate::message::{Ask, Kind, Packets, Reply};

impl<P: Packets> Engine<'_, P> {
    /// Takes one datagram.
    pub(super) fn hear(&mut self, datagram: &[u8], now: Instant) -> anyhow::Result<()> {
        self.last_answer = now;
        let reply = match self.packets.read(datagram) {
            Ok(reply) => reply,
            Err(malformed) => {
                self.faults.add(Fault::Malformed, || malformed.0.to_owned());
                return Ok(());
            }
        };
        let Some(slot) = self.exchange_of(&reply) else {
            return Ok(());
        };
        let server = self.check_envelope(&reply);
        let flight = *self.flights.get(slot);
        match (flight.ask, reply.kind) {
            (Ask::Find, Kind::Offer) => self.offered(slot, &reply, server, now),
            (Ask::Take | Ask::Renew, Kind::Ack) => {
                self.granted(slot, &flight, &reply, server, now)?
            }
            (Ask::Take | Ask::Renew, Kind::Nak) | (_, Kind::Refused) => self.refused(slot, &flight),
            // A second server, or the answer to a retransmission: DHCPv4 has one xid for both halves.
            (Ask::Take, Kind::Offer) => self.tally.late += 1,
            (ask, kind) => {
                let client = flight.client;
                self.faults.add(Fault::WrongType, || {
                    format!("client {client} asked {ask:?}, the answer is {kind:?}")
                });
            }
        }
        Ok(())
    }

    /// The exchange that the answer belongs to; judges the answer when there is none.
    fn exchange_of(&mut self, reply: &Reply<'_>) -> Option<Slot> {
        let xid = reply.xid;
        let Some(client) = reply.client.filter(|client| self.clients.contains(*client)) else {
            self.faults.add(Fault::WrongClient, || {
                format!("an answer with xid {xid:#x} is for a client nobody is")
            });
            return None;
        };
        let slot = self.clients.get(client).slot;
        if let Some(slot) = slot.filter(|slot| self.flights.get(*slot).xid == xid) {
            return Some(slot);
        }
        if self.clients.used_lately(client, xid) {
            self.tally.late += 1;
        } else if self.flights.any_with(xid) {
            self.faults.add(Fault::WrongClient, || {
                format!("xid {xid:#x} of another client came for client {client}")
            });
        } else {
            self.faults.add(Fault::WrongXid, || {
                format!("client {client} never sent xid {xid:#x}")
            });
        }
        None
    }

    /// Checks what every answer carries; returns the number of the server.
    fn check_envelope(&mut self, reply: &Reply<'_>) -> Option<u8> {
        let (kind, xid) = (reply.kind, reply.xid);
        if !reply.relay_echoed {
            self.faults
                .add(Fault::RelayEcho, || format!("{kind:?} with xid {xid:#x}"));
        }
        let Some(id) = reply.server_id else {
            self.faults.add(Fault::MissingServerId, || {
                format!("{kind:?} with xid {xid:#x}")
            });
            return None;
        };
        let number = self.servers.number(id);
        if number.is_none() {
            self.faults.add(Fault::OtherServer, || {
                "more different server identifiers than plausible".to_owned()
            });
        }
        number
    }

    fn offered(&mut self, slot: Slot, reply: &Reply<'_>, server: Option<u8>, now: Instant) {
        let Some(address) = self.address_of(reply) else {
            return;
        };
        let client = self.flights.get(slot).client;
        let xid = if P::XID_PER_HALF {
            self.clients.next_xid(client)
        } else {
            reply.xid
        };
        let flight = self.flights.get_mut(slot);
        self.tally
            .first_half(now.saturating_duration_since(flight.began));
        flight.ask = Ask::Take;
        flight.xid = xid;
        flight.address = Some(address);
        flight.server = server;
        flight.tries = 0;
        self.send(slot, now);
    }

    fn granted(
        &mut self,
        slot: Slot,
        flight: &Flight,
        reply: &Reply<'_>,
        server: Option<u8>,
        now: Instant,
    ) -> anyhow::Result<()> {
        let Some(address) = self.address_of(reply) else {
            return Ok(());
        };
        let client = flight.client;
        let Some(valid) = reply.valid else {
            self.faults.add(Fault::Malformed, || {
                format!("a grant to client {client} without a lease time")
            });
            return Ok(());
        };
        if flight.address.is_some_and(|asked| asked != address) {
            let asked = flight.address;
            self.faults.add(Fault::OtherAddress, || {
                format!("client {client} asked for {asked:?} and got {address}")
            });
        }
        if flight.ask == Ask::Take
            && flight.server.is_some()
            && server.is_some()
            && flight.server != server
        {
            self.faults.add(Fault::OtherServer, || {
                format!("the grant to client {client} is not from who offered")
            });
        }
        self.note_lease(flight, address, valid, now)?;
        let holder = self.clients.get_mut(client);
        holder.server = server;
        let half = now.saturating_duration_since(flight.asked);
        self.tally.completed(
            now,
            flight.ask == Ask::Take,
            half,
            now.saturating_duration_since(flight.began),
        );
        self.end(slot);
        Ok(())
    }

    /// Enters a grant everywhere: ledger, client, file.
    fn note_lease(
        &mut self,
        flight: &Flight,
        address: IpAddr,
        valid: u32,
        now: Instant,
    ) -> anyhow::Result<()> {
        let client = flight.client;
        let lasts = Duration::from_secs(u64::from(valid));
        if let Some(other) = self.ledger.grant(address, client, flight.asked, now, lasts) {
            self.faults.add(Fault::DuplicateAddress, || {
                format!("{address} was granted to client {client} while client {other} holds it")
            });
        }
        let earlier = self.clients.get_mut(client).lease.replace(address);
        if let Some(earlier) = earlier.filter(|earlier| *earlier != address) {
            self.ledger.give_up(earlier, client);
        }
        if let Some(writer) = &mut self.lease_writer {
            let elapsed = flight
                .asked
                .saturating_duration_since(self.epoch.instant)
                .as_secs();
            let until = self.epoch.time_of_day + elapsed + u64::from(valid);
            writer.add(&self.packets.client_name(client), address, until)?;
        }
        Ok(())
    }

    /// The server said no: what the client held is gone (RFC 2131 §3.1 point 4).
    fn refused(&mut self, slot: Slot, flight: &Flight) {
        self.tally.naks += 1;
        if flight.ask != Ask::Find
            && let Some(address) = self.clients.get_mut(flight.client).lease.take()
        {
            self.ledger.give_up(address, flight.client);
        }
        self.end(slot);
    }

    /// The address of an offer or a grant, checked against what is expected.
    fn address_of(&mut self, reply: &Reply<'_>) -> Option<IpAddr> {
        let Some(address) = reply.address else {
            let (kind, xid) = (reply.kind, reply.xid);
            self.faults.add(Fault::Malformed, || {
                format!("{kind:?} with xid {xid:#x} carries no address")
            });
            return None;
        };
        let expected = &self.options.expect_prefix;
        if !expected.is_empty() && !expected.iter().any(|prefix| prefix.contains(address)) {
            self.faults.add(Fault::OutsidePrefix, || {
                format!("{address} lies in no expected prefix")
            });
        }
        Some(address)
    }
}
