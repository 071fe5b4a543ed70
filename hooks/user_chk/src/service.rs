//! The service: what a server is told that loads it.

use crate::callouts::UserChk;
use crate::counters::Counters;
use crate::outcome::Outcome;
use crate::registry::Registry;
use crate::settings::Settings;
use outrigger_hook_sdk::{HookPoint, Loaded, Refusal, Service, Subscriptions, v1};
use std::sync::Arc;
use tokio::sync::watch;

/// The user_chk service: one registry and one outcome file, for any number of servers of either family.
#[derive(Debug)]
pub struct UserChkService {
    /// Who is registered.
    pub registry: Arc<Registry>,
    /// Where responses are recorded.
    pub outcome: Arc<Outcome>,
    /// What is counted.
    pub counters: Arc<Counters>,
}

impl Service for UserChkService {
    type Callouts = UserChk;

    fn name(&self) -> &str {
        "user-chk"
    }

    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    async fn load(&self, request: &v1::LoadRequest) -> Result<Loaded<UserChk>, Refusal> {
        if self.registry.current().is_none() {
            let problem = self.registry.problem();
            let path = || {
                format!(
                    "registry {} is not read yet",
                    self.registry.path().display()
                )
            };
            return Err(Refusal::new(problem.unwrap_or_else(path)));
        }
        let settings = Settings::from_request(request)?;
        let family = request.server.as_ref().map(v1::ServerIdentity::family);
        let subscriptions = match family {
            Some(v1::Family::Dhcp4) => subscriptions4(&settings),
            Some(v1::Family::Dhcp6) => subscriptions6(&settings),
            Some(v1::Family::Unspecified) | None => {
                return Err(Refusal::new(
                    "the server says neither DHCPv4 nor DHCPv6 of itself",
                ));
            }
        };
        tracing::info!(?settings, ?family, "settings");
        let callouts = UserChk {
            registry: Arc::clone(&self.registry),
            outcome: Arc::clone(&self.outcome),
            counters: Arc::clone(&self.counters),
            settings,
        };
        Ok(Loaded::new(callouts, subscriptions))
    }

    fn readiness(&self) -> watch::Receiver<bool> {
        self.registry.readiness()
    }
}

/// The hardware address is in the header, which is always there; no option is read.
fn subscriptions4(settings: &Settings) -> Subscriptions {
    let mut subscriptions =
        Subscriptions::new().point(HookPoint::Pkt4Receive, &["query.header"], &[]);
    if settings.restricted_subnet_id.is_some() {
        subscriptions = subscriptions.point(HookPoint::Subnet4Select, &["subnet"], &["subnet"]);
    }
    if !(settings.option_overrides || settings.outcome_records) {
        return subscriptions;
    }
    let writes: &[&str] = if settings.option_overrides {
        &[
            "response.options.66",
            "response.options.67",
            "response.header",
        ]
    } else {
        &[]
    };
    subscriptions.point(HookPoint::Pkt4Send, &["response.header"], writes)
}

/// Option 1 is read at each hook point, so that a lost or changed context is noticed and the client looked up again.
fn subscriptions6(settings: &Settings) -> Subscriptions {
    let client_id = "query.options.1";
    let mut subscriptions = Subscriptions::new().point(HookPoint::Pkt6Receive, &[client_id], &[]);
    if settings.restricted_subnet_id.is_some() {
        subscriptions = subscriptions.point(
            HookPoint::Subnet6Select,
            &[client_id, "subnet"],
            &["subnet"],
        );
    }
    if !(settings.option_overrides || settings.outcome_records) {
        return subscriptions;
    }
    let reads = [
        client_id,
        "response.options.3",
        "response.options.17",
        "response.options.25",
    ];
    let writes: &[&str] = if settings.option_overrides {
        &["response.options.17"]
    } else {
        &[]
    };
    subscriptions.point(HookPoint::Pkt6Send, &reads, writes)
}
