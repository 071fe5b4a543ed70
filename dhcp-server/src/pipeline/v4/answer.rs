//! The reply: fixed fields, lease, options, and where it is sent.

use super::classify;
use super::decide::{Outcome4, Reply};
use super::locate::Located4;
use crate::pipeline::classes;
use crate::pipeline::options::{self, Scopes};
use crate::pipeline::{seconds, subnet_scopes};
use crate::telemetry::{Discard, DiscardReason};
use outrigger_alloc::{ChangeSet, lifetime};
use outrigger_config::model::{Host, Subnet};
use outrigger_hooks::Step;
use outrigger_hooks::callouts::LinkOverride;
use outrigger_store::Lease;
use outrigger_wire::buffer::Buffer;
use outrigger_wire::options::{TlvKind, vendor4, vendor4_sub_option};
use outrigger_wire::v4::{FLAG_BROADCAST, MessageType, Packet4, Reply4, code};
use outrigger_wire::{Link, Outgoing, Query4, V4, relay4};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// Largest DHCP message for a client that does not say (RFC 2131 §2: 576 bytes of IP datagram).
const SMALLEST_MAX: u16 = 576;

/// IP and UDP headers, which option 57 counts.
const IP_UDP: usize = 28;

/// CableLabs: the one vendor whose option request sub-option is understood, as in Kea.
const CABLELABS: u32 = 4491;

/// A complete reply that is not packed yet.
#[derive(Debug)]
pub(super) struct Answer4<'c> {
    pub(super) query: Query4,
    /// That of the lease, where there is one.
    pub(super) subnet_id: Option<u32>,
    pub(super) host: Option<&'c Host<V4>>,
    /// Subnet of the reservation, 0 where it is global.
    pub(super) host_subnet_id: u32,
    /// This server's address on the link.
    own: Ipv4Addr,
    /// Seconds that a declined address stays out of use.
    probation: u32,
    pub(super) outcome: Outcome4<'c>,
    /// Absent for RELEASE and DECLINE.
    pub(super) response: Option<Reply4>,
    /// Bytes that a hook point packed in the server's place.
    pub(super) packed: Option<Buffer>,
    /// Where callouts want the reply to go instead.
    pub(super) link: LinkOverride,
}

/// Writes the reply to what was decided. `interfaces` are those that the server may send on.
pub(super) fn build<'c>(
    mut located: Located4<'c>,
    outcome: Outcome4<'c>,
    interfaces: &Arc<[(Box<str>, u32)]>,
) -> Answer4<'c> {
    classify::by_lease(&mut located, outcome.granted.as_ref());
    let message_type = match outcome.reply {
        Reply::Offer => Some(MessageType::Offer),
        Reply::Ack => Some(MessageType::Ack),
        Reply::Nak => Some(MessageType::Nak),
        Reply::None => None,
    };
    let response = message_type.map(|message_type| respond(&located, &outcome, message_type));
    let granted = outcome.granted.as_ref();
    let subnet_id = match located.message_type() {
        // Kea: it has no subnet by now.
        Some(MessageType::Inform) => None,
        _ => granted.map_or_else(
            || located.subnet_id(),
            |granted| Some(granted.lease.subnet_id),
        ),
    };
    let link = LinkOverride::new(interfaces, located.query.packet.is_relayed());
    Answer4 {
        subnet_id,
        host: located.host,
        host_subnet_id: located.host_subnet_id,
        own: located.own,
        probation: seconds(located.cfg.decline_probation_period),
        query: located.query,
        outcome,
        response,
        packed: None,
        link,
    }
}

fn respond(located: &Located4<'_>, outcome: &Outcome4<'_>, message_type: MessageType) -> Reply4 {
    let packet = &located.query.packet;
    let mut response = outcome.names.begin(located, message_type);
    let granted = outcome
        .granted
        .as_ref()
        .and_then(|granted| Some((granted, located.cfg.subnets.get(granted.subnet)?)));
    let subnet = granted.map_or_else(|| located.subnet(), |(_, subnet)| Some(subnet));
    let scopes = scopes(located, outcome, subnet);
    let server_id = server_id(located, &scopes);
    push(&mut response, code::SERVER_ID, &server_id.octets());
    if located.cfg.own.echo_client_id
        && let Some(client_id) = packet.options.get(code::CLIENT_ID)
    {
        push(&mut response, code::CLIENT_ID, client_id);
    }
    if let Some((granted, subnet)) = granted {
        response.header.yiaddr = granted.lease.resource;
        push_times(&mut response, granted.valid_lifetime, subnet);
    }
    if message_type == MessageType::Nak {
        // RFC 2131 §4.3.2: the relay broadcasts it.
        if packet.is_relayed() {
            response.header.flags |= FLAG_BROADCAST;
        }
    } else {
        if response.header.ciaddr.is_unspecified() {
            response.header.ciaddr = packet.header.ciaddr;
        }
        set_boot_fields(&mut response, located, subnet);
        outcome.names.finish(&mut response);
        add_options(&mut response, packet, &scopes);
    }
    for echoed in [code::SUBNET_SELECTION, code::RELAY_INFO] {
        if let Some(payload) = packet.options.get(echoed) {
            push(&mut response, echoed, payload);
        }
    }
    response
}

/// Adds an option that callouts have not put into the draft.
fn push(response: &mut Reply4, code: u16, payload: &[u8]) {
    if !response.options.contains(code) {
        response.options.push(code, payload);
    }
}

/// Lease time, T1 and T2, and the subnet mask.
fn push_times(response: &mut Reply4, valid_lifetime: u32, subnet: &Subnet<V4>) {
    let (t1, t2) = lifetime::tee_times4(&subnet.timers, valid_lifetime);
    push(response, code::LEASE_TIME, &valid_lifetime.to_be_bytes());
    for (option, time) in [(code::RENEWAL_TIME, t1), (code::REBINDING_TIME, t2)] {
        if let Some(time) = time {
            push(response, option, &time.to_be_bytes());
        }
    }
    push(response, code::SUBNET_MASK, &subnet.own.netmask.octets());
}

/// Kea's order: host, pool, subnet, shared network, classes in the order of membership, global.
fn scopes<'c>(
    located: &'c Located4<'_>,
    outcome: &Outcome4<'_>,
    subnet: Option<&'c Subnet<V4>>,
) -> Scopes<'c> {
    let mut scopes = Scopes::new();
    scopes.extend(located.host.map(|host| &host.options));
    let pool = outcome
        .granted
        .as_ref()
        .and_then(|granted| granted.pool(located.cfg));
    scopes.extend(pool.map(|pool| &pool.options));
    scopes.extend(
        subnet
            .into_iter()
            .flat_map(|subnet| subnet_scopes(located.cfg, subnet)),
    );
    let classes = located.cfg.classes.joined(&located.query.classes);
    scopes.extend(classes.map(|class| &class.content.options));
    scopes.push(&located.cfg.options);
    scopes
}

/// What a relay puts in its place (RFC 5107), else what is configured, else its address on the link.
fn server_id(located: &Located4<'_>, scopes: &Scopes<'_>) -> Ipv4Addr {
    let overridden = located
        .query
        .packet
        .relay_info()
        .and_then(relay4::server_id_override);
    let configured = || {
        let payload = &scopes
            .iter()
            .find_map(|scope| scope.get(code::SERVER_ID))?
            .payload;
        <[u8; 4]>::try_from(&**payload).ok().map(Ipv4Addr::from)
    };
    overridden.or_else(configured).unwrap_or(located.own)
}

/// `siaddr`, `sname` and `file`: of the reservation, else of the first class that sets it, else of the subnet.
fn set_boot_fields(response: &mut Reply4, located: &Located4<'_>, subnet: Option<&Subnet<V4>>) {
    let (cfg, classes) = (located.cfg, &located.query.classes);
    let host = located.host.map(|host| &host.own);
    let subnet = subnet.map(|subnet| &subnet.own);
    let header = &mut response.header;
    let next_server = host
        .and_then(|host| host.next_server)
        .or_else(|| classes::first(cfg, classes, |class| class.own.next_server))
        .or_else(|| subnet.map(|subnet| subnet.next_server));
    if header.siaddr.is_unspecified() {
        header.siaddr = next_server.unwrap_or(Ipv4Addr::UNSPECIFIED);
    }
    let server_hostname = host
        .and_then(|host| host.server_hostname.as_deref())
        .or_else(|| classes::first(cfg, classes, |class| class.own.server_hostname.as_deref()))
        .or_else(|| subnet.map(|subnet| &*subnet.server_hostname));
    fill(&mut header.sname, server_hostname);
    let boot_file_name = host
        .and_then(|host| host.boot_file_name.as_deref())
        .or_else(|| classes::first(cfg, classes, |class| class.own.boot_file_name.as_deref()))
        .or_else(|| subnet.map(|subnet| &*subnet.boot_file_name));
    fill(&mut header.file, boot_file_name);
}

/// Fills a field that no callout has filled.
fn fill(field: &mut [u8], text: Option<&str>) {
    if field.first() == Some(&0) {
        let bytes = text.into_iter().flat_map(str::bytes);
        for (to, from) in field.iter_mut().zip(bytes) {
            *to = from;
        }
    }
}

/// Options that the client lists, and those that Kea sends whether listed or not: routers, domain name servers, domain
/// name.
fn add_options(response: &mut Reply4, packet: &Packet4, scopes: &Scopes<'_>) {
    let requested = packet.parameter_request_list();
    push_vendor_options(response, packet, scopes);
    options::add(&mut response.options, scopes, code::VIVSO, |wanted| {
        matches!(
            wanted,
            code::ROUTERS | code::DOMAIN_NAME_SERVERS | code::DOMAIN_NAME
        ) || requested.iter().any(|code| u16::from(*code) == wanted)
    });
}

/// Option 125 with what the client asks its vendor's option for, and what is always sent.
fn push_vendor_options(response: &mut Reply4, packet: &Packet4, scopes: &Scopes<'_>) {
    let mut enterprises = options::unasked_vendors(scopes, code::VIVSO);
    let sent = packet.options.get(code::VIVSO).unwrap_or_default();
    for (enterprise, _) in vendor4(sent).flatten() {
        if !enterprises.contains(&enterprise) {
            enterprises.push(enterprise);
        }
    }
    let mut payload = Buffer::take();
    for enterprise in enterprises {
        let requests = match enterprise {
            CABLELABS => vendor4_sub_option(sent, CABLELABS, 1).unwrap_or_default(),
            _ => &[],
        };
        let asked_for = |wanted: u16| requests.iter().any(|code| u16::from(*code) == wanted);
        let mut body = Buffer::take();
        for option in options::vendor(scopes, enterprise, asked_for) {
            // What is too long for its length field was refused with the configuration.
            let _ = TlvKind::V4.write(&mut body, u32::from(option.code), &option.payload);
        }
        if let (false, Ok(len)) = (body.is_empty(), u8::try_from(body.len())) {
            payload.extend_from_slice(&enterprise.to_be_bytes());
            payload.push(len);
            payload.extend_from_slice(&body);
        }
    }
    if !payload.is_empty() {
        response.options.push(code::VIVSO, &payload);
    }
}

impl Answer4<'_> {
    /// Packs the reply, unless a hook point did, and addresses it. `None` where there is no reply.
    pub(super) fn encode(
        self,
        step: Step,
        ports: super::Ports,
    ) -> Result<Option<(Outgoing, LinkOverride)>, Discard> {
        let Some(response) = self.response else {
            return Ok(None);
        };
        let bytes = match (step, self.packed) {
            (Step::Skip, Some(packed)) => packed,
            (Step::Skip, None) => return Err(Discard::because(DiscardReason::HookDecision)),
            (Step::Run, _) => {
                let mut bytes = Buffer::take();
                let largest = self
                    .query
                    .packet
                    .max_message_size()
                    .unwrap_or(SMALLEST_MAX)
                    .max(SMALLEST_MAX);
                response
                    .encode(&mut bytes, usize::from(largest) - IP_UDP)
                    .map_err(|_| Discard::because(DiscardReason::ReplyTooLong))?;
                bytes
            }
        };
        let mut outgoing = address(&self.query, &response, bytes, ports);
        outgoing.link.local.set_ip(self.own.into());
        self.link.apply_to_outgoing(&mut outgoing);
        Ok(Some((outgoing, self.link)))
    }

    /// Takes the offered address out of use; the lease as it will be. `None` where nothing is offered.
    pub(super) fn decline(&self, changes: &mut ChangeSet<V4>, now: u64) -> Option<Lease<V4>> {
        let lease = &self.outcome.granted.as_ref()?.lease;
        // What there is of the address: the offer, where that was written.
        let written = (self.outcome.offer_lifetime > 0).then_some(lease);
        let old = written.or(self.outcome.old.as_ref());
        Some(changes.decline_offered(old, lease, self.probation, now))
    }
}

/// RFC 2131 §4.1: to the relay; else to the address that the client has; else, for a NAK or a client that asks for it, by
/// broadcast; else as a frame to the client's hardware address.
fn address(query: &Query4, response: &Reply4, bytes: Buffer, ports: super::Ports) -> Outgoing {
    let packet = &query.packet;
    let nak = response.message_type() == Some(MessageType::Nak);
    let ciaddr = packet.header.ciaddr;
    let to_client = |addr| (addr, ports.client, None);
    let (addr, port, to_hardware) = if packet.is_relayed() {
        let relay_port = packet.relay_info().is_some_and(|info| {
            const RELAY_PORT: u16 = 19;
            outrigger_wire::options::sub_option4(info, RELAY_PORT).is_some()
        });
        let port = if relay_port {
            query.link.remote.port()
        } else {
            ports.server
        };
        (packet.header.giaddr, port, None)
    } else if nak {
        to_client(Ipv4Addr::BROADCAST)
    } else if !ciaddr.is_unspecified() {
        to_client(ciaddr)
    } else if packet.broadcast() || response.header.yiaddr.is_unspecified() {
        to_client(Ipv4Addr::BROADCAST)
    } else {
        (
            response.header.yiaddr,
            ports.client,
            Some(packet.hw_address()),
        )
    };
    let link = Link {
        remote: SocketAddr::from((addr, port)),
        ..query.link.clone()
    };
    Outgoing {
        bytes,
        link,
        to_hardware,
    }
}
