//! A project in Rust, for Cargo.

use super::Language;

pub(super) static RUST: Language = Language {
    name: "rust",
    files: &[
        (
            "Cargo.toml",
            include_str!("../../templates/rust/Cargo.toml.in"),
        ),
        (
            "src/main.rs",
            include_str!("../../templates/rust/main.rs.in"),
        ),
        (
            "README.md",
            include_str!("../../templates/rust/README.md.in"),
        ),
        (".gitignore", "/target\n"),
    ],
    is_taken: |name| TAKEN.split_whitespace().any(|taken| taken == name),
    manifest: ("Cargo.toml", "name = \"outrigger-hook-sdk\""),
    dependency,
};

/// Names that Rust and Cargo keep for themselves, then crates that the project has already.
const TAKEN: &str = "
    alloc as async await break build const continue core crate deps dyn else enum examples extern false fn for gen if
    impl in incremental let loop match mod move mut pub ref return self static std struct super test trait true type
    unsafe use where while
    outrigger-hook-sdk tokio tracing-subscriber
";

fn dependency(folder: Option<&str>) -> String {
    match folder {
        // A string of JSON is one of TOML.
        Some(folder) => format!("{{ path = {} }}", serde_json::json!(folder)),
        None => format!("\"{}\"", env!("CARGO_PKG_VERSION")),
    }
}
