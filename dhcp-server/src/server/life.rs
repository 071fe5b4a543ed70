//! The hook points of the server's life: a configuration is about to be used, the running one was changed, a command was
//! handled that came by no socket.

use super::StartError;
use crate::api::ApiFamily;
use crate::control::Commanded;
use crate::instance::Snapshot;
use outrigger_config::model::Server;
use outrigger_hooks::callouts::server::{
    Cb4Updated, Cb6Updated, CommandProcessed, Dhcp4SrvConfigured, Dhcp6SrvConfigured,
};
use outrigger_hooks::{DropReason, HookDrop, PacketHooks, Step};
use outrigger_proto::{HookPoint, v1};
use outrigger_wire::{V4, V6};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Events that may wait to be told. They come one by one from an operator or a program; services that take 10 s for each
/// of so many of them miss the rest.
const MAX_EVENTS: usize = 64;

/// The hook points of the server's life, which each family has under its own names.
pub trait LifeHooks: Commanded + ApiFamily {
    /// `dhcpN_srv_configured`.
    const SRV_CONFIGURED: HookPoint;
    /// `cbN_updated`.
    const UPDATED: HookPoint;

    /// Asks at `dhcpN_srv_configured`. `configuration` is what is in the top-level key, JSON.
    fn srv_configured(
        hooks: &mut PacketHooks<'_>,
        configuration: &str,
        error: &mut String,
    ) -> impl Future<Output = Result<Step, HookDrop>>;

    /// Tells at `cbN_updated`.
    fn updated(
        hooks: &mut PacketHooks<'_>,
        audit_entries: &[v1::AuditEntry],
    ) -> impl Future<Output = Result<Step, HookDrop>>;
}

impl LifeHooks for V4 {
    const SRV_CONFIGURED: HookPoint = HookPoint::Dhcp4SrvConfigured;
    const UPDATED: HookPoint = HookPoint::Cb4Updated;

    async fn srv_configured(
        hooks: &mut PacketHooks<'_>,
        configuration: &str,
        error: &mut String,
    ) -> Result<Step, HookDrop> {
        hooks
            .call(Dhcp4SrvConfigured {
                configuration,
                error,
            })
            .await
    }

    async fn updated(
        hooks: &mut PacketHooks<'_>,
        audit_entries: &[v1::AuditEntry],
    ) -> Result<Step, HookDrop> {
        hooks.call(Cb4Updated { audit_entries }).await
    }
}

impl LifeHooks for V6 {
    const SRV_CONFIGURED: HookPoint = HookPoint::Dhcp6SrvConfigured;
    const UPDATED: HookPoint = HookPoint::Cb6Updated;

    async fn srv_configured(
        hooks: &mut PacketHooks<'_>,
        configuration: &str,
        error: &mut String,
    ) -> Result<Step, HookDrop> {
        hooks
            .call(Dhcp6SrvConfigured {
                configuration,
                error,
            })
            .await
    }

    async fn updated(
        hooks: &mut PacketHooks<'_>,
        audit_entries: &[v1::AuditEntry],
    ) -> Result<Step, HookDrop> {
        hooks.call(Cb6Updated { audit_entries }).await
    }
}

/// Asks the services whether this configuration may be used. Nothing of it is used yet.
///
/// # Errors
/// [`StartError::Refused`].
///
/// # Cancel safety
/// Nothing is lost.
pub(super) async fn configured<F: LifeHooks>(snapshot: &Snapshot<F>) -> Result<(), StartError> {
    if !snapshot.hooks.is_called(F::SRV_CONFIGURED) {
        return Ok(());
    }
    let configuration = snapshot.cfg.json[F::TOP_LEVEL].to_string();
    let mut error = String::new();
    let mut hooks = snapshot.hooks.for_lifecycle();
    let Err(drop) = F::srv_configured(&mut hooks, &configuration, &mut error).await else {
        return Ok(());
    };
    let (service, why) = match &drop.reason {
        DropReason::Decision { service } if error.is_empty() => {
            (service, "unknown error".to_owned())
        }
        DropReason::Decision { service } => (service, error),
        DropReason::Failure { service, cause } => {
            let point = drop.point;
            (service, format!("its call at {point} failed: {cause}"))
        }
        // Packets alone are held.
        DropReason::ParkingFull => return Ok(()),
    };
    Err(StartError::Refused {
        service: Arc::clone(service),
        why,
    })
}

/// What services are told after it has happened.
pub(super) enum Event {
    /// The running configuration was changed; never empty.
    Updated(Vec<v1::AuditEntry>),
    /// A command that came by no socket was handled.
    Command {
        name: &'static str,
        /// JSON; empty where it has none.
        arguments: String,
        /// JSON.
        response: String,
    },
}

impl Event {
    /// A command that was answered with this text.
    pub(super) fn command(name: &'static str, outcome: Result<&str, &str>) -> Self {
        let response = match outcome {
            Ok(text) => json!({ "result": 0, "text": text }),
            Err(text) => json!({ "result": 1, "text": text }),
        };
        Self::Command {
            name,
            arguments: String::new(),
            response: response.to_string(),
        }
    }

    /// The first configuration is about to be served.
    pub(super) fn configured<F: LifeHooks>(cfg: &Server<F>) -> Self {
        let response = json!({ "result": 0, "text": "Configuration successful." });
        Self::Command {
            name: "config-set",
            arguments: cfg.json.to_string(),
            response: response.to_string(),
        }
    }

    fn point<F: LifeHooks>(&self) -> HookPoint {
        match self {
            Self::Updated(_) => F::UPDATED,
            Self::Command { .. } => HookPoint::CommandProcessed,
        }
    }
}

/// Tells services of events, one after the other, while the server goes on.
pub(super) struct Announcer<F: LifeHooks> {
    events: mpsc::Sender<(Arc<Snapshot<F>>, Event)>,
    task: JoinHandle<()>,
}

impl<F: LifeHooks> Announcer<F> {
    /// Runs inside a local task set.
    pub(super) fn start() -> Self {
        let (events, told) = mpsc::channel(MAX_EVENTS);
        Self {
            events,
            task: tokio::task::spawn_local(tell(told)),
        }
    }

    /// Tells the services of this configuration, soon.
    pub(super) fn tell(&self, snapshot: &Arc<Snapshot<F>>, event: Event) {
        let point = event.point::<F>();
        if snapshot.hooks.is_called(point)
            && self.events.try_send((Arc::clone(snapshot), event)).is_err()
        {
            tracing::warn!(
                family = F::NAME,
                hook_point = point.name(),
                "HOOK_EVENT_LOST: services are too slow, {MAX_EVENTS} events wait to be told"
            );
        }
    }

    /// Tells what waits, for no longer than `grace`.
    pub(super) async fn end(self, grace: Duration) {
        let Self { events, mut task } = self;
        drop(events);
        if timeout(grace, &mut task).await.is_err() {
            task.abort();
        }
    }
}

async fn tell<F: LifeHooks>(mut told: mpsc::Receiver<(Arc<Snapshot<F>>, Event)>) {
    while let Some((snapshot, event)) = told.recv().await {
        let mut hooks = snapshot.hooks.for_lifecycle();
        let called = match event {
            Event::Updated(entries) => F::updated(&mut hooks, &entries).await,
            Event::Command {
                name,
                arguments,
                mut response,
            } => {
                // Nobody waits for the response.
                hooks
                    .call(CommandProcessed {
                        name,
                        arguments: &arguments,
                        response: &mut response,
                    })
                    .await
            }
        };
        // Failures were logged and counted where they happened, and no next step has an effect here.
        drop(called);
    }
}
