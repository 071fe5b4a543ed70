//! What tests of sockets and shards share.

use super::socket::UdpSocket;
use super::{Sockets, open4, open6};
use outrigger_config::model::{InterfaceSpec, Interfaces};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

/// `"interfaces": [ "lo" ]`
pub(crate) fn loopback() -> Interfaces {
    let lo = InterfaceSpec::Named {
        name: "lo".to_owned(),
        address: None,
    };
    Interfaces {
        interfaces: vec![lo],
        raw_sockets: true,
    }
}

/// Server sockets on loopback, at a port that no other test has: the kernel gives ports twice to sockets that allow it.
pub(crate) fn sockets4() -> Sockets {
    open4(&loopback(), free_port(Ipv4Addr::LOCALHOST.into())).unwrap()
}

/// As [`sockets4`].
pub(crate) fn sockets6() -> Sockets {
    open6(
        &loopback(),
        free_port(Ipv6Addr::LOCALHOST.into()),
        Duration::ZERO,
    )
    .unwrap()
}

/// The only socket.
pub(crate) fn only(sockets: Sockets) -> Arc<UdpSocket> {
    let [socket] = sockets.udp.try_into().unwrap();
    socket
}

fn free_port(address: IpAddr) -> u16 {
    let probe = std::net::UdpSocket::bind((address, 0)).unwrap();
    probe.local_addr().unwrap().port()
}
