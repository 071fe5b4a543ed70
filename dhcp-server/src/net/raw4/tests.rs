use super::*;
use outrigger_wire::buffer::Buffer;
use outrigger_wire::{HwAddress, Link};
use proptest::prelude::*;

const TO_HARDWARE: [u8; 6] = [2, 0, 0, 0, 0, 9];
const FROM_HARDWARE: [u8; 6] = [2, 0, 0, 0, 0, 1];

fn frame(from: &str, to: &str, payload: &[u8]) -> Vec<u8> {
    let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
    let header = header([TO_HARDWARE, FROM_HARDWARE], from, to, payload).unwrap();
    [&header, payload].concat()
}

/// RFC 1071 as its text has it: add 16-bit words one by one, each carry at once. The sum of a right packet is all ones.
fn ones_complement_sum(bytes: &[u8]) -> u16 {
    bytes.chunks(2).fold(0_u16, |total, word| {
        let word = u16::from(word[0]) * 256 + u16::from(*word.get(1).unwrap_or(&0));
        let (sum, carry) = total.overflowing_add(word);
        sum + u16::from(carry)
    })
}

fn pseudo_header_and_udp(frame: &[u8]) -> Vec<u8> {
    let length = u16::try_from(frame.len() - 34).unwrap().to_be_bytes();
    [&frame[26..34], &[0, 17], &length, &frame[34..]].concat()
}

#[test]
fn frame_has_the_bytes_that_the_standards_draw() {
    let bytes = frame("192.0.2.1:67", "192.0.2.77:68", b"\x02\x01\x06");
    let expected = [
        &TO_HARDWARE[..],
        &FROM_HARDWARE,
        &[0x08, 0x00],
        &[0x45, 0x00, 0x00, 0x1f, 0x00, 0x00, 0x00, 0x00, 0x40, 0x11],
        // 0x4500 + 0x001f + 0x4011 + 0xc000 + 0x0201 + 0xc000 + 0x024d = 0x2_097e; folded 0x0980; inverted 0xf67f.
        &[0xf6, 0x7f],
        &[192, 0, 2, 1, 192, 0, 2, 77],
        &[0x00, 0x43, 0x00, 0x44, 0x00, 0x0b],
        // 0xc000 + 0x0201 + 0xc000 + 0x024d + 0x11 + 0x0b + 0x43 + 0x44 + 0x0b + 0x0201 + 0x0600 = 0x1_8cfd; 0x8cfe;
        // inverted 0x7301.
        &[0x73, 0x01],
        b"\x02\x01\x06",
    ]
    .concat();
    assert_eq!(bytes, expected);
}

#[test]
fn udp_checksum_is_never_zero() {
    // The payload that makes the sum of everything else all ones.
    let zero = frame("192.0.2.1:67", "192.0.2.77:68", &[0, 0]);
    let payload = [zero[40], zero[41]];
    let bytes = frame("192.0.2.1:67", "192.0.2.77:68", &payload);
    assert_eq!(bytes[40..42], [0xff, 0xff]);
}

#[test]
fn payload_longer_than_an_ip_packet_gets_no_header() {
    let [from, to] = ["192.0.2.1:67", "192.0.2.77:68"].map(|address| address.parse().unwrap());
    let hardware = [TO_HARDWARE, FROM_HARDWARE];
    assert!(header(hardware, from, to, &vec![0xff; 65_535 - 28]).is_some());
    assert!(header(hardware, from, to, &vec![0xff; 65_535 - 27]).is_none());
    assert!(header(hardware, from, to, &vec![0xff; 70_000]).is_none());
}

#[test]
fn only_ethernet_addresses_get_frames() {
    let link = Link {
        interface: "eth0".into(),
        interface_index: 2,
        local: ([192, 0, 2, 1], 67).into(),
        remote: ([192, 0, 2, 77], 68).into(),
    };
    let to = |to_hardware| {
        let outgoing = Outgoing {
            bytes: Buffer::take(),
            link: link.clone(),
            to_hardware,
        };
        ethernet_destination(&outgoing)
    };
    assert_eq!(to(HwAddress::new(1, &TO_HARDWARE)), Some(TO_HARDWARE));
    assert_eq!(to(HwAddress::new(32, &[1; 20])), None);
    assert_eq!(to(HwAddress::new(1, &[1; 7])), None);
    assert_eq!(to(HwAddress::new(6, &TO_HARDWARE)), None);
    assert_eq!(to(Some(HwAddress::EMPTY)), None);
    assert_eq!(to(None), None);
}

#[test]
fn kernel_takes_frames_for_datagrams_where_packet_sockets_are_allowed() {
    let loopback = crate::net::interfaces::list()
        .unwrap()
        .into_iter()
        .find(|one| one.loopback)
        .unwrap();
    let mut socket = match RawSocket::open(&loopback) {
        Ok(socket) => socket,
        Err(NetError::Socket { source, .. }) => {
            assert_eq!(source.kind(), std::io::ErrorKind::PermissionDenied);
            return;
        }
        Err(error) => panic!("{error}"),
    };
    // From nowhere to everybody: the only addresses that the kernel believes of a frame on this interface.
    socket.address = Ipv4Addr::UNSPECIFIED;
    let client = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    let port = client.local_addr().unwrap().port();
    client
        .set_read_timeout(Some(std::time::Duration::from_secs(5)))
        .unwrap();
    let answer = |len, to_hardware| {
        let link = Link {
            interface: "lo".into(),
            interface_index: loopback.index,
            local: ([255, 255, 255, 255], 67).into(),
            remote: ([255, 255, 255, 255], port).into(),
        };
        let mut bytes = Buffer::take();
        bytes.resize(len, 7);
        Outgoing {
            bytes,
            link,
            to_hardware,
        }
    };
    // The hardware address of the loopback interface.
    let here = HwAddress::new(1, &[0; 6]);
    let outgoing: Vec<Outgoing> = (300..400)
        .map(|len| answer(len, if len == 350 { None } else { here }))
        .collect();
    let mut failures = Vec::new();
    RawSender::new().send(&socket, &outgoing, |one, errno| {
        failures.push((one.bytes.len(), errno))
    });
    assert_eq!(failures, [(350, Errno::EMSGSIZE)]);
    let mut bytes = [0; 512];
    for len in (300..400).filter(|len| *len != 350) {
        let (received, from) = client.recv_from(&mut bytes).unwrap();
        assert_eq!((received, from), (len, ([0, 0, 0, 0], 67).into()));
    }
}

proptest! {
    #[test]
    fn checksums_of_any_frame_add_up_when_computed_another_way(
        from in any::<(u32, u16)>(),
        to in any::<(u32, u16)>(),
        payload in prop::collection::vec(any::<u8>(), 0..1500),
    ) {
        let address = |(ip, port): (u32, u16)| SocketAddrV4::new(ip.into(), port);
        let header = header([TO_HARDWARE, FROM_HARDWARE], address(from), address(to), &payload).unwrap();
        let frame = [&header, payload.as_slice()].concat();
        prop_assert_eq!(ones_complement_sum(&frame[14..34]), 0xffff);
        prop_assert_eq!(ones_complement_sum(&pseudo_header_and_udp(&frame)), 0xffff);
        prop_assert_ne!(&frame[40..42], &[0, 0]);
        prop_assert_eq!(&frame[26..30], &from.0.to_be_bytes());
        prop_assert_eq!(&frame[36..38], &to.1.to_be_bytes());
    }
}
