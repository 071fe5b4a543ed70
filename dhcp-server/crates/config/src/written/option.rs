//! `option-data` and `option-def`.

use super::{Object, Spanned};
use crate::diagnostic::Position;
use crate::dialect::Dialect;
use outrigger_wire::options::defs::{Definition, OptionType, Origin};
use outrigger_wire::options::spaces::{Universe, is_valid_name};

/// One entry of `option-data`.
#[derive(Debug)]
pub(crate) struct WrittenOption {
    pub(crate) position: Position,
    pub(crate) name: Option<Spanned<String>>,
    pub(crate) code: Option<Spanned<u16>>,
    pub(crate) space: String,
    pub(crate) data: Option<Spanned<String>>,
    pub(crate) csv_format: Option<bool>,
    pub(crate) always_send: bool,
    pub(crate) never_send: bool,
}

/// One entry of `option-def`.
#[derive(Debug)]
pub(crate) struct WrittenDefinition {
    pub(crate) position: Position,
    pub(crate) space: String,
    pub(crate) definition: Definition,
}

pub(crate) fn read_list<F: Dialect>(object: &Object<'_>) -> Vec<WrittenOption> {
    object
        .objects("option-data")
        .into_iter()
        .filter_map(read::<F>)
        .collect()
}

fn read<F: Dialect>(object: Object<'_>) -> Option<WrittenOption> {
    let option = WrittenOption {
        position: object.position.clone(),
        name: option_name(&object),
        code: object.int("code", 0..=F::UNIVERSE.max_code().into()),
        space: space::<F>(&object),
        data: object.text("data").map(|data| data.map(str::to_owned)),
        csv_format: object.bool("csv-format").map(|flag| flag.value),
        always_send: object.bool("always-send").is_some_and(|flag| flag.value),
        never_send: object.bool("never-send").is_some_and(|flag| flag.value),
    };
    if object.member("name").is_none() && object.member("code").is_none() {
        object
            .problems
            .error(object.position, "an option needs a name or a code");
        object.finish();
        return None;
    }
    if let Some(class) = object
        .texts("client-classes")
        .and_then(|classes| classes.into_iter().next())
    {
        let text = "options for members of client classes are not built yet: they decide which option a client gets";
        object.problems.error(&class.position, text);
    }
    object.user_context();
    object.finish();
    // A bad name or code was reported; what it would have meant is not known.
    (option.name.is_some() || option.code.is_some()).then_some(option)
}

fn option_name(object: &Object<'_>) -> Option<Spanned<String>> {
    let wanted = "letters, digits, - and _, the latter two not at the ends";
    object.parsed("name", wanted, |name| {
        is_valid_name(name).then(|| name.to_owned())
    })
}

fn space<F: Dialect>(object: &Object<'_>) -> String {
    let wanted = "letters, digits, - and _, the latter two not at the ends";
    object
        .parsed("space", wanted, |name| {
            is_valid_name(name).then(|| name.to_owned())
        })
        .map_or_else(|| F::UNIVERSE.top_space().to_owned(), |space| space.value)
}

pub(crate) fn read_definitions<F: Dialect>(object: &Object<'_>) -> Vec<WrittenDefinition> {
    object
        .objects("option-def")
        .into_iter()
        .filter_map(read_definition::<F>)
        .collect()
}

fn read_definition<F: Dialect>(object: Object<'_>) -> Option<WrittenDefinition> {
    let name = object.require("name", option_name(&object));
    let code = object.int("code", 0..=F::UNIVERSE.max_code().into());
    let code = object.require("code", code);
    let kind = object.parsed("type", "the name of a type", OptionType::from_name);
    let kind = object.require("type", kind);
    let space = space::<F>(&object);
    let array = object.bool("array").is_some_and(|flag| flag.value);
    let record = object.parsed(
        "record-types",
        "a comma-separated list of types",
        record_types,
    );
    let encapsulates = object.parsed("encapsulate", "the name of a space", |name| {
        (name.is_empty() || is_valid_name(name)).then(|| name.to_owned())
    });
    object.user_context();
    let (position, problems) = (object.position, object.problems);
    let known_types = record.is_some() || object.member("record-types").is_none();
    object.finish();
    let written = WrittenDefinition {
        position: position.clone(),
        space,
        definition: Definition {
            code: code?.value,
            name: name?.value,
            kind: kind?.value,
            array,
            record: record.map(|types| types.value).unwrap_or_default(),
            encapsulates: encapsulates.map(|space| space.value).unwrap_or_default(),
            server_managed: false,
            unrequested: false,
            origin: Origin::User,
        },
    };
    let fault = fault::<F>(&written).filter(|_| known_types);
    if let Some(text) = fault {
        problems.error(position, text);
    }
    (fault.is_none() && known_types).then_some(written)
}

fn record_types(text: &str) -> Option<Vec<OptionType>> {
    if text.trim().is_empty() {
        return Some(Vec::new());
    }
    text.split(',')
        .map(|name| OptionType::from_name(name.trim()))
        .collect()
}

/// What is wrong with a definition that has all its members.
fn fault<F: Dialect>(written: &WrittenDefinition) -> Option<&'static str> {
    let definition = &written.definition;
    let top = written.space == F::UNIVERSE.top_space();
    let reserved = match F::UNIVERSE {
        Universe::V4 => matches!(definition.code, 0 | 255),
        Universe::V6 => definition.code == 0,
    };
    if top && reserved {
        return Some("this option code is reserved");
    }
    if definition.encapsulates == written.space {
        return Some("an option cannot encapsulate the space it is in");
    }
    if definition.array && !definition.encapsulates.is_empty() {
        return Some("an option that is an array cannot encapsulate a space");
    }
    if definition.kind == OptionType::Record {
        return record_fault(definition);
    }
    if !definition.record.is_empty() {
        return Some("record-types is only for the type record");
    }
    if definition.kind == OptionType::Internal {
        return Some("the type internal is not for own definitions");
    }
    let endless = matches!(
        definition.kind,
        OptionType::String | OptionType::Binary | OptionType::Empty
    );
    (definition.array && endless).then_some("an array cannot be of type string, binary or empty")
}

fn record_fault(definition: &Definition) -> Option<&'static str> {
    let endless = |kind: &OptionType| matches!(kind, OptionType::String | OptionType::Binary);
    let Some((last, before)) = definition
        .record
        .split_last()
        .filter(|(_, before)| !before.is_empty())
    else {
        return Some("a record needs record-types with at least two fields");
    };
    if before.iter().any(endless) || (definition.array && endless(last)) {
        return Some(
            "a field of type string or binary must be the last one of its record, and not repeated",
        );
    }
    let unusable = |kind| {
        matches!(
            kind,
            &OptionType::Empty | &OptionType::Internal | &OptionType::Record
        )
    };
    definition
        .record
        .iter()
        .any(unusable)
        .then_some("a field of a record cannot be empty, internal or a record")
}
