//! The reply: identifiers, IAs, options, relay layers.

use super::decide::{
    Decided6, IaOutcome, Outcome6, excluded_prefix, is_on_link, is_rapid, pool_of,
};
use super::locate::Located6;
use crate::pipeline::options::{self, Scopes};
use crate::pipeline::subnet_scopes;
use crate::telemetry::{Discard, DiscardReason};
use outrigger_alloc::lifetime;
use outrigger_config::model::Subnet;
use outrigger_hooks::Step;
use outrigger_hooks::callouts::LinkOverride;
use outrigger_wire::buffer::Buffer;
use outrigger_wire::family::Resource6;
use outrigger_wire::options::{TlvKind, nested6, vendor6};
use outrigger_wire::v6::{
    ADDR_REG_INFORM, ADDR_REG_REPLY, MessageType, Reply6, Status, code, push_ia, push_status,
};
use outrigger_wire::{Duid, Link, Outgoing, Query6, V6};
use std::net::SocketAddr;
use std::sync::Arc;

/// Option 67, RFC 6603.
const PD_EXCLUDE: u16 = 67;

/// CableLabs: the one vendor whose option request sub-option is understood, as in Kea.
const CABLELABS: u32 = 4491;

/// A complete reply that is not packed yet.
#[derive(Debug)]
pub(super) struct Answer6 {
    pub(super) query: Query6,
    /// That of the first lease, where there is one.
    pub(super) subnet_id: Option<u32>,
    pub(super) outcome: Outcome6,
    pub(super) response: Reply6,
    /// Bytes that a hook point packed in the server's place.
    pub(super) packed: Option<Buffer>,
    /// Where callouts want it to go instead.
    pub(super) link: LinkOverride,
}

/// The beginning of a reply.
pub(super) fn begin(located: &Located6<'_>) -> Reply6 {
    let packet = &located.query.packet;
    let message_type = match packet.message_type {
        MessageType::Solicit if !is_rapid(located) => MessageType::Advertise,
        ADDR_REG_INFORM => ADDR_REG_REPLY,
        _ => MessageType::Reply,
    };
    Reply6::to(packet, message_type)
}

/// Writes the reply to what was decided. What callouts of `ddns6_update` wrote into it stays.
pub(super) fn build(
    server_id: &Duid,
    interfaces: &Arc<[(Box<str>, u32)]>,
    decided: Decided6<'_>,
) -> Answer6 {
    let Decided6 {
        located,
        mut outcome,
    } = decided;
    let mut response = match outcome.names.response.take() {
        Some(response) => *response,
        None => {
            let mut response = begin(&located);
            outcome.names.tell(&mut response);
            response
        }
    };
    response.options.set(code::SERVER_ID, server_id.bytes());
    if let Some(client_id) = located.query.packet.options.get(code::CLIENT_ID) {
        response.options.set(code::CLIENT_ID, client_id);
    }
    if is_rapid(&located) {
        response.options.set(code::RAPID_COMMIT, &[]);
    }
    if located.query.packet.message_type == MessageType::Confirm {
        outcome.status = Some(confirm(&located));
    }
    if let Some((status, text)) = outcome.status {
        push_status(&mut response.options, status, text);
    }
    if outcome.registration.is_some() {
        // RFC 9686 §4.3: the option as the client sent it.
        let registered = located.query.packet.options.get(code::IA_ADDR);
        response
            .options
            .push(code::IA_ADDR, registered.unwrap_or_default());
    }
    for ia in &outcome.ias {
        push_outcome(&mut response, &located, ia);
    }
    add_options(&mut response, &located, &outcome);
    let subnet_id = outcome.subnet(&located).map(|subnet| subnet.id.0);
    let link = LinkOverride::new(interfaces, located.query.packet.is_relayed());
    Answer6 {
        query: located.query,
        subnet_id,
        outcome,
        response,
        packed: None,
        link,
    }
}

fn confirm(located: &Located6<'_>) -> (Status, &'static str) {
    if is_on_link(located) {
        (Status::Success, "all addresses are on this link")
    } else {
        (Status::NotOnLink, "an address is not on this link")
    }
}

fn push_outcome(response: &mut Reply6, located: &Located6<'_>, ia: &IaOutcome) {
    let subnet: Option<&Subnet<V6>> = ia
        .granted
        .as_ref()
        .and_then(|(_, index)| located.cfg.subnets.get(*index));
    let timers = match (&ia.granted, subnet) {
        (Some((lease, _)), Some(subnet)) => {
            lifetime::tee_times6(&subnet.timers, lease.preferred_lifetime)
        }
        _ => (0, 0),
    };
    push_ia(&mut response.options, ia.kind, ia.iaid, timers, |out| {
        if let Some((lease, _)) = &ia.granted {
            let (preferred, valid) = (lease.preferred_lifetime, lease.valid_lifetime);
            match lease.resource {
                Resource6::Address(addr) => out.address(addr, preferred, valid),
                Resource6::Prefix(prefix) => out.prefix_with(prefix, preferred, valid, |inside| {
                    if let Some(excluded) =
                        subnet.and_then(|subnet| excluded_prefix(subnet, prefix))
                    {
                        inside.option(PD_EXCLUDE, &excluded);
                    }
                }),
            };
        }
        for resource in &ia.retired {
            match *resource {
                Resource6::Address(addr) => out.address(addr, 0, 0),
                Resource6::Prefix(prefix) => out.prefix(prefix, 0, 0),
            };
        }
        if let Some((status, text)) = ia.status {
            out.status(status, text);
        }
        for (code, payload) in ia.options.iter().flat_map(|options| options.iter()) {
            out.option(code, payload);
        }
    });
}

/// Configured options that the client asks for or that are always sent; then what relays supply (RFC 6422).
fn add_options(response: &mut Reply6, located: &Located6<'_>, outcome: &Outcome6) {
    let scopes = scopes(located, outcome);
    let packet = &located.query.packet;
    push_vendor_options(response, located, &scopes);
    options::add(
        &mut response.options,
        &scopes,
        code::VENDOR_OPTS,
        |wanted| packet.oro().any(|code| code == wanted),
    );
    let registers = located.cfg.own.allow_address_registration;
    if registers
        && packet.oro().any(|code| code == code::ADDR_REG_ENABLE)
        && !response.options.contains(code::ADDR_REG_ENABLE)
    {
        response.options.push(code::ADDR_REG_ENABLE, &[]);
    }
    for hop in &packet.relays {
        for (code, payload) in hop
            .options
            .get(code::RSOO)
            .into_iter()
            .flat_map(nested6)
            .flatten()
        {
            let allowed = located.cfg.own.relay_supplied_options.contains(&code);
            if allowed && !response.options.contains(code) {
                response.options.push(code, payload);
            }
        }
    }
}

fn scopes<'l>(located: &'l Located6<'_>, outcome: &Outcome6) -> Scopes<'l> {
    let cfg = located.cfg;
    let mut scopes = Scopes::new();
    scopes.extend(located.host.map(|host| &host.options));
    for (lease, index) in outcome.ias.iter().filter_map(|ia| ia.granted.as_ref()) {
        let subnet = cfg.subnets.get(*index);
        let pool = subnet.and_then(|subnet| pool_of(subnet, &lease.resource));
        scopes.extend(pool.map(|pool| &pool.options));
    }
    let subnet = outcome.subnet(located);
    scopes.extend(
        subnet
            .into_iter()
            .flat_map(|subnet| subnet_scopes(cfg, subnet)),
    );
    let classes = cfg.classes.joined(&located.query.classes);
    scopes.extend(classes.map(|class| &class.content.options));
    scopes.push(&cfg.options);
    scopes
}

/// Option 17 for each vendor that the client names in its options 17 and 16 or that has something to be sent always.
fn push_vendor_options(response: &mut Reply6, located: &Located6<'_>, scopes: &Scopes<'_>) {
    let packet = &located.query.packet;
    let named = packet
        .options
        .get_all(code::VENDOR_OPTS)
        .filter_map(vendor6);
    let classes = packet
        .options
        .get_all(code::VENDOR_CLASS)
        .filter_map(vendor6);
    let mut enterprises = options::unasked_vendors(scopes, code::VENDOR_OPTS);
    for (enterprise, _) in named.chain(classes) {
        if !enterprises.contains(&enterprise) {
            enterprises.push(enterprise);
        }
    }
    for enterprise in enterprises {
        let asked_for = |wanted: u16| {
            let mut of_vendor = packet
                .options
                .get_all(code::VENDOR_OPTS)
                .filter_map(vendor6);
            of_vendor.any(|(named, body)| {
                named == enterprise
                    && enterprise == CABLELABS
                    && requests(body).any(|code| code == wanted)
            })
        };
        let chosen = options::vendor(scopes, enterprise, asked_for);
        if chosen.is_empty() {
            continue;
        }
        response.options.push_with(code::VENDOR_OPTS, |out| {
            out.extend_from_slice(&enterprise.to_be_bytes());
            for option in chosen {
                // What is too long for its length field was refused with the configuration.
                let _ = TlvKind::V6.write(out, u32::from(option.code), &option.payload);
            }
        });
    }
}

/// Codes in the option request sub-option (1) of CableLabs' vendor options.
fn requests(body: &[u8]) -> impl Iterator<Item = u16> {
    let request = nested6(body)
        .flatten()
        .find(|(code, _)| *code == 1)
        .map_or(&[][..], |(_, codes)| codes);
    request
        .as_chunks::<2>()
        .0
        .iter()
        .map(|code| u16::from_be_bytes(*code))
}

impl Answer6 {
    /// Whether the message is one whose outcome `leases6_committed` reports.
    pub(super) fn is_committing(&self) -> bool {
        match self.query.packet.message_type {
            MessageType::Solicit => self.response.message_type == MessageType::Reply,
            MessageType::Request
            | MessageType::Renew
            | MessageType::Rebind
            | MessageType::Release
            | MessageType::Decline
            | ADDR_REG_INFORM => true,
            _ => false,
        }
    }

    /// Packs the reply, unless a hook point did, and addresses it: to the relay's port, or to the client's, or as callouts
    /// want it.
    pub(super) fn encode(
        self,
        step: Step,
        client_port: u16,
    ) -> Result<(Outgoing, LinkOverride), Discard> {
        const TOO_LONG: Discard = Discard::because(DiscardReason::ReplyTooLong);
        let bytes = match (step, self.packed) {
            (Step::Skip, Some(packed)) => packed,
            (Step::Skip, None) => return Err(Discard::because(DiscardReason::HookDecision)),
            (Step::Run, _) => {
                let mut bytes = Buffer::take();
                self.response.encode(&mut bytes).map_err(|_| TOO_LONG)?;
                bytes
            }
        };
        let mut link = reply_link(&self.query, client_port);
        self.link.apply_to(&mut link);
        let outgoing = Outgoing {
            bytes,
            link,
            to_hardware: None,
        };
        Ok((outgoing, self.link))
    }
}

/// To a relay: where its message came from, at port 547 unless it said that it has another (RFC 8357). To a client: port
/// 546.
fn reply_link(query: &Query6, client_port: u16) -> Link {
    let mut link = query.link.clone();
    let source = link.remote;
    let own_port = query
        .packet
        .relays
        .first()
        .is_some_and(|hop| hop.options.contains(code::RELAY_PORT));
    let port = match query.packet.is_relayed() {
        true if own_port => source.port(),
        true => link.local.port(),
        false => client_port,
    };
    link.remote = match source {
        SocketAddr::V6(mut addr) => {
            addr.set_port(port);
            SocketAddr::V6(addr)
        }
        SocketAddr::V4(addr) => SocketAddr::V4(addr),
    };
    link
}
