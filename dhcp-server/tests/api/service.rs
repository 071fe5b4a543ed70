//! A hook service whose callouts take their time: they use the server's API before they reply.

use outrigger_proto::server_v1::configuration_client::ConfigurationClient;
use outrigger_proto::server_v1::hosts_client::HostsClient;
use outrigger_proto::server_v1::leases_client::LeasesClient;
use outrigger_proto::server_v1::service_state_client::ServiceStateClient;
use outrigger_proto::server_v1::statistics_client::StatisticsClient;
use outrigger_proto::{HookPoint, v1};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use tempfile::TempDir;
use tokio::net::UnixListener;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::{UnboundedReceiverStream, UnixListenerStream};
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status, Streaming};
use v1::callouts_server::{Callouts, CalloutsServer};

/// The name under which configurations name the service.
pub(crate) const NAME: &str = "asker";

/// Everything that can be granted.
pub(crate) const ALL: [&str; 9] = [
    "configuration:read",
    "hosts:read",
    "hosts:write",
    "leases:read",
    "leases:write",
    "service-state:read",
    "service-state:write",
    "statistics:read",
    "statistics:write",
];

type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Callout =
    dyn Fn(HookPoint, v1::arguments::Point, Api) -> Later<v1::CalloutResult> + Send + Sync;

/// The server's API as a service sees it.
#[derive(Clone)]
pub(crate) struct Api {
    channel: Channel,
    token: Option<AsciiMetadataValue>,
}

impl Api {
    pub(crate) fn new(endpoint: &str, token: Option<&str>) -> Self {
        let channel = Endpoint::from_shared(endpoint.to_owned())
            .unwrap()
            .connect_lazy();
        let token = token.map(|token| format!("Bearer {token}").parse().unwrap());
        Self { channel, token }
    }

    pub(crate) fn of(load: &v1::LoadRequest) -> Self {
        let api = load.server_api.as_ref().expect("it is granted something");
        Self::new(&api.endpoint, Some(&api.token))
    }

    /// A request with the token.
    pub(crate) fn with<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(token) = &self.token {
            request
                .metadata_mut()
                .insert("authorization", token.clone());
        }
        request
    }

    pub(crate) fn leases(&self) -> LeasesClient<Channel> {
        LeasesClient::new(self.channel.clone())
    }

    pub(crate) fn hosts(&self) -> HostsClient<Channel> {
        HostsClient::new(self.channel.clone())
    }

    pub(crate) fn statistics(&self) -> StatisticsClient<Channel> {
        StatisticsClient::new(self.channel.clone())
    }

    pub(crate) fn configuration(&self) -> ConfigurationClient<Channel> {
        ConfigurationClient::new(self.channel.clone())
    }

    pub(crate) fn state(&self) -> ServiceStateClient<Channel> {
        ServiceStateClient::new(self.channel.clone())
    }
}

/// What the test and the service's thread share.
struct Shared {
    points: Vec<HookPoint>,
    callout: Box<Callout>,
    loads: Mutex<Vec<v1::LoadRequest>>,
}

/// A hook service that wants everything of some hook points.
pub(crate) struct Asker {
    shared: Arc<Shared>,
    directory: TempDir,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Asker {
    /// Listens, and answers each call of one of `points` with what `callout` comes to.
    pub(crate) fn start<A: Future<Output = v1::CalloutResult> + Send + 'static>(
        points: &[HookPoint],
        callout: impl Fn(HookPoint, v1::arguments::Point, Api) -> A + Send + Sync + 'static,
    ) -> Self {
        let shared = Arc::new(Shared {
            points: points.to_vec(),
            callout: Box::new(move |point, arguments, api| {
                Box::pin(callout(point, arguments, api))
            }),
            loads: Mutex::default(),
        });
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let (stop, stopped) = oneshot::channel::<()>();
        let (listening, is_listening) = std::sync::mpsc::channel();
        let server = Served(Arc::clone(&shared));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = UnixListener::bind(&path).unwrap();
                listening.send(()).unwrap();
                let serving = tonic::transport::Server::builder()
                    .add_service(CalloutsServer::new(server))
                    .serve_with_incoming(UnixListenerStream::new(listener));
                tokio::select! {
                    served = serving => served.unwrap(),
                    _ = stopped => {}
                }
            });
        });
        is_listening.recv().unwrap();
        Self {
            shared,
            directory,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// One that has no callouts.
    pub(crate) fn without_callouts() -> Self {
        Self::start(&[], |_, _, _| async { v1::CalloutResult::default() })
    }

    /// The member of a configuration that names the service.
    pub(crate) fn member(&self, grants: &[&str]) -> String {
        let path: PathBuf = self.directory.path().join("socket");
        format!(
            r#""hook-budget": 60000, "hook-services": [ {{ "name": "{NAME}", "deadline": 30000,
                "endpoints": [ "unix:{}" ], "server-api": {grants:?} }} ]"#,
            path.display()
        )
    }

    /// What the service was last told.
    pub(crate) fn load(&self) -> v1::LoadRequest {
        let loads = self.shared.loads.lock().unwrap();
        loads.last().expect("it was loaded").clone()
    }

    /// The API as it was last told of it.
    pub(crate) fn api(&self) -> Api {
        Api::of(&self.load())
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Served(Arc<Shared>);

#[tonic::async_trait]
impl Callouts for Served {
    async fn load(
        &self,
        request: Request<v1::LoadRequest>,
    ) -> Result<Response<v1::LoadReply>, Status> {
        self.0.loads.lock().unwrap().push(request.into_inner());
        let subscriptions = self.0.points.iter().map(|point| v1::Subscription {
            hook_point: point.number().into(),
            reads: Vec::new(),
            writes: point
                .spec()
                .changes
                .iter()
                .map(|path| (*path).to_owned())
                .collect(),
        });
        let loaded = v1::Loaded {
            protocol_version: 1,
            name: NAME.to_owned(),
            version: "1".to_owned(),
            subscriptions: subscriptions.collect(),
            sessions: true,
            ..Default::default()
        };
        Ok(Response::new(v1::LoadReply {
            result: Some(v1::load_reply::Result::Loaded(loaded)),
        }))
    }

    type SessionStream = UnboundedReceiverStream<Result<v1::ServiceMessage, Status>>;

    async fn session(
        &self,
        request: Request<Streaming<v1::ServerMessage>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        let (replies, sent) = mpsc::unbounded_channel();
        tokio::spawn(converse(request.into_inner(), Arc::clone(&self.0), replies));
        Ok(Response::new(UnboundedReceiverStream::new(sent)))
    }

    async fn call(
        &self,
        _: Request<v1::CalloutRequest>,
    ) -> Result<Response<v1::CalloutReply>, Status> {
        Err(Status::unimplemented("it offers sessions"))
    }
}

type Replies = mpsc::UnboundedSender<Result<v1::ServiceMessage, Status>>;

async fn converse(
    mut received: Streaming<v1::ServerMessage>,
    shared: Arc<Shared>,
    replies: Replies,
) {
    use v1::server_message::Message as Received;
    use v1::service_message::Message as Sent;
    while let Ok(Some(message)) = received.message().await {
        match message.message {
            Some(Received::Hello(_)) => send(&replies, Sent::Welcome(v1::Welcome {})),
            Some(Received::Calls(batch)) => {
                for call in batch.calls {
                    let (shared, replies) = (Arc::clone(&shared), replies.clone());
                    tokio::spawn(async move {
                        let reply = answer(&shared, call).await;
                        let replied = v1::ReplyBatch {
                            replies: vec![reply],
                        };
                        send(&replies, Sent::Replies(replied));
                    });
                }
            }
            Some(_) | None => {}
        }
    }
}

async fn answer(shared: &Shared, call: v1::CalloutRequest) -> v1::CalloutReply {
    let number = u8::try_from(call.hook_point).unwrap();
    let mut points = HookPoint::ALL.iter();
    let point = points.find(|point| point.number() == number).unwrap();
    let arguments = call.arguments.unwrap().point.unwrap();
    let api = Api::of(shared.loads.lock().unwrap().last().unwrap());
    let result = (shared.callout)(*point, arguments, api).await;
    v1::CalloutReply {
        id: call.id,
        outcome: Some(v1::callout_reply::Outcome::Result(result)),
    }
}

fn send(replies: &Replies, message: v1::service_message::Message) {
    let _ = replies.send(Ok(v1::ServiceMessage {
        message: Some(message),
    }));
}
