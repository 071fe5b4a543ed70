//! The socket of the API and its thread.

use super::configuration::ConfigurationApi;
use super::hosts::HostsApi;
use super::leases::LeasesApi;
use super::service_state::ServiceStateApi;
use super::statistics::StatisticsApi;
use super::{ApiFamily, Shared};
use crate::control::{ControlError, SocketFile, bind};
use outrigger_proto::server_v1::configuration_server::ConfigurationServer;
use outrigger_proto::server_v1::hosts_server::HostsServer;
use outrigger_proto::server_v1::leases_server::LeasesServer;
use outrigger_proto::server_v1::service_state_server::ServiceStateServer;
use outrigger_proto::server_v1::statistics_server::StatisticsServer;
use std::io;
use std::os::unix::net::UnixListener as StdListener;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Server;
use tonic::transport::server::{Connected, UdsConnectInfo};

/// Largest request.
const MAX_REQUEST: usize = 1 << 20;

/// Connections at a time; further ones wait.
const MAX_CONNECTIONS: usize = 64;

/// Calls and streams that are open on one connection.
const MAX_OPEN: u32 = 128;

/// How long a call may take. The longest is a change of the configuration.
const CALL: Duration = Duration::from_secs(30);

/// How often a connection is asked whether somebody is there, and how long it may take to answer.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// Pause after the system refused a connection, for want of descriptors.
const PAUSE: Duration = Duration::from_secs(1);

/// Why there is no API.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// Its socket cannot be opened.
    #[error("cannot open the socket of the API for hook services")]
    Socket(#[source] ControlError),
    /// No thread for it.
    #[error("cannot start the thread of the API for hook services")]
    Thread(#[source] io::Error),
}

/// The open socket. Dropped, its thread has ended and its file is gone.
pub(super) struct Endpoint {
    file: SocketFile,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Endpoint {
    /// Opens the socket and serves it on a thread of its own.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub(super) fn open<F: ApiFamily>(
        path: PathBuf,
        shared: &Arc<Shared<F>>,
    ) -> Result<Self, ApiError> {
        let listener = bind(&path).map_err(ApiError::Socket)?;
        let file = SocketFile::new(path);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(ApiError::Thread)?;
        let (stop, stopped) = oneshot::channel();
        let shared = Arc::clone(shared);
        let thread = std::thread::Builder::new()
            .name(format!("{}-api", F::NAME))
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = serve(listener, shared) => {}
                        // Told, or forgotten: either way it is over.
                        _ = stopped => {}
                    }
                });
            })
            .map_err(ApiError::Thread)?;
        tracing::info!(family = F::NAME, socket = %file.path().display(), "SERVER_API_START");
        Ok(Self {
            file,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there was logged by whoever panicked.
            let _ = thread.join();
        }
    }
}

async fn serve<F: ApiFamily>(listener: StdListener, shared: Arc<Shared<F>>) {
    let listener = match UnixListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(family = F::NAME, "SERVER_API_FAILED: {error}");
            return;
        }
    };
    let api = || Arc::clone(&shared);
    let served = Server::builder()
        .max_concurrent_streams(MAX_OPEN)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE))
        .timeout(CALL)
        .add_service(LeasesServer::new(LeasesApi(api())).max_decoding_message_size(MAX_REQUEST))
        .add_service(HostsServer::new(HostsApi(api())).max_decoding_message_size(MAX_REQUEST))
        .add_service(
            StatisticsServer::new(StatisticsApi(api())).max_decoding_message_size(MAX_REQUEST),
        )
        .add_service(
            ConfigurationServer::new(ConfigurationApi(api()))
                .max_decoding_message_size(MAX_REQUEST),
        )
        .add_service(
            ServiceStateServer::new(ServiceStateApi(api())).max_decoding_message_size(MAX_REQUEST),
        )
        .serve_with_incoming(accepted::<F>(listener))
        .await;
    if let Err(error) = served {
        tracing::error!(family = F::NAME, "SERVER_API_FAILED: {error}");
    }
}

/// Accepts for ever, as long as there is room.
fn accepted<F: ApiFamily>(listener: UnixListener) -> ReceiverStream<io::Result<Connection>> {
    let (connections, accepted) = mpsc::channel(1);
    tokio::spawn(async move {
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        while let Ok(place) = Arc::clone(&places).acquire_owned().await {
            let connection = match listener.accept().await {
                Ok((stream, _)) => Connection {
                    stream,
                    _place: place,
                },
                Err(error) => {
                    tracing::warn!(family = F::NAME, "SERVER_API_ACCEPT_FAILED: {error}");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            if connections.send(Ok(connection)).await.is_err() {
                return;
            }
        }
    });
    ReceiverStream::new(accepted)
}

/// A connection, which counts as long as it is open.
struct Connection {
    stream: UnixStream,
    _place: OwnedSemaphorePermit,
}

impl Connected for Connection {
    type ConnectInfo = UdsConnectInfo;

    fn connect_info(&self) -> UdsConnectInfo {
        self.stream.connect_info()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
