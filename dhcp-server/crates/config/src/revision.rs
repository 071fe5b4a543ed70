//! The configuration as plain JSON, and a number that changes whenever it does.

use crate::source::{Node, Value};
use serde_json::Value as Json;
use std::fmt::Write;

/// Free-form maps, in which `comment` is a member like any other.
const FREE_FORM: &[&str] = &["user-context", "parameters", "metadata"];

/// The tree as JSON; comments are gone, and each `comment` is moved into its `user-context`, as Kea shows it.
pub(crate) fn normalised(node: &Node) -> Json {
    match &node.value {
        Value::List(nodes) => nodes.iter().map(normalised).collect(),
        Value::Map(members) => {
            let mut map = serde_json::Map::new();
            for member in members {
                let free = FREE_FORM.contains(&member.key.as_str());
                let value = if free {
                    member.node.to_json()
                } else {
                    normalised(&member.node)
                };
                map.insert(member.key.clone(), value);
            }
            if let Some(comment @ Json::String(_)) = map.remove("comment") {
                let context = map
                    .entry("user-context")
                    .or_insert_with(|| Json::Object(serde_json::Map::new()));
                if let Json::Object(context) = context {
                    context.insert("comment".to_owned(), comment);
                }
            }
            Json::Object(map)
        }
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::String(_) => {
            node.to_json()
        }
    }
}

/// The same for the same content, on every machine and in every version: layout and order of keys do not count.
pub(crate) fn of(json: &Json) -> u64 {
    let mut text = String::new();
    write_sorted(json, &mut text);
    // FNV-1a: known by heart everywhere, and nobody attacks their own configuration.
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn write_sorted(json: &Json, out: &mut String) {
    match json {
        Json::Object(map) => {
            let mut pairs: Vec<_> = map.iter().collect();
            pairs.sort_unstable_by_key(|pair| pair.0);
            out.push('{');
            for (key, value) in pairs {
                // Writing to a string cannot fail.
                let _ = write!(out, "{key:?}:");
                write_sorted(value, out);
                out.push(',');
            }
            out.push('}');
        }
        Json::Array(values) => {
            out.push('[');
            for value in values {
                write_sorted(value, out);
                out.push(',');
            }
            out.push(']');
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {
            let _ = write!(out, "{json}");
        }
    }
}
