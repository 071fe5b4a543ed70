//! The file of `record` and `replay`: one JSON object in a line for each thing that passed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use outrigger_proto::{HookPoint, PROTOCOL_VERSION};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::io::{self, BufRead, Read as _};

/// Version of the format.
pub(crate) const FORMAT: u32 = 1;

/// Longest line that is read: the largest message in base64, what is said of it for people, and room.
const MAX_LINE: u64 = 32 * 1024 * 1024;

/// When and where something passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Place {
    /// Microseconds since the recording began.
    pub(crate) at_us: u64,
    /// Of the server to the proxy, from 1.
    pub(crate) connection: u64,
    /// One RPC: unique in the whole recording.
    pub(crate) stream: u64,
}

/// A protobuf message as it was on the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Encoded(pub(crate) Vec<u8>);

impl Serialize for Encoded {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Encoded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text).map_err(serde::de::Error::custom)?;
        Ok(Self(bytes))
    }
}

/// One line. `message` is what counts; the fields beside it repeat parts of it for people and their tools.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "record",
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
pub(crate) enum Record {
    /// First line.
    Recording {
        format: u32,
        /// Version of the hook protocol.
        protocol: u32,
        program: String,
    },
    /// `LoadRequest`, without the server's API and its token.
    Load {
        #[serde(flatten)]
        place: Place,
        service: String,
        revision: u64,
        parameters_redacted: bool,
        message: Encoded,
    },
    /// `LoadReply`.
    Loaded {
        #[serde(flatten)]
        place: Place,
        message: Encoded,
    },
    /// A session was opened: `Hello`.
    Session {
        #[serde(flatten)]
        place: Place,
        message: Encoded,
    },
    /// `CalloutRequest`, of a session or alone.
    Call {
        #[serde(flatten)]
        place: Place,
        id: u64,
        hook_point: String,
        packet: String,
        budget_us: u32,
        message: Encoded,
    },
    /// `CalloutReply`. After PARK a second one follows.
    Reply {
        #[serde(flatten)]
        place: Place,
        id: u64,
        answer: Value,
        message: Encoded,
    },
    /// A `Load` or `Call` ended with a status other than OK: for `Call` that is a failure.
    Status {
        #[serde(flatten)]
        place: Place,
        code: String,
        text: String,
    },
    /// The RPC is over: what has no reply by now has none.
    End {
        #[serde(flatten)]
        place: Place,
    },
    /// So many messages passed here and are not in the file: the disk was too slow.
    Lost { at_us: u64, messages: u64 },
    /// Nothing more is recorded, for this reason.
    Stopped { at_us: u64, reason: String },
    /// Of a younger version.
    #[serde(other)]
    Unknown,
}

impl Record {
    /// The first line of every file.
    pub(crate) fn first() -> Self {
        Self::Recording {
            format: FORMAT,
            protocol: PROTOCOL_VERSION,
            program: concat!("hook-runner ", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// Name of a hook point, or its number where it has none here.
pub(crate) fn point_name(number: i32) -> String {
    match HookPoint::try_from(number) {
        Ok(point) => point.to_string(),
        Err(_) => number.to_string(),
    }
}

/// Why a file cannot be read on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("it is no recording of hook calls")]
    Foreign,
    #[error("it has format {0}; this version reads format {FORMAT}")]
    Format(u32),
    #[error("it has version {0} of the hook protocol; this version speaks {PROTOCOL_VERSION}")]
    Protocol(u32),
    #[error("line {line}: {text}")]
    Damaged { line: u64, text: String },
}

/// Reads a file record by record; what it keeps of it is one line.
#[derive(Debug)]
pub(crate) struct Reader<R> {
    input: R,
    line: u64,
    buffer: Vec<u8>,
    cut: bool,
}

impl<R: BufRead> Reader<R> {
    /// After the first line was read and understood.
    ///
    /// # Errors
    /// It is no recording, or one of another format or protocol.
    pub(crate) fn open(input: R) -> Result<Self, ReadError> {
        let mut reader = Self {
            input,
            line: 0,
            buffer: Vec::new(),
            cut: false,
        };
        match reader.next() {
            Ok(Some(Record::Recording { format, .. })) if format != FORMAT => {
                Err(ReadError::Format(format))
            }
            Ok(Some(Record::Recording { protocol, .. })) if protocol != PROTOCOL_VERSION => {
                Err(ReadError::Protocol(protocol))
            }
            Ok(Some(Record::Recording { .. })) => Ok(reader),
            Ok(_) | Err(ReadError::Damaged { .. }) => Err(ReadError::Foreign),
            Err(error) => Err(error),
        }
    }

    /// Whether the last line was cut off; nothing of it was used.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut
    }

    /// Number of the line that was read last, from 1.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// The next record, or none at the end, also where the end was cut off.
    ///
    /// # Errors
    /// The file cannot be read, or a line is not what it should be.
    pub(crate) fn next(&mut self) -> Result<Option<Record>, ReadError> {
        self.buffer.clear();
        let mut limited = (&mut self.input).take(MAX_LINE);
        limited.read_until(b'\n', &mut self.buffer)?;
        self.line += 1;
        if self.buffer.pop_if(|last| *last == b'\n').is_none() {
            if self.buffer.len() as u64 == MAX_LINE {
                return Err(self.damaged(format!("it is longer than {MAX_LINE} bytes")));
            }
            self.cut = !self.buffer.is_empty();
            return Ok(None);
        }
        let record = serde_json::from_slice(&self.buffer);
        record
            .map(Some)
            .map_err(|error| self.damaged(error.to_string()))
    }

    fn damaged(&self, text: String) -> ReadError {
        ReadError::Damaged {
            line: self.line,
            text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(records: &[Record]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for record in records {
            serde_json::to_writer(&mut bytes, record).unwrap();
            bytes.push(b'\n');
        }
        bytes
    }

    fn call(id: u64) -> Record {
        Record::Call {
            place: Place {
                at_us: 7,
                connection: 1,
                stream: 2,
            },
            id,
            hook_point: "pkt4_receive".to_owned(),
            packet: "a".to_owned(),
            budget_us: 50_000,
            message: Encoded(vec![8, 1]),
        }
    }

    #[test]
    fn a_file_is_readable_up_to_the_cut() {
        let whole = file(&[Record::first(), call(1), call(2)]);
        let second = file(&[Record::first(), call(1)]).len();
        for length in second..whole.len() {
            let mut reader = Reader::open(&whole[..length]).unwrap();
            assert_eq!(reader.next().unwrap(), Some(call(1)));
            assert_eq!(reader.next().unwrap(), None, "cut at {length}");
            assert_eq!(reader.is_cut(), length > second);
        }
    }

    #[test]
    fn a_line_names_what_it_is_and_hides_nothing() {
        let text = String::from_utf8(file(&[call(3)])).unwrap();
        let expected = r#"{"record":"call","at-us":7,"connection":1,"stream":2,"id":3,"hook-point":"pkt4_receive","packet":"a","budget-us":50000,"message":"CAE="}"#;
        assert_eq!(text.trim_end(), expected);
    }

    #[test]
    fn what_a_younger_version_adds_is_passed_over() {
        let mut bytes = file(&[Record::first()]);
        bytes.extend(b"{\"record\":\"weather\",\"sun\":true}\n");
        bytes.extend(b"{\"record\":\"lost\",\"at-us\":1,\"messages\":2,\"why\":\"x\"}\n");
        let mut reader = Reader::open(&bytes[..]).unwrap();
        assert_eq!(reader.next().unwrap(), Some(Record::Unknown));
        let lost = Record::Lost {
            at_us: 1,
            messages: 2,
        };
        assert_eq!(reader.next().unwrap(), Some(lost));
    }

    #[test]
    fn what_is_no_recording_says_so() {
        let other = |format, protocol| {
            file(&[Record::Recording {
                format,
                protocol,
                program: String::new(),
            }])
        };
        for (bytes, part) in [
            (Vec::new(), "no recording"),
            (b"\n".to_vec(), "no recording"),
            (b"{\"record\":\"end\"}\n".to_vec(), "no recording"),
            (file(&[call(1)]), "no recording"),
            (other(9, 1), "format 9"),
            (other(FORMAT, 77), "version 77 of the hook protocol"),
        ] {
            let error = Reader::open(&bytes[..]).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        let mut damaged = file(&[Record::first()]);
        damaged.extend(b"{\"record\":\"call\",\"message\":\"*\"}\n");
        let mut reader = Reader::open(&damaged[..]).unwrap();
        let error = reader.next().unwrap_err().to_string();
        assert!(error.starts_with("line 2: "), "{error}");
    }

    #[test]
    fn a_line_without_end_is_not_kept() {
        let mut endless = file(&[Record::first()]);
        endless.extend(b"{\"record\":\"");
        let input = io::BufReader::new(endless.as_slice().chain(io::repeat(b'x')));
        let mut reader = Reader::open(input).unwrap();
        let error = reader.next().unwrap_err().to_string();
        assert!(error.contains("longer than"), "{error}");
    }
}
