//! The tables of option definitions that the SDKs for Python and Go read with, and examples of values for their tests,
//! are what the standard definitions say. `UPDATE=1` writes them anew.

mod vectors;

use outrigger_wire::options::defs::Definition;
use outrigger_wire::options::spaces::{Definitions, Universe};
use std::error::Error;
use std::fmt::Write;
use std::path::Path;

const PYTHON: &str = "hooks/python/sdk/src/outrigger_hooks/_option_table.py";
const GO: &str = "hooks/go/sdk/option_table.go";
const VECTORS: &str = "proto/vectors/options.json";

const PYTHON_HEAD: &str = "\
\"\"\"Standard options of DHCPv4 and DHCPv6: what each code of each space is called and how its value is written.

Made from the server's table of options; `make gen` writes it anew.
\"\"\"

from collections.abc import Mapping
from typing import Final, NamedTuple


class Definition(NamedTuple):
    \"\"\"What an option code of one space means.\"\"\"

    code: int
    #: Unique in its space.
    name: str
    #: Type of the value, by its name in `option-def` of Kea.
    type: str
    #: The value is a list; of a record, the last field repeats.
    array: bool
    #: Types of the fields where the type is \"record\", else empty.
    record: tuple[str, ...]
    #: Space of its sub-options, without the family; \"\": none.
    encapsulates: str


#: Definitions of each space in ascending code, by family, colon and space: \"4:dhcp4\", \"6:vendor-4491\".
SPACES: Final[Mapping[str, tuple[Definition, ...]]] = {
";

const GO_HEAD: &str = "\
// Code generated from the server's table of options by `make gen`; DO NOT EDIT.

package outrigger

// definition is what an option code of one space means.
type definition struct {
	code uint16
	// name is unique in its space; kind is the type of the value, by its name in `option-def` of Kea.
	name, kind string
	// array: the value is a list; of a record, the last field repeats.
	array bool
	// record has the types of the fields where kind is \"record\", else nothing.
	record []string
	// encapsulates is the space of its sub-options, without the family; \"\": none.
	encapsulates string
}

// optionTable has the definitions of each space in ascending code, by family, colon and space: \"4:dhcp4\",
// \"6:vendor-4491\".
var optionTable = map[string][]definition{
";

pub(crate) const UNIVERSES: [Universe; 2] = [Universe::V4, Universe::V6];

pub(crate) fn family(universe: Universe) -> u8 {
    match universe {
        Universe::V4 => 4,
        Universe::V6 => 6,
    }
}

/// Standard spaces of a family with their definitions: the family's own options first, then by name.
pub(crate) fn spaces(universe: Universe) -> Vec<(&'static str, Vec<&'static Definition>)> {
    let definitions = Definitions::standard(universe);
    let mut names: Vec<_> = definitions.spaces().collect();
    names.sort_by_key(|name| (*name != universe.top_space(), *name));
    names
        .into_iter()
        .map(|name| {
            let mut rows: Vec<_> = definitions.in_space(name).collect();
            rows.sort_by_key(|definition| definition.code);
            (name, rows)
        })
        .collect()
}

fn quoted(definition: &Definition) -> Vec<String> {
    let names = definition.record.iter().map(|kind| kind.name());
    names.map(|name| format!("{name:?}")).collect()
}

fn python() -> Result<String, std::fmt::Error> {
    let tuple = |items: &[String]| match items {
        [only] => format!("({only},)"),
        _ => format!("({})", items.join(", ")),
    };
    let mut file = PYTHON_HEAD.to_owned();
    for universe in UNIVERSES {
        for (space, rows) in spaces(universe) {
            write!(file, "    \"{}:{space}\": (", family(universe))?;
            for row in &rows {
                let array = if row.array { "True" } else { "False" };
                write!(
                    file,
                    "\n        Definition({}, {:?}, {:?}, {array}, {}, {:?}),",
                    row.code,
                    row.name,
                    row.kind.name(),
                    tuple(&quoted(row)),
                    row.encapsulates,
                )?;
            }
            writeln!(file, "{}),", if rows.is_empty() { "" } else { "\n    " })?;
        }
    }
    writeln!(file, "}}")?;
    Ok(file)
}

fn go() -> Result<String, std::fmt::Error> {
    let mut file = GO_HEAD.to_owned();
    for universe in UNIVERSES {
        for (space, rows) in spaces(universe) {
            write!(file, "\t\"{}:{space}\": {{", family(universe))?;
            for row in &rows {
                let record = match quoted(row).join(", ") {
                    none if none.is_empty() => "nil".to_owned(),
                    types => format!("[]string{{{types}}}"),
                };
                write!(
                    file,
                    "\n\t\t{{{}, {:?}, {:?}, {}, {record}, {:?}}},",
                    row.code,
                    row.name,
                    row.kind.name(),
                    row.array,
                    row.encapsulates,
                )?;
            }
            writeln!(file, "{}}},", if rows.is_empty() { "" } else { "\n\t" })?;
        }
    }
    writeln!(file, "}}")?;
    Ok(file)
}

/// The committed file is `expected`. `UPDATE=1` writes it anew.
fn check(below: &str, expected: &str) -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let path = root.join(below);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().ok_or("a file is in a folder")?)?;
        std::fs::write(&path, expected)?;
    } else if std::fs::read_to_string(&path).ok().as_deref() != Some(expected) {
        return Err(format!("{below} is stale: run `make gen`").into());
    }
    Ok(())
}

#[test]
fn the_table_for_python_is_up_to_date() -> Result<(), Box<dyn Error>> {
    check(PYTHON, &python()?)
}

#[test]
fn the_table_for_go_is_up_to_date() -> Result<(), Box<dyn Error>> {
    check(GO, &go()?)
}

#[test]
fn the_examples_of_values_are_up_to_date() -> Result<(), Box<dyn Error>> {
    check(VECTORS, &vectors::file()?)
}
