//! Who may import whom. The table is the drawing in ARCHITECTURE.md.

mod toolchains;

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// What each crate may import of ours, tests and examples aside.
const ALLOWED: &[(&str, &[&str])] = &[
    ("outrigger-wire", &[]),
    ("outrigger-proto", &[]),
    ("outrigger-classify", &["outrigger-wire"]),
    (
        "outrigger-config",
        &["outrigger-classify", "outrigger-wire"],
    ),
    ("outrigger-store", &["outrigger-wire"]),
    (
        "outrigger-alloc",
        &["outrigger-config", "outrigger-store", "outrigger-wire"],
    ),
    (
        "outrigger-hooks",
        &[
            "outrigger-config",
            "outrigger-proto",
            "outrigger-store",
            "outrigger-wire",
        ],
    ),
    (
        "outrigger-server",
        &[
            "outrigger-alloc",
            "outrigger-config",
            "outrigger-hooks",
            "outrigger-proto",
            "outrigger-store",
            "outrigger-wire",
        ],
    ),
    ("outrigger-testkit", &[]),
    ("outrigger-hook-sdk", &["outrigger-proto", "outrigger-wire"]),
    (
        "outrigger-hook-runner",
        &["outrigger-hook-sdk", "outrigger-proto", "outrigger-wire"],
    ),
    (
        "user-chk",
        &["outrigger-hook-sdk", "outrigger-proto", "outrigger-wire"],
    ),
];

#[test]
fn crates_import_only_what_the_drawing_allows() {
    let imports = imports();
    for (name, allowed) in ALLOWED {
        let Some(found) = imports.get(*name) else {
            panic!("{name} is no crate of the workspace any more: take it out of the table");
        };
        let forbidden: Vec<_> = found
            .iter()
            .filter(|import| !allowed.contains(&import.as_str()))
            .collect();
        assert!(forbidden.is_empty(), "{name} must not import {forbidden:?}");
    }
}

/// Our crates, each with those of ours that it imports outside of tests.
fn imports() -> BTreeMap<String, BTreeSet<String>> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version=1",
            "--no-deps",
            "--manifest-path",
        ])
        .arg(manifest)
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let packages = metadata["packages"].as_array().expect("packages").clone();
    let name = |value: &Value| value["name"].as_str().unwrap_or_default().to_owned();
    let ours: BTreeSet<String> = packages.iter().map(name).collect();
    let of_package = |package: &Value| {
        let all = package["dependencies"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let normal = all.iter().filter(|dependency| dependency["kind"].is_null());
        normal
            .map(name)
            .filter(|import| ours.contains(import))
            .collect()
    };
    packages
        .iter()
        .map(|package| (name(package), of_package(package)))
        .collect()
}
