use super::*;
use crate::net::testing::{only, sockets4, sockets6};
use std::collections::BTreeSet;
use std::net::UdpSocket as StdSocket;
use std::time::{Duration, Instant};

/// Receives until `count` messages were taken; loopback delivers before the send call returns.
fn receive_all(
    receiver: &mut Receiver,
    socket: &UdpSocket,
    count: usize,
) -> (Vec<Datagram>, Received) {
    let mut datagrams = Vec::new();
    let mut total = Received::default();
    let until = Instant::now() + Duration::from_secs(5);
    while total.taken < count && Instant::now() < until {
        match receiver.receive(socket, |datagram| datagrams.push(datagram)) {
            Ok(received) => {
                total.taken += received.taken;
                total.truncated += received.truncated;
                total.unaddressed += received.unaddressed;
            }
            Err(errno) => assert_eq!(errno, Errno::EAGAIN),
        }
    }
    (datagrams, total)
}

fn answers(datagrams: Vec<Datagram>) -> Vec<Outgoing> {
    datagrams
        .into_iter()
        .map(|Datagram { bytes, link }| Outgoing {
            bytes,
            link,
            to_hardware: None,
        })
        .collect()
}

fn echo_of_more_than_a_batch(server: &UdpSocket, client: &StdSocket, to: SocketAddr) {
    const COUNT: u8 = 150;
    client
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    for i in 0..COUNT {
        client.send_to(&[i; 300], to).unwrap();
    }
    let (datagrams, received) = receive_all(&mut Receiver::new(), server, usize::from(COUNT));
    assert_eq!(
        received,
        Received {
            taken: usize::from(COUNT),
            truncated: 0,
            unaddressed: 0
        }
    );
    let remote = client.local_addr().unwrap();
    for (i, datagram) in datagrams.iter().enumerate() {
        assert_eq!(datagram.bytes.as_slice(), [u8::try_from(i).unwrap(); 300]);
        assert_eq!(datagram.link.local, to);
        assert_eq!(datagram.link.remote, remote);
        assert_eq!(
            (&*datagram.link.interface, datagram.link.interface_index),
            ("lo", server.interface_index())
        );
    }
    let failed = |outgoing: &Outgoing, errno| panic!("{outgoing:?}: {errno}");
    Sender::new().send(server, to.ip(), &answers(datagrams), failed);
    let mut seen = BTreeSet::new();
    let mut bytes = [0; 512];
    for _ in 0..COUNT {
        let (len, from) = client.recv_from(&mut bytes).unwrap();
        assert_eq!((len, from), (300, to));
        seen.insert(bytes[0]);
    }
    assert_eq!(seen.len(), usize::from(COUNT));
}

#[test]
fn v4_datagrams_of_several_batches_come_and_go_with_their_addresses() {
    let server = only(sockets4());
    let client = StdSocket::bind("127.0.0.1:0").unwrap();
    echo_of_more_than_a_batch(&server, &client, ([127, 0, 0, 1], server.port()).into());
}

#[test]
fn v4_answer_leaves_from_the_address_that_was_asked() {
    let server = only(sockets4());
    let client = StdSocket::bind("127.0.0.1:0").unwrap();
    echo_of_more_than_a_batch(&server, &client, ([127, 9, 8, 7], server.port()).into());
}

#[test]
fn v6_datagrams_of_several_batches_come_and_go_with_their_addresses() {
    let server = only(sockets6());
    let client = StdSocket::bind("[::1]:0").unwrap();
    echo_of_more_than_a_batch(
        &server,
        &client,
        (Ipv6Addr::LOCALHOST, server.port()).into(),
    );
}

#[test]
fn datagram_longer_than_a_buffer_is_counted_and_dropped() {
    let server = only(sockets4());
    let client = StdSocket::bind("127.0.0.1:0").unwrap();
    for len in [Buffer::CAPACITY, Buffer::CAPACITY + 1, 0] {
        client
            .send_to(&vec![7; len], ("127.0.0.1", server.port()))
            .unwrap();
    }
    let (datagrams, received) = receive_all(&mut Receiver::new(), &server, 3);
    assert_eq!(
        received,
        Received {
            taken: 3,
            truncated: 1,
            unaddressed: 0
        }
    );
    let lengths: Vec<usize> = datagrams
        .iter()
        .map(|datagram| datagram.bytes.len())
        .collect();
    assert_eq!(lengths, [Buffer::CAPACITY, 0]);
}

#[test]
fn broadcast_to_the_subnet_counts_as_broadcast() {
    let server = only(sockets4());
    let client = StdSocket::bind("127.0.0.1:0").unwrap();
    client.set_broadcast(true).unwrap();
    client
        .send_to(b"discover", ("127.255.255.255", server.port()))
        .unwrap();
    let (datagrams, _) = receive_all(&mut Receiver::new(), &server, 1);
    assert_eq!(
        datagrams[0].link.local.ip(),
        IpAddr::V4(Ipv4Addr::BROADCAST)
    );
}

#[test]
fn failed_datagram_is_reported_and_the_others_are_sent() {
    let server = only(sockets4());
    let client = StdSocket::bind("127.0.0.1:0").unwrap();
    client
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let to = SocketAddr::from(([127, 0, 0, 1], server.port()));
    let remote = client.local_addr().unwrap();
    let one = |len: usize, remote| {
        let mut bytes = Buffer::take();
        bytes.resize(len, 1);
        Outgoing {
            bytes,
            link: server.link(to.ip(), remote),
            to_hardware: None,
        }
    };
    let v6 = "[::1]:68".parse().unwrap();
    let batch = [
        one(70_000, remote),
        one(10, remote),
        one(11, v6),
        one(70_000, remote),
        one(12, remote),
    ];
    let mut failures = Vec::new();
    Sender::new().send(&server, to.ip(), &batch, |outgoing, errno| {
        failures.push((outgoing.bytes.len(), errno))
    });
    assert_eq!(
        failures,
        [
            (70_000, Errno::EMSGSIZE),
            (11, Errno::EAFNOSUPPORT),
            (70_000, Errno::EMSGSIZE)
        ]
    );
    let mut bytes = [0; 64];
    let lengths: Vec<usize> = (0..2).map(|_| client.recv(&mut bytes).unwrap()).collect();
    assert_eq!(lengths, [10, 12]);
}

#[test]
fn steady_traffic_allocates_nothing() {
    let server = only(sockets4());
    let client = StdSocket::bind("127.0.0.1:0").unwrap();
    let (mut receiver, mut sender) = (Receiver::new(), Sender::new());
    let mut queue = Vec::with_capacity(BATCH);
    let to = SocketAddr::from(([127, 0, 0, 1], server.port()));
    let mut round = || {
        for _ in 0..BATCH {
            client.send_to(&[1; 300], to).unwrap();
        }
        let received = receiver.receive(&server, |Datagram { bytes, link }| {
            queue.push(Outgoing {
                bytes,
                link,
                to_hardware: None,
            });
        });
        assert_eq!(received.map(|received| received.taken), Ok(BATCH));
        sender.send(&server, to.ip(), &queue, |outgoing, errno| {
            panic!("{outgoing:?}: {errno}")
        });
        queue.clear();
    };
    round();
    let allocated = allocation_counter::measure(&mut round);
    assert_eq!(allocated.count_total, 0);
}
