//! The thin layer over the file system, so that tests can put a failing disk below the journal.

use std::fmt::Debug;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::Path;

/// Every call of the journal that changes or reads files.
pub trait FileLayer: Debug + Send + Sync {
    /// Makes a directory (mode 0700) with its parents; one that exists is fine.
    ///
    /// # Errors
    /// As the system says; so for every function here.
    fn create_dir(&self, directory: &Path) -> io::Result<()>;

    /// Names of the files in a directory.
    #[expect(clippy::missing_errors_doc, reason = "said at create_dir")]
    fn list(&self, directory: &Path) -> io::Result<Vec<String>>;

    /// Opens a file for reading.
    #[expect(clippy::missing_errors_doc, reason = "said at create_dir")]
    fn read(&self, path: &Path) -> io::Result<Box<dyn Read + Send>>;

    /// Makes an empty file (mode 0600) for writing; what was there under the name is gone.
    #[expect(clippy::missing_errors_doc, reason = "said at create_dir")]
    fn create(&self, path: &Path) -> io::Result<Box<dyn StoreFile>>;

    /// Opens a file that exists for writing.
    #[expect(clippy::missing_errors_doc, reason = "said at create_dir")]
    fn open(&self, path: &Path) -> io::Result<Box<dyn StoreFile>>;

    /// Gives a file another name in its directory, in place of what has that name.
    #[expect(clippy::missing_errors_doc, reason = "said at create_dir")]
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    #[expect(clippy::missing_errors_doc, reason = "said at create_dir")]
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Returns when creations, renames and removals in the directory are on stable storage.
    #[expect(clippy::missing_errors_doc, reason = "said at create_dir")]
    fn sync_dir(&self, directory: &Path) -> io::Result<()>;
}

/// A file open for writing.
pub trait StoreFile: Debug + Send {
    /// Writes all of `bytes` at `offset`.
    ///
    /// # Errors
    /// As the system says; part of the bytes may have been written then.
    fn write_all_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Returns when the bytes and the length of the file are on stable storage.
    ///
    /// # Errors
    /// As the system says. After an error nothing is known about any byte written since the last success, and a
    /// second call that succeeds proves nothing.
    fn sync_data(&mut self) -> io::Result<()>;

    /// Cuts the file to `len` bytes.
    ///
    /// # Errors
    /// As the system says.
    fn truncate(&mut self, len: u64) -> io::Result<()>;
}

/// The files of the system.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsFiles;

impl FileLayer for OsFiles {
    fn create_dir(&self, directory: &Path) -> io::Result<()> {
        if directory.is_dir() {
            return Ok(());
        }
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)?;
        match directory
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
        {
            Some(parent) => self.sync_dir(parent),
            None => self.sync_dir(Path::new(".")),
        }
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        let names = fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name().into_string().ok()));
        names.filter_map(Result::transpose).collect()
    }

    fn read(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(File::open(path)?))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn StoreFile>> {
        let mut options = OpenOptions::new();
        Ok(Box::new(
            options
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(path)?,
        ))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn StoreFile>> {
        Ok(Box::new(OpenOptions::new().write(true).open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_dir(&self, directory: &Path) -> io::Result<()> {
        File::open(directory)?.sync_all()
    }
}

impl StoreFile for File {
    fn write_all_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        FileExt::write_all_at(self, bytes, offset)
    }

    fn sync_data(&mut self) -> io::Result<()> {
        Self::sync_data(self)
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.set_len(len)
    }
}
