use super::*;
use crate::net::testing::sockets4;
use outrigger_wire::buffer::Buffer;
use outrigger_wire::{HwAddress, Link};
use std::net::UdpSocket as StdSocket;
use std::sync::mpsc;

fn answer(interface_index: u32, local: &str, remote: SocketAddr, id: u8) -> Outgoing {
    let link = Link {
        interface: "lo".into(),
        interface_index,
        local: local.parse().unwrap(),
        remote,
    };
    Outgoing {
        bytes: Buffer::copy_of(&[id]),
        link,
        to_hardware: None,
    }
}

fn client() -> StdSocket {
    let client = StdSocket::bind("127.0.0.1:0").unwrap();
    client
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    client
}

fn received(client: &StdSocket) -> (u8, IpAddr) {
    let mut bytes = [0; 8];
    let (len, from) = client.recv_from(&mut bytes).unwrap();
    assert_eq!(len, 1);
    (bytes[0], from.ip())
}

#[test]
fn answers_leave_from_their_own_source_or_from_the_kernels_choice() {
    let sockets = sockets4();
    let index = sockets.udp[0].interface_index();
    let client = client();
    let remote = client.local_addr().unwrap();
    let mut transmitter = Transmitter::new(&sockets, None);
    for (id, local) in [
        "127.0.0.1:67",
        "127.9.9.9:67",
        "255.255.255.255:67",
        "0.0.0.0:67",
    ]
    .iter()
    .enumerate()
    {
        transmitter.push(answer(index, local, remote, u8::try_from(id).unwrap()));
    }
    assert_eq!(transmitter.flush(), 0);
    let mut all: Vec<_> = (0..4).map(|_| received(&client)).collect();
    all.sort_unstable();
    let from = |last: [u8; 4]| IpAddr::from(last);
    let own = from([127, 0, 0, 1]);
    assert_eq!(
        all,
        [(0, own), (1, from([127, 9, 9, 9])), (2, own), (3, own)]
    );
    assert_eq!(transmitter.flush(), 0);
}

#[test]
fn answer_to_hardware_is_broadcast_where_no_frame_can_be_sent() {
    let sockets = sockets4();
    let index = sockets.udp[0].interface_index();
    let mut transmitter = Transmitter::new(&sockets, None);
    let mut outgoing = answer(index, "127.0.0.1:67", ([192, 0, 2, 77], 68).into(), 0);
    outgoing.to_hardware = HwAddress::new(1, &[2, 0, 0, 0, 0, 1]);
    transmitter.push(outgoing);
    let queued = &transmitter.lanes[0].queue[0];
    assert_eq!(queued.link.remote, ([255, 255, 255, 255], 68).into());
}

#[test]
fn answer_without_a_socket_goes_to_the_tap_and_is_counted_where_there_is_none() {
    let remote = ([192, 0, 2, 77], 68).into();
    let (sender, taken) = mpsc::channel();
    let tap: Tap = Arc::new(move |outgoing: Outgoing| sender.send(outgoing.bytes[0]).unwrap());
    let mut tapped = Transmitter::new(&Sockets::default(), Some(tap));
    tapped.push(answer(9, "192.0.2.1:67", remote, 42));
    assert_eq!((tapped.flush(), taken.try_recv()), (0, Ok(42)));
    let mut untapped = Transmitter::new(&Sockets::default(), None);
    untapped.push(answer(9, "192.0.2.1:67", remote, 42));
    assert_eq!((untapped.flush(), untapped.flush()), (1, 0));
}

#[test]
fn sources_that_come_and_go_do_not_pile_up() {
    let sockets = sockets4();
    let index = sockets.udp[0].interface_index();
    let client = client();
    let remote = client.local_addr().unwrap();
    let mut transmitter = Transmitter::new(&sockets, None);
    for i in 0..200_u8 {
        transmitter.push(answer(index, &format!("127.1.0.{i}:67"), remote, i));
        assert_eq!(transmitter.flush(), 0);
        assert_eq!(received(&client), (i, IpAddr::from([127, 1, 0, i])));
    }
    assert!(transmitter.lanes.len() <= LANES);
}
