//! Where leases are kept: opens the journal, takes Kea's lease file over.

use super::{Options, StartError};
use crate::served::Served;
use outrigger_config::model::LeaseDatabase;
use outrigger_store::memfile;
use outrigger_store::{Change, FileLayer, OsFiles, Store, StoreOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The directory of the journal: Kea's lease file with `.journal` appended.
#[must_use]
pub fn journal_directory(database: &LeaseDatabase) -> PathBuf {
    with_suffix(&database.lease_file, ".journal")
}

/// The directory that keeps what belongs to the leases.
#[must_use]
pub fn state_directory(database: &LeaseDatabase) -> &Path {
    match database.lease_file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

pub(super) fn open_store<F: Served>(
    database: &LeaseDatabase,
    options: &Options,
) -> Result<Store<F>, StartError> {
    if !database.persist {
        tracing::warn!(
            "LEASES_NOT_KEPT: persist is false, so leases are lost when this process ends"
        );
        return Ok(Store::in_memory());
    }
    let directory = journal_directory(database);
    if !options.ignore_kea_leases && !directory.exists() {
        refuse_foreign_leases(&database.lease_file)?;
    }
    let (store, recovery) =
        Store::open(&directory, StoreOptions::default(), file_layer(&directory)?)?;
    tracing::info!(directory = %directory.display(), ?recovery, "LEASES_RECOVERED");
    Ok(store)
}

/// Leases that are written with one flush when a lease file is imported.
const IMPORT_BATCH: usize = 1000;

/// Takes the leases of Kea's lease file into a new journal; returns how many.
///
/// # Errors
/// There is a journal already, the file does not read, or the journal cannot be written.
pub fn import_leases<F: Served>(database: &LeaseDatabase) -> Result<usize, StartError> {
    let directory = journal_directory(database);
    if directory.exists() {
        return Err(StartError::JournalExists(directory));
    }
    let leases = memfile::import::<F>(&database.lease_file).map_err(StartError::Import)?;
    let count = leases.len();
    let changes: Vec<_> = leases.into_iter().map(Change::Put).collect();
    // Under another name until it is whole: half a journal would pass for all of the leases.
    let partial = with_suffix(&directory, ".importing");
    let failed = |source| StartError::LeaseFile {
        file: partial.clone(),
        source,
    };
    if partial.exists() {
        std::fs::remove_dir_all(&partial).map_err(failed)?;
    }
    let (store, _) = Store::<F>::open(&partial, StoreOptions::default(), file_layer(&partial)?)?;
    for batch in changes.chunks(IMPORT_BATCH) {
        let ticket = store.lock().apply(batch)?;
        store.wait(ticket)?;
    }
    store.shutdown()?;
    drop(store);
    std::fs::rename(&partial, &directory).map_err(failed)?;
    let parent = std::fs::File::open(state_directory(database)).map_err(failed)?;
    parent.sync_all().map_err(failed)?;
    Ok(count)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Never hand out addresses that are in use: a Kea lease file with leases has to be imported first.
fn refuse_foreign_leases(file: &Path) -> Result<(), StartError> {
    let counted = memfile::kea_lease_file_has_leases(file);
    match counted.map_err(|source| StartError::LeaseFile {
        file: file.to_owned(),
        source,
    })? {
        Some(leases) if leases > 0 => Err(StartError::ForeignLeases {
            file: file.to_owned(),
            leases,
        }),
        _ => Ok(()),
    }
}

#[cfg(not(feature = "forgetful"))]
fn file_layer(_: &Path) -> Result<Arc<dyn FileLayer>, StartError> {
    Ok(Arc::new(OsFiles))
}

/// For crash tests: what was never flushed is not in the image that a restart begins with.
#[cfg(feature = "forgetful")]
fn file_layer(directory: &Path) -> Result<Arc<dyn FileLayer>, StartError> {
    match outrigger_store::testing::ForgetfulFiles::from_env(directory) {
        Some(files) => {
            let files = files.map_err(|source| StartError::LeaseFile {
                file: directory.to_owned(),
                source,
            })?;
            Ok(files.layer())
        }
        None => Ok(Arc::new(OsFiles)),
    }
}
