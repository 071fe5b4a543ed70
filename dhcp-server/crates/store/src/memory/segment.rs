//! Files of the lease directory: their names, their headers, and the segment being written.

use crate::StoreError;
use crate::error::is_no_space;
use crate::files::{FileLayer, StoreFile};
use crate::stored::{StoredFamily, take, take_u8, take_u32};
use crc32c::crc32c;
use std::io;
use std::path::{Path, PathBuf};

/// Bytes of a header.
pub(crate) const HEADER: usize = 24;
const VERSION: u16 = 1;
const SUFFIX: &str = ".outrigger";

/// Kinds of files in a lease directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Records from the number in its name on.
    Segment,
    /// The leases as of the record in its name.
    Snapshot,
}

impl Kind {
    const ALL: [Self; 2] = [Self::Segment, Self::Snapshot];

    fn prefix(self) -> &'static str {
        match self {
            Self::Segment => "journal-",
            Self::Snapshot => "snapshot-",
        }
    }

    fn magic(self) -> [u8; 8] {
        match self {
            Self::Segment => *b"OUTRGjrn",
            Self::Snapshot => *b"OUTRGsnp",
        }
    }

    /// `journal-00000000000000000001.outrigger`
    pub(crate) fn path(self, directory: &Path, lsn: u64) -> PathBuf {
        directory.join(format!("{}{lsn:020}{SUFFIX}", self.prefix()))
    }

    /// Kind and number of a file, by its name.
    pub(crate) fn of(name: &str) -> Option<(Self, u64)> {
        Self::ALL.into_iter().find_map(|kind| {
            let digits = name.strip_prefix(kind.prefix())?.strip_suffix(SUFFIX)?;
            Some((kind, digits.parse().ok()?))
        })
    }

    /// Start of a file, little-endian:
    /// magic: [u8; 8] | version: u16 | family: u8 (4 or 6) | 0: u8 | crc32c: u32 of the other fields | lsn: u64.
    pub(crate) fn header<F: StoredFamily>(self, lsn: u64) -> [u8; HEADER] {
        let mut header = [0; HEADER];
        header[..8].copy_from_slice(&self.magic());
        header[8..10].copy_from_slice(&VERSION.to_le_bytes());
        header[10] = F::NUMBER;
        header[16..].copy_from_slice(&lsn.to_le_bytes());
        let crc = crc32c(&header);
        header[12..16].copy_from_slice(&crc.to_le_bytes());
        header
    }

    /// Checks a header against what the file's name says.
    pub(crate) fn check<F: StoredFamily>(
        self,
        header: &[u8],
        lsn: u64,
    ) -> Result<(), &'static str> {
        const SHORT: &str = "the header is cut off";
        let mut rest = header;
        if take::<8>(&mut rest).ok_or(SHORT)? != self.magic() {
            return Err("this is not the kind of file its name says");
        }
        if take::<2>(&mut rest).map(u16::from_le_bytes).ok_or(SHORT)? != VERSION {
            return Err("another version of the server wrote it");
        }
        if take_u8(&mut rest).ok_or(SHORT)? != F::NUMBER {
            return Err("it holds leases of the other protocol");
        }
        take_u32(&mut rest)
            .and_then(|_| take::<8>(&mut rest))
            .ok_or(SHORT)?;
        if header.get(..HEADER) != Some(&self.header::<F>(lsn)) {
            return Err("the header is wrong, or belongs to another file");
        }
        Ok(())
    }
}

/// The segment that records are appended to.
#[derive(Debug)]
pub(crate) struct Segment {
    path: PathBuf,
    file: Box<dyn StoreFile>,
    /// End of what is known to be good; a retry starts here.
    end: u64,
    /// Bytes written behind `end` and not synced yet.
    pending: u64,
}

impl Segment {
    /// Starts a segment whose first record will be `lsn`. Its header and its name are on stable storage after this.
    ///
    /// # Errors
    /// [`StoreError::Unusable`]: no file was made; [`StoreError::NoSpace`]: one may be there, make it again before
    /// anything else is written; [`StoreError::Failed`]: as everywhere.
    pub(crate) fn create<F: StoredFamily>(
        files: &dyn FileLayer,
        directory: &Path,
        lsn: u64,
    ) -> Result<Self, StoreError> {
        let path = Kind::Segment.path(directory, lsn);
        let file = files.create(&path).map_err(|error| {
            if is_no_space(&error) {
                StoreError::NoSpace {
                    directory: directory.to_owned(),
                }
            } else {
                StoreError::unusable("create", &path)(error)
            }
        })?;
        let mut segment = Self {
            path,
            file,
            end: 0,
            pending: 0,
        };
        segment.write(&Kind::Segment.header::<F>(lsn))?;
        segment.sync()?;
        files
            .sync_dir(directory)
            .map_err(StoreError::failed("flush", directory))?;
        Ok(segment)
    }

    /// Goes on behind byte `end` of a segment; what follows there is cut off. Everything before is on stable storage
    /// after this: a process that was killed may have left it in the page cache only.
    pub(crate) fn resume(
        files: &dyn FileLayer,
        path: PathBuf,
        end: u64,
    ) -> Result<Self, StoreError> {
        let mut file = files
            .open(&path)
            .map_err(StoreError::unusable("open", &path))?;
        file.truncate(end)
            .map_err(StoreError::unusable("truncate", &path))?;
        file.sync_data()
            .map_err(StoreError::failed("flush", &path))?;
        Ok(Self {
            path,
            file,
            end,
            pending: 0,
        })
    }

    /// Bytes on stable storage.
    pub(crate) fn len(&self) -> u64 {
        self.end
    }

    /// Writes a batch behind the last good byte. Where the disk is full, nothing of the batch is left behind.
    pub(crate) fn write(&mut self, batch: &[u8]) -> Result<(), StoreError> {
        match self.file.write_all_at(batch, self.end) {
            Ok(()) => {
                self.pending = batch.len() as u64;
                Ok(())
            }
            Err(error) if is_no_space(&error) => self.cut_torn_tail(),
            Err(error) => Err(StoreError::failed("write", &self.path)(error)),
        }
    }

    /// Makes what was written last part of what is known to be good.
    pub(crate) fn sync(&mut self) -> Result<(), StoreError> {
        self.file
            .sync_data()
            .map_err(StoreError::failed("flush", &self.path))?;
        self.end += self.pending;
        self.pending = 0;
        Ok(())
    }

    fn cut_torn_tail(&mut self) -> Result<(), StoreError> {
        self.file
            .truncate(self.end)
            .map_err(StoreError::failed("truncate", &self.path))?;
        let directory = self.path.parent().unwrap_or(&self.path).to_owned();
        Err(StoreError::NoSpace { directory })
    }
}

/// Reads a whole file.
pub(crate) fn read_all(files: &dyn FileLayer, path: &Path) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::new();
    let read = |bytes: &mut Vec<u8>| -> io::Result<usize> { files.read(path)?.read_to_end(bytes) };
    read(&mut bytes).map_err(StoreError::unusable("read", path))?;
    Ok(bytes)
}
