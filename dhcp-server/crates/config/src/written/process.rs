//! What concerns the process: interfaces, logging, control sockets.

use super::{Object, Spanned};
use crate::dialect::Dialect;
use crate::model::{InterfaceSpec, Interfaces, LogSeverity, Logger};
use std::net::IpAddr;
use std::path::PathBuf;

pub(crate) fn read_interfaces<F: Dialect>(object: &Object<'_>) -> Interfaces {
    let mut interfaces = Interfaces {
        interfaces: Vec::new(),
        raw_sockets: true,
    };
    let Some(map) = object.object("interfaces-config") else {
        return interfaces;
    };
    for text in map.texts("interfaces").unwrap_or_default() {
        match parse_interface::<F>(text.value) {
            Some(interface) if interfaces.interfaces.contains(&interface) => {
                map.problems.error(
                    &text.position,
                    format!("interface \"{}\" is listed twice", text.value),
                );
            }
            Some(interface) => interfaces.interfaces.push(interface),
            None => {
                let text_ = format!(
                    "\"{}\" is not *, an interface, or an interface/address",
                    text.value
                );
                map.problems.error(&text.position, text_);
            }
        }
    }
    let raw = map.choice("dhcp-socket-type", &[("raw", true), ("udp", false)]);
    interfaces.raw_sockets = raw.is_none_or(|raw| raw.value);
    read_socket_details(&map, interfaces.raw_sockets);
    map.user_context();
    map.finish();
    interfaces
}

fn read_socket_details(map: &Object<'_>, raw: bool) {
    let outbound = map.choice(
        "outbound-interface",
        &[("same-as-inbound", true), ("use-routing", false)],
    );
    if let Some(outbound) = outbound.filter(|outbound| !outbound.value) {
        let text = if raw {
            "outbound-interface use-routing needs dhcp-socket-type udp"
        } else {
            "outbound-interface use-routing has no effect: answers leave where the question came in"
        };
        map.problems.warning(&outbound.position, text);
    }
    if let Some(off) = map.bool("re-detect").filter(|flag| !flag.value) {
        map.problems.warning(
            &off.position,
            "re-detect false has no effect: interfaces are looked up on every reload",
        );
    }
    if let Some(on) = map
        .bool("service-sockets-require-all")
        .filter(|flag| flag.value)
    {
        map.problems.warning(
            &on.position,
            "service-sockets-require-all has no effect yet",
        );
    }
    for key in [
        "service-sockets-max-retries",
        "service-sockets-retry-wait-time",
    ] {
        if let Some(number) = map.u32(key) {
            map.problems
                .warning(&number.position, format!("{key} has no effect yet"));
        }
    }
}

fn parse_interface<F: Dialect>(text: &str) -> Option<InterfaceSpec> {
    if text == "*" {
        return Some(InterfaceSpec::All);
    }
    let (name, address) = match text.split_once('/') {
        Some((name, address)) => (name, Some(address)),
        None => (text, None),
    };
    let address = match address {
        Some(address) => {
            F::parse_address(address)?;
            Some(address.parse::<IpAddr>().ok()?)
        }
        None => None,
    };
    let usable = !name.is_empty() && !name.contains(char::is_whitespace);
    usable.then(|| InterfaceSpec::Named {
        name: name.to_owned(),
        address,
    })
}

/// Unix sockets of `control-sockets` and of the older `control-socket`.
pub(crate) fn read_control_sockets(object: &Object<'_>) -> Vec<PathBuf> {
    object.renamed("control-sockets", "control-socket");
    let mut sockets = object.objects("control-sockets");
    if let Some(single) = object.object("control-socket") {
        sockets.push(single);
    }
    sockets
        .into_iter()
        .filter_map(read_control_socket)
        .collect()
}

fn read_control_socket(map: Object<'_>) -> Option<PathBuf> {
    let kind = map.choice(
        "socket-type",
        &[("unix", true), ("http", false), ("https", false)],
    );
    let kind = map.require("socket-type", kind);
    let is_unix = kind.as_ref().is_none_or(|kind| kind.value);
    let key = map.renamed("socket-name", "socket-address");
    let name = map.text(key).filter(|name| !name.value.is_empty());
    if is_unix {
        map.require("socket-name", name.as_ref());
    } else {
        map.int::<u16>("socket-port", 0..=u16::MAX.into());
        for key in ["trust-anchor", "cert-file", "key-file"] {
            map.text(key);
        }
        map.bool("cert-required");
        map.list("http-headers");
        if let Some(authentication) = map.object("authentication") {
            authentication.accept_everything();
        }
    }
    map.user_context();
    let problems = map.problems;
    map.finish();
    if let Some(kind) = kind.as_ref().filter(|kind| !kind.value) {
        problems.warning(
            &kind.position,
            "control sockets over HTTP are not built yet: this one is not opened",
        );
    }
    let Spanned { value, .. } = name?;
    is_unix.then(|| PathBuf::from(value))
}

pub(crate) fn read_loggers(object: &Object<'_>) -> Vec<Logger> {
    object
        .objects("loggers")
        .into_iter()
        .filter_map(read_logger)
        .collect()
}

fn read_logger(map: Object<'_>) -> Option<Logger> {
    let severities = [
        ("DEBUG", LogSeverity::Debug),
        ("INFO", LogSeverity::Info),
        ("WARN", LogSeverity::Warn),
        ("ERROR", LogSeverity::Error),
        ("FATAL", LogSeverity::Fatal),
        ("NONE", LogSeverity::None),
    ];
    let name = map.require("name", map.text("name"));
    let severity = map.choice("severity", &severities);
    let debug_level = map.int::<u8>("debuglevel", 0..=99);
    let key = map.renamed("output-options", "output_options");
    let outputs = map
        .objects(key)
        .into_iter()
        .filter_map(read_log_output)
        .collect();
    map.user_context();
    map.finish();
    Some(Logger {
        name: name?.value.to_owned(),
        severity: severity.map_or(LogSeverity::Info, |severity| severity.value),
        debug_level: debug_level.map_or(0, |level| level.value),
        outputs,
    })
}

fn read_log_output(map: Object<'_>) -> Option<String> {
    let output = map.require("output", map.text("output"));
    // Rotation is the business of whoever owns the file; the layout of a line is ours.
    map.bool("flush");
    for key in ["maxsize", "maxver"] {
        map.u32(key);
    }
    if let Some(pattern) = map
        .text("pattern")
        .filter(|pattern| !pattern.value.is_empty())
    {
        map.problems.warning(
            &pattern.position,
            "pattern has no effect: log lines have one layout",
        );
    }
    map.finish();
    output.map(|output| output.value.to_owned())
}
