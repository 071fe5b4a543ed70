//! Rows of Kea's lease files, each family with its columns.

use crate::lease::INFINITE;
use crate::{Lease, LeaseState, StoredFamily};
use outrigger_wire::family::{Owner4, Owner6, Resource6};
use outrigger_wire::{ClientId, Duid, HwAddress, Iaid, Prefix6, V4, V6};
use std::net::Ipv6Addr;
use std::str::FromStr;

/// Ethernet, where the file says no hardware type.
const ETHERNET: u16 = 1;

/// A family whose leases Kea writes.
pub trait KeaLeaseFile: StoredFamily {
    /// Columns in Kea's order; a file of an older version ends earlier.
    const COLUMNS: &'static [&'static str];

    /// Makes a lease of a row.
    ///
    /// # Errors
    /// What is wrong with it.
    fn lease(row: &Row<'_>) -> Result<Lease<Self>, &'static str>;
}

impl KeaLeaseFile for V4 {
    const COLUMNS: &'static [&'static str] = &[
        "address",
        "hwaddr",
        "client_id",
        "valid_lifetime",
        "expire",
        "subnet_id",
        "fqdn_fwd",
        "fqdn_rev",
        "hostname",
        "state",
        "user_context",
        "pool_id",
    ];

    fn lease(row: &Row<'_>) -> Result<Lease<Self>, &'static str> {
        let client_id = match row.bytes("client_id")?.as_slice() {
            [] => None,
            bytes => {
                Some(ClientId::new(bytes).ok_or("the client identifier has an impossible length")?)
            }
        };
        let owner = Owner4 {
            hw_address: row.hw_address(ETHERNET)?,
            client_id,
        };
        row.lease(row.number("address")?, owner, 0, HwAddress::EMPTY)
    }
}

impl KeaLeaseFile for V6 {
    const COLUMNS: &'static [&'static str] = &[
        "address",
        "duid",
        "valid_lifetime",
        "expire",
        "subnet_id",
        "pref_lifetime",
        "lease_type",
        "iaid",
        "prefix_len",
        "fqdn_fwd",
        "fqdn_rev",
        "hostname",
        "hwaddr",
        "state",
        "user_context",
        "hwtype",
        "hwaddr_source",
        "pool_id",
    ];

    fn lease(row: &Row<'_>) -> Result<Lease<Self>, &'static str> {
        let addr = row.number("address")?;
        let resource = match row.field("lease_type") {
            "0" => Resource6::Address(addr),
            "2" => prefix(addr, row.number("prefix_len")?)?,
            _ => return Err("only addresses (0) and prefixes (2) can be imported"),
        };
        let mut duid = row.bytes("duid")?;
        // Kea: a declined lease has no holder, which older versions wrote as one zero.
        if duid == [0] {
            duid = vec![0; Duid::MIN];
        }
        let duid = Duid::new(&duid).ok_or("the DUID has an impossible length")?;
        let owner = Owner6 {
            duid,
            iaid: Iaid(row.number("iaid")?),
        };
        let hw_address = row.hw_address(row.number_or("hwtype", ETHERNET)?)?;
        row.lease(resource, owner, row.number("pref_lifetime")?, hw_address)
    }
}

fn prefix(addr: Ipv6Addr, len: u8) -> Result<Resource6, &'static str> {
    let host = u128::MAX.checked_shr(u32::from(len)).unwrap_or(0);
    if len > 128 || addr.to_bits() & host != 0 {
        return Err("the prefix is longer than its length says");
    }
    Ok(Resource6::Prefix(Prefix6 { addr, len }))
}

/// The columns a file has, by its first line.
pub(super) fn columns<F: KeaLeaseFile>(
    header: &str,
) -> Result<&'static [&'static str], &'static str> {
    let known = header
        .split(',')
        .zip(F::COLUMNS)
        .take_while(|(found, known)| found == *known)
        .count();
    let columns = &F::COLUMNS[..known];
    let is_whole = known == F::COLUMNS.len() || known == header.split(',').count();
    if is_whole && columns.contains(&"hostname") {
        Ok(columns)
    } else {
        Err("these are not Kea's columns of this protocol")
    }
}

/// Reads one line.
pub(super) fn lease<F: KeaLeaseFile>(
    line: &str,
    columns: &'static [&'static str],
) -> Result<Lease<F>, &'static str> {
    let fields: Vec<&str> = line.split(',').collect();
    if fields.len() < columns.len() {
        return Err("the row has fewer fields than the header");
    }
    F::lease(&Row { columns, fields })
}

/// A row, by the names of its columns.
#[derive(Debug)]
pub struct Row<'a> {
    columns: &'static [&'static str],
    fields: Vec<&'a str>,
}

impl Row<'_> {
    /// What both families have alike.
    fn lease<F: StoredFamily>(
        &self,
        resource: F::Resource,
        owner: F::Owner,
        preferred_lifetime: u32,
        hw_address: HwAddress,
    ) -> Result<Lease<F>, &'static str> {
        let valid_lifetime: u32 = self.number("valid_lifetime")?;
        let expire: u64 = self.number("expire")?;
        let cltt = expire.checked_sub(u64::from(valid_lifetime));
        // Kea: older versions let the end of an infinite lease overflow.
        let cltt = cltt
            .or_else(|| (valid_lifetime == INFINITE).then_some(0))
            .ok_or("the lease ended before it began")?;
        Ok(Lease {
            resource,
            owner,
            subnet_id: self.number("subnet_id")?,
            pool_id: self.number_or("pool_id", 0)?,
            state: LeaseState::try_from(self.number_or("state", 0)?)
                .map_err(|_| "the state is unknown")?,
            cltt,
            valid_lifetime,
            preferred_lifetime,
            hostname: unescape(self.field("hostname")).to_lowercase().into(),
            fqdn_fwd: self.flag("fqdn_fwd")?,
            fqdn_rev: self.flag("fqdn_rev")?,
            hw_address,
            user_context: unescape(self.field("user_context")).into(),
        })
    }

    /// Empty where the file has no such column.
    fn field(&self, name: &str) -> &str {
        let index = self.columns.iter().position(|column| *column == name);
        index
            .and_then(|index| self.fields.get(index))
            .copied()
            .unwrap_or_default()
    }

    fn number<T: FromStr>(&self, name: &str) -> Result<T, &'static str> {
        self.field(name)
            .parse()
            .map_err(|_| "an address or a number cannot be read")
    }

    fn number_or<T: FromStr>(&self, name: &str, default: T) -> Result<T, &'static str> {
        if self.field(name).is_empty() {
            Ok(default)
        } else {
            self.number(name)
        }
    }

    fn flag(&self, name: &str) -> Result<bool, &'static str> {
        self.number::<u8>(name).map(|number| number != 0)
    }

    fn hw_address(&self, htype: u16) -> Result<HwAddress, &'static str> {
        match self.bytes("hwaddr")?.as_slice() {
            [] => Ok(HwAddress::EMPTY),
            bytes => HwAddress::new(htype, bytes).ok_or("the hardware address is too long"),
        }
    }

    /// Pairs of hex digits with colons between.
    fn bytes(&self, name: &str) -> Result<Vec<u8>, &'static str> {
        let pairs = self.field(name).split(':').filter(|pair| !pair.is_empty());
        pairs
            .map(|pair| {
                u8::from_str_radix(pair, 16).map_err(|_| "an identifier is not hexadecimal")
            })
            .collect()
    }
}

/// `&#x` and two hex digits stand for a byte that would not fit a row.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("&#x") {
        let digits = rest.get(at + 3..at + 5);
        let byte = digits
            .filter(|digits| !digits.starts_with('+'))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let taken = byte.map_or(at + 3, |_| at + 5);
        match byte {
            Some(byte) => {
                bytes.extend_from_slice(&rest.as_bytes()[..at]);
                bytes.push(byte);
            }
            None => bytes.extend_from_slice(&rest.as_bytes()[..taken]),
        }
        rest = &rest[taken..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}
