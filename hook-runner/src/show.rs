//! Replies as JSON for people: addresses and texts as such, other bytes as hex digits.

use outrigger_proto::{NextStep, v1};
use serde_json::{Map, Value, json};
use std::net::{Ipv4Addr, Ipv6Addr};
use tonic::Status;
use v1::callout_reply::Outcome;

/// Of a session or `Call`.
pub(crate) fn reply(reply: &v1::CalloutReply) -> Value {
    match &reply.outcome {
        Some(Outcome::Result(outcome)) => result(outcome),
        Some(Outcome::Failure(failure)) => json!({
            "outcome": "failure", "code": failure.code, "text": failure.text,
        }),
        None => json!({ "outcome": "neither result nor failure" }),
    }
}

/// A status means what a failure means.
pub(crate) fn status(status: &Status) -> Value {
    json!({
        "outcome": "failure", "status": format!("{:?}", status.code()), "text": status.message(),
    })
}

/// Whether a second, final reply follows.
pub(crate) fn is_parked(reply: &v1::CalloutReply) -> bool {
    matches!(&reply.outcome, Some(Outcome::Result(result)) if result.next_step() == v1::NextStep::Park)
}

/// What a callout came to.
pub(crate) fn result(result: &v1::CalloutResult) -> Value {
    let next_step = match result.next_step.map(NextStep::try_from) {
        None => json!("unchanged"),
        Some(Ok(step)) => json!(step.name()),
        Some(Err(number)) => json!(number),
    };
    let mut shown = Fields::default();
    shown.put("outcome", Some("result"));
    shown.put("next-step", Some(next_step));
    shown.put("context", result.context.as_deref().map(bytes));
    shown.put("changes", result.changes.as_ref().map(changes));
    let warning = Some(&result.warning).filter(|text| !text.is_empty());
    shown.put("warning", warning.cloned());
    shown.into()
}

/// What is absent is left out.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, name: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value.into());
        }
    }
}

impl From<Fields> for Value {
    fn from(fields: Fields) -> Self {
        Self::Object(fields.0)
    }
}

fn changes(changes: &v1::Changes) -> Value {
    let mut shown = Fields::default();
    let query4 = changes.query4.as_ref().map(packet4);
    shown.put(
        "query",
        query4.or_else(|| changes.query6.as_ref().map(packet6)),
    );
    let response4 = changes.response4.as_ref().map(packet4);
    shown.put(
        "response",
        response4.or_else(|| changes.response6.as_ref().map(packet6)),
    );
    shown.put("subnet-id", changes.subnet_id);
    shown.put("lease", changes.lease.as_ref().map(lease));
    shown.put(
        "host-identifier",
        changes.host_identifier.as_deref().map(bytes),
    );
    shown.put("host-identifier-type", changes.host_identifier_type);
    shown.put("names", changes.names.as_ref().map(names));
    shown.put("offer-address-in-use", changes.offer_address_in_use);
    shown.put("ia-options", edits(&changes.ia_options));
    shown.put("error", changes.error.clone());
    shown.put("command-response", changes.command_response.clone());
    shown.into()
}

fn packet4(packet: &v1::Packet4Changes) -> Value {
    let mut shown = Fields::default();
    shown.put("message-type", packet.message_type);
    shown.put("hops", packet.hops);
    let hw_address = packet.hw_address.as_ref();
    shown.put("hw-address", hw_address.map(|hw| digits(&hw.address)));
    shown.put("hw-type", hw_address.map(|hw| hw.htype));
    shown.put("secs", packet.secs);
    shown.put("flags", packet.flags);
    shown.put("ciaddr", packet.ciaddr.as_deref().map(address));
    shown.put("yiaddr", packet.yiaddr.as_deref().map(address));
    shown.put("siaddr", packet.siaddr.as_deref().map(address));
    shown.put("sname", packet.sname.as_deref().map(bytes));
    shown.put("file", packet.file.as_deref().map(bytes));
    shown.put("options", edits(&packet.options));
    shown.put("add-classes", names_of(&packet.add_classes));
    let additional = names_of(&packet.add_additional_classes);
    shown.put("add-additional-classes", additional);
    shown.put("link", packet.link.as_ref().map(link));
    shown.put("wire", packet.wire.as_deref().map(digits));
    // Rare and large: as it is.
    let parsed = packet.parsed.as_ref();
    shown.put("parsed", parsed.map(|parsed| format!("{parsed:?}")));
    shown.into()
}

fn packet6(packet: &v1::Packet6Changes) -> Value {
    let mut shown = Fields::default();
    shown.put("message-type", packet.message_type);
    shown.put("options", edits(&packet.options));
    let relay = |edits: &v1::RelayOptionEdit| format!("{edits:?}");
    let relays: Vec<String> = packet.relay_options.iter().map(relay).collect();
    shown.put("relay-options", names_of(&relays));
    shown.put("add-classes", names_of(&packet.add_classes));
    let additional = names_of(&packet.add_additional_classes);
    shown.put("add-additional-classes", additional);
    shown.put("link", packet.link.as_ref().map(link));
    shown.put("wire", packet.wire.as_deref().map(digits));
    let parsed = packet.parsed.as_ref();
    shown.put("parsed", parsed.map(|parsed| format!("{parsed:?}")));
    shown.into()
}

fn edits(edits: &[v1::OptionEdit]) -> Option<Vec<Value>> {
    (!edits.is_empty()).then(|| edits.iter().map(edit).collect())
}

fn names_of(names: &[String]) -> Option<Vec<String>> {
    (!names.is_empty()).then(|| names.to_vec())
}

fn link(link: &v1::LinkChanges) -> Value {
    let mut shown = Fields::default();
    shown.put("interface", link.interface.clone());
    let remote = link.remote_address.as_deref();
    shown.put("remote-address", remote.map(address));
    shown.put("remote-port", link.remote_port);
    let local = link.local_address.as_deref();
    shown.put("local-address", local.map(address));
    shown.into()
}

fn edit(edit: &v1::OptionEdit) -> Value {
    let mut shown = Fields::default();
    let action = match v1::option_edit::Action::try_from(edit.action) {
        Ok(v1::option_edit::Action::Set) => json!("SET"),
        Ok(v1::option_edit::Action::Add) => json!("ADD"),
        Ok(v1::option_edit::Action::Remove) => json!("REMOVE"),
        Err(_) => json!(edit.action),
    };
    shown.put("action", Some(action));
    shown.put("option", Some(edit.path.clone()));
    shown.put(
        "enterprise",
        Some(edit.enterprise).filter(|number| *number > 0),
    );
    let removes = edit.action() == v1::option_edit::Action::Remove;
    shown.put("data", (!removes).then(|| bytes(&edit.data)));
    shown.into()
}

fn lease(lease: &v1::LeaseChanges) -> Value {
    let mut shown = Fields::default();
    shown.put("address", lease.address.as_deref().map(address));
    shown.put("valid-lifetime", lease.valid_lifetime);
    shown.put("preferred-lifetime", lease.preferred_lifetime);
    shown.put("hostname", lease.hostname.clone());
    shown.put("fqdn-fwd", lease.fqdn_fwd);
    shown.put("fqdn-rev", lease.fqdn_rev);
    shown.put("user-context", lease.user_context.clone());
    shown.into()
}

fn names(names: &v1::NameChanges) -> Value {
    let mut shown = Fields::default();
    shown.put("hostname", names.hostname.clone());
    shown.put("fwd-update", names.fwd_update);
    shown.put("rev-update", names.rev_update);
    shown.into()
}

fn address(octets: &[u8]) -> Value {
    if octets.is_empty() {
        return json!(Ipv4Addr::UNSPECIFIED.to_string());
    }
    if let Ok(octets) = <[u8; 4]>::try_from(octets) {
        return json!(Ipv4Addr::from(octets).to_string());
    }
    match <[u8; 16]>::try_from(octets) {
        Ok(octets) => json!(Ipv6Addr::from(octets).to_string()),
        Err(_) => bytes(octets),
    }
}

/// A text where it is one, else hex digits after "0x".
fn bytes(bytes: &[u8]) -> Value {
    let is_text = bytes
        .iter()
        .all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    match std::str::from_utf8(bytes) {
        Ok(text) if is_text && !text.starts_with("0x") => json!(text),
        _ => json!(digits(bytes)),
    }
}

fn digits(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 + bytes.len() * 2);
    text.push_str("0x");
    for byte in bytes {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_reads_like_a_text() {
        let result = v1::CalloutResult {
            next_step: Some(1),
            context: Some(bytes::Bytes::from_static(&[0, 1])),
            changes: Some(v1::Changes {
                response4: Some(v1::Packet4Changes {
                    siaddr: Some(bytes::Bytes::from_static(&[192, 0, 2, 1])),
                    file: Some(bytes::Bytes::from_static(b"/boot/a b")),
                    options: vec![v1::OptionEdit {
                        action: 2,
                        path: vec![43, 1],
                        ..Default::default()
                    }],
                    ..Default::default()
                }),
                subnet_id: Some(0),
                ..Default::default()
            }),
            warning: String::new(),
        };
        let answer = v1::CalloutReply {
            id: 1,
            outcome: Some(Outcome::Result(result)),
        };
        let expected = json!({
            "outcome": "result", "next-step": "SKIP", "context": "0x0001",
            "changes": {
                "response": {
                    "siaddr": "192.0.2.1", "file": "/boot/a b",
                    "options": [{ "action": "REMOVE", "option": [43, 1] }],
                },
                "subnet-id": 0,
            },
        });
        assert_eq!(reply(&answer), expected);
    }

    /// A change that is not shown would be a difference without a name.
    #[test]
    fn changes_of_every_kind_are_shown() {
        let link = Some(v1::LinkChanges {
            interface: Some("eth1".to_owned()),
            remote_port: Some(1068),
            ..Default::default()
        });
        let answer = v1::Changes {
            query4: Some(v1::Packet4Changes {
                message_type: Some(3),
                hops: Some(1),
                hw_address: Some(v1::HwAddress {
                    htype: 6,
                    address: bytes::Bytes::from_static(&[2, 0]),
                }),
                link: link.clone(),
                parsed: Some(v1::Packet4::default()),
                add_additional_classes: vec!["late".to_owned()],
                ..Default::default()
            }),
            response6: Some(v1::Packet6Changes {
                message_type: Some(7),
                link,
                relay_options: vec![v1::RelayOptionEdit::default()],
                ..Default::default()
            }),
            host_identifier_type: Some(5),
            ia_options: vec![v1::OptionEdit::default()],
            error: Some("no".to_owned()),
            command_response: Some("{}".to_owned()),
            ..Default::default()
        };
        let shown = changes(&answer);
        let link = json!({ "interface": "eth1", "remote-port": 1068 });
        let query = &shown["query"];
        assert_eq!(query["link"], link);
        assert_eq!(
            (&query["message-type"], &query["hops"]),
            (&json!(3), &json!(1))
        );
        assert_eq!(
            (&query["hw-type"], &query["hw-address"]),
            (&json!(6), &json!("0x0200"))
        );
        assert_eq!(query["add-additional-classes"], json!(["late"]));
        assert!(query["parsed"].as_str().unwrap().starts_with("Packet4"));
        let response = &shown["response"];
        assert_eq!(
            (&response["link"], &response["message-type"]),
            (&link, &json!(7))
        );
        assert_eq!(response["relay-options"].as_array().unwrap().len(), 1);
        assert_eq!(shown["host-identifier-type"], 5);
        assert_eq!(shown["ia-options"][0]["action"], "SET");
        assert_eq!(
            (&shown["error"], &shown["command-response"]),
            (&json!("no"), &json!("{}"))
        );
    }

    #[test]
    fn what_no_service_should_send_is_shown_as_it_is() {
        assert_eq!(address(&[1, 2, 3]), json!("0x010203"));
        let nothing = v1::CalloutReply::default();
        assert_eq!(reply(&nothing)["outcome"], "neither result nor failure");
        let odd = v1::CalloutResult {
            next_step: Some(77),
            ..Default::default()
        };
        assert_eq!(result(&odd)["next-step"], 77);
    }
}
