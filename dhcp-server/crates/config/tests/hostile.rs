//! Whatever stands in a file, reading it ends with a configuration or with errors that have positions.

#![expect(
    clippy::unwrap_used,
    reason = "what cannot be read or found fails the test"
)]

use outrigger_config::diagnostic::Severity;
use outrigger_config::{Loaded, load_text};
use proptest::prelude::*;
use std::path::Path;

/// Valid and invalid files to start from.
fn seeds() -> Vec<String> {
    files(&["tests/examples", "tests/mistakes"])
}

fn files(folders: &[&str]) -> Vec<String> {
    let mut seeds = Vec::new();
    for folder in folders {
        for entry in Path::new(folder).read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                seeds.push(std::fs::read_to_string(path).unwrap());
            }
        }
    }
    seeds.sort();
    seeds
}

fn check(loaded: &Loaded) -> Result<(), TestCaseError> {
    let errors = loaded
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error);
    prop_assert_eq!(loaded.config.is_none(), errors.count() > 0);
    for diagnostic in &loaded.diagnostics {
        prop_assert!(diagnostic.position.line >= 1 && diagnostic.position.column >= 1);
        prop_assert!(!diagnostic.position.file.is_empty() && !diagnostic.text.is_empty());
        prop_assert!(
            !diagnostic.text.contains(char::is_control),
            "{}",
            diagnostic.text
        );
    }
    prop_assert!(loaded.diagnostics.windows(2).all(|pair| pair[0] != pair[1]));
    prop_assert!(
        loaded
            .diagnostics
            .windows(2)
            .all(|pair| pair[0].position <= pair[1].position)
    );
    Ok(())
}

/// Pieces of which files are made, and a few that no file should have.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "null",
    "true",
    "-1",
    "4294967296",
    "1e999",
    ".5",
    "0.0",
    "\\u0000",
    "/*",
    "<?include \"x\"?>",
    "\u{fffd}",
    "\"subnet\"",
    "\"2001:db8::/0\"",
    "\"0.0.0.0/0\"",
    "\"::/129\"",
    "\"0.0.0.0 - 255.255.255.255\"",
    "\"\"",
    "\"data\": \"\\\\,\"",
    "\"code\": 65535",
    "\"delegated-len\": 128",
    "\"id\": 4294967294",
    "\u{0}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_bytes_make_it_panic(text in "\\PC{0,200}") {
        check(&load_text("x", &text))?;
        check(&load_text("x", &format!("{{ \"Dhcp4\": {{ {text} }} }}")))?;
    }

    #[test]
    fn no_change_of_a_file_makes_it_panic(
        pick in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..8_usize, 0..PIECES.len()), 1..6),
    ) {
        let seeds = seeds();
        let mut text: Vec<char> = pick.get(&seeds).chars().collect();
        for (at, removed, piece) in changes {
            let start = at.index(text.len() + 1);
            let end = (start + removed).min(text.len());
            text.splice(start..end, PIECES[piece].chars());
        }
        let text: String = text.into_iter().collect();
        check(&load_text("x", &text))?;
    }

    #[test]
    fn no_exchange_of_values_makes_it_panic(
        pick in any::<prop::sample::Index>(),
        value in any::<prop::sample::Index>(),
        piece in 0..PIECES.len(),
    ) {
        let seeds = seeds();
        let text = pick.get(&seeds);
        let starts: Vec<_> = text.match_indices(": ").map(|(at, _)| at + 2).collect();
        prop_assume!(!starts.is_empty());
        let start = *value.get(&starts);
        let end = text[start..].find([',', '\n', '}', ']']).map_or(text.len(), |len| start + len);
        let changed = format!("{}{}{}", &text[..start], PIECES[piece], &text[end..]);
        check(&load_text("x", &changed))?;
    }
}

#[test]
fn a_file_cut_at_any_byte_is_refused_with_a_position() {
    for seed in files(&["tests/examples"]) {
        let text = seed.trim_end();
        for (at, _) in text.char_indices() {
            let loaded = load_text("x", &text[..at]);
            assert!(loaded.config.is_none(), "{}", &text[..at]);
            assert!(!loaded.diagnostics.is_empty());
        }
    }
}

#[test]
fn the_largest_and_the_smallest_numbers_are_survived() {
    let text = r#"{ "Dhcp6": { "valid-lifetime": 4294967295, "subnet6": [
        { "id": 4294967294, "subnet": "::/0", "pools": [ { "pool": "::/0" } ],
          "pd-pools": [ { "prefix": "ffff::", "prefix-len": 1, "delegated-len": 128 } ] },
        { "subnet": "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128" } ] } }"#;
    let loaded = load_text("x", text);
    assert!(loaded.config.is_some(), "{:?}", loaded.diagnostics);
}
