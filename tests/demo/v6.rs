//! Videos 1 and 2 over DHCPv6.

use std::net::Ipv6Addr;
use std::ops::RangeInclusive;

use outrigger_lab::PATIENCE;
use outrigger_lab::user_chk::{Link6, RecordedClient, UserChk, modem_duid, modem6};
use outrigger_testkit::client6::message;
use outrigger_testkit::{Client6, Reply6Seen};

use crate::expect::{CONFIGURED, Got6, must_get};
use crate::stage;

const CONFIG: &str = include_str!("../../deploy/demo/dhcp6.json");
/// The only address for those who are registered.
const PRIVILEGED: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 0xa);
/// The addresses for the others.
const POOL: RangeInclusive<Ipv6Addr> =
    Ipv6Addr::new(0x3000, 0, 0, 0, 0, 0, 0, 0xa)..=Ipv6Addr::new(0x3000, 0, 0, 0, 0, 0, 0, 0xf);
/// RFC 8415 §21.13.
const NO_ADDRS_AVAIL: u16 = 2;

struct Play {
    stack: UserChk,
    link: Link6,
}

/// A client of the play.
struct Modem {
    name: &'static str,
    client: Client6,
    recorded: RecordedClient,
    lease: Option<Reply6Seen>,
}

impl Modem {
    fn new(name: &'static str, number: u8) -> Self {
        Self {
            name,
            client: modem6(number),
            recorded: RecordedClient::V6(modem_duid(number)),
            lease: None,
        }
    }

    fn renew(&mut self) -> Vec<u8> {
        let lease = self.lease.as_ref().expect("the play leased before");
        self.client.renew(lease)
    }

    fn release(&mut self) -> Vec<u8> {
        let lease = self.lease.as_ref().expect("the play leased before");
        self.client.release(lease)
    }
}

pub(crate) fn play() {
    let mut stack = UserChk::new();
    stage::act(
        "Video 1, DHCPv6: the registry decides the subnet",
        "Registered clients stay in 2001:db8:1::/64 (one address), the others go to 3000::/64.",
    );
    stage::start(&mut stack, CONFIG, "DHCP6_STARTED");
    let mut play = Play {
        link: stack.link6(),
        stack,
    };
    let mut c = Modem::new("C", 1);
    play.video1(&mut c);
    stage::act(
        "Video 2, DHCPv6: the registry decides the boot file",
        "A client's line may name one; it takes the place of the configured one.",
    );
    play.video2(&mut c);
}

impl Play {
    fn video1(&mut self, c: &mut Modem) {
        stage::step("1.3", "C sends SOLICIT.");
        let advertise = self.solicit(c, false);
        stage::step("1.4", "C sends REQUEST.");
        self.request(c, &advertise, false);
        let restricted = restricted_address(&advertise);

        stage::step(
            "1.5",
            "C's line is added to the registry; nothing is restarted.",
        );
        self.stack.register(&[&c.recorded.line("")]);

        stage::step("1.6b", format!("C sends RENEW for {restricted}."));
        let expected = Got6::address(PRIVILEGED, CONFIGURED).withdrawing(restricted);
        self.renew(c, &expected, true);

        stage::step("1.6a", "C sends RELEASE, then SOLICIT and REQUEST.");
        self.release(c);
        self.lease(c, true);

        stage::step(
            "1.7",
            "D, who is not registered, sends SOLICIT and REQUEST.",
        );
        let mut d = Modem::new("D", 2);
        self.lease(&mut d, false);
        self.release(&mut d);

        stage::step(
            "1.8",
            "E, who is registered too, sends SOLICIT; C has the only address.",
        );
        let mut e = Modem::new("E", 3);
        self.stack
            .register(&[&c.recorded.line(""), &e.recorded.line("")]);
        let refused = self.link.exchange(&e.client.solicit());
        let expected = Got6::no_address(NO_ADDRS_AVAIL, CONFIGURED);
        self.granted_nothing(&e, &refused, &expected);
    }

    fn video2(&mut self, c: &mut Modem) {
        let privileged = |bootfile| Got6::address(PRIVILEGED, bootfile);
        stage::step("2.0", "C, registered without a boot file, sends RENEW.");
        self.renew(c, &privileged(CONFIGURED), true);
        for (number, file) in [("2.1", "/tmp/v6bootfile"), ("2.2", "/tmp/v6bootfile-2")] {
            stage::step(number, format!("C's line gets boot file {file}; RENEW."));
            self.set_bootfile(c, file);
            self.renew(c, &privileged(file), true);
        }

        stage::step(
            "2.3",
            "C's line is removed; RENEW. Without its line C loses the subnet too.",
        );
        self.stack.register(&[]);
        let reply = self.link.exchange(&c.renew());
        let restricted = restricted_address(&reply);
        let expected = Got6::address(restricted, CONFIGURED).withdrawing(PRIVILEGED);
        self.decided(c, reply, &expected, false);

        stage::step(
            "2.4",
            "A default user with /tmp/v6bootfile-2 is added; RENEW.",
        );
        let default_user =
            r#"{ "type" : "DUID", "id" : "00000000", "bootfile" : "/tmp/v6bootfile-2" }"#;
        self.stack.register(&[default_user]);
        self.renew(c, &Got6::address(restricted, "/tmp/v6bootfile-2"), false);

        stage::step("2.5", "C sends RENEW without asking for a boot file.");
        let asks = std::mem::take(&mut c.client.options);
        let expected = Got6 {
            option17: None,
            ..Got6::address(restricted, CONFIGURED)
        };
        self.renew(c, &expected, false);
        c.client.options = asks;

        stage::step(
            "2.6",
            "C's line is back with /tmp/v6bootfile, the default user gone; RENEW.",
        );
        self.set_bootfile(c, "/tmp/v6bootfile");
        let expected = privileged("/tmp/v6bootfile").withdrawing(restricted);
        self.renew(c, &expected, true);
        stage::step("", "C sends INFORMATION-REQUEST.");
        let reply = self.link.exchange(&c.client.information_request());
        self.granted_nothing(c, &reply, &Got6::no_address(0, "/tmp/v6bootfile"));
        self.broken_registry(c);
    }

    fn broken_registry(&mut self, c: &mut Modem) {
        stage::step(
            "2.7",
            "The registry is cut in the middle of a line; C sends RENEW.",
        );
        self.stack
            .register(&[r#"{ "type" : "DUID", "id" : "00:01:0"#]);
        let alarm = "the last good version stays in force";
        self.stack.service().wait_for_line(alarm, PATIENCE);
        stage::service(format!("ALARM in its log, with path and line: {alarm}"));
        self.renew(c, &Got6::address(PRIVILEGED, "/tmp/v6bootfile"), true);
        stage::step("", "D, who is not registered, sends SOLICIT and REQUEST.");
        self.lease(&mut Modem::new("D", 2), false);
    }

    fn set_bootfile(&self, modem: &Modem, file: &str) {
        let property = format!(r#", "bootfile" : "{file}""#);
        self.stack.register(&[&modem.recorded.line(&property)]);
    }

    /// SOLICIT and REQUEST.
    fn lease(&mut self, modem: &mut Modem, registered: bool) {
        let advertise = self.solicit(modem, registered);
        self.request(modem, &advertise, registered);
    }

    fn solicit(&mut self, modem: &mut Modem, registered: bool) -> Reply6Seen {
        let advertise = self.link.exchange(&modem.client.solicit());
        let address = if registered {
            PRIVILEGED
        } else {
            restricted_address(&advertise)
        };
        let expected = Got6::address(address, CONFIGURED);
        self.decided(modem, advertise.clone(), &expected, registered);
        advertise
    }

    fn request(&mut self, modem: &mut Modem, advertise: &Reply6Seen, registered: bool) {
        let reply = self.link.exchange(&modem.client.request(advertise));
        self.decided(modem, reply, &Got6::of(advertise), registered);
    }

    fn renew(&mut self, modem: &mut Modem, expected: &Got6, registered: bool) {
        let reply = self.link.exchange(&modem.renew());
        self.decided(modem, reply, expected, registered);
    }

    fn release(&self, modem: &mut Modem) {
        self.link.exchange(&modem.release());
        self.stack.expect_no_record();
    }

    /// Checks and prints an answer that grants an address, and its record; keeps it as the lease.
    fn decided(&mut self, modem: &mut Modem, reply: Reply6Seen, expected: &Got6, registered: bool) {
        let Modem { name, recorded, .. } = modem;
        let got = Got6::of(&reply);
        must_get(name, &got, expected);
        let granted = got.granted.first().map(Ipv6Addr::to_string);
        let granted = granted.expect("what is decided grants an address");
        self.stack.expect_record(recorded, &granted, registered);
        let decision = if registered {
            "is registered: subnet 1"
        } else {
            "is not registered: subnet 2"
        };
        stage::service(format!("{name} {decision}; recorded {granted}"));
        show(name, &reply, &got);
        modem.lease = Some(reply);
    }

    /// Checks and prints an answer without an address, which must not be recorded.
    fn granted_nothing(&self, modem: &Modem, reply: &Reply6Seen, expected: &Got6) {
        let got = Got6::of(reply);
        must_get(modem.name, &got, expected);
        self.stack.expect_no_record();
        stage::service(format!(
            "{} is registered: subnet 1; nothing granted, nothing recorded",
            modem.name
        ));
        show(modem.name, reply, &got);
    }
}

fn show(name: &str, reply: &Reply6Seen, got: &Got6) {
    let message = match reply.message_type {
        message::ADVERTISE => "ADVERTISE",
        _ => "REPLY",
    };
    stage::client(format!("{name} gets {message}: {got}"));
}

/// The address that was granted, which has to be one of subnet 2's pool.
fn restricted_address(reply: &Reply6Seen) -> Ipv6Addr {
    let got = Got6::of(reply);
    match got.granted[..] {
        [address] if POOL.contains(&address) => address,
        _ => panic!("the client must get one of 3000::a to 3000::f and gets {got}"),
    }
}
