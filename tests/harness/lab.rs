//! Hosts joined to a small network.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::thread;

use tempfile::TempDir;

use crate::capture::Capture;
use crate::host::Host;
use crate::{place, privilege};

/// A network of hosts on one link. Dropping it removes all of it; when the test failed, the
/// directory with logs and the capture stays.
#[derive(Debug)]
pub struct Lab {
    hosts: Vec<Host>,
    capture: Option<Capture>,
    dir: Option<TempDir>,
}

impl Lab {
    /// The interface of every host, to the link they share.
    pub const INTERFACE: &'static str = "eth0";
    /// The server's IPv4 address, in 192.0.2.0/24.
    pub const SERVER4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
    /// The server's IPv6 address, in 2001:db8:1::/64.
    pub const SERVER6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 1);
    /// The relay's IPv4 address on its clients' link, 198.51.100.0/24.
    pub const RELAY4: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
    /// The relay's IPv6 address on its clients' link, 2001:db8:2::/64.
    pub const RELAY6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 2, 0, 0, 0, 0, 1);

    /// A link without hosts.
    ///
    /// # Panics
    ///
    /// When this machine does not let us make network namespaces.
    #[must_use]
    #[track_caller]
    pub fn new() -> Self {
        privilege::ensure();
        let dir = place::fresh_dir();
        let switch = Host::new("sw0", dir.path());
        switch.ip(
            "link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0\n\
                   link set br0 up promisc on\n",
        );
        let capture = Capture::start(&switch, "br0", &dir.path().join("lab.pcap"));
        Self {
            hosts: vec![switch],
            capture: Some(capture),
            dir: Some(dir),
        }
    }

    /// A server `srv0` and a client `cli0` on one link. The client has no address but its
    /// link-local one.
    #[must_use]
    #[track_caller]
    pub fn direct() -> Self {
        let mut lab = Self::new();
        lab.add_server();
        lab.add_client();
        lab
    }

    /// A server `srv0` and a relay `rly0`, whose clients' link is imaginary: the test builds their
    /// messages and sends them from [`Lab::RELAY4`] and [`Lab::RELAY6`].
    #[must_use]
    #[track_caller]
    pub fn relayed() -> Self {
        let mut lab = Self::new();
        let server = lab.add_server();
        let relay = lab.add_host("rly0");
        relay.ip(&format!(
            "addr add 192.0.2.2/24 dev eth0\n\
             addr add 2001:db8:1::2/64 dev eth0 nodad\n\
             addr add {}/32 dev lo\n\
             addr add {}/128 dev lo nodad\n",
            Self::RELAY4,
            Self::RELAY6
        ));
        server.ip("route add default via 192.0.2.2\nroute add ::/0 via 2001:db8:1::2\n");
        lab
    }

    /// Adds the host `srv0` with [`Lab::SERVER4`] and [`Lab::SERVER6`].
    #[track_caller]
    pub fn add_server(&mut self) -> Host {
        let server = self.add_host("srv0");
        server.ip(&format!(
            "addr add {}/24 dev eth0\naddr add {}/64 dev eth0 nodad\n",
            Self::SERVER4,
            Self::SERVER6
        ));
        server
    }

    /// Adds the next client, `cli0`, `cli1` and so on.
    #[track_caller]
    pub fn add_client(&mut self) -> Host {
        let clients = self.clients().count();
        self.add_host(&format!("cli{clients}"))
    }

    /// Adds a host without IPv4 address to the link.
    #[track_caller]
    pub fn add_host(&mut self, name: &str) -> Host {
        let host = Host::new(name, self.dir());
        self.switch().ip(&format!(
            "link add {name} type veth peer name eth0 netns {pid}\n\
             link set {name} master br0 up\n",
            pid = host.pid()
        ));
        host.ip("link set eth0 up");
        host.wait_for_link_local(Self::INTERFACE);
        self.hosts.push(host.clone());
        host
    }

    /// A host by name.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[must_use]
    #[track_caller]
    pub fn host(&self, name: &str) -> &Host {
        self.hosts
            .iter()
            .find(|host| host.name() == name)
            .unwrap_or_else(|| panic!("the lab has no host {name}"))
    }

    /// The host `srv0`.
    #[must_use]
    #[track_caller]
    pub fn server(&self) -> &Host {
        self.host("srv0")
    }

    /// The host `cli0`.
    #[must_use]
    #[track_caller]
    pub fn client(&self) -> &Host {
        self.host("cli0")
    }

    /// The host `rly0`.
    #[must_use]
    #[track_caller]
    pub fn relay(&self) -> &Host {
        self.host("rly0")
    }

    /// A directory of this lab alone, on a disk.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir
            .as_ref()
            .expect("the directory is there until the lab is dropped")
            .path()
    }

    fn clients(&self) -> impl Iterator<Item = &Host> {
        self.hosts
            .iter()
            .filter(|host| host.name().starts_with("cli"))
    }

    fn switch(&self) -> &Host {
        &self.hosts[0]
    }
}

impl Default for Lab {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        drop(self.capture.take());
        for host in self.hosts.iter().rev() {
            host.close();
        }
        if let Some(dir) = self.dir.take()
            && thread::panicking()
        {
            eprintln!("logs and capture: {}", dir.keep().display());
        }
    }
}
