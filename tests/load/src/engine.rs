//! Keeps exchanges going and judges every answer.

mod clients;
mod flight;
mod judge;
mod servers;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use socket2::Socket;

use self::clients::Clients;
use self::flight::{Flights, Slot};
use self::servers::Servers;
use crate::faults::Faults;
use crate::lease_file::{self, LeaseWriter};
use crate::ledger::Ledger;
use crate::message::{Ask, Outgoing, Packets};
use crate::options::{MAX_SECONDS, Options};
use crate::report::{Ended, Report, Tally};
use crate::wire::{Inbox, Outbox, open};

/// The longest the loop sleeps, so that limits of time are met.
const NAP: Duration = Duration::from_millis(100);

/// Plays one scenario to its end.
pub(crate) struct Engine<'a, P> {
    options: &'a Options,
    packets: P,
    socket: Socket,
    outbox: Outbox,
    clients: Clients,
    flights: Flights,
    servers: Servers,
    ledger: Ledger,
    faults: Faults,
    tally: Tally,
    lease_writer: Option<LeaseWriter>,
    epoch: Epoch,
    /// When the last answer of any kind came.
    last_answer: Instant,
    /// An exchange was lost and meanwhile nobody was answered.
    silent: bool,
}

/// One moment on both clocks.
#[derive(Clone, Copy)]
struct Epoch {
    instant: Instant,
    time_of_day: u64,
}

/// One stretch of work with its own ends.
#[derive(Clone, Copy)]
struct Phase {
    /// The first message of every exchange.
    opening: Ask,
    exchanges: Option<u64>,
    seconds: Duration,
    rate: Option<u32>,
}

impl<'a, P: Packets> Engine<'a, P> {
    /// Opens the socket and the files.
    pub(crate) fn new(options: &'a Options, packets: P) -> anyhow::Result<Self> {
        let server = SocketAddr::new(options.server, options.server_port());
        let now = Instant::now();
        let in_flight = options.in_flight.min(options.clients);
        let mut engine = Self {
            options,
            packets,
            socket: open(options.from, options.source_port())?,
            outbox: Outbox::new(server),
            clients: Clients::new(options.first_client, options.clients, P::XID_MASK),
            flights: Flights::new(in_flight, options.retransmit()),
            servers: Servers::default(),
            ledger: Ledger::default(),
            faults: Faults::default(),
            tally: Tally::new(now),
            lease_writer: options
                .leases_out
                .as_deref()
                .map(LeaseWriter::open)
                .transpose()?,
            epoch: Epoch {
                instant: now,
                time_of_day: lease_file::time_of_day(),
            },
            last_answer: now,
            silent: false,
        };
        engine.remember_leases()?;
        Ok(engine)
    }

    /// Plays the scenario and says how it went.
    pub(crate) fn run(mut self) -> anyhow::Result<Report> {
        let scenario = self.options.scenario;
        let mut ended = Ended::Exchanges;
        if scenario.renews() {
            ended = self.acquire()?;
        } else {
            self.clients.line_up(|_| true);
        }
        if ended != Ended::ServerSilent {
            ended = self.play(Phase {
                opening: if scenario.renews() {
                    Ask::Renew
                } else {
                    Ask::Find
                },
                exchanges: self.options.exchanges,
                seconds: self.options.time_limit(),
                rate: self.options.rate,
            })?;
        }
        self.tally.send_errors = self.outbox.refused;
        Ok(Report {
            scenario,
            ended,
            tally: self.tally,
            faults: self.faults,
        })
    }

    /// Gives every client that has none a lease, uncounted.
    fn acquire(&mut self) -> anyhow::Result<Ended> {
        self.clients.line_up(|client| client.lease.is_none());
        let missing = self.clients.count() as u64 - self.leases();
        if missing > 0 {
            let phase = Phase {
                opening: Ask::Find,
                exchanges: Some(missing),
                seconds: Duration::from_secs(u64::from(MAX_SECONDS)),
                rate: None,
            };
            let ended = self.play(phase)?;
            if ended == Ended::ServerSilent {
                return Ok(ended);
            }
        }
        let acquired = self.leases();
        self.tally = Tally::new(Instant::now());
        self.tally.acquired = Some(acquired);
        self.clients.line_up(|client| client.lease.is_some());
        Ok(Ended::Exchanges)
    }

    fn leases(&self) -> u64 {
        let first = self.options.first_client;
        let numbers = first..first + self.options.clients;
        numbers
            .filter(|number| self.clients.get(*number).lease.is_some())
            .count() as u64
    }

    fn play(&mut self, phase: Phase) -> anyhow::Result<Ended> {
        let mut inbox = Inbox::new();
        let begin = Instant::now();
        loop {
            let now = Instant::now();
            self.retransmit_overdue(now);
            let ended = self.over(&phase, begin, now);
            if let Some(ended) = ended {
                if self.flights.count() == 0 || ended == Ended::ServerSilent {
                    return Ok(ended);
                }
            } else {
                self.start_exchanges(&phase, begin, now);
            }
            self.outbox.flush(&self.socket);

            let patience = self.patience(&phase, begin, ended.is_some());
            inbox.receive(&self.socket, patience)?;
            let now = Instant::now();
            for datagram in inbox.datagrams() {
                self.hear(datagram, now)?;
            }
            if let Some(writer) = &mut self.lease_writer {
                writer.flush()?;
            }
        }
    }

    /// Why no further exchange starts, if so.
    fn over(&self, phase: &Phase, begin: Instant, now: Instant) -> Option<Ended> {
        if self.silent && !self.options.keep_going {
            return Some(Ended::ServerSilent);
        }
        if phase
            .exchanges
            .is_some_and(|limit| self.tally.started >= limit)
        {
            return Some(Ended::Exchanges);
        }
        if now.saturating_duration_since(begin) >= phase.seconds {
            return Some(Ended::Seconds);
        }
        (self.flights.count() == 0 && self.clients.nobody_waits()).then_some(Ended::NoClientLeft)
    }

    fn start_exchanges(&mut self, phase: &Phase, begin: Instant, now: Instant) {
        while phase
            .exchanges
            .is_none_or(|limit| self.tally.started < limit)
        {
            let began = match phase.rate {
                None => now,
                Some(rate) => {
                    let due = begin + schedule(self.tally.scheduled(), rate);
                    if due > now {
                        return;
                    }
                    due
                }
            };
            let client = if self.flights.has_room() {
                self.clients.next_idle()
            } else {
                None
            };
            let Some(client) = client else {
                if phase.rate.is_none() {
                    return;
                }
                // Open loop: the turn is past; a later one must not make up for it.
                self.tally.not_started += 1;
                continue;
            };
            self.start(client, phase.opening, began, now);
        }
    }

    fn start(&mut self, client: u32, opening: Ask, began: Instant, now: Instant) {
        let xid = self.clients.next_xid(client);
        let slot = self.flights.start(client, opening, xid, began);
        let state = self.clients.get_mut(client);
        state.slot = Some(slot);
        if opening == Ask::Renew {
            let flight = self.flights.get_mut(slot);
            flight.address = state.lease;
            flight.server = state.server;
        }
        self.tally.started += 1;
        self.send(slot, now);
    }

    /// Sends the present message of an exchange.
    fn send(&mut self, slot: Slot, now: Instant) {
        self.flights.sent(slot, now);
        let flight = self.flights.get(slot);
        let message = Outgoing {
            ask: flight.ask,
            xid: flight.xid,
            client: flight.client,
            address: flight.address,
            server_id: flight.server.map(|number| self.servers.id(number)),
        };
        self.outbox
            .push(&self.socket, |packet| self.packets.write(&message, packet));
    }

    fn retransmit_overdue(&mut self, now: Instant) {
        while let Some(slot) = self.flights.overdue(now) {
            let flight = self.flights.get(slot);
            if flight.tries >= self.options.tries {
                self.silent |= self.last_answer < flight.asked;
                self.tally.lost += 1;
                self.end(slot);
            } else {
                self.tally.retransmits += 1;
                self.send(slot, now);
            }
        }
    }

    /// Ends an exchange and puts its client in line again, unless there is nothing left to renew.
    fn end(&mut self, slot: Slot) {
        let flight = self.flights.end(slot);
        let state = self.clients.get_mut(flight.client);
        state.slot = None;
        if flight.ask != Ask::Renew || state.lease.is_some() {
            self.clients.wait_again(flight.client);
        }
    }

    /// How long to wait for answers before something else is due.
    fn patience(&mut self, phase: &Phase, begin: Instant, over: bool) -> Duration {
        let now = Instant::now();
        let mut until = now + NAP;
        if let Some(due) = self.flights.next_due() {
            until = until.min(due);
        }
        if let (Some(rate), false) = (phase.rate, over) {
            until = until.min(begin + schedule(self.tally.scheduled(), rate));
        }
        until.saturating_duration_since(now)
    }

    /// Takes the leases of an earlier run over: from its clients, and for the ledger.
    fn remember_leases(&mut self) -> anyhow::Result<()> {
        let Some(path) = self.options.leases_in.as_deref() else {
            return Ok(());
        };
        for line in lease_file::read(path)? {
            let Some(client) = self.packets.client_by_name(&line.client) else {
                anyhow::bail!(
                    "{}: {} is no client of this tool",
                    path.display(),
                    line.client
                );
            };
            let left = Duration::from_secs(line.valid_until.saturating_sub(self.epoch.time_of_day));
            let now = self.epoch.instant;
            self.ledger.grant(line.address, client, now, now, left);
            if self.clients.contains(client) {
                let earlier = self.clients.get_mut(client).lease.replace(line.address);
                if let Some(earlier) = earlier.filter(|earlier| *earlier != line.address) {
                    self.ledger.give_up(earlier, client);
                }
            }
        }
        Ok(())
    }
}

/// When exchange number `index` starts, at `rate` per second.
fn schedule(index: u64, rate: u32) -> Duration {
    let rate = u64::from(rate);
    let whole = Duration::from_secs(index / rate);
    whole + Duration::from_nanos((index % rate) * 1_000_000_000 / rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedule_neither_drifts_nor_overflows() {
        assert_eq!(schedule(0, 7), Duration::ZERO);
        assert_eq!(schedule(7 * 3600, 7), Duration::from_secs(3600));
        assert_eq!(schedule(1, 1_000_000), Duration::from_micros(1));
        assert_eq!(schedule(100_000_000, 1).as_secs(), 100_000_000);
    }
}
