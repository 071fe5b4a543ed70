//! What user_chk does where something is missing, broken or odd, and what it leaves alone.

use std::process::Command;

use outrigger_lab::user_chk::{UserChk, modem_duid, option17};
use outrigger_lab::{Lab, PATIENCE};
use outrigger_testkit::client6::message;
use outrigger_testkit::{Ia, IaKind, LinkError, Reply6Seen, UdpLink4};

use crate::user_chk_stage::{CONFIG4, CONFIG6, Modem, PRIVILEGED4, PRIVILEGED6};
use crate::user_chk_stage::{is_restricted4, is_restricted6, lease4, lease6};
use crate::user_chk_stage::{only_address6, option17_of, start4, start6};

/// sysexits.h: an input or output error.
const EX_IOERR: i32 = 74;
const FROM_CONFIG: &str = "/tmp/bootfile-from-config";

/// The configuration with further members in subnet 1.
fn config6_with(members: &str) -> String {
    let subnet = r#""subnet": "2001:db8:1::/64","#;
    assert!(CONFIG6.contains(subnet));
    CONFIG6.replace(subnet, &format!("{subnet} {members},"))
}

// In Kea this opens the gate for everybody, although the last good registry is in memory.
#[test]
fn removed_registry_stays_in_force_and_raises_an_alarm() {
    let mut c = Modem::v6(1);
    let (mut stack, link) = start6(&[&c.line()]);
    std::fs::remove_file(stack.registry()).unwrap();
    stack.wait_for_reload();
    let alarm = stack.service().wait_for_line("alarm", PATIENCE);
    let registry = stack.registry().display().to_string();
    assert!(alarm.contains(&registry), "{alarm}");
    let reply = lease6(&mut stack, &link, &mut c, true);
    assert_eq!(only_address6(&reply), PRIVILEGED6);
    let reply = lease6(&mut stack, &link, &mut Modem::v6(2), false);
    assert!(is_restricted6(only_address6(&reply)));
}

#[test]
fn service_whose_outcome_file_cannot_be_opened_ends_and_names_it() {
    let stack = UserChk::new();
    stack.write_registry(&[]);
    let outcome = stack.lab().dir().join("no-such-folder/outcome.txt");
    let mut command = Command::new(UserChk::program());
    command
        .args(["--listen", UserChk::ENDPOINT, "--registry"])
        .arg(stack.registry())
        .arg("--outcome")
        .arg(&outcome);
    let ended = stack.lab().server().run(command);
    assert_eq!(ended.status.code(), Some(EX_IOERR), "{}", ended.text);
    let named = outcome.display().to_string();
    assert!(ended.text.contains(&named), "{}", ended.text);
}

#[test]
fn outcome_file_of_an_earlier_run_is_continued() {
    let mut c = Modem::v6(1);
    let (mut stack, link) = start6(&[&c.line()]);
    lease6(&mut stack, &link, &mut c, true);
    stack.start_service();
    stack.start_server(CONFIG6);
    lease6(&mut stack, &link, &mut c, true);
}

// Section 8: without client identifier the client is not registered; the gate fails closed.
#[test]
fn client_without_identifier_gets_what_unregistered_clients_get_and_is_not_recorded() {
    let default_user =
        r#"{ "type" : "DUID", "id" : "00000000", "bootfile" : "/tmp/v6bootfile-2" }"#;
    let (stack, link) = start6(&[default_user]);
    let mut request = Modem::v6(1).client.information_request();
    let client_id = 4..4 + 4 + modem_duid(1).len();
    request.drain(client_id);
    let reply = link.exchange(&request);
    assert_eq!(option17_of(&reply), Some(option17("/tmp/v6bootfile-2")));
    stack.expect_no_record();
}

#[test]
fn with_one_subnet_registration_decides_the_boot_file_alone() {
    let config = CONFIG6.replace(
        r#""restricted-subnet-id": 2"#,
        r#""restricted-subnet-id": 1"#,
    );
    let mut c = Modem::v6(1);
    let mut stack = UserChk::start(&config, &[]);
    let link = stack.link6();
    let reply = lease6(&mut stack, &link, &mut c, false);
    assert_eq!(only_address6(&reply), PRIVILEGED6);
    stack.register(&[&c.line_with_bootfile("/tmp/v6bootfile")]);
    let reply = lease6(&mut stack, &link, &mut c, true);
    assert_eq!(only_address6(&reply), PRIVILEGED6);
    assert_eq!(option17_of(&reply), Some(option17("/tmp/v6bootfile")));
}

#[test]
fn restricted_subnet_that_does_not_exist_is_refused_by_name() {
    let config = CONFIG6
        .replace(
            r#""restricted-subnet-id": 2"#,
            r#""restricted-subnet-id": 9"#,
        )
        .replace(r#""wait""#, r#""refuse""#);
    let mut stack = UserChk::new();
    stack.write_registry(&[]);
    stack.start_service();
    stack.launch_server(&config);
    let server = &stack.server().process;
    assert_eq!(server.wait(PATIENCE).unwrap().code(), Some(78));
    let text = server.text();
    assert!(text.contains("there is no subnet 9"), "{text}");
}

// RFC 2131 §2: the file field holds 128 bytes.
#[test]
fn boot_file_longer_than_the_field_is_sent_as_option_only_and_the_server_logs_a_warning() {
    let mut c = Modem::v4(1);
    let long = format!("/{}", "b".repeat(128));
    let properties = format!(r#", "bootfile" : "{long}", "tftp_server" : "tftp.example.net""#);
    let (mut stack, link) = start4(&[&c.recorded.line(&properties)]);
    let ack = lease4(&mut stack, &link, &mut c, true);
    assert_eq!(ack.yiaddr, PRIVILEGED4);
    assert_eq!(ack.option(67), Some(long.as_bytes()));
    assert_eq!(ack.file, FROM_CONFIG.as_bytes());
    assert_eq!(ack.option(66), Some(&b"tftp.example.net"[..]));
    let server = &stack.server().process;
    let line = server.wait_for_line("hook service warns", PATIENCE);
    assert!(line.contains("129 bytes"), "{line}");
}

// Section 5.6.
#[test]
fn confirm_decline_and_release_are_neither_recorded_nor_changed() {
    let mut c = Modem::v6(1);
    let (mut stack, link) = start6(&[&c.line_with_bootfile("/tmp/v6bootfile")]);
    let lease = lease6(&mut stack, &link, &mut c, true);
    for sent in [c.client.confirm(&lease), c.client.release(&lease)] {
        let reply = link.exchange(&sent);
        assert_eq!(reply.message_type, message::REPLY);
        assert_ne!(option17_of(&reply), Some(option17("/tmp/v6bootfile")));
    }
    let lease = lease6(&mut stack, &link, &mut c, true);
    let reply = link.exchange(&c.client.decline(&lease));
    assert_eq!(reply.message_type, message::REPLY);
    assert_ne!(option17_of(&reply), Some(option17("/tmp/v6bootfile")));
    // What comes later in the file shows that nothing was recorded in between.
    lease6(&mut stack, &link, &mut Modem::v6(2), false);
}

// Section 5.6.
#[test]
fn rapid_commit_is_recorded_once() {
    let mut c = Modem::v6(1);
    c.client.rapid_commit = true;
    let mut stack = UserChk::start(&config6_with(r#""rapid-commit": true"#), &[&c.line()]);
    let reply = stack.link6().exchange(&c.client.solicit());
    assert!(reply.rapid_commit());
    stack.expect_record(&c.recorded, &only_address6(&reply).to_string(), true);
}

// Section 5.5: the first IA_NA; where there is none, the first IA_PD with its length.
#[test]
fn delegated_prefix_is_recorded_with_its_length_where_no_address_was_asked_for() {
    let pool =
        r#""pd-pools": [ { "prefix": "2001:db8:f000::", "prefix-len": 40, "delegated-len": 56 } ]"#;
    let mut c = Modem::v6(1);
    let mut stack = UserChk::start(&config6_with(pool), &[&c.line()]);
    let link = stack.link6();
    c.client.ias = vec![Ia::pd(7)];
    let advertise = link.exchange(&c.client.solicit());
    let ia = advertise.ia(IaKind::Pd, 7).unwrap();
    let prefix = format!("{}/56", ia.prefixes[0].prefix);
    stack.expect_record(&c.recorded, &prefix, true);

    c.client.ias = vec![Ia::pd(7), Ia::na(1)];
    let advertise = link.exchange(&c.client.solicit());
    let address = only_address6(&advertise).to_string();
    stack.expect_record(&c.recorded, &address, true);
}

/// Sub-options 32 and 33 of option 17, in this order; empty where there is none.
fn vendor_options(reply: &Reply6Seen) -> [Vec<u8>; 2] {
    let mut found = [Vec::new(), Vec::new()];
    let mut rest = &reply.option(17).unwrap()[4..];
    while let [0, code, 0, length, tail @ ..] = rest {
        let (data, more) = tail.split_at((*length).into());
        found[usize::from(*code - 32)] = data.to_vec();
        rest = more;
    }
    assert!(rest.is_empty(), "{rest:?}");
    found
}

// As ISC's system test: five clients in a row, against values of the configuration.
#[test]
fn each_client_gets_its_own_vendor_options_the_default_users_or_the_configured_ones() {
    let configured = r#"{ "space": "vendor-4491", "code": 33,"#;
    let tftp =
        r#"{ "space": "vendor-4491", "code": 32, "name": "tftp-servers", "data": "2001:db8::c" },"#;
    let config = CONFIG6
        .replace(configured, &format!("{tftp} {configured}"))
        .replace(
            "2001:db8:1::a - 2001:db8:1::a",
            "2001:db8:1::a - 2001:db8:1::f",
        );
    let modems: Vec<_> = (1..=5).map(Modem::v6).collect();
    let file = r#", "bootfile" : "/tmp/own""#;
    let server = r#", "tftp_server" : "2001:db8::d""#;
    let registry = [
        r#"{ "type" : "DUID", "id" : "00000000", "bootfile" : "/tmp/default" }"#.to_owned(),
        modems[1].line(),
        modems[2].recorded.line(file),
        modems[3].recorded.line(server),
        modems[4].recorded.line(&format!("{file}{server}")),
    ];
    let registry: Vec<&str> = registry.iter().map(String::as_str).collect();
    let stack = UserChk::start(&config, &registry);
    let link = stack.link6();
    let address = |last: u8| [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
    let expected = [
        (0xc, "/tmp/default"),
        (0xc, FROM_CONFIG),
        (0xc, "/tmp/own"),
        (0xd, FROM_CONFIG),
        (0xd, "/tmp/own"),
    ];
    for (mut modem, (tftp, file)) in modems.into_iter().zip(expected) {
        let asks = [0, 0, 0x11, 0x8b, 0, 1, 0, 4, 0, 32, 0, 33];
        modem.client.options = vec![(17, asks.to_vec())];
        let advertise = link.exchange(&modem.client.solicit());
        let seen = vendor_options(&advertise);
        assert_eq!(seen, [address(tftp).to_vec(), file.as_bytes().to_vec()]);
    }
}

// Section 8: a hardware address of no bytes cannot be looked up; the gate fails closed.
#[test]
fn client_without_hardware_address_gets_the_restricted_subnet_and_is_not_recorded() {
    let stack = UserChk::start(CONFIG4, &[&Modem::v4(1).line()]);
    let mut client = Modem::v4(1).client;
    client.client_id = Some(b"\x00no address".to_vec());
    client.broadcast = true;
    let mut discover = client.discover();
    discover[2] = 0; // hlen
    let link = stack
        .lab()
        .client()
        .enter(|| UdpLink4::broadcast(Lab::INTERFACE))
        .unwrap();
    // The kit calls an answer without hardware address flawed; its bytes are at hand all the same.
    let Err(LinkError::Flaw { bytes, .. }) = link.exchange(&discover, PATIENCE) else {
        panic!("an offer with hlen 0 is expected")
    };
    let yiaddr: [u8; 4] = bytes[16..20].try_into().unwrap();
    assert!(is_restricted4(yiaddr.into()), "{yiaddr:?}");
    stack.expect_no_record();
}
