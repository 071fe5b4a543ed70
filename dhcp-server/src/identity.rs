//! The DUID of a DHCPv6 server: configured, or made once and kept (RFC 9915 §11).

use crate::clock::Clock;
use outrigger_config::model::ServerId;
use outrigger_wire::Duid;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// File beside the leases that keeps a DUID the server made.
const FILE: &str = "kea-dhcp6-serverid";

/// 2000-01-01 UTC, from which a DUID-LLT counts.
const LLT_EPOCH: u64 = 946_684_800;

/// Kea's default enterprise number for a DUID-EN.
const DEFAULT_ENTERPRISE: u32 = 2495;

/// Why there is no DUID.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file cannot be read or written.
    #[error("cannot {operation} the server identifier {}: check owner and rights of the directory", path.display())]
    File {
        /// `read` or `write`.
        operation: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{} holds no DUID: expected 3 to 130 bytes as hex; correct it or remove it to have a new one made", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
    },
    /// What is configured makes no DUID.
    #[error("server-id makes no DUID: it would have {0} bytes, not 3 to 130")]
    Configured(usize),
}

/// The DUID to use: what is configured whole, else what is kept in `directory`, else a new one that is kept there.
/// `hardware` is hardware type and address of an interface, for a DUID of type LL or LLT.
///
/// # Errors
/// See [`IdentityError`].
pub fn server_duid(
    configured: Option<&ServerId>,
    directory: &Path,
    hardware: Option<(u16, Vec<u8>)>,
    clock: &Clock,
) -> Result<Duid, IdentityError> {
    let path = directory.join(FILE);
    let whole = configured.is_some_and(|id| !id.identifier.is_empty());
    if !whole && let Some(kept) = read(&path)? {
        return Ok(kept);
    }
    let bytes = compose(configured, hardware, clock);
    let duid = Duid::new(&bytes).ok_or(IdentityError::Configured(bytes.len()))?;
    if !whole && configured.is_none_or(|id| id.persist) {
        write(&path, &duid).map_err(|source| IdentityError::File {
            operation: "write",
            path,
            source,
        })?;
    }
    Ok(duid)
}

fn read(path: &Path) -> Result<Option<Duid>, IdentityError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(IdentityError::File {
                operation: "read",
                path: path.to_owned(),
                source,
            });
        }
    };
    let bytes: Option<Vec<u8>> = text
        .trim()
        .split(':')
        .map(|pair| u8::from_str_radix(pair, 16).ok())
        .collect();
    let duid = bytes.and_then(|bytes| Duid::new(&bytes));
    duid.map(Some).ok_or_else(|| IdentityError::Unreadable {
        path: path.to_owned(),
    })
}

/// Never half written: a server that changes its DUID looks like another one to its clients.
fn write(path: &Path, duid: &Duid) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = std::fs::File::create(&fresh)?;
    writeln!(file, "{duid}")?;
    file.sync_all()?;
    std::fs::rename(&fresh, path)?;
    match path.parent() {
        Some(directory) => std::fs::File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}

fn compose(
    configured: Option<&ServerId>,
    hardware: Option<(u16, Vec<u8>)>,
    clock: &Clock,
) -> Vec<u8> {
    let id = configured.cloned().unwrap_or(ServerId {
        duid_type: 1,
        htype: 0,
        identifier: Vec::new(),
        time: 0,
        enterprise_id: 0,
        persist: true,
    });
    let (htype, address) = match (&id.identifier, hardware) {
        (configured, _) if !configured.is_empty() => (id.htype.max(1), configured.clone()),
        (_, Some((htype, address))) => (if id.htype == 0 { htype } else { id.htype }, address),
        (_, None) => (1, random_address()),
    };
    let mut duid = id.duid_type.to_be_bytes().to_vec();
    match id.duid_type {
        2 => {
            let enterprise = if id.enterprise_id == 0 {
                DEFAULT_ENTERPRISE
            } else {
                id.enterprise_id
            };
            duid.extend(enterprise.to_be_bytes());
        }
        3 => duid.extend(htype.to_be_bytes()),
        _ => {
            let now = clock.now().saturating_sub(LLT_EPOCH) & u64::from(u32::MAX);
            let time = if id.time == 0 {
                u32::try_from(now).unwrap_or(0)
            } else {
                id.time
            };
            duid.extend(htype.to_be_bytes());
            duid.extend(time.to_be_bytes());
        }
    }
    duid.extend(address);
    duid
}

/// Locally administered, for a machine without any hardware address.
fn random_address() -> Vec<u8> {
    use std::hash::{BuildHasher, RandomState};
    let random = RandomState::new().hash_one("server-id").to_be_bytes();
    let mut address = random[..6].to_vec();
    address[0] = (address[0] | 0x02) & 0xfe;
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_duid_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let hardware = Some((1, vec![2, 0, 0, 0, 0, 1]));
        let first = server_duid(None, directory.path(), hardware, &Clock::default()).unwrap();
        assert_eq!(&first.bytes()[..4], [0, 1, 0, 1]);
        assert!(first.bytes().ends_with(&[2, 0, 0, 0, 0, 1]));
        let again = server_duid(
            None,
            directory.path(),
            Some((1, vec![9; 6])),
            &Clock::default(),
        )
        .unwrap();
        assert_eq!(first, again);
    }

    #[test]
    fn a_configured_duid_is_used_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let id = ServerId {
            duid_type: 2,
            htype: 0,
            identifier: vec![0xab, 0xcd],
            time: 0,
            enterprise_id: 4491,
            persist: true,
        };
        let duid = server_duid(Some(&id), directory.path(), None, &Clock::default()).unwrap();
        assert_eq!(duid.bytes(), [0, 2, 0, 0, 0x11, 0x8b, 0xab, 0xcd]);
        assert!(!directory.path().join(FILE).exists());
    }

    #[test]
    fn a_damaged_file_is_named() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(FILE), "not hex").unwrap();
        let error = server_duid(None, directory.path(), None, &Clock::default()).unwrap_err();
        assert!(error.to_string().contains(FILE), "{error}");
    }
}
