//! Reservations in the document of a configuration.

use crate::api::ApiFamily;
use outrigger_config::model::{HostIdentifier, HostIdentifierType, Server};
use outrigger_proto::v1;
use outrigger_wire::ids::fmt_hex;
use outrigger_wire::options::codec::{bytes_from_hex, bytes_from_text};
use serde_json::{Map, Value};
use std::fmt;
use std::net::IpAddr;
use tonic::Status;

/// Where a reservation stands and what it goes by.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) identifier: HostIdentifier,
    /// 0: it is global.
    pub(super) subnet_id: u32,
}

impl Place {
    /// In words.
    pub(super) fn scope(&self) -> String {
        match self.subnet_id {
            0 => "the global scope".to_owned(),
            id => format!("subnet {id}"),
        }
    }

    fn missing(&self) -> Status {
        let scope = self.scope();
        Status::not_found(format!(
            "there is no reservation for this identifier in {scope}"
        ))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", member(self.identifier.kind))?;
        fmt_hex(&self.identifier.bytes, f)?;
        write!(f, " in {}", self.scope())
    }
}

/// Adds a reservation that is not there.
///
/// # Errors
/// It cannot be written so, or the subnet is not there.
pub(super) fn add<F: ApiFamily>(
    cfg: &Server<F>,
    document: &mut Value,
    place: &Place,
    host: &v1::Host,
) -> Result<(), Status> {
    let scope = scope::<F>(cfg, document, place.subnet_id)?;
    let list = scope
        .entry("reservations")
        .or_insert_with(|| Value::Array(Vec::new()));
    let list = list.as_array_mut().ok_or_else(unexpected)?;
    let mut entry = Map::new();
    let identifier = Hex(&place.identifier.bytes).to_string();
    entry.insert(member(place.identifier.kind).to_owned(), identifier.into());
    set(&mut entry, host)?;
    list.push(Value::Object(entry));
    Ok(())
}

/// Sets what a message has of a reservation; the rest stays.
///
/// # Errors
/// It is not there, or cannot be written so.
pub(super) fn update<F: ApiFamily>(
    cfg: &Server<F>,
    document: &mut Value,
    place: &Place,
    host: &v1::Host,
) -> Result<(), Status> {
    let list = reservations::<F>(cfg, document, place)?;
    let entry = list.iter_mut().find(|entry| is_of(entry, place));
    let entry = entry
        .and_then(Value::as_object_mut)
        .ok_or_else(|| place.missing())?;
    set(entry, host)
}

/// Removes a reservation.
///
/// # Errors
/// It is not there.
pub(super) fn delete<F: ApiFamily>(
    cfg: &Server<F>,
    document: &mut Value,
    place: &Place,
) -> Result<(), Status> {
    let list = reservations::<F>(cfg, document, place)?;
    let at = list.iter().position(|entry| is_of(entry, place));
    list.remove(at.ok_or_else(|| place.missing())?);
    Ok(())
}

fn reservations<'a, F: ApiFamily>(
    cfg: &Server<F>,
    document: &'a mut Value,
    place: &Place,
) -> Result<&'a mut Vec<Value>, Status> {
    let list = scope::<F>(cfg, document, place.subnet_id)?.get_mut("reservations");
    list.and_then(Value::as_array_mut)
        .ok_or_else(|| place.missing())
}

/// The map that holds the reservations of a subnet; 0: the global ones.
fn scope<'a, F: ApiFamily>(
    cfg: &Server<F>,
    document: &'a mut Value,
    subnet_id: u32,
) -> Result<&'a mut Map<String, Value>, Status> {
    let top = document
        .get_mut(F::TOP)
        .and_then(Value::as_object_mut)
        .ok_or_else(unexpected)?;
    if subnet_id == 0 {
        return Ok(top);
    }
    let missing = || Status::not_found(format!("there is no subnet {subnet_id}"));
    let subnet = cfg
        .subnets
        .iter()
        .find(|subnet| subnet.id.0 == subnet_id)
        .ok_or_else(missing)?;
    let prefix = (
        subnet.prefix.addr.to_string().parse().ok(),
        subnet.prefix.len,
    );
    let is_it = |entry: &&mut Value| is_subnet(entry, subnet_id, prefix);
    let is_in = |lists: &Value| {
        let list = lists.get(F::SUBNETS).and_then(Value::as_array);
        list.is_some_and(|list| list.iter().any(|entry| is_subnet(entry, subnet_id, prefix)))
    };
    let in_network = |top: &Map<String, Value>| {
        let networks = top.get("shared-networks")?.as_array()?;
        networks.iter().position(is_in)
    };
    let list = match in_network(top) {
        Some(index) => top["shared-networks"][index].get_mut(F::SUBNETS),
        None => top.get_mut(F::SUBNETS),
    };
    let list = list.and_then(Value::as_array_mut).ok_or_else(unexpected)?;
    let entry = list.iter_mut().find(is_it).and_then(Value::as_object_mut);
    entry.ok_or_else(unexpected)
}

/// By its id, or by its prefix where the server gave it the id.
fn is_subnet(entry: &Value, id: u32, prefix: (Option<IpAddr>, u8)) -> bool {
    match entry.get("id").and_then(Value::as_u64) {
        Some(given) if given != 0 => given == u64::from(id),
        Some(_) | None => {
            let written = entry.get("subnet").and_then(Value::as_str);
            written
                .and_then(|text| text.split_once('/'))
                .is_some_and(|(addr, len)| {
                    (addr.trim().parse().ok(), len.trim().parse()) == (prefix.0, Ok(prefix.1))
                })
        }
    }
}

fn is_of(entry: &Value, place: &Place) -> bool {
    let kind = place.identifier.kind;
    let Some(text) = entry.get(member(kind)).and_then(Value::as_str) else {
        return false;
    };
    let bytes = match kind {
        HostIdentifierType::HwAddress | HostIdentifierType::Duid => bytes_from_hex(text),
        HostIdentifierType::CircuitId
        | HostIdentifierType::ClientId
        | HostIdentifierType::FlexId => bytes_from_text(text),
    };
    bytes.is_ok_and(|bytes| *bytes == *place.identifier.bytes)
}

fn set(entry: &mut Map<String, Value>, host: &v1::Host) -> Result<(), Status> {
    let (prefixes, addresses): (Vec<_>, Vec<_>) = host
        .resources
        .iter()
        .cloned()
        .partition(|resource| resource.contains('/'));
    let is_v4 = |address: &String| {
        address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_ipv4())
    };
    match &addresses[..] {
        [address] if is_v4(address) => put(entry, "ip-address", address.clone()),
        [first, _, ..] if is_v4(first) => {
            return Err(Status::invalid_argument("resources: one address in DHCPv4"));
        }
        _ => {
            entry.remove("ip-address");
            put(entry, "ip-addresses", addresses);
        }
    }
    put(entry, "prefixes", prefixes);
    put(entry, "hostname", host.hostname.clone());
    put(entry, "client-classes", host.client_classes.clone());
    Ok(())
}

/// What is empty is left out.
fn put(entry: &mut Map<String, Value>, member: &str, value: impl Into<Value>) {
    let value = value.into();
    let empty = value.as_array().is_some_and(Vec::is_empty) || value.as_str() == Some("");
    if empty {
        entry.remove(member);
    } else {
        entry.insert(member.to_owned(), value);
    }
}

fn member(kind: HostIdentifierType) -> &'static str {
    match kind {
        HostIdentifierType::HwAddress => "hw-address",
        HostIdentifierType::Duid => "duid",
        HostIdentifierType::CircuitId => "circuit-id",
        HostIdentifierType::ClientId => "client-id",
        HostIdentifierType::FlexId => "flex-id",
    }
}

/// The model was made from this document.
fn unexpected() -> Status {
    Status::internal("the document of the configuration is not what was read from it")
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_hex(self.0, f)
    }
}
