//! Each callout, on described packets: the tables of the library's behaviour, with our decision where they differ.

mod v4;
mod v6;

use super::*;
use outrigger_hook_sdk::v1;
use std::path::PathBuf;

const RESTRICTED: u32 = 2;

/// A registry, an outcome file and the hook on them.
struct Fixture {
    hook: UserChk,
    outcome_path: PathBuf,
    registry_path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Fixture {
    /// With these registry lines.
    fn new(lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let registry_path = folder.path().join("registry.txt");
        let outcome_path = folder.path().join("outcome.txt");
        std::fs::write(&registry_path, lines).unwrap();
        let counters = Arc::new(Counters::default());
        let registry = Arc::new(Registry::new(&registry_path, Arc::clone(&counters)));
        registry.refresh();
        assert!(registry.current().is_some(), "{:?}", registry.problem());
        let outcome = Outcome::open(&outcome_path, Arc::clone(&counters)).unwrap();
        Self {
            hook: UserChk {
                registry,
                outcome: Arc::new(outcome),
                counters,
                settings: Settings {
                    restricted_subnet_id: Some(RESTRICTED),
                    option_overrides: true,
                    outcome_records: true,
                },
            },
            outcome_path,
            registry_path,
            _folder: folder,
        }
    }

    fn rewrite_registry(&self, lines: &str) {
        std::fs::write(&self.registry_path, lines).unwrap();
        self.hook.registry.refresh();
    }

    /// What is in the outcome file after everything queued is written.
    fn records(self) -> String {
        drop(self.hook);
        std::fs::read_to_string(&self.outcome_path).unwrap()
    }
}

fn set(path: &[u32], data: impl Into<bytes::Bytes>) -> v1::OptionEdit {
    v1::OptionEdit {
        action: v1::option_edit::Action::Set.into(),
        path: path.to_vec(),
        enterprise: 0,
        data: data.into(),
    }
}
