//! The outcome file: what was offered to whom, for an external reader.
//!
//! Records have Kea's text form and are written one by one, as they come. A decision never waits for the disk: what
//! the disk is too slow for is counted and left out.

use crate::client::Client;
use crate::counters::Counters;
use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

/// Records that wait for the disk: some seconds of a busy server.
const QUEUE: usize = 16 * 1024;

/// What a response grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Granted {
    /// A DHCPv4 address; 0.0.0.0 in the reply to INFORM.
    V4(Ipv4Addr),
    /// The first address of the first IA_NA.
    Address(Ipv6Addr),
    /// The first prefix of the first IA_PD.
    Prefix(Ipv6Addr, u8),
}

impl fmt::Display for Granted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => address.fmt(f),
            Self::Address(address) => address.fmt(f),
            Self::Prefix(address, length) => write!(f, "{address}/{length}"),
        }
    }
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Whom the response goes to.
    pub client: Client,
    /// What it grants.
    pub granted: Granted,
    /// Whether the client was registered when its packet was received.
    pub registered: bool,
}

/// As in the file: four lines and an empty one.
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let registered = if self.registered { "yes" } else { "no" };
        writeln!(f, "id_type={}", self.client.kind())?;
        writeln!(f, "client={}", self.client)?;
        writeln!(f, "addr={}", self.granted)?;
        writeln!(f, "registered={registered}\n")
    }
}

/// The outcome file with the thread that writes it. On drop everything queued is written.
#[derive(Debug)]
pub struct Outcome {
    queue: Option<SyncSender<Record>>,
    writer: Option<JoinHandle<()>>,
    counters: Arc<Counters>,
}

impl Outcome {
    /// Opens the file to append to it; a missing one is made.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(path: &Path, counters: Arc<Counters>) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        Self::start(file, path.to_owned(), QUEUE, counters)
    }

    fn start(
        file: impl Write + Send + 'static,
        path: PathBuf,
        capacity: usize,
        counters: Arc<Counters>,
    ) -> io::Result<Self> {
        let (queue, records) = sync_channel(capacity);
        let mut writer = Writer {
            file,
            path,
            counters: Arc::clone(&counters),
            reported: 0,
            failing: false,
        };
        let thread = std::thread::Builder::new()
            .name("outcome".to_owned())
            .spawn(move || writer.run(&records))?;
        Ok(Self {
            queue: Some(queue),
            writer: Some(thread),
            counters,
        })
    }

    /// Queues a record. Never waits: where the queue is full, the record is lost and counted.
    pub fn record(&self, record: Record) {
        let Some(queue) = &self.queue else { return };
        match queue.try_send(record) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                Counters::count(&self.counters.lost_records);
            }
        }
    }
}

impl Drop for Outcome {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

struct Writer<F> {
    file: F,
    path: PathBuf,
    counters: Arc<Counters>,
    /// Lost records that the log knows of.
    reported: u64,
    failing: bool,
}

impl<F: Write> Writer<F> {
    fn run(&mut self, records: &Receiver<Record>) {
        for record in records {
            self.write(&record);
            let lost = Counters::value(&self.counters.lost_records);
            if lost > self.reported && !self.failing {
                self.reported = lost;
                tracing::error!(outcome = %self.path.display(), lost_records = lost, "outcome records were lost");
            }
        }
    }

    /// Writes a record in one piece, so that a reader that follows the file meets whole records.
    fn write(&mut self, record: &Record) {
        let text = record.to_string();
        let written = self.file.write_all(text.as_bytes());
        match written.and_then(|()| self.file.flush()) {
            Ok(()) => {
                Counters::count(&self.counters.records);
                if std::mem::take(&mut self.failing) {
                    tracing::info!(outcome = %self.path.display(), "the outcome file can be written again");
                }
            }
            Err(error) => {
                Counters::count(&self.counters.lost_records);
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::error!(outcome = %self.path.display(), %error, "the outcome file cannot be written; records are lost");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use outrigger_wire::{Duid, HwAddress};
    use std::sync::Mutex;
    use std::sync::mpsc::Sender;

    fn v6(address: &str, registered: bool) -> Record {
        let duid = [
            0, 1, 0, 1, 0x1e, 0xf0, 0x12, 0x34, 8, 0, 0x27, 0xaa, 0xbb, 1,
        ];
        Record {
            client: Client::V6(Duid::new(&duid).unwrap()),
            granted: Granted::Address(address.parse().unwrap()),
            registered,
        }
    }

    #[test]
    fn records_are_written_as_kea_writes_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("outcome.txt");
        let outcome = Outcome::open(&path, Arc::default()).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"", "made empty");
        outcome.record(v6("3000:0::a", false));
        outcome.record(v6("2001:db8:1::a", true));
        let hw_address = [0x52, 0x54, 0, 0x0a, 0x0b, 1];
        outcome.record(Record {
            client: Client::V4(HwAddress::new(1, &hw_address).unwrap()),
            granted: Granted::V4(Ipv4Addr::new(192, 0, 2, 10)),
            registered: true,
        });
        drop(outcome);
        let expected = "\
id_type=DUID
client=00:01:00:01:1e:f0:12:34:08:00:27:aa:bb:01
addr=3000::a
registered=no

id_type=DUID
client=00:01:00:01:1e:f0:12:34:08:00:27:aa:bb:01
addr=2001:db8:1::a
registered=yes

id_type=HW_ADDR
client=hwtype=1 52:54:00:0a:0b:01
addr=192.0.2.10
registered=yes

";
        assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
    }

    #[test]
    fn an_existing_file_is_appended_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("outcome.txt");
        std::fs::write(&path, "before\n").unwrap();
        let outcome = Outcome::open(&path, Arc::default()).unwrap();
        let prefix = Granted::Prefix("2001:db8:8::".parse().unwrap(), 56);
        outcome.record(Record {
            granted: prefix,
            ..v6("::1", true)
        });
        drop(outcome);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("before\nid_type=DUID\n"), "{text}");
        assert!(text.contains("\naddr=2001:db8:8::/56\n"), "{text}");
    }

    #[test]
    fn a_path_that_cannot_be_opened_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let opened = Outcome::open(&folder.path().join("no/outcome.txt"), Arc::default());
        assert_eq!(opened.unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    /// Tells of each write and waits for permission.
    struct SlowDisk(Sender<()>, Receiver<()>);

    impl Write for SlowDisk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(()).map_err(io::Error::other)?;
            self.1.recv().map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn records_that_the_disk_is_too_slow_for_are_counted_and_hold_nobody_up() {
        let (started, starts) = std::sync::mpsc::channel();
        let (permit, permits) = std::sync::mpsc::channel();
        let counters = Arc::new(Counters::default());
        let disk = SlowDisk(started, permits);
        let outcome = Outcome::start(disk, "slow".into(), 2, Arc::clone(&counters)).unwrap();
        outcome.record(v6("::1", true));
        starts.recv().unwrap();
        for _ in 0..5 {
            outcome.record(v6("::1", true));
        }
        assert_eq!(Counters::value(&counters.lost_records), 3);
        for _ in 0..3 {
            permit.send(()).unwrap();
        }
        drop(outcome);
        assert_eq!(Counters::value(&counters.records), 3);
    }

    /// Full for the first writes.
    struct FullDisk(Arc<Mutex<Vec<u8>>>, usize);

    impl Write for FullDisk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.1 > 0 {
                self.1 -= 1;
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_costs_its_records_and_nothing_later() {
        let written = Arc::new(Mutex::new(Vec::new()));
        let counters = Arc::new(Counters::default());
        let disk = FullDisk(Arc::clone(&written), 2);
        let outcome = Outcome::start(disk, "full".into(), 8, Arc::clone(&counters)).unwrap();
        for _ in 0..3 {
            outcome.record(v6("::1", true));
        }
        drop(outcome);
        assert_eq!(Counters::value(&counters.lost_records), 2);
        assert_eq!(Counters::value(&counters.records), 1);
        assert_eq!(
            *written.lock().unwrap(),
            v6("::1", true).to_string().into_bytes()
        );
    }
}
