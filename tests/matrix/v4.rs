//! What DHCPv4 clients do, and what is seen of it.

use std::net::Ipv4Addr;

use outrigger_lab::Lab;
use outrigger_testkit::client4::message;
use outrigger_testkit::{Client4, Relay4, Reply4Seen, UdpLink4};
use serde_json::Value;

use crate::clients::{Clients, lifetime};
use crate::config::RESERVED4;
use crate::marks::{DOMAIN_NAME, MARKED};
use crate::stage::Stage;

const HOST_NAME: u8 = 12;
const REQUESTED_ADDRESS: u8 = 50;
const LEASE_TIME: u8 = 51;

/// One client after the other behind a relay agent.
pub(crate) struct Clients4<'s> {
    stage: &'s Stage,
    link: UdpLink4,
    client: Client4,
    /// What the present one has leased.
    leased: Option<Reply4Seen>,
    /// What the next DISCOVER asks for.
    wanted: Option<Ipv4Addr>,
}

impl<'s> Clients4<'s> {
    pub(crate) fn new(stage: &'s Stage) -> Self {
        let link = stage
            .lab
            .relay()
            .enter(|| UdpLink4::relay(Lab::RELAY4, Lab::SERVER4));
        Self {
            stage,
            link: link.unwrap(),
            client: Client4::new([2, 0, 0, 0, 0, 0]),
            leased: None,
            wanted: None,
        }
    }

    fn exchange(&self, expected: &str, message: &[u8]) -> (String, Option<Reply4Seen>) {
        let ask = |wait| self.link.exchange(message, wait);
        let (held, answer) = self.stage.exchange(expected, ask);
        match answer {
            Ok(reply) => (format!("{held}{}", shown(&reply)), Some(reply)),
            Err(text) => (format!("{held}{text}"), None),
        }
    }

    /// DISCOVER and, where it is answered, REQUEST.
    fn lease(&mut self, expected: &str) -> String {
        let (first, second) = expected.split_once(", ").unwrap_or((expected, "-"));
        let mut client = self.client.clone();
        if let Some(wanted) = self.wanted {
            let option = (REQUESTED_ADDRESS, wanted.octets().to_vec());
            client.options.push(option);
        }
        let discover = client.discover();
        let (offer_text, offer) = self.exchange(first, &discover);
        let Some(offer) = offer else {
            return offer_text;
        };
        let request = self.client.request_selecting(&offer);
        let (ack_text, ack) = self.exchange(second, &request);
        self.leased = ack;
        format!("{offer_text}, {ack_text}")
    }

    /// Another client asks for the address of the present one.
    fn take_over(&mut self, expected: &str) -> String {
        let wanted = self.leased().yiaddr;
        self.client.hw_address[2] = 1;
        self.wanted = Some(wanted);
        let text = self.lease(expected);
        self.wanted = None;
        let taken = self.leased.as_ref().is_some_and(|ack| ack.yiaddr == wanted);
        text + if taken { " taken" } else { "" }
    }

    fn leased(&self) -> &Reply4Seen {
        self.leased
            .as_ref()
            .expect("the client was prepared with a lease")
    }
}

impl Clients for Clients4<'_> {
    fn next(&mut self, number: u16) {
        let [high, low] = number.to_be_bytes();
        self.client = Client4::new([2, 0, 0, 0, high, low]);
        self.client.options.push((HOST_NAME, b"plain".to_vec()));
        self.client.relay = Some(Relay4 {
            giaddr: Lab::RELAY4,
            relay_info: Vec::new(),
        });
        self.leased = None;
    }

    fn prepare(&mut self, scenario: &str) -> i128 {
        if matches!(
            scenario,
            "lease" | "offer" | "configure" | "replace" | "command" | "probe"
        ) {
            return 0;
        }
        let text = self.lease("OFFER, ACK");
        let leased = self.leased.as_ref().map(|reply| reply.message_type);
        assert_eq!(leased, Some(message::ACK), "no lease to begin with: {text}");
        if matches!(scenario, "recover" | "take over declined") {
            let decline = self.client.clone().decline(self.leased());
            self.link.send(&decline).unwrap();
        }
        2
    }

    fn act(&mut self, scenario: &str, expected: &str) -> Option<String> {
        let mut client = self.client.clone();
        let text = match scenario {
            "lease" => self.lease(expected),
            "take over" | "take over declined" => self.take_over(expected),
            "offer" | "discover again" => self.exchange(expected, &client.discover()).0,
            "renew" => {
                let renew = client.request_renewing(self.leased().yiaddr);
                self.exchange(expected, &renew).0
            }
            "release" => {
                let release = client.release(self.leased());
                self.exchange(expected, &release).0
            }
            "decline" => {
                let decline = client.decline(self.leased());
                self.exchange(expected, &decline).0
            }
            _ => return None,
        };
        Some(text)
    }

    fn is_reserved(&self, lease: &Value) -> bool {
        lease["ip-address"] == RESERVED4
    }

    fn counters(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("sent", "pkt4-sent"),
            ("dropped", "pkt4-receive-drop"),
            ("assigned", "assigned-addresses"),
            ("declined", "declined-addresses"),
        ]
    }
}

fn shown(reply: &Reply4Seen) -> String {
    let mut text = match reply.message_type {
        message::OFFER => "OFFER".to_owned(),
        message::ACK => "ACK".to_owned(),
        _ => "NAK".to_owned(),
    };
    if let Some(seconds) = reply.number(LEASE_TIME) {
        text += &format!(" {}", lifetime(seconds));
    }
    let is_elsewhere = reply.yiaddr.octets()[..3] == [198, 51, 102];
    let reserved: Ipv4Addr = RESERVED4.parse().unwrap();
    let name = reply.option(HOST_NAME).unwrap_or_default();
    for (holds, word) in [
        (is_elsewhere, " elsewhere"),
        (reply.yiaddr == reserved, " reserved"),
        (name.starts_with(MARKED.as_bytes()), " named"),
        (
            reply.option(DOMAIN_NAME) == Some(MARKED.as_bytes()),
            " marked",
        ),
    ] {
        if holds {
            text += word;
        }
    }
    text
}
