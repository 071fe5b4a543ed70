//! What was decided about a client, and how it travels with the packet.

use crate::client::Client;
use crate::identifier::IdentifierType;
use crate::overrides::Overrides;
use bytes::Bytes;
use outrigger_hook_sdk::MAX_CONTEXT;
use outrigger_wire::{Duid, HwAddress};
use prost::Message;

/// Form of the context. Another version of the service may have made it.
const FORM: u32 = 1;

/// What was decided when the packet of a client was received. A reload in between does not change it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whom it is about; `None` where the packet has no usable identifier.
    pub client: Option<Client>,
    /// What the client's registration overrides; `None`: it is not registered.
    pub registered: Option<Overrides>,
}

impl Verdict {
    /// Whether the client is registered.
    #[must_use]
    pub fn is_registered(&self) -> bool {
        self.registered.is_some()
    }

    /// As the server keeps it for later hook points.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let (identifier_type, htype, identifier) = match &self.client {
            None => (0, 0, Vec::new()),
            Some(client @ Client::V4(address)) => (
                type_number(client.kind()),
                address.htype().into(),
                client.bytes().to_vec(),
            ),
            Some(client @ Client::V6(_)) => {
                (type_number(client.kind()), 0, client.bytes().to_vec())
            }
        };
        let overrides = self.registered.clone().unwrap_or_default();
        let context = Context {
            form: FORM,
            registered: self.registered.is_some(),
            identifier_type,
            htype,
            identifier,
            bootfile: overrides.bootfile,
            tftp_server: overrides.tftp_server,
        };
        context.encode_to_vec().into()
    }

    /// From what the server kept; `None` where it is not what [`encode`](Self::encode) made. It comes from the network.
    #[must_use]
    pub fn decode(context: &[u8]) -> Option<Self> {
        if context.is_empty() || context.len() > MAX_CONTEXT {
            return None;
        }
        let context = Context::decode(context).ok()?;
        if context.form != FORM {
            return None;
        }
        let client = match (context.identifier_type, context.identifier.as_slice()) {
            (0, []) => None,
            (number, bytes) if number == type_number(IdentifierType::HwAddr) => {
                let htype = u16::try_from(context.htype).ok()?;
                let address = HwAddress::new(htype, bytes)?;
                (!address.is_empty()).then_some(Some(Client::V4(address)))?
            }
            (number, bytes) if number == type_number(IdentifierType::Duid) => {
                Some(Client::V6(Duid::new(bytes)?))
            }
            _ => return None,
        };
        if context.registered && client.is_none() {
            return None;
        }
        let overrides = Overrides {
            bootfile: context.bootfile,
            tftp_server: context.tftp_server,
        };
        Some(Self {
            client,
            registered: context.registered.then_some(overrides),
        })
    }
}

fn type_number(kind: IdentifierType) -> u32 {
    match kind {
        IdentifierType::HwAddr => 1,
        IdentifierType::Duid => 2,
    }
}

/// The context's wire form. It fits [`MAX_CONTEXT`], because all of it comes from one line of the registry, which is
/// shorter, or is no longer than an identifier.
#[derive(Clone, PartialEq, Message)]
struct Context {
    #[prost(uint32, tag = "1")]
    form: u32,
    #[prost(bool, tag = "2")]
    registered: bool,
    /// 0: none.
    #[prost(uint32, tag = "3")]
    identifier_type: u32,
    #[prost(uint32, tag = "4")]
    htype: u32,
    #[prost(bytes = "vec", tag = "5")]
    identifier: Vec<u8>,
    #[prost(string, tag = "6")]
    bootfile: String,
    #[prost(string, tag = "7")]
    tftp_server: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::parse;

    fn overrides() -> Overrides {
        Overrides {
            bootfile: "/b".to_owned(),
            tftp_server: "2001:db8::1".to_owned(),
        }
    }

    fn verdicts() -> Vec<Verdict> {
        let hw_address = Client::V4(HwAddress::new(6, &[1; 20]).unwrap());
        let duid = Client::V6(Duid::new(&[9; 130]).unwrap());
        let clients = [None, Some(hw_address), Some(duid)];
        let mut verdicts: Vec<_> = clients
            .iter()
            .map(|client| Verdict {
                client: client.clone(),
                registered: None,
            })
            .collect();
        verdicts.extend(clients.iter().flatten().map(|client| Verdict {
            client: Some(client.clone()),
            registered: Some(overrides()),
        }));
        verdicts
    }

    #[test]
    fn a_verdict_comes_back_as_it_was() {
        for verdict in verdicts() {
            assert_eq!(Verdict::decode(&verdict.encode()), Some(verdict));
        }
    }

    #[test]
    fn no_context_that_was_cut_or_changed_is_misread() {
        assert_eq!(Verdict::decode(&[]), None);
        assert_eq!(Verdict::decode(&[0; MAX_CONTEXT + 1]), None);
        for verdict in verdicts() {
            let good = verdict.encode();
            for cut in 0..good.len() {
                let decoded = Verdict::decode(&good[..cut]);
                assert_ne!(decoded.as_ref(), Some(&verdict), "cut at {cut}");
                let valid = decoded.is_none_or(|d| !d.is_registered() || d.client.is_some());
                assert!(valid, "cut at {cut}");
            }
        }
    }

    #[test]
    fn what_no_version_of_this_service_made_is_refused() {
        let good = Context {
            form: FORM,
            registered: true,
            identifier_type: 2,
            identifier: vec![1; 10],
            ..Default::default()
        };
        assert!(Verdict::decode(&good.encode_to_vec()).is_some());
        for bad in [
            Context {
                form: 2,
                ..good.clone()
            },
            Context {
                identifier_type: 3,
                ..good.clone()
            },
            Context {
                identifier_type: 0,
                ..good.clone()
            },
            Context {
                identifier: vec![1; 2],
                ..good.clone()
            },
            Context {
                identifier_type: 1,
                identifier: vec![],
                ..good.clone()
            },
            Context {
                identifier_type: 1,
                identifier: vec![1; 21],
                ..good.clone()
            },
            Context {
                identifier_type: 1,
                htype: 65_536,
                ..good.clone()
            },
            Context {
                identifier_type: 0,
                identifier: vec![],
                ..good.clone()
            },
        ] {
            assert_eq!(Verdict::decode(&bad.encode_to_vec()), None, "{bad:?}");
        }
    }

    #[test]
    fn the_longest_registry_line_fits_a_context() {
        let start = format!(
            r#"{{"type":"DUID","id":"{}","bootfile":""#,
            "ab".repeat(130)
        );
        let value = "x".repeat(4095 - start.len() - 2);
        let line = format!("{start}{value}\"}}");
        let user = parse(line.as_bytes()).unwrap().unwrap();
        let verdict = Verdict {
            client: Duid::new(user.identifier.bytes()).map(Client::V6),
            registered: Some(Overrides::of(&user.properties)),
        };
        assert!(verdict.encode().len() <= MAX_CONTEXT);
    }
}
