//! What is on stable storage, in a directory of its own.
//!
//! ```text
//! inodes/7              content of a file, by number
//! names/journal-1       its name, a hard link, once its directory was synced
//! ```

use crate::testing::forgetful::{NameChange, Write};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Smallest piece a disk writes as a whole.
const SECTOR: usize = 512;
const UNFINISHED: &str = ".unfinished";

#[derive(Debug)]
pub(crate) struct Image {
    inodes: PathBuf,
    names: PathBuf,
    next_inode: u64,
}

impl Image {
    pub(crate) fn exists(durable: &Path) -> bool {
        durable.join("names").is_dir()
    }

    pub(crate) fn open(durable: &Path) -> io::Result<Self> {
        let image = Self {
            inodes: durable.join("inodes"),
            names: durable.join("names"),
            next_inode: 1,
        };
        fs::create_dir_all(&image.names)?;
        Ok(image)
    }

    pub(crate) fn next_inode(&mut self) -> u64 {
        self.next_inode += 1;
        self.next_inode - 1
    }

    /// Makes `working` equal to the image and numbers the files anew. The store's lock file is nobody's data.
    pub(crate) fn restore(&mut self, working: &Path) -> io::Result<BTreeMap<String, u64>> {
        for name in file_names(working)?
            .into_iter()
            .filter(|name| name != "lock")
        {
            fs::remove_file(working.join(name))?;
        }
        if self.inodes.is_dir() {
            fs::remove_dir_all(&self.inodes)?;
        }
        fs::create_dir_all(&self.inodes)?;
        let mut names = BTreeMap::new();
        for name in file_names(&self.names)? {
            if name == UNFINISHED {
                fs::remove_file(self.names.join(name))?;
                continue;
            }
            let inode = self.next_inode();
            fs::copy(self.names.join(&name), working.join(&name))?;
            fs::hard_link(self.names.join(&name), self.inode(inode))?;
            names.insert(name, inode);
        }
        Ok(names)
    }

    pub(crate) fn apply(&self, inode: u64, writes: &[Write]) -> io::Result<()> {
        let file = self.content(inode)?;
        writes.iter().try_for_each(|write| match write {
            Write::Bytes { offset, bytes } => file.write_all_at(bytes, *offset),
            Write::Truncate { len } => file.set_len(*len),
        })
    }

    pub(crate) fn apply_name(&self, change: &NameChange) -> io::Result<()> {
        match change {
            NameChange::Add { name, inode } => self.link(*inode, name),
            NameChange::Rename { from, to, inode } => {
                self.link(*inode, to)?;
                self.unlink(from)
            }
            NameChange::Remove { name } => self.unlink(name),
        }
    }

    /// Applies a part of what was not synced.
    pub(crate) fn keep_some(
        &self,
        seed: u64,
        names: Vec<NameChange>,
        writes: BTreeMap<u64, Vec<Write>>,
    ) -> io::Result<()> {
        let mut dice = Dice(seed);
        for (inode, writes) in writes {
            let survivors: Vec<Write> = writes
                .into_iter()
                .flat_map(|write| dice.survivors(write))
                .collect();
            self.apply(inode, &survivors)?;
        }
        names
            .iter()
            .filter(|_| dice.roll(2) == 0)
            .try_for_each(|change| self.apply_name(change))
    }

    fn link(&self, inode: u64, name: &str) -> io::Result<()> {
        self.content(inode)?;
        let unfinished = self.names.join(UNFINISHED);
        fs::hard_link(self.inode(inode), &unfinished)?;
        fs::rename(&unfinished, self.names.join(name))?;
        // Renaming one name of a file onto another of its names does nothing.
        match fs::remove_file(unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn unlink(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.names.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn content(&self, inode: u64) -> io::Result<File> {
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.inode(inode))
    }

    fn inode(&self, inode: u64) -> PathBuf {
        self.inodes.join(inode.to_string())
    }
}

fn file_names(directory: &Path) -> io::Result<Vec<String>> {
    let names =
        fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    names.collect()
}

/// Repeatable chance (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }

    /// What of a write is left: all, nothing, its beginning, or some of its sectors.
    fn survivors(&mut self, write: Write) -> Vec<Write> {
        let Write::Bytes { offset, mut bytes } = write else {
            return if self.roll(2) == 0 {
                vec![write]
            } else {
                Vec::new()
            };
        };
        match self.roll(4) {
            0 => vec![Write::Bytes { offset, bytes }],
            1 => Vec::new(),
            2 => {
                let len = self.roll(bytes.len() as u64 + 1);
                bytes.truncate(usize::try_from(len).unwrap_or(usize::MAX));
                vec![Write::Bytes { offset, bytes }]
            }
            _ => {
                let sectors = (offset..).step_by(SECTOR).zip(bytes.chunks(SECTOR));
                let kept = sectors.filter(|_| self.roll(2) == 0);
                kept.map(|(offset, bytes)| Write::Bytes {
                    offset,
                    bytes: bytes.to_vec(),
                })
                .collect()
            }
        }
    }
}
