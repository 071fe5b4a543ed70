//! What callouts change, so that it is seen from outside whether their changes count.
//!
//! Every hook point where something can be changed that the client or the lease store shows has its mark: the packet
//! joins the class `marked`, whose domain name is "marked"; the client gets a subnet, a reserved address, a name or a
//! lifetime that it would not get otherwise; the domain name in the reply is overwritten.

use outrigger_proto::v1;
use outrigger_proto::v1::arguments::Point;

use crate::behaviour::Behaviour;

/// Domain name of a marked reply.
pub(crate) const MARKED: &str = "marked";
/// Domain name of every other reply: as long, so that it can be overwritten in a packed one.
pub(crate) const UNMARKED: &str = "plain1";
/// The name of a marked client.
pub(crate) const NAME: &str = "marked.example";
/// Flexible identifier with a reservation.
pub(crate) const FLEX_ID: &str = "matrix";
/// The subnet that clients get whose subnet is marked.
pub(crate) const OTHER_SUBNET: u32 = 4;
/// Seconds that a marked lease is valid.
pub(crate) const VALID: u32 = 300;
const PREFERRED: u32 = 200;

/// RFC 2132 §3.17.
pub(crate) const DOMAIN_NAME: u8 = 15;
/// RFC 3646 §4.
pub(crate) const DOMAIN_SEARCH: u16 = 24;

const COOKIE: [u8; 4] = [99, 130, 83, 99];
const RELAY_REPL: u8 = 13;
const RELAY_MESSAGE: u16 = 9;

/// The changes of a callout that behaves so.
pub(crate) fn of(
    point: &str,
    behaviour: Behaviour,
    call: &v1::CalloutRequest,
) -> Option<v1::Changes> {
    let mut changes = v1::Changes::default();
    match point {
        "buffer4_receive" | "pkt4_receive" => {
            changes
                .query4
                .get_or_insert_default()
                .add_classes
                .push(MARKED.to_owned());
        }
        "buffer6_receive" | "pkt6_receive" => {
            changes
                .query6
                .get_or_insert_default()
                .add_classes
                .push(MARKED.to_owned());
        }
        "subnet4_select" | "subnet6_select" => changes.subnet_id = Some(OTHER_SUBNET),
        "host4_identifier" | "host6_identifier" => {
            changes.host_identifier = Some(FLEX_ID.as_bytes().into());
        }
        "ddns4_update" | "ddns6_update" => {
            changes.names.get_or_insert_default().hostname = Some(NAME.to_owned());
        }
        "lease4_select" | "lease4_renew" => {
            changes.lease.get_or_insert_default().valid_lifetime = Some(VALID);
        }
        "lease6_select" | "lease6_renew" | "lease6_rebind" | "addr6_register" => {
            let lease = changes.lease.get_or_insert_default();
            lease.valid_lifetime = Some(VALID);
            lease.preferred_lifetime = Some(PREFERRED);
        }
        "lease4_offer" if behaviour == Behaviour::ParkInUse => {
            changes.offer_address_in_use = Some(true);
        }
        "pkt4_send" | "pkt6_send" if behaviour == Behaviour::Skip => packed(&mut changes, call),
        "lease4_offer" | "leases4_committed" | "pkt4_send" => {
            let edit = set(DOMAIN_NAME.into(), MARKED.as_bytes());
            changes.response4.get_or_insert_default().options.push(edit);
        }
        "leases6_committed" | "pkt6_send" => {
            let edit = set(DOMAIN_SEARCH.into(), &search_list(MARKED));
            changes.response6.get_or_insert_default().options.push(edit);
        }
        "buffer4_send" | "buffer6_send" => overwritten(&mut changes, call),
        "dhcp4_srv_configured" | "dhcp6_srv_configured" => {
            changes.error = Some(MARKED.to_owned());
        }
        "command_processed" | "$command" => changes.command_response = Some(answer(MARKED)),
        // Nothing that can be changed at the others is seen from outside.
        _ => return None,
    }
    Some(changes)
}

/// The changes of a callout that makes no mark: a command needs an answer all the same, if there is none yet.
pub(crate) fn plain(point: &str, call: &v1::CalloutRequest) -> Option<v1::Changes> {
    let answered = match arguments(call) {
        Some(Point::Command(arguments)) => !arguments.response.is_empty(),
        _ => true,
    };
    (point == "$command" && !answered).then(|| v1::Changes {
        command_response: Some(answer("plain")),
        ..v1::Changes::default()
    })
}

/// A domain search list of one name with one label (RFC 3646 §4).
pub(crate) fn search_list(name: &str) -> Vec<u8> {
    let length = u8::try_from(name.len()).expect("a label is short");
    [&[length], name.as_bytes(), &[0]].concat()
}

fn answer(text: &str) -> String {
    format!("{{ \"result\": 0, \"text\": \"{text}\" }}")
}

fn set(code: u32, data: &[u8]) -> v1::OptionEdit {
    v1::OptionEdit {
        action: v1::option_edit::Action::Set.into(),
        path: vec![code],
        data: data.to_vec().into(),
        ..v1::OptionEdit::default()
    }
}

fn arguments(call: &v1::CalloutRequest) -> Option<&Point> {
    call.arguments.as_ref()?.point.as_ref()
}

/// The packed reply with another domain name.
fn overwritten(changes: &mut v1::Changes, call: &v1::CalloutRequest) {
    match arguments(call) {
        Some(Point::Buffer4Send(arguments)) => {
            let wire = arguments
                .response
                .as_ref()
                .map(|packet| overwrite(&packet.wire));
            changes.response4.get_or_insert_default().wire = wire.map(Into::into);
        }
        Some(Point::Buffer6Send(arguments)) => {
            let wire = arguments
                .response
                .as_ref()
                .map(|packet| overwrite(&packet.wire));
            changes.response6.get_or_insert_default().wire = wire.map(Into::into);
        }
        _ => {}
    }
}

fn overwrite(wire: &[u8]) -> Vec<u8> {
    let mut wire = wire.to_vec();
    let mut places = wire.windows(UNMARKED.len());
    if let Some(at) = places.position(|part| part == UNMARKED.as_bytes()) {
        wire[at..at + MARKED.len()].copy_from_slice(MARKED.as_bytes());
    }
    wire
}

/// The reply packed by the callout, with another domain name.
fn packed(changes: &mut v1::Changes, call: &v1::CalloutRequest) {
    match arguments(call) {
        Some(Point::Pkt4Send(arguments)) => {
            let response = arguments.response.clone().unwrap_or_default();
            let wire = overwrite(&pack4(&response));
            changes.response4.get_or_insert_default().wire = Some(wire.into());
        }
        Some(Point::Pkt6Send(arguments)) => {
            let response = arguments.response.clone().unwrap_or_default();
            let query = arguments.query.clone().unwrap_or_default();
            let wire = overwrite(&pack6(&response, &query.relays));
            changes.response6.get_or_insert_default().wire = Some(wire.into());
        }
        _ => {}
    }
}

/// RFC 2131 §2.
fn pack4(packet: &v1::Packet4) -> Vec<u8> {
    let hw_address = packet.hw_address.clone().unwrap_or_default();
    let byte = |number: u32| u8::try_from(number).expect("a field of one byte");
    let hlen = u8::try_from(hw_address.address.len()).expect("a hardware address is short");
    let mut wire = vec![
        byte(packet.op),
        byte(hw_address.htype),
        hlen,
        byte(packet.hops),
    ];
    wire.extend(packet.transaction_id.to_be_bytes());
    wire.extend(&packet.secs.to_be_bytes()[2..]);
    wire.extend(&packet.flags.to_be_bytes()[2..]);
    for address in [
        &packet.ciaddr,
        &packet.yiaddr,
        &packet.siaddr,
        &packet.giaddr,
    ] {
        padded(&mut wire, address, 4);
    }
    padded(&mut wire, &hw_address.address, 16);
    padded(&mut wire, &packet.sname, 64);
    padded(&mut wire, &packet.file, 128);
    wire.extend(COOKIE);
    for option in &packet.options {
        let length = u8::try_from(option.data.len()).expect("an option of a short reply is short");
        wire.extend([byte(option.code), length]);
        wire.extend(&option.data);
    }
    wire.push(255);
    wire
}

fn padded(wire: &mut Vec<u8>, field: &[u8], length: usize) {
    let end = wire.len() + length;
    wire.extend(field);
    wire.resize(end, 0);
}

/// RFC 9915 §8 and §9; relay layers as those of the query.
fn pack6(packet: &v1::Packet6, relays: &[v1::Relay6]) -> Vec<u8> {
    let byte = |number: u32| u8::try_from(number).expect("a field of one byte");
    let mut wire = vec![byte(packet.message_type)];
    wire.extend(&packet.transaction_id.to_be_bytes()[1..]);
    for option in &packet.options {
        let code = u16::try_from(option.code).expect("the code of an option");
        put6(&mut wire, code, &option.data);
    }
    for relay in relays.iter().rev() {
        let inner = std::mem::take(&mut wire);
        wire.extend([RELAY_REPL, byte(relay.hop_count)]);
        padded(&mut wire, &relay.link_address, 16);
        padded(&mut wire, &relay.peer_address, 16);
        put6(&mut wire, RELAY_MESSAGE, &inner);
    }
    wire
}

fn put6(wire: &mut Vec<u8>, code: u16, data: &[u8]) {
    let length = u16::try_from(data.len()).expect("an option of a short reply is short");
    wire.extend(code.to_be_bytes());
    wire.extend(length.to_be_bytes());
    wire.extend(data);
}
