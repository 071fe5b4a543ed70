//! What DHCPv6 clients do, and what is seen of it.

use std::net::Ipv6Addr;

use outrigger_lab::Lab;
use outrigger_testkit::client6::message;
use outrigger_testkit::reply6::StatusSeen;
use outrigger_testkit::{Client6, Hint6, Ia, Relay6, Reply6Seen, UdpLink6};
use serde_json::Value;

use crate::clients::{Clients, lifetime};
use crate::config::{RESERVED6, VALID};
use crate::marks::{DOMAIN_SEARCH, MARKED, search_list};
use crate::stage::Stage;

/// Where the relay agent got the messages from.
pub(crate) const PEER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 7);

const IA_ADDRESS: u16 = 5;
const FQDN: u16 = 39;

/// One client after the other behind a relay agent.
pub(crate) struct Clients6<'s> {
    stage: &'s Stage,
    link: UdpLink6,
    client: Client6,
    /// What the present one has leased.
    leased: Option<Reply6Seen>,
}

/// A client with this hardware address behind the relay agent.
pub(crate) fn client(hw_address: [u8; 6]) -> Client6 {
    let mut client = Client6::new(Client6::duid_ll(hw_address), vec![Ia::na(1)]);
    client.relays = vec![Relay6::new(Lab::RELAY6, PEER)];
    // RFC 4704 §4.1: the server is to update both; a name without its domain.
    client.options.push((FQDN, b"\x01\x05plain".to_vec()));
    client.requested.push(FQDN);
    client
}

impl<'s> Clients6<'s> {
    pub(crate) fn new(stage: &'s Stage) -> Self {
        let link = stage
            .lab
            .relay()
            .enter(|| UdpLink6::relay(Lab::RELAY6, Lab::SERVER6));
        Self {
            stage,
            link: link.unwrap(),
            client: client([2, 0, 0, 0, 0, 0]),
            leased: None,
        }
    }

    fn exchange(&self, expected: &str, message: &[u8]) -> (String, Option<Reply6Seen>) {
        let ask = |wait| self.link.exchange(message, wait);
        let (held, answer) = self.stage.exchange(expected, ask);
        match answer {
            Ok(reply) => (format!("{held}{}", shown(&reply)), Some(reply)),
            Err(text) => (format!("{held}{text}"), None),
        }
    }

    /// SOLICIT and, where it is answered, REQUEST.
    fn lease(&mut self, expected: &str) -> String {
        let (first, second) = expected.split_once(", ").unwrap_or((expected, "-"));
        let solicit = self.client.solicit();
        let (advertise_text, advertise) = self.exchange(first, &solicit);
        let Some(advertise) = advertise else {
            return advertise_text;
        };
        let request = self.client.request(&advertise);
        let (reply_text, reply) = self.exchange(second, &request);
        self.leased = reply;
        format!("{advertise_text}, {reply_text}")
    }

    /// Another client asks for the address of the present one.
    fn take_over(&mut self, expected: &str) -> String {
        let wanted = self.leased().addresses().next().map(|seen| seen.address);
        let wanted = wanted.expect("an address was leased");
        let mut hw_address = [2, 0, 1, 0, 0, 0];
        let number = self.client.duid.len() - 2;
        hw_address[4..].copy_from_slice(&self.client.duid[number..]);
        self.client = client(hw_address);
        self.client.ias[0].hints = vec![Hint6::Address(wanted)];
        let text = self.lease(expected);
        let leased = self.leased.as_ref();
        let taken =
            leased.is_some_and(|reply| reply.addresses().any(|seen| seen.address == wanted));
        text + if taken { " taken" } else { "" }
    }

    /// An address that the client makes itself, outside of the pools.
    fn made_address(&self) -> Ipv6Addr {
        let [.., high, low] = self.client.duid[..] else {
            panic!("a DUID has more than two bytes");
        };
        Ipv6Addr::new(
            0x2001,
            0xdb8,
            2,
            0,
            0xaaaa,
            0,
            0,
            u16::from_be_bytes([high, low]),
        )
    }

    fn leased(&self) -> &Reply6Seen {
        self.leased
            .as_ref()
            .expect("the client was prepared with a lease")
    }
}

impl Clients for Clients6<'_> {
    fn next(&mut self, number: u16) {
        let [high, low] = number.to_be_bytes();
        self.client = client([2, 0, 0, 0, high, low]);
        self.leased = None;
    }

    fn prepare(&mut self, scenario: &str) -> i128 {
        if scenario == "delegate" || scenario.ends_with(" prefix") {
            self.client.ias = vec![Ia::pd(1)];
        }
        if matches!(
            scenario,
            "lease" | "delegate" | "register" | "configure" | "replace" | "command" | "probe"
        ) {
            return 0;
        }
        let text = self.lease("ADVERTISE, REPLY");
        let leased = self.leased.as_ref();
        let leased =
            leased.is_some_and(|reply| reply.addresses().count() + reply.prefixes().count() == 1);
        assert!(leased, "no lease to begin with: {text}");
        if !matches!(scenario, "recover" | "take over declined") {
            return 2;
        }
        let decline = self.client.clone().decline(self.leased());
        let (text, reply) = self.exchange("REPLY", &decline);
        assert!(reply.is_some(), "no reply to DECLINE: {text}");
        3
    }

    fn act(&mut self, scenario: &str, expected: &str) -> Option<String> {
        let mut client = self.client.clone();
        let message = match scenario.trim_end_matches(" prefix") {
            "lease" | "delegate" => return Some(self.lease(expected)),
            "take over" | "take over declined" => return Some(self.take_over(expected)),
            "renew" => client.renew(self.leased()),
            "rebind" => client.rebind(self.leased()),
            "release" => client.release(self.leased()),
            "decline" => client.decline(self.leased()),
            "register" => {
                // RFC 9686 §4.2: it goes out from the address itself.
                let address = self.made_address();
                client.relays = vec![Relay6::new(Lab::RELAY6, address)];
                client.register(address, (VALID, VALID))
            }
            _ => return None,
        };
        Some(self.exchange(expected, &message).0)
    }

    fn is_reserved(&self, lease: &Value) -> bool {
        lease["ip-address"] == RESERVED6
    }

    fn counters(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("sent", "pkt6-sent"),
            ("dropped", "pkt6-receive-drop"),
            ("assigned", "assigned-nas"),
            ("delegated", "assigned-pds"),
            ("declined", "declined-addresses"),
        ]
    }
}

fn shown(reply: &Reply6Seen) -> String {
    let mut text = match reply.message_type {
        message::ADVERTISE => "ADVERTISE".to_owned(),
        message::ADDR_REG_REPLY => "ADDR-REG-REPLY".to_owned(),
        _ => "REPLY".to_owned(),
    };
    // Address, preferred and valid lifetime.
    if let Some(&[a, b, c, d]) = reply
        .option(IA_ADDRESS)
        .and_then(|option| option.get(20..24))
    {
        text += &format!(" {}", lifetime(u32::from_be_bytes([a, b, c, d])));
    }
    for ia in reply.ias() {
        for address in &ia.addresses {
            text += &format!(" {}", lifetime(address.valid));
        }
        for prefix in &ia.prefixes {
            text += &format!(" {}", lifetime(prefix.valid));
        }
        if let Some(status) = &ia.status {
            text += &format!(" ia={}", status_name(status));
        }
    }
    if let Some(status) = reply.status() {
        text += &format!(" all={}", status_name(&status));
    }
    let reserved: Ipv6Addr = RESERVED6.parse().unwrap();
    let is_elsewhere = |address: Ipv6Addr| address.segments()[..3] == [0x2001, 0xdb8, 4];
    let named = reply.option(FQDN).is_some_and(|option| {
        option
            .windows(MARKED.len())
            .any(|part| part == MARKED.as_bytes())
    });
    let marked = search_list(MARKED);
    for (holds, word) in [
        (
            reply.addresses().any(|seen| is_elsewhere(seen.address)),
            " elsewhere",
        ),
        (
            reply.addresses().any(|seen| seen.address == reserved),
            " reserved",
        ),
        (named, " named"),
        (
            reply
                .option(DOMAIN_SEARCH)
                .is_some_and(|found| found.starts_with(&marked[..7])),
            " marked",
        ),
    ] {
        if holds {
            text += word;
        }
    }
    text
}

/// RFC 9915 §21.13.
fn status_name(status: &StatusSeen) -> String {
    match status.code {
        0 => "Success".to_owned(),
        1 => "UnspecFail".to_owned(),
        2 => "NoAddrsAvail".to_owned(),
        3 => "NoBinding".to_owned(),
        4 => "NotOnLink".to_owned(),
        6 => "NoPrefixAvail".to_owned(),
        other => other.to_string(),
    }
}
