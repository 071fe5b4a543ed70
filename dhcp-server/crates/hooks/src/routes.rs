//! Who is called at which hook point.

use crate::policy::{Cause, on_failure};
use crate::reads::Reads;
use crate::service::{Service, Subscribed};
use outrigger_config::model::HookService;
use outrigger_proto::{Family, HookPoint, OnFailure};
use std::sync::Arc;
use std::time::Duration;

/// For each hook point the services to call, in configured order: those that subscribed to it, and those whose
/// configuration names it.
#[derive(Debug)]
pub(crate) struct Routes {
    /// By number of the hook point.
    points: Vec<Vec<Target>>,
}

/// One service at one hook point.
#[derive(Debug)]
pub(crate) struct Target {
    /// Index into the configured services.
    pub(crate) service: usize,
    /// Time for one call.
    pub(crate) deadline: Duration,
    /// What a failed call does.
    pub(crate) on_failure: OnFailure,
    offer: Offer,
}

#[derive(Debug)]
enum Offer {
    /// `Load` was never accepted, but the configuration names the hook point.
    NotLoaded,
    /// The configuration names it, the service does not want it.
    NotSubscribed,
    /// This one of its subscriptions.
    Subscribed(Arc<Vec<Subscribed>>, usize),
}

impl Target {
    /// What the service reads and may change.
    pub(crate) fn subscription(&self) -> Result<(&Reads, &[String]), Cause> {
        match &self.offer {
            Offer::NotLoaded => Err(Cause::NotLoaded),
            Offer::NotSubscribed => Err(Cause::NotSubscribed),
            Offer::Subscribed(all, index) => Ok((&all[*index].reads, &all[*index].writes)),
        }
    }
}

impl Routes {
    pub(crate) fn new(family: Family, services: &[Service]) -> Self {
        let mut points: Vec<Vec<Target>> = (0..HookPoint::COUNT).map(|_| Vec::new()).collect();
        for point in HookPoint::ALL.iter().copied() {
            if point.is_of(family) {
                let targets = services.iter().enumerate();
                points[usize::from(point.number())] = targets
                    .filter_map(|(index, service)| target(point, index, service))
                    .collect();
            }
        }
        Self { points }
    }

    /// The services to call at `point`.
    pub(crate) fn at(&self, point: HookPoint) -> &[Target] {
        &self.points[usize::from(point.number())]
    }
}

fn target(point: HookPoint, index: usize, service: &Service) -> Option<Target> {
    let settings = &service.settings;
    let named = settings
        .hook_points
        .iter()
        .find(|named| named.name == point.name());
    let offer = match service.subscriptions() {
        None => Offer::NotLoaded,
        Some(all) => match all.iter().position(|known| known.point == point) {
            Some(found) => Offer::Subscribed(all, found),
            None => Offer::NotSubscribed,
        },
    };
    let called = named.is_some() || matches!(offer, Offer::Subscribed(..));
    called.then(|| Target {
        service: index,
        deadline: deadline(settings, point),
        on_failure: on_failure(settings, point),
        offer,
    })
}

fn deadline(settings: &HookService, point: HookPoint) -> Duration {
    settings
        .hook_points
        .iter()
        .find(|named| named.name == point.name())
        .and_then(|named| named.deadline)
        .unwrap_or(settings.deadline)
}
