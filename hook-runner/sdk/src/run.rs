//! From a request to its outcome: everything between the transport and the callout.

use crate::callouts::dispatch;
use crate::outbox::Outbox;
use crate::{Callouts, ControlCommand, HookError, points};
use outrigger_proto::{HookPoint, NextStep, convert, v1};
use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::Duration;
use tokio::time::Instant;
use tracing::Instrument;

/// What a running call knows of the outside.
#[derive(Debug, Default)]
pub(crate) struct Surroundings {
    /// When the server stops waiting for the first reply.
    pub(crate) call_deadline: Option<Instant>,
    /// How long the server would hold the packet.
    pub(crate) park_budget: Option<Duration>,
    /// When the server stops waiting for the final reply.
    parked_until: OnceLock<Instant>,
    /// Where replies go; only a session has it.
    outbox: Option<Arc<Outbox>>,
}

impl Surroundings {
    /// Of a call that was received at `received`. A budget of 0 is what a client writes that does not think of budgets:
    /// no limit. Without an outbox the call cannot park.
    pub(crate) fn new(
        request: &v1::CalloutRequest,
        received: Instant,
        outbox: Option<Arc<Outbox>>,
    ) -> Self {
        let budget = |us: u32| (us > 0).then(|| Duration::from_micros(us.into()));
        Self {
            call_deadline: budget(request.budget_us).map(|budget| received + budget),
            park_budget: budget(request.park_budget_us).filter(|_| outbox.is_some()),
            parked_until: OnceLock::new(),
            outbox,
        }
    }

    pub(crate) fn is_expired(&self) -> bool {
        self.call_deadline
            .is_some_and(|deadline| deadline <= Instant::now())
    }

    /// When the server stops waiting for the reply that comes next.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.parked_until.get().copied().or(self.call_deadline)
    }

    /// Sends the first of two replies. Asking again changes nothing.
    pub(crate) fn park(&self, id: u64) -> Result<(), HookError> {
        let outbox = self
            .outbox
            .as_ref()
            .ok_or_else(|| HookError::new("only a call of a session can park"))?;
        let budget = self
            .park_budget
            .ok_or_else(|| HookError::new("the server does not hold the packet of this call"))?;
        let until = *self.parked_until.get_or_init(|| Instant::now() + budget);
        match outbox.park(id, until) {
            true => Ok(()),
            false => Err(HookError::new("too many packets are held on this session")),
        }
    }
}

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{0}")]
    Callout(HookError),
    #[error("the callout panicked: {0}")]
    Panic(String),
    #[error("malformed request: {0}")]
    Malformed(String),
    #[error("configuration {0} is not loaded here: call Load first")]
    NotLoaded(u64),
    #[error("the call's budget of {0} µs ran out")]
    Expired(u32),
    #[error("the packet was held for {0} µs and there is no final reply")]
    HeldTooLong(u32),
    #[error("the service does not offer the command \"{0}\"")]
    NotOffered(String),
    #[error("more than {0} calls are open")]
    Overloaded(usize),
    #[error("the reply has {0} bytes, more than a message may have")]
    TooLarge(usize),
}

impl Failure {
    /// As it travels in a reply.
    pub(crate) fn into_message(self) -> v1::CalloutFailure {
        let code = match &self {
            Self::Callout(error) => error.code(),
            _ => 0,
        };
        v1::CalloutFailure {
            code,
            text: self.to_string(),
        }
    }

    /// As it travels where a call is an RPC of its own.
    pub(crate) fn into_status(self) -> tonic::Status {
        let code = match &self {
            Self::Callout(_) => tonic::Code::Unknown,
            Self::Panic(_) => tonic::Code::Internal,
            Self::Malformed(_) | Self::NotOffered(_) => tonic::Code::InvalidArgument,
            Self::NotLoaded(_) => tonic::Code::FailedPrecondition,
            Self::Expired(_) | Self::HeldTooLong(_) => tonic::Code::DeadlineExceeded,
            Self::Overloaded(_) | Self::TooLarge(_) => tonic::Code::ResourceExhausted,
        };
        tonic::Status::new(code, self.to_string())
    }
}

/// That the packet is to be held.
pub(crate) fn parked() -> v1::CalloutResult {
    v1::CalloutResult {
        next_step: Some(v1::NextStep::from(NextStep::Park).into()),
        ..Default::default()
    }
}

/// The callouts of a configuration, and the control commands that were offered with them.
#[derive(Debug)]
pub(crate) struct Offer<C> {
    pub(crate) callouts: Arc<C>,
    pub(crate) commands: Vec<String>,
}

impl<C: Callouts> Offer<C> {
    /// Runs the callout that `request` asks for. Never panics, whatever the request or the callout.
    pub(crate) async fn run(
        &self,
        request: &v1::CalloutRequest,
        surroundings: &Surroundings,
    ) -> Result<Box<v1::CalloutResult>, Failure> {
        if let Some(v1::arguments::Point::Command(command)) = point_of(request) {
            let command = ControlCommand::parse(&command.command);
            let name = command.map_err(Failure::Callout)?.name;
            if !self.commands.contains(&name) {
                return Err(Failure::NotOffered(name));
            }
        }
        run(self.callouts.as_ref(), request, surroundings).await
    }
}

fn point_of(request: &v1::CalloutRequest) -> Option<&v1::arguments::Point> {
    request.arguments.as_ref()?.point.as_ref()
}

/// Runs the callout that `request` asks for, whichever commands are offered.
pub(crate) async fn run<C: Callouts>(
    callouts: &C,
    request: &v1::CalloutRequest,
    surroundings: &Surroundings,
) -> Result<Box<v1::CalloutResult>, Failure> {
    let (point, arguments, status) = understand(request)?;
    let span = tracing::debug_span!("callout", %point, packet = %request.packet_label);
    let callout = dispatch(callouts, request, arguments, status, surroundings);
    let outcome = match catch_panic(callout).instrument(span).await {
        Ok(outcome) => outcome.map_err(Failure::Callout),
        Err(text) => Err(Failure::Panic(text)),
    };
    if let Err(failure) = &outcome {
        tracing::warn!(%point, packet = %request.packet_label, %failure, "callout failed");
    }
    outcome
}

/// What a request asks for; a newer or broken server may have sent anything.
fn understand(
    request: &v1::CalloutRequest,
) -> Result<(HookPoint, &v1::arguments::Point, NextStep), Failure> {
    let malformed = |text: String| Failure::Malformed(text);
    let point = convert::hook_point(request.hook_point)
        .map_err(|_| malformed(format!("there is no hook point {}", request.hook_point)))?;
    let arguments =
        point_of(request).ok_or_else(|| malformed(format!("{point} came without arguments")))?;
    let theirs = points::of_arguments(arguments);
    if theirs != point {
        return Err(malformed(format!(
            "{point} came with the arguments of {theirs}"
        )));
    }
    let status = NextStep::try_from(request.status)
        .map_err(|number| malformed(format!("there is no next step {number}")))?;
    Ok((point, arguments, status))
}

/// The output of `future`, or what its panic said.
pub(crate) async fn catch_panic<T>(future: impl Future<Output = T>) -> Result<T, String> {
    let mut future = pin!(future);
    // A future that panicked is dropped and never polled again, so nothing broken is seen: unwinding is safe here.
    poll_fn(
        |cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(payload) => Poll::Ready(Err(panic_text(payload.as_ref()))),
        },
    )
    .await
}

fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a message").to_owned()
}
