//! A server with a hook service from its start to its end, in both families.

use std::process::Command;
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;
use outrigger_lab::{Family, Lab, PATIENCE, Server, Subject, program};
use outrigger_testkit::client4::message as message4;
use outrigger_testkit::client6::message as message6;
use outrigger_testkit::{Client4, Client6, Ia, LinkError, UdpLink4, UdpLink6};
use serde_json::{Value, json};

use crate::client::ControlSocket;
use crate::service::{Held, REFUSAL, REFUSED_LIFETIME};

/// sysexits.h: a wrong configuration.
const EX_CONFIG: i32 = 78;

/// Longer than a server that stops waits for what it has begun.
const PARK_DEADLINE: u32 = 30_000;

/// Longer than a server that stops lives.
const SILENCE: Duration = Duration::from_secs(15);

struct Stage {
    lab: Lab,
    control: ControlSocket,
    service: Held,
    family: Family,
}

impl Stage {
    fn new(family: Family) -> Self {
        let lab = Lab::direct();
        Self {
            control: ControlSocket::of(lab.server()),
            service: Held::start(&lab.dir().join("held.sock")),
            lab,
            family,
        }
    }

    /// The configuration; this lifetime tells it from others.
    fn config(&self, lifetime: u32) -> String {
        let endpoint = format!("unix:{}", self.lab.dir().join("held.sock").display());
        let leases = self.lab.dir().join("leases.csv");
        let mut members = json!({
            "interfaces-config": { "interfaces": [ "eth0" ] },
            "lease-database": { "type": "memfile", "name": leases },
            "valid-lifetime": lifetime,
            "hook-services": [ {
                "name": "held", "endpoints": [ endpoint ], "at-start": "wait", "on-failure": "drop",
                "park-deadline": PARK_DEADLINE,
            } ],
        });
        let (key, subnets) = match self.family {
            Family::V4 => (
                "Dhcp4",
                json!([ {
                "id": 1, "subnet": "192.0.2.0/24", "pools": [ { "pool": "192.0.2.100 - 192.0.2.199" } ]
            } ]),
            ),
            Family::V6 => {
                members["data-directory"] = json!(self.lab.dir());
                (
                    "Dhcp6",
                    json!([ {
                    "id": 1, "subnet": "2001:db8:1::/64", "interface": "eth0",
                    "pools": [ { "pool": "2001:db8:1::/65" } ]
                } ]),
                )
            }
        };
        members[format!("subnet{}", self.family.digit())] = subnets;
        self.control
            .configured(&json!({ key: members }).to_string())
    }

    fn start(&self) -> Server {
        Subject::start(self.lab.server(), &self.config(1200))
    }

    /// Gets a lease and returns its lifetime.
    fn lease(&self, number: u8) -> u32 {
        self.lease_within(number, PATIENCE).unwrap()
    }

    /// As [`Self::lease`], for a server that may not answer the REQUEST.
    fn lease_within(&self, number: u8, wait: Duration) -> Result<u32, LinkError> {
        match self.family {
            Family::V4 => lease4(&self.lab, number, wait),
            Family::V6 => lease6(&self.lab, number, wait),
        }
    }

    fn configuration(&self, lifetime: u32) -> Value {
        serde_json::from_str(&self.config(lifetime)).unwrap()
    }
}

fn lease4(lab: &Lab, number: u8, wait: Duration) -> Result<u32, LinkError> {
    const LEASE_TIME: u8 = 51;
    let link = lab.client().enter(|| UdpLink4::broadcast(Lab::INTERFACE))?;
    let mut client = Client4::new([0x02, 0, 0, 0, 1, number]);
    let offer = link.exchange(&client.discover(), PATIENCE)?;
    let ack = link.exchange(&client.request_selecting(&offer), wait)?;
    assert_eq!(ack.message_type, message4::ACK);
    Ok(ack.number(LEASE_TIME).unwrap())
}

fn lease6(lab: &Lab, number: u8, wait: Duration) -> Result<u32, LinkError> {
    let link = lab.client().enter(|| UdpLink6::multicast(Lab::INTERFACE))?;
    let duid = Client6::duid_ll([0x02, 0, 0, 0, 1, number]);
    let mut client = Client6::new(duid, vec![Ia::na(1)]);
    let advertise = link.exchange(&client.solicit(), PATIENCE)?;
    let reply = link.exchange(&client.request(&advertise), wait)?;
    assert_eq!(reply.message_type, message6::REPLY);
    Ok(reply.ias()[0].addresses[0].valid)
}

const FAMILIES: [Family; 2] = [Family::V4, Family::V6];

#[test]
fn configuration_that_a_service_refuses_ends_the_check_and_the_start() {
    for family in FAMILIES {
        let stage = Stage::new(family);
        let file = stage.lab.dir().join("checked.json");
        for (lifetime, code) in [(REFUSED_LIFETIME, EX_CONFIG), (1200, 0)] {
            std::fs::write(&file, stage.config(lifetime)).unwrap();
            let mut check = Command::new(program("dhcp-server"));
            check.arg("-T").arg(&file);
            let checked = stage.lab.server().run(check);
            assert_eq!(checked.status.code(), Some(code), "{}", checked.text);
            assert_eq!(
                checked.text.contains(REFUSAL),
                code != 0,
                "{}",
                checked.text
            );
        }
        let refused = Subject::launch(stage.lab.server(), &stage.config(REFUSED_LIFETIME));
        let told = refused
            .process
            .wait_for_line("refuses the configuration", PATIENCE);
        assert!(
            told.contains("hook service held") && told.contains(REFUSAL),
            "{told}"
        );
        let status = refused.process.wait(PATIENCE).unwrap();
        assert_eq!(status.code(), Some(EX_CONFIG));
    }
}

#[test]
fn refused_configuration_is_not_felt_by_clients() {
    for family in FAMILIES {
        let stage = Stage::new(family);
        let server = stage.start();
        let control = &stage.control;
        stage.service.wait_for_command("config-set", 0);
        let set = control.ask_with("config-set", &stage.configuration(REFUSED_LIFETIME));
        assert_eq!(set["result"], 1, "{set}");
        assert!(set["text"].as_str().unwrap().ends_with(REFUSAL), "{set}");
        assert_eq!(stage.lease(1), 1200);

        // Other sockets as well: those of the old configuration stay.
        let mut elsewhere = stage.configuration(REFUSED_LIFETIME);
        let key = elsewhere
            .as_object()
            .unwrap()
            .keys()
            .next()
            .unwrap()
            .clone();
        elsewhere[key]["interfaces-config"]["interfaces"] = json!(["*"]);
        server.rewrite(&elsewhere.to_string());
        server.process.signal(Signal::SIGHUP);
        let refused = server
            .process
            .wait_for_nth_line("CONFIG_REFUSED", 2, PATIENCE);
        assert!(refused.contains(REFUSAL), "{refused}");
        stage.service.wait_for_command("config-reload", 1);
        assert_eq!(stage.lease(2), 1200);

        server.rewrite(&stage.config(1300));
        server.process.signal(Signal::SIGHUP);
        stage.service.wait_for_command("config-reload", 0);
        assert_eq!(stage.lease(3), 1300);
        assert_eq!(server.stop().code(), Some(0));
        stage.service.wait_for_command("shutdown", 0);
    }
}

#[test]
fn service_that_hangs_is_taken_out_of_the_path_while_clients_ask() {
    for family in FAMILIES {
        let stage = Stage::new(family);
        let _server = stage.start();
        stage.lease(1);
        stage.service.hang(true);
        let disabled = stage
            .control
            .ask_with("hook-service-disable", &json!({ "service": "held" }));
        assert_eq!(disabled["result"], 0, "{disabled}");
        stage.lease(2);
        assert_eq!(stage.control.ask("config-reload")["result"], 0);
        stage.lease(3);
        stage.service.hang(false);
        stage
            .control
            .wait_for("outrigger.hook-service[held].ready", 1);
        assert_eq!(stage.control.ask("hook-service-enable")["result"], 0);
        stage.lease(4);
        let results = format!(
            "outrigger.hook-service[held].result[pkt{}_receive][CONTINUE]",
            family.digit()
        );
        // Two packets each of the first and the last client.
        stage.control.wait_for(&results, 4);
    }
}

#[test]
fn packets_that_are_held_are_answered_after_a_new_configuration() {
    const PARKED: &str = "outrigger.hook-service[held].parked";
    for family in FAMILIES {
        let stage = Stage::new(family);
        let server = stage.start();
        stage.service.hold(true);
        thread::scope(|scope| {
            let asking = scope.spawn(|| stage.lease(1));
            stage.service.wait_until_held(1);
            stage.control.wait_for(PARKED, 1);
            server.rewrite(&stage.config(1300));
            let reloaded = stage.control.ask("config-reload");
            assert_eq!(reloaded["result"], 0, "{reloaded}");
            stage.control.wait_for(PARKED, 1);
            stage.service.hold(false);
            // It ends with the configuration it began with.
            assert_eq!(asking.join().unwrap(), 1200);
        });
        stage.control.wait_for(PARKED, 0);
        assert_eq!(
            stage
                .control
                .statistic("outrigger.hook-service[held].parked-total"),
            1
        );
        assert_eq!(stage.lease(2), 1300);
    }
}

#[test]
fn packets_that_are_held_are_answered_or_counted_when_the_server_stops() {
    for family in FAMILIES {
        for goes_on in [true, false] {
            let stage = Stage::new(family);
            let server = stage.start();
            stage.service.hold(true);
            thread::scope(|scope| {
                let asking = scope.spawn(|| stage.lease_within(1, SILENCE));
                stage.service.wait_until_held(1);
                stage
                    .control
                    .wait_for("outrigger.hook-service[held].parked", 1);
                server.process.signal(Signal::SIGTERM);
                server.process.wait_for_line("SERVER_STOPPING", PATIENCE);
                if goes_on {
                    stage.service.hold(false);
                    assert_eq!(asking.join().unwrap().unwrap(), 1200);
                } else {
                    assert!(
                        asking
                            .join()
                            .unwrap()
                            .is_err_and(|error| error.is_silence())
                    );
                }
            });
            let status = server.process.wait(PATIENCE).unwrap();
            assert_eq!(status.code(), Some(0));
            let counted = server.process.count_lines("reason=\"stopping\" packets=1");
            assert_eq!(counted, usize::from(!goes_on), "{}", server.process.text());
        }
    }
}
