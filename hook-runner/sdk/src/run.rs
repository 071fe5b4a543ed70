//! From a request to its outcome: everything between the transport and the callout.

use crate::callouts::dispatch;
use crate::outbox::Outbox;
use crate::{Callouts, HookError, points};
use outrigger_proto::{HookPoint, NextStep, convert, v1};
use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::time::Instant;
use tracing::Instrument;

/// What a running call knows of the outside.
#[derive(Debug, Default)]
pub(crate) struct Surroundings {
    /// When the server stops waiting.
    pub(crate) deadline: Option<Instant>,
    /// Where replies go; only a session has it.
    pub(crate) outbox: Option<Arc<Outbox>>,
}

impl Surroundings {
    /// Of a call that was received at `received`. A budget of 0 is what a client writes that does not think of budgets:
    /// no limit.
    pub(crate) fn new(budget_us: u32, received: Instant, outbox: Option<Arc<Outbox>>) -> Self {
        let budget = Duration::from_micros(budget_us.into());
        Self {
            deadline: (budget_us > 0).then(|| received + budget),
            outbox,
        }
    }

    pub(crate) fn is_expired(&self) -> bool {
        self.deadline
            .is_some_and(|deadline| deadline <= Instant::now())
    }

    pub(crate) fn park(&self, id: u64) -> Result<(), HookError> {
        let outbox = self
            .outbox
            .as_ref()
            .ok_or_else(|| HookError::new("only a call of a session can park"))?;
        outbox.park(id);
        Ok(())
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
    #[error("more than {0} calls are open")]
    Overloaded(usize),
    #[error("the reply has {0} bytes, more than a message may have")]
    TooLarge(usize),
}

impl Failure {
    /// As it travels in a reply.
    pub(crate) fn into_reply(self, id: u64) -> v1::CalloutReply {
        let code = match &self {
            Self::Callout(error) => error.code(),
            _ => 0,
        };
        v1::CalloutReply {
            id,
            outcome: Some(v1::callout_reply::Outcome::Failure(v1::CalloutFailure {
                code,
                text: self.to_string(),
            })),
        }
    }

    /// As it travels where a call is an RPC of its own.
    pub(crate) fn into_status(self) -> tonic::Status {
        let code = match &self {
            Self::Callout(_) => tonic::Code::Unknown,
            Self::Panic(_) => tonic::Code::Internal,
            Self::Malformed(_) => tonic::Code::InvalidArgument,
            Self::NotLoaded(_) => tonic::Code::FailedPrecondition,
            Self::Expired(_) => tonic::Code::DeadlineExceeded,
            Self::Overloaded(_) | Self::TooLarge(_) => tonic::Code::ResourceExhausted,
        };
        tonic::Status::new(code, self.to_string())
    }
}

/// A reply with a result.
pub(crate) fn result_reply(id: u64, result: v1::CalloutResult) -> v1::CalloutReply {
    v1::CalloutReply {
        id,
        outcome: Some(v1::callout_reply::Outcome::Result(result)),
    }
}

/// Runs the callout that `request` asks for. Never panics, whatever the request or the callout.
pub(crate) async fn run<C: Callouts>(
    callouts: &C,
    request: &v1::CalloutRequest,
    surroundings: &Surroundings,
) -> Result<v1::CalloutResult, Failure> {
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
    let arguments = request
        .arguments
        .as_ref()
        .and_then(|arguments| arguments.point.as_ref())
        .ok_or_else(|| malformed(format!("{point} came without arguments")))?;
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
