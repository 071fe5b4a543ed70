//! Calls one at a time, for services without sessions.

use crate::messages::CalloutRequest;
use crate::policy::{Cause, Failure};
use crate::session::Call;
use outrigger_proto::{MAX_MESSAGE, v1};
use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::Instant;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

/// A connection without a session.
#[derive(Clone)]
pub(crate) struct Unary {
    channel: Channel,
    open: Arc<AtomicUsize>,
    limit: usize,
}

/// A call that counts as open.
struct Open<'a>(&'a AtomicUsize);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Unary {
    pub(crate) fn new(channel: Channel, limit: usize) -> Self {
        Self {
            channel,
            open: Arc::default(),
            limit,
        }
    }

    pub(crate) async fn call(&self, call: Call) -> Result<v1::CalloutReply, Failure> {
        // One call has one reply: nothing can be held.
        let call = Call {
            park: Duration::ZERO,
            ..call
        };
        if self.open.fetch_add(1, Relaxed) >= self.limit {
            self.open.fetch_sub(1, Relaxed);
            return Err(Cause::Shed.into());
        }
        let _open = Open(&self.open);
        let now = Instant::now();
        let budget = call.deadline.saturating_duration_since(now);
        let mut request = Request::new(call.request(0, now));
        request.set_timeout(budget);
        let mut grpc = Grpc::new(self.channel.clone()).max_decoding_message_size(MAX_MESSAGE);
        grpc.ready()
            .await
            .map_err(|error| Failure::new(Cause::SessionLost, error_chain(&error)))?;
        let codec: ProstCodec<CalloutRequest, v1::CalloutReply> = ProstCodec::default();
        let path = PathAndQuery::from_static("/outrigger.hooks.v1.Callouts/Call");
        match grpc.unary(request, path, codec).await {
            Ok(reply) => Ok(reply.into_inner()),
            Err(status) => Err(failure(&status)),
        }
    }
}

/// A status that comes with a source was made here, because the transport failed; any other is the service's answer.
fn failure(status: &Status) -> Failure {
    let text = format!("{:?}: {}", status.code(), status.message());
    let cause = match status.code() {
        _ if status.source().is_some() => Cause::SessionLost,
        Code::DeadlineExceeded => Cause::Deadline,
        _ => Cause::ServiceError,
    };
    Failure::new(cause, text)
}

/// An error and what caused it, in one line.
pub(crate) fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        source = inner.source();
    }
    text
}
