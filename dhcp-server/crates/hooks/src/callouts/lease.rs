//! Leases: as a service sees them, and with its changes applied.

use super::payloads::Payloads;
use crate::callout::Refused;
use bytes::Bytes;
use outrigger_proto::convert::{ipv4, ipv6};
use outrigger_proto::v1;
use outrigger_store::{Lease, LeaseState};
use outrigger_wire::family::Resource6;
use outrigger_wire::{Family, HwAddress, Prefix6, V4, V6};
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

/// A lease as services see it.
#[must_use]
pub fn lease4(lease: &Lease<V4>) -> v1::Lease {
    let mut payloads = Payloads::new();
    let owner = &lease.owner;
    v1::Lease {
        r#type: v1::LeaseType::V4.into(),
        address: payloads.copy(&lease.resource.octets()),
        prefix_length: 32,
        client_id: owner
            .client_id
            .as_ref()
            .map_or_else(Bytes::new, |id| payloads.copy(id.bytes())),
        hw_address: hw_address(&owner.hw_address, &mut payloads),
        ..common(lease)
    }
}

/// As [`lease4`].
#[must_use]
pub fn lease6(lease: &Lease<V6>) -> v1::Lease {
    let mut payloads = Payloads::new();
    let kind = match lease.resource {
        Resource6::Address(_) => v1::LeaseType::Na,
        Resource6::Prefix(_) => v1::LeaseType::Pd,
    };
    v1::Lease {
        r#type: kind.into(),
        address: payloads.copy(&lease.resource.addr().octets()),
        prefix_length: lease.resource.prefix_len().into(),
        iaid: lease.owner.iaid.0,
        duid: payloads.copy(lease.owner.duid.bytes()),
        hw_address: hw_address(&lease.hw_address, &mut payloads),
        preferred_lifetime: lease.preferred_lifetime,
        ..common(lease)
    }
}

fn common<F: Family>(lease: &Lease<F>) -> v1::Lease {
    let state = match lease.state {
        LeaseState::Default => v1::LeaseState::Default,
        LeaseState::Declined => v1::LeaseState::Declined,
        LeaseState::ExpiredReclaimed => v1::LeaseState::ExpiredReclaimed,
        LeaseState::Released => v1::LeaseState::Released,
        LeaseState::Registered => v1::LeaseState::Registered,
    };
    v1::Lease {
        valid_lifetime: lease.valid_lifetime,
        client_last_transmission: lease.cltt,
        subnet_id: lease.subnet_id,
        pool_id: lease.pool_id,
        hostname: lease.hostname.as_ref().to_owned(),
        fqdn_fwd: lease.fqdn_fwd,
        fqdn_rev: lease.fqdn_rev,
        state: state.into(),
        user_context: lease.user_context.as_ref().to_owned(),
        ..Default::default()
    }
}

fn hw_address(address: &HwAddress, payloads: &mut Payloads) -> Option<v1::HwAddress> {
    (!address.is_empty()).then(|| v1::HwAddress {
        htype: address.htype().into(),
        address: payloads.copy(address.bytes()),
    })
}

/// The lease with its changes, beside the address.
pub(crate) fn changed4(
    lease: &Lease<V4>,
    changes: &v1::LeaseChanges,
) -> Result<Lease<V4>, Refused> {
    if changes.preferred_lifetime.is_some() {
        return Err(Refused::new(
            "lease.lifetimes",
            "DHCPv4 leases have no preferred lifetime",
        ));
    }
    Ok(changed(lease, changes))
}

/// As [`changed4`]. A shortened valid lifetime takes the preferred one with it.
pub(crate) fn changed6(
    lease: &Lease<V6>,
    changes: &v1::LeaseChanges,
) -> Result<Lease<V6>, Refused> {
    let mut changed = changed(lease, changes);
    match changes.preferred_lifetime {
        Some(preferred) if preferred > changed.valid_lifetime => {
            return Err(Refused::new(
                "lease.lifetimes",
                "the preferred lifetime is longer than the valid one",
            ));
        }
        Some(preferred) => changed.preferred_lifetime = preferred,
        None => {
            changed.preferred_lifetime = changed.preferred_lifetime.min(changed.valid_lifetime);
        }
    }
    Ok(changed)
}

fn changed<F: Family>(lease: &Lease<F>, changes: &v1::LeaseChanges) -> Lease<F> {
    let mut changed = lease.clone();
    if let Some(valid) = changes.valid_lifetime {
        changed.valid_lifetime = valid;
    }
    if let Some(hostname) = &changes.hostname {
        changed.hostname = hostname.to_ascii_lowercase().into();
    }
    if let Some(fwd) = changes.fqdn_fwd {
        changed.fqdn_fwd = fwd;
    }
    if let Some(rev) = changes.fqdn_rev {
        changed.fqdn_rev = rev;
    }
    if let Some(context) = &changes.user_context {
        changed.user_context = context.as_str().into();
    }
    changed
}

/// The address that a service chose instead of the lease's; `None` where it is the same.
pub(crate) fn chosen4(
    lease: &Lease<V4>,
    changes: &v1::LeaseChanges,
) -> Result<Option<Ipv4Addr>, Refused> {
    let Some(bytes) = &changes.address else {
        return Ok(None);
    };
    let address = ipv4("lease.address", bytes)?;
    Ok((address != lease.resource).then_some(address))
}

/// As [`chosen4`]: an address stays an address, a prefix a prefix of its length.
pub(crate) fn chosen6(
    lease: &Lease<V6>,
    changes: &v1::LeaseChanges,
) -> Result<Option<Resource6>, Refused> {
    let Some(bytes) = &changes.address else {
        return Ok(None);
    };
    let addr = ipv6("lease.address", bytes)?;
    let chosen = match lease.resource {
        Resource6::Address(_) => Resource6::Address(addr),
        Resource6::Prefix(Prefix6 { len, .. }) if has_host_bits(addr, len) => {
            return Err(Refused::new(
                "lease.address",
                format!("{addr} is not the first address of a prefix of length {len}"),
            ));
        }
        Resource6::Prefix(Prefix6 { len, .. }) => Resource6::Prefix(Prefix6 { addr, len }),
    };
    Ok((chosen != lease.resource).then_some(chosen))
}

fn has_host_bits(addr: Ipv6Addr, len: u8) -> bool {
    let host = u128::MAX.checked_shr(len.into()).unwrap_or(0);
    addr.to_bits() & host != 0
}
