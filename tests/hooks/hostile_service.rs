//! A hook service that means harm: its messages are made by hand, so that it may say what no service built with the
//! protocol can.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread::JoinHandle;

use bytes::Bytes;
use outrigger_hook_sdk::v1;
use prost::Message;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixListener;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::{ReceiverStream, UnixListenerStream};
use tonic::body::Body;
use tonic::codegen::http;
use tonic::server::{Grpc, NamedService};
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;
use v1::callout_reply::Outcome;
use v1::server_message::Message as Asked;

/// Bytes of one message that is just not too large.
const FULL: usize = 4 * 1024 * 1024 - 64;
/// No id of a call that was made.
const NOBODY: u64 = 9_999_999;

/// `v1::ServiceMessage` with bytes where messages belong.
#[derive(Clone, PartialEq, Message)]
struct Said {
    #[prost(bytes = "bytes", optional, tag = "1")]
    welcome: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "2")]
    replies: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "3")]
    drain: Option<Bytes>,
}

/// What it does.
#[derive(Clone, Debug)]
pub(crate) enum Manners {
    /// The outcomes one behind the other, to every call.
    Replies(Vec<Outcome>),
    /// Replies to calls that nobody made, without end, as soon as there is a session.
    TalksToNobody,
    /// To every call a message full of replies to calls that nobody made.
    HugeBatch,
    /// To every call a reply full of edits without content.
    HugeReply,
    /// To every call a message of 100 MB.
    Monstrous,
    /// To every call a batch that does not decode.
    Garbled,
    /// Every call ends the session.
    Closes,
    /// Wants no calls, as soon as there is a session.
    Drains,
    /// Not gRPC at all.
    Noise,
}

/// A running service; dropping it kills it.
pub(crate) struct Hostile {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Hostile {
    /// Listens at `path`, and accepts every `Load` with `loaded`.
    pub(crate) fn start(path: &Path, loaded: v1::Loaded, manners: Manners) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (listening, is_listening) = std::sync::mpsc::channel();
        let path: PathBuf = path.to_owned();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            // What was spawned dies with the runtime, as with a process.
            runtime.block_on(async {
                let _ = std::fs::remove_file(&path);
                let listener = UnixListener::bind(&path).unwrap();
                listening.send(()).unwrap();
                tokio::select! {
                    () = serve(listener, loaded, manners) => {}
                    _ = stopped => {}
                }
            });
        });
        is_listening.recv().unwrap();
        Self {
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(listener: UnixListener, loaded: v1::Loaded, manners: Manners) {
    if matches!(manners, Manners::Noise) {
        return noise(listener).await;
    }
    let callouts = RawCallouts { loaded, manners };
    let served = tonic::transport::Server::builder()
        .add_service(callouts)
        .serve_with_incoming(UnixListenerStream::new(listener));
    served.await.unwrap();
}

/// An HTTP/2 preface of settings, then frames of no kind.
async fn noise(listener: UnixListener) {
    loop {
        let (mut connection, _) = listener.accept().await.unwrap();
        let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
        let noise = [&settings[..], &[0xA5; 4096]].concat();
        // The server may have closed it already.
        let _ = connection.write_all(&noise).await;
    }
}

#[derive(Clone)]
struct RawCallouts {
    loaded: v1::Loaded,
    manners: Manners,
}

impl NamedService for RawCallouts {
    const NAME: &'static str = "outrigger.hooks.v1.Callouts";
}

type Answering = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

impl tower::Service<http::Request<Body>> for RawCallouts {
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
                let accept = tower::service_fn(move |_: Request<v1::LoadRequest>| {
                    let loaded = own.loaded.clone();
                    async move { Ok::<_, Status>(Response::new(accepted(loaded))) }
                });
                Grpc::new(ProstCodec::default())
                    .unary(accept, request)
                    .await
            } else {
                let talk =
                    tower::service_fn(move |request: Request<Streaming<v1::ServerMessage>>| {
                        let talk = own.manners.clone().talk(request.into_inner());
                        async move { Ok::<_, Status>(Response::new(talk)) }
                    });
                Grpc::new(ProstCodec::default())
                    .streaming(talk, request)
                    .await
            })
        })
    }
}

fn accepted(loaded: v1::Loaded) -> v1::LoadReply {
    v1::LoadReply {
        result: Some(v1::load_reply::Result::Loaded(loaded)),
    }
}

type Talk = mpsc::Sender<Result<Said, Status>>;

impl Manners {
    fn talk(
        self,
        mut received: Streaming<v1::ServerMessage>,
    ) -> ReceiverStream<Result<Said, Status>> {
        let (talk, said) = mpsc::channel(4);
        tokio::spawn(async move {
            let welcome = Said {
                welcome: Some(Bytes::new()),
                ..Default::default()
            };
            let mut goes_on = talk.send(Ok(welcome)).await.is_ok();
            if matches!(self, Self::Drains) {
                let drain = Said {
                    drain: Some(Bytes::new()),
                    ..Default::default()
                };
                goes_on = talk.send(Ok(drain)).await.is_ok();
            }
            while goes_on && matches!(self, Self::TalksToNobody) {
                goes_on = talk.send(Ok(to_nobody(64 * 1024))).await.is_ok();
            }
            while goes_on && let Ok(Some(message)) = received.message().await {
                if let Some(Asked::Calls(batch)) = message.message {
                    goes_on = self.answer(&batch.calls, &talk).await;
                }
            }
        });
        ReceiverStream::new(said)
    }

    /// Whether the session goes on.
    async fn answer(&self, calls: &[v1::CalloutRequest], talk: &Talk) -> bool {
        let said = match self {
            Self::Replies(outcomes) => {
                let each = |call: &v1::CalloutRequest| {
                    let replies = outcomes.iter().map(|outcome| v1::CalloutReply {
                        id: call.id,
                        outcome: Some(outcome.clone()),
                    });
                    replies.collect::<Vec<_>>()
                };
                let replies = calls.iter().flat_map(each).collect();
                batch(v1::ReplyBatch { replies }.encode_to_vec())
            }
            Self::HugeBatch => to_nobody(FULL),
            Self::HugeReply => batch(full_of_edits(calls[0].id)),
            Self::Monstrous => batch(vec![0; 100_000_000]),
            Self::Garbled => batch(vec![0xff; 999]),
            Self::Closes => {
                let _ = talk.send(Err(Status::internal("enough"))).await;
                return false;
            }
            Self::TalksToNobody | Self::Drains | Self::Noise => return true,
        };
        talk.send(Ok(said)).await.is_ok()
    }
}

fn batch(replies: Vec<u8>) -> Said {
    Said {
        replies: Some(replies.into()),
        ..Default::default()
    }
}

/// As many replies to a call that was never made as these bytes hold.
fn to_nobody(bytes: usize) -> Said {
    let reply = v1::CalloutReply {
        id: NOBODY,
        outcome: None,
    };
    let one = v1::ReplyBatch {
        replies: vec![reply],
    };
    let one = one.encode_to_vec();
    batch(one.repeat(bytes / one.len()))
}

/// One field that holds others: its number and their bytes.
fn holding(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut field = vec![tag << 3 | 2];
    prost::encoding::encode_varint(content.len() as u64, &mut field);
    field.extend(content);
    field
}

/// A batch of one reply whose changes are two million edits of no option of either family's query.
fn full_of_edits(id: u64) -> Vec<u8> {
    let edits = holding(1, &[]).repeat((FULL - 64) / 2);
    let changes = holding(1, &edits);
    let result = holding(3, &changes);
    let mut reply = vec![1 << 3];
    prost::encoding::encode_varint(id, &mut reply);
    reply.extend(holding(2, &result));
    holding(1, &reply)
}
