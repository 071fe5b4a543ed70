//! Leases: found, added, changed and removed.

use super::family::{resource, resource_of, state};
use super::{ApiFamily, Shared, Wanted, page_size};
use outrigger_alloc::{ChangeSet, CommitError, Ranged};
use outrigger_config::model::{Grant, Pool, Server, Subnet};
use outrigger_proto::server_v1::leases_server::Leases;
use outrigger_proto::server_v1::{
    AddLeaseRequest, DeleteLeaseReply, DeleteLeaseRequest, GetLeaseRequest, ListLeasesReply,
    ListLeasesRequest, UpdateLeaseRequest, VersionedLease,
};
use outrigger_proto::v1;
use outrigger_store::{Lease, LeaseState};
use std::hash::BuildHasher;
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// How often a lease is looked up again that packets change meanwhile.
const MAX_TRIES: usize = 8;

/// Places of the index that are looked at under one hold of its lock.
const STEP: u32 = 256;

/// Places of the index that are looked at for one page.
const MAX_PLACES: u32 = 1 << 16;

/// A page that has so many bytes is full.
const MAX_BYTES: usize = 1 << 20;

/// What a lease takes in a message beside its texts, at most.
const LEASE_BYTES: usize = 512;

/// Longest hostname, as in RFC 1035 §2.3.4.
const MAX_HOSTNAME: usize = 255;

/// Longest user context of a lease.
const MAX_CONTEXT: usize = 1 << 16;

pub(super) struct LeasesApi<F: ApiFamily>(pub(super) Arc<Shared<F>>);

type Replied<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl<F: ApiFamily> Leases for LeasesApi<F> {
    async fn get(&self, request: Request<GetLeaseRequest>) -> Replied<VersionedLease> {
        let _call = self.0.access.call(&request, Grant::LeasesRead)?;
        let resource =
            resource::<F>(request.get_ref().key.as_ref()).map_err(Status::invalid_argument)?;
        let lease = self.0.lease(&resource)?;
        Ok(Response::new(self.0.versioned(&lease)))
    }

    async fn list(&self, request: Request<ListLeasesRequest>) -> Replied<ListLeasesReply> {
        let _call = self.0.access.call(&request, Grant::LeasesRead)?;
        let request = request.get_ref();
        let wanted = Wanted::of(request).map_err(Status::invalid_argument)?;
        let size = page_size(request.page_size);
        if request.cursor.is_empty()
            && let Some(leases) = self.0.of_holder(&wanted, size)
        {
            return Ok(Response::new(self.0.page(&leases, None)));
        }
        let from = self.0.place(&request.cursor)?;
        let (leases, next) = self.0.walk(&wanted, size, from);
        Ok(Response::new(self.0.page(&leases, next)))
    }

    async fn add(&self, request: Request<AddLeaseRequest>) -> Replied<VersionedLease> {
        let call = self.0.access.call(&request, Grant::LeasesWrite)?;
        let message = request.into_inner().lease;
        let message = message.ok_or_else(|| Status::invalid_argument("lease: missing"))?;
        let (cfg, now) = (self.0.cfg(), self.0.common.clock.now());
        let lease = new_lease(&cfg, message, now).map_err(Status::invalid_argument)?;
        for _ in 0..MAX_TRIES {
            let old = self
                .0
                .common
                .alloc
                .store()
                .lock()
                .get(&lease.resource)
                .cloned();
            if old.as_ref().is_some_and(is_held) {
                let text = format!("{} is leased already", lease.resource);
                return Err(Status::already_exists(text));
            }
            let mut changes = ChangeSet::default();
            changes.write(old.as_ref(), lease.clone());
            if self.0.commit(changes).await? == Committed::Done {
                tracing::info!(family = F::NAME, service = %call.service, lease = %lease.resource, "API_LEASE_ADDED");
                return Ok(Response::new(self.0.versioned(&lease)));
            }
        }
        Err(changed_all_the_time())
    }

    async fn update(&self, request: Request<UpdateLeaseRequest>) -> Replied<VersionedLease> {
        let call = self.0.access.call(&request, Grant::LeasesWrite)?;
        let request = request.into_inner();
        let resource = resource::<F>(request.key.as_ref()).map_err(Status::invalid_argument)?;
        let cfg = self.0.cfg();
        for _ in 0..MAX_TRIES {
            let old = self.0.expected(&resource, request.expected_version)?;
            if !is_held(&old) {
                let text = format!("{resource} is only remembered for its last holder");
                return Err(Status::failed_precondition(text));
            }
            let new = changed(&cfg, &old, &request).map_err(Status::invalid_argument)?;
            let mut changes = ChangeSet::default();
            changes.replace(&old, new.clone());
            if self.0.commit(changes).await? == Committed::Done {
                tracing::info!(family = F::NAME, service = %call.service, lease = %resource, "API_LEASE_UPDATED");
                return Ok(Response::new(self.0.versioned(&new)));
            }
        }
        Err(changed_all_the_time())
    }

    async fn delete(&self, request: Request<DeleteLeaseRequest>) -> Replied<DeleteLeaseReply> {
        let call = self.0.access.call(&request, Grant::LeasesWrite)?;
        let request = request.into_inner();
        let resource = resource::<F>(request.key.as_ref()).map_err(Status::invalid_argument)?;
        for _ in 0..MAX_TRIES {
            let old = self.0.expected(&resource, request.expected_version)?;
            let mut changes = ChangeSet::default();
            changes.remove(&old);
            if self.0.commit(changes).await? == Committed::Done {
                tracing::info!(family = F::NAME, service = %call.service, lease = %resource, "API_LEASE_DELETED");
                let lease = Some(F::message(&old));
                return Ok(Response::new(DeleteLeaseReply { lease }));
            }
        }
        Err(changed_all_the_time())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Committed {
    Done,
    /// Somebody changed the lease since it was looked at.
    Lost,
}

impl<F: ApiFamily> Shared<F> {
    fn lease(&self, resource: &F::Resource) -> Result<Lease<F>, Status> {
        let lease = self.common.alloc.store().lock().get(resource).cloned();
        lease.ok_or_else(|| Status::not_found(format!("there is no lease of {resource}")))
    }

    /// The lease in this version; 0: in any.
    fn expected(&self, resource: &F::Resource, version: u64) -> Result<Lease<F>, Status> {
        let lease = self.lease(resource)?;
        if version != 0 && self.version(&lease) != version {
            let text = format!("the lease of {resource} was changed: get it again");
            return Err(Status::aborted(text));
        }
        Ok(lease)
    }

    /// Returns once the changes are on stable storage.
    async fn commit(&self, changes: ChangeSet<F>) -> Result<Committed, Status> {
        let ticket = match self.common.alloc.commit(changes) {
            Ok(ticket) => ticket,
            Err(CommitError::Lost) => return Ok(Committed::Lost),
            Err(CommitError::Store(error)) => {
                return Err(Status::unavailable(format!("nothing was changed: {error}")));
            }
        };
        if let Some(ticket) = ticket {
            let durable = self.common.alloc.store().durable(ticket).await;
            durable.map_err(|error| {
                Status::unavailable(format!("changed, but not on disk: {error}"))
            })?;
        }
        Ok(Committed::Done)
    }

    fn versioned(&self, lease: &Lease<F>) -> VersionedLease {
        VersionedLease {
            lease: Some(F::message(lease)),
            version: self.version(lease),
        }
    }

    fn version(&self, lease: &Lease<F>) -> u64 {
        let Lease {
            resource,
            owner,
            subnet_id,
            pool_id,
            state,
            cltt,
            valid_lifetime,
            preferred_lifetime,
            hostname,
            fqdn_fwd,
            fqdn_rev,
            hw_address,
            user_context,
        } = lease;
        let numbers = (
            subnet_id,
            pool_id,
            state,
            cltt,
            valid_lifetime,
            preferred_lifetime,
        );
        let names = (hostname, fqdn_fwd, fqdn_rev);
        let all = (resource, owner, numbers, names, hw_address, user_context);
        self.seed.hash_one(all).max(1)
    }

    /// The leases of a holder whose name is wanted; `None` where no name is, or there are more than `size`.
    fn of_holder(&self, wanted: &Wanted, size: usize) -> Option<Vec<Lease<F>>> {
        let key = F::key(wanted)?;
        let leases = self.common.alloc.store().lock();
        let of_holder: Vec<&Lease<F>> = leases.by_owner(&key).take(size + 1).collect();
        if of_holder.len() > size {
            return None;
        }
        let found = of_holder.into_iter().filter(|lease| wanted.has(lease));
        Some(found.cloned().collect())
    }

    /// Leases from a place of the index on, and where to go on.
    fn walk(&self, wanted: &Wanted, size: usize, from: u32) -> (Vec<Lease<F>>, Option<u32>) {
        let (mut found, mut bytes) = (Vec::new(), 0);
        let (mut place, end) = (from, from.saturating_add(MAX_PLACES));
        while place < end && found.len() < size && bytes < MAX_BYTES {
            // No step finds more than the page has room for: a place is looked at once.
            let room = u32::try_from(size - found.len()).unwrap_or(STEP);
            let next = self
                .common
                .alloc
                .store()
                .lock()
                .visit(place, STEP.min(room), |lease| {
                    if wanted.has(lease) {
                        bytes += LEASE_BYTES + lease.hostname.len() + lease.user_context.len();
                        found.push(lease.clone());
                    }
                });
            match next {
                Some(next) => place = next,
                None => return (found, None),
            }
        }
        (found, Some(place))
    }

    fn page(&self, leases: &[Lease<F>], next: Option<u32>) -> ListLeasesReply {
        let cursor = |place: u32| {
            let mut bytes = self.instance.to_be_bytes().to_vec();
            bytes.extend(place.to_be_bytes());
            bytes.into()
        };
        ListLeasesReply {
            leases: leases.iter().map(|lease| self.versioned(lease)).collect(),
            next_cursor: next.map(cursor).unwrap_or_default(),
        }
    }

    /// Where a cursor points to.
    fn place(&self, cursor: &[u8]) -> Result<u32, Status> {
        const FOREIGN: &str = "cursor: not of this start of the server";
        if cursor.is_empty() {
            return Ok(0);
        }
        let foreign = || Status::out_of_range(FOREIGN);
        let place = cursor
            .strip_prefix(&self.instance.to_be_bytes())
            .ok_or_else(foreign)?;
        let place = <[u8; 4]>::try_from(place).map_err(|_| foreign())?;
        Ok(u32::from_be_bytes(place))
    }
}

fn changed_all_the_time() -> Status {
    Status::aborted("packets of its client change the lease all the time: try again")
}

/// Whether somebody has it, or nobody can.
fn is_held<F: Ranged>(lease: &Lease<F>) -> bool {
    match lease.state {
        LeaseState::Default | LeaseState::Declined | LeaseState::Registered => true,
        LeaseState::ExpiredReclaimed | LeaseState::Released => false,
    }
}

/// The lease that a message describes, which no packet has to do with yet.
fn new_lease<F: ApiFamily>(
    cfg: &Server<F>,
    message: v1::Lease,
    now: u64,
) -> Result<Lease<F>, String> {
    let resource = resource_of::<F>(&message)?;
    let (owner, hw_address) = F::owner(&message)?;
    let subnet = subnet_of(cfg, message.subnet_id, &resource)?;
    let pool = pool_of(subnet, &resource);
    if F::is_prefix(&resource) && pool.is_none() && !is_reserved(cfg, subnet, &resource) {
        return Err(format!(
            "address: {resource} is of no prefix pool of subnet {}, nor reserved there",
            subnet.id
        ));
    }
    let valid_lifetime = match message.valid_lifetime {
        0 => subnet.timers.valid_lifetime.default,
        given => given,
    };
    let preferred_lifetime = F::preferred(subnet, message.preferred_lifetime, valid_lifetime)?;
    let cltt = match message.client_last_transmission {
        0 => now,
        given => given,
    };
    let lease = Lease {
        resource,
        owner,
        subnet_id: subnet.id.0,
        pool_id: pool.map_or(0, |pool| pool.id),
        state: given_state(message.state)?,
        cltt,
        valid_lifetime,
        preferred_lifetime,
        hostname: hostname(&message.hostname)?,
        fqdn_fwd: message.fqdn_fwd,
        fqdn_rev: message.fqdn_rev,
        hw_address,
        user_context: context(message.user_context)?,
    };
    if lease.is_expired(now) {
        return Err(
            "client_last_transmission, valid_lifetime: the lease has ended already".to_owned(),
        );
    }
    named(lease)
}

/// A lease with the changes of a request.
fn changed<F: ApiFamily>(
    cfg: &Server<F>,
    old: &Lease<F>,
    request: &UpdateLeaseRequest,
) -> Result<Lease<F>, String> {
    let none = v1::LeaseChanges::default();
    let changes = request.changes.as_ref().unwrap_or(&none);
    if changes.address.is_some() {
        return Err("changes.address: delete the lease and add another".to_owned());
    }
    let mut new = old.clone();
    if let Some(number) = request.state {
        let registered = old.state == LeaseState::Registered;
        if registered {
            return Err("state: the client made this address itself (RFC 9686)".to_owned());
        }
        new.state = given_state(number)?;
    }
    if let Some(cltt) = request.client_last_transmission {
        new.cltt = cltt;
    }
    if let Some(valid) = changes.valid_lifetime {
        new.valid_lifetime = valid;
        new.preferred_lifetime = new.preferred_lifetime.min(valid);
    }
    if let Some(preferred) = changes.preferred_lifetime {
        let subnet = subnet_of(cfg, old.subnet_id, &old.resource)?;
        new.preferred_lifetime = match preferred {
            0 => 0,
            wish => F::preferred(subnet, wish, new.valid_lifetime)?,
        };
    }
    if let Some(name) = &changes.hostname {
        new.hostname = hostname(name)?;
    }
    new.fqdn_fwd = changes.fqdn_fwd.unwrap_or(old.fqdn_fwd);
    new.fqdn_rev = changes.fqdn_rev.unwrap_or(old.fqdn_rev);
    if let Some(text) = &changes.user_context {
        new.user_context = context(text.clone())?;
    }
    named(new)
}

/// Kea: DNS records have a name.
fn named<F: ApiFamily>(lease: Lease<F>) -> Result<Lease<F>, String> {
    if lease.hostname.is_empty() && (lease.fqdn_fwd || lease.fqdn_rev) {
        return Err("hostname: needed with fqdn_fwd and fqdn_rev".to_owned());
    }
    Ok(lease)
}

/// The subnet of this id, or, for 0, the one that the resource lies in. Kea: a delegated prefix may lie outside, so its
/// subnet has to be named.
fn subnet_of<'a, F: ApiFamily>(
    cfg: &'a Server<F>,
    id: u32,
    resource: &F::Resource,
) -> Result<&'a Subnet<F>, String> {
    let inside = |subnet: &&Subnet<F>| F::is_inside(&subnet.prefix, resource);
    if id == 0 {
        if F::is_prefix(resource) {
            return Err("subnet_id: needed for a prefix".to_owned());
        }
        let subnet = cfg.subnets.iter().find(inside);
        return subnet.ok_or_else(|| format!("address: {resource} lies in no subnet"));
    }
    let subnet = cfg.subnets.iter().find(|subnet| subnet.id.0 == id);
    let subnet = subnet.ok_or_else(|| format!("subnet_id: there is no subnet {id}"))?;
    if !F::is_prefix(resource) && !inside(&subnet) {
        return Err(format!(
            "address: {resource} lies outside subnet {}",
            subnet.prefix
        ));
    }
    Ok(subnet)
}

fn is_reserved<F: ApiFamily>(cfg: &Server<F>, subnet: &Subnet<F>, resource: &F::Resource) -> bool {
    subnet.reservations.by_resource(resource).is_some()
        || subnet.reservations_global && cfg.reservations.by_resource(resource).is_some()
}

fn pool_of<'a, F: Ranged>(subnet: &'a Subnet<F>, resource: &F::Resource) -> Option<&'a Pool<F>> {
    subnet.pools.iter().find(|pool| {
        let range = F::range(pool);
        F::kind_of_pool(pool) == F::kind_of(resource)
            && range.unit_len == F::unit_len(resource)
            && range.index_of(F::number(resource)).is_some()
    })
}

fn given_state(number: i32) -> Result<LeaseState, String> {
    match state(number) {
        Some(given @ (LeaseState::Default | LeaseState::Declined)) => Ok(given),
        Some(LeaseState::ExpiredReclaimed | LeaseState::Released | LeaseState::Registered)
        | None => Err("state: LEASE_STATE_DEFAULT or LEASE_STATE_DECLINED".to_owned()),
    }
}

fn hostname(name: &str) -> Result<Box<str>, String> {
    if name.len() > MAX_HOSTNAME || name.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(format!(
            "hostname: at most {MAX_HOSTNAME} bytes without blanks"
        ));
    }
    Ok(name.to_lowercase().into())
}

fn context(text: String) -> Result<Box<str>, String> {
    let is_map =
        || serde_json::from_str(&text).is_ok_and(|value: serde_json::Value| value.is_object());
    if text.len() > MAX_CONTEXT || !(text.is_empty() || is_map()) {
        return Err(format!(
            "user_context: a JSON map of at most {MAX_CONTEXT} bytes, or empty"
        ));
    }
    Ok(text.into())
}
