//! The messages of the protocol that carry arguments, with the arguments as bytes.
//!
//! On the wire they equal `v1::CalloutRequest`, `v1::CallBatch` and `v1::ServerMessage`: a message and its encoded
//! bytes have the same form inside another message. So arguments are encoded once and shared by all services, and
//! replies are decoded one after the other: decoded, an empty one takes a thousand times its two bytes.

use bytes::{Buf, Bytes};
use outrigger_proto::{MAX_REPLY, v1};
use prost::DecodeError;
use prost::encoding::{self, DecodeContext, WireType, decode_key, skip_field};

/// `v1::CalloutRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CalloutRequest {
    #[prost(uint64, tag = "1")]
    pub(crate) id: u64,
    #[prost(int32, tag = "2")]
    pub(crate) hook_point: i32,
    #[prost(uint32, tag = "3")]
    pub(crate) budget_us: u32,
    #[prost(string, tag = "4")]
    pub(crate) packet_label: String,
    #[prost(string, tag = "5")]
    pub(crate) trace_parent: String,
    #[prost(int32, tag = "6")]
    pub(crate) status: i32,
    #[prost(bytes = "bytes", tag = "7")]
    pub(crate) context: Bytes,
    #[prost(uint64, tag = "8")]
    pub(crate) configuration_revision: u64,
    #[prost(bytes = "bytes", tag = "9")]
    pub(crate) arguments: Bytes,
    #[prost(uint32, tag = "10")]
    pub(crate) park_budget_us: u32,
}

/// `v1::CallBatch`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CallBatch {
    #[prost(message, repeated, tag = "1")]
    pub(crate) calls: Vec<CalloutRequest>,
    #[prost(uint64, optional, tag = "2")]
    pub(crate) answered: Option<u64>,
}

/// `v1::ServerMessage`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ServerMessage {
    #[prost(oneof = "Message", tags = "1, 2, 3")]
    pub(crate) message: Option<Message>,
}

/// `v1::server_message::Message`.
#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum Message {
    #[prost(message, tag = "1")]
    Hello(v1::Hello),
    #[prost(message, tag = "2")]
    Calls(CallBatch),
    #[prost(message, tag = "3")]
    Bye(v1::Bye),
}

impl From<Message> for ServerMessage {
    fn from(message: Message) -> Self {
        Self {
            message: Some(message),
        }
    }
}

/// `v1::ServiceMessage`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ServiceMessage {
    #[prost(oneof = "Said", tags = "1, 2, 3")]
    pub(crate) message: Option<Said>,
}

/// `v1::service_message::Message`, with a `v1::ReplyBatch` as bytes.
#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum Said {
    #[prost(message, tag = "1")]
    Welcome(v1::Welcome),
    #[prost(bytes = "bytes", tag = "2")]
    Replies(Bytes),
    #[prost(message, tag = "3")]
    Drain(v1::Drain),
}

/// The replies of an encoded `v1::ReplyBatch`, in their order. The first that does not decode is the last.
#[derive(Debug)]
pub(crate) struct Replies(pub(crate) Bytes);

/// Why a batch cannot be read any further.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("a reply does not decode: {0}")]
    Malformed(#[from] DecodeError),
    #[error("a reply has {0} bytes, at most {MAX_REPLY} are read")]
    TooLarge(usize),
}

/// What of a reply may be large, with everything else left out.
#[derive(Clone, PartialEq, prost::Message)]
struct LargeReply {
    #[prost(message, optional, tag = "2")]
    result: Option<LargeResult>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct LargeResult {
    #[prost(message, optional, tag = "3")]
    changes: Option<LargeChanges>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct LargeChanges {
    #[prost(bytes = "bytes", tag = "13")]
    command_response: Bytes,
}

/// Decoding many small things takes far longer than reading them: a reply that is too large for what it may change is
/// not decoded.
fn reply(encoded: Bytes) -> Result<v1::CalloutReply, Unreadable> {
    if encoded.len() > MAX_REPLY {
        let large: LargeReply = prost::Message::decode(encoded.clone())?;
        let changes = large.result.and_then(|result| result.changes);
        let answer = changes.map_or(0, |changes| changes.command_response.len());
        if encoded.len() - answer > MAX_REPLY {
            return Err(Unreadable::TooLarge(encoded.len()));
        }
    }
    Ok(prost::Message::decode(encoded)?)
}

impl Iterator for Replies {
    type Item = Result<v1::CalloutReply, Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.0.has_remaining() {
            match self.field() {
                Ok(None) => {}
                Ok(Some(reply)) => return Some(Ok(reply)),
                Err(error) => {
                    self.0.clear();
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

impl Replies {
    /// The next field; `None` where it is one that a newer protocol may have.
    fn field(&mut self) -> Result<Option<v1::CalloutReply>, Unreadable> {
        let (tag, wire_type) = decode_key(&mut self.0)?;
        if (tag, wire_type) != (1, WireType::LengthDelimited) {
            skip_field(wire_type, tag, &mut self.0, DecodeContext::default())?;
            return Ok(None);
        }
        let mut encoded = Bytes::new();
        encoding::bytes::merge(
            wire_type,
            &mut encoded,
            &mut self.0,
            DecodeContext::default(),
        )?;
        reply(encoded).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message as _;

    fn replies(bytes: Vec<u8>) -> Vec<Option<u64>> {
        let replies = Replies(bytes.into());
        replies
            .map(|reply| reply.ok().map(|reply| reply.id))
            .collect()
    }

    #[test]
    fn replies_of_a_batch_are_read_one_after_the_other_up_to_one_that_is_none() {
        let reply = |id| v1::CalloutReply { id, outcome: None };
        let batch = v1::ReplyBatch {
            replies: vec![reply(7), reply(0), reply(9)],
        };
        let theirs = v1::ServiceMessage {
            message: Some(v1::service_message::Message::Replies(batch)),
        };
        let Ok(ServiceMessage {
            message: Some(Said::Replies(mut encoded)),
        }) = ServiceMessage::decode(theirs.encode_to_vec().as_slice())
        else {
            panic!("a batch stays a batch");
        };
        let mut bytes = encoded.split_off(0).to_vec();
        assert_eq!(replies(bytes.clone()), [Some(7), Some(0), Some(9)]);
        // Field 2, a number, is of a newer protocol.
        assert_eq!(replies([&[0x10, 1], &bytes[..]].concat()).len(), 3);
        bytes.truncate(bytes.len() - 1);
        assert_eq!(replies(bytes), [Some(7), Some(0), None]);
        assert_eq!(replies(vec![10, 9, 8, 7]), [None]);
        assert_eq!(replies(vec![0xff; 20]), [None]);
        assert_eq!(replies(Vec::new()), []);
    }

    #[test]
    fn only_an_answer_to_a_command_makes_a_reply_large() {
        let batch = |changes: v1::Changes| {
            let result = v1::CalloutResult {
                changes: Some(changes),
                ..Default::default()
            };
            let reply = v1::CalloutReply {
                id: 1,
                outcome: Some(v1::callout_reply::Outcome::Result(result)),
            };
            v1::ReplyBatch {
                replies: vec![reply],
            }
            .encode_to_vec()
        };
        let answer = v1::Changes {
            command_response: Some("x".repeat(2 * MAX_REPLY)),
            ..Default::default()
        };
        assert_eq!(replies(batch(answer.clone())), [Some(1)]);
        let edits = |count| v1::Changes {
            ia_options: vec![v1::OptionEdit::default(); count],
            ..answer.clone()
        };
        assert_eq!(replies(batch(edits(1000))), [Some(1)]);
        assert_eq!(replies(batch(edits(MAX_REPLY))), [None]);
    }

    #[test]
    fn a_batch_with_encoded_arguments_reads_as_the_protocols_batch() {
        let arguments = v1::Arguments {
            point: Some(v1::arguments::Point::Pkt4Receive(v1::Query4Arguments {
                query: Some(v1::Packet4 {
                    transaction_id: 7,
                    ..Default::default()
                }),
            })),
        };
        let ours = ServerMessage::from(Message::Calls(CallBatch {
            calls: vec![CalloutRequest {
                id: 1,
                hook_point: 2,
                budget_us: 3,
                packet_label: "label".to_owned(),
                trace_parent: "trace".to_owned(),
                status: 1,
                context: Bytes::from_static(b"context"),
                configuration_revision: 8,
                arguments: arguments.encode_to_vec().into(),
                park_budget_us: 10,
            }],
            answered: Some(11),
        }));
        let theirs = v1::ServerMessage {
            message: Some(v1::server_message::Message::Calls(v1::CallBatch {
                calls: vec![v1::CalloutRequest {
                    id: 1,
                    hook_point: 2,
                    budget_us: 3,
                    packet_label: "label".to_owned(),
                    trace_parent: "trace".to_owned(),
                    status: 1,
                    context: Bytes::from_static(b"context"),
                    configuration_revision: 8,
                    arguments: Some(arguments),
                    park_budget_us: 10,
                }],
                answered: Some(11),
            })),
        };
        assert_eq!(ours.encode_to_vec(), theirs.encode_to_vec());
        let hello = v1::Hello {
            instance_id: "i".to_owned(),
            configuration_revision: 2,
            service_name: "s".to_owned(),
        };
        assert_eq!(
            ServerMessage::from(Message::Hello(hello.clone())).encode_to_vec(),
            v1::ServerMessage {
                message: Some(v1::server_message::Message::Hello(hello))
            }
            .encode_to_vec()
        );
        assert_eq!(
            ServerMessage::from(Message::Bye(v1::Bye {})).encode_to_vec(),
            v1::ServerMessage {
                message: Some(v1::server_message::Message::Bye(v1::Bye {}))
            }
            .encode_to_vec()
        );
    }
}
