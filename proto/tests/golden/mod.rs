//! Files that are made from the table of hook points.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// Of a path below the repository.
pub(crate) fn path(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(below)
}

/// The committed file is `expected`. `UPDATE=1` writes it anew.
pub(crate) fn check(below: &str, expected: &str) -> Result<(), Box<dyn Error>> {
    let path = path(below);
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().ok_or("a file is in a folder")?)?;
        fs::write(&path, expected)?;
    } else if fs::read_to_string(&path).ok().as_deref() != Some(expected) {
        return Err(format!("{below} is stale: run `make gen`").into());
    }
    Ok(())
}
