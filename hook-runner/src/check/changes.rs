//! The rule of changes: declared, possible at the hook point, and well-formed.

use super::subject::{Outcome, Subject, Verdict, failed};
use crate::check::line::Answer;
use crate::material::Material;
use outrigger_proto::{Family, HookPoint, convert, v1};
use serde_json::Value;

pub(super) async fn changes(subject: &Subject) -> Outcome {
    let points = subject.points()?;
    let mut line = subject.line().await?;
    // No id twice: a reply that comes late must not be taken for that of a later call.
    let mut ids = 1..;
    for material in [subject.material.clone(), Material::empty()] {
        for (point, id) in points.iter().zip(&mut ids) {
            let call = subject.call_with(id, *point, &material);
            let answer = line
                .ask(call)
                .await
                .map_err(|error| Verdict::Failed(format!("{point}: {error}")))?;
            if let Answer::Result(result) = answer {
                allowed(subject, *point, &result, false)?;
            }
        }
    }
    Ok(String::new())
}

/// Whether a server would apply `result`; `after_park`: it is a final reply.
pub(super) fn allowed(
    subject: &Subject,
    point: HookPoint,
    result: &v1::CalloutResult,
    after_park: bool,
) -> Result<(), Verdict> {
    let Some(changes) = &result.changes else {
        return Ok(());
    };
    let of_v4 = changes.query4.is_some() || changes.response4.is_some();
    let of_v6 = changes.query6.is_some() || changes.response6.is_some();
    if of_v4 && !point.is_of(Family::V4) || of_v6 && !point.is_of(Family::V6) {
        return failed(format!(
            "at {point} it changes a packet of the other family"
        ));
    }
    for path in convert::changed_paths(changes) {
        let rows = point.spec().changes;
        if !rows.iter().any(|row| convert::covers(row, &path)) {
            return failed(format!(
                "at {point} it changes {path}; possible are: {}",
                rows.join(", ")
            ));
        }
        let writes = subject.writes(point);
        if !writes
            .iter()
            .any(|declared| convert::covers(declared, &path))
        {
            return failed(format!(
                "at {point} it changes {path}; it said: {}",
                writes.join(", ")
            ));
        }
        let skips = match point {
            HookPoint::Pkt4Send | HookPoint::Pkt6Send => path == "response.wire",
            HookPoint::Buffer4Receive | HookPoint::Buffer6Receive => path == "query.parsed",
            _ => false,
        };
        if skips && result.next_step() != v1::NextStep::Skip {
            return failed(format!("at {point} it changes {path} without SKIP"));
        }
        if path == "offer-address-in-use" && !after_park {
            return failed(format!("at {point} it changes {path} without PARK before"));
        }
    }
    match malformed(point, changes) {
        Some(what) => failed(format!("at {point}, {what}")),
        None => Ok(()),
    }
}

/// What is wrong with the form of the changes.
fn malformed(point: HookPoint, changes: &v1::Changes) -> Option<String> {
    let address_length = if point.is_of(Family::V4) { 4 } else { 16 };
    let packets4 = [&changes.query4, &changes.response4];
    let packets6 = [&changes.query6, &changes.response6];
    let in_packets = packets4
        .into_iter()
        .flatten()
        .find_map(packet4)
        .or_else(|| packets6.into_iter().flatten().find_map(packet6));
    let links = packets4
        .into_iter()
        .flatten()
        .map(|packet| &packet.link)
        .chain(packets6.into_iter().flatten().map(|packet| &packet.link));
    let addresses = links
        .flatten()
        .flat_map(|link| [&link.remote_address, &link.local_address])
        .chain(changes.lease.iter().map(|lease| &lease.address))
        .flatten();
    in_packets
        .or_else(|| changes.ia_options.iter().find_map(edit))
        .or_else(|| {
            let mut wrong = addresses.filter(|address| address.len() != address_length);
            wrong
                .next()
                .map(|address| format!("an address has {} bytes", address.len()))
        })
        .or_else(|| {
            let context = changes.lease.as_ref()?.user_context.as_ref()?;
            let is_map =
                |text: &str| serde_json::from_str::<Value>(text).is_ok_and(|v| v.is_object());
            let fine = context.is_empty() || is_map(context);
            (!fine).then(|| "the user context of the lease is no JSON map".to_owned())
        })
        .or_else(|| {
            // At $command the rule of commands says it.
            let response = changes.command_response.as_ref();
            let response = response.filter(|_| point != HookPoint::Command)?;
            answer(response).err()
        })
}

/// The integer `result` of the answer to a command.
pub(super) fn answer(text: &str) -> Result<i64, String> {
    let answer: Value = serde_json::from_str(text)
        .map_err(|error| format!("the answer to the command is not JSON: {error}"))?;
    let result = answer.get("result").and_then(Value::as_i64);
    result.ok_or_else(|| {
        "the answer to the command is no object with an integer \"result\"".to_owned()
    })
}

fn packet4(packet: &v1::Packet4Changes) -> Option<String> {
    let addresses = [&packet.ciaddr, &packet.yiaddr, &packet.siaddr];
    for address in addresses.into_iter().flatten() {
        if let Err(malformed) = convert::ipv4("an address", address) {
            return Some(malformed.to_string());
        }
    }
    for (field, value, most) in [
        ("secs", packet.secs, 0xffff),
        ("flags", packet.flags, 0xffff),
        ("hops", packet.hops, 0xff),
        ("the message type", packet.message_type, 0xff),
    ] {
        if value.is_some_and(|value| value > most) {
            return Some(format!("{field} is at most {most}"));
        }
    }
    let hw_address = packet.hw_address.as_ref();
    if hw_address.is_some_and(|known| known.address.len() > 20) {
        return Some("a hardware address has at most 20 bytes".to_owned());
    }
    packet.options.iter().find_map(edit)
}

fn packet6(packet: &v1::Packet6Changes) -> Option<String> {
    if packet.message_type.is_some_and(|value| value > 0xff) {
        return Some("the message type is at most 255".to_owned());
    }
    let relays = packet.relay_options.iter();
    let mut of_relays = relays.map(|edit| edit.edit.clone().unwrap_or_default());
    let in_relays = of_relays.find_map(|option| edit(&option));
    in_relays.or_else(|| packet.options.iter().find_map(edit))
}

fn edit(edit: &v1::OptionEdit) -> Option<String> {
    let known = v1::option_edit::Action::try_from(edit.action).is_ok();
    let fine = known && edit.path.first().is_some_and(|code| *code != 0);
    (!fine).then(|| format!("an edit without action or option: {edit:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_malformed_change_is_found() {
        let query4 = |query4: v1::Packet4Changes| v1::Changes {
            query4: Some(query4),
            ..Default::default()
        };
        let cases = [
            (
                query4(v1::Packet4Changes {
                    hops: Some(256),
                    ..Default::default()
                }),
                "hops is at most 255",
            ),
            (
                query4(v1::Packet4Changes {
                    hw_address: Some(v1::HwAddress {
                        htype: 1,
                        address: vec![0; 21].into(),
                    }),
                    ..Default::default()
                }),
                "at most 20 bytes",
            ),
            (
                query4(v1::Packet4Changes {
                    link: Some(v1::LinkChanges {
                        remote_address: Some(vec![0; 16].into()),
                        ..Default::default()
                    }),
                    ..Default::default()
                }),
                "an address has 16 bytes",
            ),
            (
                v1::Changes {
                    ia_options: vec![v1::OptionEdit::default()],
                    ..Default::default()
                },
                "an edit without action or option",
            ),
            (
                v1::Changes {
                    lease: Some(v1::LeaseChanges {
                        user_context: Some("[]".to_owned()),
                        ..Default::default()
                    }),
                    ..Default::default()
                },
                "no JSON map",
            ),
            (
                v1::Changes {
                    command_response: Some(r#"{"result":"0"}"#.to_owned()),
                    ..Default::default()
                },
                "integer \"result\"",
            ),
        ];
        for (changes, part) in cases {
            let said = malformed(HookPoint::Pkt4Receive, &changes).unwrap_or_default();
            assert!(said.contains(part), "{said:?} instead of {part}");
        }
        let relays = v1::Packet6Changes {
            relay_options: vec![v1::RelayOptionEdit::default()],
            ..Default::default()
        };
        assert!(
            packet6(&relays).is_some(),
            "an edit of a relay without an edit"
        );
    }
}
