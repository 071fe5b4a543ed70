//! A small client of the control socket: writes one document, reads to the end.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use outrigger_lab::{Host, PATIENCE, poll};
use serde_json::{Value, json};

/// Where commands go.
pub(crate) struct ControlSocket {
    path: PathBuf,
}

impl ControlSocket {
    /// A socket in the lab's directory.
    pub(crate) fn of(host: &Host) -> Self {
        Self {
            path: host.dir().join("control.sock"),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The configuration with this socket in it.
    pub(crate) fn configured(&self, config: &str) -> String {
        let mut tree: Value = serde_json::from_str(config).unwrap();
        let server = tree.as_object_mut().unwrap().values_mut().next().unwrap();
        server["control-sockets"] = json!([{ "socket-type": "unix", "socket-name": self.path }]);
        tree.to_string()
    }

    /// The answer to a command without arguments.
    pub(crate) fn ask(&self, command: &str) -> Value {
        self.send(&json!({ "command": command }).to_string())
    }

    /// The answer to a command.
    pub(crate) fn ask_with(&self, command: &str, arguments: &Value) -> Value {
        self.send(&json!({ "command": command, "arguments": arguments }).to_string())
    }

    /// The value of a statistic.
    pub(crate) fn statistic(&self, name: &str) -> u64 {
        let answer = self.ask_with("statistic-get", &json!({ "name": name }));
        let value = answer["arguments"][name][0][0].as_u64();
        value.unwrap_or_else(|| panic!("{name}: {answer}"))
    }

    /// Waits until a statistic has this value: counting follows the packet.
    pub(crate) fn wait_for(&self, name: &str, value: u64) {
        let reached = poll(PATIENCE, || (self.statistic(name) == value).then_some(()));
        assert!(reached.is_some(), "{name} is {}", self.statistic(name));
    }

    fn send(&self, document: &str) -> Value {
        let mut stream = UnixStream::connect(&self.path).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(document.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap()
    }
}
