//! What a command is answered with.

use super::Wish;
use super::statistics::Statistics;
use serde::Serialize;
use serde_json::Value;

/// Kea's result codes.
const SUCCESS: u16 = 0;
const ERROR: u16 = 1;
const UNSUPPORTED: u16 = 2;
const EMPTY: u16 = 3;

/// One JSON document.
#[derive(Debug, Serialize)]
pub struct Answer {
    result: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arguments: Option<Payload>,
    /// To be ordered when the answer is with the client.
    #[serde(skip)]
    pub(super) then: Option<Wish>,
}

/// Statistics hold numbers beyond those of [`Value`].
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Payload {
    Json(Value),
    Statistics(Statistics),
}

impl Answer {
    fn new(result: u16, text: Option<String>, arguments: Option<Payload>) -> Self {
        Self {
            result,
            text,
            arguments,
            then: None,
        }
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
