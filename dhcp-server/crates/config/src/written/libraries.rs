//! `hooks-libraries`: Kea's libraries are not loaded. What is built in is accepted, what became a hook service is
//! refused with the entry to write instead.

use super::Object;

/// What becomes of a library.
#[derive(Debug, Clone, Copy)]
enum Fate {
    /// Its job is built in, or the server can do without.
    Kept(&'static str),
    /// It decides who gets which address or option.
    Refused(&'static str),
}

const COMMANDS: Fate =
    Fate::Kept("commands are the server's own, list-commands names those that it has");
const STORAGE: Fate = Fate::Kept("databases are not loaded as libraries");

/// Base names of Kea's libraries.
const LIBRARIES: &[(&str, Fate)] = &[
    (
        "libdhcp_bootp",
        Fate::Refused("it gives addresses to BOOTP clients"),
    ),
    ("libdhcp_cb_cmds", COMMANDS),
    ("libdhcp_class_cmds", COMMANDS),
    (
        "libdhcp_ddns_tuning",
        Fate::Kept("DNS updates are not built yet"),
    ),
    (
        "libdhcp_flex_id",
        Fate::Refused("it decides which reservation a client gets"),
    ),
    (
        "libdhcp_flex_option",
        Fate::Refused("it decides which options a client gets"),
    ),
    (
        "libdhcp_gss_tsig",
        Fate::Kept("DNS updates are not built yet"),
    ),
    (
        "libdhcp_ha",
        Fate::Refused("it decides which of two servers answers a client"),
    ),
    (
        "libdhcp_host_cache",
        Fate::Kept("reservations are in memory anyway"),
    ),
    ("libdhcp_host_cmds", COMMANDS),
    ("libdhcp_lease_cmds", COMMANDS),
    (
        "libdhcp_lease_query",
        Fate::Kept("leasequery is not built yet"),
    ),
    ("libdhcp_legal_log", Fate::Kept("its log is not written")),
    (
        "libdhcp_limits",
        Fate::Refused("it decides who gets an address"),
    ),
    ("libdhcp_mysql", STORAGE),
    ("libdhcp_mysql_cb", STORAGE),
    (
        "libdhcp_perfmon",
        Fate::Kept("its statistics are not built yet"),
    ),
    ("libdhcp_pgsql", STORAGE),
    ("libdhcp_pgsql_cb", STORAGE),
    (
        "libdhcp_ping_check",
        Fate::Refused("it decides which address a client gets"),
    ),
    (
        "libdhcp_radius",
        Fate::Refused("it decides who gets which address"),
    ),
    (
        "libdhcp_rbac",
        Fate::Kept("control sockets over HTTP are not built yet"),
    ),
    (
        "libdhcp_run_script",
        Fate::Kept("its script is not run; a hook service can do that"),
    ),
    ("libdhcp_stat_cmds", COMMANDS),
    ("libdhcp_subnet_cmds", COMMANDS),
];

pub(crate) fn read(object: &Object<'_>) {
    for entry in object.objects("hooks-libraries") {
        read_library(entry);
    }
}

fn read_library(entry: Object<'_>) {
    let library = entry.require("library", entry.text("library"));
    if let Some(parameters) = entry.object("parameters") {
        parameters.accept_everything();
    }
    entry.user_context();
    let problems = entry.problems;
    entry.finish();
    let Some(library) = library else { return };
    let file = library.value.rsplit('/').next().unwrap_or("");
    let base = file.split('.').next().unwrap_or("");
    let name = service_name(base);
    match LIBRARIES.iter().find(|row| row.0 == base).map(|row| row.1) {
        Some(Fate::Kept(why)) => problems.warning(&library.position, format!("{base} is not loaded: {why}")),
        Some(Fate::Refused(why)) => problems.error(&library.position, format!("{base} is not built yet: {why}")),
        None => problems.error(
            &library.position,
            format!(
                "{file} is not loaded: its work is that of a hook service outside the server; run one, remove this entry and \
                 write \"hook-services\": [ {{ \"name\": \"{name}\", \"endpoints\": [ \"unix:/run/outrigger/{name}.sock\" ] }} ]"
            ),
        ),
    }
}

/// The name of the service that takes a library's place: `libdhcp_foo_bar.so` becomes `foo-bar`.
fn service_name(base: &str) -> String {
    let name = base
        .strip_prefix("libdhcp_")
        .or_else(|| base.strip_prefix("lib"))
        .unwrap_or(base);
    name.replace('_', "-")
}
