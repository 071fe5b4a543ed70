//! How a server would call this service.

use crate::peer::{Peer, PeerError, Session};
use crate::show;
use outrigger_proto::v1;
use prost::Message as _;
use v1::callout_reply::Outcome;

/// Characters of a result that are shown.
const MOST_SHOWN: usize = 300;

/// A session, or calls one at a time.
#[derive(Debug)]
pub(crate) enum Line {
    Session(Box<Session>),
    Unary(Peer),
}

/// What a call came to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Result(Box<v1::CalloutResult>),
    Failure(String),
    /// Neither of the two.
    Nothing,
}

impl Answer {
    pub(crate) fn of(reply: v1::CalloutReply) -> Self {
        match reply.outcome {
            Some(Outcome::Result(result)) => Self::Result(Box::new(result)),
            Some(Outcome::Failure(failure)) => Self::Failure(failure.text),
            None => Self::Nothing,
        }
    }

    /// Whether it is PARK.
    pub(crate) fn parks(&self) -> bool {
        matches!(self, Self::Result(result) if result.next_step() == v1::NextStep::Park)
    }

    /// In a few words.
    pub(crate) fn show(&self) -> String {
        match self {
            Self::Result(result) => format!("the result {}", shortened(&show::result(result))),
            Self::Failure(text) => format!("a failure ({text})"),
            Self::Nothing => "neither result nor failure".to_owned(),
        }
    }
}

/// A context may have thousands of bytes.
fn shortened(result: &serde_json::Value) -> String {
    let text = result.to_string();
    match text.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

impl Line {
    /// The final answer to `call`: that after PARK, where the packet can be held.
    pub(crate) async fn ask(&mut self, call: v1::CalloutRequest) -> Result<Answer, PeerError> {
        match self {
            Self::Session(session) => {
                let (id, holds) = (call.id, call.park_budget_us > 0);
                let reply = session.ask(call).await?;
                match holds && show::is_parked(&reply) {
                    true => Ok(Answer::of(session.reply_to(id).await?)),
                    false => Ok(Answer::of(reply)),
                }
            }
            Self::Unary(peer) => call_once(peer, call.encode_to_vec()).await,
        }
    }
}

/// One `Call`. A status of the service is a failure; one without a service behind it is an error.
pub(crate) async fn call_once(peer: &Peer, request: Vec<u8>) -> Result<Answer, PeerError> {
    match peer.unary::<v1::CalloutReply>("Call", request).await {
        Ok(reply) => Ok(Answer::of(reply)),
        Err(PeerError::Status { status, .. }) if PeerError::is_of_service(&status) => {
            Ok(Answer::Failure(status.message().to_owned()))
        }
        Err(error) => Err(error),
    }
}
