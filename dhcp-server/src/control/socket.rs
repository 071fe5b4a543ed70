//! Unix sockets that commands come in by: one document in, one out, then the server closes the connection.

use super::family::Commanded;
use super::request::Extent;
use super::{Answer, Control, Order, Wish};
use socket2::{Domain, SockAddr, Socket, Type};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener as StdListener;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Largest command. A configuration of ten thousands of subnets has some megabytes.
const MAX_REQUEST: usize = 16 << 20;

/// Connections of one socket that are served at a time; further ones wait.
const MAX_CONNECTIONS: usize = 32;

/// How long a client may be silent within its command, or not read its answer.
const IDLE: Duration = Duration::from_secs(10);

/// How long a command may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(60);

/// Pause after the system refused a connection, for want of descriptors.
const PAUSE: Duration = Duration::from_secs(1);

const BACKLOG: i32 = 128;

/// Why a control socket, or the one of the API, cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Somebody answers there.
    #[error("socket {} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// Something else lies there.
    #[error("{} is no socket: remove it, or give the socket another name", .0.display())]
    NoSocket(PathBuf),
    /// The system refuses.
    #[error("cannot open the socket {}", path.display())]
    Refused {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// The open sockets of one family.
#[derive(Debug, Default)]
pub struct Sockets {
    open: Vec<ControlSocket>,
}

/// Dropped, it accepts nothing more and its file is removed.
#[derive(Debug)]
struct ControlSocket {
    file: SocketFile,
    accepts: JoinHandle<()>,
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        self.accepts.abort();
    }
}

impl Sockets {
    /// Opens those of `paths` that are not open yet, in a local task set.
    ///
    /// # Errors
    /// One cannot be opened; then none is.
    pub fn open_further<F: Commanded>(
        &self,
        paths: &[PathBuf],
        control: &Rc<Control<F>>,
    ) -> Result<Self, ControlError> {
        let mut fresh = Self::default();
        for path in paths {
            if self.has(path) || fresh.has(path) {
                continue;
            }
            let refused = |source| ControlError::Refused {
                path: path.to_owned(),
                source,
            };
            let listener = UnixListener::from_std(bind(path)?).map_err(refused)?;
            tracing::info!(family = F::NAME, socket = %path.display(), "COMMAND_ACCEPTOR_START");
            fresh.open.push(ControlSocket {
                file: SocketFile::new(path.clone()),
                accepts: tokio::task::spawn_local(accept(listener, Rc::clone(control))),
            });
        }
        Ok(fresh)
    }

    /// Takes what [`Self::open_further`] opened, and closes what is not among `paths`. Commands under way are still answered.
    pub fn become_all(&mut self, paths: &[PathBuf], fresh: Self) {
        self.open.extend(fresh.open);
        self.open.retain(|socket| paths.contains(&socket.file.path));
    }

    fn has(&self, path: &Path) -> bool {
        self.open.iter().any(|socket| socket.file.path == *path)
    }
}

/// The file of a socket that is ours. Dropped, it is removed, unless it has been replaced.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    /// Device and inode.
    identity: Option<(u64, u64)>,
}

impl SocketFile {
    /// The file there is ours.
    pub(crate) fn new(path: PathBuf) -> Self {
        let identity = identity(&path);
        Self { path, identity }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.identity.is_some() && identity(&self.path) == self.identity {
            // It is only a name: the next server takes it for stale.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    let metadata = std::fs::symlink_metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

/// Listens there, in the place of a server that is gone. What is made is not blocking.
///
/// # Errors
/// See [`ControlError`].
pub(crate) fn bind(path: &Path) -> Result<StdListener, ControlError> {
    let refused = |source| ControlError::Refused {
        path: path.to_owned(),
        source,
    };
    remove_stale(path)?;
    let open = || {
        let socket = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None)?;
        socket.bind(&SockAddr::unix(path)?)?;
        // Before anybody can connect: the owner and its group, nobody else.
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    };
    open().map_err(refused)
}

/// Removes the socket of a server that is gone.
fn remove_stale(path: &Path) -> Result<(), ControlError> {
    let refused = |source| ControlError::Refused {
        path: path.to_owned(),
        source,
    };
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(refused(error)),
        Ok(metadata) if !metadata.file_type().is_socket() => {
            return Err(ControlError::NoSocket(path.to_owned()));
        }
        Ok(_) => {}
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path).map_err(refused)
        }
        Err(error) => Err(refused(error)),
        Ok(_) => Err(ControlError::InUse(path.to_owned())),
    }
}

/// For ever.
async fn accept<F: Commanded>(listener: UnixListener, control: Rc<Control<F>>) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let control = Rc::clone(&control);
                tokio::task::spawn_local(async move {
                    serve(&control, stream).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(family = F::NAME, "COMMAND_ACCEPT_FAILED: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// One command.
async fn serve<F: Commanded>(control: &Control<F>, mut stream: UnixStream) {
    let answer = match timeout(ARRIVAL, receive(&mut stream)).await {
        Ok(Ok(document)) if document.is_empty() => return,
        Ok(Ok(document)) => control.answer(&document).await,
        Ok(Err(text)) => Answer::error(text),
        Err(_) => Answer::error("The command took too long to arrive, discarded."),
    };
    let then = send(&mut stream, answer).await;
    drop(stream);
    if let Some(wish) = then {
        let (done, _) = oneshot::channel();
        // Where nobody takes orders any more the server is stopping already.
        let _ = control.orders.send(Order { wish, done }).await;
    }
}

/// Returns what is to be ordered now that the client has its answer.
async fn send(stream: &mut UnixStream, mut answer: Answer) -> Option<Wish> {
    let then = answer.then.take();
    match serde_json::to_vec(&answer) {
        Ok(document) => {
            for part in document.chunks(1 << 16) {
                // A client that is gone or does not read has waived its answer.
                match timeout(IDLE, stream.write_all(part)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) | Err(_) => break,
                }
            }
        }
        Err(error) => tracing::error!("COMMAND_ANSWER_FAILED: {error}"),
    }
    then
}

/// Reads until the document is complete; what follows is not looked at. Empty: the client sent nothing and left.
async fn receive(stream: &mut UnixStream) -> Result<Vec<u8>, String> {
    let mut document = Vec::new();
    let mut extent = Extent::default();
    loop {
        let read = document.len();
        document.reserve(1 << 16);
        match timeout(IDLE, stream.read_buf(&mut document)).await {
            Ok(Ok(0)) => return Ok(document),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(format!("cannot read the command: {error}")),
            Err(_) if document.is_empty() => {
                return Err("Connection over control channel timed out".to_owned());
            }
            Err(_) => {
                return Err(format!(
                    "Connection over control channel timed out, discarded partial command of {read} bytes"
                ));
            }
        }
        if let Some(end) = extent.end_in(&document[read..]) {
            document.truncate(read + end);
            return Ok(document);
        }
        if document.len() > MAX_REQUEST {
            return Err(format!(
                "the command is longer than {MAX_REQUEST} bytes, discarded"
            ));
        }
    }
}

#[cfg(test)]
mod tests;
