//! A program under the test's control.

use std::fs::File;
use std::io::{self, BufRead, BufReader, PipeReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;

/// Lines of the log that a failed test shows.
const SHOWN_LINES: usize = 60;

/// A running program; dropping it kills it.
#[derive(Debug)]
pub struct Process {
    name: String,
    pid: Pid,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    seen: Mutex<Seen>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Seen {
    lines: Vec<String>,
    output_ended: bool,
    status: Option<ExitStatus>,
}

impl Process {
    /// Starts a command with its output going to a log file and to memory. `spawn` does it at the
    /// right place.
    pub(crate) fn start(
        name: String,
        log: &Path,
        dir: &Path,
        mut command: Command,
        spawn: impl FnOnce(&mut Command) -> io::Result<Child>,
    ) -> Self {
        let (output, input) = io::pipe().expect("a process has room for a pipe");
        let input_too = input.try_clone().expect("a process has room for a pipe");
        let log = File::create(log)
            .unwrap_or_else(|error| panic!("cannot write {}: {error}", log.display()));
        command
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(input)
            .stderr(input_too);
        let child = spawn(&mut command).unwrap_or_else(|error| {
            panic!(
                "cannot start {}: {error}; `make test` installs what the tests need",
                command.get_program().display()
            )
        });
        // The command holds our ends of the pipe; while they are open the output does not end.
        drop(command);

        let pid = i32::try_from(child.id()).expect("process ids are small");
        let process = Self {
            name,
            pid: Pid::from_raw(pid),
            shared: Arc::default(),
        };
        let shared = Arc::clone(&process.shared);
        thread::spawn(move || shared.read(output, log));
        let shared = Arc::clone(&process.shared);
        thread::spawn(move || shared.reap(child));
        process
    }

    /// Host, number and program, as in the name of the log file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its process id, seen from the test.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Everything it wrote so far.
    #[must_use]
    pub fn text(&self) -> String {
        self.shared.seen().lines.join("\n")
    }

    /// Lines with this text so far.
    #[must_use]
    pub fn count_lines(&self, text: &str) -> usize {
        self.shared.seen().count(text)
    }

    /// Waits for a line with this text, from the beginning of the output, and returns it.
    ///
    /// # Panics
    ///
    /// When the time is up, or the program ends without having written it.
    #[track_caller]
    pub fn wait_for_line(&self, text: &str, timeout: Duration) -> String {
        self.wait_for_nth_line(text, 1, timeout)
    }

    /// Waits for the n-th line with this text, counted from 1 and the beginning of the output.
    ///
    /// # Panics
    ///
    /// When the time is up, or the program ends without having written it.
    #[track_caller]
    pub fn wait_for_nth_line(&self, text: &str, nth: usize, timeout: Duration) -> String {
        let seen = self.shared.wait(timeout, |seen| {
            seen.count(text) >= nth || (seen.output_ended && seen.status.is_some())
        });
        let line = seen
            .lines
            .iter()
            .filter(|line| line.contains(text))
            .nth(nth.saturating_sub(1))
            .cloned();
        let status = seen.status;
        drop(seen);
        line.unwrap_or_else(|| {
            panic!(
                "{}: no line {nth} with {text:?} within {timeout:?}, exit status {status:?}",
                self.name
            )
        })
    }

    /// Sends a signal; nothing happens when the program has already ended.
    pub fn signal(&self, signal: Signal) {
        // The lock keeps the process from being reaped, and its number from being used again.
        let seen = self.shared.seen();
        if seen.status.is_none() {
            let _ = kill(self.pid, signal);
        }
    }

    /// Whether it is still running.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.shared.seen().status.is_none()
    }

    /// Waits until it ends; none when the time is up. The output is complete then.
    #[must_use]
    pub fn wait(&self, timeout: Duration) -> Option<ExitStatus> {
        let ended = self.shared.wait(timeout, |seen| seen.status.is_some());
        let status = ended.status?;
        drop(ended);
        // Children that outlive the program may keep its output open for ever.
        drop(
            self.shared
                .wait(Duration::from_secs(1), |seen| seen.output_ended),
        );
        Some(status)
    }

    /// Asks it to end (SIGTERM) and waits.
    ///
    /// # Panics
    ///
    /// When it does not end in time.
    #[track_caller]
    pub fn terminate(&self, timeout: Duration) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        self.wait(timeout)
            .unwrap_or_else(|| panic!("{} did not end within {timeout:?} of SIGTERM", self.name))
    }

    fn show_log(&self) {
        let seen = self.shared.seen();
        let hidden = seen.lines.len().saturating_sub(SHOWN_LINES);
        eprintln!("--- {}, status {:?}:", self.name, seen.status);
        for line in &seen.lines[hidden..] {
            eprintln!("    {line}");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if thread::panicking() {
            self.show_log();
        }
        self.signal(Signal::SIGKILL);
        drop(
            self.shared
                .wait(Duration::from_secs(10), |seen| seen.status.is_some()),
        );
    }
}

impl Seen {
    fn count(&self, text: &str) -> usize {
        self.lines.iter().filter(|line| line.contains(text)).count()
    }
}

impl Shared {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the condition holds or the time is up.
    fn wait(&self, timeout: Duration, holds: impl Fn(&Seen) -> bool) -> MutexGuard<'_, Seen> {
        let until = Instant::now() + timeout;
        let mut seen = self.seen();
        while !holds(&seen) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            (seen, _) = self
                .changed
                .wait_timeout(seen, left)
                .unwrap_or_else(PoisonError::into_inner);
        }
        seen
    }

    fn read(&self, output: PipeReader, mut log: File) {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while matches!(output.read_until(b'\n', &mut line), Ok(1..)) {
            let written = log.write_all(&line);
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            line.clear();
            let mut seen = self.seen();
            seen.lines.push(text);
            if let Err(error) = written {
                seen.lines.push(format!("(the log file is cut: {error})"));
            }
            drop(seen);
            self.changed.notify_all();
        }
        self.seen().output_ended = true;
        self.changed.notify_all();
    }

    fn reap(&self, mut child: Child) {
        let pid = i32::try_from(child.id()).expect("process ids are small");
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
        while waitid(Id::Pid(Pid::from_raw(pid)), flags) == Err(nix::errno::Errno::EINTR) {}
        let mut seen = self.seen();
        // Only now, under the lock, is the process id given back to the system.
        let status = child
            .wait()
            .unwrap_or_else(|_| ExitStatus::from_raw(0xFF00));
        seen.status = Some(status);
        drop(seen);
        self.changed.notify_all();
    }
}
