//! Where a service listens, and how to reach it.

use crate::ServeError;
use hyper_util::rt::TokioIo;
use std::fmt;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tonic::codegen::http::uri::InvalidUri;
use tonic::transport::{Channel, Uri};

/// Who may connect to a socket: owner and group.
const SOCKET_MODE: u32 = 0o660;

/// Where a service listens: `unix:/path` or `http://host:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A unix socket.
    Unix(PathBuf),
    /// Host and port, as `TcpListener` takes them.
    Tcp(String),
}

/// An endpoint is written otherwise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It starts with something else.
    #[error("\"{0}\" is not an endpoint: write unix:/path or http://host:port")]
    Scheme(String),
    /// No path after `unix:`.
    #[error("\"{0}\" has no path: write unix:/run/name.sock")]
    NoPath(String),
    /// No port.
    #[error("\"{0}\" has no port: write http://host:port")]
    NoPort(String),
}

/// A service cannot be reached.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The host of the endpoint cannot be a host.
    #[error("the endpoint has no usable host name or address")]
    Address(#[from] InvalidUri),
    /// Nobody answers there.
    #[error(transparent)]
    Transport(#[from] tonic::transport::Error),
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        if let Some(path) = text.strip_prefix("unix:") {
            // unix:///path is the same in gRPC's own naming.
            let path = path.strip_prefix("//").unwrap_or(path);
            return match path {
                "" | "/" => Err(EndpointError::NoPath(text.to_owned())),
                path => Ok(Self::Unix(PathBuf::from(path))),
            };
        }
        let Some(rest) = text.strip_prefix("http://") else {
            return Err(EndpointError::Scheme(text.to_owned()));
        };
        let address = rest.trim_end_matches('/');
        let port = address.rsplit_once(':').map(|(_, port)| port);
        if port.is_none_or(|port| port.parse::<u16>().is_err()) {
            return Err(EndpointError::NoPort(text.to_owned()));
        }
        Ok(Self::Tcp(address.to_owned()))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp(address) => write!(f, "http://{address}"),
        }
    }
}

impl Endpoint {
    /// A connection to the service there, for tools and tests.
    ///
    /// # Errors
    /// Nobody listens, or the address is no address.
    pub async fn connect(&self) -> Result<Channel, ConnectError> {
        match self {
            Self::Tcp(address) => {
                let endpoint = Channel::from_shared(format!("http://{address}"))?;
                Ok(endpoint.tcp_nodelay(true).connect().await?)
            }
            Self::Unix(path) => {
                let path = path.clone();
                let connector = tower::service_fn(move |_: Uri| {
                    let path = path.clone();
                    async move {
                        let stream = UnixStream::connect(path).await?;
                        Ok::<_, io::Error>(TokioIo::new(stream))
                    }
                });
                // The name only fills the :authority header.
                let endpoint = Channel::from_static("http://localhost");
                Ok(endpoint.connect_with_connector(connector).await?)
            }
        }
    }

    /// Listens, after a stale socket is removed.
    pub(crate) async fn bind(&self) -> Result<Listener, ServeError> {
        let failed = |source| ServeError::Listen {
            endpoint: self.to_string(),
            source,
        };
        match self {
            Self::Tcp(address) => {
                let listener = TcpListener::bind(address).await.map_err(failed)?;
                Ok(Listener::Tcp(listener))
            }
            Self::Unix(path) => {
                remove_stale(path).await?;
                let listener = UnixListener::bind(path).map_err(failed)?;
                let socket = OwnSocket::claim(path).map_err(failed)?;
                Ok(Listener::Unix(listener, socket))
            }
        }
    }
}

/// A bound endpoint.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, OwnSocket),
}

impl Listener {
    /// Where it really listens: port 0 has become a number.
    pub(crate) fn endpoint(&self) -> io::Result<Endpoint> {
        match self {
            Self::Tcp(listener) => Ok(Endpoint::Tcp(listener.local_addr()?.to_string())),
            Self::Unix(_, socket) => Ok(Endpoint::Unix(socket.path.clone())),
        }
    }
}

/// A socket file, removed on drop unless somebody else's is in its place by then.
#[derive(Debug)]
pub(crate) struct OwnSocket {
    path: PathBuf,
    inode: (u64, u64),
}

impl OwnSocket {
    fn claim(path: &Path) -> io::Result<Self> {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(SOCKET_MODE))?;
        let metadata = std::fs::symlink_metadata(path)?;
        Ok(Self {
            path: path.to_owned(),
            inode: (metadata.dev(), metadata.ino()),
        })
    }
}

impl Drop for OwnSocket {
    fn drop(&mut self) {
        let still_ours = std::fs::symlink_metadata(&self.path)
            .is_ok_and(|now| (now.dev(), now.ino()) == self.inode);
        if still_ours && let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "cannot remove the socket");
        }
    }
}

/// Removes a socket that nobody listens on, such as a killed service leaves behind.
async fn remove_stale(path: &Path) -> Result<(), ServeError> {
    let Ok(metadata) = std::fs::symlink_metadata(path) else {
        return Ok(());
    };
    let path = path.to_owned();
    if !metadata.file_type().is_socket() {
        return Err(ServeError::NotASocket { path });
    }
    match UnixStream::connect(&path).await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(&path).map_err(|source| ServeError::Listen {
                endpoint: format!("unix:{}", path.display()),
                source,
            })
        }
        // Other failures say nothing about who listens: a full backlog, no permission.
        _ => Err(ServeError::InUse { path }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_read_and_written_alike() {
        for text in [
            "unix:/run/x.sock",
            "http://127.0.0.1:80",
            "http://[::1]:5000",
            "http://name:1",
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), text);
        }
        assert_eq!(
            "unix:///run/x.sock".parse(),
            Ok(Endpoint::Unix("/run/x.sock".into()))
        );
    }

    #[test]
    fn a_wrong_endpoint_says_what_to_write() {
        for (text, part) in [
            ("/run/x.sock", "write unix:/path"),
            ("unix:", "has no path"),
            ("http://name", "has no port"),
            ("http://name:99999", "has no port"),
            ("https://name:1", "write unix:/path or http://"),
        ] {
            let error = text.parse::<Endpoint>().unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[tokio::test]
    async fn a_stale_socket_is_replaced_and_a_live_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hook.sock");
        let endpoint = Endpoint::Unix(path.clone());
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "a closed listener leaves its socket behind");

        let listener = endpoint.bind().await.unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o660);
        let error = endpoint.bind().await.unwrap_err();
        assert!(matches!(error, ServeError::InUse { .. }), "{error}");

        drop(listener);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_file_is_never_removed_for_a_socket() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("precious");
        std::fs::write(&path, "data").unwrap();
        let error = Endpoint::Unix(path.clone()).bind().await.unwrap_err();
        assert!(matches!(error, ServeError::NotASocket { .. }), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "data");
    }

    #[tokio::test]
    async fn a_socket_that_was_replaced_meanwhile_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hook.sock");
        let first = Endpoint::Unix(path.clone()).bind().await.unwrap();
        let parked = folder.path().join("parked");
        std::fs::rename(&path, &parked).unwrap();
        let second = UnixListener::bind(&path).unwrap();
        drop(first);
        assert!(path.exists());
        drop(second);
    }
}
