//! Commands about the process.

use super::answer::Answer;
use super::commands::Command;
use super::family::Commanded;
use super::request::Request;
use super::{Control, Wish};
use crate::{shard, version};
use serde_json::json;
use std::collections::BTreeSet;

/// Those of hook services too.
pub(super) fn list_commands<F: Commanded>(
    control: &Control<F>,
    _: &Request<'_>,
) -> Result<Answer, String> {
    let own = Command::<F>::ALL.iter();
    let mut names: BTreeSet<String> = own.map(|command| command.name.to_owned()).collect();
    names.extend(control.snapshot().hooks.commands());
    Ok(Answer::found(names.into_iter().collect()))
}

pub(super) fn build_report<F: Commanded>(
    _: &Control<F>,
    _: &Request<'_>,
) -> Result<Answer, String> {
    Ok(Answer::done(version::build()))
}

pub(super) fn version<F: Commanded>(_: &Control<F>, _: &Request<'_>) -> Result<Answer, String> {
    let extended = json!({ "extended": version::extended() });
    Ok(Answer::told(version::SHORT, extended))
}

/// Answers first: the client has its answer before the server stops.
pub(super) fn shutdown<F: Commanded>(
    _: &Control<F>,
    request: &Request<'_>,
) -> Result<Answer, String> {
    let code = request.arguments()?.number("exit-value")?.unwrap_or(0);
    let mut answer = Answer::done("Shutting down.");
    answer.then = Some(Wish::Stop(code));
    Ok(answer)
}

pub(super) fn status<F: Commanded>(
    control: &Control<F>,
    _: &Request<'_>,
) -> Result<Answer, String> {
    let mut status = json!({
        "pid": std::process::id(),
        "uptime": control.started.elapsed().as_secs(),
        "reload": control.current.borrow().since.elapsed().as_secs(),
        "multi-threading-enabled": true,
        "thread-pool-size": shard::Options::default().shards,
        "packet-queue-size": shard::Limits::default().waiting,
        // The server does not start without its sockets.
        "sockets": { "status": "ready" },
        "hook-services": control.hook_services(),
    });
    if let Some(journal) = control.common.alloc.store().status() {
        status["lease-journal"] = json!({
            "acknowledges": journal.acknowledges,
            "waiting-bytes": journal.waiting_bytes,
            "segments": journal.segments,
        });
    }
    Ok(Answer::found(status))
}
