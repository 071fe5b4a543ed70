//! What the service does wrong.

use std::future::pending;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use clap::ValueEnum;
use outrigger_hook_sdk::points::{
    Pkt4Receive, Pkt4Send, Pkt6Receive, Pkt6Send, Point, Subnet4Select, Subnet6Select,
};
use outrigger_hook_sdk::{
    Call, Callouts, Family, HookError, HookPoint, Loaded, Refusal, Service, Subscriptions, v1,
};

/// The option that marks an answer: one for private use (RFC 2132, RFC 3942) and one that nobody has.
const MARK4: u32 = 224;
const MARK6: u32 = 65_000;
const MARK: &[u8] = b"marked";
/// Longer than any deadline that a test sets for a service that is late.
const LATE: Duration = Duration::from_millis(300);

/// What goes wrong in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// The callout fails.
    Error,
    /// It changes what it may not change.
    Forbidden,
    /// It does not return.
    Hang,
    /// It answers when nobody waits any more, and all others behind it too.
    Late,
    /// Its reply breaks the protocol.
    Malformed,
    /// Not a call: every Load is refused.
    Refuse,
    /// The process ends in the middle of the call.
    Die,
}

/// What goes wrong where and for whom.
#[derive(Clone, Debug)]
pub(crate) struct Mistake {
    pub(crate) fault: Fault,
    pub(crate) at: Option<HookPoint>,
    pub(crate) only: Option<String>,
}

/// The service; every server gets the same callouts.
pub(crate) struct FaultyService {
    callouts: Arc<Faulty>,
}

/// The callouts.
#[derive(Debug)]
pub(crate) struct Faulty {
    mistake: Mistake,
}

impl FaultyService {
    pub(crate) fn new(mistake: Mistake) -> Self {
        Self {
            callouts: Arc::new(Faulty { mistake }),
        }
    }
}

impl Service for FaultyService {
    type Callouts = Faulty;

    fn name(&self) -> &str {
        "outrigger-test-service"
    }

    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    async fn load(&self, request: &v1::LoadRequest) -> Result<Loaded<Faulty>, Refusal> {
        let revision = request.configuration_revision;
        if self.callouts.mistake.fault == Fault::Refuse {
            eprintln!("REFUSED revision={revision}");
            return Err(Refusal::new("the licence of this service has run out"));
        }
        eprintln!("LOADED revision={revision}");
        let family = request.server.as_ref().map(|server| server.family());
        let subscriptions = match family {
            Some(v1::Family::Dhcp6) => subscriptions(Family::V6),
            _ => subscriptions(Family::V4),
        };
        Ok(Loaded::new(Arc::clone(&self.callouts), subscriptions))
    }
}

fn subscriptions(family: Family) -> Subscriptions {
    let [receive, select, send] = match family {
        Family::V4 => [
            HookPoint::Pkt4Receive,
            HookPoint::Subnet4Select,
            HookPoint::Pkt4Send,
        ],
        Family::V6 => [
            HookPoint::Pkt6Receive,
            HookPoint::Subnet6Select,
            HookPoint::Pkt6Send,
        ],
    };
    Subscriptions::new()
        .point(receive, &["query"], &["query.options"])
        .point(select, &["query", "subnet"], &["subnet"])
        .point(send, &["query", "response"], &["response.options"])
}

impl Faulty {
    async fn go_wrong<P: Point>(&self, call: &mut Call<'_, P>) -> Result<(), HookError> {
        let label = call.packet_label();
        let elsewhere = self.mistake.at.is_some_and(|at| at != P::HOOK_POINT);
        let for_others = self.mistake.only.as_ref();
        if elsewhere || for_others.is_some_and(|only| !label.contains(only.as_str())) {
            return Ok(());
        }
        match self.mistake.fault {
            Fault::None | Fault::Refuse => {}
            Fault::Error => return Err(HookError::new("the database of subscribers is gone")),
            // No hook point of these lets a lease be changed.
            Fault::Forbidden => {
                let lease = call.changes().lease.get_or_insert_default();
                lease.valid_lifetime = Some(1);
            }
            Fault::Hang => {
                eprintln!("HANGING {} {label}", P::HOOK_POINT);
                pending().await
            }
            // The thread sleeps, not the task: the SDK would answer in time that it is late.
            Fault::Late => thread::sleep(LATE),
            Fault::Malformed => {
                // No packet is of both families.
                call.changes().query4.get_or_insert_default();
                call.changes().query6.get_or_insert_default();
            }
            Fault::Die => {
                eprintln!("DYING {} {label}", P::HOOK_POINT);
                std::process::abort()
            }
        }
        Ok(())
    }
}

impl Callouts for Faulty {
    async fn pkt4_receive(&self, call: &mut Call<'_, Pkt4Receive>) -> Result<(), HookError> {
        self.go_wrong(call).await
    }

    async fn subnet4_select(&self, call: &mut Call<'_, Subnet4Select>) -> Result<(), HookError> {
        self.go_wrong(call).await
    }

    async fn pkt4_send(&self, call: &mut Call<'_, Pkt4Send>) -> Result<(), HookError> {
        self.go_wrong(call).await?;
        call.response_options().set([MARK4], MARK);
        Ok(())
    }

    async fn pkt6_receive(&self, call: &mut Call<'_, Pkt6Receive>) -> Result<(), HookError> {
        self.go_wrong(call).await
    }

    async fn subnet6_select(&self, call: &mut Call<'_, Subnet6Select>) -> Result<(), HookError> {
        self.go_wrong(call).await
    }

    async fn pkt6_send(&self, call: &mut Call<'_, Pkt6Send>) -> Result<(), HookError> {
        self.go_wrong(call).await?;
        call.response_options().set([MARK6], MARK);
        Ok(())
    }
}
