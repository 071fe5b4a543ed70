//! Plain types from foreign values, and back. All distrust of what a peer sends lives here.

use crate::{Family, HookPoint, NextStep, v1};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What is wrong with a value from a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// Which field: `changes.response4.siaddr`.
    pub field: &'static str,
    /// What is wrong with it.
    pub why: &'static str,
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.why)
    }
}

impl std::error::Error for Malformed {}

/// 4 bytes, or none for 0.0.0.0.
///
/// # Errors
/// Any other length.
pub fn ipv4(field: &'static str, bytes: &[u8]) -> Result<Ipv4Addr, Malformed> {
    match bytes {
        [] => Ok(Ipv4Addr::UNSPECIFIED),
        [a, b, c, d] => Ok(Ipv4Addr::new(*a, *b, *c, *d)),
        _ => Err(Malformed {
            field,
            why: "an IPv4 address has 4 bytes",
        }),
    }
}

/// 16 bytes.
///
/// # Errors
/// Any other length.
pub fn ipv6(field: &'static str, bytes: &[u8]) -> Result<Ipv6Addr, Malformed> {
    let octets = <[u8; 16]>::try_from(bytes).map_err(|_| Malformed {
        field,
        why: "an IPv6 address has 16 bytes",
    })?;
    Ok(Ipv6Addr::from(octets))
}

/// 4 or 16 bytes, as the family says; none is no address.
///
/// # Errors
/// Any other length.
pub fn ip(family: Family, field: &'static str, bytes: &[u8]) -> Result<IpAddr, Malformed> {
    match family {
        Family::V4 if bytes.is_empty() => Err(Malformed {
            field,
            why: "an IPv4 address has 4 bytes",
        }),
        Family::V4 => ipv4(field, bytes).map(IpAddr::V4),
        Family::V6 => ipv6(field, bytes).map(IpAddr::V6),
    }
}

/// The paths that `changes` touches, in the words of the table of hook points, each once, for the check against what a
/// hook point and a service may change. Paths of options carry the code: `response.options.17`.
pub fn changed_paths(changes: &v1::Changes) -> Vec<String> {
    let mut paths = Vec::new();
    for (name, packet) in [("query", &changes.query4), ("response", &changes.response4)] {
        let Some(packet) = packet else { continue };
        option_paths(name, &packet.options, &mut paths);
        let header = packet.secs.is_some()
            || packet.flags.is_some()
            || packet.ciaddr.is_some()
            || packet.yiaddr.is_some()
            || packet.siaddr.is_some()
            || packet.sname.is_some()
            || packet.file.is_some()
            || packet.message_type.is_some()
            || packet.hops.is_some();
        let classes = !(packet.add_classes.is_empty() && packet.add_additional_classes.is_empty());
        push_if(header, name, "header", &mut paths);
        push_if(packet.hw_address.is_some(), name, "hw-address", &mut paths);
        push_if(classes, name, "classes", &mut paths);
        push_if(packet.wire.is_some(), name, "wire", &mut paths);
        push_if(packet.link.is_some(), name, "link", &mut paths);
        push_if(packet.parsed.is_some(), name, "parsed", &mut paths);
    }
    for (name, packet) in [("query", &changes.query6), ("response", &changes.response6)] {
        let Some(packet) = packet else { continue };
        option_paths(name, &packet.options, &mut paths);
        let classes = !(packet.add_classes.is_empty() && packet.add_additional_classes.is_empty());
        push_if(packet.message_type.is_some(), name, "header", &mut paths);
        push_if(!packet.relay_options.is_empty(), name, "relays", &mut paths);
        push_if(classes, name, "classes", &mut paths);
        push_if(packet.wire.is_some(), name, "wire", &mut paths);
        push_if(packet.link.is_some(), name, "link", &mut paths);
        push_if(packet.parsed.is_some(), name, "parsed", &mut paths);
    }
    if let Some(lease) = &changes.lease {
        push_if(lease.address.is_some(), "lease", "address", &mut paths);
        let lifetimes = lease.valid_lifetime.is_some() || lease.preferred_lifetime.is_some();
        push_if(lifetimes, "lease", "lifetimes", &mut paths);
        let names =
            lease.hostname.is_some() || lease.fqdn_fwd.is_some() || lease.fqdn_rev.is_some();
        push_if(names, "lease", "names", &mut paths);
        push_if(
            lease.user_context.is_some(),
            "lease",
            "user-context",
            &mut paths,
        );
    }
    let single = [
        (changes.subnet_id.is_some(), "subnet"),
        (
            changes.host_identifier.is_some() || changes.host_identifier_type.is_some(),
            "identifier",
        ),
        (!changes.ia_options.is_empty(), "ia.options"),
        (changes.error.is_some(), "error"),
        (changes.command_response.is_some(), "command-response"),
        (changes.names.is_some(), "names"),
        (
            changes.offer_address_in_use.is_some(),
            "offer-address-in-use",
        ),
    ];
    paths.extend(
        single
            .into_iter()
            .filter(|(changed, _)| *changed)
            .map(|(_, path)| path.to_owned()),
    );
    paths
}

fn option_paths(packet: &str, edits: &[v1::OptionEdit], paths: &mut Vec<String>) {
    for edit in edits {
        let code = edit.path.first().copied().unwrap_or(0);
        let path = format!("{packet}.options.{code}");
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
}

fn push_if(changed: bool, object: &str, field: &str, paths: &mut Vec<String>) {
    if changed {
        paths.push(format!("{object}.{field}"));
    }
}

/// Whether `granted` covers `path`: it is the same or a whole-word prefix of it (`response` covers
/// `response.options.17`).
#[must_use]
pub fn covers(granted: &str, path: &str) -> bool {
    path.strip_prefix(granted)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// A reply's next step as a plain type; `None`: it leaves that to the services before.
///
/// # Errors
/// The number of the next step is unknown.
pub fn next_step(result: &v1::CalloutResult) -> Result<Option<NextStep>, Malformed> {
    let step = result.next_step.map(NextStep::try_from).transpose();
    step.map_err(|_| Malformed {
        field: "next_step",
        why: "no such next step",
    })
}

/// A request's hook point.
///
/// # Errors
/// The number is unknown.
pub fn hook_point(number: i32) -> Result<HookPoint, Malformed> {
    HookPoint::try_from(number).map_err(|_| Malformed {
        field: "hook_point",
        why: "no such hook point",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_covers_whole_words_only() {
        assert!(covers("response", "response.options.17"));
        assert!(covers("response.options", "response.options.17"));
        assert!(covers("response.options.17", "response.options.17"));
        assert!(!covers("response.options.1", "response.options.17"));
        assert!(!covers("response.options.17", "response.options"));
        assert!(!covers("subnet", "subnets"));
    }

    #[test]
    fn every_change_has_a_path_that_some_hook_point_lists() {
        let packet4 = v1::Packet4Changes {
            options: vec![v1::OptionEdit {
                path: vec![17, 33],
                ..Default::default()
            }],
            secs: Some(1),
            add_classes: vec!["A".to_owned()],
            wire: Some(bytes::Bytes::new()),
            ..Default::default()
        };
        let changes = v1::Changes {
            query4: Some(packet4.clone()),
            response4: Some(packet4),
            subnet_id: Some(0),
            lease: Some(v1::LeaseChanges {
                address: Some(bytes::Bytes::new()),
                valid_lifetime: Some(0),
                hostname: Some(String::new()),
                user_context: Some(String::new()),
                ..Default::default()
            }),
            host_identifier: Some(bytes::Bytes::new()),
            names: Some(v1::NameChanges::default()),
            offer_address_in_use: Some(false),
            ..Default::default()
        };
        let paths = changed_paths(&changes);
        assert_eq!(paths.len(), 16);
        let listed = |path: &str| {
            HookPoint::ALL
                .iter()
                .any(|p| p.spec().changes.iter().any(|c| covers(c, path)))
        };
        let unlisted: Vec<_> = paths.iter().filter(|path| !listed(path)).collect();
        assert_eq!(unlisted, ["response.classes"], "a response has no classes");
    }
}
