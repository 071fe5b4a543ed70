//! A reply of a session, encoded as soon as it is there.
//!
//! A `v1::CalloutReply` has room for every change of every hook point, hundreds of times what most replies say: those
//! that wait for the transport are kept in their encoded form.

use crate::run::Failure;
use bytes::Bytes;
use outrigger_proto::{MAX_MESSAGE, MAX_REPLY, v1};
use prost::Message;
use prost::encoding;

/// Largest reply with an answer to a control command: a batch of one still has to fit a message.
const MAX_WITH_ANSWER: usize = MAX_MESSAGE - 64;

/// An encoded `v1::CalloutReply`.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    /// Of the request.
    pub(crate) id: u64,
    pub(crate) encoded: Bytes,
}

impl Reply {
    /// With a result, or the failure that it is larger than a server reads.
    pub(crate) fn result(id: u64, result: &v1::CalloutResult) -> Self {
        // Fields 1 and 2 of the message, so that the result is not moved into one.
        let length =
            encoding::uint64::encoded_len(1, &id) + encoding::message::encoded_len(2, result);
        let changes = result.changes.as_ref();
        let answer = changes.and_then(|changes| changes.command_response.as_ref());
        if length - answer.map_or(0, String::len) > MAX_REPLY || length > MAX_WITH_ANSWER {
            return Self::failure(id, Failure::TooLarge(length));
        }
        let mut encoded = Vec::with_capacity(length);
        encoding::uint64::encode(1, &id, &mut encoded);
        encoding::message::encode(2, result, &mut encoded);
        Self {
            id,
            encoded: encoded.into(),
        }
    }

    /// With a failure.
    pub(crate) fn failure(id: u64, failure: Failure) -> Self {
        let outcome = v1::callout_reply::Outcome::Failure(failure.into_message());
        let reply = v1::CalloutReply {
            id,
            outcome: Some(outcome),
        };
        Self {
            id,
            encoded: reply.encode_to_vec().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use v1::callout_reply::Outcome;

    #[test]
    fn a_reply_is_read_as_the_protocols() {
        let result = v1::CalloutResult {
            context: Some(Bytes::from_static(b"context")),
            warning: "warning".to_owned(),
            ..Default::default()
        };
        for id in [0, 7, u64::MAX] {
            let read = v1::CalloutReply::decode(Reply::result(id, &result).encoded).unwrap();
            assert_eq!(
                (read.id, read.outcome),
                (id, Some(Outcome::Result(result.clone())))
            );
            let read = v1::CalloutReply::decode(Reply::failure(id, Failure::Expired(5)).encoded);
            assert_eq!(read.unwrap().id, id);
        }
    }

    fn is_too_large(result: &v1::CalloutResult) -> bool {
        let reply = Reply::result(2, result);
        let read = v1::CalloutReply::decode(reply.encoded).unwrap();
        let text = format!("{:?}", read.outcome);
        text.contains("more than a message may have")
    }

    #[test]
    fn a_reply_that_a_server_would_not_read_becomes_a_failure() {
        let with_warning = |length| v1::CalloutResult {
            warning: "x".repeat(length),
            ..Default::default()
        };
        assert!(!is_too_large(&with_warning(MAX_REPLY - 64)));
        assert!(is_too_large(&with_warning(MAX_REPLY)));
        let with_answer = |length| v1::CalloutResult {
            changes: Some(v1::Changes {
                command_response: Some("x".repeat(length)),
                ..Default::default()
            }),
            ..Default::default()
        };
        assert!(!is_too_large(&with_answer(MAX_MESSAGE - 128)));
        assert!(is_too_large(&with_answer(MAX_MESSAGE)));
    }
}
