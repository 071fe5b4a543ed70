//! Video 1 over DHCPv6: the registry decides the subnet.

use std::time::Duration;

use outrigger_lab::PATIENCE;
use outrigger_lab::user_chk::UserChk;
use outrigger_testkit::Hint6;
use outrigger_testkit::client6::message;

use crate::user_chk_stage::{CONFIG6, Modem, PRIVILEGED6, is_restricted6, leases6};
use crate::user_chk_stage::{lease6, only_address6, start6};

/// RFC 8415 §21.13.
const NO_ADDRS_AVAIL: u16 = 2;
/// sysexits.h: a wrong configuration.
const EX_CONFIG: i32 = 78;

// Row 1.1.
#[test]
fn without_registry_the_service_is_not_ready_and_the_server_waits() {
    let mut stack = UserChk::new();
    stack.start_service();
    let registry = stack.registry().display().to_string();
    stack.service().wait_for_line(&registry, PATIENCE);
    stack.launch_server(CONFIG6);
    let server = &stack.server().process;
    let line = server.wait_for_line(&registry, PATIENCE);
    assert!(line.contains("user-chk"), "{line}");
    assert_eq!(server.wait(Duration::from_secs(1)), None);
    assert_eq!(server.count_lines("DHCP6_STARTED"), 0);
    assert!(stack.service().is_running());
}

// Row 1.1, for a server that has to do without waiting, as Kea does with a library.
#[test]
fn server_that_refuses_to_start_names_the_service_and_the_missing_registry() {
    let mut stack = UserChk::new();
    stack.start_service();
    let registry = stack.registry().display().to_string();
    stack.service().wait_for_line(&registry, PATIENCE);
    stack.launch_server(&CONFIG6.replace(r#""wait""#, r#""refuse""#));
    let server = &stack.server().process;
    let status = server.wait(PATIENCE).unwrap();
    assert_eq!(status.code(), Some(EX_CONFIG));
    let text = server.text();
    let last = text.lines().last().unwrap();
    assert!(last.contains("user-chk"), "{text}");
    assert!(last.contains(&registry), "{text}");
}

// Rows 1.1 and 1.2: nothing is restarted in between.
#[test]
fn empty_registry_makes_service_and_server_ready_and_the_outcome_file_is_empty() {
    let mut stack = UserChk::new();
    stack.start_service();
    stack.launch_server(CONFIG6);
    let server = &stack.server().process;
    server.wait_for_line("refuses", PATIENCE);
    stack.write_registry(&[]);
    server.wait_for_line("DHCP6_STARTED", PATIENCE);
    assert!(stack.outcome().exists());
    stack.expect_no_record();
}

// Rows 1.3 and 1.4.
#[test]
fn unregistered_client_gets_an_address_of_the_restricted_subnet() {
    let (mut stack, link) = start6(&[]);
    let mut c = Modem::v6(1);
    let reply = lease6(&mut stack, &link, &mut c, false);
    assert!(is_restricted6(only_address6(&reply)), "{reply:?}");
}

// Rows 1.5 and 1.6a.
#[test]
fn client_that_is_registered_gets_the_privileged_address_at_its_next_solicit() {
    let (mut stack, link) = start6(&[]);
    let mut c = Modem::v6(1);
    let reply = lease6(&mut stack, &link, &mut c, false);
    let released = link.exchange(&c.client.release(&reply));
    assert_eq!(released.message_type, message::REPLY);
    stack.expect_no_record();

    stack.register(&[&c.line()]);
    let reply = lease6(&mut stack, &link, &mut c, true);
    assert_eq!(only_address6(&reply), PRIVILEGED6);
    let released = link.exchange(&c.client.release(&reply));
    assert_eq!(released.message_type, message::REPLY);
    stack.expect_no_record();
    let reply = lease6(&mut stack, &link, &mut c, true);
    assert_eq!(only_address6(&reply), PRIVILEGED6);
}

// Rows 1.5 and 1.6b. In Kea the old lease stays until it expires; here it is free at once.
#[test]
fn renewing_client_is_moved_and_its_old_address_is_free_at_once() {
    let (mut stack, link) = start6(&[]);
    let mut c = Modem::v6(1);
    let lease = lease6(&mut stack, &link, &mut c, false);
    let old = only_address6(&lease);
    stack.register(&[&c.line()]);
    let moved = link.exchange(&c.client.renew(&lease));
    assert_eq!(leases6(&moved), [(PRIVILEGED6, 300, 400), (old, 0, 0)]);
    stack.expect_record(&c.recorded, &PRIVILEGED6.to_string(), true);

    let mut d = Modem::v6(2);
    d.client.ias[0].hints = vec![Hint6::Address(old)];
    let reply = lease6(&mut stack, &link, &mut d, false);
    assert_eq!(only_address6(&reply), old);
}

// Row 1.7.
#[test]
fn another_client_stays_restricted_while_the_first_is_registered() {
    let c = Modem::v6(1);
    let (mut stack, link) = start6(&[&c.line()]);
    let mut d = Modem::v6(2);
    d.client.ias[0].hints = vec![Hint6::Address(PRIVILEGED6)];
    let reply = lease6(&mut stack, &link, &mut d, false);
    assert!(is_restricted6(only_address6(&reply)), "{reply:?}");
    let released = link.exchange(&d.client.release(&reply));
    assert_eq!(released.message_type, message::REPLY);
    assert!(leases6(&released).is_empty());
    stack.expect_no_record();
}

// Row 1.8.
#[test]
fn registered_client_is_told_that_the_pool_is_exhausted_and_nothing_is_recorded() {
    let (mut c, mut e) = (Modem::v6(1), Modem::v6(3));
    let with_bootfile = e.line_with_bootfile("/tmp/v6bootfile");
    let (mut stack, link) = start6(&[&c.line(), &with_bootfile]);
    lease6(&mut stack, &link, &mut c, true);
    let refused = link.exchange(&e.client.solicit());
    let [ia] = refused.ias() else {
        panic!("one IA is expected: {refused:?}")
    };
    assert_eq!(ia.status.as_ref().unwrap().code, NO_ADDRS_AVAIL);
    assert!(ia.addresses.is_empty());
    let configured = outrigger_lab::user_chk::option17("/tmp/bootfile-from-config");
    let option = crate::user_chk_stage::option17_of(&refused);
    assert_eq!(option, Some(configured), "nothing is overridden");
    // What comes later in the file shows that nothing was recorded in between.
    lease6(&mut stack, &link, &mut c, true);
}
