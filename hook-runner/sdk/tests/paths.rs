//! The paths of subscriptions as constants are what the table says. `UPDATE=1` writes them anew.

use outrigger_hook_sdk::HookPoint;
use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;

const HEAD: &str = "\
//! What a subscription may read and write, so that nobody has to type it.
//!
//! Made from the table of hook points; `make gen` writes it anew. One option of a packet is its path and its number:
//! `\"query.options.60\"`.
";

/// The names of the hook points that `has` says yes to, for a sentence.
fn points(has: impl Fn(HookPoint) -> bool) -> Option<String> {
    let named: Vec<String> = HookPoint::ALL
        .iter()
        .filter(|point| has(**point))
        .map(|point| format!("`{point}`"))
        .collect();
    (!named.is_empty()).then(|| named.join(", "))
}

fn file() -> Result<String, std::fmt::Error> {
    let mut file = HEAD.to_owned();
    let specs = HookPoint::ALL.iter().map(|point| point.spec());
    let paths: BTreeSet<&str> = specs
        .flat_map(|spec| spec.reads.iter().chain(spec.changes))
        .copied()
        .collect();
    for path in paths {
        writeln!(file)?;
        if let Some(points) = points(|point| point.spec().reads.contains(&path)) {
            writeln!(file, "/// Read at {points}.")?;
        }
        if let Some(points) = points(|point| point.spec().changes.contains(&path)) {
            writeln!(file, "/// Changed at {points}.")?;
        }
        let name = path.replace(['.', '-'], "_").to_uppercase();
        writeln!(file, "pub const {name}: &str = \"{path}\";")?;
    }
    Ok(file)
}

#[test]
fn the_constants_are_up_to_date() -> Result<(), Box<dyn Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/paths.rs");
    let expected = file()?;
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, expected)?;
    } else if fs::read_to_string(path)? != expected {
        return Err("src/paths.rs is stale: run `make gen`".into());
    }
    Ok(())
}
