//! RFC 9463: encrypted resolvers, option 162 in DHCPv4 and 144 in DHCPv6.
//!
//! Written as `priority, name, addresses, parameters`: addresses with blanks between them, parameters as
//! `alpn=dot\,doq port=853 dohpath=/dns-query{?dns}`. Priority and name alone mean a resolver that the client looks
//! up. DHCPv4 may name several resolvers with `|` between them.

use super::encode::{write_counted, write_fqdn};
use super::error::{EncodeError, Problem};
use super::text::fields;
use crate::options::defs::OptionType;
use std::net::{Ipv4Addr, Ipv6Addr};

/// RFC 9460 §14.3.2: keys of service parameters.
const ALPN: u16 = 1;
const PORT: u16 = 3;
const DOHPATH: u16 = 7;

pub(super) fn encode4(data: &str) -> Result<Vec<u8>, EncodeError> {
    let mut payload = Vec::new();
    for instance in data.split('|') {
        let encoded = resolver(instance, 1, |text| {
            text.parse::<Ipv4Addr>()
                .map(|address| address.octets().to_vec())
                .map_err(|_| Problem::Ipv4(text.to_owned()))
        })?;
        write_counted(&encoded, 2, &mut payload).map_err(EncodeError::Raw)?;
    }
    Ok(payload)
}

pub(super) fn encode6(data: &str) -> Result<Vec<u8>, EncodeError> {
    resolver(data, 2, |text| {
        text.parse::<Ipv6Addr>()
            .map(|address| address.octets().to_vec())
            .map_err(|_| Problem::Ipv6(text.to_owned()))
    })
}

/// One resolver; lengths take `width` bytes.
fn resolver(
    data: &str,
    width: usize,
    parse_address: impl Fn(&str) -> Result<Vec<u8>, Problem>,
) -> Result<Vec<u8>, EncodeError> {
    let fields = fields(data);
    let [priority, name, rest @ ..] = &fields[..] else {
        return Err(EncodeError::FieldsMissing {
            given: fields.len(),
            wanted: 2,
        });
    };
    let at = |field, problem| EncodeError::Field {
        field,
        kind: OptionType::Internal,
        problem,
    };
    let mut out = Vec::new();
    let priority: u16 = priority
        .parse()
        .map_err(|_| at(1, Problem::Integer(priority.clone())))?;
    out.extend(priority.to_be_bytes());
    let mut labels = Vec::new();
    write_fqdn(name, &mut labels).ok_or_else(|| at(2, Problem::Fqdn(name.clone())))?;
    write_counted(&labels, width, &mut out).map_err(|problem| at(2, problem))?;
    let Some(addresses) = rest.first() else {
        return Ok(out);
    };
    let mut bytes = Vec::new();
    for text in addresses.split_whitespace() {
        bytes.extend(parse_address(text).map_err(|problem| at(3, problem))?);
    }
    write_counted(&bytes, width, &mut out).map_err(|problem| at(3, problem))?;
    let mut parameters = Vec::new();
    for text in rest
        .get(1)
        .into_iter()
        .flat_map(|parameters| parameters.split_whitespace())
    {
        parameters.push(parameter(text).map_err(|problem| at(4, problem))?);
    }
    // RFC 9460 §2.2: ascending keys.
    parameters.sort();
    for (key, value) in parameters {
        out.extend(key.to_be_bytes());
        write_counted(&value, 2, &mut out).map_err(|problem| at(4, problem))?;
    }
    Ok(out)
}

fn parameter(text: &str) -> Result<(u16, Vec<u8>), Problem> {
    let unknown = || Problem::ServiceParameter(text.to_owned());
    let (key, value) = text.split_once('=').ok_or_else(unknown)?;
    match key {
        "alpn" => {
            let mut list = Vec::new();
            for id in value.split(',') {
                write_counted(id.as_bytes(), 1, &mut list)?;
            }
            Ok((ALPN, list))
        }
        "port" => {
            let port: u16 = value
                .parse()
                .map_err(|_| Problem::Integer(value.to_owned()))?;
            Ok((PORT, port.to_be_bytes().to_vec()))
        }
        "dohpath" => Ok((DOHPATH, value.as_bytes().to_vec())),
        _ => Err(unknown()),
    }
}
