//! Records the calls between a running server and its service, standing between the two.

mod body;
mod connect;
mod limits;
mod proxy;
mod summary;
mod tap;
mod writer;

use connect::{ListenError, Listener};
use limits::Limits;
use outrigger_hook_sdk::{Endpoint, shutdown_signal};
use proxy::Proxy;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use summary::Summary;
use tap::Recorder;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use writer::Writer;

/// Connections of servers at a time; further ones wait.
const MAX_CONNECTIONS: usize = 256;

/// What is to be recorded, and where.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where servers connect to instead of the service: unix:/path or http://host:port on loopback.
    #[arg(long, value_name = "ENDPOINT")]
    listen: Endpoint,
    /// The service.
    #[arg(long, value_name = "ENDPOINT")]
    to: Endpoint,
    /// The recording. It must not be there yet; only its owner may read it: it holds client identifiers, addresses and
    /// names, and the parameters of the service.
    file: PathBuf,
    /// Calls to record; what comes later passes and is not recorded.
    #[arg(long, value_name = "N", default_value_t = u64::MAX, hide_default_value = true)]
    max_calls: u64,
    /// Size that the file may reach, but for the replies to calls that are open then.
    #[arg(long, value_name = "N", default_value_t = 1 << 30)]
    max_bytes: u64,
    /// Leaves out the service's parameters: replay has to be given some.
    #[arg(long)]
    parameters_redacted: bool,
}

/// Why there is no recording.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    /// The command line cannot be obeyed.
    #[error("{0}")]
    Usage(String),
    #[error("{what}: {source}")]
    Io { what: String, source: io::Error },
}

/// How a recording ended.
#[derive(Debug)]
pub(crate) struct Recorded {
    /// For people.
    pub(crate) text: String,
    /// The file holds what was to be recorded.
    pub(crate) is_whole: bool,
}

/// Passes and records until SIGINT or SIGTERM.
///
/// # Errors
/// The file cannot be made, or the endpoint not listened on.
pub(crate) async fn run(arguments: Arguments) -> Result<Recorded, RecordError> {
    let listener = listen(&arguments).await?;
    let file = create(&arguments.file)?;
    let io = |what: &str| {
        let what = what.to_owned();
        move |source| RecordError::Io { what, source }
    };
    let stop = shutdown_signal().map_err(io("signals"))?;
    let (recorder, queue, shared) = Recorder::new();
    let limits = Limits {
        calls: arguments.max_calls,
        bytes: arguments.max_bytes,
        parameters_redacted: arguments.parameters_redacted,
    };
    let writer = Writer::new(file, limits, shared);
    let writing = std::thread::Builder::new()
        .name("recording".to_owned())
        .spawn(move || writer.run(&queue))
        .map_err(io("a thread"))?;
    let endpoint = listener.endpoint().map_err(io("the endpoint"))?;
    tracing::info!(listen = %endpoint, to = %arguments.to, file = %arguments.file.display(), "recording");
    serve(listener, Proxy::new(arguments.to, recorder), stop).await;
    // The queue ends with the last connection.
    let summary = tokio::task::spawn_blocking(move || writing.join()).await;
    let summary: Summary = summary
        .map_err(io::Error::other)
        .and_then(|joined| joined.map_err(|_| io::Error::other("it panicked")))
        .map_err(io("the writer"))?;
    Ok(Recorded {
        text: summary.to_string(),
        is_whole: summary.failed.is_none(),
    })
}

async fn listen(arguments: &Arguments) -> Result<Listener, RecordError> {
    if arguments.listen == arguments.to {
        let text = "--listen and --to are the same endpoint";
        return Err(RecordError::Usage(text.to_owned()));
    }
    let bound = Listener::bind(&arguments.listen).await;
    bound.map_err(|error| match error {
        ListenError::Io(source) => RecordError::Io {
            what: arguments.listen.to_string(),
            source,
        },
        ListenError::NotLoopback(_) | ListenError::InUse(_) | ListenError::NotASocket(_) => {
            RecordError::Usage(error.to_string())
        }
    })
}

fn create(path: &Path) -> Result<File, RecordError> {
    let mut options = OpenOptions::new();
    let created = options.write(true).create_new(true).mode(0o600).open(path);
    created.map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => RecordError::Usage(format!(
            "{} is there already: a recording is never written over",
            path.display()
        )),
        _ => RecordError::Io {
            what: path.display().to_string(),
            source,
        },
    })
}

async fn serve(listener: Listener, proxy: Proxy, stop: impl Future<Output = ()>) {
    let proxy = Arc::new(proxy);
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let connections = TaskTracker::new();
    let accepting = async {
        loop {
            let permit = Arc::clone(&room).acquire_owned().await;
            match listener.accept().await {
                Ok(stream) => {
                    let serving = Arc::clone(&proxy).serve(stream);
                    connections.spawn(async move {
                        let _permit = permit;
                        serving.await;
                    });
                }
                Err(error) => {
                    // Such as too many open files: it may pass.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
            }
        }
    };
    tokio::select! {
        () = accepting => {}
        () = stop => {}
    }
    drop(listener);
    proxy.draining.cancel();
    connections.close();
    connections.wait().await;
}
