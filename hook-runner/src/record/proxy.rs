//! Stands between a server and a service and passes HTTP/2 streams on as they are.
//!
//! Each connection of the server has one connection to the service, and they end together: a server loads a service
//! anew on every connection, so it has to see when the service was away.

use super::body::{Passing, Reply};
use super::connect::{Stream, connect};
use super::tap::{Method, Recorder, Tap};
use hyper::body::Incoming;
use hyper::client::conn::http2::SendRequest;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use outrigger_hook_sdk::Endpoint;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tonic::Code;

/// A peer that vanished without a word is noticed after interval and timeout, as a server and a service notice it.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(5);
/// HTTP/2 windows: one session carries everything.
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;
/// RPCs that one connection may have open.
const MAX_STREAMS: u32 = 1024;
/// Time that open calls have when a connection is to end.
const GRACE: Duration = Duration::from_secs(5);

/// What all connections share.
#[derive(Debug)]
pub(super) struct Proxy {
    pub(super) to: Endpoint,
    pub(super) recorder: Recorder,
    /// The recording is to end: servers are asked to make no new calls.
    pub(super) draining: CancellationToken,
    connections: AtomicU64,
    streams: AtomicU64,
}

impl Proxy {
    pub(super) fn new(to: Endpoint, recorder: Recorder) -> Self {
        Self {
            to,
            recorder,
            draining: CancellationToken::new(),
            connections: AtomicU64::new(0),
            streams: AtomicU64::new(0),
        }
    }

    /// One connection of a server, until it or the service's is gone.
    pub(super) async fn serve(self: Arc<Self>, stream: Stream) {
        let connection = self.connections.fetch_add(1, Relaxed) + 1;
        let (upstream, service) = match self.reach().await {
            Ok((upstream, service)) => (Some(upstream), Some(service)),
            Err(text) => {
                tracing::warn!(endpoint = %self.to, "the service is not there: {text}");
                (None, None)
            }
        };
        // Without a service one answer, Unavailable, is all there is.
        let answered = CancellationToken::new();
        let passing = service_fn(|request| {
            let (proxy, upstream) = (Arc::clone(&self), upstream.clone());
            let answered = answered.clone();
            async move {
                let reply = match upstream {
                    Some(upstream) => proxy.pass(connection, upstream, request).await,
                    None => {
                        answered.cancel();
                        unavailable("the service behind hook-runner record is not there")
                    }
                };
                Ok::<_, Infallible>(reply)
            }
        });
        let mut server = pin!(
            hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .keep_alive_interval(KEEPALIVE_INTERVAL)
                .keep_alive_timeout(KEEPALIVE_TIMEOUT)
                .initial_stream_window_size(STREAM_WINDOW)
                .initial_connection_window_size(CONNECTION_WINDOW)
                .max_concurrent_streams(MAX_STREAMS)
                .serve_connection(TokioIo::new(stream), passing)
        );
        let mut service_gone = pin!(async {
            match service {
                Some(service) => {
                    // How it ended is seen in its streams.
                    let _ = service.await;
                }
                None => answered.cancelled().await,
            }
        });
        tokio::select! {
            ended = server.as_mut() => return log_end(connection, ended),
            () = &mut service_gone => {}
            () = self.draining.cancelled() => {
                // No new calls; the service has to be there until the open ones are done and the sessions drained.
                server.as_mut().graceful_shutdown();
                tokio::select! {
                    ended = server.as_mut() => return log_end(connection, ended),
                    () = &mut service_gone => {}
                    () = sleep(GRACE) => return,
                }
            }
        }
        server.as_mut().graceful_shutdown();
        tokio::select! {
            ended = server => log_end(connection, ended),
            () = sleep(GRACE) => {}
        }
    }

    /// A connection to the service: a handle for requests, and what drives it.
    async fn reach(
        &self,
    ) -> Result<
        (
            SendRequest<Passing>,
            impl Future<Output = hyper::Result<()>>,
        ),
        String,
    > {
        let stream = connect(&self.to).await.map_err(|error| error.to_string())?;
        hyper::client::conn::http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(KEEPALIVE_INTERVAL)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| error.to_string())
    }

    async fn pass(
        &self,
        connection: u64,
        mut upstream: SendRequest<Passing>,
        request: Request<Incoming>,
    ) -> Response<Reply> {
        let method = match request.uri().path() {
            "/outrigger.hooks.v1.Callouts/Load" => Some(Method::Load),
            "/outrigger.hooks.v1.Callouts/Session" => Some(Method::Session),
            "/outrigger.hooks.v1.Callouts/Call" => Some(Method::Call),
            _ => None,
        };
        let tap = method.map(|method| Tap {
            recorder: self.recorder.clone(),
            connection,
            stream: self.streams.fetch_add(1, Relaxed) + 1,
            method,
        });
        let request = request.map(|body| Passing::request(body, tap.clone()));
        let passed = match upstream.ready().await {
            Ok(()) => upstream.send_request(request).await,
            Err(error) => Err(error),
        };
        match passed {
            Ok(reply) => {
                let (head, body) = reply.into_parts();
                let body = Passing::reply(body, tap, &head.headers, &self.draining);
                Response::from_parts(head, Reply::Passing(Box::new(body)))
            }
            Err(error) => {
                let text = format!("the service behind hook-runner record: {error}");
                if let Some(tap) = tap {
                    tap.status("Unavailable", &text);
                    tap.end();
                }
                unavailable(&text)
            }
        }
    }
}

/// gRPC: a status without a message is in the headers.
fn unavailable(text: &str) -> Response<Reply> {
    let mut reply = Response::new(Reply::Empty);
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert("grpc-status", HeaderValue::from(Code::Unavailable as i32));
    if let Ok(text) = HeaderValue::from_str(text) {
        headers.insert("grpc-message", text);
    }
    reply
}

fn log_end(connection: u64, ended: hyper::Result<()>) {
    match ended {
        Ok(()) => tracing::debug!(connection, "the server's connection is over"),
        Err(error) => tracing::debug!(connection, %error, "the server's connection broke"),
    }
}
