//! Why a server does not start or does not take a configuration.

use crate::api::ApiError;
use crate::control::ControlError;
use crate::identity::IdentityError;
use crate::net::NetError;
use outrigger_hooks::StartFailure;
use outrigger_store::StoreError;
use outrigger_store::memfile::ImportError;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Why a server does not start or does not take a configuration.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Kea's leases were not taken over.
    #[error(
        "{} holds {leases} leases of Kea and there is no journal yet: import them with --import-leases, or start with \
         --ignore-kea-leases if none of these addresses is in use any more",
        file.display()
    )]
    ForeignLeases {
        /// Kea's lease file.
        file: PathBuf,
        /// How many leases are in it.
        leases: usize,
    },
    /// Kea's lease file cannot be read, or the journal's directory not be made.
    #[error("cannot read or write the leases in {}", file.display())]
    LeaseFile {
        /// Which.
        file: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The leases cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The server has no name.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// A hook service refuses or is missing.
    #[error(transparent)]
    Hooks(#[from] StartFailure),
    /// Hook services took longer than a command waits for them.
    #[error("hook services were not ready within {seconds} s")]
    NotReady {
        /// How long that is.
        seconds: u64,
    },
    /// A hook service refuses the configuration at `dhcpN_srv_configured`, or its call failed there and the policy is to
    /// drop.
    #[error("hook service {service} refuses the configuration: {why}")]
    Refused {
        /// Its name.
        service: Arc<str>,
        /// What it said, or how the call failed.
        why: String,
    },
    /// The configuration has mistakes: each on a line of its own, with its position.
    #[error("{0}")]
    Wrong(String),
    /// A socket cannot be opened.
    #[error(transparent)]
    Net(#[from] NetError),
    /// A control socket cannot be opened.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The API for hook services cannot be opened.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The change was made from a configuration that does not hold any more.
    #[error("the configuration was changed meanwhile")]
    Outdated,
    /// No more threads or descriptors.
    #[error("cannot start the packet threads")]
    Threads(#[source] io::Error),
    /// The files on the command line now hold another family.
    #[error("a configuration of a family that this process does not serve: restart it")]
    OtherFamily,
    /// Kea's leases cannot be taken over.
    #[error("cannot import leases")]
    Import(#[source] ImportError),
    /// The journal has leases already.
    #[error("{} exists already: leases are imported into a new journal only", .0.display())]
    JournalExists(PathBuf),
    /// A change that needs a new process.
    #[error("lease-database cannot change while the server runs: restart it")]
    OtherDatabase,
}

impl StartError {
    /// As in sysexits.h: 74 input/output, 78 configuration.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::ForeignLeases { .. }
            | Self::Hooks(_)
            | Self::NotReady { .. }
            | Self::Refused { .. }
            | Self::Wrong(_)
            | Self::OtherDatabase
            | Self::OtherFamily
            | Self::Outdated
            | Self::Import(_)
            | Self::JournalExists(_) => 78,
            Self::Net(error) if error.is_configuration() => 78,
            Self::Store(_)
            | Self::Api(_)
            | Self::Control(_)
            | Self::Identity(_)
            | Self::LeaseFile { .. }
            | Self::Net(_)
            | Self::Threads(_) => 74,
        }
    }
}

/// An error with its causes on one line.
pub struct Chain<'e>(pub &'e dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}
