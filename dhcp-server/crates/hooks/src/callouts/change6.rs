//! Changes of DHCPv6 packets: worked out as a whole, then applied.

use super::common;
use super::edit::edited6;
use crate::callout::Refused;
use outrigger_proto::v1;
use outrigger_wire::Query6;
use outrigger_wire::options::Options;
use outrigger_wire::v6::{ADDR_REG_INFORM, MessageType, Reply6, code};

/// Messages that a client may be made to have sent: those that a server answers.
const OF_CLIENTS: [MessageType; 9] = [
    MessageType::Solicit,
    MessageType::Request,
    MessageType::Confirm,
    MessageType::Renew,
    MessageType::Rebind,
    MessageType::Release,
    MessageType::Decline,
    MessageType::InformationRequest,
    ADDR_REG_INFORM,
];

/// Options that a message has once (RFC 9915 §21).
const ONCE: [u16; 9] = [
    code::CLIENT_ID,
    code::SERVER_ID,
    code::ORO,
    code::PREFERENCE,
    code::ELAPSED_TIME,
    code::STATUS_CODE,
    code::RAPID_COMMIT,
    code::INFORMATION_REFRESH_TIME,
    code::CLIENT_FQDN,
];

/// What the server writes itself into the IA of a reply: edited in the lease, or not at all.
const OF_THE_SERVER: [u16; 3] = [code::IA_ADDR, code::IA_PREFIX, code::STATUS_CODE];

/// What becomes of a packet, not applied yet. What is `None` stays.
pub(crate) struct Prepared {
    message_type: Option<MessageType>,
    options: Option<Options>,
    /// Index of the layer, and its options.
    relays: Vec<(usize, Options)>,
}

/// Works out what is changed of a query.
pub(crate) fn prepare_query(
    query: &Query6,
    changes: &v1::Packet6Changes,
) -> Result<Prepared, Refused> {
    let packet = &query.packet;
    let message_type = changes.message_type.map(|number| {
        let mut known = OF_CLIENTS.iter();
        let found = known.find(|kind| u32::from(u8::from(**kind)) == number);
        found.copied().ok_or_else(|| {
            let why = format!("a query is never of message type {number}");
            Refused::new("query.header", why)
        })
    });
    let layers = packet.relays.iter().map(|hop| &hop.options);
    Ok(Prepared {
        message_type: message_type.transpose()?,
        options: options("query", &packet.options, &changes.options)?,
        relays: relays("query", layers, &changes.relay_options)?,
    })
}

/// Applies what was worked out, and lets the packet join classes.
pub(crate) fn change_query(query: &mut Query6, prepared: Prepared, changes: &v1::Packet6Changes) {
    let packet = &mut query.packet;
    packet.message_type = prepared.message_type.unwrap_or(packet.message_type);
    if let Some(options) = prepared.options {
        packet.options = options;
    }
    for (index, options) in prepared.relays {
        packet.relays[index].options = options;
    }
    join(query, Some(changes));
}

/// For a query that only joins classes, at most.
pub(crate) fn join(query: &mut Query6, changes: Option<&v1::Packet6Changes>) {
    if let Some(changes) = changes {
        common::join(&mut query.classes, &changes.add_classes);
        common::join(
            &mut query.additional_classes,
            &changes.add_additional_classes,
        );
    }
}

/// Works out what is changed of a reply.
pub(crate) fn prepare_response(
    reply: &Reply6,
    changes: Option<&v1::Packet6Changes>,
) -> Result<Option<Prepared>, Refused> {
    let Some(changes) = changes else {
        return Ok(None);
    };
    let layers = reply.relays.iter().map(|hop| &hop.options);
    Ok(Some(Prepared {
        message_type: None,
        options: options("response", &reply.options, &changes.options)?,
        relays: relays("response", layers, &changes.relay_options)?,
    }))
}

/// Applies what is changed of a reply.
pub(crate) fn change_response(reply: &mut Reply6, prepared: Option<Prepared>) {
    let Some(prepared) = prepared else { return };
    if let Some(options) = prepared.options {
        reply.options = options;
    }
    for (index, options) in prepared.relays {
        reply.relays[index].options = options;
    }
}

/// The options for the IA of a reply, beside what the server writes itself; `None` where nothing is changed.
pub(crate) fn ia_options(
    own: &Options,
    edits: &[v1::OptionEdit],
) -> Result<Option<Options>, Refused> {
    for edit in edits {
        let code = edit.path.first().copied().unwrap_or_default();
        if OF_THE_SERVER.iter().any(|own| u32::from(*own) == code) {
            let why = format!("option {code} of an IA is written by the server");
            return Err(Refused::new("ia.options", why));
        }
    }
    if edits.is_empty() {
        return Ok(None);
    }
    edited6("ia", own, edits).map(Some)
}

fn options(
    packet: &str,
    own: &Options,
    edits: &[v1::OptionEdit],
) -> Result<Option<Options>, Refused> {
    if edits.is_empty() {
        return Ok(None);
    }
    let edited = edited6(packet, own, edits)?;
    common::refuse_second(packet, own, &edited, &ONCE)?;
    Ok(Some(edited))
}

/// Those layers whose options change.
fn relays<'o>(
    packet: &str,
    own: impl Iterator<Item = &'o Options>,
    edits: &[v1::RelayOptionEdit],
) -> Result<Vec<(usize, Options)>, Refused> {
    if edits.is_empty() {
        return Ok(Vec::new());
    }
    let path = format!("{packet}.relays");
    let layers: Vec<&Options> = own.collect();
    let mut changed: Vec<(usize, Options)> = Vec::new();
    for edit in edits {
        let index = usize::try_from(edit.relay).unwrap_or(usize::MAX);
        let Some(layer) = layers.get(index) else {
            let why = format!(
                "there is no relay {}: there are {}",
                edit.relay,
                layers.len()
            );
            return Err(Refused::new(path, why));
        };
        let Some(edit) = &edit.edit else {
            return Err(Refused::new(path, "an edit without what it does"));
        };
        if edit.path.first() == Some(&u32::from(code::RELAY_MSG)) {
            return Err(Refused::new(
                path,
                "the relayed message is no option to edit",
            ));
        }
        let at = match changed.iter().position(|(known, _)| *known == index) {
            Some(at) => at,
            None => {
                changed.push((index, (*layer).clone()));
                changed.len() - 1
            }
        };
        let edited = edited6(&path, &changed[at].1, std::slice::from_ref(edit))?;
        changed[at].1 = edited;
    }
    Ok(changed)
}
