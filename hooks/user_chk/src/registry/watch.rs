//! Notices changes of the registry file.
//!
//! The folder is watched, because editors and deployments replace the file; and the file is looked at regularly,
//! because network file systems and symbolic links do not tell. What is noticed counts once the file has been quiet
//! for a moment: whoever writes in several steps is let finish.

use super::{Fingerprint, Registry};
use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How changes are noticed.
#[derive(Debug, Clone)]
pub struct WatchSettings {
    /// How often the file is looked at.
    pub poll: Duration,
    /// How long it must be quiet before it is read.
    pub quiet: Duration,
    /// How long it may be unquiet before it is read all the same.
    pub patience: Duration,
    /// Whether the operating system is asked to tell; else it is only looked at.
    pub notify: bool,
}

impl Default for WatchSettings {
    /// A change is in force within a second, without notification too.
    fn default() -> Self {
        Self {
            poll: Duration::from_millis(500),
            quiet: Duration::from_millis(200),
            patience: Duration::from_millis(800),
            notify: true,
        }
    }
}

/// A thread that refreshes a registry. Ends on drop.
#[derive(Debug)]
pub struct Watch {
    signals: SyncSender<Signal>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signal {
    Changed,
    Stop,
}

impl Watch {
    /// Refreshes `registry` whenever its file is another than at the last refresh.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(registry: Arc<Registry>, settings: WatchSettings) -> io::Result<Self> {
        let (signals, received) = sync_channel(1);
        let mut watching = Watching {
            folder: settings
                .notify
                .then(|| FolderWatch::new(registry.path(), signals.clone())),
            registry,
            settings,
        };
        let thread = std::thread::Builder::new()
            .name("registry-watch".to_owned())
            .spawn(move || watching.run(&received))?;
        Ok(Self {
            signals,
            thread: Some(thread),
        })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Fails only when the thread is gone, which is what is wanted.
        let _ = self.signals.send(Signal::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Watching {
    registry: Arc<Registry>,
    settings: WatchSettings,
    folder: Option<FolderWatch>,
}

impl Watching {
    fn run(&mut self, signals: &Receiver<Signal>) {
        loop {
            if let Some(folder) = &mut self.folder {
                folder.renew();
            }
            let changed = match signals.recv_timeout(self.settings.poll) {
                Ok(Signal::Changed) => true,
                Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => self.registry.is_stale(),
            };
            if changed {
                if self.settle(signals) == Signal::Stop {
                    return;
                }
                self.registry.refresh();
            }
        }
    }

    /// Waits until the file is quiet.
    fn settle(&self, signals: &Receiver<Signal>) -> Signal {
        let limit = Instant::now() + self.settings.patience;
        loop {
            let before = Fingerprint::of(self.registry.path());
            match signals.recv_timeout(self.settings.quiet) {
                Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return Signal::Stop,
                Ok(Signal::Changed) => {}
                Err(RecvTimeoutError::Timeout) => {
                    if Fingerprint::of(self.registry.path()) == before {
                        return Signal::Changed;
                    }
                }
            }
            if Instant::now() >= limit {
                return Signal::Changed;
            }
        }
    }
}

/// Asks the operating system to tell of changes in the registry's folder.
struct FolderWatch {
    folder: PathBuf,
    file: PathBuf,
    signals: SyncSender<Signal>,
    /// Kept while it works, with the folder that it is of: a folder may be replaced too.
    watcher: Option<(RecommendedWatcher, u64)>,
    complained: bool,
}

impl FolderWatch {
    fn new(path: &Path, signals: SyncSender<Signal>) -> Self {
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        Self {
            folder: folder.to_owned(),
            file: path.to_owned(),
            signals,
            watcher: None,
            complained: false,
        }
    }

    /// Watches the folder that is there now, where that is another one than before.
    fn renew(&mut self) {
        let inode = std::fs::metadata(&self.folder).map(|folder| folder.ino());
        let Ok(inode) = inode else {
            self.watcher = None;
            return;
        };
        if self.watcher.as_ref().is_some_and(|(_, of)| *of == inode) {
            return;
        }
        match self.watcher() {
            Ok(watcher) => self.watcher = Some((watcher, inode)),
            Err(error) if !self.complained => {
                self.complained = true;
                tracing::warn!(folder = %self.folder.display(), %error, "cannot watch the folder; the registry is only looked at");
            }
            Err(_) => {}
        }
    }

    fn watcher(&self) -> notify::Result<RecommendedWatcher> {
        let signals = self.signals.clone();
        let file = self.file.file_name().map(OsStr::to_owned);
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // An error is most likely a lost event.
            let concerned = event.map_or(true, |event| concerns(&event, file.as_deref()));
            if concerned {
                // A full queue says already what this one would.
                match signals.try_send(Signal::Changed) {
                    Ok(()) | Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
                }
            }
        })?;
        watcher.watch(&self.folder, RecursiveMode::NonRecursive)?;
        Ok(watcher)
    }
}

/// Whether an event may be a change of the file. Reading it is none, or every refresh would bring the next one.
fn concerns(event: &Event, file: Option<&OsStr>) -> bool {
    let changes = match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        EventKind::Any
        | EventKind::Create(_)
        | EventKind::Modify(_)
        | EventKind::Remove(_)
        | EventKind::Other => true,
    };
    let named = event.paths.iter().any(|path| path.file_name() == file);
    changes && (event.paths.is_empty() || named)
}
