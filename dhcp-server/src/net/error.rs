//! What can be wrong with the machine's network.

use std::io;

/// Why the server cannot listen where it was told to.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// The configuration names an interface that this host (or network namespace) does not have.
    #[error("no interface {name} here; there are: {known}")]
    UnknownInterface {
        /// As configured.
        name: String,
        /// Those that exist, comma-separated.
        known: String,
    },
    /// The configured address is not on the configured interface.
    #[error("address {address} is not on interface {name}; it has: {known}")]
    UnknownAddress {
        /// As configured.
        address: std::net::IpAddr,
        /// The interface.
        name: String,
        /// Its addresses, comma-separated.
        known: String,
    },
    /// The kernel's list of interfaces cannot be read.
    #[error("the list of network interfaces cannot be read")]
    List {
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// A socket call failed.
    #[error("cannot {action} on interface {interface}{}", advice(source))]
    Socket {
        /// What was tried.
        action: &'static str,
        /// Where.
        interface: String,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
}

impl NetError {
    /// Whether the configuration is wrong, not the system.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::UnknownInterface { .. } | Self::UnknownAddress { .. } => true,
            Self::List { .. } | Self::Socket { .. } => false,
        }
    }
}

/// What the operator can do about the usual failures.
fn advice(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::PermissionDenied => {
            " (ports below 1024 need CAP_NET_BIND_SERVICE, packet sockets CAP_NET_RAW)"
        }
        io::ErrorKind::AddrInUse => {
            " (another DHCP server or relay holds the port: stop it, or choose ports with -p and -P)"
        }
        _ => "",
    }
}

/// Names the failed call of a socket.
pub(super) fn failed<E: Into<io::Error>>(
    action: &'static str,
    interface: &str,
) -> impl FnOnce(E) -> NetError {
    let interface = interface.to_owned();
    move |source| NetError::Socket {
        action,
        interface,
        source: source.into(),
    }
}
