//! A hook service in the test program, that refuses, holds or hangs as the test says.

use std::future::pending;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use outrigger_hook_sdk::points::{
    CommandProcessed, Dhcp4SrvConfigured, Dhcp6SrvConfigured, Leases4Committed, Leases6Committed,
    Pkt4Receive, Pkt6Receive,
};
use outrigger_hook_sdk::{
    Call, Callouts, Endpoint, HookError, HookPoint, Loaded, Refusal, Service, Subscriptions, serve,
    v1,
};
use outrigger_lab::{PATIENCE, poll};
use serde_json::Value;
use tokio::sync::watch;

/// Refused at `dhcpN_srv_configured`.
pub(crate) const REFUSED_LIFETIME: u32 = 666;
/// Why.
pub(crate) const REFUSAL: &str = "no licence for such a lifetime";

/// What the test and the service share.
#[derive(Clone, Default)]
pub(crate) struct Held(Arc<State>);

#[derive(Default)]
struct State {
    /// Packets are held at `leasesN_committed` while this is true.
    holds: watch::Sender<bool>,
    /// Packets are not answered at `pktN_receive` while this is true.
    hangs: watch::Sender<bool>,
    held: watch::Sender<usize>,
    /// Names of the commands that it was shown, with the result of each.
    commands: Mutex<Vec<(String, i64)>>,
}

impl Held {
    /// Listens at this socket until the test program ends.
    pub(crate) fn start(socket: &Path) -> Self {
        let held = Self::default();
        let endpoint: Endpoint = format!("unix:{}", socket.display()).parse().unwrap();
        let service = HeldService(held.clone());
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime
                .block_on(serve(&endpoint, service, pending()))
                .unwrap();
        });
        held
    }

    /// From now on packets are held, or those that are go on.
    pub(crate) fn hold(&self, on: bool) {
        self.0.holds.send_replace(on);
    }

    /// From now on packets are not answered, or those that were not are.
    pub(crate) fn hang(&self, on: bool) {
        self.0.hangs.send_replace(on);
    }

    /// Waits until so many packets were held since the start.
    #[track_caller]
    pub(crate) fn wait_until_held(&self, packets: usize) {
        let held = poll(PATIENCE, || {
            (*self.0.held.borrow() >= packets).then_some(())
        });
        assert!(held.is_some(), "{} were held", *self.0.held.borrow());
    }

    /// Waits until it was shown a command with this result.
    #[track_caller]
    pub(crate) fn wait_for_command(&self, name: &str, result: i64) {
        let shown = poll(PATIENCE, || {
            let commands = self.0.commands.lock().unwrap();
            let mut commands = commands.iter();
            commands
                .any(|(known, of)| known == name && *of == result)
                .then_some(())
        });
        assert!(shown.is_some(), "{:?}", self.0.commands.lock().unwrap());
    }

    async fn at_receive(&self) {
        let mut hangs = self.0.hangs.subscribe();
        // The sender is part of what is shared.
        let _ = hangs.wait_for(|hangs| !hangs).await;
    }

    async fn while_held(&self) {
        self.0.held.send_modify(|held| *held += 1);
        let mut holds = self.0.holds.subscribe();
        let _ = holds.wait_for(|holds| !holds).await;
    }

    fn holds(&self) -> bool {
        *self.0.holds.borrow()
    }
}

fn is_refused(configuration: &Value) -> bool {
    configuration["valid-lifetime"] == REFUSED_LIFETIME
}

impl Callouts for Held {
    async fn dhcp4_srv_configured(
        &self,
        call: &mut Call<'_, Dhcp4SrvConfigured>,
    ) -> Result<(), HookError> {
        if is_refused(&call.configuration()?) {
            call.refuse_configuration(REFUSAL);
        }
        Ok(())
    }

    async fn dhcp6_srv_configured(
        &self,
        call: &mut Call<'_, Dhcp6SrvConfigured>,
    ) -> Result<(), HookError> {
        if is_refused(&call.configuration()?) {
            call.refuse_configuration(REFUSAL);
        }
        Ok(())
    }

    async fn pkt4_receive(&self, _: &mut Call<'_, Pkt4Receive>) -> Result<(), HookError> {
        self.at_receive().await;
        Ok(())
    }

    async fn pkt6_receive(&self, _: &mut Call<'_, Pkt6Receive>) -> Result<(), HookError> {
        self.at_receive().await;
        Ok(())
    }

    async fn leases4_committed(
        &self,
        call: &mut Call<'_, Leases4Committed>,
    ) -> Result<(), HookError> {
        if self.holds() {
            call.park()?;
            self.while_held().await;
        }
        Ok(())
    }

    async fn leases6_committed(
        &self,
        call: &mut Call<'_, Leases6Committed>,
    ) -> Result<(), HookError> {
        if self.holds() {
            call.park()?;
            self.while_held().await;
        }
        Ok(())
    }

    async fn command_processed(
        &self,
        call: &mut Call<'_, CommandProcessed>,
    ) -> Result<(), HookError> {
        let result = call.answer()?["result"].as_i64().unwrap_or(-1);
        let name = call.arguments().name.clone();
        self.0.commands.lock().unwrap().push((name, result));
        Ok(())
    }
}

struct HeldService(Held);

impl Service for HeldService {
    type Callouts = Held;

    fn name(&self) -> &'static str {
        "held"
    }

    fn version(&self) -> &'static str {
        "1"
    }

    async fn load(&self, request: &v1::LoadRequest) -> Result<Loaded<Held>, Refusal> {
        let family = request.server.as_ref().map(|server| server.family());
        let (configured, receive, committed) = match family {
            Some(v1::Family::Dhcp6) => (
                HookPoint::Dhcp6SrvConfigured,
                HookPoint::Pkt6Receive,
                HookPoint::Leases6Committed,
            ),
            _ => (
                HookPoint::Dhcp4SrvConfigured,
                HookPoint::Pkt4Receive,
                HookPoint::Leases4Committed,
            ),
        };
        let subscriptions = Subscriptions::new()
            .point(configured, &["configuration"], &["error"])
            .point(receive, &["query.link"], &[])
            .point(committed, &["query.link"], &[])
            .point(HookPoint::CommandProcessed, &["name", "response"], &[]);
        Ok(Loaded::new(self.0.clone(), subscriptions))
    }
}
