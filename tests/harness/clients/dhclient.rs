//! dhclient, of ISC DHCP.

use std::path::PathBuf;
use std::process::Command;

use super::events::{Event, Events};
use crate::host::Host;
use crate::process::Process;
use crate::subject::Family;
use crate::{PATIENCE, place};

/// Configures the interface as dhclient tells the script to.
const SCRIPT: &str = r#"
case "$reason" in
    PREINIT|PREINIT6)
        ip link set "$interface" up ;;
    BOUND|RENEW|REBIND|REBOOT)
        ip addr replace "$new_ip_address/$new_subnet_mask" dev "$interface" ;;
    BOUND6|RENEW6|REBIND6)
        [ -z "$new_ip6_address" ] || ip addr replace "$new_ip6_address/$new_ip6_prefixlen" \
            dev "$interface" valid_lft "$new_max_life" preferred_lft "$new_preferred_life" nodad ;;
    RELEASE|EXPIRE|FAIL|STOP)
        ip -4 addr flush dev "$interface" ;;
    RELEASE6|EXPIRE6|DEPREF6|STOP6)
        [ -z "$old_ip6_address" ] || ip addr del "$old_ip6_address/$old_ip6_prefixlen" \
            dev "$interface" ;;
esac"#;

/// Short pauses; the rest as dhclient does it by default.
const CONFIG: &str = "timeout 60;\nretry 2;\ninitial-interval 1;\nbackoff-cutoff 2;\n\
    request subnet-mask, broadcast-address, routers, domain-name, domain-name-servers;\n\
    also request dhcp6.name-servers, dhcp6.domain-search;\n";

/// A running dhclient. Values in its events: `new_ip_address`, `new_routers`,
/// `new_domain_name_servers`, `new_dhcp_lease_time`; `new_ip6_address`, `new_ip6_prefix`,
/// `new_max_life`, `new_dhcp6_name_servers`. It renews when T1 comes, not on demand.
#[derive(Debug)]
pub struct Dhclient {
    host: Host,
    process: Process,
    events: Events,
    /// Family, files and what is leased; a release has to name the same.
    common: Vec<String>,
    interface: String,
    suffix: &'static str,
}

impl Dhclient {
    /// Starts it for IPv4 on an interface.
    #[must_use]
    #[track_caller]
    pub fn start4(host: &Host, interface: &str) -> Self {
        Self::start(host, interface, Family::V4, &[])
    }

    /// Starts it for an IPv6 address and a delegated prefix.
    #[must_use]
    #[track_caller]
    pub fn start6(host: &Host, interface: &str) -> Self {
        Self::start(host, interface, Family::V6, &["-N", "-P"])
    }

    #[track_caller]
    fn start(host: &Host, interface: &str, family: Family, leased: &[&str]) -> Self {
        let (suffix, version) = match family {
            Family::V4 => ("", "-4"),
            Family::V6 => ("6", "-6"),
        };
        let events = Events::new(host.dir(), "dhclient", SCRIPT);
        let file = |extension: &str| -> PathBuf { events.script().with_extension(extension) };
        place::write(&file("conf"), CONFIG);
        place::write(&file("leases"), "");
        let mut common = vec![version.to_owned()];
        common.extend(leased.iter().map(ToString::to_string));
        for (flag, path) in [
            ("-sf", events.script().to_owned()),
            ("-cf", file("conf")),
            ("-lf", file("leases")),
            ("-pf", file("pid")),
        ] {
            common.extend([flag.to_owned(), path.display().to_string()]);
        }
        let mut command = Command::new("dhclient");
        command
            .args(["-1", "-d", "-v"])
            .args(&common)
            .arg(interface);
        Self {
            process: host.start(command),
            host: host.clone(),
            events,
            common,
            interface: interface.to_owned(),
            suffix,
        }
    }

    /// What the script was told.
    #[must_use]
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// Waits for the lease; for IPv6, the one with this variable, as in `new_ip6_prefix`.
    #[track_caller]
    pub fn bound(&self, variable: &str) -> Event {
        self.wait("BOUND", variable)
    }

    /// Waits until the client has renewed by itself, which it does when T1 is over.
    #[track_caller]
    pub fn renewed(&self, variable: &str) -> Event {
        self.wait("RENEW", variable)
    }

    /// Ends the client, then releases the lease.
    ///
    /// # Panics
    ///
    /// When one of both does not happen in time.
    #[track_caller]
    pub fn release(&self) {
        // `dhclient -r` would end the client by itself, but not while the client is just writing
        // its process id again, as it does after each renewal.
        self.process.terminate(PATIENCE);
        let mut command = Command::new("dhclient");
        command
            .args(["-r", "-v"])
            .args(&self.common)
            .arg(&self.interface);
        let finished = self.host.run(command);
        assert!(finished.status.success(), "dhclient -r: {}", finished.text);
        self.wait("RELEASE", "reason");
    }

    #[track_caller]
    fn wait(&self, reason: &str, variable: &str) -> Event {
        let reason = format!("{reason}{}", self.suffix);
        let event = self.events.wait(0, PATIENCE, |event| {
            event.reason() == reason && event.get(variable).is_some()
        });
        event.unwrap_or_else(|| {
            panic!(
                "dhclient: no {reason} with {variable} within {PATIENCE:?}, only {:?}",
                self.events.reasons()
            )
        })
    }
}
