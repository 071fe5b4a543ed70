//! `response.link`: another way for a reply.

use crate::callout::Refused;
use outrigger_proto::convert::ip;
use outrigger_proto::{Family, v1};
use outrigger_wire::{Link, Outgoing};
use std::net::IpAddr;
use std::sync::Arc;

/// Where services want a reply to go, or to come from, instead of what the server makes of the query. One for all hook
/// points of a reply; what a later service sets replaces what an earlier one did.
#[derive(Debug, Clone)]
pub struct LinkOverride {
    /// Name and index of each interface that the server may send on.
    interfaces: Arc<[(Box<str>, u32)]>,
    relayed: bool,
    wanted: Wanted,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Wanted {
    /// Index into the interfaces.
    interface: Option<usize>,
    remote_address: Option<IpAddr>,
    remote_port: Option<u16>,
    local_address: Option<IpAddr>,
}

impl LinkOverride {
    /// Nothing is overridden yet. `relayed`: the reply goes to a relay, whose address and port are never changed.
    #[must_use]
    pub fn new(interfaces: &Arc<[(Box<str>, u32)]>, relayed: bool) -> Self {
        Self {
            interfaces: Arc::clone(interfaces),
            relayed,
            wanted: Wanted::default(),
        }
    }

    /// Whether no service wants anything else than the server.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.wanted == Wanted::default()
    }

    /// Sets what services want; the rest of `link` stays.
    pub fn apply_to(&self, link: &mut Link) {
        let wanted = &self.wanted;
        if let Some((name, index)) = wanted.interface.and_then(|at| self.interfaces.get(at)) {
            link.interface = name.as_ref().into();
            link.interface_index = *index;
        }
        if let Some(address) = wanted.remote_address {
            link.remote.set_ip(address);
        }
        if let Some(port) = wanted.remote_port {
            link.remote.set_port(port);
        }
        if let Some(address) = wanted.local_address {
            link.local.set_ip(address);
        }
    }

    /// As [`Self::apply_to`], of a packed reply. One that has another remote address goes there as a routed datagram,
    /// not as a frame to the client's hardware address.
    pub fn apply_to_outgoing(&self, outgoing: &mut Outgoing) {
        self.apply_to(&mut outgoing.link);
        if self.wanted.remote_address.is_some() {
            outgoing.to_hardware = None;
        }
    }

    /// With what one more service wants; `None` where that is nothing.
    pub(crate) fn changed(
        &self,
        family: Family,
        changes: Option<&v1::LinkChanges>,
    ) -> Result<Option<Self>, Refused> {
        let refused = |why: String| Refused::new("response.link", why);
        let Some(changes) = changes else {
            return Ok(None);
        };
        let mut wanted = self.wanted.clone();
        if let Some(name) = &changes.interface {
            let mut known = self.interfaces.iter();
            let found = known.position(|(known, _)| **known == **name);
            let found = found.ok_or_else(|| {
                let name = crate::service::shortened(name);
                refused(format!(
                    "this server does not send on an interface {name:?}"
                ))
            })?;
            wanted.interface = Some(found);
        }
        if self.relayed && (changes.remote_address.is_some() || changes.remote_port.is_some()) {
            return Err(refused("a relayed reply goes to its relay".to_owned()));
        }
        if let Some(bytes) = &changes.remote_address {
            let address = ip(family, "response.link", bytes)?;
            if address.is_unspecified() {
                return Err(refused(format!("nothing can be sent to {address}")));
            }
            wanted.remote_address = Some(address);
        }
        if let Some(port) = changes.remote_port {
            let port = u16::try_from(port).ok().filter(|port| *port != 0);
            let port = port.ok_or_else(|| refused("a port is between 1 and 65535".to_owned()))?;
            wanted.remote_port = Some(port);
        }
        if let Some(bytes) = &changes.local_address {
            wanted.local_address = Some(ip(family, "response.link", bytes)?);
        }
        Ok(Some(Self {
            wanted,
            ..self.clone()
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn interfaces() -> Arc<[(Box<str>, u32)]> {
        Arc::from([("eth0".into(), 2), ("eth1".into(), 3)])
    }

    fn wants(change: impl FnOnce(&mut v1::LinkChanges)) -> Option<v1::LinkChanges> {
        let mut changes = v1::LinkChanges::default();
        change(&mut changes);
        Some(changes)
    }

    fn link() -> Link {
        Link {
            interface: "eth0".into(),
            interface_index: 2,
            local: "192.0.2.1:67".parse().unwrap(),
            remote: "192.0.2.9:68".parse().unwrap(),
        }
    }

    #[test]
    fn what_services_want_is_kept_and_applied() {
        let none = LinkOverride::new(&interfaces(), false);
        assert!(none.is_empty());
        let first = wants(|changes| {
            changes.interface = Some("eth1".to_owned());
            changes.remote_address = Some(Bytes::from_static(&[192, 0, 2, 7]));
        });
        let first = none.changed(Family::V4, first.as_ref()).unwrap().unwrap();
        let second = wants(|changes| {
            changes.remote_port = Some(1068);
            changes.local_address = Some(Bytes::from_static(&[192, 0, 2, 2]));
        });
        let both = first.changed(Family::V4, second.as_ref()).unwrap().unwrap();
        assert!(!both.is_empty());
        let mut changed = link();
        both.apply_to(&mut changed);
        assert_eq!((&*changed.interface, changed.interface_index), ("eth1", 3));
        assert_eq!(changed.remote, "192.0.2.7:1068".parse().unwrap());
        assert_eq!(changed.local, "192.0.2.2:67".parse().unwrap());
        assert!(none.changed(Family::V4, None).unwrap().is_none());
    }

    #[test]
    fn a_reply_to_another_address_is_no_frame_to_the_clients_hardware() {
        let mut outgoing = Outgoing {
            bytes: outrigger_wire::buffer::Buffer::take(),
            link: link(),
            to_hardware: Some(outrigger_wire::HwAddress::EMPTY),
        };
        let none = LinkOverride::new(&interfaces(), false);
        none.apply_to_outgoing(&mut outgoing);
        assert!(outgoing.to_hardware.is_some());
        let moved = wants(|changes| {
            changes.remote_address = Some(Bytes::from_static(&[192, 0, 2, 7]));
        });
        let moved = none.changed(Family::V4, moved.as_ref()).unwrap().unwrap();
        moved.apply_to_outgoing(&mut outgoing);
        assert!(outgoing.to_hardware.is_none());
    }

    #[test]
    fn impossible_ways_are_refused() {
        let told = |family, relayed, changes: Option<v1::LinkChanges>| {
            let own = LinkOverride::new(&interfaces(), relayed);
            own.changed(family, changes.as_ref())
                .unwrap_err()
                .to_string()
        };
        let to = |bytes: &'static [u8]| {
            wants(|changes| changes.remote_address = Some(Bytes::from_static(bytes)))
        };
        let port = |port| wants(|changes| changes.remote_port = Some(port));
        let cases = [
            (
                told(
                    Family::V4,
                    false,
                    wants(|changes| changes.interface = Some("eth9".to_owned())),
                ),
                "response.link: this server does not send on an interface \"eth9\"",
            ),
            (
                told(Family::V4, true, to(&[192, 0, 2, 7])),
                "response.link: a relayed reply goes to its relay",
            ),
            (
                told(Family::V6, true, port(547)),
                "response.link: a relayed reply goes to its relay",
            ),
            (
                told(Family::V4, false, to(&[0; 4])),
                "response.link: nothing can be sent to 0.0.0.0",
            ),
            (
                told(Family::V4, false, to(&[0; 16])),
                "response.link: an IPv4 address has 4 bytes",
            ),
            (
                told(Family::V6, false, to(&[])),
                "response.link: an IPv6 address has 16 bytes",
            ),
            (
                told(Family::V4, false, port(0)),
                "response.link: a port is between 1 and 65535",
            ),
            (
                told(Family::V4, false, port(65_536)),
                "response.link: a port is between 1 and 65535",
            ),
        ];
        for (told, expected) in cases {
            assert_eq!(told, expected);
        }
    }
}
