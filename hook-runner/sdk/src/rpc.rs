//! The protocol's three calls as gRPC, with the calls and replies of a session as bytes.
//!
//! What is generated would decode a whole batch before its first callout runs. Decoded, a call takes several times its
//! bytes: a batch would leave the caches, and go back and forth between the allocator and the kernel.

use crate::serve::CalloutsRpc;
use crate::{Service, v1};
use bytes::Bytes;
use outrigger_proto::MAX_MESSAGE;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tonic::body::Body;
use tonic::codegen::http;
use tonic::server::{Grpc, NamedService};
use tonic::{Request, Status, Streaming};
use tonic_prost::ProstCodec;
use tower::service_fn;

/// `v1::ServerMessage`. A message and its encoded bytes have the same form inside another message.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ServerMessage {
    #[prost(oneof = "Said", tags = "1, 2, 3")]
    pub(crate) message: Option<Said>,
}

/// `v1::server_message::Message`.
#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum Said {
    #[prost(message, tag = "1")]
    Hello(v1::Hello),
    #[prost(message, tag = "2")]
    Calls(CallBatch),
    #[prost(message, tag = "3")]
    Bye(v1::Bye),
}

/// `v1::CallBatch`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CallBatch {
    /// Each a `v1::CalloutRequest`.
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub(crate) calls: Vec<Bytes>,
}

/// `v1::ServiceMessage`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ServiceMessage {
    #[prost(oneof = "Told", tags = "1, 2, 3")]
    pub(crate) message: Option<Told>,
}

/// `v1::service_message::Message`.
#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum Told {
    #[prost(message, tag = "1")]
    Welcome(v1::Welcome),
    #[prost(message, tag = "2")]
    Replies(ReplyBatch),
    #[prost(message, tag = "3")]
    Drain(v1::Drain),
}

/// `v1::ReplyBatch`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReplyBatch {
    /// Each a `v1::CalloutReply`.
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub(crate) replies: Vec<Bytes>,
}

/// Answers `outrigger.hooks.v1.Callouts`.
pub(crate) struct Rpcs<S: Service>(pub(crate) Arc<CalloutsRpc<S>>);

impl<S: Service> Clone for Rpcs<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: Service> NamedService for Rpcs<S> {
    const NAME: &'static str = "outrigger.hooks.v1.Callouts";
}

type Answer = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

impl<S: Service> tower::Service<http::Request<Body>> for Rpcs<S> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Answer {
        let rpc = Arc::clone(&self.0);
        Box::pin(async move {
            Ok(match request.uri().path() {
                "/outrigger.hooks.v1.Callouts/Load" => load(rpc, request).await,
                "/outrigger.hooks.v1.Callouts/Call" => call(rpc, request).await,
                "/outrigger.hooks.v1.Callouts/Session" => session(rpc, request).await,
                _ => Status::unimplemented("the protocol has Load, Session and Call").into_http(),
            })
        })
    }
}

fn grpc<Sent, Received>() -> Grpc<ProstCodec<Sent, Received>>
where
    Sent: prost::Message + 'static,
    Received: prost::Message + Default + 'static,
{
    Grpc::new(ProstCodec::default())
        .max_decoding_message_size(MAX_MESSAGE)
        .max_encoding_message_size(MAX_MESSAGE)
}

async fn load<S: Service>(
    rpc: Arc<CalloutsRpc<S>>,
    request: http::Request<Body>,
) -> http::Response<Body> {
    let answer = |request: Request<v1::LoadRequest>| {
        let rpc = Arc::clone(&rpc);
        async move { rpc.load(request.into_inner()).await }
    };
    grpc().unary(service_fn(answer), request).await
}

async fn call<S: Service>(
    rpc: Arc<CalloutsRpc<S>>,
    request: http::Request<Body>,
) -> http::Response<Body> {
    let answer = |request: Request<v1::CalloutRequest>| {
        let rpc = Arc::clone(&rpc);
        async move { rpc.call(request.into_inner()).await }
    };
    grpc().unary(service_fn(answer), request).await
}

async fn session<S: Service>(
    rpc: Arc<CalloutsRpc<S>>,
    request: http::Request<Body>,
) -> http::Response<Body> {
    let answer = |request: Request<Streaming<ServerMessage>>| {
        std::future::ready(rpc.session(request.into_inner()))
    };
    grpc().streaming(service_fn(answer), request).await
}
