//! The server's control socket: what its lease store holds and what it has counted.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use outrigger_lab::{Family, PATIENCE};
use serde_json::{Value, json};

/// Where commands go.
pub(crate) struct Control {
    path: PathBuf,
    digit: char,
}

/// Every statistic with its value.
pub(crate) type Statistics = BTreeMap<String, i128>;

impl Control {
    /// The socket in this directory.
    pub(crate) fn of(dir: &Path, family: Family) -> Self {
        Self {
            path: dir.join("control.sock"),
            digit: family.digit(),
        }
    }

    /// The answer to a command.
    pub(crate) fn ask(&self, command: &str, arguments: Option<Value>) -> Value {
        let mut document = json!({ "command": command });
        if let Some(arguments) = arguments {
            document["arguments"] = arguments;
        }
        let mut stream = UnixStream::connect(&self.path).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(document.to_string().as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{command}: {error}: {answer}"))
    }

    /// What has been counted so far.
    pub(crate) fn statistics(&self) -> Statistics {
        let answer = self.ask("statistic-get-all", None);
        let all = answer["arguments"].as_object();
        let all = all.unwrap_or_else(|| panic!("no statistics: {answer}"));
        let number = |sample: &Value| sample[0][0].as_i64().map(i128::from);
        all.iter()
            .filter_map(|(name, sample)| Some((name.clone(), number(sample)?)))
            .collect()
    }

    /// Every lease.
    pub(crate) fn leases(&self) -> Vec<Value> {
        let answer = self.ask(&format!("lease{}-get-all", self.digit), None);
        let found = answer["arguments"]["leases"].as_array().cloned();
        // Result 3: there are none.
        assert!(
            matches!(answer["result"].as_i64(), Some(0 | 3)),
            "no leases: {answer}"
        );
        found.unwrap_or_default()
    }

    /// Removes every lease.
    pub(crate) fn forget_leases(&self) {
        for lease in self.leases() {
            let mut which = json!({ "ip-address": lease["ip-address"] });
            if self.digit == '6' {
                which["type"] = lease["type"].clone();
            }
            // It may have been reclaimed meanwhile.
            self.ask(&format!("lease{}-del", self.digit), Some(which));
        }
    }
}
