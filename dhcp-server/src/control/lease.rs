//! Commands about leases, in both families.

use super::Control;
use super::answer::Answer;
use super::family::{Commanded, Selector};
use super::request::Request;
use outrigger_alloc::{ChangeSet, CommitError};
use outrigger_store::Lease;
use serde_json::{Value, json};

/// How often a lease is looked up again that packets change meanwhile.
const MAX_TRIES: usize = 8;

/// Leases that are copied under one hold of the lock.
const STEP: usize = 256;

pub(super) fn get<F: Commanded>(
    control: &Control<F>,
    request: &Request<'_>,
) -> Result<Answer, String> {
    let selector = F::selector(&request.arguments()?)?;
    Ok(match control.find(&selector) {
        Some(lease) => Answer::told(format!("{} lease found.", F::IP), F::lease_map(&lease)),
        None => Answer::empty("Lease not found."),
    })
}

pub(super) async fn del<F: Commanded>(
    control: &Control<F>,
    request: &Request<'_>,
) -> Result<Answer, String> {
    let selector = F::selector(&request.arguments()?)?;
    for _ in 0..MAX_TRIES {
        let Some(lease) = control.find(&selector) else {
            return Ok(Answer::empty(format!("{} lease not found.", F::IP)));
        };
        let mut changes = ChangeSet::default();
        changes.remove(&lease);
        let ticket = match control.common.alloc.commit(changes) {
            Ok(ticket) => ticket,
            Err(CommitError::Lost) => continue,
            Err(CommitError::Store(error)) => {
                return Err(format!("{} was not deleted: {error}", lease.resource));
            }
        };
        if let Some(ticket) = ticket {
            let durable = control.common.alloc.store().durable(ticket).await;
            durable.map_err(|error| {
                format!("{} is deleted, but not on disk: {error}", lease.resource)
            })?;
        }
        tracing::info!(family = F::NAME, lease = %lease.resource, "LEASE_DELETED");
        return Ok(Answer::done(format!("{} lease deleted.", F::IP)));
    }
    Err("packets of its client change the lease all the time: try again".to_owned())
}

pub(super) fn get_all<F: Commanded>(
    control: &Control<F>,
    request: &Request<'_>,
) -> Result<Answer, String> {
    let subnets = request.arguments()?.numbers("subnets")?;
    let wanted = |lease: &Lease<F>| {
        subnets
            .as_ref()
            .is_none_or(|subnets| subnets.contains(&lease.subnet_id))
    };
    let resources = control.resources(wanted);
    let leases = control.lease_maps(&resources);
    let text = format!("{} {} lease(s) found.", leases.len(), F::IP);
    let found = !leases.is_empty();
    let arguments = json!({ "leases": leases });
    Ok(if found {
        Answer::told(text, arguments)
    } else {
        Answer::none_of(text, arguments)
    })
}

pub(super) fn get_page<F: Commanded>(
    control: &Control<F>,
    request: &Request<'_>,
) -> Result<Answer, String> {
    let arguments = request.arguments()?;
    let limit: usize = arguments.required_number("limit")?;
    if limit == 0 {
        return Err("'limit' must be at least 1".to_owned());
    }
    let resources = if arguments.required_text("from")? == "start" {
        control.resources(|_| true)
    } else {
        let from = F::page_start(&arguments)?;
        control.resources(|lease| F::number(&lease.resource) > from)
    };
    let page = resources.get(..limit).unwrap_or(&resources);
    let leases = control.lease_maps(page);
    let text = format!("{} {} lease(s) found.", leases.len(), F::IP);
    let count = leases.len();
    let found = json!({ "leases": leases, "count": count });
    Ok(if count > 0 {
        Answer::told(text, found)
    } else {
        Answer::none_of(text, found)
    })
}

impl<F: Commanded> Control<F> {
    fn find(&self, selector: &Selector<F>) -> Option<Lease<F>> {
        let leases = self.common.alloc.store().lock();
        let found = match selector {
            Selector::Resource(resources) => {
                resources.iter().find_map(|resource| leases.get(resource))
            }
            Selector::Owner {
                key,
                subnet_id,
                kind,
            } => leases.by_owner(key).find(|lease| {
                lease.subnet_id == *subnet_id && F::kind_of(&lease.resource) == *kind
            }),
        };
        found.cloned()
    }

    /// What is leased, in order of the addresses.
    fn resources(&self, wanted: impl Fn(&Lease<F>) -> bool) -> Vec<F::Resource> {
        let mut resources: Vec<F::Resource> = {
            let leases = self.common.alloc.store().lock();
            let wanted = leases.iter().filter(|lease| wanted(lease));
            wanted.map(|lease| lease.resource).collect()
        };
        resources.sort_unstable_by_key(|resource| (F::number(resource), F::unit_len(resource)));
        resources
    }

    /// Those of the leases that are still there.
    fn lease_maps(&self, resources: &[F::Resource]) -> Vec<Value> {
        let mut maps = Vec::with_capacity(resources.len());
        for step in resources.chunks(STEP) {
            let leases: Vec<Lease<F>> = {
                let leases = self.common.alloc.store().lock();
                step.iter()
                    .filter_map(|resource| leases.get(resource).cloned())
                    .collect()
            };
            maps.extend(leases.iter().map(F::lease_map));
        }
        maps
    }
}
