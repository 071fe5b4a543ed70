//! Video 2 over DHCPv6: the registry decides the boot file.

use outrigger_lab::PATIENCE;
use outrigger_lab::user_chk::{Link6, UserChk};
use outrigger_testkit::client6::message;
use outrigger_testkit::{Client6, Reply6Seen};

use crate::user_chk_stage::{Modem, PRIVILEGED6, is_restricted6, lease6, leases6};
use crate::user_chk_stage::{only_address6, option17_of, start6};

/// Whole options 17: enterprise 4491, sub-option 33.
const FROM_CONFIG: &[u8] =
    b"\x00\x11\x00\x21\x00\x00\x11\x8b\x00\x21\x00\x19/tmp/bootfile-from-config";
const V6BOOTFILE: &[u8] = b"\x00\x11\x00\x17\x00\x00\x11\x8b\x00\x21\x00\x0f/tmp/v6bootfile";
const V6BOOTFILE_2: &[u8] = b"\x00\x11\x00\x19\x00\x00\x11\x8b\x00\x21\x00\x11/tmp/v6bootfile-2";
const DEFAULT_USER: &str =
    r#"{ "type" : "DUID", "id" : "00000000", "bootfile" : "/tmp/v6bootfile-2" }"#;

/// C, who has a lease, and everything that runs.
struct Bound {
    stack: UserChk,
    link: Link6,
    c: Modem<Client6>,
    lease: Reply6Seen,
}

impl Bound {
    /// C is registered with this boot file, if any, and has the privileged address.
    #[track_caller]
    fn new(bootfile: Option<&str>) -> Self {
        let mut c = Modem::v6(1);
        let line = bootfile.map_or_else(|| c.line(), |file| c.line_with_bootfile(file));
        let (mut stack, link) = start6(&[&line]);
        let lease = lease6(&mut stack, &link, &mut c, true);
        assert_eq!(only_address6(&lease), PRIVILEGED6);
        Self {
            stack,
            link,
            c,
            lease,
        }
    }

    /// Renew; the answer grants an address and is recorded like this.
    #[track_caller]
    fn renew(&mut self, registered: bool) -> &Reply6Seen {
        let reply = self.link.exchange(&self.c.client.renew(&self.lease));
        assert_eq!(reply.message_type, message::REPLY);
        let granted = reply.addresses().find(|lease| lease.valid > 0).unwrap();
        let address = granted.address.to_string();
        self.stack
            .expect_record(&self.c.recorded, &address, registered);
        self.lease = reply;
        &self.lease
    }

    /// Renew of the privileged address, which stays; the answer has this option 17.
    #[track_caller]
    fn renew_privileged(&mut self, option17: &[u8]) {
        let reply = self.renew(true);
        assert_eq!(only_address6(reply), PRIVILEGED6);
        assert_eq!(option17_of(reply).as_deref(), Some(option17));
    }
}

// Rows 2.0, 2.1 and 2.2.
#[test]
fn boot_file_follows_the_registry_and_nothing_is_restarted() {
    let mut bound = Bound::new(None);
    bound.renew_privileged(FROM_CONFIG);
    for (file, option) in [
        ("/tmp/v6bootfile", V6BOOTFILE),
        ("/tmp/v6bootfile-2", V6BOOTFILE_2),
    ] {
        bound.stack.register(&[&bound.c.line_with_bootfile(file)]);
        bound.renew_privileged(option);
    }
    assert!(bound.stack.service().is_running());
    assert!(bound.stack.server().process.is_running());
}

// Row 2.3.
#[test]
fn client_whose_line_is_removed_loses_boot_file_and_subnet() {
    let mut bound = Bound::new(Some("/tmp/v6bootfile"));
    bound.stack.register(&[]);
    let reply = bound.renew(false);
    assert_eq!(option17_of(reply).as_deref(), Some(FROM_CONFIG));
    let [withdrawn, granted] = leases6(reply)[..] else {
        panic!("two addresses are expected: {reply:?}")
    };
    assert_eq!(withdrawn, (PRIVILEGED6, 0, 0));
    assert!(is_restricted6(granted.0), "{granted:?}");
    assert_eq!((granted.1, granted.2), (300, 400));
}

// Rows 2.4 and 2.5.
#[test]
fn default_user_decides_the_boot_file_of_unregistered_clients_that_ask_for_one() {
    let mut bound = Bound::new(None);
    bound.stack.register(&[DEFAULT_USER]);
    let reply = bound.renew(false);
    assert_eq!(option17_of(reply).as_deref(), Some(V6BOOTFILE_2));

    bound.c.client.options.clear();
    let reply = bound.renew(false);
    assert!(is_restricted6(only_address6(reply)));
    assert_eq!(option17_of(reply), None);
}

// Section 3.4: the default user is no fallback for registered clients.
#[test]
fn registered_client_without_boot_file_keeps_the_configured_one_despite_a_default_user() {
    let mut bound = Bound::new(None);
    bound.stack.register(&[&bound.c.line(), DEFAULT_USER]);
    bound.renew_privileged(FROM_CONFIG);
}

// Row 2.6. In Kea nothing is overridden in the reply to Information-request.
#[test]
fn information_request_gets_the_boot_file_and_is_not_recorded() {
    let mut bound = Bound::new(None);
    bound.stack.register(&[DEFAULT_USER]);
    let restricted = only_living(bound.renew(false));
    let line = bound.c.line_with_bootfile("/tmp/v6bootfile");
    bound.stack.register(&[&line]);
    let reply = bound.renew(true);
    assert_eq!(
        leases6(reply),
        [(PRIVILEGED6, 300, 400), (restricted, 0, 0)]
    );
    assert_eq!(option17_of(reply).as_deref(), Some(V6BOOTFILE));

    let reply = bound.link.exchange(&bound.c.client.information_request());
    assert_eq!(option17_of(&reply).as_deref(), Some(V6BOOTFILE));
    // What comes later in the file shows that nothing was recorded in between.
    bound.renew_privileged(V6BOOTFILE);
}

// Row 2.7. In Kea a broken registry opens the gate for everybody.
#[test]
fn broken_registry_leaves_both_decisions_as_they_were_and_raises_an_alarm() {
    let mut bound = Bound::new(Some("/tmp/v6bootfile"));
    let good = bound.c.line_with_bootfile("/tmp/v6bootfile");
    bound
        .stack
        .register(&[&good, r#"{ "type" : "DUID", "id" : "00:01:0"#]);
    let registry = bound.stack.registry().display().to_string();
    let alarm = format!("{registry}: line 2");
    let line = bound.stack.service().wait_for_line(&alarm, PATIENCE);
    assert!(line.contains("alarm"), "{line}");

    bound.renew_privileged(V6BOOTFILE);
    let mut d = Modem::v6(2);
    let reply = lease6(&mut bound.stack, &bound.link, &mut d, false);
    assert!(is_restricted6(only_address6(&reply)));
    assert_eq!(bound.stack.service().count_lines(&alarm), 1);

    bound.stack.register(&[&d.line()]);
    let reply = lease6(&mut bound.stack, &bound.link, &mut Modem::v6(4), false);
    assert!(is_restricted6(only_address6(&reply)));
    let reply = bound.renew(false);
    assert!(
        is_restricted6(only_living(reply)),
        "the repaired file counts"
    );
}

/// The one address that was not withdrawn.
#[track_caller]
fn only_living(reply: &Reply6Seen) -> std::net::Ipv6Addr {
    let mut living = reply.addresses().filter(|lease| lease.valid > 0);
    let address = living.next().unwrap().address;
    assert_eq!(living.next(), None);
    address
}
