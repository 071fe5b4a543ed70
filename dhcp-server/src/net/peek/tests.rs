use super::*;
use outrigger_wire::Link;
use outrigger_wire::buffer::Buffer;
use proptest::prelude::*;

fn datagram(bytes: &[u8], remote: &str) -> Datagram {
    let remote: SocketAddr = remote.parse().unwrap();
    let link = Link {
        interface: "eth0".into(),
        interface_index: 2,
        local: remote,
        remote,
    };
    Datagram {
        bytes: Buffer::copy_of(bytes),
        link,
    }
}

fn packet4(chaddr: [u8; 6], options: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; HEADER4];
    bytes[..3].copy_from_slice(&[1, 1, 6]);
    bytes[28..34].copy_from_slice(&chaddr);
    bytes[236..].copy_from_slice(&[99, 130, 83, 99]);
    bytes.extend(options);
    bytes
}

fn packet6(message_type: u8, duid: &[u8]) -> Vec<u8> {
    let mut bytes = vec![message_type, 1, 2, 3, 0, 8, 0, 2, 0, 0, 0, 1];
    bytes.extend(u16::try_from(duid.len()).unwrap().to_be_bytes());
    bytes.extend(duid);
    bytes
}

fn relayed(message: &[u8]) -> Vec<u8> {
    let mut bytes = vec![12; 1];
    bytes.extend([0; 33]);
    bytes.extend([0, 18, 0, 1, 7, 0, 9]);
    bytes.extend(u16::try_from(message.len()).unwrap().to_be_bytes());
    bytes.extend(message);
    bytes
}

fn at4(peek: &Peek, bytes: &[u8]) -> Glance {
    peek.at(&datagram(bytes, "192.0.2.1:68"))
}

fn at6(peek: &Peek, bytes: &[u8]) -> Glance {
    peek.at(&datagram(bytes, "[fe80::1]:546"))
}

#[test]
fn hardware_address_decides_the_client_of_a_v4_packet() {
    let peek = Peek::new();
    let discover = at4(&peek, &packet4([2, 0, 0, 0, 0, 1], &[53, 1, 1, 255]));
    let request = at4(&peek, &packet4([2, 0, 0, 0, 0, 1], &[53, 1, 3, 255]));
    let other = at4(&peek, &packet4([2, 0, 0, 0, 0, 2], &[53, 1, 1, 255]));
    assert_eq!(discover.client, request.client);
    assert_ne!(discover.client, other.client);
}

#[test]
fn duid_decides_the_client_of_a_v6_packet_through_any_number_of_relays() {
    let peek = Peek::new();
    let mut message = packet6(1, b"\x00\x03\x00\x01abcdef");
    let direct = at6(&peek, &message);
    for relays in 1..=RELAYS {
        message = relayed(&message);
        assert_eq!(at6(&peek, &message), direct, "{relays} relays");
    }
    assert_ne!(
        at6(&peek, &relayed(&message)).client,
        direct.client,
        "one relay too many"
    );
    assert_ne!(
        at6(&peek, &packet6(1, b"\x00\x03\x00\x01abcdeg")).client,
        direct.client
    );
}

#[test]
fn what_names_no_client_belongs_to_its_sender() {
    let peek = Peek::new();
    let from = |remote| peek.at(&datagram(&[11, 1, 2, 3], remote)).client;
    assert_eq!(from("[fe80::1]:546"), from("[fe80::1]:546"));
    assert_ne!(from("[fe80::1]:546"), from("[fe80::2]:546"));
}

#[test]
fn only_what_continues_an_exchange_is_urgent() {
    let peek = Peek::new();
    let urgent4: Vec<u8> = (0..=u8::MAX)
        .filter(|kind| {
            let options = [0, 12, 1, b'x', 53, 1, *kind, 255];
            at4(&peek, &packet4([2; 6], &options)).urgency == Urgency::Continuing
        })
        .collect();
    assert_eq!(urgent4, [3, 4, 7, 8]);
    let urgent6: Vec<u8> = (0..=u8::MAX)
        .filter(|kind| at6(&peek, &packet6(*kind, b"duid")).urgency == Urgency::Continuing)
        .collect();
    assert_eq!(urgent6, [3, 4, 5, 6, 8, 9, 11, 36]);
}

#[test]
fn message_type_behind_the_end_option_or_cut_off_is_not_seen() {
    let peek = Peek::new();
    for options in [
        &[255, 53, 1, 3][..],
        &[53, 1],
        &[53, 0, 3],
        &[12, 9, 53, 1, 3],
        &[],
    ] {
        let glance = at4(&peek, &packet4([2; 6], options));
        assert_eq!(glance.urgency, Urgency::Opening, "{options:?}");
    }
}

#[test]
fn cuts_at_any_byte_are_read_without_panic() {
    let peek = Peek::new();
    let v4 = packet4([2, 0, 0, 0, 0, 1], &[12, 3, 1, 2, 3, 53, 1, 3, 255]);
    for end in 0..=v4.len() {
        at4(&peek, &v4[..end]);
    }
    let v6 = relayed(&relayed(&packet6(3, b"\x00\x03\x00\x01abcdef")));
    for end in 0..v6.len() {
        let glance = at6(&peek, &v6[..end]);
        assert_eq!(glance.urgency, Urgency::Opening, "cut at {end}");
    }
    assert_eq!(at6(&peek, &v6).urgency, Urgency::Continuing);
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(
        kind in prop::sample::select(vec![1_u8, 3, 12, 13]),
        rest in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let peek = Peek::new();
        let bytes: Vec<u8> = std::iter::once(kind).chain(rest).collect();
        prop_assert_eq!(at4(&peek, &bytes), at4(&peek, &bytes));
        prop_assert_eq!(at6(&peek, &bytes), at6(&peek, &bytes));
    }
}
