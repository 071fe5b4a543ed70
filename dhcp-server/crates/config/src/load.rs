//! From a file to a configuration that can be used.

use crate::diagnostic::{Diagnostic, Position, Severity};
use crate::dialect::Dialect;
use crate::model::Config;
use crate::problems::Problems;
use crate::source::{self, Map, Node, Value};
use crate::written::{Object, global};
use crate::{resolve, revision};
use outrigger_wire::{V4, V6};
use std::path::Path;
use std::sync::Arc;

/// What came of reading a configuration.
#[derive(Debug)]
pub struct Loaded {
    /// `None` exactly where a diagnostic is an error.
    pub config: Option<Config>,
    /// Every problem, by position, each once.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a file and the files it includes. Nothing else is touched: no interface is looked up, no service reached.
#[must_use]
pub fn load(path: &Path) -> Loaded {
    let name = path.display().to_string();
    match source::read_file(path) {
        Ok(text) => load_bytes(&name, &text),
        Err(error) => {
            let problems = Problems::default();
            problems.error(&start(&name), format!("cannot read this file: {error}"));
            Loaded {
                config: None,
                diagnostics: problems.into_sorted(),
            }
        }
    }
}

/// As [`load`], for a text at hand; `name` stands in the diagnostics.
#[must_use]
pub fn load_text(name: &str, text: &str) -> Loaded {
    load_bytes(name, text.as_bytes())
}

fn start(name: &str) -> Position {
    Position {
        file: name.into(),
        line: 1,
        column: 1,
    }
}

fn load_bytes(name: &str, text: &[u8]) -> Loaded {
    let problems = Problems::default();
    let config = source::parse(name, text, &problems).and_then(|root| config(&root, &problems));
    let diagnostics = problems.into_sorted();
    let refused = diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error);
    Loaded {
        config: config.filter(|_| !refused),
        diagnostics,
    }
}

/// The one member at the top says which family the file is for.
fn config(root: &Node, problems: &Problems) -> Option<Config> {
    const WANTED: &str = "the file must have one member at its top, Dhcp4 or Dhcp6";
    let Value::Map(members) = &root.value else {
        problems.error(&root.position, WANTED);
        return None;
    };
    let mut config = None;
    for member in members {
        match member.key.as_str() {
            _ if config.is_some() => problems.error(&member.position, WANTED),
            "Dhcp4" => {
                config = Some(Config::V4(Arc::new(server::<V4>(
                    root,
                    &member.node,
                    problems,
                )?)))
            }
            "Dhcp6" => {
                config = Some(Config::V6(Arc::new(server::<V6>(
                    root,
                    &member.node,
                    problems,
                )?)))
            }
            "Logging" => problems.error(
                &member.position,
                "Logging has moved: put loggers into Dhcp4 or Dhcp6",
            ),
            "DhcpDdns" | "Control-agent" | "Netconf" => {
                let text = format!(
                    "{} is another program's: give it a file of its own",
                    member.key
                );
                problems.error(&member.position, text);
            }
            other => problems.error(
                &member.position,
                format!("got unexpected keyword \"{other}\" at the top of the file"),
            ),
        }
    }
    if config.is_none() {
        problems.error(&root.position, WANTED);
    }
    config
}

fn server<F: Dialect>(
    root: &Node,
    node: &Node,
    problems: &Problems,
) -> Option<crate::model::Server<F>> {
    let object = Object::new(node, F::TOP_LEVEL, problems)?;
    if matches!(&node.value, Value::Map(members) if Map::is_empty(members)) {
        problems.error(&node.position, format!("{} is empty", F::TOP_LEVEL));
    }
    let mut server = resolve::server(global::read::<F>(object), problems);
    server.json = revision::normalised(root);
    server.revision = revision::of(&server.json);
    Some(server)
}
