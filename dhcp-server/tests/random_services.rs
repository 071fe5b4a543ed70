//! Random chains of random services, good and bad, and random exchanges of several clients on a small pool: whatever
//! the services do, every packet comes to one end, no address is two clients', and nothing is left behind.

mod behaviour;
mod bound;
mod clients;
mod quiet;

use crate::chains::services::Services;
use crate::common::{Page6, Whole};
use behaviour::Plan;
use bound::Bound;
use clients::{Device, Device4, Device6, Key, Move, Told};
use outrigger_server::served::Served;
use outrigger_server::telemetry::DiscardReason;
use outrigger_wire::{V4, V6};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

/// Clients of one run: more than there are addresses.
const CLIENTS: u8 = 6;
/// Addresses of the pool.
const POOL: usize = 4;
/// Says how many runs there are.
const RUNS: &str = "OUTRIGGER_RANDOM_SERVICES";
/// As many as take some seconds.
const USUAL_RUNS: u32 = 24;

/// Time in which an answer too many would come.
const BETWEEN: Duration = Duration::from_millis(10);
/// Time that a packet takes which nothing answers: its calls have 120 ms, and it is held 60 ms at two hook points.
const UNANSWERED: Duration = Duration::from_millis(300);
/// As long, for two that wait for each other.
const AT_LAST: Duration = Duration::from_millis(600);

/// The packets of clients, those of one wave at once.
type Waves = Vec<Vec<(u8, Move)>>;

fn waves() -> impl Strategy<Value = Waves> {
    vec(vec((0..CLIENTS, clients::moves()), 1..12), 1..16)
}

/// The pool and further members.
trait Net: Served {
    fn pool(members: &str) -> String;
    fn start(members: &str) -> Whole<Self>;
}

impl Net for V4 {
    fn pool(members: &str) -> String {
        format!(
            r#""valid-lifetime": 100, "decline-probation-period": 100, {members}, "subnet4": [
                {{ "id": 1, "subnet": "192.0.2.0/24", "pools": [ {{ "pool": "192.0.2.100-192.0.2.103" }} ] }} ]"#
        )
    }

    fn start(members: &str) -> Whole<Self> {
        Whole::start(&Self::pool(members), ())
    }
}

impl Net for V6 {
    fn pool(members: &str) -> String {
        format!(
            r#""preferred-lifetime": 50, "valid-lifetime": 100, "decline-probation-period": 100, {members}, "subnet6": [
                {{ "id": 1, "subnet": "2001:db8::/64", "pools": [ {{ "pool": "2001:db8::100-2001:db8::103" }} ] }} ]"#
        )
    }

    fn start(members: &str) -> Whole<Self> {
        Whole::start(&Self::pool(members), Page6::duid())
    }
}

/// Short times, so that a run does not take long: calls have 40 ms, held packets 60 ms.
fn members(services: &Services, plans: &[Plan]) -> String {
    let entries = plans.iter().map(|plan| {
        json!({
            "deadline": 40, "park-deadline": 60,
            "on-failure": if plan.drops { "drop" } else { "continue" },
        })
    });
    services.members(120, &entries.collect::<Vec<_>>())
}

/// A run under way.
struct Run<F: Net, D> {
    server: Whole<F>,
    devices: Vec<D>,
    bound: Bound,
    /// Packets that were not answered so far, and whose they are.
    asked: Vec<(Key, u8)>,
    sent: u64,
    wanting: u64,
    answered: u64,
}

impl<F: Net, D: Device> Run<F, D> {
    /// Sends one wave, and hears what comes of it. A client changes its leases with at most one packet of a wave: of
    /// two that are under way nobody could tell which was the later one.
    fn wave(&mut self, wave: &[(u8, Move)]) -> Result<(), TestCaseError> {
        let mut changing = BTreeSet::new();
        let mut pause = BETWEEN;
        for (client, step) in wave {
            let first = !changing.contains(client);
            // What cannot be done yet waits for a first lease, and that for an offer.
            let steps = [step, &Move::Take, &Move::Begin];
            let mut steps = steps.into_iter().filter(|step| first || !step.changes());
            let device = &mut self.devices[usize::from(*client)];
            let Some(packet) = steps.find_map(|step| device.send(*step)) else {
                continue;
            };
            if packet.changes {
                self.bound.give_up(*client);
                changing.insert(client);
            }
            if !packet.wants_answer {
                pause = UNANSWERED;
            }
            self.sent += 1;
            self.wanting += u64::from(packet.wants_answer);
            self.asked.push((packet.key, *client));
            self.server.inject(&packet.bytes, D::link());
        }
        self.hear(pause)
    }

    fn hear(&mut self, pause: Duration) -> Result<(), TestCaseError> {
        for answer in quiet::answers(&self.server, self.answered, self.wanting, pause) {
            self.answered += 1;
            let Some(key) = D::key_of(&answer) else {
                continue;
            };
            // Each packet once: the next answer finds nobody.
            let Some(of) = self.asked.iter().position(|(asked, _)| *asked == key) else {
                let text = format!("nobody asked for {key:?}, or it is answered already");
                return Err(TestCaseError::fail(text));
            };
            let (_, client) = self.asked.swap_remove(of);
            let device = &mut self.devices[usize::from(client)];
            prop_assert!(
                device.is_for_it(&answer),
                "{client} gets {key:?} of another"
            );
            match device.hear(&answer) {
                Told::Leased(lease) => self
                    .bound
                    .grant(client, lease)
                    .map_err(TestCaseError::fail)?,
                Told::Refused => self.bound.give_up(client),
                Told::Nothing => {}
            }
        }
        Ok(())
    }

    /// Every packet came to one end.
    fn account(&self) -> Result<(), TestCaseError> {
        let discards = &self.server.discards;
        let ended = self.answered + quiet::discarded(&self.server);
        let counted: Vec<_> = discards.iter().collect();
        prop_assert!(
            (self.wanting..=self.sent).contains(&ended),
            "{} of {} packets have ended, {} want answers: {counted:?}",
            ended,
            self.sent,
            self.wanting
        );
        prop_assert_eq!(discards.traffic.received_total(), self.sent);
        prop_assert_eq!(discards.traffic.sent_total(), self.answered);
        prop_assert_eq!(discards.of(DiscardReason::Defect), 0);
        Ok(())
    }

    /// Without services, and with every lease expired, as many clients as there are addresses get one each: those that
    /// were in trouble before.
    fn lease_all_again(self) -> Result<(), TestCaseError> {
        let server = self.server;
        server.common.clock.advance(10_000_000_000);
        server.serve_with(&F::pool(r#""hook-services": []"#));
        let mut leased = BTreeSet::new();
        for mut device in self.devices.into_iter().take(POOL) {
            let mut told = Told::Nothing;
            for step in [Move::Begin, Move::Take] {
                let packet = device.send(step);
                let packet = packet.ok_or_else(|| TestCaseError::fail("nothing was offered"))?;
                let answers = server.exchange([(packet.bytes, D::link())]);
                let counted: Vec<_> = server.discards.iter().collect();
                prop_assert_eq!(answers.len(), 1, "{:?}", counted);
                told = device.hear(&answers[0]);
            }
            let Told::Leased(lease) = told else {
                return Err(TestCaseError::fail(format!("nothing was leased: {told:?}")));
            };
            prop_assert!(leased.insert(lease.address), "{} twice", lease.address);
        }
        let (_, discards) = server.stop(Duration::from_secs(5));
        let held = discards
            .iter()
            .find(|(reason, _)| *reason == DiscardReason::Stopping);
        prop_assert_eq!(held, None, "packets were still there");
        Ok(())
    }
}

fn run<F: Net, D: Device>(plans: &[Plan], waves: &Waves) -> Result<(), TestCaseError> {
    let services = Services::all(behaviour::chain(F::FAMILY, plans));
    let mut run = Run::<F, D> {
        server: F::start(&members(&services, plans)),
        devices: (0..CLIENTS).map(D::new).collect(),
        bound: Bound::default(),
        asked: Vec::new(),
        sent: 0,
        wanting: 0,
        answered: 0,
    };
    for wave in waves {
        run.wave(wave)?;
    }
    run.hear(AT_LAST)?;
    run.account()?;
    run.lease_all_again()
}

fn runs() -> u32 {
    let runs = std::env::var(RUNS).ok();
    runs.map_or(USUAL_RUNS, |runs| runs.parse().expect("a number of runs"))
}

fn property<F: Net, D: Device>() {
    let config = Config {
        cases: runs(),
        failure_persistence: None,
        max_shrink_iters: 30,
        ..Config::default()
    };
    let inputs = (vec(behaviour::plans(), 1..=3), waves());
    let tested = TestRunner::new(config).run(&inputs, |(plans, waves)| run::<F, D>(&plans, &waves));
    if let Err(error) = tested {
        panic!("{error}");
    }
}

#[test]
fn random_services_cost_dhcpv4_clients_no_more_than_answers() {
    property::<V4, Device4>();
}

#[test]
fn random_services_cost_dhcpv6_clients_no_more_than_answers() {
    property::<V6, Device6>();
}
