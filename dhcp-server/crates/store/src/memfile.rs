//! Kea's lease files, for whoever comes from there.
//!
//! Comma separated text, one row per change of a lease: the last row of an address counts, and a valid lifetime of 0
//! says that the lease is gone. Kea's cleanup moves rows between companions of the file.

mod rows;

use crate::Lease;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{fs, io};

pub use rows::KeaLeaseFile;

/// Why a lease file cannot be imported. Nothing is imported then.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("cannot read Kea's lease file {}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Kea's cleanup is at work and moves rows between the files.
    #[error("Kea's lease file cleanup (process {process}) works on {}: stop Kea, then import", file.display())]
    Busy {
        /// The lease file.
        file: PathBuf,
        /// The number of the process.
        process: u32,
    },
    /// A line is not what Kea writes.
    #[error("{}:{line}: {problem}; correct or delete that line, then import again", file.display())]
    Line {
        /// The file, maybe a companion of the one asked for.
        file: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong.
        problem: &'static str,
    },
}

/// How many leases Kea's lease file `path` and its companions hold, expired ones included; `None` where there is no
/// such file. Rows that make no sense are passed over.
///
/// # Errors
/// A file exists and cannot be read.
pub fn kea_lease_file_has_leases(path: &Path) -> io::Result<Option<usize>> {
    let files = existing(path)?;
    let mut leases = BTreeSet::new();
    for file in &files {
        let text = read(file)?;
        let mut lines = text.lines();
        let header: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
        let column = |name| header.iter().position(|column| *column == name);
        let (Some(address), Some(lifetime)) = (column("address"), column("valid_lifetime")) else {
            continue;
        };
        for line in lines {
            let fields: Vec<&str> = line.split(',').collect();
            match (fields.get(address), fields.get(lifetime)) {
                (Some(address), Some(&"0")) => leases.remove(*address),
                (Some(address), Some(_)) => leases.insert((*address).to_owned()),
                _ => false,
            };
        }
    }
    Ok((!files.is_empty()).then_some(leases.len()))
}

/// Every lease in Kea's lease file `path` and its companions, expired ones included, by address.
///
/// # Errors
/// See [`ImportError`]. A file that does not exist is unreadable.
pub fn import<F: KeaLeaseFile>(path: &Path) -> Result<Vec<Lease<F>>, ImportError> {
    if let Some(process) = cleanup_at_work(path) {
        return Err(ImportError::Busy {
            file: path.to_owned(),
            process,
        });
    }
    let unreadable = |file: &Path| {
        let file = file.to_owned();
        move |source| ImportError::Unreadable { file, source }
    };
    let mut files = existing(path).map_err(unreadable(path))?;
    if files.is_empty() {
        files.push(path.to_owned());
    }
    let mut leases = BTreeMap::new();
    for file in files {
        let text = read(&file).map_err(unreadable(&file))?;
        import_text(&text, &mut leases).map_err(|(line, problem)| ImportError::Line {
            file,
            line,
            problem,
        })?;
    }
    Ok(leases.into_values().collect())
}

fn import_text<F: KeaLeaseFile>(
    text: &str,
    leases: &mut BTreeMap<F::Resource, Lease<F>>,
) -> Result<(), (usize, &'static str)> {
    let mut lines = text.lines().zip(1..);
    let Some((header, _)) = lines.next() else {
        return Ok(());
    };
    let columns = rows::columns::<F>(header).map_err(|problem| (1, problem))?;
    for (line, number) in lines.filter(|(line, _)| !line.is_empty()) {
        let lease = rows::lease::<F>(line, columns).map_err(|problem| (number, problem))?;
        if lease.valid_lifetime == 0 {
            leases.remove(&lease.resource);
        } else {
            leases.insert(lease.resource, lease);
        }
    }
    Ok(())
}

/// The files that hold rows, in the order in which they were written.
fn existing(path: &Path) -> io::Result<Vec<PathBuf>> {
    let completed = companion(path, ".completed");
    let older = if completed.try_exists()? {
        vec![completed]
    } else {
        vec![companion(path, ".2"), companion(path, ".1")]
    };
    let mut files = Vec::new();
    for file in older.into_iter().chain([path.to_owned()]) {
        if file.try_exists()? {
            files.push(file);
        }
    }
    Ok(files)
}

fn companion(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// The process that runs Kea's cleanup, if it lives.
fn cleanup_at_work(path: &Path) -> Option<u32> {
    let process: u32 = fs::read_to_string(companion(path, ".pid"))
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Path::new("/proc")
        .join(process.to_string())
        .exists()
        .then_some(process)
}

/// Older versions of Kea wrote host names as the client sent them, whatever the bytes.
fn read(file: &Path) -> io::Result<String> {
    Ok(String::from_utf8_lossy(&fs::read(file)?).into_owned())
}

#[cfg(test)]
mod tests;
