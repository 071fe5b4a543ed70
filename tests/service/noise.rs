//! Stands between server and service, and speaks nonsense when told to.

use std::io;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncWriteExt, copy_bidirectional};
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// No HTTP/2 frame, at whatever point of the stream it comes.
const NOISE: [u8; 4096] = [0xA5; 4096];

/// Passes bytes between each connection of `outer` and the socket `inner`, until SIGUSR1: then the
/// connections that are open, and all that come later, get noise and are closed.
pub(crate) async fn relay(outer: UnixListener, inner: PathBuf) -> io::Result<()> {
    let noisy = watch::Sender::new(false);
    let mut told = signal(SignalKind::user_defined1())?;
    loop {
        tokio::select! {
            _ = told.recv() => {
                eprintln!("NOISE");
                noisy.send_replace(true);
            }
            accepted = outer.accept() => {
                let (connection, _) = accepted?;
                tokio::spawn(pass(connection, inner.clone(), noisy.subscribe()));
            }
        }
    }
}

async fn pass(mut server: UnixStream, inner: PathBuf, mut noisy: watch::Receiver<bool>) {
    tokio::select! {
        _ = noisy.wait_for(|noisy| *noisy) => {}
        _ = join(&mut server, &inner) => return,
    }
    // The server may have gone meanwhile; it has heard enough then.
    let _ = server.write_all(&NOISE).await;
}

async fn join(server: &mut UnixStream, inner: &Path) -> io::Result<()> {
    let mut service = UnixStream::connect(inner).await?;
    copy_bidirectional(server, &mut service).await?;
    Ok(())
}
