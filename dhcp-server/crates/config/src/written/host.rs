//! `reservations`.

use super::option::{self, WrittenOption};
use super::{Object, Spanned};
use crate::dialect::Dialect;
use crate::model::{HostIdentifier, HostIdentifierType};
use outrigger_wire::options::codec::{bytes_from_hex, bytes_from_text};
use outrigger_wire::{Duid, HwAddress};
use std::sync::Arc;

/// Kea's longest identifier, apart from those with a limit of their own.
const MAX_IDENTIFIER: usize = 255;

/// One reservation.
#[derive(Debug)]
pub(crate) struct WrittenHost<F: Dialect> {
    pub(crate) identifier: Spanned<HostIdentifier>,
    pub(crate) reserved: Reserved<F>,
    pub(crate) hostname: Option<Box<str>>,
    pub(crate) client_classes: Vec<Arc<str>>,
    pub(crate) options: Vec<WrittenOption>,
}

/// What only one family reserves.
#[derive(Debug)]
pub(crate) struct Reserved<F: Dialect> {
    pub(crate) resources: Vec<Spanned<F::Resource>>,
    pub(crate) own: F::Host,
}

pub(crate) fn read_list<F: Dialect>(object: &Object<'_>) -> Vec<WrittenHost<F>> {
    object
        .objects("reservations")
        .into_iter()
        .filter_map(read::<F>)
        .collect()
}

fn read<F: Dialect>(object: Object<'_>) -> Option<WrittenHost<F>> {
    let identifier = identifier::<F>(&object);
    let reserved = F::read_reserved(&object);
    let hostname = object
        .text("hostname")
        .map(|name| name.value)
        .filter(|name| !name.is_empty());
    let classes = object.texts("client-classes").unwrap_or_default();
    let options = option::read_list::<F>(&object);
    object.user_context();
    object.finish();
    Some(WrittenHost {
        identifier: identifier?,
        reserved,
        hostname: hostname.map(Into::into),
        client_classes: classes
            .into_iter()
            .map(|class| class.value.into())
            .collect(),
        options,
    })
}

/// The one identifier that a reservation has.
fn identifier<F: Dialect>(object: &Object<'_>) -> Option<Spanned<HostIdentifier>> {
    let mut found: Option<Spanned<Option<HostIdentifier>>> = None;
    for (key, kind) in F::IDENTIFIERS {
        let Some(member) = object.member(key) else {
            continue;
        };
        if let Some(first) = &found {
            let text = format!(
                "a reservation has exactly one identifier, this one has another ({})",
                first.position
            );
            object.problems.error(&member.position, text);
            return None;
        }
        let parsed = object.parsed(key, wanted(*kind), |text| parse(*kind, text));
        found = Some(Spanned {
            value: parsed.map(|identifier| identifier.value),
            position: member.position.clone(),
        });
    }
    let Some(found) = found else {
        let keys: Vec<_> = F::IDENTIFIERS.iter().map(|row| row.0).collect();
        let text = format!("a reservation needs one of {}", keys.join(", "));
        object.problems.error(object.position, text);
        return None;
    };
    let position = found.position;
    found.value.map(|value| Spanned { value, position })
}

fn wanted(kind: HostIdentifierType) -> &'static str {
    match kind {
        HostIdentifierType::HwAddress => "hexadecimal with : between octets, at most 20",
        HostIdentifierType::Duid => "hexadecimal, 3 to 130 octets",
        HostIdentifierType::CircuitId
        | HostIdentifierType::ClientId
        | HostIdentifierType::FlexId => "hexadecimal or 'text', 1 to 255 octets",
    }
}

fn parse(kind: HostIdentifierType, text: &str) -> Option<HostIdentifier> {
    let bytes = match kind {
        HostIdentifierType::HwAddress | HostIdentifierType::Duid => bytes_from_hex(text),
        HostIdentifierType::CircuitId
        | HostIdentifierType::ClientId
        | HostIdentifierType::FlexId => bytes_from_text(text),
    };
    let bytes = bytes.ok()?;
    let allowed = match kind {
        HostIdentifierType::HwAddress => 1..=HwAddress::MAX,
        HostIdentifierType::Duid => Duid::MIN..=Duid::MAX,
        HostIdentifierType::CircuitId
        | HostIdentifierType::ClientId
        | HostIdentifierType::FlexId => 1..=MAX_IDENTIFIER,
    };
    allowed.contains(&bytes.len()).then(|| HostIdentifier {
        kind,
        bytes: bytes.into(),
    })
}
