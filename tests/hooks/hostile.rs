//! A service that means harm beside one that does its work: other clients are served by the good one, the server counts
//! what it refuses, does not grow, and calls whoever takes the bad one's place.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use nix::sys::signal::Signal;
use outrigger_hook_sdk::{HookPoint, v1};
use outrigger_lab::{
    Family, LoadReport, PATIENCE, Process, Server, Subject, TestService, Twin, poll,
};
use serde_json::{Value, json};
use v1::callout_reply::Outcome;

use crate::failure_stage::alone;
use crate::hostile_service::{Hostile, Manners};

/// Clients that no earlier load had.
const CLIENTS: u32 = 20_000;
/// A busy machine may slow a load down for a moment, but not each time.
const TRIES: usize = 3;
/// How much the server may have grown after all that, in KiB.
const GROWTH: u64 = 150 * 1024;

/// One way to do harm, and the statistic that tells of it.
struct Harm {
    manners: Manners,
    loaded: v1::Loaded,
    /// Behind `outrigger.hook-service[hostile].`
    told: String,
    /// Whether every packet is held or shown again and again, so that rates say nothing.
    costs_all: bool,
}

fn result(next: v1::NextStep, changes: Option<v1::Changes>) -> Outcome {
    Outcome::Result(v1::CalloutResult {
        next_step: Some(next.into()),
        changes,
        ..Default::default()
    })
}

fn goes_on() -> Outcome {
    result(v1::NextStep::Continue, None)
}

fn loaded(points: &[HookPoint]) -> v1::Loaded {
    let subscriptions = points.iter().map(|point| v1::Subscription {
        hook_point: point.number().into(),
        reads: vec!["query.options".to_owned()],
        writes: point
            .spec()
            .changes
            .iter()
            .map(|&path| path.to_owned())
            .collect(),
    });
    v1::Loaded {
        protocol_version: 1,
        name: "hostile".to_owned(),
        version: "1".to_owned(),
        subscriptions: subscriptions.collect(),
        sessions: true,
        ..Default::default()
    }
}

/// Wants to be called everywhere, also where there is nothing, as often as there are numbers, and for every command.
fn lies() -> v1::Loaded {
    let everywhere = (0..200).map(|number| v1::Subscription {
        hook_point: number,
        ..Default::default()
    });
    let paths = (0..100_000).map(|number| format!("query.options.{number}"));
    let much = v1::Subscription {
        hook_point: 2,
        reads: Vec::new(),
        writes: paths.collect(),
    };
    v1::Loaded {
        subscriptions: std::iter::once(much).chain(everywhere).collect(),
        max_in_flight: u32::MAX,
        commands: (0..100_000)
            .map(|number| format!("command-{number}"))
            .collect(),
        ..loaded(&[])
    }
}

fn edits(family: Family, code: u32, count: usize) -> Vec<Outcome> {
    let edit = v1::OptionEdit {
        path: vec![code],
        data: b"x".to_vec().into(),
        ..Default::default()
    };
    let options = vec![edit; count];
    let changes = match family {
        Family::V4 => v1::Changes {
            query4: Some(v1::Packet4Changes {
                options,
                ..Default::default()
            }),
            ..Default::default()
        },
        Family::V6 => v1::Changes {
            query6: Some(v1::Packet6Changes {
                options,
                ..Default::default()
            }),
            ..Default::default()
        },
    };
    vec![result(v1::NextStep::Continue, Some(changes))]
}

/// A lease of this address.
fn chooses(address: &[u8]) -> Vec<Outcome> {
    let lease = v1::LeaseChanges {
        address: Some(address.to_vec().into()),
        ..Default::default()
    };
    let changes = v1::Changes {
        lease: Some(lease),
        ..Default::default()
    };
    vec![result(v1::NextStep::Continue, Some(changes))]
}

/// Everything that is tried, in this order.
fn harms(family: Family, in_use: &[u8]) -> Vec<Harm> {
    let (renew, select, committed, outside): (_, _, _, &[u8]) = match family {
        Family::V4 => (
            HookPoint::Lease4Renew,
            HookPoint::Lease4Select,
            HookPoint::Leases4Committed,
            &[203, 0, 113, 7],
        ),
        Family::V6 => (
            HookPoint::Lease6Renew,
            HookPoint::Lease6Select,
            HookPoint::Leases6Committed,
            &[0x3f, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7],
        ),
    };
    let at = |point: HookPoint, cause: &str, manners: Manners| Harm {
        manners,
        loaded: loaded(&[point]),
        told: format!("failure[{point}][{cause}][continue]"),
        costs_all: point != renew,
    };
    let counted = |told: &str, loaded: v1::Loaded, manners: Manners| Harm {
        manners,
        loaded,
        told: told.to_owned(),
        costs_all: false,
    };
    let replies = |outcomes: Vec<Outcome>| Manners::Replies(outcomes);
    let subnet = v1::Changes {
        subnet_id: Some(1),
        ..Default::default()
    };
    let too_much = Outcome::Result(v1::CalloutResult {
        context: Some(vec![0; 4097].into()),
        ..Default::default()
    });
    let park = || result(v1::NextStep::Park, None);
    vec![
        counted("unknown-replies", loaded(&[renew]), Manners::TalksToNobody),
        counted("unknown-replies", loaded(&[renew]), Manners::HugeBatch),
        counted(
            "late-replies",
            loaded(&[renew]),
            replies(vec![goes_on(); 3]),
        ),
        at(
            renew,
            "refused_change",
            replies(vec![result(v1::NextStep::Continue, Some(subnet))]),
        ),
        at(renew, "session_lost", Manners::Monstrous),
        at(renew, "session_lost", Manners::HugeReply),
        at(renew, "refused_change", replies(edits(family, 6, 255))),
        at(renew, "malformed_reply", replies(edits(family, 6, 257))),
        at(renew, "malformed_reply", replies(edits(family, 0, 1))),
        at(renew, "malformed_reply", replies(edits(family, 65_536, 1))),
        at(select, "refused_change", replies(chooses(outside))),
        at(select, "refused_change", replies(chooses(in_use))),
        at(select, "malformed_reply", replies(chooses(&[1, 2, 3]))),
        at(renew, "malformed_reply", replies(vec![too_much])),
        at(renew, "session_lost", Manners::Garbled),
        at(renew, "session_lost", Manners::Closes),
        at(renew, "not_loaded", Manners::Noise),
        at(committed, "malformed_reply", replies(vec![park(); 3])),
        at(committed, "park_deadline", replies(vec![park()])),
        counted("sessions-opened", loaded(&[renew]), Manners::Drains),
        Harm {
            costs_all: true,
            ..counted("sessions-opened", lies(), replies(vec![goes_on()]))
        },
    ]
}

struct Stage {
    twin: Twin,
    server: Server,
    control: PathBuf,
    socket: PathBuf,
    _good: Process,
}

impl Stage {
    fn new(family: Family) -> Self {
        let twin = Twin::new(family);
        let good = TestService::new(twin.lab().server(), "good.sock");
        let [control, socket] =
            ["control.sock", "hostile.sock"].map(|name| twin.lab().server().dir().join(name));
        let service = good.start(&[]);
        let (net, pool) = match family {
            Family::V4 => ("198.48.0.0/12", "198.56.0.0 - 198.63.255.255"),
            Family::V6 => ("2001:db8:2::/64", "2001:db8:2::1:0 - 2001:db8:2::f:ffff"),
        };
        let subnets = json!([{ "id": 2, "subnet": net, "pools": [ { "pool": pool } ] }]);
        let renew = match family {
            Family::V4 => HookPoint::Lease4Renew,
            Family::V6 => HookPoint::Lease6Renew,
        };
        let config = twin.config(json!({
            format!("subnet{}", family.digit()): subnets,
            "hook-budget": 3000,
            "control-sockets": [{ "socket-type": "unix", "socket-name": control }],
            "hook-services": [
                { "name": "hostile", "endpoints": [format!("unix:{}", socket.display())], "at-start": "serve",
                  "deadline": 1000, "park-deadline": 50, "on-failure": "continue",
                  "hook-points": { renew.name(): { "on-failure": "continue" } } },
                { "name": "good", "endpoints": [good.endpoint()], "deadline": 1000 },
            ],
        }));
        let server = Subject::start(twin.lab().server(), &config);
        Self {
            twin,
            server,
            control,
            socket,
            _good: service,
        }
    }

    /// Every statistic.
    fn statistics(&self) -> Value {
        let mut stream = UnixStream::connect(&self.control).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
            .write_all(br#"{"command": "statistic-get-all"}"#)
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        answer["arguments"].clone()
    }

    /// What is counted of the bad one; nothing is 0.
    fn counted(&self, name: &str) -> u64 {
        let name = format!("outrigger.hook-service[hostile].{name}");
        self.statistics()[name][0][0].as_u64().unwrap_or_default()
    }

    /// Resident memory of the server, in KiB.
    fn memory(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.server.process.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
        number.unwrap().trim().parse().unwrap()
    }

    /// The same configuration once more: nobody waits for a service that went wrong before.
    fn connect_anew(&self) {
        const RELOADED: &str = "CONFIG_RELOADED";
        let before = self.server.process.count_lines(RELOADED);
        self.server.process.signal(Signal::SIGHUP);
        self.server
            .process
            .wait_for_nth_line(RELOADED, before + 1, PATIENCE);
    }

    /// New clients get leases, while a few others renew theirs, which is where most harm is done.
    fn load(&self, round: u32) -> LoadReport {
        let victims = self
            .twin
            .load(true)
            .with("--clients", "20")
            .with("--first-client", "3000000000")
            .with("--in-flight", "4")
            .with("--seconds", "1")
            .with("--tries", "2")
            .also("--keep-going")
            .start();
        let others = self
            .twin
            .second_load()
            .with("--first-client", (round * CLIENTS).to_string())
            .with("--clients", CLIENTS.to_string())
            .with("--in-flight", "8")
            .with("--seconds", "1")
            .run();
        drop(victims.finish());
        others
    }
}

#[track_caller]
fn others_are_served(family: Family) {
    let _alone = alone();
    let stage = Stage::new(family);
    let kind = Hostile::start(
        &stage.socket,
        loaded(&[]),
        Manners::Replies(vec![goes_on()]),
    );
    // Warm: the first load fills caches and pools of memory.
    stage.load(0);
    let control = stage.load(1);
    let held = stage
        .twin
        .lease(&mut stage.twin.client(1), PATIENCE)
        .unwrap();
    let in_use = match held.address.unwrap() {
        std::net::IpAddr::V4(address) => address.octets().to_vec(),
        std::net::IpAddr::V6(address) => address.octets().to_vec(),
    };
    let memory = stage.memory();
    drop(kind);

    for (harm, round) in harms(family, &in_use).into_iter().zip(2..) {
        let name = format!("{:?}", harm.manners);
        let what = format!("{} {}", &name[..name.len().min(100)], harm.told);
        let before = stage.counted(&harm.told);
        let sessions = stage.counted("sessions-opened");
        let _bad = Hostile::start(&stage.socket, harm.loaded, harm.manners.clone());
        stage.connect_anew();
        if !matches!(harm.manners, Manners::Noise) {
            // Every shard, and the task that looks after expired leases.
            let wanted = sessions + 1 + std::thread::available_parallelism().unwrap().get() as u64;
            let all = || (stage.counted("sessions-opened") >= wanted).then_some(());
            assert!(
                poll(PATIENCE, all).is_some(),
                "{what}: {}",
                stage.server.process.text()
            );
        }
        let mut rounds = (round..).step_by(100).take(TRIES);
        let served = rounds.any(|round| {
            let report = stage.load(round);
            let served = report.count("completed");
            assert_eq!(
                report.count("server_errors"),
                0,
                "{what}: {}",
                report.text()
            );
            let lost = report.count("lost");
            assert!(lost * 20 <= served, "{what}: {}", report.text());
            harm.costs_all || served * 2 >= control.count("completed")
        });
        assert!(
            served,
            "{what}: not half as many exchanges as without it: {}",
            control.text()
        );
        assert!(
            stage.counted(&harm.told) > before,
            "{what}: {:?}",
            stage.statistics()
        );
        assert!(stage.server.process.is_running(), "{what}");
    }

    let small_again = poll(PATIENCE, || {
        (stage.memory() <= memory + GROWTH).then_some(())
    });
    assert!(
        small_again.is_some(),
        "{} KiB, {memory} before",
        stage.memory()
    );
    recovers(&stage, family);
}

/// A good service takes the place of the bad ones: it is called, and nothing fails.
fn recovers(stage: &Stage, family: Family) {
    let (point, renew) = match family {
        Family::V4 => (HookPoint::Pkt4Receive, HookPoint::Lease4Renew),
        Family::V6 => (HookPoint::Pkt6Receive, HookPoint::Lease6Renew),
    };
    let called = format!("result[{point}][CONTINUE]");
    let _kind = Hostile::start(
        &stage.socket,
        loaded(&[point, renew]),
        Manners::Replies(vec![goes_on()]),
    );
    let without_failure = || {
        let [results, failures] = [called.as_str(), "failures"].map(|name| stage.counted(name));
        let answer = stage.twin.ask(&mut stage.twin.client(9), PATIENCE)?;
        let is_called = stage.counted(&called) > results;
        (answer.marked && is_called && stage.counted("failures") == failures).then_some(())
    };
    let recovered = poll(PATIENCE, without_failure);
    assert!(recovered.is_some(), "{}", stage.server.process.text());
}

#[test]
fn dhcpv4_server_stands_a_hostile_service_and_serves_others() {
    others_are_served(Family::V4);
}

#[test]
fn dhcpv6_server_stands_a_hostile_service_and_serves_others() {
    others_are_served(Family::V6);
}
