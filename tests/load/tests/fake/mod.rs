//! A small DHCP server that makes errors on purpose.

pub(crate) mod v4;
pub(crate) mod v6;

use std::net::{SocketAddr, UdpSocket};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// What the server does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mischief {
    /// Nothing.
    None,
    /// Answers every message twice; that is no error.
    AnswersTwice,
    /// Gives every client the same address.
    SameAddress,
    /// Offers one address and grants another.
    OtherAddress,
    /// Offers as one server and grants as another.
    OtherServer,
    /// Gives addresses that nobody expects.
    OutsidePrefix,
    /// Leaves out what the relay agent added.
    NoRelayEcho,
    /// Leaves out who it is.
    NoServerId,
    /// Answers another client of the tool.
    OtherClient,
    /// Grants what was only asked for.
    GrantsAtOnce,
    /// Answers with another transaction identifier.
    WrongXid,
    /// Cuts the answer short.
    Cut,
    /// Refuses every grant.
    Refuses,
    /// Says nothing.
    Silent,
    /// Says nothing to requests; it offers.
    SilentToRequests,
}

/// A server on loopback until it is dropped.
pub(crate) struct FakeServer {
    pub(crate) address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl FakeServer {
    /// Answers each datagram with what `answer` returns.
    pub(crate) fn start(
        address: &str,
        answer: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static,
    ) -> Self {
        let socket = UdpSocket::bind(address).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_millis(20)))
            .unwrap();
        let address = socket.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut room = [0; 2048];
            while !stopped.load(Ordering::Relaxed) {
                if let Ok((length, from)) = socket.recv_from(&mut room) {
                    for packet in answer(&room[..length]) {
                        socket.send_to(&packet, from).unwrap();
                    }
                }
            }
        });
        Self {
            address,
            stop,
            thread: Some(thread),
        }
    }

    /// Runs the tool against this server and returns what it printed and its JSON report.
    pub(crate) fn load(&self, scenario: &str, more: &[&str]) -> (Output, serde_json::Value) {
        let folder = tempfile::tempdir().unwrap();
        let json = folder.path().join("report.json");
        let output = Command::new(env!("CARGO_BIN_EXE_outrigger-load"))
            .args([
                scenario,
                "--source-port",
                "0",
                "--clients",
                "4",
                "--in-flight",
                "4",
            ])
            .args(["--retransmit-ms", "100", "--tries", "2"])
            .args(["--server", &self.address.ip().to_string()])
            .args(["--from", &self.address.ip().to_string()])
            .args(["--server-port", &self.address.port().to_string()])
            .arg("--json")
            .arg(&json)
            .args(more)
            .output()
            .unwrap();
        let text =
            std::fs::read_to_string(&json).unwrap_or_else(|_| panic!("no report: {output:?}"));
        (output, serde_json::from_str(&text).unwrap())
    }
}

impl FakeServer {
    /// Closes the port; the address stays known.
    pub(crate) fn stop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.stop();
    }
}
