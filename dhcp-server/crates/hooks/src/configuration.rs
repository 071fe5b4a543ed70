//! Problems of `hook-services` that only the table of hook points shows.

use crate::hooks::Hooks;
use crate::reads::unknown_paths;
use outrigger_config::diagnostic::{Diagnostic, Position, Severity};
use outrigger_config::model::{HookPointSettings, HookService, OnFailure};
use outrigger_proto::{Family, HookPoint};

impl Hooks {
    /// What is wrong with the hook services of a configuration: hook points that do not exist or are of the other
    /// family, policies without effect, paths that nothing has. In configuration order.
    #[must_use]
    pub fn check(family: Family, services: &[HookService]) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        for service in services {
            for settings in &service.hook_points {
                found.extend(hook_point(family, settings));
            }
            found.extend(may_change(family, service));
        }
        found
    }
}

fn hook_point(family: Family, settings: &HookPointSettings) -> Option<Diagnostic> {
    let at = &settings.position;
    let point = match settings.name.parse::<HookPoint>() {
        Ok(point) => point,
        Err(unknown) => return Some(error(at, unknown.to_string())),
    };
    if !point.is_of(family) {
        return Some(error(
            at,
            format!("{point} is a hook point of the other family"),
        ));
    }
    match &settings.on_failure {
        Some((OnFailure::Drop, position)) if !point.spec().can_drop => Some(error(
            position,
            format!(
                "on-failure drop has no effect at {point}: no packet waits there for an answer"
            ),
        )),
        _ => None,
    }
}

fn may_change(family: Family, service: &HookService) -> Vec<Diagnostic> {
    let changes: Vec<&str> = HookPoint::ALL
        .iter()
        .filter(|point| point.is_of(family))
        .flat_map(|point| point.spec().changes.iter().copied())
        .collect();
    let paths = service.may_change.iter().flatten();
    let unknown =
        paths.filter(|(path, _)| !unknown_paths(std::slice::from_ref(path), &changes).is_empty());
    unknown
        .map(|(path, at)| error(at, format!("no hook point can change \"{path}\"")))
        .collect()
}

fn error(position: &Position, text: String) -> Diagnostic {
    Diagnostic {
        position: position.clone(),
        severity: Severity::Error,
        text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use outrigger_config::model::{AtStart, Endpoint};
    use std::time::Duration;

    fn position(line: u32) -> Position {
        Position {
            file: "kea.conf".into(),
            line,
            column: 1,
        }
    }

    fn named(line: u32, name: &str, on_failure: Option<OnFailure>) -> HookPointSettings {
        HookPointSettings {
            name: name.to_owned(),
            position: position(line),
            deadline: None,
            on_failure: on_failure.map(|action| (action, position(line + 100))),
        }
    }

    fn service(hook_points: Vec<HookPointSettings>, may_change: &[&str]) -> HookService {
        let numbered = may_change.iter().zip(50..);
        HookService {
            name: "s".to_owned(),
            endpoints: vec![Endpoint::Unix("/run/s".into())],
            deadline: Duration::from_millis(50),
            park_deadline: Duration::from_secs(5),
            on_failure: Some((OnFailure::Drop, position(1))),
            at_start: AtStart::Serve,
            hook_points,
            may_change: Some(
                numbered
                    .map(|(path, line)| ((*path).to_owned(), position(line)))
                    .collect(),
            ),
            parameters: serde_json::Value::Null,
            server_api: Vec::new(),
            position: position(1),
        }
    }

    #[test]
    fn each_problem_is_shown_where_it_stands() {
        let hook_points = vec![
            named(2, "subnet4_select", Some(OnFailure::Drop)),
            named(3, "subnet5_select", None),
            named(4, "subnet6_select", None),
            named(5, "lease4_expire", Some(OnFailure::Drop)),
            named(6, "lease4_expire", Some(OnFailure::Continue)),
        ];
        let paths = [
            "subnet",
            "response.options.67",
            "response",
            "pony",
            "query.option",
        ];
        let found = Hooks::check(Family::V4, &[service(hook_points, &paths)]);
        let shown: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "kea.conf:3.1: there is no hook point \"subnet5_select\"",
                "kea.conf:4.1: subnet6_select is a hook point of the other family",
                "kea.conf:105.1: on-failure drop has no effect at lease4_expire: no packet waits there for an answer",
                "kea.conf:53.1: no hook point can change \"pony\"",
                "kea.conf:54.1: no hook point can change \"query.option\"",
            ]
        );
    }
}
