//! The expectations, written by hand in `expected4.json` and `expected6.json`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::behaviour::Behaviour;

/// What is expected at one hook point.
pub(crate) struct Expectations {
    /// As in the file: the hook point, and after a comma what is special.
    pub(crate) title: String,
    /// `lease4_select`.
    pub(crate) point: String,
    /// What clients and operators do so that the hook point is reached.
    pub(crate) scenario: String,
    /// Why Kea is not compared; none where it is.
    pub(crate) not_in_kea: Option<String>,
    /// One for each behaviour.
    pub(crate) cells: BTreeMap<Behaviour, Cell>,
}

/// What is expected of one behaviour.
pub(crate) struct Cell {
    /// Seen from outside.
    pub(crate) seen: Seen,
    /// Where Kea differs, and why.
    pub(crate) kea: Option<Seen>,
}

/// What is seen from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Answers to the client, or to the operator, in order; `-` is silence.
    pub(crate) client: String,
    /// What the lease store holds; `-` is nothing.
    pub(crate) leases: String,
    /// Kea's statistics that changed.
    pub(crate) counted: String,
    /// Statistics of our own that changed; not compared with Kea.
    pub(crate) hooks: String,
}

/// Reads one of the files.
///
/// # Panics
///
/// When something in it is missing, misspelt or superfluous.
pub(crate) fn read(name: &str, text: &str) -> Vec<Expectations> {
    let tree: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let points = tree
        .as_object()
        .expect("the file is a map of hook points")
        .iter()
        .filter(|(key, _)| key.as_str() != "about");
    points
        .map(|(title, rows)| expectations(&format!("{name}: {title}"), title, rows))
        .collect()
}

fn expectations(place: &str, title: &str, rows: &Value) -> Expectations {
    let point = title.split(", ").next().unwrap_or(title);
    let mut rows = rows.as_object().expect("a hook point is a map").clone();
    let scenario = take(&mut rows, "scenario").unwrap_or_else(|| panic!("{place}: no scenario"));
    // For the reader alone.
    assert!(take(&mut rows, "mark").is_some(), "{place}: no mark");
    let not_in_kea = take(&mut rows, "not-in-kea");
    let cells: BTreeMap<_, _> = rows
        .iter()
        .map(|(name, row)| {
            let place = format!("{place}, {name}");
            let behaviour = Behaviour::named(name)
                .unwrap_or_else(|| panic!("{place}: there is no such behaviour"));
            (behaviour, cell(&place, row))
        })
        .collect();
    for required in Behaviour::REQUIRED {
        let there = cells.contains_key(&required) || title != point;
        assert!(there, "{place}: nothing is expected of {}", required.name());
    }
    Expectations {
        title: title.to_owned(),
        point: point.to_owned(),
        scenario,
        not_in_kea,
        cells,
    }
}

fn cell(place: &str, row: &Value) -> Cell {
    let mut row = row.as_object().expect("a row is a map").clone();
    let kea = row.remove("kea");
    let seen = Seen {
        client: required(place, &mut row, "client"),
        leases: required(place, &mut row, "leases"),
        counted: required(place, &mut row, "counted"),
        hooks: required(place, &mut row, "hooks"),
    };
    nothing_left(place, &row);
    let kea = kea.map(|kea| {
        let mut row = kea.as_object().expect("kea is a map").clone();
        let why = required(place, &mut row, "why");
        assert!(!why.is_empty(), "{place}: kea differs without a reason");
        let mut or_same = |key, ours: &String| take(&mut row, key).unwrap_or_else(|| ours.clone());
        let differs = Seen {
            client: or_same("client", &seen.client),
            leases: or_same("leases", &seen.leases),
            counted: or_same("counted", &seen.counted),
            hooks: String::new(),
        };
        nothing_left(place, &row);
        differs
    });
    Cell { seen, kea }
}

fn take(row: &mut Map<String, Value>, key: &str) -> Option<String> {
    let value = row.remove(key)?;
    let text = value.as_str().expect("every entry is a text");
    Some(text.to_owned())
}

fn required(place: &str, row: &mut Map<String, Value>, key: &str) -> String {
    take(row, key).unwrap_or_else(|| panic!("{place}: {key} is missing"))
}

fn nothing_left(place: &str, row: &Map<String, Value>) {
    assert!(row.is_empty(), "{place}: unknown: {:?}", row.keys());
}
