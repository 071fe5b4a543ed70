//! Datagrams that the kernel dropped because a socket's buffer was full.

use super::socket::UdpSocket;
use nix::sys::stat::fstat;
use std::os::fd::AsFd;

/// The kernel's tables of UDP sockets, in the calling thread's namespace.
const TABLES: [&str; 2] = ["/proc/thread-self/net/udp", "/proc/thread-self/net/udp6"];

/// Sum over `sockets` since they were opened. Reads tables of all UDP sockets of the host: for metrics, not for packets.
pub(crate) fn kernel_drops<'a>(sockets: impl Iterator<Item = &'a UdpSocket>) -> u64 {
    let inodes: Vec<u64> = sockets
        .filter_map(|socket| Some(fstat(socket.as_fd()).ok()?.st_ino))
        .collect();
    let tables = TABLES.map(|table| std::fs::read_to_string(table).unwrap_or_default());
    let rows = tables
        .iter()
        .flat_map(|table| table.lines())
        .filter_map(row);
    rows.filter(|(inode, _)| inodes.contains(inode))
        .map(|(_, drops)| drops)
        .sum()
}

/// Inode and drops of one line: the tenth and the thirteenth, last, column.
fn row(line: &str) -> Option<(u64, u64)> {
    let mut columns = line.split_ascii_whitespace();
    let inode = columns.nth(9)?.parse().ok()?;
    let drops = columns.nth(2)?.parse().ok()?;
    Some((inode, drops))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::testing::{only, sockets4, sockets6};

    #[test]
    fn drops_of_full_sockets_are_counted_for_the_sockets_asked_about() {
        let (v4, v6, idle) = (only(sockets4()), only(sockets6()), only(sockets4()));
        let drops = |socket| kernel_drops(std::iter::once(socket));
        let [to4, to6] = [("127.0.0.1", v4.port()), ("::1", v6.port())];
        for (server, bind, to) in [(&v4, "127.0.0.1:0", to4), (&v6, "[::1]:0", to6)] {
            let client = std::net::UdpSocket::bind(bind).unwrap();
            let sends = (0..100_000).take_while(|_| drops_rarely_read(&client, server, to));
            assert!(sends.count() < 100_000);
            assert!(drops(server) > 0);
        }
        assert_eq!(drops(&idle), 0);
        assert_eq!(
            kernel_drops([&*v4, &*v6].into_iter()),
            drops(&v4) + drops(&v6)
        );
    }

    /// Sends a few datagrams that nobody takes; whether none was dropped yet.
    fn drops_rarely_read(
        client: &std::net::UdpSocket,
        server: &UdpSocket,
        to: (&str, u16),
    ) -> bool {
        for _ in 0..100 {
            client.send_to(&[0; 4000], to).unwrap();
        }
        kernel_drops(std::iter::once(server)) == 0
    }

    #[test]
    fn other_lines_are_passed_over() {
        assert_eq!(
            row("   sl  local_address rem_address   st tx_queue rx_queue"),
            None
        );
        assert_eq!(row(""), None);
        let line = " 1: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 4711 2 0000000000000000 12";
        assert_eq!(row(line), Some((4711, 12)));
    }
}
