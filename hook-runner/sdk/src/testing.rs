//! Tests of callouts without a network.
//!
//! [`Trial`] describes one call and runs it the way a session would: same checks, same handling of errors and panics.

use crate::Callouts;
use crate::points::Point;
use crate::run::{Failure, Surroundings, run};
use bytes::Bytes;
use outrigger_proto::{NextStep, v1};
use std::marker::PhantomData;
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

    /// Runs it.
    ///
    /// # Errors
    /// The callout failed or panicked; this is the text that the server would get.
    pub async fn run(&self, callouts: &impl Callouts) -> Result<v1::CalloutResult, String> {
        run_request(callouts, &self.request).await
    }
}

/// Runs any request, a broken one for instance.
///
/// # Errors
/// The callout failed or panicked, or the request makes no sense; this is the text that the server would get.
pub async fn run_request(
    callouts: &impl Callouts,
    request: &v1::CalloutRequest,
) -> Result<v1::CalloutResult, String> {
    let surroundings = Surroundings::new(request.budget_us, Instant::now(), None);
    run(callouts, request, &surroundings)
        .await
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
