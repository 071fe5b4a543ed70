//! Every mistake in `tests/mistakes` is answered with exactly the text beside it. `UPDATE=1` rewrites the texts.

#![expect(
    clippy::unwrap_used,
    reason = "what cannot be read or found fails the test"
)]

use outrigger_config::diagnostic::Severity;
use outrigger_config::load_text;
use std::path::{Path, PathBuf};

fn mistakes() -> Vec<PathBuf> {
    let folder = Path::new("tests/mistakes").read_dir().unwrap();
    let mut paths: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
    paths.sort();
    paths
}

#[test]
fn every_mistake_is_explained() {
    let paths = mistakes();
    assert!(paths.len() >= 40);
    for path in paths {
        let name = path.file_name().unwrap().to_str().unwrap();
        let loaded = load_text(name, &std::fs::read_to_string(&path).unwrap());
        let lines = loaded
            .diagnostics
            .iter()
            .map(|diagnostic| format!("{diagnostic}\n"));
        let rendered: String = lines.collect();
        let golden = path.with_extension("txt");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&golden, &rendered).unwrap();
        }
        assert_eq!(
            rendered,
            std::fs::read_to_string(&golden).unwrap(),
            "{name}"
        );
        assert!(!rendered.is_empty(), "{name} is no mistake");
        let is_error = |severity| severity == Severity::Error;
        let refused = loaded
            .diagnostics
            .iter()
            .any(|diagnostic| is_error(diagnostic.severity));
        assert_eq!(loaded.config.is_none(), refused, "{name}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_said() {
    let loaded = outrigger_config::load(Path::new("tests/no-such-file.json"));
    let text = loaded.diagnostics[0].to_string();
    assert!(
        text.starts_with("tests/no-such-file.json:1.1: cannot read this file: "),
        "{text}"
    );
    let loaded = outrigger_config::load(Path::new("tests"));
    assert!(loaded.diagnostics[0].text.contains("not a regular file"));
}
