//! Commands about the configuration.

use super::answer::Answer;
use super::family::Commanded;
use super::request::Request;
use super::{Control, Wish};
use outrigger_config::Loaded;
use outrigger_config::diagnostic::Severity;
use outrigger_config::model::{Config, Server};
use outrigger_hooks::Hooks;
use outrigger_proto::Family;
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
    let (_, warnings) = configuration::<F>(request)?;
    Ok(Answer::done(format!("Configuration seems sane.{warnings}")))
}

pub(super) async fn set<F: Commanded>(
    control: &Control<F>,
    request: &Request<'_>,
) -> Result<Answer, String> {
    let (config, warnings) = configuration::<F>(request)?;
    control.order(Wish::Configure(config)).await?;
    let hash = json!({ "hash": hash_of(&control.cfg()) });
    Ok(Answer::told(
        format!("Configuration successful.{warnings}"),
        hash,
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
    format!("{:016X}", cfg.revision)
}

/// The configuration in the arguments, with a text of its warnings. Positions are those of the request.
fn configuration<F: Commanded>(request: &Request<'_>) -> Result<(Config, String), String> {
    request.arguments()?.only(F::TOP_LEVEL)?;
    let text = request.arguments_in_place().unwrap_or_default();
    let loaded = check(outrigger_config::load_text("command", &text));
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
