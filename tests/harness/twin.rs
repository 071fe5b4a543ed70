//! One family's side of a test that says the same of both.
//!
//! A relayed lab: the test itself is the relay agent of a few clients, and the load generator is
//! another one on the same link.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use outrigger_testkit::client4::message as message4;
use outrigger_testkit::client6::message as message6;
use outrigger_testkit::{
    Client4, Client6, Ia, LinkError, Relay4, Relay6, Reply4Seen, Reply6Seen, UdpLink4, UdpLink6,
};
use serde_json::{Value, json};

use crate::{Family, Lab, Load};

/// Addresses of load generators on the relayed link: one for each that runs at the same time.
const LOADS4: [Ipv4Addr; 2] = [
    Ipv4Addr::new(198, 51, 100, 2),
    Ipv4Addr::new(198, 51, 100, 3),
];
const LOADS6: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0x2001, 0xdb8, 2, 0, 0, 0, 0, 2),
    Ipv6Addr::new(0x2001, 0xdb8, 2, 0, 0, 0, 0, 3),
];
/// How the test service marks answers.
const MARK4: u8 = 224;
const MARK6: u16 = 65_000;
/// RFC 2132 §9.2.
const LEASE_TIME4: u8 = 51;

/// A relayed lab and one family in it.
#[derive(Debug)]
pub struct Twin {
    lab: Lab,
    family: Family,
    link: Link,
}

#[derive(Debug)]
enum Link {
    V4(UdpLink4),
    V6(UdpLink6),
}

/// A client behind the test's own relay agent.
#[derive(Debug)]
pub struct TwinClient {
    hw_address: [u8; 6],
    /// What it speaks.
    client: Speaks,
}

#[derive(Debug)]
enum Speaks {
    V4(Box<Client4>),
    V6(Box<Client6>),
}

/// What matters of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The address that is offered or leased; none when the server has none for the client.
    pub address: Option<IpAddr>,
    /// Whether the test service marked it.
    pub marked: bool,
    /// Seconds that the lease is valid.
    pub valid: Option<u32>,
}

impl Twin {
    /// A new lab.
    ///
    /// # Panics
    ///
    /// As [`Lab::relayed`].
    #[must_use]
    #[track_caller]
    pub fn new(family: Family) -> Self {
        let lab = Lab::relayed();
        let relay = lab.relay();
        for (v4, v6) in LOADS4.into_iter().zip(LOADS6) {
            relay.ip(&format!(
                "addr add {v4}/32 dev lo\naddr add {v6}/128 dev lo nodad\n"
            ));
        }
        let link = relay.enter(|| match family {
            Family::V4 => UdpLink4::relay(Lab::RELAY4, Lab::SERVER4).map(Link::V4),
            Family::V6 => UdpLink6::relay(Lab::RELAY6, Lab::SERVER6).map(Link::V6),
        });
        let link = link.unwrap_or_else(|error| panic!("no socket for the relay agent: {error}"));
        Self { lab, family, link }
    }

    /// The lab.
    #[must_use]
    pub fn lab(&self) -> &Lab {
        &self.lab
    }

    /// A configuration with room for 30,000 clients behind the relay agents, and these further
    /// members.
    ///
    /// # Panics
    ///
    /// When `further` is no object.
    #[must_use]
    #[track_caller]
    pub fn config(&self, further: Value) -> String {
        let (key, mut server) = match self.family {
            Family::V4 => (
                "Dhcp4",
                json!({
                    "interfaces-config": { "interfaces": ["eth0"] },
                    "valid-lifetime": 3600,
                    "authoritative": true,
                    "subnet4": [ {
                        "id": 2,
                        "subnet": "198.51.0.0/16",
                        "pools": [ { "pool": "198.51.128.0 - 198.51.245.0" } ],
                    } ],
                }),
            ),
            Family::V6 => (
                "Dhcp6",
                json!({
                    "interfaces-config": { "interfaces": ["eth0", format!("eth0/{}", Lab::SERVER6)] },
                    "preferred-lifetime": 1800,
                    "valid-lifetime": 3600,
                    "subnet6": [ {
                        "id": 2,
                        "subnet": "2001:db8:2::/64",
                        "pools": [ { "pool": "2001:db8:2::1:0 - 2001:db8:2::1:7530" } ],
                    } ],
                }),
            ),
        };
        let further = further.as_object().expect("further members are an object");
        for (name, value) in further {
            server[name] = value.clone();
        }
        json!({ key: server }).to_string()
    }

    /// The family's name of a hook point: `subnet_select` is `subnet4_select`.
    ///
    /// # Panics
    ///
    /// When the name has no underscore.
    #[must_use]
    #[track_caller]
    pub fn hook_point(&self, name: &str) -> String {
        self.family.hook_point(name)
    }

    /// Clients that lease, or lease and then renew, through the load generator.
    #[must_use]
    pub fn load(&self, renewing: bool) -> Load {
        self.load_from(0, renewing)
    }

    /// New clients beside those of [`Twin::load`], from another relay agent.
    #[must_use]
    pub fn second_load(&self) -> Load {
        self.load_from(1, false)
    }

    fn load_from(&self, index: usize, renewing: bool) -> Load {
        let (server, from): (IpAddr, IpAddr) = match self.family {
            Family::V4 => (Lab::SERVER4.into(), LOADS4[index].into()),
            Family::V6 => (Lab::SERVER6.into(), LOADS6[index].into()),
        };
        let scenario = match (self.family, renewing) {
            (Family::V4, false) => "dora",
            (Family::V4, true) => "renew",
            (Family::V6, false) => "sarr",
            (Family::V6, true) => "renew6",
        };
        Load::new(self.lab.relay(), scenario, server, from)
    }

    /// A client; two with the same number are the same one.
    #[must_use]
    pub fn client(&self, number: u8) -> TwinClient {
        let hw_address = [0x02, 0, 0, 0, 0x77, number];
        let client = match self.family {
            Family::V4 => {
                let mut client = Client4::new(hw_address);
                client.relay = Some(Relay4 {
                    giaddr: Lab::RELAY4,
                    relay_info: Vec::new(),
                });
                Speaks::V4(Box::new(client))
            }
            Family::V6 => {
                let mut client = Client6::new(Client6::duid_ll(hw_address), vec![Ia::na(1)]);
                let peer = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0x77, number.into());
                client.relays = vec![Relay6::new(Lab::RELAY6, peer)];
                Speaks::V6(Box::new(client))
            }
        };
        TwinClient { hw_address, client }
    }

    /// DISCOVER or SOLICIT; `None` when the server is silent.
    ///
    /// # Panics
    ///
    /// When the answer is flawed.
    #[track_caller]
    pub fn ask(&self, client: &mut TwinClient, wait: Duration) -> Option<Answer> {
        match (&self.link, &mut client.client) {
            (Link::V4(link), Speaks::V4(client)) => {
                heard(link.exchange(&client.discover(), wait)).map(|offer| answer4(&offer))
            }
            (Link::V6(link), Speaks::V6(client)) => {
                heard(link.exchange(&client.solicit(), wait)).map(|offer| answer6(&offer))
            }
            (Link::V4(_), Speaks::V6(_)) | (Link::V6(_), Speaks::V4(_)) => other_family(),
        }
    }

    /// Both halves, up to the ACK or REPLY; `None` when the server is silent or does not grant.
    ///
    /// # Panics
    ///
    /// When an answer is flawed.
    #[track_caller]
    pub fn lease(&self, client: &mut TwinClient, wait: Duration) -> Option<Answer> {
        match (&self.link, &mut client.client) {
            (Link::V4(link), Speaks::V4(client)) => {
                let offer = heard(link.exchange(&client.discover(), wait))?;
                let ack = heard(link.exchange(&client.request_selecting(&offer), wait))?;
                (ack.message_type == message4::ACK).then(|| answer4(&ack))
            }
            (Link::V6(link), Speaks::V6(client)) => {
                let advertise = heard(link.exchange(&client.solicit(), wait))?;
                let reply = heard(link.exchange(&client.request(&advertise), wait))?;
                (reply.message_type == message6::REPLY).then(|| answer6(&reply))
            }
            (Link::V4(_), Speaks::V6(_)) | (Link::V6(_), Speaks::V4(_)) => other_family(),
        }
    }

    /// Asks for what changes no lease: whether a REQUEST for an address of another network is refused,
    /// or an INFORMATION-REQUEST answered.
    ///
    /// # Panics
    ///
    /// When the answer is flawed.
    #[track_caller]
    pub fn ask_for_no_lease(&self, client: &mut TwinClient, wait: Duration) -> bool {
        match (&self.link, &mut client.client) {
            (Link::V4(link), Speaks::V4(client)) => {
                let elsewhere = Ipv4Addr::new(10, 1, 2, 3);
                let answer = heard(link.exchange(&client.request_init_reboot(elsewhere), wait));
                answer.is_some_and(|answer| answer.message_type == message4::NAK)
            }
            (Link::V6(link), Speaks::V6(client)) => {
                let answer = heard(link.exchange(&client.information_request(), wait));
                answer.is_some_and(|answer| answer.message_type == message6::REPLY)
            }
            (Link::V4(_), Speaks::V6(_)) | (Link::V6(_), Speaks::V4(_)) => other_family(),
        }
    }
}

impl TwinClient {
    /// Its hardware address as logs have it.
    #[must_use]
    pub fn hw_address(&self) -> String {
        self.hw_address
            .map(|octet| format!("{octet:02x}"))
            .join(":")
    }
}

/// Silence is no answer; everything else that is wrong fails the test.
#[track_caller]
fn heard<T>(answer: Result<T, LinkError>) -> Option<T> {
    match answer {
        Ok(answer) => Some(answer),
        Err(error) if error.is_silence() => None,
        Err(error) => panic!("the answer is flawed: {error}"),
    }
}

fn answer4(reply: &Reply4Seen) -> Answer {
    Answer {
        address: (!reply.yiaddr.is_unspecified()).then_some(reply.yiaddr.into()),
        marked: reply.option(MARK4).is_some(),
        valid: reply.number(LEASE_TIME4),
    }
}

fn answer6(reply: &Reply6Seen) -> Answer {
    let first = reply.addresses().next();
    Answer {
        address: first.map(|seen| seen.address.into()),
        marked: reply.option(MARK6).is_some(),
        valid: first.map(|seen| seen.valid),
    }
}

#[track_caller]
fn other_family() -> ! {
    panic!("the client is of another family than the lab")
}
