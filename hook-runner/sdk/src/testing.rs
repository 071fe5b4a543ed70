//! Tests of callouts without a network.
//!
//! [`Trial`] describes one call and runs it the way a session would: same checks, same handling of errors and panics.

use crate::Callouts;
use crate::outbox::Outbox;
use crate::points::{Command, Point};
use crate::run::{Failure, Surroundings, parked, run};
use bytes::Bytes;
use outrigger_proto::{NextStep, v1};
use serde_json::{Value, json};
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// One call of hook point `P`, to be run.
#[derive(Debug, Clone)]
pub struct Trial<P> {
    request: v1::CalloutRequest,
    point: PhantomData<P>,
}

impl<P: Point> Trial<P> {
    /// A call with these arguments: first of its packet, nobody before it, no limit of time.
    pub fn new(arguments: P::Arguments) -> Self {
        Self {
            request: v1::CalloutRequest {
                id: 1,
                hook_point: P::HOOK_POINT.number().into(),
                packet_label: "trial".to_owned(),
                arguments: Some(P::wrap(arguments)),
                ..Default::default()
            },
            point: PhantomData,
        }
    }

    /// As if an earlier call had kept this context.
    #[must_use]
    pub fn context(mut self, context: impl Into<Bytes>) -> Self {
        self.request.context = context.into();
        self
    }

    /// At a later hook point of the packet that `earlier` answered: with the context that it kept.
    #[must_use]
    pub fn after(self, earlier: &v1::CalloutResult) -> Self {
        match &earlier.context {
            Some(context) => self.context(context.clone()),
            None => self,
        }
    }

    /// As if the services before had decided so.
    #[must_use]
    pub fn status(mut self, status: NextStep) -> Self {
        self.request.status = v1::NextStep::from(status).into();
        self
    }

    /// With a limit of time, which the callout can ask for. It is not enforced.
    #[must_use]
    pub fn budget_us(mut self, budget_us: u32) -> Self {
        self.request.budget_us = budget_us;
        self
    }

    /// On a session whose server would hold the packet for so long: the callout may [park](crate::Call::park). The limit
    /// is not enforced.
    #[must_use]
    pub fn park_budget(mut self, budget: Duration) -> Self {
        self.request.park_budget_us = u32::try_from(budget.as_micros()).unwrap_or(u32::MAX);
        self
    }

    /// Runs it to its end; what is returned is the final reply.
    ///
    /// # Errors
    /// The callout failed or panicked; this is the text that the server would get.
    pub async fn run(&self, callouts: &impl Callouts) -> Result<v1::CalloutResult, String> {
        let (_, result) = self.run_parked(callouts).await?;
        Ok(result)
    }

    /// Runs it to its end; each reply in turn: PARK first, where the callout parked, the final one last.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn replies(
        &self,
        callouts: &impl Callouts,
    ) -> Result<Vec<v1::CalloutResult>, String> {
        let (has_parked, result) = self.run_parked(callouts).await?;
        Ok(match has_parked {
            true => vec![parked(), result],
            false => vec![result],
        })
    }

    async fn run_parked(
        &self,
        callouts: &impl Callouts,
    ) -> Result<(bool, v1::CalloutResult), String> {
        let outbox = Arc::new(Outbox::default());
        let session = (self.request.park_budget_us > 0).then(|| Arc::clone(&outbox));
        let surroundings = Surroundings::new(&self.request, Instant::now(), session);
        let result = run(callouts, &self.request, &surroundings).await;
        let result = result.map_err(|failure: Failure| failure.to_string())?;
        Ok((outbox.parked_until(self.request.id).is_some(), *result))
    }
}

impl Trial<Command> {
    /// A control command as its sender would write it; null `arguments` are none.
    #[must_use]
    pub fn command(name: &str, arguments: Value) -> Self {
        let mut command = json!({ "command": name });
        if !arguments.is_null() {
            command["arguments"] = arguments;
        }
        Self::new(v1::CommandArguments {
            command: command.to_string(),
            response: String::new(),
        })
    }
}

/// The answer to a command that is in a result; `None` where there is none.
#[must_use]
pub fn answer(result: &v1::CalloutResult) -> Option<Value> {
    let answer = result.changes.as_ref()?.command_response.as_ref()?;
    serde_json::from_str(answer).ok()
}

/// Runs any request, a broken one for instance.
///
/// # Errors
/// The callout failed or panicked, or the request makes no sense; this is the text that the server would get.
pub async fn run_request(
    callouts: &impl Callouts,
    request: &v1::CalloutRequest,
) -> Result<v1::CalloutResult, String> {
    let surroundings = Surroundings::new(request, Instant::now(), None);
    run(callouts, request, &surroundings)
        .await
        .map(|result| *result)
        .map_err(|failure: Failure| failure.to_string())
}

/// A DHCPv4 packet as a service gets it: from an Ethernet address, with these options.
#[must_use]
pub fn packet4(message_type: u8, hw_address: [u8; 6], options: &[(u8, &[u8])]) -> v1::Packet4 {
    v1::Packet4 {
        message_type: message_type.into(),
        op: 1,
        transaction_id: 0x1122_3344,
        hw_address: Some(v1::HwAddress {
            htype: 1,
            address: Bytes::copy_from_slice(&hw_address),
        }),
        options: options
            .iter()
            .map(|(code, data)| option(u32::from(*code), data))
            .collect(),
        ..Default::default()
    }
}

/// A DHCPv6 packet as a service gets it, with these options.
#[must_use]
pub fn packet6(message_type: u8, options: &[(u16, &[u8])]) -> v1::Packet6 {
    v1::Packet6 {
        message_type: message_type.into(),
        transaction_id: 0x11_2233,
        options: options
            .iter()
            .map(|(code, data)| option(u32::from(*code), data))
            .collect(),
        ..Default::default()
    }
}

fn option(code: u32, data: &[u8]) -> v1::Option {
    v1::Option {
        code,
        data: Bytes::copy_from_slice(data),
    }
}
