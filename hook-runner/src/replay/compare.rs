//! What is different between the answers of then and now.

use super::steps::{Answer, Kind};
use crate::show;
use outrigger_proto::v1;
use serde_json::{Value, json};

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Difference {
    /// `changes.response.options[1].data`.
    pub(super) path: String,
    /// Null where there was nothing.
    pub(super) then: Value,
    pub(super) now: Value,
}

/// Of the answers to a call. Contexts are compared on request only: they are the service's own business.
pub(super) fn answers(then: &Answer, now: &Answer, with_context: bool) -> Vec<Difference> {
    let then = comparable(then, with_context);
    let now = comparable(now, with_context);
    if then.kind == now.kind && then.parked == now.parked {
        return Vec::new();
    }
    let mut found = Vec::new();
    if let (Kind::Failure(_), Kind::Failure(_)) = (&then.kind, &now.kind) {
        // The texts may name times and files.
    } else {
        differ("", &shown(&then.kind), &shown(&now.kind), &mut found);
        if found.is_empty() && then.kind != now.kind {
            found.push(Difference {
                path: "changes".to_owned(),
                then: Value::String(format!("{:?}", then.kind)),
                now: Value::String(format!("{:?}", now.kind)),
            });
        }
    }
    if then.parked != now.parked {
        found.push(Difference {
            path: "parked".to_owned(),
            then: json!(then.parked),
            now: json!(now.parked),
        });
    }
    found
}

/// Of the answers to Load: which hook points are wanted, with what. Name and version are those of another version.
pub(super) fn loads(then: &v1::LoadReply, now: &v1::LoadReply) -> Vec<Difference> {
    let mut found = Vec::new();
    differ("", &shown_load(then), &shown_load(now), &mut found);
    found
}

fn comparable(answer: &Answer, with_context: bool) -> Answer {
    let mut answer = answer.clone();
    if let (false, Kind::Result(result)) = (with_context, &mut answer.kind) {
        result.context = None;
    }
    if let Kind::Result(result) = &mut answer.kind {
        // No changes and nothing in the changes mean the same.
        if result.changes == Some(v1::Changes::default()) {
            result.changes = None;
        }
    }
    answer
}

/// For people.
pub(super) fn shown(kind: &Kind) -> Value {
    match kind {
        Kind::Result(result) => show::result(result),
        Kind::Failure(failure) => failure.clone(),
        Kind::Nothing => json!({ "outcome": "neither result nor failure" }),
    }
}

fn shown_load(reply: &v1::LoadReply) -> Value {
    match &reply.result {
        Some(v1::load_reply::Result::Loaded(loaded)) => {
            let mut points = serde_json::Map::new();
            for wanted in &loaded.subscriptions {
                let name = crate::recording::point_name(wanted.hook_point);
                let wanted = json!({ "reads": wanted.reads, "writes": wanted.writes });
                points.insert(name, wanted);
            }
            json!({ "hook-points": points, "commands": loaded.commands })
        }
        Some(v1::load_reply::Result::Refusal(refusal)) => json!({ "refused": refusal.text }),
        None => json!({ "outcome": "neither loaded nor refusal" }),
    }
}

/// Compares field by field, and lists in their order.
fn differ(path: &str, then: &Value, now: &Value, found: &mut Vec<Difference>) {
    match (then, now) {
        (Value::Object(theirs), Value::Object(ours)) => {
            for name in theirs
                .keys()
                .chain(ours.keys().filter(|name| !theirs.contains_key(*name)))
            {
                let path = match path {
                    "" => name.clone(),
                    path => format!("{path}.{name}"),
                };
                let of = |fields: &serde_json::Map<String, Value>| {
                    fields.get(name).cloned().unwrap_or_default()
                };
                differ(&path, &of(theirs), &of(ours), found);
            }
        }
        (Value::Array(theirs), Value::Array(ours)) => {
            for index in 0..theirs.len().max(ours.len()) {
                let of = |values: &[Value]| values.get(index).cloned().unwrap_or_default();
                differ(&format!("{path}[{index}]"), &of(theirs), &of(ours), found);
            }
        }
        (then, now) if then == now => {}
        (then, now) => found.push(Difference {
            path: path.to_owned(),
            then: then.clone(),
            now: now.clone(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn result(step: i32, options: &[(u32, &[u8])]) -> Answer {
        let edit = |(code, data): &(u32, &[u8])| v1::OptionEdit {
            path: vec![*code],
            data: Bytes::copy_from_slice(data),
            ..Default::default()
        };
        let changes = v1::Changes {
            response4: Some(v1::Packet4Changes {
                options: options.iter().map(edit).collect(),
                ..Default::default()
            }),
            ..Default::default()
        };
        Answer {
            parked: false,
            kind: Kind::Result(Box::new(v1::CalloutResult {
                next_step: Some(step),
                changes: Some(changes),
                ..Default::default()
            })),
        }
    }

    fn failure(text: &str) -> Answer {
        Answer {
            parked: false,
            kind: Kind::Failure(json!({ "outcome": "failure", "text": text })),
        }
    }

    fn paths(then: &Answer, now: &Answer) -> Vec<String> {
        let found = answers(then, now, false);
        found
            .into_iter()
            .map(|difference| difference.path)
            .collect()
    }

    #[test]
    fn each_difference_is_named() {
        let then = result(0, &[(66, b"a"), (67, b"b")]);
        let other_data = result(0, &[(66, b"a"), (67, b"c")]);
        assert_eq!(paths(&then, &then), [""; 0]);
        assert_eq!(
            paths(&then, &other_data),
            ["changes.response.options[1].data"]
        );
        let fewer = result(2, &[(66, b"a")]);
        assert_eq!(
            paths(&then, &fewer),
            ["changes.response.options[1]", "next-step"]
        );
        let other_order = result(0, &[(67, b"b"), (66, b"a")]);
        assert_eq!(paths(&then, &other_order).len(), 4);
    }

    #[test]
    fn a_failure_is_no_result_and_equals_any_other() {
        let good = result(0, &[]);
        assert!(paths(&good, &failure("a")).contains(&"outcome".to_owned()));
        assert_eq!(paths(&failure("a"), &failure("b")), [""; 0]);
        let mut parked = good.clone();
        parked.parked = true;
        assert_eq!(paths(&good, &parked), ["parked"]);
    }

    #[test]
    fn contexts_count_on_request() {
        let then = result(0, &[]);
        let mut now = then.clone();
        if let Kind::Result(result) = &mut now.kind {
            result.context = Some(Bytes::from_static(b"x"));
        }
        assert_eq!(answers(&then, &now, false), []);
        assert_eq!(answers(&then, &now, true)[0].path, "context");
    }

    #[test]
    fn no_changes_are_as_good_as_empty_ones() {
        let kind = |changes| {
            Kind::Result(Box::new(v1::CalloutResult {
                changes,
                ..Default::default()
            }))
        };
        let parked = false;
        let then = Answer {
            parked,
            kind: kind(None),
        };
        let now = Answer {
            parked,
            kind: kind(Some(v1::Changes::default())),
        };
        assert_eq!(answers(&then, &now, false), []);
    }
}
