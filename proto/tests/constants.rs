//! Constants for services in Python and Go are what the table says. `UPDATE=1` writes them anew.

mod golden;

use outrigger_proto::{
    Family, HookPoint, MAX_CONTEXT, MAX_MESSAGE, MAX_REPLY, NextStep, OnFailure, PROTOCOL_VERSION,
    Spec,
};
use std::error::Error;
use std::fmt::Write;
use std::process::Command;

const PYTHON: &str = "hooks/python/sdk/src/outrigger_hooks/hook_points.py";
const GO: &str = "hooks/go/sdk/hookpoints/hook_points.go";

const STEPS: [NextStep; 4] = [
    NextStep::Continue,
    NextStep::Skip,
    NextStep::Drop,
    NextStep::Park,
];

const PYTHON_HEAD: &str = "\
\"\"\"Hook points of the protocol outrigger.hooks.v1: numbers, arguments, changes, next steps.

Made from the table of hook points; `make gen` writes it anew.
\"\"\"

import enum
from typing import Final, Mapping, NamedTuple, Optional, Tuple
";

const PYTHON_SPEC: &str = "

class Spec(NamedTuple):
    \"\"\"What is known of a hook point.\"\"\"

    #: As in Kea, in the configuration, and in metrics and logs of the server.
    name: str
    #: 4 or 6; None: both families have it.
    family: Optional[int]
    #: What a service may ask for: paths.
    reads: Tuple[str, ...]
    #: What a reply may change: paths.
    changes: Tuple[str, ...]
    #: Next steps with an effect, with that effect. Any other counts as CONTINUE.
    next_steps: Mapping[NextStep, str]
    #: Whether PARK holds the packet until a final reply comes.
    can_park: bool
    #: What a failed call does where nothing is configured: \"continue\" or \"drop\".
    on_failure: str
    #: Whether `on-failure: drop` has an effect.
    can_drop: bool


SPECS: Final[Mapping[HookPoint, Spec]] = {
";

const GO_HEAD: &str = "\
// Code generated from the table of hook points by `make gen`; DO NOT EDIT.

// Package hookpoints has the hook points of the protocol outrigger.hooks.v1: numbers, arguments, changes, next steps.
package hookpoints
";

const GO_SPEC: &str = "
// Spec is what is known of a hook point.
type Spec struct {
	// Name is as in Kea, in the configuration, and in metrics and logs of the server.
	Name string
	// Family is 4 or 6; 0: both families have it.
	Family int
	// Reads is what a service may ask for: paths.
	Reads []string
	// Changes is what a reply may change: paths.
	Changes []string
	// NextSteps has the next steps with an effect, with that effect. Any other counts as Continue.
	NextSteps map[NextStep]string
	// CanPark says whether Park holds the packet until a final reply comes.
	CanPark bool
	// OnFailure is what a failed call does where nothing is configured: \"continue\" or \"drop\".
	OnFailure string
	// CanDrop says whether \"on-failure\": \"drop\" has an effect.
	CanDrop bool
}

// String is the name as in Kea.
func (p HookPoint) String() string {
	return Specs[p].Name
}

// Specs has every hook point.
var Specs = map[HookPoint]Spec{
";

/// As in the protocol: `SUBNET6_SELECT`.
fn constant(spec: &Spec) -> String {
    spec.name.trim_start_matches('$').to_uppercase()
}

fn family(spec: &Spec) -> u8 {
    match spec.family {
        Some(Family::V4) => 4,
        Some(Family::V6) => 6,
        None => 0,
    }
}

fn on_failure(spec: &Spec) -> &'static str {
    match spec.on_failure {
        OnFailure::Continue => "continue",
        OnFailure::Drop => "drop",
    }
}

/// What `step` does; CONTINUE always does the same.
fn effect(spec: &Spec, step: NextStep) -> Option<&'static str> {
    let listed = spec.next.iter().find(|(known, _)| *known == step);
    listed.map(|(_, effect)| *effect)
}

fn quoted(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| format!("{text:?}")).collect()
}

fn python() -> Result<String, std::fmt::Error> {
    let mut file = PYTHON_HEAD.to_owned();
    writeln!(file, "\n#: Version of the protocol.")?;
    writeln!(file, "PROTOCOL_VERSION: Final = {PROTOCOL_VERSION}")?;
    writeln!(
        file,
        "#: Largest context that a service may keep per packet, in bytes."
    )?;
    writeln!(file, "MAX_CONTEXT: Final = {MAX_CONTEXT}")?;
    writeln!(
        file,
        "#: Largest reply to one call without the answer to a control command in it, in bytes."
    )?;
    writeln!(file, "MAX_REPLY: Final = {MAX_REPLY}")?;
    writeln!(file, "#: Largest message, in bytes.")?;
    writeln!(file, "MAX_MESSAGE: Final = {MAX_MESSAGE}")?;
    writeln!(file, "\n\nclass NextStep(enum.IntEnum):")?;
    writeln!(file, "    \"\"\"What follows a hook point.\"\"\"\n")?;
    for step in STEPS {
        writeln!(file, "    {step} = {}", step as u8)?;
    }
    writeln!(file, "\n\nclass HookPoint(enum.IntEnum):")?;
    writeln!(
        file,
        "    \"\"\"A named place in the server where callouts run.\"\"\"\n"
    )?;
    for point in HookPoint::ALL {
        writeln!(file, "    {} = {}", constant(point.spec()), point.number())?;
    }
    file.push_str(PYTHON_SPEC);
    for point in HookPoint::ALL {
        python_spec(point.spec(), &mut file)?;
    }
    writeln!(file, "}}")?;
    Ok(file)
}

fn python_tuple(texts: &[&str]) -> String {
    let texts = quoted(texts);
    match texts.as_slice() {
        [only] => format!("({only},)"),
        _ => format!("({})", texts.join(", ")),
    }
}

fn python_bool(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

fn python_spec(spec: &Spec, file: &mut String) -> std::fmt::Result {
    let point = spec.hook_point;
    let family = spec.family.map_or("None", |of| match of {
        Family::V4 => "4",
        Family::V6 => "6",
    });
    writeln!(file, "    HookPoint.{}: Spec(", constant(spec))?;
    writeln!(file, "        name={:?},", spec.name)?;
    writeln!(file, "        family={family},")?;
    writeln!(file, "        reads={},", python_tuple(spec.reads))?;
    writeln!(file, "        changes={},", python_tuple(spec.changes))?;
    writeln!(file, "        next_steps={{")?;
    for step in STEPS {
        if let Some(effect) = effect(spec, step) {
            writeln!(file, "            NextStep.{step}: {effect:?},")?;
        }
    }
    writeln!(file, "        }},")?;
    writeln!(file, "        can_park={},", python_bool(point.can_park()))?;
    writeln!(file, "        on_failure={:?},", on_failure(spec))?;
    writeln!(file, "        can_drop={},", python_bool(spec.can_drop))?;
    writeln!(file, "    ),")
}

fn go() -> Result<String, std::fmt::Error> {
    let mut file = GO_HEAD.to_owned();
    writeln!(file, "\nconst (")?;
    writeln!(file, "\t// ProtocolVersion is the version of the protocol.")?;
    writeln!(file, "\tProtocolVersion = {PROTOCOL_VERSION}")?;
    writeln!(
        file,
        "\t// MaxContext is the largest context that a service may keep per packet, in bytes."
    )?;
    writeln!(file, "\tMaxContext = {MAX_CONTEXT}")?;
    writeln!(
        file,
        "\t// MaxReply is the largest reply to one call without the answer to a control command in it, in bytes."
    )?;
    writeln!(file, "\tMaxReply = {MAX_REPLY}")?;
    writeln!(file, "\t// MaxMessage is the largest message, in bytes.")?;
    writeln!(file, "\tMaxMessage = {MAX_MESSAGE}\n)")?;
    let steps = STEPS.map(|step| (format!("{step:?}"), step as u8));
    go_enum(
        "NextStep",
        "is what follows a hook point",
        &steps,
        &mut file,
    )?;
    let points: Vec<_> = HookPoint::ALL
        .iter()
        .map(|point| (format!("{point:?}"), point.number()))
        .collect();
    let what = "is a named place in the server where callouts run";
    go_enum("HookPoint", what, &points, &mut file)?;
    file.push_str(GO_SPEC);
    for point in HookPoint::ALL {
        go_spec(point.spec(), &mut file)?;
    }
    writeln!(file, "}}")?;
    Ok(file)
}

fn go_enum(name: &str, what: &str, values: &[(String, u8)], file: &mut String) -> std::fmt::Result {
    writeln!(
        file,
        "\n// {name} {what}.\ntype {name} int32\n\n// Every {name}.\nconst ("
    )?;
    let width = values
        .iter()
        .map(|(value, _)| value.len())
        .max()
        .unwrap_or(0);
    for (value, number) in values {
        writeln!(file, "\t{value:width$} {name} = {number}")?;
    }
    writeln!(file, ")")
}

fn go_list(texts: &[&str]) -> String {
    match texts {
        [] => "nil".to_owned(),
        _ => format!("[]string{{{}}}", quoted(texts).join(", ")),
    }
}

fn go_spec(spec: &Spec, file: &mut String) -> std::fmt::Result {
    let point = spec.hook_point;
    let steps: Vec<String> = STEPS
        .iter()
        .filter_map(|step| Some(format!("{step:?}: {:?}", effect(spec, *step)?)))
        .collect();
    let steps = match steps.is_empty() {
        true => "nil".to_owned(),
        false => format!("map[NextStep]string{{{}}}", steps.join(", ")),
    };
    writeln!(file, "\t{point:?}: {{")?;
    for (field, value) in [
        ("Name", format!("{:?}", spec.name)),
        ("Family", family(spec).to_string()),
        ("Reads", go_list(spec.reads)),
        ("Changes", go_list(spec.changes)),
        ("NextSteps", steps),
        ("CanPark", point.can_park().to_string()),
        ("OnFailure", format!("{:?}", on_failure(spec))),
        ("CanDrop", spec.can_drop.to_string()),
    ] {
        writeln!(file, "\t\t{:10} {value},", format!("{field}:"))?;
    }
    writeln!(file, "\t}},")
}

#[test]
fn constants_for_python_are_up_to_date() -> Result<(), Box<dyn Error>> {
    golden::check(PYTHON, &python()?)
}

#[test]
fn constants_for_go_are_up_to_date() -> Result<(), Box<dyn Error>> {
    golden::check(GO, &go()?)
}

/// One line for each hook point, of what Python knows of it.
const SHOW: &str = "
import sys
sys.dont_write_bytecode = True
import hook_points
for point in hook_points.HookPoint:
    spec = hook_points.SPECS[point]
    steps = [f'{step.name}={effect}' for step, effect in spec.next_steps.items()]
    lists = [','.join(spec.reads), ','.join(spec.changes), ','.join(steps)]
    print(int(point), spec.name, spec.family or 0, *lists, spec.can_park, spec.on_failure, spec.can_drop, sep='|')
";

#[test]
fn python_reads_what_the_table_says() -> Result<(), Box<dyn Error>> {
    let folder = golden::path(PYTHON);
    let output = Command::new("python3")
        .args(["-W", "error", "-c", SHOW])
        .current_dir(folder.parent().ok_or("the file is in a folder")?)
        .output()
        .map_err(|error| format!("python3, which `make needs` installs: {error}"))?;
    assert!(output.status.success(), "{output:?}");
    let mut expected = String::new();
    for point in HookPoint::ALL {
        let spec = point.spec();
        let steps: Vec<String> = STEPS
            .iter()
            .filter_map(|step| Some(format!("{step}={}", effect(spec, *step)?)))
            .collect();
        writeln!(
            expected,
            "{}|{}|{}|{}|{}|{}|{}|{}|{}",
            point.number(),
            spec.name,
            family(spec),
            spec.reads.join(","),
            spec.changes.join(","),
            steps.join(","),
            python_bool(point.can_park()),
            on_failure(spec),
            python_bool(spec.can_drop),
        )?;
    }
    assert_eq!(String::from_utf8(output.stdout)?, expected);
    Ok(())
}
