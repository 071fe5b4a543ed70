//! A shorter play of both videos over DHCPv4.

use std::net::Ipv4Addr;
use std::ops::RangeInclusive;

use outrigger_lab::user_chk::{Link4, RecordedClient, UserChk, modem_mac, modem4};
use outrigger_testkit::client4::message;
use outrigger_testkit::{Client4, Reply4Seen};

use crate::expect::{CONFIGURED, Got4, must_get};
use crate::stage;

const CONFIG: &str = include_str!("../../deploy/demo/dhcp4.json");
/// The only address for those who are registered.
const PRIVILEGED: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 10);
/// The addresses for the others.
const POOL: RangeInclusive<Ipv4Addr> =
    Ipv4Addr::new(198, 51, 100, 10)..=Ipv4Addr::new(198, 51, 100, 15);
const CONFIGURED_TFTP: &str = "tftp-from-config.example.net";

struct Play {
    stack: UserChk,
    link: Link4,
    client: Client4,
    recorded: RecordedClient,
}

pub(crate) fn play() {
    let mut stack = UserChk::new();
    stage::act(
        "Both videos, DHCPv4",
        "Registered clients stay in 192.0.2.0/24 (one address), the others go to 198.51.100.0/24.",
    );
    stage::start(&mut stack, CONFIG, "DHCP4_STARTED");
    let mut play = Play {
        link: stack.link4(),
        stack,
        client: modem4(1),
        recorded: RecordedClient::V4(modem_mac(1)),
    };
    play.video1();
    play.video2();
}

impl Play {
    fn video1(&mut self) {
        stage::step("1.3", "C sends DISCOVER.");
        let offer = self.link.exchange(&self.client.discover());
        let restricted = restricted_address(&offer);
        let expected = |kind| Got4::address(kind, restricted, CONFIGURED, CONFIGURED_TFTP);
        self.decided(&offer, &expected(message::OFFER), false);
        stage::step("1.4", "C sends REQUEST.");
        let ack = self.link.exchange(&self.client.request_selecting(&offer));
        self.decided(&ack, &expected(message::ACK), false);

        stage::step(
            "1.5",
            "C's line is added to the registry; nothing is restarted.",
        );
        self.register("");

        stage::step("1.6", format!("C sends REQUEST to extend {restricted}."));
        let nak = self
            .link
            .exchange(&self.client.request_rebinding(restricted));
        let refused = Got4::refused();
        must_get("C", &Got4::of(&nak), &refused);
        self.stack.expect_no_record();
        stage::service("C is registered: subnet 1; nothing granted, nothing recorded");
        stage::client(format!("C gets {refused}"));
        stage::step("", "C begins anew: DISCOVER and REQUEST.");
        let expected = |kind| Got4::address(kind, PRIVILEGED, CONFIGURED, CONFIGURED_TFTP);
        let offer = self.link.exchange(&self.client.discover());
        self.decided(&offer, &expected(message::OFFER), true);
        let ack = self.link.exchange(&self.client.request_selecting(&offer));
        self.decided(&ack, &expected(message::ACK), true);
        self.stack.give_client_address(PRIVILEGED);
    }

    fn video2(&mut self) {
        let files = [("2.1", "/tmp/v4bootfile"), ("2.2", "/tmp/v4bootfile-2")];
        for (number, file) in files {
            stage::step(
                number,
                format!("C's line gets boot file {file} and a TFTP server; REQUEST to extend."),
            );
            let tftp = "tftp.example.net";
            self.register(&format!(
                r#", "bootfile" : "{file}", "tftp_server" : "{tftp}""#
            ));
            let ack = self
                .link
                .exchange(&self.client.request_rebinding(PRIVILEGED));
            let expected = Got4::address(message::ACK, PRIVILEGED, file, tftp);
            self.decided(&ack, &expected, true);
        }
    }

    fn register(&self, properties: &str) {
        self.stack.register(&[&self.recorded.line(properties)]);
    }

    /// Checks and prints an answer that grants an address, and its record.
    fn decided(&mut self, reply: &Reply4Seen, expected: &Got4, registered: bool) {
        let got = Got4::of(reply);
        must_get("C", &got, expected);
        let granted = got.yiaddr;
        self.stack
            .expect_record(&self.recorded, &granted.to_string(), registered);
        let decision = if registered {
            "is registered: subnet 1"
        } else {
            "is not registered: subnet 2"
        };
        stage::service(format!("C {decision}; recorded {granted}"));
        stage::client(format!("C gets {got}"));
    }
}

/// The address that was granted, which has to be one of subnet 2's pool.
fn restricted_address(reply: &Reply4Seen) -> Ipv4Addr {
    let address = reply.yiaddr;
    assert!(
        POOL.contains(&address),
        "C must get one of 198.51.100.10 to 198.51.100.15; it gets {address}"
    );
    address
}
