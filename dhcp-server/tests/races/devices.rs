//! Clients that try until they have a lease.

use crate::common::Whole;
use outrigger_server::served::Served;
use outrigger_server::telemetry::DiscardReason;
use outrigger_testkit::client4::message as message4;
use outrigger_testkit::client6::message as message6;
use outrigger_testkit::{Client4, Client6, Ia, LossyPath, Relay4, Relay6, Reply4Seen, Reply6Seen};
use outrigger_wire::Link;
use std::collections::HashMap;
use std::net::IpAddr;

/// A client with its state.
pub(super) trait Device {
    /// What tells it from the others.
    fn key(&self) -> Vec<u8>;
    /// Whose answer this is.
    fn key_of(answer: &[u8]) -> Vec<u8>;
    /// What it sends now, again and again.
    fn next(&mut self) -> Vec<u8>;
    /// Takes an answer.
    fn hear(&mut self, answer: &[u8]);
    /// What it has.
    fn leased(&self) -> Option<IpAddr>;
}

/// Lets all devices try until each has a lease; loses `percent` of the packets both ways. Yields the leases in the order
/// of the devices.
pub(super) fn serve_all<F: Served, D: Device>(
    server: &Whole<F>,
    mut devices: Vec<D>,
    link: &Link,
    percent: u8,
) -> Vec<IpAddr> {
    const PATIENCE: u64 = 60;
    let places: HashMap<Vec<u8>, usize> = devices.iter().map(Device::key).zip(0..).collect();
    assert_eq!(places.len(), devices.len());
    for round in 0..PATIENCE {
        let (mut up, mut down) = (
            LossyPath::new(round, percent),
            LossyPath::new(!round, percent),
        );
        for device in devices
            .iter_mut()
            .filter(|device| device.leased().is_none())
        {
            up.send(device.next());
        }
        let arriving = std::iter::from_fn(|| up.receive()).map(|packet| (packet, link.clone()));
        for answer in server.exchange(arriving) {
            down.send(answer.bytes.to_vec());
        }
        while let Some(answer) = down.receive() {
            devices[places[&D::key_of(&answer)]].hear(&answer);
        }
        if let Some(leased) = devices.iter().map(Device::leased).collect() {
            assert_eq!(server.discards.of(DiscardReason::Defect), 0);
            return leased;
        }
    }
    let waiting = devices.iter().filter(|device| device.leased().is_none());
    panic!(
        "{} devices have nothing after {PATIENCE} rounds",
        waiting.count()
    );
}

/// A DHCPv4 client behind a relay.
pub(super) struct Device4 {
    pub(super) client: Client4,
    offer: Option<Reply4Seen>,
    leased: Option<IpAddr>,
}

impl Device4 {
    pub(super) fn new(number: u16, client_id: Option<Vec<u8>>) -> Self {
        let [high, low] = number.to_be_bytes();
        let mut client = Client4::new([2, 0, 0, 0, high, low]);
        // An identifier must not be two machines'.
        client.client_id = client_id.map(|id| [&id[..], &[high, low]].concat());
        client.relay = Some(Relay4 {
            giaddr: crate::common::RELAY4,
            relay_info: Vec::new(),
        });
        Self {
            client,
            offer: None,
            leased: None,
        }
    }
}

impl Device for Device4 {
    fn key(&self) -> Vec<u8> {
        let id = self.client.client_id.as_deref().unwrap_or_default();
        [&self.client.hw_address, id].concat()
    }

    fn key_of(answer: &[u8]) -> Vec<u8> {
        let reply = Reply4Seen::parse(answer).unwrap();
        [&reply.hw_address, reply.option(61).unwrap_or_default()].concat()
    }

    fn next(&mut self) -> Vec<u8> {
        match &self.offer {
            Some(offer) => self.client.request_selecting(offer),
            None => self.client.discover(),
        }
    }

    fn hear(&mut self, answer: &[u8]) {
        let reply = Reply4Seen::parse(answer).unwrap();
        match (reply.message_type, &self.offer) {
            (message4::OFFER, None) => self.offer = Some(reply),
            (message4::ACK, Some(_)) => self.leased = Some(reply.yiaddr.into()),
            (message4::NAK, Some(_)) => self.offer = None,
            _ => {}
        }
    }

    fn leased(&self) -> Option<IpAddr> {
        self.leased
    }
}

/// A DHCPv6 client behind a relay that wants a prefix.
pub(super) struct Device6 {
    client: Client6,
    advertise: Option<Reply6Seen>,
    leased: Option<IpAddr>,
}

impl Device6 {
    pub(super) fn new(number: u16) -> Self {
        let [high, low] = number.to_be_bytes();
        let duid = Client6::duid_ll([2, 0, 0, 0, high, low]);
        let mut client = Client6::new(duid, vec![Ia::pd(1)]);
        let relay = Relay6::new("2001:db8:1::1".parse().unwrap(), "fe80::7".parse().unwrap());
        client.relays = vec![relay];
        Self {
            client,
            advertise: None,
            leased: None,
        }
    }
}

impl Device for Device6 {
    fn key(&self) -> Vec<u8> {
        self.client.duid.clone()
    }

    fn key_of(answer: &[u8]) -> Vec<u8> {
        let reply = Reply6Seen::parse(answer).unwrap();
        reply.client_id().expect("echoed").to_vec()
    }

    fn next(&mut self) -> Vec<u8> {
        match &self.advertise {
            Some(advertise) => self.client.request(advertise),
            None => self.client.solicit(),
        }
    }

    fn hear(&mut self, answer: &[u8]) {
        let reply = Reply6Seen::parse(answer).unwrap();
        let prefix = reply.prefixes().next().map(|seen| seen.prefix.into());
        match (reply.message_type, prefix) {
            (message6::ADVERTISE, Some(_)) => self.advertise = Some(reply),
            (message6::REPLY, Some(prefix)) => self.leased = Some(prefix),
            // NoPrefixAvail.
            _ => self.advertise = None,
        }
    }

    fn leased(&self) -> Option<IpAddr> {
        self.leased
    }
}
