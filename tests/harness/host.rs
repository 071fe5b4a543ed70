//! A host: its own network, mounts and process numbers.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::IpAddr;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use nix::ifaddrs::getifaddrs;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};

use crate::process::Process;
use crate::{PATIENCE, poll};

/// What the holder runs as the first process of the namespaces. It lives until its standard input
/// ends, which happens at the latest when the test dies; the kernel then kills all the others. The
/// shell waits for `cat` and thereby collects orphans.
const HOLDER: &str = "mount -t tmpfs tmpfs /run && echo ready && cat >/dev/null; exit 0";

/// A host of a lab. Clones are the same host.
#[derive(Clone, Debug)]
pub struct Host {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    name: String,
    dir: PathBuf,
    pid: u32,
    holder: Mutex<Option<Holder>>,
    net: File,
    mounts: File,
    processes: File,
    started: AtomicUsize,
}

#[derive(Debug)]
struct Holder {
    child: Child,
    /// Closing it ends the host.
    stdin: ChildStdin,
}

/// A command that ran to its end.
#[derive(Clone, Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to standard output and standard error.
    pub text: String,
}

impl Host {
    /// Makes a host without links; logs of its processes go to `dir`.
    #[track_caller]
    pub(crate) fn new(name: &str, dir: &Path) -> Self {
        let (holder, pid) = Holder::start(name);
        let namespace = |kind: &str| {
            File::open(format!("/proc/{pid}/ns/{kind}"))
                .unwrap_or_else(|error| panic!("{name}: no {kind} namespace: {error}"))
        };
        let host = Self {
            inner: Arc::new(Inner {
                name: name.to_owned(),
                dir: dir.to_owned(),
                pid,
                net: namespace("net"),
                mounts: namespace("mnt"),
                processes: namespace("pid_for_children"),
                holder: Mutex::new(Some(holder)),
                started: AtomicUsize::new(0),
            }),
        };
        host.settle_addresses_at_once();
        host.ip("link set lo up");
        host
    }

    /// Its name, such as `srv0`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The lab's directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    /// Process id, seen from outside, of a process in the host's network.
    #[must_use]
    pub(crate) fn pid(&self) -> u32 {
        self.inner.pid
    }

    /// Runs a closure on a thread of its own inside the host's network. Sockets that it opens stay
    /// in that network, whichever thread uses them later.
    ///
    /// # Panics
    ///
    /// When the closure does.
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let inside = || {
            setns(&self.inner.net, CloneFlags::CLONE_NEWNET)
                .unwrap_or_else(|error| panic!("{}: cannot enter: {error}", self.inner.name));
            work()
        };
        thread::scope(|scope| scope.spawn(inside).join())
            .unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// As [`Host::enter`], with the host's mounts, and with children among its processes.
    fn enter_wholly<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.enter(|| {
            // The thread must have a working directory of its own before it changes its mounts.
            unshare(CloneFlags::CLONE_FS)
                .and_then(|()| setns(&self.inner.mounts, CloneFlags::CLONE_NEWNS))
                .and_then(|()| setns(&self.inner.processes, CloneFlags::CLONE_NEWPID))
                .unwrap_or_else(|error| panic!("{}: cannot enter: {error}", self.inner.name));
            work()
        })
    }

    /// Starts a program in the host. Its output goes to a file in [`Host::dir`] and to memory.
    ///
    /// # Panics
    ///
    /// When the program does not exist.
    #[must_use]
    pub fn start(&self, command: Command) -> Process {
        let number = self.inner.started.fetch_add(1, Ordering::Relaxed);
        let program = PathBuf::from(command.get_program());
        let program = program.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{}-{number}-{program}", self.inner.name);
        let log = self.inner.dir.join(format!("{name}.log"));
        Process::start(name, &log, &self.inner.dir, command, |command| {
            self.enter_wholly(|| command.spawn())
        })
    }

    /// Runs a program in the host to its end.
    ///
    /// # Panics
    ///
    /// When it does not exist or does not end within [`PATIENCE`].
    pub fn run(&self, command: Command) -> Finished {
        let process = self.start(command);
        let status = process
            .wait(PATIENCE)
            .unwrap_or_else(|| panic!("{} did not end: {}", process.name(), process.text()));
        Finished {
            status,
            text: process.text(),
        }
    }

    /// Runs lines of `ip`, as in `link set lo up`, in the host's network.
    ///
    /// # Panics
    ///
    /// When one of them fails.
    #[track_caller]
    pub fn ip(&self, lines: &str) {
        let output = self.enter(|| {
            let mut child = Command::new("ip")
                .args(["-batch", "-"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap_or_else(|error| panic!("cannot start ip (iproute2): {error}"));
            let mut stdin = child.stdin.take().expect("stdin is piped");
            stdin
                .write_all(lines.as_bytes())
                .expect("ip reads its input");
            drop(stdin);
            child.wait_with_output().expect("ip ends")
        });
        assert!(
            output.status.success(),
            "{}: ip failed: {}\n{lines}",
            self.inner.name,
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Addresses on an interface, without those that are still being checked for duplicates.
    #[must_use]
    pub fn addresses(&self, interface: &str) -> Vec<IpAddr> {
        let all = self.enter(|| interface_addresses(interface));
        let tentative = self.tentative(interface);
        all.into_iter()
            .filter(|address| !tentative.contains(address))
            .collect()
    }

    /// Hides what is in these directories of the machine behind empty ones, for this host only.
    ///
    /// # Panics
    ///
    /// When a directory does not exist.
    pub fn hide(&self, directories: &[&str]) {
        self.enter_wholly(|| {
            for directory in directories {
                mount(
                    Some("tmpfs"),
                    *directory,
                    Some("tmpfs"),
                    MsFlags::empty(),
                    None::<&str>,
                )
                .unwrap_or_else(|error| panic!("cannot hide {directory}: {error}"));
            }
        });
    }

    /// Shows another file in the place of one of the machine's, for this host only.
    ///
    /// # Panics
    ///
    /// When one of them does not exist.
    pub fn replace_file(&self, original: &str, by: &Path) {
        self.enter_wholly(|| {
            mount(
                Some(by),
                original,
                None::<&str>,
                MsFlags::MS_BIND,
                None::<&str>,
            )
            .unwrap_or_else(|error| panic!("cannot replace {original}: {error}"));
        });
    }

    /// Waits until the interface may send from its link-local address.
    pub(crate) fn wait_for_link_local(&self, interface: &str) {
        let ready = poll(PATIENCE, || {
            self.addresses(interface)
                .iter()
                .any(|address| matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local()))
                .then_some(())
        });
        assert!(
            ready.is_some(),
            "{}: {interface} got no link-local address: {:?}",
            self.inner.name,
            self.addresses(interface)
        );
    }

    /// Ends the host and every process in it.
    pub(crate) fn close(&self) {
        let holder = self
            .inner
            .holder
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .take();
        if let Some(holder) = holder {
            holder.end();
        }
    }

    /// No duplicate address detection, no router advertisements: addresses are usable at once and
    /// come from DHCP alone.
    fn settle_addresses_at_once(&self) {
        self.enter(|| {
            for scope in ["all", "default"] {
                for key in ["accept_dad", "accept_ra", "dad_transmits"] {
                    let path = format!("/proc/sys/net/ipv6/conf/{scope}/{key}");
                    std::fs::write(&path, "0")
                        .unwrap_or_else(|error| panic!("cannot write {path}: {error}"));
                }
            }
        });
    }

    /// IPv6 addresses that may not be used yet (`/proc/net/if_inet6`, flag 0x40).
    fn tentative(&self, interface: &str) -> Vec<IpAddr> {
        let table = self.enter(|| std::fs::read_to_string("/proc/thread-self/net/if_inet6"));
        table
            .unwrap_or_default()
            .lines()
            .filter_map(|line| {
                let fields: Vec<&str> = line.split_whitespace().collect();
                let [address, _, _, _, flags, name] = fields[..] else {
                    return None;
                };
                let flags = u8::from_str_radix(flags, 16).ok()?;
                let address = u128::from_str_radix(address, 16).ok()?;
                (name == interface && flags & 0x40 != 0).then(|| IpAddr::V6(address.into()))
            })
            .collect()
    }
}

/// All addresses on an interface of the current network.
fn interface_addresses(interface: &str) -> Vec<IpAddr> {
    getifaddrs()
        .expect("a network lists its interfaces")
        .filter(|found| found.interface_name == interface)
        .filter_map(|found| {
            let address = found.address?;
            match address.as_sockaddr_in() {
                Some(socket) => Some(IpAddr::V4(socket.ip())),
                None => Some(IpAddr::V6(address.as_sockaddr_in6()?.ip())),
            }
        })
        .collect()
}

impl Holder {
    #[track_caller]
    fn start(name: &str) -> (Self, u32) {
        let mut child = Command::new("unshare")
            .args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--"])
            .args(["sh", "-c", HOLDER, name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start unshare (util-linux): {error}"));
        let stdin = child.stdin.take().expect("stdin is piped");
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("a pipe can be read");
        assert!(
            line.trim() == "ready",
            "cannot make namespaces for {name}: this needs root, or a machine that allows user \
             namespaces (sysctl kernel.apparmor_restrict_unprivileged_userns=0 on some)"
        );
        let pid = child.id();
        (Self { child, stdin }, pid)
    }

    fn end(self) {
        let Self { mut child, stdin } = self;
        drop(stdin);
        let ended = poll(PATIENCE, || child.try_wait().ok().flatten());
        if ended.is_none() {
            // Killing `unshare` also kills the first process, and with it the rest.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let holder = self.holder.get_mut();
        if let Some(holder) = holder
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .take()
        {
            holder.end();
        }
    }
}
