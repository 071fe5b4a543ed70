//! Commands about the configuration.

use super::answer::Answer;
use super::family::Commanded;
use super::request::Request;
use super::{Control, Wish};
use outrigger_config::Loaded;
use outrigger_config::diagnostic::Severity;
use outrigger_config::model::{Config, Server};
use outrigger_hooks::Hooks;
use outrigger_proto::v1::audit_entry::Modification;
use outrigger_proto::{Family, v1};
use serde_json::{Value, json};
use std::fmt::Write;

/// Adds what only the hooks know to what came of reading a configuration.
#[must_use]
pub fn check(loaded: Loaded) -> Loaded {
    let Loaded {
        config,
        mut diagnostics,
    } = loaded;
    diagnostics.extend(match &config {
        Some(Config::V4(cfg)) => Hooks::check(Family::V4, &cfg.hook_services),
        Some(Config::V6(cfg)) => Hooks::check(Family::V6, &cfg.hook_services),
        None => Vec::new(),
    });
    diagnostics.sort_by(|a, b| a.position.cmp(&b.position));
    let wrong = diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error);
    Loaded {
        config: config.filter(|_| !wrong),
        diagnostics,
    }
}

pub(super) fn get<F: Commanded>(control: &Control<F>, _: &Request<'_>) -> Result<Answer, String> {
    let cfg = control.cfg();
    let mut shown = cfg.json.clone();
    if let Value::Object(members) = &mut shown {
        members.insert("hash".to_owned(), hash_of(&cfg).into());
    }
    Ok(Answer::found(shown))
}

pub(super) fn hash<F: Commanded>(control: &Control<F>, _: &Request<'_>) -> Result<Answer, String> {
    Ok(Answer::found(json!({ "hash": hash_of(&control.cfg()) })))
}

pub(super) fn test<F: Commanded>(_: &Control<F>, request: &Request<'_>) -> Result<Answer, String> {
    let (_, warnings) = read(&document::<F>(request)?)?;
    Ok(Answer::done(format!("Configuration seems sane.{warnings}")))
}

pub(super) async fn set<F: Commanded>(
    control: &Control<F>,
    request: &Request<'_>,
) -> Result<Answer, String> {
    let document = document::<F>(request)?;
    let whole = v1::AuditEntry {
        object_type: "server".to_owned(),
        modification: Modification::Update.into(),
        log_message: "config-set".to_owned(),
        ..v1::AuditEntry::default()
    };
    let done = control.change(document, vec![whole]).await?;
    Ok(Answer::told(
        format!("Configuration successful.{}", done.warnings),
        json!({ "hash": hash_text(done.revision) }),
    ))
}

pub(super) async fn reload<F: Commanded>(
    control: &Control<F>,
    _: &Request<'_>,
) -> Result<Answer, String> {
    control.order(Wish::Reload).await?;
    let hash = json!({ "hash": hash_of(&control.cfg()) });
    Ok(Answer::told("Configuration successful.", hash))
}

fn hash_of<F: Commanded>(cfg: &Server<F>) -> String {
    hash_text(cfg.revision)
}

fn hash_text(revision: u64) -> String {
    format!("{revision:016X}")
}

/// The configuration in the arguments, at its place in the request: positions are those of the request.
fn document<F: Commanded>(request: &Request<'_>) -> Result<String, String> {
    request.arguments()?.only(F::TOP_LEVEL)?;
    Ok(request.arguments_in_place().unwrap_or_default())
}

/// Reads a configuration that came with a command; the text has its warnings, each on a line of its own.
///
/// # Errors
/// The text says what is wrong with it, and where.
pub fn read(document: &str) -> Result<(Config, String), String> {
    let loaded = check(outrigger_config::load_text("command", document));
    let mut problems = String::new();
    for diagnostic in &loaded.diagnostics {
        // Writing to a string cannot fail.
        let _ = write!(problems, "\n{diagnostic}");
    }
    match loaded.config {
        Some(config) => Ok((config, problems)),
        None => Err(problems.trim_start().to_owned()),
    }
}
