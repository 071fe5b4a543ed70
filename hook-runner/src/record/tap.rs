//! What listens in: cuts the bytes of a stream into messages and hands copies to the writer, without ever waiting.

use super::limits::{MAX_WAITING, MAX_WAITING_BYTES};
use outrigger_proto::MAX_MESSAGE;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Instant;

/// Of gRPC: one byte for compression, four for the length.
const PREFIX: usize = 5;

/// An RPC of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Load,
    Session,
    Call,
}

/// Who sent a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    Server,
    Service,
}

/// Something that passed.
#[derive(Debug)]
pub(super) struct Passed {
    /// Microseconds since the recording began.
    pub(super) at_us: u64,
    pub(super) connection: u64,
    pub(super) stream: u64,
    pub(super) method: Method,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    Message(From, Vec<u8>),
    /// A status other than OK.
    Status {
        code: String,
        text: String,
    },
    End,
}

impl What {
    fn size(&self) -> usize {
        match self {
            Self::Message(_, message) => message.len(),
            Self::Status { code, text } => code.len() + text.len(),
            Self::End => 0,
        }
    }
}

/// What both ends of the queue know.
#[derive(Debug, Default)]
pub(super) struct Shared {
    waiting_bytes: AtomicUsize,
    /// Messages that are not recorded because the queue was full.
    pub(super) lost: AtomicU64,
    /// Messages that are not recorded because they are compressed or too long.
    pub(super) unreadable: AtomicU64,
}

impl Shared {
    /// The writer has taken it.
    pub(super) fn taken(&self, passed: &Passed) {
        self.waiting_bytes.fetch_sub(passed.what.size(), Relaxed);
    }
}

/// The proxy's end of the queue.
#[derive(Debug, Clone)]
pub(super) struct Recorder {
    queue: SyncSender<Passed>,
    shared: Arc<Shared>,
    began: Instant,
}

impl Recorder {
    /// A queue; the recording begins now.
    pub(super) fn new() -> (Self, Receiver<Passed>, Arc<Shared>) {
        Self::with_room(MAX_WAITING)
    }

    fn with_room(room: usize) -> (Self, Receiver<Passed>, Arc<Shared>) {
        let (queue, received) = sync_channel(room);
        let shared = Arc::new(Shared::default());
        let recorder = Self {
            queue,
            shared: Arc::clone(&shared),
            began: Instant::now(),
        };
        (recorder, received, shared)
    }

    fn put(&self, tap: &Tap, what: What) {
        let size = what.size();
        if self.shared.waiting_bytes.fetch_add(size, Relaxed) + size > MAX_WAITING_BYTES {
            self.shared.waiting_bytes.fetch_sub(size, Relaxed);
            self.shared.lost.fetch_add(1, Relaxed);
            return;
        }
        let passed = Passed {
            at_us: u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX),
            connection: tap.connection,
            stream: tap.stream,
            method: tap.method,
            what,
        };
        if let Err(TrySendError::Full(passed) | TrySendError::Disconnected(passed)) =
            self.queue.try_send(passed)
        {
            self.shared.taken(&passed);
            self.shared.lost.fetch_add(1, Relaxed);
        }
    }
}

/// Listens to one RPC.
#[derive(Debug, Clone)]
pub(super) struct Tap {
    pub(super) recorder: Recorder,
    pub(super) connection: u64,
    pub(super) stream: u64,
    pub(super) method: Method,
}

impl Tap {
    /// A message has passed.
    pub(super) fn message(&self, from: From, message: Vec<u8>) {
        self.recorder.put(self, What::Message(from, message));
    }

    /// It passed and cannot be recorded.
    pub(super) fn unreadable(&self) {
        self.recorder.shared.unreadable.fetch_add(1, Relaxed);
    }

    /// The RPC has a status that is not OK.
    pub(super) fn status(&self, code: &str, text: &str) {
        let (code, text) = (code.to_owned(), text.to_owned());
        self.recorder.put(self, What::Status { code, text });
    }

    /// The RPC is over.
    pub(super) fn end(&self) {
        self.recorder.put(self, What::End);
    }
}

/// The messages of one direction of a stream.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// Prefix and message as far as they are there.
    partial: Vec<u8>,
    /// Bytes that belong to a message which is not kept.
    skip: usize,
}

impl Frames {
    /// Takes the next bytes; `found` is given each message that they complete, and nothing for one that is compressed or
    /// longer than a message may be.
    pub(super) fn push(&mut self, mut chunk: &[u8], mut found: impl FnMut(Option<Vec<u8>>)) {
        while !chunk.is_empty() {
            if self.skip > 0 {
                let skipped = self.skip.min(chunk.len());
                self.skip -= skipped;
                chunk = &chunk[skipped..];
                continue;
            }
            let taken = (self.wanted() - self.partial.len()).min(chunk.len());
            self.partial.extend_from_slice(&chunk[..taken]);
            chunk = &chunk[taken..];
            if self.partial.len() < PREFIX {
                continue;
            }
            let length = self.wanted() - PREFIX;
            if length > MAX_MESSAGE {
                self.partial.clear();
                self.skip = length;
                found(None);
            } else if self.partial.len() == PREFIX + length {
                let mut message = std::mem::take(&mut self.partial);
                let is_compressed = message.drain(..PREFIX).next() != Some(0);
                found((!is_compressed).then_some(message));
            }
        }
    }

    /// Whether a message of somebody else could be put in here.
    pub(super) fn is_between_messages(&self) -> bool {
        self.partial.is_empty() && self.skip == 0
    }

    /// Bytes that `partial` has to have for the next decision: the prefix, then all.
    fn wanted(&self) -> usize {
        match self.partial.get(1..PREFIX) {
            None => PREFIX,
            Some(length) => {
                let length = length.try_into().map_or(u32::MAX, u32::from_be_bytes);
                PREFIX + usize::try_from(length).unwrap_or(usize::MAX - PREFIX)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(message: &[u8]) -> Vec<u8> {
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        [&[0][..], &length, message].concat()
    }

    #[test]
    fn messages_are_found_however_the_stream_is_cut() {
        let long = vec![7; 300];
        let messages: [&[u8]; 4] = [b"one", b"", &long, b"x"];
        let stream = messages.map(framed).concat();
        for size in 1..stream.len() {
            let mut frames = Frames::default();
            let mut found = Vec::new();
            for chunk in stream.chunks(size) {
                frames.push(chunk, |message| found.push(message.unwrap()));
            }
            assert_eq!(found, messages, "in pieces of {size}");
            assert!(frames.is_between_messages());
        }
    }

    #[test]
    fn what_cannot_be_read_is_passed_over_and_not_kept() {
        let mut frames = Frames::default();
        let mut found = Vec::new();
        let mut push = |chunk: &[u8]| frames.push(chunk, |message| found.push(message));
        let mut compressed = framed(b"abc");
        compressed[0] = 1;
        push(&compressed);
        let too_long = u32::try_from(MAX_MESSAGE + 1).unwrap().to_be_bytes();
        push(&[&[0][..], &too_long].concat());
        for _ in 0..=MAX_MESSAGE {
            push(b"x");
        }
        push(&framed(b"after"));
        assert_eq!(found, [None, None, Some(b"after".to_vec())]);
        assert!(frames.partial.capacity() < 1024);
    }

    #[test]
    fn a_full_queue_loses_records_and_counts_them() {
        let (recorder, received, shared) = Recorder::with_room(2);
        let tap = Tap {
            recorder,
            connection: 1,
            stream: 1,
            method: Method::Call,
        };
        for _ in 0..5 {
            tap.message(From::Server, vec![1]);
        }
        tap.message(From::Server, vec![0; MAX_WAITING_BYTES + 1]);
        assert_eq!(shared.lost.load(Relaxed), 4);
        for _ in 0..2 {
            shared.taken(&received.try_recv().unwrap());
        }
        tap.message(From::Service, vec![2; MAX_WAITING_BYTES]);
        assert_eq!(shared.lost.load(Relaxed), 4);
        shared.taken(&received.try_recv().unwrap());
        assert_eq!(shared.waiting_bytes.load(Relaxed), 0);
    }
}
