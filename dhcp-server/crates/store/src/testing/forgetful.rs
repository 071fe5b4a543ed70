//! A file layer that forgets what was not synced, and fails on request.
//!
//! The store works on a directory as ever. Beside it there is the *image*: what would be found there if the machine
//! lost power now. A write reaches the image when a `fdatasync` of its file finishes, a name when its directory is
//! synced.
//!
//! In a test, [`ForgetfulFiles::crash`] makes the working directory equal to the image (plus, if wanted, a random
//! part of what was under way); every layer and file from before is dead, the store is opened anew.
//!
//! For a whole server there is [`ForgetfulFiles::from_env`]: kill the process, start it again with the same
//! environment. Making a `ForgetfulFiles` always starts from the image, so the new process finds what a power cut
//! at the moment of the kill would have left.

use crate::files::{FileLayer, OsFiles, StoreFile};
use crate::testing::image::Image;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Where the images of [`ForgetfulFiles::from_env`] are kept.
pub const ENVIRONMENT: &str = "OUTRIGGER_TEST_FORGETFUL_DIR";
/// Set to anything, it makes syncs of [`ForgetfulFiles::from_env`] do nothing: a test of the test that looks for lost
/// leases.
pub const IGNORE_SYNC: &str = "OUTRIGGER_TEST_IGNORE_SYNC";

/// What a crash leaves of writes and names that were not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Survivors {
    /// Nothing.
    Nothing,
    /// A part that this seed decides: writes kept, dropped, cut or with single sectors missing, and names likewise.
    Some(u64),
}

/// A disk under one flat directory that forgets what was not synced. Clones are the same disk.
#[derive(Debug, Clone)]
pub struct ForgetfulFiles {
    disk: Arc<Disk>,
}

#[derive(Debug)]
struct Disk {
    state: Mutex<State>,
    /// Somebody waits in a held sync, or the hold is over.
    gate: Condvar,
}

#[derive(Debug)]
struct State {
    working: PathBuf,
    image: Image,
    /// Grows with every crash; layers and files of an older one are dead.
    epoch: u64,
    names: BTreeMap<String, u64>,
    unsynced_names: Vec<NameChange>,
    unsynced: BTreeMap<u64, Vec<Write>>,
    faults: Faults,
    operations: u64,
    syncs: u64,
    held: usize,
}

/// A change of a directory that is not on stable storage.
#[derive(Debug, Clone)]
pub(crate) enum NameChange {
    Add {
        name: String,
        inode: u64,
    },
    Rename {
        from: String,
        to: String,
        inode: u64,
    },
    Remove {
        name: String,
    },
}

/// A change of a file that is not on stable storage.
#[derive(Debug, Clone)]
pub(crate) enum Write {
    Bytes { offset: u64, bytes: Vec<u8> },
    Truncate { len: u64 },
}

#[derive(Debug, Default)]
struct Faults {
    space: Option<u64>,
    fail_sync: bool,
    fail_create: bool,
    ignore_syncs: bool,
    hold_syncs: bool,
    power_until: Option<u64>,
}

impl ForgetfulFiles {
    /// Makes `working` equal to the image kept in `durable`; both are made where missing.
    ///
    /// # Errors
    /// As the system says, and `AlreadyExists` where `working` holds files and there is no image yet: they are not
    /// to be deleted by mistake.
    pub fn new(working: &Path, durable: &Path) -> io::Result<Self> {
        OsFiles.create_dir(working)?;
        if !Image::exists(durable) && fs::read_dir(working)?.next().is_some() {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "the directory holds files and there is no image of it: start with an empty one",
            ));
        }
        let mut image = Image::open(durable)?;
        let names = image.restore(working)?;
        let state = State {
            working: working.to_owned(),
            image,
            epoch: 0,
            names,
            unsynced_names: Vec::new(),
            unsynced: BTreeMap::new(),
            faults: Faults::default(),
            operations: 0,
            syncs: 0,
            held: 0,
        };
        Ok(Self {
            disk: Arc::new(Disk {
                state: Mutex::new(state),
                gate: Condvar::new(),
            }),
        })
    }

    /// For a process that is to be killed: the layer for the lease directory `working` if
    /// `OUTRIGGER_TEST_FORGETFUL_DIR` is set; its image is in the folder of the same name there.
    #[must_use]
    pub fn from_env(working: &Path) -> Option<io::Result<Self>> {
        let images = PathBuf::from(std::env::var_os(ENVIRONMENT)?);
        let image = images.join(working.file_name().unwrap_or_default());
        let files = Self::new(working, &image);
        if let (Ok(files), Some(_)) = (&files, std::env::var_os(IGNORE_SYNC)) {
            files.ignore_syncs();
        }
        Some(files)
    }

    /// What a store is opened with. Dead after the next crash, as the processes of the machine are.
    #[must_use]
    pub fn layer(&self) -> Arc<dyn FileLayer> {
        let epoch = self.state().epoch;
        Arc::new(Boot {
            files: self.clone(),
            epoch,
        })
    }

    /// The power goes and comes back: the working directory holds what was synced, and the survivors.
    ///
    /// # Errors
    /// As the system says.
    pub fn crash(&self, survivors: Survivors) -> io::Result<()> {
        let state = &mut *self.state();
        state.epoch += 1;
        let (names, writes) = (
            std::mem::take(&mut state.unsynced_names),
            std::mem::take(&mut state.unsynced),
        );
        if let Survivors::Some(seed) = survivors {
            state.image.keep_some(seed, names, writes)?;
        }
        state.names = state.image.restore(&state.working)?;
        state.faults = Faults::default();
        self.disk.gate.notify_all();
        Ok(())
    }

    /// The power goes before operation number `operation` from now (0 is the next): it and all later ones fail.
    pub fn power_goes_after(&self, operation: u64) {
        let state = &mut *self.state();
        state.faults.power_until = Some(state.operations + operation);
    }

    /// How many operations there were.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// How many syncs of files finished.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.state().syncs
    }

    /// Lets only so many more bytes be written; `None` for any number.
    pub fn set_space(&self, bytes: Option<u64>) {
        self.state().faults.space = bytes;
    }

    /// The next sync of a file fails with `EIO`, and what it was to sync is lost although later syncs succeed, as
    /// Linux does it.
    pub fn fail_next_sync(&self) {
        self.state().faults.fail_sync = true;
    }

    /// The next file is made, but cannot be opened.
    pub fn fail_next_create(&self) {
        self.state().faults.fail_create = true;
    }

    /// Syncs claim success and do nothing: what tests of durability must notice.
    pub fn ignore_syncs(&self) {
        self.state().faults.ignore_syncs = true;
    }

    /// Syncs of files wait until [`Self::release_syncs`].
    pub fn hold_syncs(&self) {
        self.state().faults.hold_syncs = true;
    }

    /// Ends [`Self::hold_syncs`].
    pub fn release_syncs(&self) {
        self.state().faults.hold_syncs = false;
        self.disk.gate.notify_all();
    }

    /// Blocks until some sync is being held.
    pub fn wait_for_held_sync(&self) {
        let none = |state: &mut State| state.held == 0;
        drop(
            self.disk
                .gate
                .wait_while(self.state(), none)
                .unwrap_or_else(PoisonError::into_inner),
        );
    }

    /// The disk, unless it crashed since.
    fn state_of(&self, epoch: u64) -> io::Result<MutexGuard<'_, State>> {
        let state = self.state();
        if state.epoch == epoch {
            Ok(state)
        } else {
            Err(io::Error::other("the machine crashed since"))
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.disk
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Counts an operation. Fails when the power is gone; says whether it goes during this operation, which may
    /// then leave traces.
    fn step(&mut self) -> io::Result<Power> {
        self.operations += 1;
        match self
            .faults
            .power_until
            .map(|last| self.operations.cmp(&(last + 1)))
        {
            None | Some(Ordering::Less) => Ok(Power::Stays),
            Some(Ordering::Equal) => Ok(Power::Goes),
            Some(Ordering::Greater) => Err(io::Error::other("the power is gone")),
        }
    }

    fn name(&self, path: &Path) -> io::Result<String> {
        let name = path
            .strip_prefix(&self.working)
            .ok()
            .and_then(|name| name.to_str());
        let name = name.filter(|name| !name.is_empty() && !name.contains('/'));
        name.map(str::to_owned)
            .ok_or_else(|| io::Error::other("only files of the working directory are known"))
    }

    fn inode(&self, name: &str) -> io::Result<u64> {
        self.names
            .get(name)
            .copied()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn note(&mut self, inode: u64, write: Write) {
        self.unsynced.entry(inode).or_default().push(write);
    }
}

/// Whether an operation finishes.
#[derive(Debug, Clone, Copy)]
enum Power {
    Stays,
    Goes,
}

impl Power {
    fn stays(self) -> io::Result<()> {
        match self {
            Self::Stays => Ok(()),
            Self::Goes => Err(io::Error::other("the power goes")),
        }
    }
}

/// The layer of one boot of the machine, from [`ForgetfulFiles::layer`].
#[derive(Debug)]
struct Boot {
    files: ForgetfulFiles,
    epoch: u64,
}

impl Boot {
    fn state(&self) -> io::Result<MutexGuard<'_, State>> {
        self.files.state_of(self.epoch)
    }

    fn file(&self, inode: u64, file: Box<dyn StoreFile>) -> Box<dyn StoreFile> {
        let boot = Self {
            files: self.files.clone(),
            epoch: self.epoch,
        };
        Box::new(ForgetfulFile { boot, inode, file })
    }
}

impl FileLayer for Boot {
    /// Durable at once, unlike files.
    fn create_dir(&self, directory: &Path) -> io::Result<()> {
        OsFiles.create_dir(directory)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        self.state()?.step()?.stays()?;
        OsFiles.list(directory)
    }

    fn read(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        self.state()?.step()?.stays()?;
        OsFiles.read(path)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn StoreFile>> {
        let state = &mut *self.state()?;
        let name = state.name(path)?;
        let power = state.step()?;
        let inode = if let Ok(inode) = state.inode(&name) {
            state.note(inode, Write::Truncate { len: 0 });
            inode
        } else {
            let inode = state.image.next_inode();
            state.names.insert(name.clone(), inode);
            state.unsynced_names.push(NameChange::Add { name, inode });
            inode
        };
        power.stays()?;
        let file = OsFiles.create(path)?;
        if std::mem::take(&mut state.faults.fail_create) {
            return Err(io::Error::other("too many open files"));
        }
        Ok(self.file(inode, file))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn StoreFile>> {
        let state = &mut *self.state()?;
        state.step()?.stays()?;
        let inode = state.inode(&state.name(path)?)?;
        Ok(self.file(inode, OsFiles.open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let state = &mut *self.state()?;
        let power = state.step()?;
        let (from_name, to_name) = (state.name(from)?, state.name(to)?);
        let inode = state.inode(&from_name)?;
        state.names.remove(&from_name);
        state.names.insert(to_name.clone(), inode);
        state.unsynced_names.push(NameChange::Rename {
            from: from_name,
            to: to_name,
            inode,
        });
        power.stays()?;
        OsFiles.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let state = &mut *self.state()?;
        let power = state.step()?;
        let name = state.name(path)?;
        state.names.remove(&name);
        state.unsynced_names.push(NameChange::Remove { name });
        power.stays()?;
        OsFiles.remove(path)
    }

    fn sync_dir(&self, _directory: &Path) -> io::Result<()> {
        let state = &mut *self.state()?;
        state.step()?.stays()?;
        if state.faults.ignore_syncs {
            return Ok(());
        }
        for change in std::mem::take(&mut state.unsynced_names) {
            state.image.apply_name(&change)?;
        }
        Ok(())
    }
}

/// A file of [`ForgetfulFiles`].
#[derive(Debug)]
struct ForgetfulFile {
    boot: Boot,
    inode: u64,
    file: Box<dyn StoreFile>,
}

impl StoreFile for ForgetfulFile {
    fn write_all_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.boot.state()?;
        let power = state.step()?;
        let mut fits = bytes.len();
        if let Some(space) = &mut state.faults.space {
            fits = fits.min(usize::try_from(*space).unwrap_or(usize::MAX));
            *space -= fits as u64;
        }
        let written = bytes[..fits].to_vec();
        state.note(
            self.inode,
            Write::Bytes {
                offset,
                bytes: written,
            },
        );
        power.stays()?;
        self.file.write_all_at(&bytes[..fits], offset)?;
        if fits < bytes.len() {
            Err(io::ErrorKind::StorageFull.into())
        } else {
            Ok(())
        }
    }

    fn sync_data(&mut self) -> io::Result<()> {
        let (epoch, gate) = (self.boot.epoch, &self.boot.files.disk.gate);
        let mut state = self.boot.state()?;
        state.step()?.stays()?;
        state.held += 1;
        gate.notify_all();
        let hold = |state: &mut State| state.faults.hold_syncs && state.epoch == epoch;
        let mut state = gate
            .wait_while(state, hold)
            .unwrap_or_else(PoisonError::into_inner);
        state.held -= 1;
        if state.epoch != epoch {
            return Err(io::Error::other("the machine crashed during the sync"));
        }
        state.syncs += 1;
        if state.faults.ignore_syncs {
            return Ok(());
        }
        let writes = state.unsynced.remove(&self.inode).unwrap_or_default();
        if std::mem::take(&mut state.faults.fail_sync) {
            return Err(io::Error::other("input/output error"));
        }
        state.image.apply(self.inode, &writes)
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        let mut state = self.boot.state()?;
        let power = state.step()?;
        state.note(self.inode, Write::Truncate { len });
        power.stays()?;
        self.file.truncate(len)
    }
}
