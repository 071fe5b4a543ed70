//! The recording as steps in the order in which they were begun: each Load and call together with what it came to.

use crate::raw;
use crate::recording::{Place, ReadError, Reader, Record};
use crate::show;
use outrigger_proto::v1;
use prost::Message as _;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io::BufRead;
use v1::callout_reply::Outcome;

/// Calls that wait for their reply in the file, or for one before them that does.
const MAX_AHEAD: usize = 16 * 1024;
/// Bytes of theirs.
const MAX_AHEAD_BYTES: usize = 64 * 1024 * 1024;
/// Servers and configurations.
const MAX_LOADS: usize = 1024;
/// Bytes of theirs.
const MAX_LOAD_BYTES: usize = 64 * 1024 * 1024;
/// Connections whose Load is remembered.
const MAX_CONNECTIONS: usize = 4096;
/// A reply that is this much later than it may be does not come any more.
const LATE_US: u64 = 10_000_000;

/// An answer, then or now.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    /// There was a PARK before it.
    pub(super) parked: bool,
    pub(super) kind: Kind,
}

/// Which kind of answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Result(Box<v1::CalloutResult>),
    /// A failure, or a status of `Call`: as it is shown.
    Failure(Value),
    /// Neither.
    Nothing,
}

impl Answer {
    /// Of a final reply.
    pub(super) fn of(parked: bool, reply: v1::CalloutReply) -> Self {
        let shown = show::reply(&reply);
        let kind = match reply.outcome {
            Some(Outcome::Result(result)) => Kind::Result(Box::new(result)),
            Some(Outcome::Failure(_)) => Kind::Failure(shown),
            None => Kind::Nothing,
        };
        Self { parked, kind }
    }

    /// Of a `Call` that came to a status.
    pub(super) fn failed(status: &tonic::Status) -> Self {
        Self {
            parked: false,
            kind: Kind::Failure(show::status(status)),
        }
    }

    /// What the server passes on to the next hook point, where it differs from what the service was given.
    pub(super) fn context(&self) -> Option<&bytes::Bytes> {
        match &self.kind {
            Kind::Result(result) => result.context.as_ref(),
            Kind::Failure(_) | Kind::Nothing => None,
        }
    }
}

/// A call of the recording.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) line: u64,
    pub(super) at_us: u64,
    /// Index of its Load.
    pub(super) load: usize,
    pub(super) head: raw::Call,
    /// `CalloutRequest`.
    pub(super) message: Vec<u8>,
    /// Nothing where the recording has no reply.
    pub(super) answer: Option<Answer>,
    /// From the call to the final reply.
    pub(super) took_us: u64,
}

/// What a server asked for, and what the service said.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) index: usize,
    pub(super) line: u64,
    pub(super) request: v1::LoadRequest,
    pub(super) parameters_redacted: bool,
    pub(super) reply: Option<v1::LoadReply>,
}

/// What is to be done next.
#[derive(Debug)]
pub(super) enum Step {
    Load(Box<Load>),
    Call(Box<Call>),
}

#[derive(Debug)]
struct Waiting {
    step: Step,
    place: Place,
    /// Of request and reply.
    bytes: usize,
    /// PARK was seen.
    parked: bool,
    done: bool,
}

/// Reads ahead as far as replies are away from their calls.
#[derive(Debug)]
pub(super) struct Steps<R> {
    reader: Reader<R>,
    ended: bool,
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    /// Number of the first of `waiting`.
    first: u64,
    /// Numbers of open calls by stream and id; those of Loads have id 0.
    open: HashMap<u64, HashMap<u64, u64>>,
    /// Each different Load, and whether the service loaded it already.
    loads: Vec<(v1::LoadRequest, bool)>,
    load_bytes: usize,
    /// Indexes of the Loads of a connection, the latest last.
    connections: BTreeMap<u64, Vec<usize>>,
    /// Messages that the recording says are missing.
    lost: u64,
    now_us: u64,
}

impl<R: BufRead> Steps<R> {
    pub(super) fn new(reader: Reader<R>) -> Self {
        Self {
            reader,
            ended: false,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            first: 0,
            open: HashMap::new(),
            loads: Vec::new(),
            load_bytes: 0,
            connections: BTreeMap::new(),
            lost: 0,
            now_us: 0,
        }
    }

    /// Whether the file was cut off; known at its end.
    pub(super) fn is_cut(&self) -> bool {
        self.reader.is_cut()
    }

    /// Messages that are missing so far.
    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    /// The next step, or none at the end.
    ///
    /// # Errors
    /// The file cannot be read on.
    pub(super) fn next(&mut self) -> Result<Option<Step>, ReadError> {
        while !self.ended && !self.is_first_settled() {
            match self.reader.next()? {
                Some(record) => self.take(record)?,
                None => self.ended = true,
            }
        }
        let Some(waiting) = self.waiting.pop_front() else {
            return Ok(None);
        };
        self.close(&waiting);
        self.first += 1;
        self.waiting_bytes -= waiting.bytes;
        Ok(Some(waiting.step))
    }

    fn is_first_settled(&self) -> bool {
        let Some(first) = self.waiting.front() else {
            return false;
        };
        let patience_us = match &first.step {
            Step::Load(_) => 0,
            Step::Call(call) => {
                u64::from(call.head.budget_us) + u64::from(call.head.park_budget_us)
            }
        };
        first.done
            || self.waiting.len() > MAX_AHEAD
            || self.waiting_bytes > MAX_AHEAD_BYTES
            || self.now_us.saturating_sub(first.place.at_us) > patience_us + LATE_US
    }

    fn take(&mut self, record: Record) -> Result<(), ReadError> {
        match record {
            Record::Load {
                place,
                parameters_redacted,
                message,
                ..
            } => {
                let request = self.decoded(&message.0)?;
                self.load(place, parameters_redacted, request)?;
            }
            Record::Loaded { place, message } => {
                let reply = self.decoded(&message.0)?;
                self.loaded(place, reply);
            }
            Record::Call { place, message, .. } => {
                let head = self.decoded(&message.0)?;
                self.call(place, head, message.0)?;
            }
            Record::Reply { place, message, .. } => {
                let reply = self.decoded(&message.0)?;
                self.reply(place, reply);
            }
            Record::Status { place, code, text } => {
                let shown =
                    serde_json::json!({ "outcome": "failure", "status": code, "text": text });
                self.end(place, Some(&shown));
            }
            Record::End { place } => self.end(place, None),
            Record::Lost { messages, .. } => self.lost = self.lost.saturating_add(messages),
            Record::Session { .. }
            | Record::Stopped { .. }
            | Record::Recording { .. }
            | Record::Unknown => {}
        }
        Ok(())
    }

    fn decoded<T: prost::Message + Default>(&self, message: &[u8]) -> Result<T, ReadError> {
        T::decode(message).map_err(|error| self.damaged(error.to_string()))
    }

    fn damaged(&self, text: String) -> ReadError {
        ReadError::Damaged {
            line: self.reader.line(),
            text,
        }
    }

    fn load(
        &mut self,
        place: Place,
        parameters_redacted: bool,
        request: v1::LoadRequest,
    ) -> Result<(), ReadError> {
        let known = self.loads.iter().position(|(known, _)| *known == request);
        let index = known.unwrap_or(self.loads.len());
        if known.is_none() {
            self.load_bytes += request.encoded_len();
        }
        if index == MAX_LOADS || self.load_bytes > MAX_LOAD_BYTES {
            let text =
                format!("more than {MAX_LOADS} configurations, or {MAX_LOAD_BYTES} bytes of them");
            return Err(self.damaged(text));
        }
        if self.connections.len() == MAX_CONNECTIONS {
            self.connections.pop_first();
        }
        let loads = self.connections.entry(place.connection).or_default();
        loads.retain(|earlier| *earlier != index);
        loads.push(index);
        if known.is_none() {
            self.loads.push((request.clone(), false));
        }
        // Every shard of a server asks; and a service that is not ready refuses, and is asked again.
        if !self.loads[index].1 {
            let load = Load {
                index,
                line: self.reader.line(),
                request,
                parameters_redacted,
                reply: None,
            };
            self.wait(place, 0, Step::Load(Box::new(load)));
        }
        Ok(())
    }

    fn loaded(&mut self, place: Place, reply: v1::LoadReply) {
        let Some(waiting) = self.find(place.stream, 0) else {
            return;
        };
        if let Step::Load(load) = &mut waiting.step {
            let is_loaded = matches!(reply.result, Some(v1::load_reply::Result::Loaded(_)));
            let index = load.index;
            load.reply = Some(reply);
            waiting.done = true;
            self.loads[index].1 |= is_loaded;
        }
    }

    fn call(&mut self, place: Place, head: raw::Call, message: Vec<u8>) -> Result<(), ReadError> {
        let loads = self.connections.get(&place.connection);
        let of_revision = loads.and_then(|loads| {
            let wanted = |index: &&usize| {
                self.loads[**index].0.configuration_revision == head.configuration_revision
            };
            loads.iter().rev().find(wanted).or_else(|| loads.last())
        });
        let Some(load) = of_revision.copied() else {
            let connection = place.connection;
            return Err(self.damaged(format!("a call on connection {connection} before its Load")));
        };
        let id = head.id;
        let call = Call {
            line: self.reader.line(),
            at_us: place.at_us,
            load,
            head,
            message,
            answer: None,
            took_us: 0,
        };
        self.wait(place, id, Step::Call(Box::new(call)));
        Ok(())
    }

    fn wait(&mut self, place: Place, id: u64, step: Step) {
        self.now_us = self.now_us.max(place.at_us);
        let number = self.first + self.waiting.len() as u64;
        self.open
            .entry(place.stream)
            .or_default()
            .insert(id, number);
        let bytes = size(&step);
        self.waiting_bytes += bytes;
        self.waiting.push_back(Waiting {
            step,
            place,
            bytes,
            parked: false,
            done: false,
        });
    }

    fn find(&mut self, stream: u64, id: u64) -> Option<&mut Waiting> {
        let number = *self.open.get(&stream)?.get(&id)?;
        let index = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.waiting.get_mut(index)
    }

    fn reply(&mut self, place: Place, reply: v1::CalloutReply) {
        let id = reply.id;
        let parks = show::is_parked(&reply);
        let found = self.find(place.stream, id);
        let Some(waiting) = found.filter(|waiting| !waiting.done) else {
            return;
        };
        if parks && !waiting.parked {
            waiting.parked = true;
            return;
        }
        waiting.done = true;
        let bytes = reply.encoded_len();
        waiting.bytes += bytes;
        let (parked, began) = (waiting.parked, waiting.place.at_us);
        if let Step::Call(call) = &mut waiting.step {
            call.answer = Some(Answer::of(parked, reply));
            call.took_us = place.at_us.saturating_sub(began);
        }
        self.waiting_bytes += bytes;
    }

    /// Nothing more comes on a stream; a status is what its one call came to.
    fn end(&mut self, place: Place, status: Option<&Value>) {
        for number in self
            .open
            .remove(&place.stream)
            .unwrap_or_default()
            .into_values()
        {
            let index = number.checked_sub(self.first).map(usize::try_from);
            let Some(Ok(index)) = index else {
                continue;
            };
            let Some(waiting) = self.waiting.get_mut(index).filter(|waiting| !waiting.done) else {
                continue;
            };
            waiting.done = true;
            if let (Step::Call(call), Some(status)) = (&mut waiting.step, status) {
                call.answer = Some(Answer {
                    parked: waiting.parked,
                    kind: Kind::Failure(status.clone()),
                });
                call.took_us = place.at_us.saturating_sub(waiting.place.at_us);
            }
        }
    }

    /// No reply is awaited any more for the first of those that wait.
    fn close(&mut self, waiting: &Waiting) {
        let id = match &waiting.step {
            Step::Load(_) => 0,
            Step::Call(call) => call.head.id,
        };
        let stream = waiting.place.stream;
        if let Some(open) = self.open.get_mut(&stream) {
            if open.get(&id) == Some(&self.first) {
                open.remove(&id);
            }
            if open.is_empty() {
                self.open.remove(&stream);
            }
        }
    }
}

fn size(step: &Step) -> usize {
    match step {
        Step::Load(load) => load.request.encoded_len(),
        Step::Call(call) => call.message.len(),
    }
}

#[cfg(test)]
mod tests;
