//! Plays every cell of a family's table and compares.

use std::fmt::Write;
use std::thread;
use std::time::{Duration, Instant};

use outrigger_lab::{Family, poll};
use serde_json::json;

use crate::behaviour::Behaviour;
use crate::clients::{Clients, counted, made, store};
use crate::config::{self, Expiry, Stand};
use crate::control::Statistics;
use crate::service::COMMAND;
use crate::stage::{SOON, Stage, Subject};
use crate::table::{Cell, Expectations, Seen};
use crate::v4::Clients4;
use crate::v6::Clients6;

/// Longer than a second, in which leases and clocks count.
const TICK: Duration = Duration::from_millis(1100);
/// Longer than a lease of [`config::HASTY`] is valid, counted in whole seconds.
const EXPIRED: Duration = Duration::from_millis(3200);

/// Statistics that change with every pass of reclamation.
const ANY: &str = "any";

/// What is wrong, a line for each cell; empty is green.
pub(crate) fn family(subject: Subject, family: Family, table: &[Expectations]) -> String {
    thread::scope(|scope| {
        let parts = [Expiry::Never, Expiry::Reclaimed, Expiry::Left].map(|expiry| {
            let of_part = table.iter().filter(|point| point.expiry() == expiry);
            let mut points: Vec<_> = of_part.collect();
            // Last what replaces the configuration: Kea forgets its subnets with the old one, and our server what it counted.
            points.sort_by_key(|point| matches!(point.scenario.as_str(), "configure" | "replace"));
            scope.spawn(move || stages(subject, family, expiry, &points))
        });
        let ended = parts.map(|part| part.join().expect("every part of the table ends"));
        ended.concat()
    })
}

impl Expectations {
    fn expiry(&self) -> Expiry {
        match self.scenario.as_str() {
            "expire" | "recover" => Expiry::Reclaimed,
            "take over" | "take over declined" => Expiry::Left,
            _ => Expiry::Never,
        }
    }
}

fn stages(subject: Subject, family: Family, expiry: Expiry, points: &[&Expectations]) -> String {
    let stage = |hooked| {
        let stand = Stand {
            family,
            hooked,
            expiry,
        };
        Stage::new(subject, stand)
    };
    let mut wrong = String::new();
    if points.is_empty() {
        return wrong;
    }
    for hooked in [false, true] {
        let stage = stage(hooked);
        let mut player = Player::new(subject, &stage);
        for point in points {
            for (behaviour, cell) in &point.cells {
                let expected = match subject {
                    Subject::Outrigger => Some(cell.seen.clone()),
                    Subject::Kea => in_kea(point, *behaviour, cell),
                };
                let Some(expected) = expected.filter(|_| (*behaviour != Behaviour::None) == hooked)
                else {
                    continue;
                };
                let started = Instant::now();
                let seen = player.play(point, *behaviour, &expected);
                if seen != expected {
                    let (at, name) = (&point.title, behaviour.name());
                    writeln!(
                        wrong,
                        "{at}, {name}:\n  expected {expected:?}\n  seen     {seen:?}"
                    )
                    .expect("a text takes everything");
                }
                let (at, name, took) = (&point.title, behaviour.name(), started.elapsed());
                let mark = if seen == expected { "ok" } else { "DIFFERS" };
                println!(
                    "{subject:?} {at}, {name}: {mark} in {} ms",
                    took.as_millis()
                );
            }
        }
    }
    wrong
}

/// What Kea is expected to do; none where it is not compared.
fn in_kea(point: &Expectations, behaviour: Behaviour, cell: &Cell) -> Option<Seen> {
    if point.not_in_kea.is_some() {
        return None;
    }
    let cell = match behaviour {
        // Kea 2.2 writes a line to its log; what the callout did before counts.
        Behaviour::Failure => &point.cells[&Behaviour::Continue],
        Behaviour::None
        | Behaviour::Continue
        | Behaviour::Skip
        | Behaviour::Drop
        | Behaviour::Park
        | Behaviour::ParkDrop
        | Behaviour::Warning => cell,
        // Kea's callouts have neither policy nor deadline, and a packet that is not unparked stays.
        Behaviour::FailureDrop
        | Behaviour::Deadline
        | Behaviour::DeadlineDrop
        | Behaviour::ParkSkip
        | Behaviour::ParkForever
        | Behaviour::ParkForeverDrop
        | Behaviour::ParkInUse
        | Behaviour::SkipEmpty => return None,
    };
    let seen = cell.kea.as_ref().unwrap_or(&cell.seen);
    Some(Seen {
        hooks: String::new(),
        ..seen.clone()
    })
}

/// A stage with its clients.
struct Player<'s> {
    subject: Subject,
    stage: &'s Stage,
    clients: Box<dyn Clients + 's>,
    number: u16,
}

impl<'s> Player<'s> {
    fn new(subject: Subject, stage: &'s Stage) -> Self {
        let clients: Box<dyn Clients> = match stage.stand.family {
            Family::V4 => Box::new(Clients4::new(stage)),
            Family::V6 => Box::new(Clients6::new(stage)),
        };
        Self {
            subject,
            stage,
            clients,
            number: 0,
        }
    }

    /// Plays one cell with a client of its own, and leaves the store empty.
    fn play(&mut self, point: &Expectations, behaviour: Behaviour, expected: &Seen) -> Seen {
        if expected.client == "policy refused" {
            return self.policy(point);
        }
        self.number += 1;
        self.clients.next(self.number);
        let control = &self.stage.control;
        let mut before = control.statistics();
        let expires = point.expiry() != Expiry::Never;
        if expires {
            self.begin(point, behaviour);
        }
        let answers = self.clients.prepare(&point.scenario);
        let since = made(&control.leases());
        if matches!(
            point.scenario.split(' ').next(),
            Some("renew" | "rebind" | "discover")
        ) {
            thread::sleep(TICK);
        }
        if point.expiry() == Expiry::Left {
            thread::sleep(EXPIRED);
        }
        if !expires {
            before = self.after_preparation(&before, answers);
            self.begin(point, behaviour);
        }
        let mut client = match self.clients.act(&point.scenario, &expected.client) {
            Some(text) if expires => text + &self.times_asked(point),
            Some(text) => text,
            None if expires => self.wait_for_expiry(point, expected),
            None => self.operate(&point.scenario),
        };
        if behaviour != Behaviour::None && !self.is_called(point, 1, SOON) {
            client += " (not called)";
        }
        if self.is_operators(&point.scenario) {
            // What follows are commands too.
            self.rest();
        }
        let seen = self.settle(&before, since, client, expected);
        self.rest();
        control.forget_leases();
        seen
    }

    fn begin(&self, point: &Expectations, behaviour: Behaviour) {
        if let Some(script) = &self.stage.script {
            script.play(&point.point, behaviour);
        }
    }

    fn rest(&self) {
        if let Some(script) = &self.stage.script {
            script.rest();
        }
    }

    /// The statistics once all that was answered in the preparation is counted, which follows the answer.
    fn after_preparation(&self, before: &Statistics, answers: i128) -> Statistics {
        let sent = format!("pkt{}-sent", self.stage.stand.family.digit());
        let of = |all: &Statistics| all.get(&sent).copied().unwrap_or_default();
        let control = &self.stage.control;
        poll(SOON, || {
            Some(control.statistics()).filter(|now| of(now) - of(before) >= answers)
        })
        .unwrap_or_else(|| panic!("{answers} answers are not counted as {sent}"))
    }

    fn is_called(&self, point: &Expectations, times: usize, within: Duration) -> bool {
        let Some(script) = &self.stage.script else {
            return false;
        };
        poll(within, || {
            (script.calls(&point.point) >= times).then_some(())
        })
        .is_some()
    }

    /// Whether the callout was asked about the expired lease once, or again and again.
    fn wait_for_expiry(&self, point: &Expectations, expected: &Seen) -> String {
        if self.stage.script.is_none() {
            return "-".to_owned();
        }
        let called = self.is_called(point, 1, SOON * 2);
        let again = expected.client == "asked again";
        match (called, again && self.is_called(point, 2, SOON)) {
            (false, _) => "not asked".to_owned(),
            (true, false) => "asked once".to_owned(),
            (true, true) => "asked again".to_owned(),
        }
    }

    /// How often the callout was asked while the client was served.
    fn times_asked(&self, point: &Expectations) -> String {
        let script = self.stage.script.as_ref();
        script.map_or_else(String::new, |script| {
            format!(", asked {}", script.calls(&point.point))
        })
    }

    fn is_operators(&self, scenario: &str) -> bool {
        matches!(scenario, "configure" | "replace" | "command" | "probe")
    }

    /// What the operator does, and what is answered.
    fn operate(&self, scenario: &str) -> String {
        let control = &self.stage.control;
        let answer = match scenario {
            "configure" => control.ask("config-reload", None),
            "replace" => {
                let mut running = control.ask("config-get", None)["arguments"].take();
                running.as_object_mut().map(|all| all.remove("hash"));
                control.ask("config-set", Some(running))
            }
            "command" => control.ask("version-get", None),
            "probe" => control.ask(COMMAND, None),
            other => panic!("there is no scenario {other}"),
        };
        let text = answer["text"].as_str().unwrap_or_default();
        let text = if text.contains("marked") {
            "marked"
        } else {
            "plain"
        };
        format!("result {} {text}", answer["result"])
    }

    /// Whether a configuration is refused that wants packets dropped where none waits for an answer.
    fn policy(&self, point: &Expectations) -> Seen {
        assert_eq!(self.subject, Subject::Outrigger, "Kea has no policies");
        let dir = self.stage.lab.dir();
        let mut server = config::common(self.stage.stand, dir);
        let mut services = config::services(&dir.join("service.sock"));
        services[0]["hook-points"] = json!({ &point.point: { "on-failure": "drop" } });
        config::put(&mut server, json!({ "hook-services": services }));
        let document = config::document(self.stage.stand.family, server);
        let answer = self.stage.control.ask("config-test", Some(document));
        let text = answer["text"].as_str().unwrap_or_default();
        let refused = answer["result"] == 1 && text.contains("has no effect");
        Seen {
            client: if refused {
                "policy refused".to_owned()
            } else {
                answer.to_string()
            },
            leases: "-".to_owned(),
            counted: "-".to_owned(),
            hooks: "-".to_owned(),
        }
    }

    /// Waits until store and counters are as expected, or long enough: they follow the packets.
    fn settle(
        &self,
        before: &Statistics,
        since: Option<u64>,
        client: String,
        expected: &Seen,
    ) -> Seen {
        let mut last = Seen::default();
        // Where leases expire, those that are there now are others.
        let since = since.filter(|_| self.stage.stand.expiry == Expiry::Never);
        poll(SOON, || {
            let leases = self.stage.control.leases();
            let after = self.stage.control.statistics();
            let (counted, hooks) = counted(self.clients.as_ref(), before, &after);
            last = Seen {
                client: client.clone(),
                leases: store(self.clients.as_ref(), &leases, since),
                counted,
                hooks: match self.subject {
                    Subject::Outrigger => hooks,
                    Subject::Kea => String::new(),
                },
            };
            if expected.counted == ANY {
                ANY.clone_into(&mut last.counted);
            }
            (last == *expected || client != expected.client).then_some(())
        });
        last
    }
}
