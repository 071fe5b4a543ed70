//! Snapshots: every lease in one file, so that older segments can go.
//!
//! Header (see [`Kind::header`]; its LSN is the cut), then frames, little-endian:
//! len: u32 | crc32c: u32 | leases: [u8; len]. A frame of length 0 ends the leases; behind it end: u64 |
//! count: u64 | crc32c: u32 of both.
//!
//! Leases are copied while the server works. What is copied may be newer than the cut; whatever changed behind the
//! cut is replayed over it from the journal. `end` is the last record that may show in the copy: without the journal
//! up to there the copy could hold half of a change set.

use crate::error::is_no_space;
use crate::files::{FileLayer, StoreFile};
use crate::memory::segment::{HEADER, Kind};
use crate::stored::{StoredFamily, read_lease, write_lease};
use crate::{Lease, Leases, StoreError};
use crc32c::crc32c;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

const MAX_FRAME: u32 = 1 << 30;
const TRAILER: usize = 20;

/// Writes a snapshot beside the others; it counts only once it is finished.
#[derive(Debug)]
pub(crate) struct SnapshotWriter {
    file: Box<dyn StoreFile>,
    temporary: PathBuf,
    path: PathBuf,
    directory: PathBuf,
    written: u64,
    frame: Vec<u8>,
    count: u64,
}

impl SnapshotWriter {
    pub(crate) fn create<F: StoredFamily>(
        files: &dyn FileLayer,
        directory: &Path,
        cut: u64,
    ) -> Result<Self, StoreError> {
        let path = Kind::Snapshot.path(directory, cut);
        let temporary = path.with_extension("tmp");
        let file = files
            .create(&temporary)
            .map_err(StoreError::unusable("create", &temporary))?;
        let directory = directory.to_owned();
        let mut writer = Self {
            file,
            temporary,
            path,
            directory,
            written: 0,
            frame: Vec::new(),
            count: 0,
        };
        writer.write(&Kind::Snapshot.header::<F>(cut))?;
        writer.start_frame();
        Ok(writer)
    }

    pub(crate) fn add<F: StoredFamily>(&mut self, lease: &Lease<F>) {
        write_lease(lease, &mut self.frame);
        self.count += 1;
    }

    /// Writes what was added since the last time.
    pub(crate) fn flush(&mut self) -> Result<(), StoreError> {
        let len = u32::try_from(self.frame.len() - 8)
            .ok()
            .filter(|len| *len <= MAX_FRAME);
        let len = len.ok_or(StoreError::TooLarge {
            size: self.frame.len(),
            limit: MAX_FRAME as usize,
        })?;
        if len > 0 {
            let crc = crc32c(&self.frame[8..]);
            self.frame[..4].copy_from_slice(&len.to_le_bytes());
            self.frame[4..8].copy_from_slice(&crc.to_le_bytes());
            let frame = std::mem::take(&mut self.frame);
            self.write(&frame)?;
            self.frame = frame;
            self.start_frame();
        }
        Ok(())
    }

    /// Makes the snapshot count. The journal is on stable storage up to `end`.
    pub(crate) fn finish(mut self, files: &dyn FileLayer, end: u64) -> Result<(), StoreError> {
        self.flush()?;
        self.write(&[0; 8])?;
        let mut trailer = [0; TRAILER];
        trailer[..8].copy_from_slice(&end.to_le_bytes());
        trailer[8..16].copy_from_slice(&self.count.to_le_bytes());
        let crc = crc32c(&trailer[..16]);
        trailer[16..].copy_from_slice(&crc.to_le_bytes());
        self.write(&trailer)?;
        self.file
            .sync_data()
            .map_err(StoreError::unusable("flush", &self.temporary))?;
        files
            .rename(&self.temporary, &self.path)
            .map_err(StoreError::unusable("rename", &self.temporary))?;
        files
            .sync_dir(&self.directory)
            .map_err(StoreError::unusable("flush", &self.directory))
    }

    /// Where it is written until it counts.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.temporary.clone()
    }

    fn start_frame(&mut self) {
        self.frame.clear();
        self.frame.extend_from_slice(&[0; 8]);
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.file
            .write_all_at(bytes, self.written)
            .map_err(|error| {
                if is_no_space(&error) {
                    StoreError::NoSpace {
                        directory: self.directory.clone(),
                    }
                } else {
                    StoreError::unusable("write", &self.temporary)(error)
                }
            })?;
        self.written += bytes.len() as u64;
        Ok(())
    }
}

/// Reads the snapshot of `cut` and returns the last record that may show in it.
pub(crate) fn read_snapshot<F: StoredFamily>(
    files: &dyn FileLayer,
    directory: &Path,
    cut: u64,
    leases: &mut Leases<F>,
) -> Result<u64, StoreError> {
    let path = Kind::Snapshot.path(directory, cut);
    let file = files
        .read(&path)
        .map_err(StoreError::unusable("read", &path))?;
    let mut reader = SnapshotReader {
        input: BufReader::with_capacity(1 << 18, file),
        path: &path,
        read: 0,
    };
    let header = reader.take::<HEADER>()?;
    Kind::Snapshot
        .check::<F>(&header, cut)
        .map_err(|problem| reader.corrupt(problem))?;
    let mut count = 0;
    let mut frame = Vec::new();
    while reader.frame(&mut frame)? {
        let mut rest = frame.as_slice();
        while !rest.is_empty() {
            let lease = read_lease(&mut rest);
            leases.put(lease.ok_or_else(|| reader.corrupt("a lease is not understood"))?);
            count += 1;
        }
    }
    reader.end(count)
}

struct SnapshotReader<'a> {
    input: BufReader<Box<dyn Read + Send>>,
    path: &'a Path,
    read: usize,
}

impl SnapshotReader<'_> {
    /// Fills `frame` with the next frame; `false` at the end of the leases.
    fn frame(&mut self, frame: &mut Vec<u8>) -> Result<bool, StoreError> {
        let start = self.take::<8>()?;
        let [len, crc] = [&start[..4], &start[4..]]
            .map(|field| u32::from_le_bytes(field.try_into().unwrap_or_default()));
        frame.clear();
        let taken = self.input.by_ref().take(u64::from(len)).read_to_end(frame);
        let taken = taken.map_err(StoreError::unusable("read", self.path))?;
        if taken < len as usize {
            return Err(self.corrupt("it is cut off"));
        }
        if crc != if len == 0 { 0 } else { crc32c(frame) } {
            return Err(self.corrupt("the checksum of the leases that follow is wrong"));
        }
        self.read += taken;
        Ok(len > 0)
    }

    fn end(mut self, count: u64) -> Result<u64, StoreError> {
        let trailer = self.take::<TRAILER>()?;
        let field =
            |at: usize| u64::from_le_bytes(trailer[at..at + 8].try_into().unwrap_or_default());
        if trailer[16..] != crc32c(&trailer[..16]).to_le_bytes() {
            return Err(self.corrupt("the checksum at its end is wrong"));
        }
        if field(8) != count || !self.is_at_end()? {
            return Err(self.corrupt("it holds more or fewer leases than it says"));
        }
        Ok(field(0))
    }

    fn is_at_end(&mut self) -> Result<bool, StoreError> {
        let mut more = [0; 1];
        self.input
            .read(&mut more)
            .map(|count| count == 0)
            .map_err(StoreError::unusable("read", self.path))
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        let mut bytes = [0; N];
        self.input
            .read_exact(&mut bytes)
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::UnexpectedEof => self.corrupt("it is cut off"),
                _ => StoreError::unusable("read", self.path)(error),
            })?;
        self.read += N;
        Ok(bytes)
    }

    fn corrupt(&self, problem: &'static str) -> StoreError {
        StoreError::corrupt(self.path, self.read, problem)
    }
}
