//! A server with the user_chk service, and clients on one link.

use std::ffi::OsString;
use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use outrigger_testkit::{Client4, Client6, Ia, Reply4Seen, Reply6Seen, UdpLink4, UdpLink6};

use crate::host::Host;
use crate::lab::Lab;
use crate::process::Process;
use crate::subject::{Server, Subject};
use crate::{PATIENCE, place, poll};

/// How soon a change of the registry must be in force: for the first packet sent so long after it.
const RELOAD: Duration = Duration::from_secs(1);

/// A user_chk stack: registry, outcome file, service and server, each of which the test starts.
///
/// The server `srv0` has the interface `srv0`, as the configurations in `deploy/demo` say. What the
/// outcome file has to hold is kept here, so that each look at it compares the whole file.
#[derive(Debug)]
pub struct UserChk {
    server: Option<Server>,
    service: Option<Process>,
    outcome: String,
    lab: Lab,
}

impl UserChk {
    /// Where the service listens; `/run` is the server host's own.
    pub const ENDPOINT: &'static str = "unix:/run/outrigger/user-chk.sock";
    const INTERFACE: &'static str = "srv0";

    /// The hosts `srv0` and `cli0`; no registry yet, and nothing runs.
    #[must_use]
    #[track_caller]
    pub fn new() -> Self {
        let mut lab = Lab::new();
        let server = lab.add_host("srv0");
        server.ip(&format!(
            "link set {old} down\nlink set {old} name {new}\nlink set {new} up\n\
             addr add {v4}/24 dev {new}\naddr add {v6}/64 dev {new} nodad\n",
            old = Lab::INTERFACE,
            new = Self::INTERFACE,
            v4 = Lab::SERVER4,
            v6 = Lab::SERVER6,
        ));
        server.wait_for_link_local(Self::INTERFACE);
        let mut folder = Command::new("mkdir");
        folder.arg("/run/outrigger");
        assert!(server.run(folder).status.success());
        lab.add_client();
        Self {
            server: None,
            service: None,
            outcome: String::new(),
            lab,
        }
    }

    /// Everything runs: the registry has these lines, the outcome file is empty.
    #[must_use]
    #[track_caller]
    pub fn start(config: &str, registry: &[&str]) -> Self {
        let mut stack = Self::new();
        stack.write_registry(registry);
        stack.start_service();
        stack.start_server(config);
        stack
    }

    /// The hosts.
    #[must_use]
    pub fn lab(&self) -> &Lab {
        &self.lab
    }

    /// The program under test: `OUTRIGGER_USER_CHK`, or else ours in Rust.
    #[must_use]
    pub fn program() -> OsString {
        std::env::var_os("OUTRIGGER_USER_CHK").unwrap_or_else(|| place::program("user-chk").into())
    }

    /// Starts the service and does not wait.
    pub fn start_service(&mut self) {
        let mut command = Command::new(Self::program());
        command
            .args(["--listen", Self::ENDPOINT, "--registry"])
            .arg(self.registry())
            .arg("--outcome")
            .arg(self.outcome());
        self.start_services(command);
    }

    /// Starts the service, or what starts it, with this command.
    pub fn start_services(&mut self, mut command: Command) {
        command.env("NO_COLOR", "1");
        self.service = None;
        self.service = Some(self.host().start(command));
    }

    /// Starts the server and waits until it is ready, which it is when the service is.
    #[track_caller]
    pub fn start_server(&mut self, config: &str) {
        self.server = None;
        self.server = Some(Subject::start(self.host(), config));
    }

    /// Starts the server and does not wait.
    #[track_caller]
    pub fn launch_server(&mut self, config: &str) {
        self.server = None;
        self.server = Some(Subject::launch(self.host(), config));
    }

    /// The running service.
    ///
    /// # Panics
    ///
    /// When none was started.
    #[must_use]
    #[track_caller]
    pub fn service(&self) -> &Process {
        self.service.as_ref().expect("the service was started")
    }

    /// The running server.
    ///
    /// # Panics
    ///
    /// When none was started.
    #[must_use]
    #[track_caller]
    pub fn server(&self) -> &Server {
        self.server.as_ref().expect("the server was started")
    }

    fn host(&self) -> &Host {
        self.lab.server()
    }

    /// The registry file.
    #[must_use]
    pub fn registry(&self) -> PathBuf {
        self.lab.dir().join("registry.txt")
    }

    /// The outcome file.
    #[must_use]
    pub fn outcome(&self) -> PathBuf {
        self.lab.dir().join("outcome.txt")
    }

    /// Replaces the registry by these lines and does not wait.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    #[track_caller]
    pub fn write_registry(&self, lines: &[&str]) {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        place::write(&self.registry(), &text);
    }

    /// As [`UserChk::write_registry`], then waits as long as the service may take.
    #[track_caller]
    pub fn register(&self, lines: &[&str]) {
        self.write_registry(lines);
        self.wait_for_reload();
    }

    /// Waits as long as the service may take to see a change of the registry.
    pub fn wait_for_reload(&self) {
        std::thread::sleep(RELOAD);
    }

    /// Checks that the last response was recorded like this, and everything before it as it was
    /// checked then, byte by byte.
    ///
    /// # Panics
    ///
    /// When the outcome file is another.
    #[track_caller]
    pub fn expect_record(&mut self, client: &RecordedClient, addr: &str, registered: bool) {
        self.outcome.push_str(&client.record(addr, registered));
        let enough = self.outcome.len();
        let long_enough = || (self.read_outcome().len() >= enough).then_some(());
        let _ = poll(PATIENCE, long_enough);
        self.expect_no_record();
    }

    /// Checks that the outcome file holds what was expected so far, and nothing else.
    ///
    /// # Panics
    ///
    /// When it does not.
    #[track_caller]
    pub fn expect_no_record(&self) {
        assert_eq!(self.read_outcome(), self.outcome, "the outcome file");
    }

    /// The outcome file as it is; empty when there is none.
    #[must_use]
    pub fn read_outcome(&self) -> String {
        fs::read_to_string(self.outcome()).unwrap_or_default()
    }

    /// Gives the client's host an address, as a client does that was granted one: what the server
    /// sends to the address then arrives.
    #[track_caller]
    pub fn give_client_address(&self, address: Ipv4Addr) {
        let line = format!("addr add {address}/24 dev {}\n", Lab::INTERFACE);
        self.lab.client().ip(&line);
    }

    /// A DHCPv6 client's link to the server.
    ///
    /// # Panics
    ///
    /// When there is one already.
    #[must_use]
    #[track_caller]
    pub fn link6(&self) -> Link6 {
        let link = self
            .lab
            .client()
            .enter(|| UdpLink6::multicast(Lab::INTERFACE));
        Link6(link.expect("the client's port is free"))
    }

    /// A DHCPv4 client's link to the server.
    ///
    /// # Panics
    ///
    /// When the machine does not allow packet sockets.
    #[must_use]
    #[track_caller]
    pub fn link4(&self) -> Link4 {
        let link = self
            .lab
            .client()
            .enter(|| UdpLink4::broadcast(Lab::INTERFACE));
        Link4(link.expect("the lab allows packet sockets"))
    }
}

impl Default for UserChk {
    fn default() -> Self {
        Self::new()
    }
}

/// A client as the outcome file names it.
#[derive(Clone, Copy, Debug)]
pub enum RecordedClient {
    /// By its hardware address, of Ethernet.
    V4([u8; 6]),
    /// By its DUID.
    V6([u8; 14]),
}

impl RecordedClient {
    /// A record, byte by byte.
    #[must_use]
    pub fn record(&self, addr: &str, registered: bool) -> String {
        let (id_type, hwtype) = match self {
            Self::V4(_) => ("HW_ADDR", "hwtype=1 "),
            Self::V6(_) => ("DUID", ""),
        };
        let registered = if registered { "yes" } else { "no" };
        let id = self.id();
        format!("id_type={id_type}\nclient={hwtype}{id}\naddr={addr}\nregistered={registered}\n\n")
    }

    /// A registry line with these properties, each with its comma in front.
    #[must_use]
    pub fn line(&self, properties: &str) -> String {
        let id_type = match self {
            Self::V4(_) => "HW_ADDR",
            Self::V6(_) => "DUID",
        };
        let id = self.id();
        format!(r#"{{ "type" : "{id_type}", "id" : "{id}"{properties} }}"#)
    }

    fn id(&self) -> String {
        let bytes: &[u8] = match self {
            Self::V4(hw_address) => hw_address,
            Self::V6(duid) => duid,
        };
        let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        bytes.join(":")
    }
}

/// A DHCPv6 link whose server always answers.
#[derive(Debug)]
pub struct Link6(UdpLink6);

impl Link6 {
    /// Sends a message and waits for its answer.
    ///
    /// # Panics
    ///
    /// When none comes, or one with a flaw.
    #[track_caller]
    pub fn exchange(&self, message: &[u8]) -> Reply6Seen {
        let answer = self.0.exchange(message, PATIENCE);
        answer.unwrap_or_else(|error| panic!("{error}"))
    }
}

/// A DHCPv4 link whose server always answers.
#[derive(Debug)]
pub struct Link4(UdpLink4);

impl Link4 {
    /// Sends a message and waits for its answer.
    ///
    /// # Panics
    ///
    /// When none comes, or one with a flaw.
    #[track_caller]
    pub fn exchange(&self, message: &[u8]) -> Reply4Seen {
        let answer = self.0.exchange(message, PATIENCE);
        answer.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Sends a message that has no answer.
    ///
    /// # Panics
    ///
    /// When it cannot be sent.
    #[track_caller]
    pub fn send(&self, message: &[u8]) {
        let sent = self.0.send(message);
        sent.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Sends a message and makes sure that nothing answers it for a second.
    ///
    /// # Panics
    ///
    /// When something does.
    #[track_caller]
    pub fn expect_silence(&self, message: &[u8]) {
        match self.0.exchange(message, Duration::from_secs(1)) {
            Err(error) if error.is_silence() => {}
            other => panic!("silence is expected: {other:?}"),
        }
    }
}

/// Vendor options of a cable modem, which asks for sub-option 33: enterprise 4491, option request.
const ASKS_FOR_BOOTFILE: [u8; 10] = [0, 0, 0x11, 0x8b, 0, 1, 0, 2, 0, 33];

/// The DUID of the cable modem with this number: `00:01:00:01:1e:f0:12:34:08:00:27:aa:bb:` and it.
#[must_use]
pub fn modem_duid(number: u8) -> [u8; 14] {
    [
        0, 1, 0, 1, 0x1e, 0xf0, 0x12, 0x34, 8, 0, 0x27, 0xaa, 0xbb, number,
    ]
}

/// A cable modem that wants one address, and its boot file by vendor options in every message.
#[must_use]
pub fn modem6(number: u8) -> Client6 {
    let mut client = Client6::new(modem_duid(number).to_vec(), vec![Ia::na(1)]);
    client.options = vec![(17, ASKS_FOR_BOOTFILE.to_vec())];
    client
}

/// The hardware address of the cable modem with this number.
#[must_use]
pub fn modem_mac(number: u8) -> [u8; 6] {
    [0x52, 0x54, 0, 0x0a, 0x0b, number]
}

/// A cable modem that asks for TFTP server (66) and boot file (67).
#[must_use]
pub fn modem4(number: u8) -> Client4 {
    let mut client = Client4::new(modem_mac(number));
    client.options = vec![(55, vec![1, 3, 66, 67])];
    client
}

/// Option 17 that carries this boot file, from code to last byte.
#[must_use]
pub fn option17(bootfile: &str) -> Vec<u8> {
    let length = |more: usize| {
        u8::try_from(bootfile.len() + more).expect("boot files of tests have short names")
    };
    let mut bytes = vec![0, 17, 0, length(8), 0, 0, 0x11, 0x8b, 0, 33, 0, length(0)];
    bytes.extend(bootfile.as_bytes());
    bytes
}
