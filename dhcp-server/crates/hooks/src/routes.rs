//! Who is called at which hook point.

use crate::policy::{Cause, on_failure};
use crate::reads::Reads;
use crate::service::{Offered, Service};
use outrigger_proto::{Family, HookPoint, OnFailure};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// For each hook point the services to call, in configured order: those that subscribed to it, and those whose
/// configuration names it.
#[derive(Debug)]
pub(crate) struct Routes {
    /// By number of the hook point; without `$command`, which is called by name.
    points: Vec<Vec<Target>>,
    /// By name of the control command.
    commands: BTreeMap<Box<str>, Vec<Target>>,
}

/// One service at one hook point.
#[derive(Debug)]
pub(crate) struct Target {
    /// Index into the configured services.
    pub(crate) service: usize,
    /// Time for one call, of the service.
    pub(crate) deadline: Duration,
    /// The same, where the configuration has one for this hook point.
    pub(crate) own_deadline: Option<Duration>,
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
    Subscribed(Arc<Offered>, usize),
}

impl Target {
    /// What the service reads and may change.
    pub(crate) fn subscription(&self) -> Result<(&Reads, &[String]), Cause> {
        match &self.offer {
            Offer::NotLoaded => Err(Cause::NotLoaded),
            Offer::NotSubscribed => Err(Cause::NotSubscribed),
            Offer::Subscribed(all, index) => {
                let subscribed = &all.subscriptions[*index];
                Ok((&subscribed.reads, &subscribed.writes))
            }
        }
    }
}

impl Routes {
    pub(crate) fn new(family: Family, services: &[Service]) -> Self {
        let mut points: Vec<Vec<Target>> = (0..HookPoint::COUNT).map(|_| Vec::new()).collect();
        for point in HookPoint::ALL.iter().copied() {
            if point.is_of(family) && point != HookPoint::Command {
                let targets = services.iter().enumerate();
                points[usize::from(point.number())] = targets
                    .filter_map(|(index, service)| target(point, index, service))
                    .collect();
            }
        }
        Self {
            points,
            commands: commands(services),
        }
    }

    /// The services to call at `point`.
    pub(crate) fn at(&self, point: HookPoint) -> &[Target] {
        &self.points[usize::from(point.number())]
    }

    /// The services that offer a control command; `None` where none does.
    pub(crate) fn of_command(&self, name: &str) -> Option<&[Target]> {
        self.commands.get(name).map(Vec::as_slice)
    }

    /// Every control command that a service offers, ascending.
    pub(crate) fn commands(&self) -> impl Iterator<Item = &str> {
        self.commands.keys().map(|name| &**name)
    }
}

fn commands(services: &[Service]) -> BTreeMap<Box<str>, Vec<Target>> {
    let mut commands: BTreeMap<Box<str>, Vec<Target>> = BTreeMap::new();
    for (index, service) in services.iter().enumerate() {
        let Some(offered) = service.offered().filter(|_| service.is_enabled()) else {
            continue;
        };
        for name in &offered.commands {
            if let Some(target) = target(HookPoint::Command, index, service) {
                commands.entry(name.clone()).or_default().push(target);
            }
        }
    }
    commands
}

fn target(point: HookPoint, index: usize, service: &Service) -> Option<Target> {
    if !service.is_enabled() {
        return None;
    }
    let settings = &service.settings;
    let named = settings
        .hook_points
        .iter()
        .find(|named| named.name == point.name());
    let offer = match service.offered() {
        None => Offer::NotLoaded,
        Some(all) => {
            let mut subscribed = all.subscriptions.iter();
            match subscribed.position(|known| known.point == point) {
                Some(found) => Offer::Subscribed(all, found),
                None => Offer::NotSubscribed,
            }
        }
    };
    let called = named.is_some() || matches!(offer, Offer::Subscribed(..));
    called.then(|| Target {
        service: index,
        deadline: settings.deadline,
        own_deadline: named.and_then(|named| named.deadline),
        on_failure: on_failure(settings, point),
        offer,
    })
}
