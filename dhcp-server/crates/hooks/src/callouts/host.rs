//! Reservations as a service sees them.

use bytes::Bytes;
use outrigger_config::model::{Host, HostIdentifierType, Settings};
use outrigger_proto::v1;

/// A reservation as services see it; `subnet_id` 0: a global one.
#[must_use]
pub fn host<F: Settings>(host: &Host<F>, subnet_id: u32) -> v1::Host {
    v1::Host {
        identifier_type: identifier_type(host.identifier.kind).into(),
        identifier: Bytes::copy_from_slice(&host.identifier.bytes),
        subnet_id,
        resources: host.resources.iter().map(ToString::to_string).collect(),
        hostname: host.hostname.as_deref().unwrap_or_default().to_owned(),
        client_classes: host
            .client_classes
            .iter()
            .map(|class| class.as_ref().to_owned())
            .collect(),
    }
}

pub(crate) fn identifier_type(kind: HostIdentifierType) -> v1::IdentifierType {
    match kind {
        HostIdentifierType::HwAddress => v1::IdentifierType::HwAddress,
        HostIdentifierType::Duid => v1::IdentifierType::Duid,
        HostIdentifierType::CircuitId => v1::IdentifierType::CircuitId,
        HostIdentifierType::ClientId => v1::IdentifierType::ClientId,
        HostIdentifierType::FlexId => v1::IdentifierType::FlexId,
    }
}

/// Which identifier the number of an `IdentifierType` means; `None` for no known one.
#[must_use]
pub fn identifier_kind(number: i32) -> Option<HostIdentifierType> {
    match v1::IdentifierType::try_from(number).ok()? {
        v1::IdentifierType::Unspecified => None,
        v1::IdentifierType::HwAddress => Some(HostIdentifierType::HwAddress),
        v1::IdentifierType::Duid => Some(HostIdentifierType::Duid),
        v1::IdentifierType::CircuitId => Some(HostIdentifierType::CircuitId),
        v1::IdentifierType::ClientId => Some(HostIdentifierType::ClientId),
        v1::IdentifierType::FlexId => Some(HostIdentifierType::FlexId),
    }
}
