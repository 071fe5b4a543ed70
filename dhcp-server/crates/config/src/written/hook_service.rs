//! `hook-services`: the extension of Kea's dialect.

use super::{Object, Spanned, server_api};
use crate::diagnostic::Position;
use crate::model::{AtStart, Endpoint, HookPointSettings, HookService, OnFailure};
use crate::source::{Member, Value};
use outrigger_wire::options::spaces::is_valid_name;
use std::path::PathBuf;
use std::time::Duration;

/// A unix socket answers within the time that a network only starts to think in.
const LOCAL_DEADLINE: Duration = Duration::from_millis(50);
const REMOTE_DEADLINE: Duration = Duration::from_millis(100);
/// A client asks again after some seconds (RFC 2131 §4.1, RFC 9915 §15).
const PARK_DEADLINE: Duration = Duration::from_secs(5);
/// Milliseconds that a packet may be held.
const LONGEST_PARKING: i64 = 30_000;
/// Milliseconds; no client waits longer for its answer.
const LONGEST_WAIT: i64 = 60_000;

pub(crate) fn read_list(object: &Object<'_>) -> Vec<HookService> {
    let mut services: Vec<HookService> = Vec::new();
    for entry in object.objects("hook-services") {
        let position = entry.position.clone();
        let problems = entry.problems;
        let Some(service) = read(entry) else { continue };
        match services.iter().find(|other| other.name == service.name) {
            Some(other) => problems.error(
                &position,
                format!(
                    "hook service {} is already defined ({})",
                    service.name, other.position
                ),
            ),
            None => services.push(service),
        }
    }
    services
}

/// Milliseconds that a call, or all calls of a packet, may take.
pub(crate) fn duration(object: &Object<'_>, key: &'static str) -> Option<Duration> {
    let number = object.int::<u64>(key, 1..=LONGEST_WAIT)?;
    Some(Duration::from_millis(number.value))
}

fn park_deadline(entry: &Object<'_>) -> Duration {
    let number = entry.int::<u64>("park-deadline", 1..=LONGEST_PARKING);
    number.map_or(PARK_DEADLINE, |number| Duration::from_millis(number.value))
}

fn read(entry: Object<'_>) -> Option<HookService> {
    let name = entry.parsed("name", "letters, digits, - and _", |name| {
        is_valid_name(name).then(|| name.to_owned())
    });
    let name = entry.require("name", name);
    let endpoints = endpoints(&entry);
    let local = endpoints
        .iter()
        .all(|endpoint| matches!(endpoint, Endpoint::Unix(_)));
    let deadline = duration(&entry, "deadline");
    let at_starts = [
        ("wait", AtStart::Wait),
        ("refuse", AtStart::Refuse),
        ("serve", AtStart::Serve),
    ];
    let at_start = entry.choice("at-start", &at_starts);
    let service = HookService {
        name: name.map(|name| name.value).unwrap_or_default(),
        endpoints,
        deadline: deadline.unwrap_or(if local {
            LOCAL_DEADLINE
        } else {
            REMOTE_DEADLINE
        }),
        park_deadline: park_deadline(&entry),
        on_failure: on_failure(&entry),
        at_start: at_start.map_or(AtStart::Wait, |choice| choice.value),
        hook_points: hook_points(&entry),
        may_change: entry
            .texts("may-change")
            .map(|paths| paths.into_iter().map(owned).collect()),
        parameters: entry
            .node("parameters")
            .map_or(serde_json::Value::Null, crate::source::Node::to_json),
        server_api: server_api::read(&entry),
        position: entry.position.clone(),
    };
    refuse_unbuilt(&entry);
    entry.user_context();
    entry.finish();
    (!service.name.is_empty()).then_some(service)
}

fn owned(text: Spanned<&str>) -> (String, Position) {
    (text.value.to_owned(), text.position)
}

/// Members whose effect would be missed by whoever wrote them.
fn refuse_unbuilt(entry: &Object<'_>) {
    let modes = [("enforce", true), ("observe", false), ("shadow", false)];
    if let Some(mode) = entry.choice("mode", &modes).filter(|mode| !mode.value) {
        let text = "only mode enforce is built yet: remove the service, or let it decide";
        entry.problems.error(&mode.position, text);
    }
    if let Some(expression) = entry.text("match") {
        let text = "match is not built yet: without it the service sees every packet";
        entry.problems.error(&expression.position, text);
    }
    if let Some(tls) = entry.object("tls") {
        let text = "tls is not built yet: use a unix socket, or http:// inside a trusted network";
        entry.problems.error(tls.position, text);
        tls.accept_everything();
    }
}

fn endpoints(entry: &Object<'_>) -> Vec<Endpoint> {
    let Some(texts) = entry.require("endpoints", entry.texts("endpoints")) else {
        return Vec::new();
    };
    if let (true, Some(member)) = (
        entry.list("endpoints").is_empty(),
        entry.member("endpoints"),
    ) {
        entry.problems.error(
            &member.node.position,
            "a hook service needs at least one endpoint",
        );
    }
    let mut endpoints = Vec::new();
    for text in texts {
        match parse_endpoint(text.value) {
            Ok(endpoint) if endpoints.contains(&endpoint) => {
                entry.problems.error(
                    &text.position,
                    format!("endpoint {endpoint} is listed twice"),
                );
            }
            Ok(endpoint) => endpoints.push(endpoint),
            Err(why) => entry.problems.error(
                &text.position,
                format!("endpoint \"{}\": {why}", text.value),
            ),
        }
    }
    endpoints
}

fn parse_endpoint(text: &str) -> Result<Endpoint, &'static str> {
    const FORMS: &str = "write unix:/path or http://host:port";
    if text.starts_with("https://") {
        return Err("https:// is not built yet: use unix: or http://");
    }
    if text.starts_with("dns:") {
        return Err("dns: is not built yet: use http:// with one entry per host");
    }
    if let Some(path) = text.strip_prefix("unix:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        if !path.starts_with('/') {
            return Err("the path of a unix socket must be absolute");
        }
        return Ok(Endpoint::Unix(PathBuf::from(path)));
    }
    let rest = text.strip_prefix("http://").ok_or(FORMS)?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = rest
        .rsplit_once(':')
        .ok_or("the port is missing: write http://host:port")?;
    let port: u16 = port
        .parse()
        .ok()
        .filter(|port| *port != 0)
        .ok_or("the port must be between 1 and 65535")?;
    let bracketed = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let host = match bracketed {
        Some(address) if address.parse::<std::net::Ipv6Addr>().is_ok() => address,
        Some(_) => return Err("between [ and ] stands an IPv6 address"),
        None => host,
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let usable = bracketed.is_some() || (!host.is_empty() && host.chars().all(plain));
    usable
        .then(|| Endpoint::Http {
            host: host.to_owned(),
            port,
        })
        .ok_or(FORMS)
}

fn on_failure(object: &Object<'_>) -> Option<(OnFailure, Position)> {
    let choices = [("continue", OnFailure::Continue), ("drop", OnFailure::Drop)];
    object
        .choice("on-failure", &choices)
        .map(|choice| (choice.value, choice.position))
}

fn hook_points(entry: &Object<'_>) -> Vec<HookPointSettings> {
    let Some(node) = entry.node("hook-points") else {
        return Vec::new();
    };
    let Value::Map(members) = &node.value else {
        let kind = node.value.kind();
        entry.problems.error(
            &node.position,
            format!("hook-points must be a map, not {kind}"),
        );
        return Vec::new();
    };
    members
        .iter()
        .filter_map(|member| hook_point(entry, member))
        .collect()
}

fn hook_point(entry: &Object<'_>, member: &Member) -> Option<HookPointSettings> {
    let map = Object::new(&member.node, "hook-points", entry.problems)?;
    let settings = HookPointSettings {
        name: member.key.clone(),
        position: member.position.clone(),
        deadline: duration(&map, "deadline"),
        on_failure: on_failure(&map),
    };
    map.finish();
    Some(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_unix_paths_or_hosts_with_ports() {
        let cases = [
            ("unix:/run/a.sock", Some("unix:/run/a.sock")),
            ("unix:///run/a.sock", Some("unix:/run/a.sock")),
            ("http://127.0.0.1:50051", Some("http://127.0.0.1:50051")),
            ("http://[::1]:50051/", Some("http://[::1]:50051")),
            ("http://policy.example:80", Some("http://policy.example:80")),
            ("unix:run/a.sock", None),
            ("http://policy.example", None),
            ("http://:80", None),
            ("http://a b:80", None),
            ("http://::1:80", None),
            ("http://[x]:80", None),
            ("http://h:0", None),
            ("http://h:65536", None),
            ("https://h:1", None),
            ("dns:///h:1", None),
            ("/run/a.sock", None),
        ];
        for (text, expected) in cases {
            let shown = parse_endpoint(text)
                .ok()
                .map(|endpoint| endpoint.to_string());
            assert_eq!(shown.as_deref(), expected, "{text}");
        }
    }
}
