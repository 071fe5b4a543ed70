//! One call of a hook point, from a captured or described packet; the reply as JSON.

mod description;
pub(crate) mod packet;
mod pcap;

use crate::material::Material;
use crate::peer::{Identity, Peer, PeerError, REVISION};
use crate::show;
use crate::subnets::{Subnet, subnets};
use bytes::Bytes;
use outrigger_hook_sdk::Endpoint;
use outrigger_proto::{Family, HookPoint, NextStep, v1};
use packet::{PacketError, hex};
use prost::Message as _;
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;
use v1::callout_reply::Outcome;

/// What is to be called, and with what.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where the service listens: unix:/path or http://host:port.
    endpoint: Endpoint,
    /// As in Kea: subnet6_select.
    hook_point: HookPoint,
    /// The client's packet: a capture (pcap), a JSON description or hex digits. Without it a made-up REQUEST.
    #[arg(long, value_name = "FILE", conflicts_with = "hex")]
    packet: Option<PathBuf>,
    /// The client's packet as hex digits: the payload of UDP.
    #[arg(long, value_name = "DIGITS")]
    hex: Option<String>,
    /// The server's packet, in the same forms. Without it the capture's own answer, or a made-up one.
    #[arg(long, value_name = "FILE")]
    response: Option<PathBuf>,
    /// Which query of the capture, from 1.
    #[arg(long, value_name = "N", default_value_t = 1)]
    number: usize,
    /// The subnet that the server selected; 0 is none.
    #[arg(long, value_name = "ID")]
    subnet_id: Option<u32>,
    /// What the service kept at an earlier hook point, hex digits.
    #[arg(long, value_name = "DIGITS", default_value = "")]
    context: String,
    /// What the services before decided.
    #[arg(long, value_parser = ["CONTINUE", "SKIP", "DROP"], default_value = "CONTINUE")]
    status: String,
    /// "parameters" as in the server's configuration.
    #[arg(long, value_name = "JSON", default_value = "")]
    parameters: String,
    /// Subnets of the server: ID=PREFIX, separated by commas. Without it there are 1 and 2.
    #[arg(long, value_name = "SUBNETS", value_delimiter = ',')]
    subnets: Vec<Subnet>,
    /// The control command for the hook point $command. Without it status-get.
    #[arg(long, value_name = "JSON")]
    command: Option<String>,
    /// Calls without a session, as a server does whose service offers none.
    #[arg(long)]
    unary: bool,
    /// Time that the call has.
    #[arg(long, value_name = "MS", default_value_t = 2000, value_parser = clap::value_parser!(u64).range(1..=600_000))]
    deadline_ms: u64,
}

/// Why there is no reply.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// The packets are not usable.
    #[error(transparent)]
    Packet(#[from] PacketError),
    /// The service is not usable.
    #[error("{endpoint}: {source}")]
    Peer {
        endpoint: Endpoint,
        source: PeerError,
    },
}

/// A reply, ready to print.
#[derive(Debug)]
pub(crate) struct Reply {
    /// For people.
    pub(crate) json: Value,
    /// A result, and no failure.
    pub(crate) is_result: bool,
}

/// Loads the service and calls it once.
///
/// # Errors
/// The packets cannot be read, or the service is not there, refuses or does not answer.
pub(crate) async fn run(arguments: Arguments) -> Result<Reply, CallError> {
    let point = arguments.hook_point;
    let family = match of_packets(point) {
        Family::V4 => v1::Family::Dhcp4,
        Family::V6 => v1::Family::Dhcp6,
    };
    let identity = Identity {
        family,
        instance_id: format!("hook-runner-{:016x}", rand::random::<u64>()),
        parameters: arguments.parameters.clone(),
        subnets: subnets(&arguments.subnets, family),
    };
    let request = request(&arguments, &identity)?;
    let called = call(&arguments, &identity, request).await;
    called.map_err(|source| CallError::Peer {
        endpoint: arguments.endpoint.clone(),
        source,
    })
}

/// Whose packets a call of `point` brings. What both families have is called as by a DHCPv4 server.
fn of_packets(point: HookPoint) -> Family {
    point.spec().family.unwrap_or(Family::V4)
}

fn request(arguments: &Arguments, identity: &Identity) -> Result<v1::CalloutRequest, CallError> {
    let point = arguments.hook_point;
    let mut material = Material::sample(&identity.subnets);
    if let Some(subnet_id) = arguments.subnet_id {
        material.subnet_id = subnet_id;
    }
    if let Some(command) = &arguments.command {
        material.command.clone_from(command);
    }
    let packets = packet::Sources {
        packet: arguments.packet.as_deref(),
        hex: arguments.hex.as_deref(),
        response: arguments.response.as_deref(),
        number: arguments.number,
    };
    packets.read(of_packets(point), &mut material)?;
    let status = match arguments.status.as_str() {
        "SKIP" => NextStep::Skip,
        "DROP" => NextStep::Drop,
        _ => NextStep::Continue,
    };
    Ok(v1::CalloutRequest {
        id: 1,
        hook_point: i32::from(point.number()),
        budget_us: u32::try_from(arguments.deadline_ms * 1000).unwrap_or(u32::MAX),
        packet_label: "hook-runner call".to_owned(),
        status: v1::NextStep::from(status).into(),
        context: Bytes::from(hex("--context", &arguments.context)?),
        configuration_revision: REVISION,
        arguments: Some(material.arguments(point)),
        park_budget_us: match point.can_park() && !arguments.unary {
            true => u32::try_from(arguments.deadline_ms * 1000).unwrap_or(u32::MAX),
            false => 0,
        },
        ..Default::default()
    })
}

async fn call(
    arguments: &Arguments,
    identity: &Identity,
    request: v1::CalloutRequest,
) -> Result<Reply, PeerError> {
    let patience = Duration::from_millis(arguments.deadline_ms);
    let peer = Peer::connect(&arguments.endpoint, patience).await?;
    let loaded = peer.load(&identity.load_request(REVISION)).await?;
    let point = arguments.hook_point;
    let offered = point == HookPoint::Command && !loaded.commands.is_empty();
    let wanted = offered
        || loaded
            .subscriptions
            .iter()
            .any(|subscription| subscription.hook_point == request.hook_point);
    if !wanted {
        tracing::warn!(
            "{} does not subscribe to {point}: a server does not call it there",
            loaded.name
        );
    }
    let reply = if loaded.sessions && !arguments.unary {
        let mut session = peer.session(identity.hello(REVISION)).await?;
        let (id, holds) = (request.id, request.park_budget_us > 0);
        let reply = session.ask(request).await?;
        match holds && show::is_parked(&reply) {
            true => {
                tracing::info!("PARK; the final reply follows");
                session.reply_to(id).await?
            }
            false => reply,
        }
    } else {
        match peer.unary("Call", request.encode_to_vec()).await {
            Ok(reply) => reply,
            Err(PeerError::Status { status, .. }) if PeerError::is_of_service(&status) => {
                return Ok(Reply {
                    json: show::status(&status),
                    is_result: false,
                });
            }
            Err(error) => return Err(error),
        }
    };
    Ok(Reply {
        json: show::reply(&reply),
        is_result: matches!(reply.outcome, Some(Outcome::Result(_))),
    })
}
