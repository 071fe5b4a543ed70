//! What the tests of user_chk have in common: the demo's configurations, and who takes part.

use std::net::{Ipv4Addr, Ipv6Addr};

use outrigger_lab::user_chk::{Link4, Link6, RecordedClient, UserChk};
use outrigger_lab::user_chk::{modem_duid, modem_mac, modem4, modem6};
use outrigger_testkit::{Client4, Client6, Reply4Seen, Reply6Seen};
use outrigger_testkit::{client4, client6};

pub(crate) const CONFIG6: &str = include_str!("../../deploy/demo/dhcp6.json");
pub(crate) const CONFIG4: &str = include_str!("../../deploy/demo/dhcp4.json");

/// The only addresses of subnet 1.
pub(crate) const PRIVILEGED6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 0xa);
pub(crate) const PRIVILEGED4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 10);

/// A client of one family, and how the outcome file names it.
pub(crate) struct Modem<C> {
    pub(crate) client: C,
    pub(crate) recorded: RecordedClient,
}

impl Modem<Client6> {
    pub(crate) fn v6(number: u8) -> Self {
        Self {
            client: modem6(number),
            recorded: RecordedClient::V6(modem_duid(number)),
        }
    }
}

impl Modem<Client4> {
    pub(crate) fn v4(number: u8) -> Self {
        Self {
            client: modem4(number),
            recorded: RecordedClient::V4(modem_mac(number)),
        }
    }
}

impl<C> Modem<C> {
    /// Its registry line without properties.
    pub(crate) fn line(&self) -> String {
        self.recorded.line("")
    }

    /// Its registry line with a boot file.
    pub(crate) fn line_with_bootfile(&self, bootfile: &str) -> String {
        self.recorded
            .line(&format!(r#", "bootfile" : "{bootfile}""#))
    }
}

/// Everything runs, for DHCPv6; the registry has these lines.
#[track_caller]
pub(crate) fn start6(registry: &[&str]) -> (UserChk, Link6) {
    let stack = UserChk::start(CONFIG6, registry);
    let link = stack.link6();
    (stack, link)
}

/// Everything runs, for DHCPv4; the registry has these lines.
#[track_caller]
pub(crate) fn start4(registry: &[&str]) -> (UserChk, Link4) {
    let stack = UserChk::start(CONFIG4, registry);
    let link = stack.link4();
    (stack, link)
}

/// Solicit and Request of a client, both recorded like this, with the configured lifetimes.
#[track_caller]
pub(crate) fn lease6(
    stack: &mut UserChk,
    link: &Link6,
    modem: &mut Modem<Client6>,
    registered: bool,
) -> Reply6Seen {
    let advertise = link.exchange(&modem.client.solicit());
    let address = only_address6(&advertise).to_string();
    stack.expect_record(&modem.recorded, &address, registered);
    let reply = link.exchange(&modem.client.request(&advertise));
    assert_eq!(reply.message_type, client6::message::REPLY);
    assert_eq!(reply.ias(), advertise.ias());
    stack.expect_record(&modem.recorded, &address, registered);
    reply
}

/// DHCPDISCOVER and DHCPREQUEST of a client, both recorded like this.
#[track_caller]
pub(crate) fn lease4(
    stack: &mut UserChk,
    link: &Link4,
    modem: &mut Modem<Client4>,
    registered: bool,
) -> Reply4Seen {
    let offer = link.exchange(&modem.client.discover());
    let address = offer.yiaddr.to_string();
    stack.expect_record(&modem.recorded, &address, registered);
    let ack = link.exchange(&modem.client.request_selecting(&offer));
    assert_eq!(ack.message_type, client4::message::ACK);
    assert_eq!(ack.yiaddr, offer.yiaddr);
    stack.expect_record(&modem.recorded, &address, registered);
    ack
}

/// The one address of an answer, which has the configured lifetimes.
#[track_caller]
pub(crate) fn only_address6(reply: &Reply6Seen) -> Ipv6Addr {
    let all: Vec<_> = reply.addresses().collect();
    let [address] = all[..] else {
        panic!("one address is expected: {reply:?}")
    };
    assert_eq!((address.preferred, address.valid), (300, 400));
    address.address
}

/// Address, preferred and valid lifetime of each address, in order of the addresses.
pub(crate) fn leases6(reply: &Reply6Seen) -> Vec<(Ipv6Addr, u32, u32)> {
    let mut leases: Vec<_> = reply
        .addresses()
        .map(|lease| (lease.address, lease.preferred, lease.valid))
        .collect();
    leases.sort();
    leases
}

/// Whether an address is one of subnet 2's pool, `3000::a` to `3000::f`.
pub(crate) fn is_restricted6(address: Ipv6Addr) -> bool {
    matches!(address.segments(), [0x3000, 0, 0, 0, 0, 0, 0, 0xa..=0xf])
}

/// Whether an address is one of subnet 2's pool, 198.51.100.10 to 198.51.100.15.
pub(crate) fn is_restricted4(address: Ipv4Addr) -> bool {
    matches!(address.octets(), [198, 51, 100, 10..=15])
}

/// Option 17 of an answer, from code to last byte.
pub(crate) fn option17_of(reply: &Reply6Seen) -> Option<Vec<u8>> {
    let data = reply.option(17)?;
    let length = u16::try_from(data.len()).unwrap();
    Some([&[0, 17], &length.to_be_bytes(), data].concat())
}
