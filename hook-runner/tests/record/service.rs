//! A hook in several versions: most answers are the same, some are not.

use outrigger_hook_sdk::points::{Pkt4Receive, Pkt4Send, Subnet4Select};
use outrigger_hook_sdk::v1;
use outrigger_hook_sdk::v1::callouts_server::{Callouts as Rpc, CalloutsServer};
use outrigger_hook_sdk::{
    Call, Callouts, Fixed, HookError, HookPoint, ServeError, Server, Subscriptions,
};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::copy_bidirectional;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio_stream::wrappers::{ReceiverStream, UnixListenerStream};
use tonic::{Request, Response, Status, Streaming};

/// Which version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    One,
    /// Keeps another context, and understands only its own.
    Two,
    /// Answers otherwise at pkt4_send.
    Other,
    /// Comes to nothing within any time.
    Mute,
}

impl Version {
    fn context(self) -> &'static [u8] {
        match self {
            Self::Two => b"two",
            Self::One | Self::Other | Self::Mute => b"one",
        }
    }

    fn recognize(self, context: &[u8]) -> Result<(), HookError> {
        match context == self.context() {
            true => Ok(()),
            false => Err(HookError::new("the context is not mine")),
        }
    }
}

impl Callouts for Version {
    async fn pkt4_receive(&self, call: &mut Call<'_, Pkt4Receive>) -> Result<(), HookError> {
        if *self == Self::Mute {
            std::future::pending::<()>().await;
        }
        call.set_context(self.context());
        match call.packet_label() {
            label if label.starts_with("fail") => Err(HookError::new("as the packet said")),
            label if label.starts_with("mute") => std::future::pending().await,
            _ => Ok(()),
        }
    }

    async fn subnet4_select(&self, call: &mut Call<'_, Subnet4Select>) -> Result<(), HookError> {
        self.recognize(call.context())?;
        if call.packet_label().starts_with("park") {
            call.park()?;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        call.select_subnet(7);
        Ok(())
    }

    async fn pkt4_send(&self, call: &mut Call<'_, Pkt4Send>) -> Result<(), HookError> {
        self.recognize(call.context())?;
        let name = match self {
            Self::Other => "/other",
            Self::One | Self::Two | Self::Mute => "/one",
        };
        call.response_options().set([66], "server").set([67], name);
        Ok(())
    }
}

/// A version of the hook, running.
pub struct Running {
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<(), ServeError>>,
}

impl Running {
    pub async fn start(socket: &Path, version: Version) -> Self {
        let subscriptions = Subscriptions::new()
            .point(HookPoint::Pkt4Receive, &[], &[])
            .point(HookPoint::Subnet4Select, &[], &["subnet"])
            .point(HookPoint::Pkt4Send, &[], &["response"]);
        let service = Fixed::new("versions", "1", version, subscriptions);
        let endpoint = format!("unix:{}", socket.display()).parse().unwrap();
        let server = Server::new(service).grace(Duration::from_millis(50));
        let bound = server.bind(&endpoint).await.unwrap();
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(bound.run(async {
            let _ = stopped.await;
        }));
        Self { stop, served }
    }

    /// Its sessions end within 50 ms, and its socket is gone.
    pub async fn stop(self) {
        self.stop.send(()).unwrap();
        self.served.await.unwrap().unwrap();
    }
}

/// The way to a service, which can be cut.
pub struct Wire {
    accepting: JoinHandle<()>,
    connections: Arc<Mutex<JoinSet<()>>>,
}

impl Wire {
    pub fn start(socket: &Path, service: &Path) -> Self {
        let listener = UnixListener::bind(socket).unwrap();
        let service = service.to_owned();
        let connections = Arc::new(Mutex::new(JoinSet::new()));
        let accepted = Arc::clone(&connections);
        let accepting = tokio::spawn(async move {
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                let mut far = UnixStream::connect(&service).await.unwrap();
                let passing = async move {
                    let _ = copy_bidirectional(&mut near, &mut far).await;
                };
                accepted.lock().unwrap().spawn(passing);
            }
        });
        Self {
            accepting,
            connections,
        }
    }

    pub fn connections(&self) -> usize {
        self.connections.lock().unwrap().len()
    }

    /// All connections are gone, without a word, and new ones are refused.
    pub fn cut(&self) {
        self.accepting.abort();
        self.connections.lock().unwrap().abort_all();
    }
}

/// A service that ends its sessions when it is called.
pub async fn serve_broken(socket: PathBuf) {
    let listener = UnixListener::bind(socket).unwrap();
    tonic::transport::Server::builder()
        .add_service(CalloutsServer::new(Broken))
        .serve_with_incoming(UnixListenerStream::new(listener))
        .await
        .unwrap();
}

struct Broken;

#[tonic::async_trait]
impl Rpc for Broken {
    async fn load(
        &self,
        _request: Request<v1::LoadRequest>,
    ) -> Result<Response<v1::LoadReply>, Status> {
        let point = |hook_point: HookPoint| v1::Subscription {
            hook_point: i32::from(hook_point.number()),
            ..Default::default()
        };
        let loaded = v1::Loaded {
            protocol_version: 1,
            subscriptions: vec![point(HookPoint::Pkt4Receive)],
            sessions: true,
            ..Default::default()
        };
        let result = Some(v1::load_reply::Result::Loaded(loaded));
        Ok(Response::new(v1::LoadReply { result }))
    }

    type SessionStream = ReceiverStream<Result<v1::ServiceMessage, Status>>;

    async fn session(
        &self,
        request: Request<Streaming<v1::ServerMessage>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        let mut incoming = request.into_inner();
        let (outgoing, messages) = mpsc::channel(1);
        tokio::spawn(async move {
            let welcome = v1::service_message::Message::Welcome(v1::Welcome {});
            let message = Some(welcome);
            outgoing
                .send(Ok(v1::ServiceMessage { message }))
                .await
                .unwrap();
            // Hello, and the first calls.
            for _ in 0..2 {
                let _ = incoming.message().await;
            }
        });
        Ok(Response::new(ReceiverStream::new(messages)))
    }

    async fn call(
        &self,
        _request: Request<v1::CalloutRequest>,
    ) -> Result<Response<v1::CalloutReply>, Status> {
        Err(Status::unimplemented("sessions only"))
    }
}
