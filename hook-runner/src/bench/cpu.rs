//! CPU time of both ends: proc_pid_stat(5) of the service's processes, getrusage(2) of this thread.

use nix::sys::resource::{UsageWho, getrusage};
use nix::unistd::{SysconfVar, sysconf};
use outrigger_hook_sdk::Endpoint;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::time::Duration;
use tokio::net::UnixStream;

/// The process of a service; its children count with it.
#[derive(Debug)]
pub(super) struct ServiceProcess {
    pid: i32,
    tick: Duration,
}

impl ServiceProcess {
    /// `given`, or who listens on the unix socket; nobody is known behind other endpoints.
    pub(super) async fn find(endpoint: &Endpoint, given: Option<i32>) -> io::Result<Option<Self>> {
        let pid = match (given, endpoint) {
            (Some(pid), _) => Some(pid),
            // Where nobody listens, the connection that follows says so.
            (None, Endpoint::Unix(path)) => match UnixStream::connect(path).await {
                Ok(stream) => stream.peer_cred()?.pid(),
                Err(_) => None,
            },
            (None, Endpoint::Tcp(_)) => None,
        };
        let Some(pid) = pid else {
            return Ok(None);
        };
        let per_second = sysconf(SysconfVar::CLK_TCK)?.and_then(|ticks| u32::try_from(ticks).ok());
        let tick = Duration::from_secs(1) / per_second.filter(|ticks| *ticks > 0).unwrap_or(100);
        let process = Self { pid, tick };
        match process.cpu() {
            Some(_) => Ok(Some(process)),
            None => Err(io::Error::other(format!("there is no process {pid}"))),
        }
    }

    pub(super) fn pid(&self) -> i32 {
        self.pid
    }

    /// User and system time so far, of all threads and of all children that are left; `None` when the process is gone.
    pub(super) fn cpu(&self) -> Option<Duration> {
        let stats = stats();
        let own = stats.get(&self.pid)?.ticks;
        let others = stats.iter().filter(|(pid, _)| **pid != self.pid);
        let children: u32 = others
            .filter(|(pid, _)| self.is_ancestor(**pid, &stats))
            .map(|(_, stat)| stat.ticks)
            .sum();
        Some(self.tick * (own + children))
    }

    fn is_ancestor(&self, mut pid: i32, stats: &HashMap<i32, Stat>) -> bool {
        // The chain of parents is shorter than there are processes, whatever changed while they were read.
        for _ in 0..stats.len() {
            let Some(stat) = stats.get(&pid) else {
                return false;
            };
            if stat.parent == self.pid {
                return true;
            }
            pid = stat.parent;
        }
        false
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: i32,
    ticks: u32,
}

/// Of every process that can be read.
fn stats() -> HashMap<i32, Stat> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid: i32| {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        Some((pid, stat(&text)?))
    })
    .collect()
}

/// Fields 4, 14 and 15. The name, field 2, may hold anything, so they are counted from its closing parenthesis.
fn stat(text: &str) -> Option<Stat> {
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u32>().ok();
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        ticks: number(11)?.checked_add(number(12)?)?,
    })
}

/// User and system time of this thread, which is all that the caller has.
pub(super) fn of_this_thread() -> Duration {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_THREAD) else {
        return Duration::ZERO;
    };
    let microseconds = |time: nix::sys::time::TimeVal| {
        let whole = u64::try_from(time.tv_sec()).unwrap_or(0) * 1_000_000;
        whole + u64::try_from(time.tv_usec()).unwrap_or(0)
    };
    Duration::from_micros(microseconds(usage.user_time()) + microseconds(usage.system_time()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_name_does_not_move_the_fields() {
        let text = "7 (a) b (c) S 3 7 7 0 -1 0 1 2 3 4 50 60 7 8 20 0 1 0";
        let expected = Stat {
            parent: 3,
            ticks: 110,
        };
        assert_eq!(stat(text), Some(expected));
        assert_eq!(stat("7 (a) S 3"), None);
        assert_eq!(stat(""), None);
    }

    #[tokio::test]
    async fn children_count_with_their_parent() {
        let own = i32::try_from(std::process::id()).unwrap();
        let parent = i32::try_from(std::os::unix::process::parent_id()).unwrap();
        let stats = stats();
        let process = |pid| ServiceProcess {
            pid,
            tick: Duration::from_millis(10),
        };
        assert!(process(parent).is_ancestor(own, &stats));
        assert!(!process(own).is_ancestor(parent, &stats));
        assert!(process(own).cpu().is_some());
    }
}
