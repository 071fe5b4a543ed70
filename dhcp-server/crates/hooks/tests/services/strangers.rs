//! Peers that accept `Load` and then send what the protocol does not know.

use crate::host::{Host, Sockets, eventually, service};
use crate::service::loaded;
use bytes::Bytes;
use outrigger_hooks::{Cause, Step};
use outrigger_proto::{HookPoint, v1};
use std::convert::Infallible;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::net::UnixListener;
use tokio_stream::wrappers::{ReceiverStream, UnixListenerStream};
use tonic::body::Body;
use tonic::codegen::http;
use tonic::server::{Grpc, NamedService};
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

const POINT: HookPoint = HookPoint::Pkt4Receive;

/// `v1::ServiceMessage` with bytes where messages belong.
#[derive(Clone, PartialEq, prost::Message)]
struct Strange {
    #[prost(bytes = "bytes", optional, tag = "1")]
    welcome: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "2")]
    replies: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "15")]
    unknown: Option<Bytes>,
}

fn welcome() -> Strange {
    Strange {
        welcome: Some(Bytes::new()),
        ..Default::default()
    }
}

/// Sends these messages on a session as soon as a call has arrived.
#[derive(Clone)]
struct Stranger {
    first: Strange,
    then: Strange,
}

impl NamedService for Stranger {
    const NAME: &'static str = "outrigger.hooks.v1.Callouts";
}

type Answering = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

impl tower::Service<http::Request<Body>> for Stranger {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Answering {
        let own = self.clone();
        Box::pin(async move {
            Ok(if request.uri().path().ends_with("/Load") {
                let accept = tower::service_fn(|_: Request<v1::LoadRequest>| async {
                    Ok::<_, Status>(Response::new(v1::LoadReply {
                        result: Some(v1::load_reply::Result::Loaded(loaded(&[POINT]))),
                    }))
                });
                Grpc::new(ProstCodec::default())
                    .unary(accept, request)
                    .await
            } else {
                let converse = tower::service_fn(
                    move |request: Request<Streaming<v1::ServerMessage>>| {
                        let own = own.clone();
                        async move { Ok::<_, Status>(Response::new(own.converse(request.into_inner()))) }
                    },
                );
                Grpc::new(ProstCodec::default())
                    .streaming(converse, request)
                    .await
            })
        })
    }
}

impl Stranger {
    fn converse(
        self,
        mut received: Streaming<v1::ServerMessage>,
    ) -> ReceiverStream<Result<Strange, Status>> {
        let (sender, messages) = tokio::sync::mpsc::channel(4);
        tokio::spawn(async move {
            let _ = sender.send(Ok(self.first)).await;
            while let Ok(Some(message)) = received.message().await {
                if matches!(message.message, Some(v1::server_message::Message::Calls(_))) {
                    let _ = sender.send(Ok(self.then.clone())).await;
                }
            }
        });
        ReceiverStream::new(messages)
    }

    fn listen(self, path: &Path) -> tokio::task::JoinHandle<()> {
        let listener = UnixListener::bind(path).unwrap();
        tokio::spawn(async move {
            let server = tonic::transport::Server::builder().add_service(self);
            server
                .serve_with_incoming(UnixListenerStream::new(listener))
                .await
                .unwrap();
        })
    }
}

#[tokio::test]
async fn garbage_on_the_session_ends_it_and_the_next_one_begins() {
    let sockets = Sockets::new();
    let then = Strange {
        replies: Some(Bytes::from_static(&[0xff; 9])),
        ..Default::default()
    };
    let stranger = Stranger {
        first: welcome(),
        then,
    };
    let listening = stranger.listen(&sockets.path("s"));
    let host = Host::ready(&[service("s", &sockets.path("s"))]).await;
    assert_eq!(host.receive().await, Ok(Step::Run));
    assert_eq!(host.counters().failed(Cause::SessionLost), 1);
    eventually("a session follows", || host.counters().sessions_opened >= 2).await;
    listening.abort();
}

#[tokio::test]
async fn messages_of_a_kind_that_is_not_known_are_passed_over() {
    let sockets = Sockets::new();
    let then = Strange {
        unknown: Some(Bytes::from_static(b"of a later version")),
        // Reply 0 of this session, with neither result nor failure.
        replies: Some(Bytes::from_static(&[0x0a, 0x00])),
        ..Default::default()
    };
    let stranger = Stranger {
        first: welcome(),
        then,
    };
    let listening = stranger.listen(&sockets.path("s"));
    let host = Host::ready(&[service("s", &sockets.path("s"))]).await;
    assert_eq!(host.receive().await, Ok(Step::Run));
    assert_eq!(host.counters().failed(Cause::MalformedReply), 1);
    assert_eq!(host.counters().sessions_opened, 1);
    listening.abort();
}

#[tokio::test(flavor = "current_thread")]
async fn a_session_that_does_not_begin_with_welcome_is_not_used() {
    let sockets = Sockets::new();
    let first = Strange {
        replies: Some(Bytes::new()),
        ..Default::default()
    };
    let stranger = Stranger {
        then: first.clone(),
        first,
    };
    let listening = stranger.listen(&sockets.path("s"));
    let mut settings = service("s", &sockets.path("s"));
    settings.at_start = outrigger_config::model::AtStart::Refuse;
    let host = Host::start(&[settings]);
    let refused = host.hooks.ready().await.unwrap_err();
    assert_eq!(refused.why, "the session does not begin with Welcome");
    assert_eq!(host.counters().sessions_opened, 0);
    listening.abort();
}

#[tokio::test]
async fn a_service_that_says_far_more_than_it_is_asked_loses_its_session() {
    let sockets = Sockets::new();
    // 2 MiB of replies to call 99: decoded all at once they would take 700 times as much.
    let then = Strange {
        replies: Some([10, 2, 8, 99].repeat(1 << 19).into()),
        ..Default::default()
    };
    let first = welcome();
    let listening = Stranger { first, then }.listen(&sockets.path("s"));
    let host = Host::ready(&[service("s", &sockets.path("s"))]).await;
    assert_eq!(host.receive().await, Ok(Step::Run));
    assert_eq!(host.counters().failed(Cause::SessionLost), 1);
    let ignored = host.counters().unknown_replies;
    assert!(ignored <= 1026, "{ignored} replies were looked at");
    eventually("a session follows", || host.counters().sessions_opened >= 2).await;
    listening.abort();
}
