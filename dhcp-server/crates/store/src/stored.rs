//! How leases of each family look on disk.
//!
//! Integers are little-endian; counts and identifiers that are mostly small are LEB128 varints.
//!
//! A lease: resource | owner | subnet id, pool id: varint | flags: u8 (bits 0–2 state, 3 fqdn_fwd, 4 fqdn_rev) |
//! cltt: u64 | valid, preferred lifetime: u32 | hw address | hostname, user context: varint length and UTF-8.

use crate::{Lease, LeaseState};
use outrigger_wire::family::{LeaseOwner, Owner4, Owner6, OwnerKey4, Resource6};
use outrigger_wire::{ClientId, Duid, Family, HwAddress, Iaid, Prefix6, V4, V6};
use std::net::{Ipv4Addr, Ipv6Addr};

const STATE: u8 = 0b0000_0111;
const FQDN_FWD: u8 = 0b0000_1000;
const FQDN_REV: u8 = 0b0001_0000;

/// A family whose leases can be kept.
///
/// Reading takes bytes off the front of its input and yields `None` where they are not what writing wrote.
pub trait StoredFamily: Family {
    /// 4 or 6, in the header of every file.
    const NUMBER: u8;

    /// Appends what is leased.
    fn write_resource(resource: &Self::Resource, out: &mut Vec<u8>);
    /// Reads what [`Self::write_resource`] wrote.
    fn read_resource(input: &mut &[u8]) -> Option<Self::Resource>;
    /// Appends who holds it.
    fn write_owner(owner: &Self::Owner, out: &mut Vec<u8>);
    /// Reads what [`Self::write_owner`] wrote.
    fn read_owner(input: &mut &[u8]) -> Option<Self::Owner>;
    /// Whether `key` is among the keys of `owner`; unlike making them, this allocates nothing.
    fn is_named(owner: &Self::Owner, key: &<Self::Owner as LeaseOwner>::Key) -> bool;
}

impl StoredFamily for V4 {
    const NUMBER: u8 = 4;

    fn write_resource(resource: &Ipv4Addr, out: &mut Vec<u8>) {
        out.extend_from_slice(&resource.octets());
    }

    fn read_resource(input: &mut &[u8]) -> Option<Ipv4Addr> {
        take::<4>(input).map(Ipv4Addr::from)
    }

    /// hw address | client id: u8 length (0 for none) and bytes
    fn write_owner(owner: &Owner4, out: &mut Vec<u8>) {
        write_hw_address(&owner.hw_address, out);
        write_short(owner.client_id.as_ref().map_or(&[], ClientId::bytes), out);
    }

    fn read_owner(input: &mut &[u8]) -> Option<Owner4> {
        let hw_address = read_hw_address(input)?;
        let client_id = match read_short(input)? {
            [] => None,
            bytes => Some(ClientId::new(bytes)?),
        };
        Some(Owner4 {
            hw_address,
            client_id,
        })
    }

    fn is_named(owner: &Owner4, key: &OwnerKey4) -> bool {
        match key {
            OwnerKey4::ClientId(id) => owner.client_id.as_ref() == Some(id),
            OwnerKey4::HwAddress(address) => owner.hw_address == *address,
        }
    }
}

impl StoredFamily for V6 {
    const NUMBER: u8 = 6;

    /// length of the prefix: u8 (255 for an address) | address
    fn write_resource(resource: &Resource6, out: &mut Vec<u8>) {
        out.push(match resource {
            Resource6::Address(_) => ADDRESS,
            Resource6::Prefix(prefix) => prefix.len,
        });
        out.extend_from_slice(&resource.addr().octets());
    }

    fn read_resource(input: &mut &[u8]) -> Option<Resource6> {
        let len = take_u8(input)?;
        let addr = take::<16>(input).map(Ipv6Addr::from)?;
        match len {
            ADDRESS => Some(Resource6::Address(addr)),
            0..=128 => Some(Resource6::Prefix(Prefix6 { addr, len })),
            _ => None,
        }
    }

    /// DUID: u8 length and bytes | IAID: u32
    fn write_owner(owner: &Owner6, out: &mut Vec<u8>) {
        write_short(owner.duid.bytes(), out);
        out.extend_from_slice(&owner.iaid.0.to_le_bytes());
    }

    fn read_owner(input: &mut &[u8]) -> Option<Owner6> {
        let duid = Duid::new(read_short(input)?)?;
        let iaid = Iaid(take_u32(input)?);
        Some(Owner6 { duid, iaid })
    }

    fn is_named(owner: &Owner6, key: &Owner6) -> bool {
        owner == key
    }
}

const ADDRESS: u8 = 255;

/// Appends a lease; the drawing is at the top of this file.
pub(crate) fn write_lease<F: StoredFamily>(lease: &Lease<F>, out: &mut Vec<u8>) {
    F::write_resource(&lease.resource, out);
    F::write_owner(&lease.owner, out);
    write_varint(lease.subnet_id, out);
    write_varint(lease.pool_id, out);
    let mut flags = lease.state as u8;
    flags |= if lease.fqdn_fwd { FQDN_FWD } else { 0 };
    flags |= if lease.fqdn_rev { FQDN_REV } else { 0 };
    out.push(flags);
    out.extend_from_slice(&lease.cltt.to_le_bytes());
    out.extend_from_slice(&lease.valid_lifetime.to_le_bytes());
    out.extend_from_slice(&lease.preferred_lifetime.to_le_bytes());
    write_hw_address(&lease.hw_address, out);
    write_text(&lease.hostname, out);
    write_text(&lease.user_context, out);
}

/// Reads what [`write_lease`] wrote.
pub(crate) fn read_lease<F: StoredFamily>(input: &mut &[u8]) -> Option<Lease<F>> {
    let resource = F::read_resource(input)?;
    let owner = F::read_owner(input)?;
    let (subnet_id, pool_id) = (read_varint(input)?, read_varint(input)?);
    let flags = take_u8(input)?;
    if flags & !(STATE | FQDN_FWD | FQDN_REV) != 0 {
        return None;
    }
    Some(Lease {
        resource,
        owner,
        subnet_id,
        pool_id,
        state: LeaseState::try_from(flags & STATE).ok()?,
        cltt: take::<8>(input).map(u64::from_le_bytes)?,
        valid_lifetime: take_u32(input)?,
        preferred_lifetime: take_u32(input)?,
        fqdn_fwd: flags & FQDN_FWD != 0,
        fqdn_rev: flags & FQDN_REV != 0,
        hw_address: read_hw_address(input)?,
        hostname: read_text(input)?,
        user_context: read_text(input)?,
    })
}

/// length: u8 | type: u16, where the length is not 0 | bytes
fn write_hw_address(address: &HwAddress, out: &mut Vec<u8>) {
    write_short(address.bytes(), out);
    if !address.is_empty() {
        out.extend_from_slice(&address.htype().to_le_bytes());
    }
}

fn read_hw_address(input: &mut &[u8]) -> Option<HwAddress> {
    match read_short(input)? {
        [] => Some(HwAddress::EMPTY),
        bytes => HwAddress::new(take::<2>(input).map(u16::from_le_bytes)?, bytes),
    }
}

fn write_short(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(u8::try_from(bytes.len()).expect("identifiers have at most 255 bytes"));
    out.extend_from_slice(bytes);
}

fn read_short<'a>(input: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = take_u8(input)?;
    input.split_off(..usize::from(len))
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    // A longer text makes the record too large, which is refused before anything is kept.
    write_varint(u32::try_from(text.len()).unwrap_or(u32::MAX), out);
    out.extend_from_slice(text.as_bytes());
}

fn read_text(input: &mut &[u8]) -> Option<Box<str>> {
    let len = read_varint(input)?;
    let bytes = input.split_off(..len as usize)?;
    std::str::from_utf8(bytes).ok().map(Box::from)
}

fn write_varint(mut value: u32, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
}

fn read_varint(input: &mut &[u8]) -> Option<u32> {
    let mut value = 0_u64;
    for shift in [0, 7, 14, 21, 28] {
        let byte = take_u8(input)?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return u32::try_from(value).ok();
        }
    }
    None
}

pub(crate) fn take<const N: usize>(input: &mut &[u8]) -> Option<[u8; N]> {
    let (bytes, rest) = input.split_first_chunk::<N>()?;
    *input = rest;
    Some(*bytes)
}

pub(crate) fn take_u8(input: &mut &[u8]) -> Option<u8> {
    input.split_off_first().copied()
}

pub(crate) fn take_u32(input: &mut &[u8]) -> Option<u32> {
    take::<4>(input).map(u32::from_le_bytes)
}

#[cfg(test)]
mod tests;
