//! The rule of control commands.

use super::calls::must_fail;
use super::changes::answer;
use super::line::Answer;
use super::subject::{Outcome, Subject, Verdict, failed};
use crate::material::{Material, command};
use outrigger_proto::{HookPoint, v1};
use std::collections::BTreeSet;

/// Commands of one service at most, and bytes of a name.
const MOST: usize = 128;
const LONGEST: usize = 64;
/// No service offers it.
const UNKNOWN: &str = "hook-runner-knows-no-such-command";

pub(super) async fn commands(subject: &Subject) -> Outcome {
    let offered = &subject.loaded.commands;
    if offered.is_empty() {
        let text = "the service offers no commands";
        return Err(Verdict::Skipped(text.to_owned()));
    }
    if offered.len() > MOST {
        return failed(format!("it offers {}; {MOST} are possible", offered.len()));
    }
    let mut seen = BTreeSet::new();
    let mut line = subject.line().await?;
    for (id, name) in (1..).zip(offered) {
        if !is_name(name) {
            return failed(format!(
                "it offers \"{name}\"; a name has up to {LONGEST} lower-case letters, digits and hyphens"
            ));
        }
        if !seen.insert(name) {
            return failed(format!("it offers {name} twice"));
        }
        let asked = line.ask(call(subject, id, name)).await;
        let answered = asked.map_err(|error| Verdict::Failed(format!("{name}: {error}")))?;
        if let Err(what) = result_of(&answered) {
            return failed(format!("{name}: {what}"));
        }
    }
    let unknown = call(subject, 0, UNKNOWN);
    must_fail(
        subject,
        &mut line,
        unknown,
        "a command that it does not offer",
    )
    .await?;
    Ok(String::new())
}

fn call(subject: &Subject, id: u64, name: &str) -> v1::CalloutRequest {
    let material = Material {
        command: command(name),
        ..subject.material.clone()
    };
    v1::CalloutRequest {
        arguments: Some(material.arguments(HookPoint::Command)),
        ..subject.call(id, HookPoint::Command)
    }
}

fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !name.is_empty() && name.len() <= LONGEST && name.chars().all(allowed)
}

/// A command that cannot be done has an answer too, with a result other than 0.
fn result_of(answered: &Answer) -> Result<i64, String> {
    let Answer::Result(result) = answered else {
        return Err(format!("it is answered with {}", answered.show()));
    };
    let changes = result.changes.as_ref();
    match changes.and_then(|changes| changes.command_response.as_deref()) {
        Some(text) => answer(text),
        None => Err("the result has no answer to the command".to_owned()),
    }
}
