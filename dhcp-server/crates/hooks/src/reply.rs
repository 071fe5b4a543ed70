//! What a reply must be before anything of it counts.

mod form;

use crate::policy::{Cause, Failure};
use bytes::Bytes;
use outrigger_config::model::HookService;
use outrigger_proto::convert::{Malformed, changed_paths, covers, next_step};
use outrigger_proto::{Family, HookPoint, MAX_CONTEXT, NextStep, v1};

/// A reply that is valid and changes only what it may.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Checked {
    /// `None`: what was decided before stands.
    pub(crate) next: Option<NextStep>,
    pub(crate) context: Option<Bytes>,
    pub(crate) changes: Option<v1::Changes>,
    pub(crate) warning: String,
}

/// Which reply to a call it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Round {
    /// The first one on a session, which may be PARK.
    First,
    /// The only one, on `Call`.
    Only,
    /// The one after PARK.
    Final,
}

/// Who replies, to what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) family: Family,
    pub(crate) point: HookPoint,
    pub(crate) settings: &'a HookService,
    /// What the subscription declares.
    pub(crate) writes: &'a [String],
    pub(crate) round: Round,
}

/// Checks a reply as a whole: form, next step, context, and that each change is listed in the table, declared by the
/// subscription and granted by `may-change`.
pub(crate) fn check(of: Context<'_>, result: v1::CalloutResult) -> Result<Checked, Failure> {
    let next = next_step(&result).map_err(malformed)?;
    match (next, of.round) {
        (Some(NextStep::Park), Round::Only) => return Err(told("next_step: PARK over Call")),
        (Some(NextStep::Park), Round::Final) => return Err(told("next_step: PARK once more")),
        _ => {}
    }
    let context = result.context.as_deref().map(context).transpose()?;
    if let Some(changes) = &result.changes {
        form::check(of.family, changes).map_err(malformed)?;
        for path in changed_paths(changes) {
            granted(of, &path)?;
            counts(of, next, &path)?;
        }
    }
    Ok(Checked {
        next,
        context,
        changes: result.changes,
        warning: result.warning,
    })
}

/// Changes that mean something only with a certain next step, or in a certain reply.
fn counts(of: Context<'_>, next: Option<NextStep>, path: &str) -> Result<(), Failure> {
    let skips = match of.point {
        HookPoint::Pkt4Send | HookPoint::Pkt6Send => path == "response.wire",
        HookPoint::Buffer4Receive | HookPoint::Buffer6Receive => path == "query.parsed",
        _ => false,
    };
    if skips && next != Some(NextStep::Skip) {
        return Err(told(&format!("{path}: counts only together with SKIP")));
    }
    if path == "offer-address-in-use" && of.round != Round::Final {
        let why = "only a final reply after PARK may say so";
        return Err(Failure::refused(path, why));
    }
    Ok(())
}

fn told(text: &str) -> Failure {
    Failure::new(Cause::MalformedReply, text)
}

/// A copy, so that the message it came in can go.
fn context(context: &[u8]) -> Result<Bytes, Failure> {
    if context.len() > MAX_CONTEXT {
        let text = format!("context: {} bytes, at most {MAX_CONTEXT}", context.len());
        return Err(Failure::new(Cause::MalformedReply, text));
    }
    Ok(Bytes::copy_from_slice(context))
}

fn granted(of: Context<'_>, path: &str) -> Result<(), Failure> {
    let refused = |why: &str| Err(Failure::refused(path, why));
    if !of.point.spec().changes.iter().any(|row| covers(row, path)) {
        return refused("nothing that can be changed at this hook point");
    }
    if !of.writes.iter().any(|declared| covers(declared, path)) {
        return refused("not among what the service said it writes");
    }
    match &of.settings.may_change {
        Some(may) if !may.iter().any(|(granted, _)| covers(granted, path)) => {
            refused("not granted by may-change")
        }
        _ => Ok(()),
    }
}

fn malformed(malformed: Malformed) -> Failure {
    Failure::new(Cause::MalformedReply, malformed.to_string())
}

#[cfg(test)]
mod tests;
