//! dhcpcd.

use std::fmt::Write;
use std::fs;
use std::process::Command;

use super::events::{Event, Events};
use crate::host::Host;
use crate::process::Process;
use crate::{PATIENCE, place};

/// What a dhcpcd asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DhcpcdWants {
    /// An IPv4 address.
    pub v4: bool,
    /// An IPv6 address (IA_NA 1).
    pub na: bool,
    /// A delegated prefix (IA_PD 2).
    pub pd: bool,
}

/// A running dhcpcd. Values in its events: `new_ip_address`, `new_routers`,
/// `new_domain_name_servers`; `new_dhcp6_ia_na1_ia_addr1`, `new_dhcp6_ia_pd1_prefix1`,
/// `new_dhcp6_ia_pd1_prefix1_length`, `new_dhcp6_name_servers`. Only one can run in a host.
#[derive(Debug)]
pub struct Dhcpcd {
    host: Host,
    process: Process,
    events: Events,
    config: String,
    interface: String,
}

impl Dhcpcd {
    /// Starts it on an interface.
    #[must_use]
    #[track_caller]
    pub fn start(host: &Host, interface: &str, wants: DhcpcdWants) -> Self {
        Self::keep_apart(host);
        let events = Events::new(host.dir(), "dhcpcd", "");
        let path = events.script().with_extension("conf");
        place::write(&path, &config(interface, wants, &events));
        let config = path.display().to_string();
        let mut command = Command::new("dhcpcd");
        command.args(["-B", "-d", "-f", &config, interface]);
        Self {
            process: host.start(command),
            host: host.clone(),
            events,
            config,
            interface: interface.to_owned(),
        }
    }

    /// What the script was told.
    #[must_use]
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// Waits for an IPv4 lease.
    #[track_caller]
    pub fn bound4(&self) -> Event {
        self.wait(0, "BOUND")
    }

    /// Waits for IPv6 leases.
    #[track_caller]
    pub fn bound6(&self) -> Event {
        self.wait(0, "BOUND6")
    }

    /// Renews everything and waits for the event with this reason, `RENEW` or `RENEW6`.
    #[track_caller]
    pub fn renew(&self, reason: &str) -> Event {
        let before = self.events.all().len();
        self.control("-N");
        self.wait(before, reason)
    }

    /// Releases everything, which also ends the client.
    ///
    /// # Panics
    ///
    /// When the client does not do so in time.
    #[track_caller]
    pub fn release(&self) {
        self.control("-k");
        let ended = self.process.wait(PATIENCE);
        assert!(ended.is_some(), "dhcpcd survived its release");
    }

    #[track_caller]
    fn control(&self, flag: &str) {
        let mut command = Command::new("dhcpcd");
        command.args([flag, "-f", &self.config, &self.interface]);
        let finished = self.host.run(command);
        assert!(
            finished.status.success(),
            "dhcpcd {flag}: {}",
            finished.text
        );
    }

    /// Its state has paths that cannot be chosen; and it drops privileges to a user of its own,
    /// whom a user namespace does not have. Without that user it keeps them.
    fn keep_apart(host: &Host) {
        host.hide(&["/var/lib/dhcpcd"]);
        let users = fs::read_to_string("/etc/passwd").expect("every system has /etc/passwd");
        let others: String = users
            .lines()
            .filter(|line| !line.starts_with("dhcpcd:"))
            .fold(String::new(), |text, line| text + line + "\n");
        let path = host.dir().join(format!("{}.passwd", host.name()));
        place::write(&path, &others);
        host.replace_file("/etc/passwd", &path);
    }

    #[track_caller]
    fn wait(&self, skip: usize, reason: &str) -> Event {
        self.events
            .wait(skip, PATIENCE, |event| event.reason() == reason)
            .unwrap_or_else(|| {
                panic!(
                    "dhcpcd: no {reason} within {PATIENCE:?}, only {:?}",
                    self.events.reasons()
                )
            })
    }
}

fn config(interface: &str, wants: DhcpcdWants, events: &Events) -> String {
    let mut text = format!(
        "script {}\nduid ll\nnoarp\nnoipv4ll\nnoipv6rs\nslaac hwaddr\ntimeout 60\nreboot 0\n\
         option subnet_mask, routers, domain_name_servers, domain_name\n\
         option dhcp6_name_servers, dhcp6_domain_search\n",
        events.script().display()
    );
    if !wants.v4 {
        text.push_str("noipv4\n");
    }
    if !wants.na && !wants.pd {
        text.push_str("noipv6\n");
    }
    let _ = writeln!(text, "interface {interface}");
    if wants.na {
        text.push_str("ia_na 1\n");
    }
    if wants.pd {
        text.push_str("ia_pd 2 -\n");
    }
    text
}
