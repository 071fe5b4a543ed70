//! What a command is answered with.

use super::Wish;
use super::statistics::Statistics;
use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// Kea's result codes.
const SUCCESS: u16 = 0;
const ERROR: u16 = 1;
const UNSUPPORTED: u16 = 2;
const EMPTY: u16 = 3;

/// One JSON document.
#[derive(Debug)]
pub struct Answer {
    body: Body,
    /// To be ordered when the answer is with the client.
    pub(super) then: Option<Wish>,
}

#[derive(Debug)]
enum Body {
    Own(Own),
    /// Of a hook service, as it came: a map with a `result`.
    OfService(Box<RawValue>),
}

#[derive(Debug, Serialize)]
struct Own {
    result: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arguments: Option<Payload>,
}

/// Statistics hold numbers beyond those of [`Value`].
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Payload {
    Json(Value),
    Statistics(Statistics),
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.body {
            Body::Own(own) => own.serialize(serializer),
            Body::OfService(document) => document.serialize(serializer),
        }
    }
}

impl Answer {
    fn new(result: u16, text: Option<String>, arguments: Option<Payload>) -> Self {
        Self {
            body: Body::Own(Own {
                result,
                text,
                arguments,
            }),
            then: None,
        }
    }

    /// What a hook service answered; it has been checked to be a map with a `result`.
    pub(super) fn of_service(document: String) -> Self {
        match RawValue::from_string(document) {
            Ok(document) => Self {
                body: Body::OfService(document),
                then: None,
            },
            Err(error) => Self::error(format!("the answer of a hook service is no JSON: {error}")),
        }
    }

    /// The same order to be given, with what a hook service made of the answer.
    pub(super) fn replaced(self, document: String) -> Self {
        Self {
            then: self.then,
            ..Self::of_service(document)
        }
    }

    /// As it is sent.
    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|error| {
            // Maps with names as keys cannot fail to be written; a client is told all the same.
            format!("{{\"result\":1,\"text\":\"the answer cannot be written: {error}\"}}")
        })
    }

    /// Result 0 with what was asked for.
    pub(super) fn found(arguments: Value) -> Self {
        Self::new(SUCCESS, None, Some(Payload::Json(arguments)))
    }

    /// As [`Self::found`], with a text.
    pub(super) fn told(text: impl Into<String>, arguments: Value) -> Self {
        let arguments = Some(Payload::Json(arguments));
        Self::new(SUCCESS, Some(text.into()), arguments)
    }

    /// Result 0 with a text alone.
    pub(super) fn done(text: impl Into<String>) -> Self {
        Self::new(SUCCESS, Some(text.into()), None)
    }

    /// Result 0 with statistics.
    pub(super) fn statistics(statistics: Statistics) -> Self {
        Self::new(SUCCESS, None, Some(Payload::Statistics(statistics)))
    }

    /// Result 1.
    pub(super) fn error(text: impl Into<String>) -> Self {
        Self::new(ERROR, Some(text.into()), None)
    }

    /// Result 2: there is no such command.
    pub(super) fn unsupported(command: &str) -> Self {
        let text = format!("'{command}' command not supported.");
        Self::new(UNSUPPORTED, Some(text), None)
    }

    /// Result 3: nothing was found.
    pub(super) fn empty(text: impl Into<String>) -> Self {
        Self::new(EMPTY, Some(text.into()), None)
    }

    /// Result 3 with an empty list of what was asked for.
    pub(super) fn none_of(text: impl Into<String>, arguments: Value) -> Self {
        let arguments = Some(Payload::Json(arguments));
        Self::new(EMPTY, Some(text.into()), arguments)
    }
}
