//! Reservations of the running configuration. Changes replace it: what is edited is its document.

mod document;

use super::{ApiFamily, Shared, page_size};
use crate::control::{Change, Order, Wish};
use document::Place;
use outrigger_config::model::{Grant, Host, HostIdentifier, HostTable, Server};
use outrigger_hooks::callouts::{host, identifier_kind};
use outrigger_proto::server_v1::hosts_server::Hosts;
use outrigger_proto::server_v1::{
    AddHostRequest, DeleteHostRequest, GetHostReply, GetHostRequest, HostChanged, HostKey,
    ListHostsReply, ListHostsRequest, UpdateHostRequest, get_host_request::By,
};
use outrigger_proto::v1;
use outrigger_proto::v1::audit_entry::Modification;
use serde_json::Value;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tonic::{Request, Response, Status};

/// How long a call waits for the new configuration. Longer than the server waits for its services.
const PATIENCE: Duration = Duration::from_secs(20);

const BEING_CHANGED: &str = "the configuration is being changed: try again";

pub(super) struct HostsApi<F: ApiFamily>(pub(super) Arc<Shared<F>>);

type Replied<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl<F: ApiFamily> Hosts for HostsApi<F> {
    async fn get(&self, request: Request<GetHostRequest>) -> Replied<GetHostReply> {
        let _call = self.0.access.call(&request, Grant::HostsRead)?;
        let cfg = self.0.cfg();
        let request = request.into_inner();
        let found = match request.by {
            Some(By::Key(key)) => {
                let identifier = identifier(key.identifier_type, &key.identifier)?;
                find(&cfg, key.subnet_id, &identifier)?.map(|found| host(found, key.subnet_id))
            }
            Some(By::Resource(text)) => {
                let resource = resource::<F>(&text)?;
                let mut tables = tables(&cfg, Some(request.subnet_id).filter(|id| *id != 0));
                tables.find_map(|(id, table)| Some(host(table.by_resource(&resource)?, id)))
            }
            None => return Err(Status::invalid_argument("by: missing")),
        };
        let found = found.ok_or_else(|| Status::not_found("there is no such reservation"))?;
        Ok(Response::new(GetHostReply {
            host: Some(found),
            configuration_revision: cfg.revision,
        }))
    }

    async fn list(&self, request: Request<ListHostsRequest>) -> Replied<ListHostsReply> {
        let _call = self.0.access.call(&request, Grant::HostsRead)?;
        let (cfg, request) = (self.0.cfg(), request.into_inner());
        let from = place(&request.cursor, cfg.revision)?;
        let name = request.hostname.to_lowercase();
        let wanted = |(_, host): &(u32, &Host<F>)| {
            let hostname = host.hostname.as_deref().unwrap_or_default();
            name.is_empty() || hostname.to_lowercase() == name
        };
        let all = tables(&cfg, request.subnet_id)
            .flat_map(|(id, table)| table.iter().map(move |host| (id, host)));
        let mut found = all.enumerate().skip(from).filter(|(_, host)| wanted(host));
        let page = found.by_ref().take(page_size(request.page_size));
        let hosts = page.map(|(_, (id, found))| host(found, id)).collect();
        let next = found.next().map(|(index, _)| cursor(index, cfg.revision));
        Ok(Response::new(ListHostsReply {
            hosts,
            next_cursor: next.unwrap_or_default().into(),
            configuration_revision: cfg.revision,
        }))
    }

    async fn add(&self, request: Request<AddHostRequest>) -> Replied<HostChanged> {
        let call = self.0.access.call(&request, Grant::HostsWrite)?;
        let request = request.into_inner();
        let (place, host) = described::<F>(request.host)?;
        let edit = |cfg: &Server<F>, document: &mut Value| {
            if find(cfg, place.subnet_id, &place.identifier)?.is_some() {
                let text = format!(
                    "there is a reservation for this identifier in {}",
                    place.scope()
                );
                return Err(Status::already_exists(text));
            }
            document::add::<F>(cfg, document, &place, &host)
        };
        let what = (&place, Modification::Create, &*call.service);
        self.0.change(edit, request.expected_revision, what).await
    }

    async fn update(&self, request: Request<UpdateHostRequest>) -> Replied<HostChanged> {
        let call = self.0.access.call(&request, Grant::HostsWrite)?;
        let request = request.into_inner();
        let (place, host) = described::<F>(request.host)?;
        let edit = |cfg: &Server<F>, document: &mut Value| {
            document::update::<F>(cfg, document, &place, &host)
        };
        let what = (&place, Modification::Update, &*call.service);
        self.0.change(edit, request.expected_revision, what).await
    }

    async fn delete(&self, request: Request<DeleteHostRequest>) -> Replied<HostChanged> {
        let call = self.0.access.call(&request, Grant::HostsWrite)?;
        let request = request.into_inner();
        let HostKey {
            identifier_type,
            identifier: bytes,
            subnet_id,
        } = request
            .key
            .ok_or_else(|| Status::invalid_argument("key: missing"))?;
        let identifier = identifier(identifier_type, &bytes)?;
        let place = Place {
            identifier,
            subnet_id,
        };
        let edit =
            |cfg: &Server<F>, document: &mut Value| document::delete::<F>(cfg, document, &place);
        let what = (&place, Modification::Delete, &*call.service);
        self.0.change(edit, request.expected_revision, what).await
    }
}

impl<F: ApiFamily> Shared<F> {
    /// Edits the running configuration and has it taken. Waits for the main loop, never for another call.
    async fn change(
        &self,
        edit: impl Fn(&Server<F>, &mut Value) -> Result<(), Status> + Send,
        expected_revision: u64,
        (place, modification, service): (&Place, Modification, &str),
    ) -> Replied<HostChanged> {
        let Ok(_alone) = self.one_change.try_lock() else {
            return Err(Status::aborted(BEING_CHANGED));
        };
        // The main loop may wait for the very service that calls.
        if self.changing.load(Ordering::Acquire) {
            return Err(Status::aborted(BEING_CHANGED));
        }
        let cfg = self.cfg();
        if expected_revision != 0 && expected_revision != cfg.revision {
            let text = format!("the configuration is of revision {} by now", cfg.revision);
            return Err(Status::aborted(text));
        }
        let mut document = cfg.json.clone();
        edit(&cfg, &mut document)?;
        let entry = v1::AuditEntry {
            object_type: "host".to_owned(),
            modification: modification.into(),
            log_message: format!("{place} by hook service {service}"),
            ..v1::AuditEntry::default()
        };
        let change = Change {
            family: F::FAMILY,
            document: document.to_string(),
            entries: vec![entry],
            based_on: Some(cfg.revision),
        };
        let (done, outcome) = oneshot::channel();
        let order = Order {
            wish: Wish::Change(change),
            done,
        };
        let work = async {
            const STOPPING: &str = "the server is stopping";
            let ordered = self.orders.send(order).await;
            ordered.map_err(|_| Status::unavailable(STOPPING))?;
            outcome.await.map_err(|_| Status::unavailable(STOPPING))
        };
        let outcome = timeout(PATIENCE, work).await;
        let outcome =
            outcome.map_err(|_| Status::deadline_exceeded("the change may still be made"))??;
        match outcome {
            Ok(done) => {
                tracing::info!(family = F::NAME, service, host = %place, "API_HOSTS_CHANGED");
                let configuration_revision = done.revision;
                Ok(Response::new(HostChanged {
                    configuration_revision,
                }))
            }
            Err(_) if self.cfg().revision != cfg.revision => Err(Status::aborted(BEING_CHANGED)),
            Err(problems) => Err(Status::failed_precondition(problems)),
        }
    }
}

/// Reservations of one scope, or all in the order of a list, each with the id of its subnet.
fn tables<F: ApiFamily>(
    cfg: &Server<F>,
    subnet_id: Option<u32>,
) -> impl Iterator<Item = (u32, &HostTable<F>)> {
    let of_subnets = cfg
        .subnets
        .iter()
        .map(|subnet| (subnet.id.0, &subnet.reservations));
    let all = std::iter::once((0, &cfg.reservations)).chain(of_subnets);
    all.filter(move |(id, _)| subnet_id.is_none_or(|wanted| wanted == *id))
}

fn find<'a, F: ApiFamily>(
    cfg: &'a Server<F>,
    subnet_id: u32,
    identifier: &HostIdentifier,
) -> Result<Option<&'a Host<F>>, Status> {
    let table = tables(cfg, Some(subnet_id)).next();
    let no_subnet = || Status::not_found(format!("there is no subnet {subnet_id}"));
    let (_, table) = table.ok_or_else(no_subnet)?;
    Ok(table.by_identifier(identifier.kind, &identifier.bytes))
}

/// Where a reservation stands, and what it is.
fn described<F: ApiFamily>(host: Option<v1::Host>) -> Result<(Place, v1::Host), Status> {
    let host = host.ok_or_else(|| Status::invalid_argument("host: missing"))?;
    for text in &host.resources {
        resource::<F>(text)?;
    }
    let place = Place {
        identifier: identifier(host.identifier_type, &host.identifier)?,
        subnet_id: host.subnet_id,
    };
    Ok((place, host))
}

fn identifier(number: i32, bytes: &[u8]) -> Result<HostIdentifier, Status> {
    let kind = identifier_kind(number);
    let kind =
        kind.ok_or_else(|| Status::invalid_argument("identifier_type: missing or unknown"))?;
    if bytes.is_empty() {
        return Err(Status::invalid_argument("identifier: missing"));
    }
    Ok(HostIdentifier {
        kind,
        bytes: bytes.into(),
    })
}

/// `192.0.2.7`, `2001:db8::7`, `2001:db8:1::/64`.
fn resource<F: ApiFamily>(text: &str) -> Result<F::Resource, Status> {
    let parsed = match text.split_once('/') {
        Some((address, length)) => {
            octets(address).zip(length.parse().ok().filter(|length| *length > 0))
        }
        None => octets(text).map(|octets| (octets, 0)),
    };
    let (octets, length) = parsed
        .ok_or_else(|| Status::invalid_argument(format!("{text:?} is no address and no prefix")))?;
    F::resource(&octets, length).map_err(|why| Status::invalid_argument(format!("{text}: {why}")))
}

fn octets(address: &str) -> Option<Vec<u8>> {
    let of_v4 = address
        .parse::<Ipv4Addr>()
        .map(|address| address.octets().to_vec());
    let of_v6 = || {
        address
            .parse::<Ipv6Addr>()
            .map(|address| address.octets().to_vec())
    };
    of_v4.or_else(|_| of_v6()).ok()
}

/// revision: u64 | index: u64, big-endian
fn cursor(index: usize, revision: u64) -> Vec<u8> {
    let index = u64::try_from(index).unwrap_or(u64::MAX);
    [revision.to_be_bytes(), index.to_be_bytes()].concat()
}

fn place(cursor: &[u8], revision: u64) -> Result<usize, Status> {
    if cursor.is_empty() {
        return Ok(0);
    }
    let other = || Status::out_of_range("cursor: not of this configuration: start again");
    let index = cursor
        .strip_prefix(&revision.to_be_bytes())
        .ok_or_else(other)?;
    let index = <[u8; 8]>::try_from(index).map_err(|_| other())?;
    usize::try_from(u64::from_be_bytes(index)).map_err(|_| other())
}
