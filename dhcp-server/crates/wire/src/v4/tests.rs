use super::*;
use crate::buffer::Buffer;

fn query(options: &[(u16, &[u8])]) -> Packet4 {
    let mut packet = Packet4 {
        header: Header4::default(),
        options: Options::new(),
        message_type: None,
    };
    for (code, payload) in options {
        packet.options.push(*code, payload);
    }
    packet
}

fn encoded(reply: &Reply4, max_size: usize) -> (Vec<u8>, Vec<u16>) {
    let mut out = Vec::new();
    let encoded = reply.encode(&mut out, max_size).expect("the reply fits");
    (out, encoded.dropped.to_vec())
}

/// What a client reads, by our own decoder, which wants requests.
fn read_back(mut bytes: Vec<u8>) -> Packet4 {
    bytes[0] = BOOT_REQUEST;
    decode(Buffer::copy_of(&bytes)).expect("our own packets are well-formed")
}

#[test]
fn typed_views_read_well_formed_options() {
    let packet = query(&[
        (50, &[192, 0, 2, 7]),
        (51, &[0, 0, 14, 16]),
        (54, &[192, 0, 2, 1]),
        (55, &[1, 3, 6]),
        (57, &[5, 220]),
        (60, b"PXEClient"),
        (61, &[1, 82, 84, 0, 1, 2, 3]),
        (80, &[]),
        (82, &[1, 1, 9]),
        (118, &[198, 51, 100, 0]),
    ]);
    assert_eq!(
        packet.requested_address(),
        Some(Ipv4Addr::new(192, 0, 2, 7))
    );
    assert_eq!(packet.lease_time(), Some(3600));
    assert_eq!(packet.server_id(), Some(Ipv4Addr::new(192, 0, 2, 1)));
    assert_eq!(packet.parameter_request_list(), [1, 3, 6]);
    assert_eq!(packet.max_message_size(), Some(1500));
    assert_eq!(packet.vendor_class(), Some(&b"PXEClient"[..]));
    assert_eq!(packet.client_id(), ClientId::new(&[1, 82, 84, 0, 1, 2, 3]));
    assert!(packet.rapid_commit());
    assert_eq!(packet.relay_info(), Some(&[1, 1, 9][..]));
    assert_eq!(
        packet.subnet_selection(),
        Some(Ipv4Addr::new(198, 51, 100, 0))
    );
}

#[test]
fn an_option_of_wrong_length_invalidates_only_itself() {
    let packet = query(&[
        (50, &[192, 0, 2]),
        (51, &[0; 5]),
        (54, &[]),
        (57, &[1]),
        (61, &[1]),
        (80, &[1]),
    ]);
    assert_eq!(packet.requested_address(), None);
    assert_eq!(packet.lease_time(), None);
    assert_eq!(packet.server_id(), None);
    assert_eq!(packet.max_message_size(), None);
    assert_eq!(packet.client_id(), None);
    assert!(!packet.rapid_commit());
    assert_eq!(packet.parameter_request_list(), []);
    assert_eq!(packet.option_u8(57), Some(1));
}

#[test]
fn a_hardware_address_has_hlen_bytes_even_where_hlen_was_tampered_with() {
    let mut packet = query(&[]);
    packet.header.chaddr[..6].copy_from_slice(&[2, 0, 0, 0, 0, 9]);
    assert_eq!(
        packet.hw_address(),
        HwAddress::new(1, &[2, 0, 0, 0, 0, 9]).unwrap()
    );
    packet.header.hlen = 200;
    assert!(packet.hw_address().is_empty());
}

#[test]
fn text_fields_end_with_a_zero_byte_and_hold_one_byte_less() {
    let mut header = Header4 {
        sname: [b's'; 64],
        file: [b'f'; 128],
        ..Header4::default()
    };
    assert_eq!(
        (header.server_name().len(), header.boot_file().len()),
        (64, 128)
    );
    assert_eq!(header.set_boot_file(b"a.efi"), Ok(()));
    assert_eq!(
        (header.boot_file(), header.file[5..] == [0; 123]),
        (&b"a.efi"[..], true)
    );
    assert_eq!(header.set_server_name(&[b'x'; 63]), Ok(()));
    let refused = header.set_server_name(&[b'y'; 64]).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "field sname takes 65 bytes, at most 64 fit"
    );
    assert_eq!(header.server_name(), [b'x'; 63]);
}

#[test]
fn a_reply_echoes_what_table_3_of_the_rfc_says() {
    let mut packet = query(&[]);
    packet.header.hops = 3;
    packet.header.secs = 9;
    packet.header.xid = 0x1234_5678;
    packet.header.flags = FLAG_BROADCAST;
    packet.header.giaddr = Ipv4Addr::new(192, 0, 2, 254);
    packet.header.ciaddr = Ipv4Addr::new(192, 0, 2, 9);
    packet.header.chaddr[0] = 2;
    packet.header.file[0] = b'x';
    assert!(packet.broadcast() && packet.is_relayed());
    let reply = Reply4::to(&packet, MessageType::Offer);
    let expected = Header4 {
        op: BOOT_REPLY,
        hops: 0,
        secs: 0,
        ciaddr: Ipv4Addr::UNSPECIFIED,
        file: [0; 128],
        ..packet.header
    };
    assert_eq!(reply.header, expected);
    assert_eq!(reply.message_type(), Some(MessageType::Offer));
    assert_eq!(reply.options.iter().next(), Some((53, &[2][..])));
}

#[test]
fn a_reply_is_the_header_the_options_an_end_and_padding() {
    let mut reply = Reply4::to(&query(&[]), MessageType::Ack);
    reply.options.push(82, &[1, 1, 9]);
    reply.options.push(1, &[255, 255, 255, 0]);
    reply.options.push(12, &[]);
    let (bytes, dropped) = encoded(&reply, 576);
    assert_eq!(bytes[..4], [2, 1, 6, 0]);
    assert_eq!(bytes[236..240], COOKIE);
    assert_eq!(
        bytes[240..257],
        [53, 1, 5, 1, 4, 255, 255, 255, 0, 12, 0, 82, 3, 1, 1, 9, 255]
    );
    assert_eq!(bytes[257..], [0; 43]);
    assert_eq!(bytes.len(), 300);
    assert_eq!(dropped, []);
}

#[test]
fn a_reply_is_appended_to_what_the_buffer_holds() {
    let mut out = vec![0xee; 14];
    Reply4::to(&query(&[]), MessageType::Nak)
        .encode(&mut out, 576)
        .unwrap();
    assert_eq!(out.len(), 14 + 300);
    assert_eq!(out[..14], [0xee; 14]);
}

#[test]
fn a_long_option_is_split_and_joined_again() {
    for len in [255_u16, 256, 510, 511, 900] {
        let value: Vec<u8> = (0..len).map(|n| n.to_be_bytes()[1]).collect();
        let mut reply = Reply4::to(&query(&[]), MessageType::Ack);
        reply.options.push(43, &value);
        reply.options.push(1, &[255; 4]);
        let (bytes, dropped) = encoded(&reply, 1472);
        assert_eq!(dropped, []);
        assert_eq!(bytes[243..245], [43, 255]);
        assert_eq!(read_back(bytes).options, reply.options, "{len}");
    }
}

#[test]
fn what_does_not_fit_is_left_out_in_the_documented_order() {
    let mut reply = Reply4::to(&query(&[]), MessageType::Ack);
    for code in [54, 1, 3, 6, 66, 67, 51, 61, 43, 82] {
        reply.options.push(code, &[0; 20]);
    }
    let full = 240 + 3 + 10 * 22 + 1;
    let cases: [(usize, &[u16]); 6] = [
        (full, &[]),
        (full - 1, &[43]),
        (full - 22, &[43]),
        (full - 23, &[43, 67]),
        (full - 67, &[43, 67, 66, 6]),
        (full - 5 * 22, &[43, 67, 66, 6, 3]),
    ];
    for (max_size, expected) in cases {
        let (bytes, dropped) = encoded(&reply, max_size);
        assert_eq!(dropped, expected, "{max_size}");
        assert!(bytes.len() <= max_size);
        let read = read_back(bytes);
        let kept: Vec<u16> = read.options.iter().map(|(code, _)| code).collect();
        assert!(expected.iter().all(|code| !kept.contains(code)));
        assert_eq!(kept.len() + expected.len(), 11);
    }
}

#[test]
fn a_reply_whose_indispensable_options_do_not_fit_is_an_error() {
    let mut reply = Reply4::to(&query(&[]), MessageType::Ack);
    reply.options.push(82, &[0; 250]);
    reply.options.push(3, &[0; 4]);
    let mut out = vec![1];
    let error = TooLong {
        what: What::Packet,
        len: 496,
        limit: 400,
    };
    assert_eq!(reply.encode(&mut out, 400), Err(error));
    assert_eq!(
        error.to_string(),
        "the packet takes 496 bytes, at most 400 fit"
    );
    assert_eq!(out, [1]);
}

#[test]
fn codes_without_a_form_in_dhcpv4_are_left_out_and_reported() {
    let mut reply = Reply4::to(&query(&[]), MessageType::Ack);
    for code in [0, 255, 256, 300, 254] {
        reply.options.push(code, &[1]);
    }
    let (bytes, dropped) = encoded(&reply, 576);
    assert_eq!(dropped, [0, 255, 256, 300]);
    assert_eq!(bytes[240..247], [53, 1, 5, 254, 1, 1, 255]);
}

#[test]
fn padding_never_exceeds_the_size_the_client_accepts() {
    let (bytes, _) = encoded(&Reply4::to(&query(&[]), MessageType::Ack), 260);
    assert_eq!(bytes.len(), 260);
}
