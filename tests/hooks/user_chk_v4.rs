//! Both videos over DHCPv4.

use std::net::Ipv4Addr;

use outrigger_lab::PATIENCE;
use outrigger_lab::user_chk::{Link4, UserChk};
use outrigger_testkit::client4::message;
use outrigger_testkit::{Client4, Reply4Seen};

use crate::user_chk_stage::{CONFIG4, Modem, PRIVILEGED4, is_restricted4, lease4, start4};

const FROM_CONFIG: Boot = Boot("/tmp/bootfile-from-config", "tftp-from-config.example.net");
const DEFAULT_USER: &str =
    r#"{ "type" : "HW_ADDR", "id" : "00000000", "bootfile" : "/tmp/v4bootfile-2" }"#;
/// sysexits.h: a wrong configuration.
const EX_CONFIG: i32 = 78;

/// Boot file, in option 67 and the file field, and TFTP server, in option 66.
struct Boot(&'static str, &'static str);

#[track_caller]
fn assert_boot(reply: &Reply4Seen, boot: &Boot) {
    let Boot(file, tftp_server) = boot;
    assert_eq!(reply.option(67), Some(file.as_bytes()));
    assert_eq!(reply.file, file.as_bytes());
    assert_eq!(reply.option(66), Some(tftp_server.as_bytes()));
}

// Row 1.1.
#[test]
fn server_that_refuses_to_start_names_the_service_and_the_missing_registry() {
    let mut stack = UserChk::new();
    stack.start_service();
    let registry = stack.registry().display().to_string();
    stack.service().wait_for_line(&registry, PATIENCE);
    stack.launch_server(&CONFIG4.replace(r#""wait""#, r#""refuse""#));
    let server = &stack.server().process;
    assert_eq!(server.wait(PATIENCE).unwrap().code(), Some(EX_CONFIG));
    let text = server.text();
    let last = text.lines().last().unwrap();
    assert!(last.contains("user-chk"), "{text}");
    assert!(last.contains(&registry), "{text}");
}

// Rows 1.1 and 1.2.
#[test]
fn server_waits_for_the_registry_and_starts_when_there_is_an_empty_one() {
    let mut stack = UserChk::new();
    stack.start_service();
    stack.launch_server(CONFIG4);
    let server = &stack.server().process;
    server.wait_for_line("refuses", PATIENCE);
    assert_eq!(server.count_lines("DHCP4_STARTED"), 0);
    stack.write_registry(&[]);
    server.wait_for_line("DHCP4_STARTED", PATIENCE);
    assert!(stack.outcome().exists());
    stack.expect_no_record();
}

// Rows 1.3 and 1.4.
#[test]
fn unregistered_client_gets_an_address_of_the_restricted_subnet() {
    let (mut stack, link) = start4(&[]);
    let ack = lease4(&mut stack, &link, &mut Modem::v4(1), false);
    assert!(is_restricted4(ack.yiaddr), "{ack:?}");
    assert_eq!(ack.number(51), Some(400));
    assert_boot(&ack, &FROM_CONFIG);
}

// Rows 1.5 and 1.6a.
#[test]
fn client_that_is_registered_gets_the_privileged_address_at_its_next_discover() {
    let (mut stack, link) = start4(&[]);
    let mut c = Modem::v4(1);
    let ack = lease4(&mut stack, &link, &mut c, false);
    link.send(&c.client.release(&ack));
    stack.register(&[&c.line()]);
    let ack = lease4(&mut stack, &link, &mut c, true);
    assert_eq!(ack.yiaddr, PRIVILEGED4);
    assert_boot(&ack, &FROM_CONFIG);
}

// Rows 1.5 and 1.6b: in DHCPv4 a lease cannot be exchanged for another on the way.
#[test]
fn client_that_extends_an_address_of_the_other_subnet_gets_a_nak_and_begins_anew() {
    let (mut stack, link) = start4(&[]);
    let mut c = Modem::v4(1);
    let old = lease4(&mut stack, &link, &mut c, false).yiaddr;
    stack.register(&[&c.line_with_bootfile("/tmp/v4bootfile")]);
    let nak = link.exchange(&c.client.request_rebinding(old));
    assert_eq!(nak.message_type, message::NAK);
    assert_eq!((nak.option(66), nak.option(67)), (None, None));
    let ack = lease4(&mut stack, &link, &mut c, true);
    assert_eq!(ack.yiaddr, PRIVILEGED4);
}

// Row 1.7.
#[test]
fn another_client_stays_restricted_while_the_first_is_registered() {
    let (mut stack, link) = start4(&[&Modem::v4(1).line()]);
    let mut d = Modem::v4(2);
    let ack = lease4(&mut stack, &link, &mut d, false);
    assert!(is_restricted4(ack.yiaddr), "{ack:?}");
    link.send(&d.client.release(&ack));
    let ack = lease4(&mut stack, &link, &mut Modem::v4(3), false);
    assert!(is_restricted4(ack.yiaddr), "{ack:?}");
}

// Row 1.8: without an address there is no DHCPv4 answer.
#[test]
fn registered_client_gets_no_answer_while_the_pool_is_exhausted_and_nothing_is_recorded() {
    let (mut c, mut e) = (Modem::v4(1), Modem::v4(3));
    let (mut stack, link) = start4(&[&c.line(), &e.line()]);
    lease4(&mut stack, &link, &mut c, true);
    link.expect_silence(&e.client.discover());
    // What comes later in the file shows that nothing was recorded in between.
    lease4(&mut stack, &link, &mut c, true);
}

/// C, who has the privileged address and uses it, and everything that runs.
struct Bound {
    stack: UserChk,
    link: Link4,
    c: Modem<Client4>,
}

impl Bound {
    /// C is registered with these properties.
    #[track_caller]
    fn new(properties: &str) -> Self {
        let mut c = Modem::v4(1);
        let (mut stack, link) = start4(&[&c.recorded.line(properties)]);
        let ack = lease4(&mut stack, &link, &mut c, true);
        assert_eq!(ack.yiaddr, PRIVILEGED4);
        stack.give_client_address(PRIVILEGED4);
        Self { stack, link, c }
    }

    /// Extends the lease; the answer has this boot file and TFTP server.
    #[track_caller]
    fn renew(&mut self, boot: &Boot) {
        let request = self.c.client.request_rebinding(PRIVILEGED4);
        let ack = self.link.exchange(&request);
        assert_eq!((ack.message_type, ack.yiaddr), (message::ACK, PRIVILEGED4));
        assert_boot(&ack, boot);
        let address = PRIVILEGED4.to_string();
        self.stack.expect_record(&self.c.recorded, &address, true);
    }
}

// Rows 2.0, 2.1 and 2.2.
#[test]
fn boot_file_and_tftp_server_follow_the_registry_and_nothing_is_restarted() {
    let mut bound = Bound::new("");
    bound.renew(&FROM_CONFIG);
    for (properties, boot) in [
        (
            r#", "bootfile" : "/tmp/v4bootfile""#,
            Boot("/tmp/v4bootfile", FROM_CONFIG.1),
        ),
        (
            r#", "bootfile" : "/tmp/v4bootfile-2", "tftp_server" : "tftp.example.net""#,
            Boot("/tmp/v4bootfile-2", "tftp.example.net"),
        ),
        (
            r#", "tftp_server" : "tftp.example.net""#,
            Boot(FROM_CONFIG.0, "tftp.example.net"),
        ),
    ] {
        bound.stack.register(&[&bound.c.recorded.line(properties)]);
        bound.renew(&boot);
    }
    assert!(bound.stack.service().is_running());
    assert!(bound.stack.server().process.is_running());
}

// Row 2.3.
#[test]
fn client_whose_line_is_removed_gets_a_nak_and_then_the_restricted_subnet() {
    let mut bound = Bound::new(r#", "bootfile" : "/tmp/v4bootfile""#);
    bound.stack.register(&[]);
    let request = bound.c.client.request_rebinding(PRIVILEGED4);
    let nak = bound.link.exchange(&request);
    assert_eq!(nak.message_type, message::NAK);
    let ack = lease4(&mut bound.stack, &bound.link, &mut bound.c, false);
    assert!(is_restricted4(ack.yiaddr), "{ack:?}");
    assert_boot(&ack, &FROM_CONFIG);
}

// Rows 2.4 and 2.5: in DHCPv4 the client need not have asked.
#[test]
fn default_user_decides_the_boot_file_of_unregistered_clients_whether_they_ask_or_not() {
    let (mut stack, link) = start4(&[DEFAULT_USER]);
    let mut c = Modem::v4(1);
    let ack = lease4(&mut stack, &link, &mut c, false);
    assert_boot(&ack, &Boot("/tmp/v4bootfile-2", FROM_CONFIG.1));

    c.client.options = vec![(55, vec![1, 3])];
    let ack = lease4(&mut stack, &link, &mut c, false);
    assert_eq!(ack.option(67), Some(&b"/tmp/v4bootfile-2"[..]));
    assert_eq!(ack.file, b"/tmp/v4bootfile-2");
    assert_eq!(
        ack.option(66),
        None,
        "the default user names no TFTP server"
    );
}

// Row 2.6. The answer to DHCPINFORM has no address, and is recorded as Kea records it.
#[test]
fn inform_gets_the_boot_file_and_is_recorded_without_address() {
    let mut bound = Bound::new(r#", "bootfile" : "/tmp/v4bootfile""#);
    let ack = bound.link.exchange(&bound.c.client.inform(PRIVILEGED4));
    assert_eq!(ack.yiaddr, Ipv4Addr::UNSPECIFIED);
    assert_boot(&ack, &Boot("/tmp/v4bootfile", FROM_CONFIG.1));
    let recorded = &bound.c.recorded;
    bound.stack.expect_record(recorded, "0.0.0.0", true);
}

// Row 2.7.
#[test]
fn broken_registry_leaves_both_decisions_as_they_were_and_raises_an_alarm() {
    let mut bound = Bound::new(r#", "bootfile" : "/tmp/v4bootfile""#);
    bound
        .stack
        .register(&[r#"{ "type" : "HW_ADDR", "id" : "52:5"#]);
    let registry = bound.stack.registry().display().to_string();
    let alarm = format!("{registry}: line 1");
    let line = bound.stack.service().wait_for_line(&alarm, PATIENCE);
    assert!(line.contains("alarm"), "{line}");
    bound.renew(&Boot("/tmp/v4bootfile", FROM_CONFIG.1));
    let ack = lease4(&mut bound.stack, &bound.link, &mut Modem::v4(2), false);
    assert!(is_restricted4(ack.yiaddr), "{ack:?}");
}
