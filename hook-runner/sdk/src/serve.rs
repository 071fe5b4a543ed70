//! A service on its endpoint: the gRPC services, from the first connection to the drain.

use crate::endpoint::Listener;
use crate::loads::Loads;
use crate::outbox::Outgoing;
use crate::rpc::{Rpcs, ServerMessage};
use crate::run::{Failure, Offer, Surroundings, catch_panic};
use crate::session::{self, Shared};
use crate::{Endpoint, Loaded, Refusal, ServeError, Service};
use outrigger_proto::{PROTOCOL_VERSION, convert, v1};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use tokio_stream::wrappers::UnixListenerStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tonic::transport::server::{Router, TcpIncoming};
use tonic::{Response, Status, Streaming};
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

/// Name of the protocol's service, as health checks ask for it; the empty name is the whole process.
const HEALTH_NAME: &str = "outrigger.hooks.v1.Callouts";

/// Calls that may be open on one session.
const MAX_IN_FLIGHT: usize = 4096;

/// How long the open calls have when the service is to stop.
const GRACE: Duration = Duration::from_secs(5);

/// A peer that vanished without a word is noticed after interval and timeout.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(5);

/// HTTP/2 windows. One session carries everything, so the protocol's 64 KiB would limit a far-away server.
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;

/// Sessions and single calls that one connection may have open; further ones wait at the client.
const MAX_STREAMS: u32 = 1024;

/// Offers `service` on `endpoint` until `shutdown` resolves, then drains. [`Server`] has the settings.
///
/// # Errors
/// The endpoint cannot be listened on, or the transport fails for good.
pub async fn serve<S: Service>(
    endpoint: &Endpoint,
    service: S,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    let bound = Server::new(service).bind(endpoint).await?;
    bound.run(shutdown).await
}

/// A service and how it is to be offered.
#[derive(Debug)]
pub struct Server<S> {
    service: S,
    max_in_flight: usize,
    grace: Duration,
}

impl<S: Service> Server<S> {
    /// With 4096 calls per session and 5 s to drain.
    pub fn new(service: S) -> Self {
        Self {
            service,
            max_in_flight: MAX_IN_FLIGHT,
            grace: GRACE,
        }
    }

    /// Calls that may be open on one session, and calls outside sessions in all. The server is told; what it sends
    /// beyond fails at once.
    #[must_use]
    pub fn max_in_flight(self, calls: usize) -> Self {
        Self {
            max_in_flight: calls.max(1),
            ..self
        }
    }

    /// How long the open calls have when the service is to stop.
    #[must_use]
    pub fn grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// Listens, so that [`Bound::run`] has nothing left that can fail early. A stale unix socket is replaced; a new
    /// one is for owner and group (0660).
    ///
    /// # Errors
    /// The endpoint cannot be listened on.
    pub async fn bind(self, endpoint: &Endpoint) -> Result<Bound<S>, ServeError> {
        let listener = endpoint.bind().await?;
        let endpoint = listener.endpoint().map_err(|source| ServeError::Listen {
            endpoint: endpoint.to_string(),
            source,
        })?;
        Ok(Bound {
            server: self,
            listener,
            endpoint,
        })
    }
}

/// A service that listens and does not answer yet.
#[derive(Debug)]
pub struct Bound<S> {
    server: Server<S>,
    listener: Listener,
    endpoint: Endpoint,
}

impl<S: Service> Bound<S> {
    /// Where it listens; a port of 0 has become a real one.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Answers until `shutdown` resolves. Then the health check says NOT_SERVING, every session is told to drain, open
    /// calls are finished within the grace period, and the socket is removed.
    ///
    /// # Errors
    /// The transport fails for good.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) -> Result<(), ServeError> {
        let Self {
            server,
            listener,
            endpoint,
        } = self;
        let draining = CancellationToken::new();
        let (health, health_service) = tonic_health::server::health_reporter();
        set_health(&health, false).await;
        let sessions = TaskTracker::new();
        let grace = server.grace;
        let rpc = Arc::new(CalloutsRpc {
            readiness: server.service.readiness(),
            shared: Arc::new(Shared {
                loads: Loads::default(),
                max_in_flight: server.max_in_flight,
                draining: draining.clone(),
            }),
            calls: Semaphore::new(server.max_in_flight),
            sessions: sessions.clone(),
            service: server.service,
        });
        let watcher = tokio::spawn(follow_readiness(
            rpc.readiness.clone(),
            health.clone(),
            draining.clone(),
        ));
        let router = transport()
            .add_service(Rpcs(rpc))
            .add_service(health_service);
        let router = add_reflection(router)?;
        tracing::info!(%endpoint, "listening");

        let stop = CancellationToken::new();
        let mut serving = Box::pin(accept(router, listener, stop.clone()));
        let failed = |source| ServeError::Transport {
            endpoint: endpoint.to_string(),
            source,
        };
        tokio::select! {
            ended = &mut serving => return ended.map_err(failed),
            () = shutdown => {}
        }
        tracing::info!(sessions = sessions.len(), "draining");
        draining.cancel();
        // The readiness watcher says NOT_SERVING and ends.
        let _ = watcher.await;
        sessions.close();
        let deadline = Instant::now() + grace;
        let drained = async {
            tokio::select! {
                ended = &mut serving => return ended,
                () = sessions.wait() => {}
            }
            stop.cancel();
            serving.await
        };
        match tokio::time::timeout_at(deadline, drained).await {
            Ok(ended) => ended.map_err(failed)?,
            Err(_) => tracing::warn!(
                sessions = sessions.len(),
                "the grace period is over; the rest is cut off"
            ),
        }
        tracing::info!(%endpoint, "stopped");
        Ok(())
    }
}

fn transport() -> tonic::transport::Server {
    tonic::transport::Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(MAX_STREAMS)
        .tcp_nodelay(true)
}

/// Both versions of server reflection: older tools know only the first.
fn add_reflection(router: Router) -> Result<Router, ServeError> {
    let builder = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(v1::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let current = builder().build_v1().map_err(ServeError::Reflection)?;
    let older = builder().build_v1alpha().map_err(ServeError::Reflection)?;
    Ok(router.add_service(current).add_service(older))
}

async fn accept(
    router: Router,
    listener: Listener,
    stop: CancellationToken,
) -> Result<(), tonic::transport::Error> {
    match listener {
        Listener::Tcp(listener) => {
            let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
            router
                .serve_with_incoming_shutdown(incoming, stop.cancelled())
                .await
        }
        Listener::Unix(listener, _socket) => {
            let incoming = UnixListenerStream::new(listener);
            router
                .serve_with_incoming_shutdown(incoming, stop.cancelled())
                .await
        }
    }
}

async fn set_health(health: &HealthReporter, serving: bool) {
    let status = if serving {
        ServingStatus::Serving
    } else {
        ServingStatus::NotServing
    };
    health.set_service_status("", status).await;
    health.set_service_status(HEALTH_NAME, status).await;
}

/// Keeps the health check equal to the service's readiness, until the drain.
async fn follow_readiness(
    mut readiness: tokio::sync::watch::Receiver<bool>,
    health: HealthReporter,
    draining: CancellationToken,
) {
    loop {
        let ready = *readiness.borrow_and_update();
        set_health(&health, ready).await;
        tokio::select! {
            () = draining.cancelled() => break,
            changed = readiness.changed() => {
                if changed.is_err() {
                    draining.cancelled().await;
                    break;
                }
            }
        }
    }
    set_health(&health, false).await;
}

/// The protocol's three calls.
pub(crate) struct CalloutsRpc<S: Service> {
    service: S,
    readiness: tokio::sync::watch::Receiver<bool>,
    shared: Arc<Shared<S::Callouts>>,
    /// Calls outside sessions that may be open.
    calls: Semaphore,
    sessions: TaskTracker,
}

impl<S: Service> CalloutsRpc<S> {
    async fn load_for(&self, request: &v1::LoadRequest) -> Result<Loaded<S::Callouts>, Refusal> {
        if !request.protocol_versions.contains(&PROTOCOL_VERSION) {
            return Err(Refusal::new(format!(
                "the service speaks version {PROTOCOL_VERSION} of the hook protocol; the server offers {:?}",
                request.protocol_versions
            )));
        }
        if request.server.is_none() {
            return Err(Refusal::new("the server does not say who it is"));
        }
        let loaded = catch_panic(self.service.load(request))
            .await
            .map_err(|text| Refusal::new(format!("loading panicked: {text}")))??;
        loaded.check()?;
        Ok(loaded)
    }

    fn loaded(&self, subscriptions: Vec<v1::Subscription>, commands: Vec<String>) -> v1::Loaded {
        v1::Loaded {
            protocol_version: PROTOCOL_VERSION,
            name: self.service.name().to_owned(),
            version: self.service.version().to_owned(),
            subscriptions,
            sessions: true,
            max_in_flight: u32::try_from(self.shared.max_in_flight).unwrap_or(u32::MAX),
            commands,
        }
    }

    async fn call_once(
        &self,
        request: &v1::CalloutRequest,
    ) -> Result<Box<v1::CalloutResult>, Failure> {
        let received = Instant::now();
        let _permit = self
            .calls
            .try_acquire()
            .map_err(|_| Failure::Overloaded(self.shared.max_in_flight))?;
        let point = convert::hook_point(request.hook_point).map_err(|_| {
            Failure::Malformed(format!("there is no hook point {}", request.hook_point))
        })?;
        let family = match point.spec().family {
            Some(outrigger_proto::Family::V4) => v1::Family::Dhcp4,
            Some(outrigger_proto::Family::V6) => v1::Family::Dhcp6,
            None => v1::Family::Unspecified,
        };
        let revision = request.configuration_revision;
        let offer = self.shared.loads.find_unnamed(family, revision);
        let offer = offer.ok_or(Failure::NotLoaded(revision))?;
        let surroundings = Surroundings::new(request, received, None);
        let running = offer.run(request, &surroundings);
        match surroundings.call_deadline {
            None => running.await,
            Some(deadline) => timeout(deadline - received, running)
                .await
                .unwrap_or(Err(Failure::Expired(request.budget_us))),
        }
    }

    pub(crate) async fn load(
        &self,
        request: v1::LoadRequest,
    ) -> Result<Response<v1::LoadReply>, Status> {
        self.refuse_when_draining()?;
        let server = request.server.clone().unwrap_or_default();
        let revision = request.configuration_revision;
        let result = match self.load_for(&request).await {
            Ok(Loaded {
                callouts,
                subscriptions,
                commands,
            }) => {
                let offer = Offer {
                    callouts,
                    commands: commands.clone(),
                };
                self.shared.loads.insert(&request, Arc::new(offer));
                tracing::info!(server = %server.name, instance = %server.instance_id, revision, "loaded");
                v1::load_reply::Result::Loaded(self.loaded(subscriptions.into_vec(), commands))
            }
            Err(Refusal(text)) => {
                tracing::warn!(server = %server.name, instance = %server.instance_id, revision, %text, "refused to load");
                v1::load_reply::Result::Refusal(v1::Refusal { text })
            }
        };
        Ok(Response::new(v1::LoadReply {
            result: Some(result),
        }))
    }

    pub(crate) fn session(
        &self,
        incoming: Streaming<ServerMessage>,
    ) -> Result<Response<Outgoing>, Status> {
        self.refuse_when_draining()?;
        let guard: TaskTrackerToken = self.sessions.token();
        let shared = Arc::clone(&self.shared);
        Ok(Response::new(session::open(shared, incoming, guard)))
    }

    pub(crate) async fn call(
        &self,
        request: v1::CalloutRequest,
    ) -> Result<Response<v1::CalloutReply>, Status> {
        match self.call_once(&request).await {
            Ok(result) => Ok(Response::new(v1::CalloutReply {
                id: request.id,
                outcome: Some(v1::callout_reply::Outcome::Result(*result)),
            })),
            Err(failure) => Err(failure.into_status()),
        }
    }

    fn refuse_when_draining(&self) -> Result<(), Status> {
        if self.shared.draining.is_cancelled() {
            return Err(Status::unavailable("the service is about to stop"));
        }
        Ok(())
    }
}
