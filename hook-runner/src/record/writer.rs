//! Writes what passed to the file, on a thread of its own.

use super::limits::{Limits, MAX_OPEN};
use super::summary::{Kind, Summary};
use super::tap::{From, Method, Passed, Shared, What};
use crate::raw;
use crate::recording::{Encoded, Place, Record, point_name};
use crate::show;
use outrigger_proto::v1;
use prost::{DecodeError, Message as _};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, TryRecvError};

/// The file and what is known of the calls in it.
#[derive(Debug)]
pub(super) struct Writer {
    file: BufWriter<File>,
    bytes: u64,
    limits: Limits,
    shared: Arc<Shared>,
    /// What of `lost` the file says already.
    lost: u64,
    /// Hook points of the calls that have no final reply yet, by stream and id.
    open: HashMap<u64, HashMap<u64, i32>>,
    open_calls: usize,
    summary: Summary,
    /// No new calls.
    full: bool,
    /// Nothing at all.
    failed: Option<io::Error>,
}

impl Writer {
    pub(super) fn new(file: File, limits: Limits, shared: Arc<Shared>) -> Self {
        Self {
            file: BufWriter::new(file),
            bytes: 0,
            limits,
            shared,
            lost: 0,
            open: HashMap::new(),
            open_calls: 0,
            summary: Summary::default(),
            full: false,
            failed: None,
        }
    }

    /// Until the proxy is gone.
    pub(super) fn run(mut self, queue: &Receiver<Passed>) -> Summary {
        self.write(&Record::first());
        let mut last = 0;
        while let Some(passed) = self.next(queue) {
            last = passed.at_us;
            self.shared.taken(&passed);
            self.say_lost(last);
            if let Err(error) = self.passed(passed) {
                self.shared.unreadable.fetch_add(1, Relaxed);
                tracing::debug!(%error, "a message is none of this version");
            }
        }
        self.say_lost(last);
        if !self.full {
            self.stopped(last, "end of the recording");
        }
        self.flush();
        for point in self.open.values().flat_map(HashMap::values) {
            self.summary.count(*point, Kind::Unanswered);
        }
        self.summary.bytes = self.bytes;
        self.summary.lost = self.shared.lost.load(Relaxed);
        self.summary.unreadable = self.shared.unreadable.load(Relaxed);
        self.summary.failed = self.failed;
        self.summary
    }

    /// What is written reaches the file whenever there is nothing to do.
    fn next(&mut self, queue: &Receiver<Passed>) -> Option<Passed> {
        match queue.try_recv() {
            Ok(passed) => Some(passed),
            Err(TryRecvError::Disconnected) => None,
            Err(TryRecvError::Empty) => {
                self.flush();
                queue.recv().ok()
            }
        }
    }

    fn passed(&mut self, passed: Passed) -> Result<(), DecodeError> {
        let place = Place {
            at_us: passed.at_us,
            connection: passed.connection,
            stream: passed.stream,
        };
        match (passed.method, passed.what) {
            (_, What::End) => self.end(place),
            (method, What::Status { code, text }) => self.status(method, place, code, text),
            (Method::Load, What::Message(From::Server, message)) => self.load(place, &message)?,
            (Method::Load, What::Message(From::Service, message)) => {
                let message = Encoded(message);
                self.keep(&Record::Loaded { place, message });
            }
            (Method::Call, What::Message(From::Server, message)) => self.call(place, message)?,
            (Method::Call, What::Message(From::Service, message)) => self.reply(place, message)?,
            (Method::Session, What::Message(From::Server, message)) => {
                let message = raw::ServerMessage::decode(message.as_slice())?;
                if let Some(hello) = message.hello {
                    let message = Encoded(hello.into());
                    self.keep(&Record::Session { place, message });
                }
                for call in message.calls.unwrap_or_default().messages {
                    self.call(place, call.into())?;
                }
            }
            (Method::Session, What::Message(From::Service, message)) => {
                let message = raw::ServiceMessage::decode(message.as_slice())?;
                for reply in message.replies.unwrap_or_default().messages {
                    self.reply(place, reply.into())?;
                }
            }
        }
        Ok(())
    }

    fn load(&mut self, place: Place, message: &[u8]) -> Result<(), DecodeError> {
        let mut load = raw::Load::decode(message)?;
        let parameters_redacted = self.limits.parameters_redacted && !load.parameters.is_empty();
        if parameters_redacted {
            load.parameters.clear();
        }
        self.keep(&Record::Load {
            place,
            service: load.service_name.clone(),
            revision: load.configuration_revision,
            parameters_redacted,
            message: Encoded(load.encode_to_vec()),
        });
        Ok(())
    }

    fn call(&mut self, place: Place, message: Vec<u8>) -> Result<(), DecodeError> {
        let call = raw::Call::decode(message.as_slice())?;
        if self.full || self.failed.is_some() {
            return Ok(());
        }
        if self.open_calls < MAX_OPEN {
            let open = self.open.entry(place.stream).or_default();
            let again = open.insert(call.id, call.hook_point);
            self.open_calls += usize::from(again.is_none());
        }
        self.summary.count(call.hook_point, Kind::Call);
        self.write(&Record::Call {
            place,
            id: call.id,
            hook_point: point_name(call.hook_point),
            packet: call.packet_label,
            budget_us: call.budget_us,
            message: Encoded(message),
        });
        if self.summary.calls() >= self.limits.calls {
            let reason = format!("{} calls are recorded", self.limits.calls);
            self.stopped(place.at_us, &reason);
        } else if self.bytes >= self.limits.bytes {
            let reason = format!("{} bytes are recorded", self.bytes);
            self.stopped(place.at_us, &reason);
        }
        Ok(())
    }

    fn reply(&mut self, place: Place, message: Vec<u8>) -> Result<(), DecodeError> {
        let reply = v1::CalloutReply::decode(message.as_slice())?;
        let parked = show::is_parked(&reply);
        let open = self.open.get_mut(&place.stream);
        let point = open.and_then(|open| match parked {
            true => open.get(&reply.id).copied(),
            false => open.remove(&reply.id),
        });
        self.open_calls -= usize::from(point.is_some() && !parked);
        let kind = match &reply.outcome {
            _ if parked => Kind::Parked,
            Some(v1::callout_reply::Outcome::Result(_)) => Kind::Result,
            Some(v1::callout_reply::Outcome::Failure(_)) | None => Kind::Failure,
        };
        // After the end of the recording only replies to recorded calls are of use.
        if let Some(point) = point {
            self.summary.count(point, kind);
            self.write(&Record::Reply {
                place,
                id: reply.id,
                answer: show::reply(&reply),
                message: Encoded(message),
            });
        }
        Ok(())
    }

    fn status(&mut self, method: Method, place: Place, code: String, text: String) {
        match method {
            Method::Load => self.keep(&Record::Status { place, code, text }),
            // It ends the session, and its calls have no reply.
            Method::Session => {}
            Method::Call => {
                // One call, whatever its id.
                let open = self.open.remove(&place.stream).unwrap_or_default();
                self.open_calls -= open.len();
                if let Some(point) = open.into_values().next() {
                    self.summary.count(point, Kind::Failure);
                    self.write(&Record::Status { place, code, text });
                }
            }
        }
    }

    fn end(&mut self, place: Place) {
        let unanswered = self.open.remove(&place.stream).unwrap_or_default();
        self.open_calls -= unanswered.len();
        for point in unanswered.values() {
            self.summary.count(*point, Kind::Unanswered);
        }
        if !unanswered.is_empty() {
            self.write(&Record::End { place });
        }
    }

    fn say_lost(&mut self, at_us: u64) {
        let lost = self.shared.lost.load(Relaxed);
        let messages = lost - self.lost;
        if messages > 0 {
            self.lost = lost;
            self.keep(&Record::Lost { at_us, messages });
        }
    }

    fn stopped(&mut self, at_us: u64, reason: &str) {
        let reason = reason.to_owned();
        if self.full || self.failed.is_some() {
            return;
        }
        tracing::info!("{reason}");
        self.write(&Record::Stopped { at_us, reason });
        self.full = true;
    }

    /// Writes what belongs to no call, unless the recording is over.
    fn keep(&mut self, record: &Record) {
        if !self.full {
            self.write(record);
        }
    }

    fn write(&mut self, record: &Record) {
        if self.failed.is_some() {
            return;
        }
        let mut line = serde_json::to_vec(record).expect("a record has string keys only");
        line.push(b'\n');
        self.bytes += line.len() as u64;
        if let Err(error) = self.file.write_all(&line) {
            self.fail(error);
        }
    }

    fn flush(&mut self) {
        if self.failed.is_none()
            && let Err(error) = self.file.flush()
        {
            self.fail(error);
        }
    }

    fn fail(&mut self, error: io::Error) {
        tracing::error!(%error, "the recording ends here; calls go on to pass");
        self.failed = Some(error);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tap::{Recorder, Tap};
    use std::fs::OpenOptions;
    use std::path::Path;

    fn limits() -> Limits {
        Limits {
            calls: 10,
            bytes: 1 << 20,
            parameters_redacted: false,
        }
    }

    /// What is said after one call was passed and two messages were lost.
    fn written(path: &Path) -> Summary {
        let (recorder, queue, shared) = Recorder::new();
        let tap = Tap {
            recorder,
            connection: 1,
            stream: 1,
            method: Method::Call,
        };
        shared.lost.store(2, Relaxed);
        tap.message(From::Server, raw::Call::default().encode_to_vec());
        tap.message(From::Service, vec![0xff]);
        drop(tap);
        let file = OpenOptions::new().write(true).open(path).unwrap();
        Writer::new(file, limits(), shared).run(&queue)
    }

    #[test]
    fn what_is_missing_is_said_in_the_file_and_at_the_end() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let summary = written(file.path());
        assert_eq!(
            (summary.calls(), summary.lost, summary.unreadable),
            (1, 2, 1)
        );
        assert!(
            summary.to_string().contains("the disk was too slow"),
            "{summary}"
        );
        let text = std::fs::read_to_string(file.path()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].starts_with(r#"{"record":"lost","#), "{text}");
        assert!(lines[1].ends_with(r#""messages":2}"#), "{text}");
        assert!(lines[2].starts_with(r#"{"record":"call","#), "{text}");
    }

    #[test]
    fn a_full_disk_ends_the_recording_and_nothing_else() {
        let summary = written(Path::new("/dev/full"));
        assert!(summary.failed.is_some());
        assert!(
            summary.to_string().contains("the file ends early"),
            "{summary}"
        );
    }
}
