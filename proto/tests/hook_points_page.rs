//! The page of hook points is what the table says. `UPDATE=1` writes it anew.

mod golden;

use outrigger_proto::{Family, HookPoint, NextStep, OnFailure, Spec, v1};
use prost::Message as _;
use prost_types::FileDescriptorSet;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;

const HEAD: &str = "\
# Hook points

Made from the table in `proto/src/hook_points.rs`; `make gen` writes it anew. How to write a hook is in the
[guide](../hook-authors-guide.md), with the way of a packet through these points.

At a hook point the server calls each service that subscribed to it, in configured order. Each sees the next step and the
changes of those before it, all are called, and the last next step counts. CONTINUE goes on with the changes applied and is
always possible; a next step that a hook point does not support counts as CONTINUE, and is counted.

*Given* is what a service may ask for, and what a call brings. *May change* is what a reply may change; one change
that is not listed, not declared by the service's subscription or not granted by the operator fails the whole reply.
*On failure* is what a failed call does where the configuration has no `on-failure`. The *name* is also the label of metrics
and log fields; the *number* is the one of the protocol's enum.
";

/// What a path stands for: path, meaning, and where it is in the messages.
type Meaning = (&'static str, &'static str, &'static str);

const READS: &[Meaning] = &[
    (
        "query",
        "the client's packet: header, options, classes, link, DHCPv6 relays. Asking for `query.options.60` brings one option only",
        "`query`",
    ),
    ("query.wire", "the datagram as received", "`query.wire`"),
    (
        "query.link",
        "interface, addresses and ports that it came by",
        "`query.link`",
    ),
    ("response", "the server's packet", "`response`"),
    (
        "response.wire",
        "the datagram to be sent",
        "`response.wire`",
    ),
    (
        "response.link",
        "interface, addresses and ports that it goes by",
        "`response.link`",
    ),
    (
        "subnet",
        "the subnet that the server selected; 0 is none. Its content came with Load",
        "`subnet_id`",
    ),
    (
        "subnets",
        "every subnet of the configuration, in ascending id",
        "`subnet_ids`",
    ),
    (
        "identifier-type",
        "what the identifier counts as unless the reply says otherwise",
        "`identifier_type`",
    ),
    (
        "names",
        "the client's name and the directions of DNS updates",
        "`hostname`, `fwd_update`, `rev_update`",
    ),
    (
        "ddns-parameters",
        "how names are decided for the client's subnet and pool",
        "`ddns_parameters`",
    ),
    ("lease", "the lease in question", "`lease`"),
    (
        "leases",
        "the leases of the reply; declined ones after DECLINE",
        "`leases`",
    ),
    (
        "deleted-leases",
        "the leases that the client no longer has",
        "`deleted_leases`",
    ),
    (
        "old-lease",
        "the lease that there was before",
        "`old_lease`",
    ),
    (
        "new-lease",
        "the registration as it is about to be written",
        "`new_lease`",
    ),
    (
        "address",
        "the address that the client registers",
        "`address`",
    ),
    ("host", "what is reserved for the client", "`host`"),
    (
        "fake-allocation",
        "the lease is only offered; nothing is written",
        "`fake_allocation`",
    ),
    (
        "offer-lifetime",
        "seconds for which an offer is written; 0: it is not",
        "`offer_lifetime`",
    ),
    (
        "remove-lease",
        "the lease is to be removed, not kept as reclaimed",
        "`remove_lease`",
    ),
    (
        "configuration",
        "what is in the top-level key, JSON",
        "`configuration`",
    ),
    (
        "audit-entries",
        "what was changed, in order",
        "`audit_entries`",
    ),
    ("name", "name of the command", "`name`"),
    ("arguments", "arguments of the command, JSON", "`arguments`"),
    ("command", "the complete command, JSON", "`command`"),
];

const CHANGES: &[Meaning] = &[
    (
        "query.options",
        "options of the client's packet, by edits",
        "`query4.options`, `query6.options`",
    ),
    (
        "query.header",
        "message type; in DHCPv4 also hops, secs, flags, addresses, sname, file",
        "fields of `query4`; `query6.message_type`",
    ),
    (
        "query.hw-address",
        "the client's hardware address",
        "`query4.hw_address`",
    ),
    (
        "query.relays",
        "options that relays added, by edits",
        "`query6.relay_options`",
    ),
    (
        "query.classes",
        "client classes to join, at once or once the lease is known",
        "`add_classes`, `add_additional_classes` of `query4`, `query6`",
    ),
    (
        "query.wire",
        "the datagram to decode instead",
        "`query4.wire`, `query6.wire`",
    ),
    (
        "query.parsed",
        "together with SKIP: the packet, so that the server decodes nothing",
        "`query4.parsed`, `query6.parsed`",
    ),
    (
        "response.options",
        "options of the server's packet, by edits",
        "`response4.options`, `response6.options`",
    ),
    (
        "response.header",
        "header fields of the server's packet",
        "fields of `response4`",
    ),
    (
        "response.relays",
        "options that go to relays, by edits",
        "`response6.relay_options`",
    ),
    (
        "response.link",
        "where the packet is sent to, and from",
        "`response4.link`, `response6.link`",
    ),
    (
        "response.wire",
        "the datagram to send; at `pktN_send` together with SKIP",
        "`response4.wire`, `response6.wire`",
    ),
    (
        "subnet",
        "id of the subnet to use; 0 is none",
        "`subnet_id`",
    ),
    (
        "identifier",
        "the client's identifier for host reservations, and its type",
        "`host_identifier`, `host_identifier_type`",
    ),
    (
        "names",
        "the client's name and the directions of DNS updates",
        "`names`",
    ),
    (
        "lease.address",
        "another address of the subnet, free and not reserved for somebody else",
        "`lease.address`",
    ),
    (
        "lease.lifetimes",
        "valid and preferred lifetime",
        "`lease.valid_lifetime`, `lease.preferred_lifetime`",
    ),
    (
        "lease.names",
        "name and directions that are written with the lease",
        "`lease.hostname`, `lease.fqdn_fwd`, `lease.fqdn_rev`",
    ),
    (
        "lease.user-context",
        "JSON that is written with the lease",
        "`lease.user_context`",
    ),
    (
        "ia.options",
        "options of the IA in the reply, by edits; addresses and lifetimes are those of the lease",
        "`ia_options`",
    ),
    (
        "offer-address-in-use",
        "in the final reply after PARK: somebody else has the address",
        "`offer_address_in_use`",
    ),
    (
        "error",
        "together with DROP: why the configuration is refused",
        "`error`",
    ),
    (
        "command-response",
        "the answer to the command, JSON",
        "`command_response`",
    ),
];

fn paths(paths: &[&str]) -> String {
    if paths.is_empty() {
        return "nothing".to_owned();
    }
    let quoted: Vec<_> = paths.iter().map(|path| format!("`{path}`")).collect();
    quoted.join(", ")
}

/// Message and fields that the arguments of each hook point travel in, by the name of the field of `Arguments`.
fn messages() -> Result<BTreeMap<String, (String, String)>, Box<dyn Error>> {
    let files = FileDescriptorSet::decode(v1::DESCRIPTORS)?.file;
    let messages: BTreeMap<String, _> = files
        .into_iter()
        .flat_map(|file| file.message_type)
        .map(|message| (message.name().to_owned(), message))
        .collect();
    let arguments = messages.get("Arguments").ok_or("no message Arguments")?;
    let mut found = BTreeMap::new();
    for field in &arguments.field {
        let name = field.type_name().rsplit('.').next().unwrap_or_default();
        let message = messages.get(name).ok_or("arguments without a message")?;
        let fields: Vec<_> = message
            .field
            .iter()
            .map(|field| format!("`{}`", field.name()))
            .collect();
        found.insert(
            field.name().to_owned(),
            (name.to_owned(), fields.join(", ")),
        );
    }
    Ok(found)
}

fn method(spec: &Spec) -> &'static str {
    spec.name.trim_start_matches('$')
}

fn hook_point(spec: &Spec, message: &(String, String), page: &mut String) -> std::fmt::Result {
    writeln!(page, "\n### {}\n\n{}\n", spec.name, spec.fires.trim())?;
    writeln!(page, "* Given: {}", paths(spec.reads))?;
    writeln!(page, "* May change: {}", paths(spec.changes))?;
    let action = match spec.on_failure {
        OnFailure::Continue => "continue",
        OnFailure::Drop => "drop",
    };
    let note = match spec.can_drop {
        true => "",
        false => " (`drop` would have no effect and is refused)",
    };
    writeln!(page, "* On failure: {action}{note}")?;
    writeln!(
        page,
        "* Number {}; message `{}` with {}\n",
        spec.hook_point.number(),
        message.0,
        message.1
    )?;
    writeln!(page, "| Next step | Effect |\n|---|---|")?;
    for step in [NextStep::Skip, NextStep::Drop, NextStep::Park] {
        let listed = spec.next.iter().find(|(known, _)| *known == step);
        let effect = listed.map_or("as CONTINUE", |(_, effect)| effect);
        writeln!(page, "| {step} | {effect} |")?;
    }
    Ok(())
}

fn contents(family: Option<Family>, page: &mut String) -> std::fmt::Result {
    writeln!(
        page,
        "| Hook point | Fires when | SKIP | DROP | PARK |\n|---|---|---|---|---|"
    )?;
    for point in HookPoint::ALL
        .iter()
        .filter(|point| point.spec().family == family)
    {
        let spec = point.spec();
        let first = spec.fires.trim().split_inclusive(". ").next();
        let has = |step| match spec.next.iter().any(|(known, _)| *known == step) {
            true => "✓",
            false => "",
        };
        writeln!(
            page,
            "| [`{}`](#{}) | {} | {} | {} | {} |",
            spec.name,
            method(spec),
            first.unwrap_or_default().trim(),
            has(NextStep::Skip),
            has(NextStep::Drop),
            if point.can_park() { "✓" } else { "" },
        )?;
    }
    Ok(())
}

fn meanings(title: &str, meanings: &[Meaning], page: &mut String) -> std::fmt::Result {
    writeln!(
        page,
        "\n{title}\n\n| Path | What it is | In the messages |\n|---|---|---|"
    )?;
    for (path, meaning, fields) in meanings {
        writeln!(page, "| `{path}` | {meaning} | {fields} |")?;
    }
    Ok(())
}

const PATHS: &str = "
## Paths

A subscription names what it reads and what it writes by paths: words between dots. A path covers what is below it:
`response` covers `response.options` and `response.options.67`. An option is written by its number. A subscription that
reads nothing in particular gets every argument; one that writes nothing may still decide the next step and keep context.
The header fields of a packet are always sent, and so are its classes.
";

const PARTS: [(Option<Family>, &str); 3] = [
    (Some(Family::V4), "DHCPv4"),
    (Some(Family::V6), "DHCPv6"),
    (None, "Both families"),
];

fn page() -> Result<String, Box<dyn Error>> {
    let messages = messages()?;
    let mut page = HEAD.to_owned();
    let links = PARTS.map(|(_, title)| {
        let anchor = title.to_lowercase().replace(' ', "-");
        format!("[{title}](#{anchor})")
    });
    writeln!(page, "\n{} · [Paths](#paths)", links.join(" · "))?;
    for (family, title) in PARTS {
        writeln!(page, "\n## {title}\n")?;
        contents(family, &mut page)?;
        for point in HookPoint::ALL
            .iter()
            .filter(|point| point.spec().family == family)
        {
            let spec = point.spec();
            let message = messages
                .get(method(spec))
                .ok_or("a hook point without a message")?;
            hook_point(spec, message, &mut page)?;
        }
    }
    page.push_str(PATHS);
    meanings(
        "What can be asked for, in messages of arguments:",
        READS,
        &mut page,
    )?;
    meanings(
        "What can be changed, in the message `Changes`:",
        CHANGES,
        &mut page,
    )?;
    Ok(page)
}

#[test]
fn the_page_of_hook_points_is_up_to_date() -> Result<(), Box<dyn Error>> {
    golden::check("docs/generated/hook-points.md", &page()?)
}

#[test]
fn every_path_is_explained_and_no_other() {
    let specs = || HookPoint::ALL.iter().map(|point| point.spec());
    let reads: Vec<&str> = specs().flat_map(|spec| spec.reads).copied().collect();
    let changes: Vec<&str> = specs().flat_map(|spec| spec.changes).copied().collect();
    for (used, explained) in [(reads, READS), (changes, CHANGES)] {
        let explained: Vec<&str> = explained.iter().map(|row| row.0).collect();
        let unexplained: Vec<_> = used
            .iter()
            .filter(|path| !explained.contains(path))
            .collect();
        assert!(unexplained.is_empty(), "{unexplained:?}");
        let unused: Vec<_> = explained
            .iter()
            .filter(|path| !used.contains(path))
            .collect();
        assert!(unused.is_empty(), "{unused:?}");
    }
}
