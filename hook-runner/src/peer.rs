//! One connection to a service, used as a DHCP server uses it.

use bytes::BufMut;
use outrigger_hook_sdk::{ConnectError, Endpoint};
use outrigger_proto::{MAX_MESSAGE, PROTOCOL_VERSION, v1};
use prost::Message as _;
use std::error::Error as _;
use std::marker::PhantomData;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_stream::wrappers::ReceiverStream;
use tonic::client::Grpc;
use tonic::codec::{BufferSettings, Codec, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Request, Status, Streaming};
use tonic_prost::ProstDecoder;
use v1::load_reply::Result as LoadResult;
use v1::server_message::Message as ToService;
use v1::service_message::Message as FromService;

/// Configuration revision of the first Load.
pub(crate) const REVISION: u64 = 1;

/// What a service is told of the server that asks.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) family: v1::Family,
    pub(crate) instance_id: String,
    pub(crate) parameters: String,
    pub(crate) subnets: Vec<v1::Subnet>,
}

impl Identity {
    /// The request that a server begins with.
    pub(crate) fn load_request(&self, revision: u64) -> v1::LoadRequest {
        v1::LoadRequest {
            protocol_versions: vec![PROTOCOL_VERSION],
            server: Some(v1::ServerIdentity {
                name: "hook-runner".to_owned(),
                family: self.family.into(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                instance_id: self.instance_id.clone(),
            }),
            configuration_revision: revision,
            service_name: "hook-runner".to_owned(),
            parameters: self.parameters.clone(),
            subnets: self.subnets.clone(),
            server_api: None,
        }
    }

    /// The first message of a session.
    pub(crate) fn hello(&self, revision: u64) -> ToService {
        ToService::Hello(v1::Hello {
            instance_id: self.instance_id.clone(),
            configuration_revision: revision,
            service_name: "hook-runner".to_owned(),
        })
    }
}

/// Why a service cannot be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PeerError {
    #[error("nobody answers there: {0}")]
    Connect(#[from] ConnectError),
    #[error("{what} is answered with {:?}: {}", status.code(), status.message())]
    Status { what: &'static str, status: Status },
    #[error("{what} is not answered within {limit:?}")]
    Silent { what: &'static str, limit: Duration },
    #[error("it refuses: {0}")]
    Refused(String),
    #[error("the reply to Load has neither loaded nor refusal")]
    EmptyLoad,
    #[error("the session does not begin with Welcome but with {0}")]
    NoWelcome(&'static str),
    #[error("the service closed the session")]
    Closed,
}

impl PeerError {
    /// Of an RPC.
    pub(crate) fn status(what: &'static str, status: Status) -> Self {
        Self::Status { what, status }
    }

    /// Whether the service sent it: one that comes with a source was made here, because the transport failed.
    pub(crate) fn is_of_service(status: &Status) -> bool {
        status.source().is_none()
    }
}

/// Sends bytes as they are, so that messages can have what this version of the protocol does not know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Raw<T>(pub(crate) PhantomData<T>);

#[derive(Debug, Clone, Copy)]
pub(crate) struct AsTheyAre;

impl Encoder for AsTheyAre {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, dst: &mut EncodeBuf<'_>) -> Result<(), Status> {
        dst.put_slice(&item);
        Ok(())
    }
}

impl<T: prost::Message + Default + 'static> Codec for Raw<T> {
    type Encode = Vec<u8>;
    type Decode = T;
    type Encoder = AsTheyAre;
    type Decoder = ProstDecoder<T>;

    fn encoder(&mut self) -> AsTheyAre {
        AsTheyAre
    }

    fn decoder(&mut self) -> ProstDecoder<T> {
        ProstDecoder::new(BufferSettings::default())
    }
}

/// A connection.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    channel: Channel,
    patience: Duration,
}

impl Peer {
    /// To `endpoint`; nothing on it may take longer than `patience`.
    pub(crate) async fn connect(
        endpoint: &Endpoint,
        patience: Duration,
    ) -> Result<Self, PeerError> {
        let connecting = timeout(patience, endpoint.connect()).await;
        let channel = connecting.map_err(|_| PeerError::Silent {
            what: "the connection",
            limit: patience,
        })??;
        Ok(Self { channel, patience })
    }

    /// The connection itself, for other gRPC services on it.
    pub(crate) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// Load, whatever the answer.
    pub(crate) async fn load_result(
        &self,
        request: &v1::LoadRequest,
    ) -> Result<LoadResult, PeerError> {
        let reply: v1::LoadReply = self.unary("Load", request.encode_to_vec()).await?;
        reply.result.ok_or(PeerError::EmptyLoad)
    }

    /// Load, which has to succeed.
    pub(crate) async fn load(&self, request: &v1::LoadRequest) -> Result<v1::Loaded, PeerError> {
        match self.load_result(request).await? {
            LoadResult::Loaded(loaded) => Ok(loaded),
            LoadResult::Refusal(refusal) => Err(PeerError::Refused(refusal.text)),
        }
    }

    /// One of the protocol's RPCs with an encoded request.
    pub(crate) async fn unary<T: prost::Message + Default + 'static>(
        &self,
        method: &'static str,
        request: Vec<u8>,
    ) -> Result<T, PeerError> {
        let path = path(method);
        let asking = async {
            let mut grpc = self.grpc().await?;
            grpc.unary(Request::new(request), path, Raw(PhantomData))
                .await
        };
        match timeout(self.patience, asking).await {
            Ok(Ok(reply)) => Ok(reply.into_inner()),
            Ok(Err(status)) => Err(PeerError::status(method, status)),
            Err(_) => Err(PeerError::Silent {
                what: method,
                limit: self.patience,
            }),
        }
    }

    /// Opens a stream. `first` is in it already; with none the service has to send headers by itself.
    pub(crate) async fn stream(&self, first: Option<ToService>) -> Result<Session, PeerError> {
        let (outgoing, messages) = mpsc::channel(64);
        if let Some(message) = first {
            // There is room for it.
            let _ = outgoing.try_send(encoded(message));
        }
        let opening = async {
            let mut grpc = self.grpc().await?;
            let messages = Request::new(ReceiverStream::new(messages));
            grpc.streaming(messages, path("Session"), Raw(PhantomData))
                .await
        };
        match timeout(self.patience, opening).await {
            Ok(Ok(incoming)) => Ok(Session {
                outgoing: Some(outgoing),
                incoming: incoming.into_inner(),
                patience: self.patience,
                read: Vec::new(),
            }),
            Ok(Err(status)) => Err(PeerError::status("Session", status)),
            Err(_) => Err(PeerError::Silent {
                what: "Session",
                limit: self.patience,
            }),
        }
    }

    /// A session up to and with Welcome.
    pub(crate) async fn session(&self, hello: ToService) -> Result<Session, PeerError> {
        let mut session = self.stream(Some(hello)).await?;
        session.welcome().await?;
        Ok(session)
    }

    /// A client of the protocol's RPCs, once the connection takes one more.
    pub(crate) async fn grpc(&self) -> Result<Grpc<Channel>, Status> {
        let mut grpc = Grpc::new(self.channel.clone()).max_decoding_message_size(MAX_MESSAGE);
        let ready = grpc.ready().await;
        ready.map_err(|error| Status::unavailable(error.to_string()))?;
        Ok(grpc)
    }
}

/// Of one of the protocol's RPCs.
pub(crate) fn path(method: &'static str) -> PathAndQuery {
    PathAndQuery::from_static(match method {
        "Load" => "/outrigger.hooks.v1.Callouts/Load",
        "Call" => "/outrigger.hooks.v1.Callouts/Call",
        _ => "/outrigger.hooks.v1.Callouts/Session",
    })
}

fn encoded(message: ToService) -> Vec<u8> {
    let message = v1::ServerMessage {
        message: Some(message),
    };
    message.encode_to_vec()
}

/// A session.
#[derive(Debug)]
pub(crate) struct Session {
    outgoing: Option<mpsc::Sender<Vec<u8>>>,
    incoming: Streaming<v1::ServiceMessage>,
    patience: Duration,
    /// Replies that came in a batch with others.
    read: Vec<v1::CalloutReply>,
}

impl Session {
    /// The service's first message.
    pub(crate) async fn welcome(&mut self) -> Result<(), PeerError> {
        let limit = Instant::now() + self.patience;
        match self.next("Hello", limit).await? {
            Some(FromService::Welcome(_)) => Ok(()),
            Some(FromService::Replies(_)) => Err(PeerError::NoWelcome("replies")),
            Some(FromService::Drain(_)) => Err(PeerError::NoWelcome("Drain")),
            None => Err(PeerError::NoWelcome("a message of an unknown kind")),
        }
    }

    /// Sends a message of the protocol.
    pub(crate) async fn send(&self, message: ToService) -> Result<(), PeerError> {
        self.send_raw(encoded(message)).await
    }

    /// Sends the bytes of a message.
    pub(crate) async fn send_raw(&self, message: Vec<u8>) -> Result<(), PeerError> {
        let outgoing = self.outgoing.as_ref().ok_or(PeerError::Closed)?;
        let sending = timeout(self.patience, outgoing.send(message)).await;
        let sent = sending.map_err(|_| PeerError::Silent {
            what: "a full stream",
            limit: self.patience,
        })?;
        sent.map_err(|_| PeerError::Closed)
    }

    /// Sends calls in one batch.
    pub(crate) async fn calls(&self, calls: Vec<v1::CalloutRequest>) -> Result<(), PeerError> {
        self.send(ToService::Calls(v1::CallBatch {
            calls,
            answered: None,
        }))
        .await
    }

    /// Sends Bye and nothing after it.
    pub(crate) async fn bye(&mut self) -> Result<(), PeerError> {
        self.send(ToService::Bye(v1::Bye {})).await?;
        self.outgoing = None;
        Ok(())
    }

    /// The next message; `None` within is a kind that is not known.
    pub(crate) async fn next(
        &mut self,
        what: &'static str,
        limit: Instant,
    ) -> Result<Option<FromService>, PeerError> {
        match timeout_at(limit, self.incoming.message()).await {
            Ok(Ok(Some(message))) => Ok(message.message),
            Ok(Ok(None)) => Err(PeerError::Closed),
            Ok(Err(status)) => Err(PeerError::status("the session", status)),
            Err(_) => Err(PeerError::Silent {
                what,
                limit: self.patience,
            }),
        }
    }

    /// The next reply, over other messages.
    pub(crate) async fn reply(&mut self) -> Result<v1::CalloutReply, PeerError> {
        let limit = Instant::now() + self.patience;
        loop {
            if !self.read.is_empty() {
                return Ok(self.read.remove(0));
            }
            if let Some(FromService::Replies(batch)) = self.next("a call", limit).await? {
                self.read = batch.replies;
            }
        }
    }

    /// A reply that comes although nothing is open, within a moment.
    pub(crate) async fn surplus(&mut self, moment: Duration) -> Option<v1::CalloutReply> {
        timeout(moment, self.reply()).await.ok()?.ok()
    }

    /// One call and the reply to it. Replies to other calls are passed over: they come late.
    pub(crate) async fn ask(
        &mut self,
        call: v1::CalloutRequest,
    ) -> Result<v1::CalloutReply, PeerError> {
        let id = call.id;
        self.calls(vec![call]).await?;
        self.reply_to(id).await
    }

    /// The reply to `id`, among however many others.
    pub(crate) async fn reply_to(&mut self, id: u64) -> Result<v1::CalloutReply, PeerError> {
        let limit = self.patience;
        let found = timeout(limit, async {
            loop {
                let reply = self.reply().await?;
                if reply.id == id {
                    return Ok(reply);
                }
            }
        });
        found.await.unwrap_or(Err(PeerError::Silent {
            what: "a call",
            limit,
        }))
    }

    /// Until the service closes the stream; the replies that came before.
    pub(crate) async fn rest(&mut self) -> Result<Vec<v1::CalloutReply>, PeerError> {
        let mut replies = Vec::new();
        loop {
            match self.reply().await {
                Ok(reply) => replies.push(reply),
                Err(PeerError::Closed) => return Ok(replies),
                Err(error) => return Err(error),
            }
        }
    }
}
