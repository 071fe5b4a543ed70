//! The languages that services of the tests are written in.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::place;

/// A language with an SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// `hook-runner/sdk`
    Rust,
    /// `hooks/python/sdk`
    Python,
    /// `hooks/go/sdk`
    Go,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Rust, Self::Python, Self::Go];

    /// The service that does wrong what it is told to (`tests/service`).
    ///
    /// # Panics
    ///
    /// When it has not been built.
    #[must_use]
    #[track_caller]
    pub fn test_service(self) -> Command {
        match self {
            Self::Rust => Command::new(place::program("outrigger-test-service")),
            Self::Python => python_file("tests/service/python/service.py"),
            Self::Go => Command::new(place::program("outrigger-test-service-go")),
        }
    }

    /// The user_chk service.
    ///
    /// # Panics
    ///
    /// When it has not been built.
    #[must_use]
    #[track_caller]
    pub fn user_chk(self) -> Command {
        match self {
            Self::Rust => Command::new(place::program("user-chk")),
            Self::Python => {
                let mut command = Command::new(python());
                command.args(["-m", "user_chk"]);
                command
            }
            Self::Go => Command::new(place::program("user-chk-go")),
        }
    }
}

/// The Python that `scripts/install-test-needs` makes: it has the SDK.
///
/// # Panics
///
/// When it is not there.
#[must_use]
#[track_caller]
pub fn python() -> PathBuf {
    let of_builds = || {
        let test = env::current_exe().expect("the running program has a path");
        let target = test.ancestors().nth(3).map(Path::to_owned);
        target.unwrap_or_default().join("test-venv")
    };
    let folder = env::var_os("OUTRIGGER_TEST_VENV").map_or_else(of_builds, PathBuf::from);
    let python = folder.join("bin/python");
    assert!(
        python.is_file(),
        "{} is missing: `make needs` makes it; OUTRIGGER_TEST_VENV names another folder to look in",
        python.display()
    );
    python
}

/// A file of this repository, run by [`python`].
///
/// # Panics
///
/// As [`python`].
#[must_use]
#[track_caller]
pub fn python_file(path: &str) -> Command {
    let mut command = Command::new(python());
    command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(repository().join(path));
    command
}

/// The checkout that these tests belong to.
#[must_use]
pub fn repository() -> &'static Path {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests)
}
