//! The page of hook points is what the table says. `UPDATE=1` writes it anew.

use outrigger_proto::{Family, HookPoint, OnFailure, Spec};
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;

const HEAD: &str = "\
# Hook points

Made from the table in `proto/src/hook_points.rs`; `make gen` writes it anew.

At a hook point the server calls each service that subscribed to it, in configured order. Each sees the next step and the
changes of those before it, all are called, and the last next step counts. CONTINUE is always possible; a next step that is
not listed counts as CONTINUE. *On failure* is what a failed call does where the configuration says nothing.
";

fn paths(paths: &[&str]) -> String {
    if paths.is_empty() {
        return "nothing".to_owned();
    }
    let quoted: Vec<_> = paths.iter().map(|path| format!("`{path}`")).collect();
    quoted.join(", ")
}

fn hook_point(spec: &Spec, page: &mut String) -> Result<(), std::fmt::Error> {
    writeln!(page, "\n### {}\n\n{}\n", spec.name, spec.fires.trim())?;
    writeln!(page, "| | |\n|---|---|")?;
    writeln!(page, "| Number | {} |", spec.hook_point.number())?;
    writeln!(page, "| Arguments | {} |", paths(spec.reads))?;
    writeln!(page, "| May change | {} |", paths(spec.changes))?;
    for (step, effect) in spec.next {
        writeln!(page, "| {step} | {effect} |")?;
    }
    let action = match spec.on_failure {
        OnFailure::Continue => "continue",
        OnFailure::Drop => "drop",
    };
    let note = if spec.can_drop {
        ""
    } else {
        "; `drop` has no effect here and is refused"
    };
    writeln!(page, "| On failure | {action}{note} |")
}

fn page() -> Result<String, std::fmt::Error> {
    let mut page = HEAD.to_owned();
    let parts = [
        (Some(Family::V4), "DHCPv4"),
        (Some(Family::V6), "DHCPv6"),
        (None, "Both families"),
    ];
    for (family, title) in parts {
        writeln!(page, "\n## {title}")?;
        for point in HookPoint::ALL {
            if point.spec().family == family {
                hook_point(point.spec(), &mut page)?;
            }
        }
    }
    Ok(page)
}

#[test]
fn the_page_of_hook_points_is_up_to_date() -> Result<(), Box<dyn Error>> {
    let expected = page()?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/generated/hook-points.md");
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().ok_or("the page has a directory")?)?;
        fs::write(&path, expected)?;
    } else if fs::read_to_string(&path).ok() != Some(expected) {
        return Err("docs/generated/hook-points.md is stale: run `make gen`".into());
    }
    Ok(())
}
