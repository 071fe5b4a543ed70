//! A packet described in JSON.

use super::packet::hex;
use bytes::Bytes;
use outrigger_proto::v1;
use serde::Deserialize;
use std::net::{Ipv4Addr, Ipv6Addr};

/// What is wrong with a description: serde's text, or ours.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DescriptionError {
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    #[error("{0}")]
    Field(String),
}

/// `{"code": 60, "text": "…"}` or `{"code": 61, "hex": "…"}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Described {
    code: u16,
    text: Option<String>,
    hex: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Packet4 {
    message_type: u8,
    #[serde(default)]
    transaction_id: u32,
    hw_address: Option<String>,
    #[serde(default)]
    secs: u16,
    #[serde(default)]
    flags: u16,
    #[serde(default)]
    hops: u8,
    ciaddr: Option<Ipv4Addr>,
    yiaddr: Option<Ipv4Addr>,
    siaddr: Option<Ipv4Addr>,
    giaddr: Option<Ipv4Addr>,
    #[serde(default)]
    sname: String,
    #[serde(default)]
    file: String,
    #[serde(default)]
    options: Vec<Described>,
    #[serde(default)]
    classes: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Packet6 {
    message_type: u8,
    #[serde(default)]
    transaction_id: u32,
    #[serde(default)]
    relays: Vec<Relay6>,
    #[serde(default)]
    options: Vec<Described>,
    #[serde(default)]
    classes: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Relay6 {
    #[serde(default)]
    hop_count: u8,
    link_address: Ipv6Addr,
    peer_address: Ipv6Addr,
    #[serde(default)]
    options: Vec<Described>,
}

/// A DHCPv4 packet; option 53 follows from the message type.
pub(super) fn packet4(text: &str, op: u32) -> Result<v1::Packet4, DescriptionError> {
    let packet: Packet4 = serde_json::from_str(text)?;
    let mut described = options(packet.options)?;
    if described.iter().all(|option| option.code != 53) {
        let data = Bytes::copy_from_slice(&[packet.message_type]);
        described.insert(0, v1::Option { code: 53, data });
    }
    let hw_address = bytes("hw-address", &packet.hw_address.unwrap_or_default())?;
    let address = |given: Option<Ipv4Addr>| {
        given.map_or(Bytes::new(), |address| {
            Bytes::copy_from_slice(&address.octets())
        })
    };
    Ok(v1::Packet4 {
        message_type: packet.message_type.into(),
        op,
        hops: packet.hops.into(),
        transaction_id: packet.transaction_id,
        secs: packet.secs.into(),
        flags: packet.flags.into(),
        ciaddr: address(packet.ciaddr),
        yiaddr: address(packet.yiaddr),
        siaddr: address(packet.siaddr),
        giaddr: address(packet.giaddr),
        hw_address: Some(v1::HwAddress {
            htype: 1,
            address: hw_address,
        }),
        sname: packet.sname.into_bytes().into(),
        file: packet.file.into_bytes().into(),
        options: described,
        classes: packet.classes,
        ..Default::default()
    })
}

/// A DHCPv6 message and the relays it came through, the one nearest the server first.
pub(super) fn packet6(text: &str) -> Result<v1::Packet6, DescriptionError> {
    let packet: Packet6 = serde_json::from_str(text)?;
    let relays = packet.relays.into_iter().map(|relay| {
        Ok(v1::Relay6 {
            message_type: 12,
            hop_count: relay.hop_count.into(),
            link_address: Bytes::copy_from_slice(&relay.link_address.octets()),
            peer_address: Bytes::copy_from_slice(&relay.peer_address.octets()),
            options: options(relay.options)?,
        })
    });
    Ok(v1::Packet6 {
        message_type: packet.message_type.into(),
        transaction_id: packet.transaction_id & 0x00ff_ffff,
        relays: relays.collect::<Result<_, DescriptionError>>()?,
        options: options(packet.options)?,
        classes: packet.classes,
        ..Default::default()
    })
}

fn options(described: Vec<Described>) -> Result<Vec<v1::Option>, DescriptionError> {
    let option = |Described { code, text, hex }| {
        let data = match (text, hex) {
            (Some(text), None) => Bytes::from(text),
            (None, Some(digits)) => bytes("options", &digits)?,
            (None, None) => Bytes::new(),
            (Some(_), Some(_)) => {
                let text = format!("option {code} has \"text\" and \"hex\": write one of them");
                return Err(DescriptionError::Field(text));
            }
        };
        let code = code.into();
        Ok(v1::Option { code, data })
    };
    described.into_iter().map(option).collect()
}

fn bytes(field: &str, digits: &str) -> Result<Bytes, DescriptionError> {
    let bytes = hex(field, digits).map_err(|error| DescriptionError::Field(error.to_string()))?;
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_described_packet_is_the_packet() {
        let text = r#"{ "message-type": 1, "hw-address": "02:00:00:00:0c:01", "giaddr": "192.0.2.1",
            "options": [ { "code": 60, "text": "phone" }, { "code": 61, "hex": "01ff" } ] }"#;
        let packet = packet4(text, 1).unwrap();
        let codes: Vec<_> = packet.options.iter().map(|option| option.code).collect();
        assert_eq!(codes, [53, 60, 61]);
        assert_eq!(packet.giaddr, Bytes::from_static(&[192, 0, 2, 1]));
        assert_eq!(packet.hw_address.unwrap().address.len(), 6);
        let text = r#"{ "message-type": 1, "relays": [ { "link-address": "2001:db8::1", "peer-address": "fe80::1" } ] }"#;
        assert_eq!(packet6(text).unwrap().relays[0].link_address.len(), 16);
    }

    #[test]
    fn a_wrong_description_says_what_is_wrong() {
        for (text, part) in [
            ("{}", "missing field `message-type`"),
            (
                r#"{"message-type": 1, "gateway": ""}"#,
                "unknown field `gateway`",
            ),
            (r#"{"message-type": 1, "hw-address": "0g"}"#, "hw-address"),
            (
                r#"{"message-type": 1, "options": [{"code": 1, "text": "", "hex": ""}]}"#,
                "write one of them",
            ),
        ] {
            let error = packet4(text, 1).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
