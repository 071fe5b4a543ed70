//! A connection to an endpoint that is made once: when it is gone, so is its channel, and `Load` comes first on the
//! next one.

use hyper_util::rt::TokioIo;
use outrigger_config::model::Endpoint;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::transport::Channel;

/// Time for a connection to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// A peer that is silent this long is asked for a sign of life.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
/// It has this long to give it.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(2);

/// A channel over one connection.
pub(crate) struct Connected {
    pub(crate) channel: Channel,
    /// Cancelled when the connection is gone.
    pub(crate) gone: CancellationToken,
}

/// Connects to `endpoint`.
pub(crate) async fn connect(endpoint: &Endpoint) -> io::Result<Connected> {
    let stream = tokio::time::timeout(CONNECT_TIMEOUT, open(endpoint))
        .await
        .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no connection within 2 s"))??;
    let gone = CancellationToken::new();
    let once = Arc::new(Mutex::new(Some(Watched {
        stream,
        _gone: gone.clone().drop_guard(),
    })));
    let connector = tower::service_fn(move |_uri: tonic::codegen::http::Uri| {
        let taken = once.lock().unwrap_or_else(PoisonError::into_inner).take();
        let closed = || io::Error::new(io::ErrorKind::NotConnected, "the connection was closed");
        std::future::ready(taken.map(TokioIo::new).ok_or_else(closed))
    });
    let channel = tonic::transport::Endpoint::try_from(authority(endpoint))
        .map_err(io::Error::other)?
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true)
        .connect_with_connector(connector)
        .await
        .map_err(io::Error::other)?;
    Ok(Connected { channel, gone })
}

async fn open(endpoint: &Endpoint) -> io::Result<Stream> {
    match endpoint {
        Endpoint::Unix(path) => Ok(Stream::Unix(UnixStream::connect(path).await?)),
        Endpoint::Http { host, port } => {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            // Without it a single small message waits for the peer's delayed acknowledgement, 40 ms.
            stream.set_nodelay(true)?;
            Ok(Stream::Tcp(stream))
        }
    }
}

fn authority(endpoint: &Endpoint) -> String {
    match endpoint {
        Endpoint::Unix(_) => "http://localhost".to_owned(),
        Endpoint::Http { .. } => endpoint.to_string(),
    }
}

enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

/// A stream that tells when it is dropped.
struct Watched {
    stream: Stream,
    _gone: DropGuard,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
            Stream::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Unix(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tcp(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, bytes),
            Stream::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, bytes),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }
}
