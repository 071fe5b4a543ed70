//! A server with or without callouts, and clients behind a relay agent.

use std::net::Ipv4Addr;
use std::thread;
use std::time::Duration;

use outrigger_lab::{Family, Lab, Launch, PATIENCE, Process, Server, poll};
use outrigger_testkit::{Client4, LinkError, Relay4, Relay6, UdpLink4, UdpLink6};
use serde_json::json;

use crate::config::{self, Stand};
use crate::control::Control;
use crate::kea::{self, KeaScript};
use crate::script::Script;
use crate::service::Service;

/// How long an answer, or a count, may take that is expected.
pub(crate) const SOON: Duration = Duration::from_secs(10);
/// How long an answer that is not expected is waited for.
const SILENCE: Duration = Duration::from_millis(400);
/// How long a packet is seen to be held.
const HOLD: Duration = Duration::from_millis(100);

/// Which server plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// Ours.
    Outrigger,
    /// Kea, as installed.
    Kea,
}

/// A server, and what a test needs to see of it.
pub(crate) struct Stage {
    pub(crate) lab: Lab,
    pub(crate) stand: Stand,
    pub(crate) control: Control,
    /// None without callouts.
    pub(crate) script: Option<Box<dyn Script + Sync>>,
    _server: Running,
}

/// Dropping it ends the server.
#[expect(dead_code, reason = "held so that the server lives")]
enum Running {
    Ours(Server),
    Kea(Process),
}

impl Stage {
    /// Starts a server in a network of its own.
    pub(crate) fn new(subject: Subject, stand: Stand) -> Self {
        let lab = Lab::relayed();
        let dir = lab.dir().to_owned();
        let mut server = config::common(stand, &dir);
        let (running, script) = match subject {
            Subject::Outrigger => {
                let socket = dir.join("service.sock");
                let script = stand.hooked.then(|| Service::start(&socket));
                if script.is_some() {
                    config::put(
                        &mut server,
                        json!({ "hook-services": config::services(&socket) }),
                    );
                }
                let document = config::document(stand.family, server).to_string();
                let running = Launch::new("dhcp-server").start(lab.server(), &document);
                (Running::Ours(running), script.map(boxed))
            }
            Subject::Kea => {
                let script = stand.hooked.then(|| KeaScript::new(&dir));
                let running = kea::start(lab.server(), stand.family, server, script.as_ref());
                if let Some(script) = &script {
                    remember_other_subnet(&lab, stand.family, script);
                }
                (Running::Kea(running), script.map(boxed))
            }
        };
        let control = Control::of(&dir, stand.family);
        if subject == Subject::Kea && stand.hooked {
            // What the library was told with is counted before anything else is.
            let sent = format!("pkt{}-sent", stand.family.digit());
            let counted = poll(PATIENCE, || {
                (control.statistics().get(&sent) == Some(&1)).then_some(())
            });
            assert!(counted.is_some(), "{sent} is not 1");
        }
        Self {
            control,
            lab,
            stand,
            script,
            _server: running,
        }
    }

    /// Sends a message and waits for its answer as long as one that is expected, or not expected, may take. Where `-` or
    /// what follows `held` is expected, see [`Self::held`].
    ///
    /// Returns `held ` where the packet was seen to be held, and the answer; the error is `-` for silence, or tells a flaw.
    pub(crate) fn exchange<R: Send>(
        &self,
        expected: &str,
        ask: impl FnOnce(Duration) -> Result<R, LinkError> + Send,
    ) -> (&'static str, Result<R, String>) {
        let wait = if expected.ends_with('-') {
            SILENCE
        } else {
            SOON
        };
        match &self.script {
            Some(script) if expected.starts_with("held ") => Self::held(script.as_ref(), wait, ask),
            _ => ("", heard(ask(wait))),
        }
    }

    /// Sees that nothing is answered while the packet is held, has the final reply sent, and waits for the answer.
    fn held<R: Send>(
        script: &(dyn Script + Sync),
        wait: Duration,
        ask: impl FnOnce(Duration) -> Result<R, LinkError> + Send,
    ) -> (&'static str, Result<R, String>) {
        thread::scope(|scope| {
            let parked = script.parked();
            let answer = scope.spawn(move || ask(SOON.min(wait * 2) + HOLD));
            let reached = poll(SOON, || {
                (script.parked() > parked || answer.is_finished()).then_some(())
            });
            thread::sleep(HOLD);
            let held = reached.is_some() && !answer.is_finished();
            script.finish();
            let answer = heard(answer.join().expect("a link does not panic"));
            (if held { "held " } else { "" }, answer)
        })
    }
}

fn boxed(script: impl Script + Sync + 'static) -> Box<dyn Script + Sync> {
    Box::new(script)
}

fn heard<R>(answer: Result<R, LinkError>) -> Result<R, String> {
    answer.map_err(|error| match error {
        silence if silence.is_silence() => "-".to_owned(),
        flaw => flaw.to_string(),
    })
}

/// A client of the other subnet asks, so that the library gets hold of it.
fn remember_other_subnet(lab: &Lab, family: Family, script: &KeaScript) {
    const OTHER: [u8; 6] = [2, 0, 0, 0, 0xFF, 0xFF];
    match family {
        Family::V4 => {
            let link = lab
                .relay()
                .enter(|| UdpLink4::relay(Lab::RELAY4, Lab::SERVER4))
                .unwrap();
            let mut client = Client4::new(OTHER);
            client.relay = Some(Relay4 {
                giaddr: Ipv4Addr::new(198, 51, 102, 1),
                relay_info: Vec::new(),
            });
            script.remember("subnet4_select", || {
                link.send(&client.clone().discover()).unwrap()
            });
        }
        Family::V6 => {
            let link = lab
                .relay()
                .enter(|| UdpLink6::relay(Lab::RELAY6, Lab::SERVER6))
                .unwrap();
            let mut client = crate::v6::client(OTHER);
            let link_address = "2001:db8:4::1".parse().unwrap();
            client.relays = vec![Relay6::new(link_address, crate::v6::PEER)];
            script.remember("subnet6_select", || {
                link.send(&client.clone().solicit()).unwrap();
            });
        }
    }
}
