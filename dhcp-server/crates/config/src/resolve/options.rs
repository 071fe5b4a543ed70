//! `option-data` to bytes.

use crate::model::{ConfiguredOption, OptionSet, VendorSubOption};
use crate::problems::Problems;
use crate::written::option::{WrittenDefinition, WrittenOption};
use outrigger_wire::options::codec::{bytes_from_text, encode, fits};
use outrigger_wire::options::defs::{Definition, Origin};
use outrigger_wire::options::spaces::{
    Definitions, Universe, append_sub_option, vendor_enterprise,
};
use std::collections::{HashMap, HashSet};

/// What `csv-format` is where it is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OptionScope {
    /// True.
    Global,
    /// True where the code has a definition.
    Other,
}

/// Encodes the options of each scope by the definitions of the whole file.
pub(super) struct OptionEncoder<'a> {
    definitions: Definitions,
    problems: &'a Problems,
}

/// One option of one scope, encoded.
struct Ready<'w> {
    written: &'w WrittenOption,
    option: ConfiguredOption,
    /// Its payload goes on with the sub-options of this space.
    encapsulates: String,
}

impl<'a> OptionEncoder<'a> {
    pub(super) fn new(
        universe: Universe,
        written: &[WrittenDefinition],
        problems: &'a Problems,
    ) -> Self {
        let mut definitions = Definitions::standard(universe).clone();
        for written in written {
            if let Err(error) = definitions.define(&written.space, written.definition.clone()) {
                problems.error(&written.position, error.to_string());
            }
        }
        Self {
            definitions,
            problems,
        }
    }

    /// For the options of a client class with definitions of its own, which go before those of the whole file. `None`
    /// where it has none.
    pub(super) fn for_class(
        &self,
        global: &[WrittenDefinition],
        own: &[WrittenDefinition],
    ) -> Option<Self> {
        if own.is_empty() {
            return None;
        }
        let allowed = |written: &WrittenDefinition| {
            let is_raw = matches!(written.definition.code, 43 | 224..=254);
            is_raw && written.space == self.universe().top_space()
        };
        for written in own.iter().filter(|written| !allowed(written)) {
            let text = "a client class defines only the options 43 and 224 to 254: others mean the same for everybody";
            self.problems.error(&written.position, text);
        }
        let encoder = Self::new(self.universe(), own, self.problems);
        let mut definitions = encoder.definitions;
        for written in global {
            // Refused ones were reported, or are the class's own.
            definitions
                .define(&written.space, written.definition.clone())
                .ok();
        }
        Some(Self {
            definitions,
            problems: self.problems,
        })
    }

    /// What is defined for the whole file.
    pub(super) fn definitions(&self) -> &Definitions {
        &self.definitions
    }

    fn universe(&self) -> Universe {
        self.definitions.universe()
    }

    /// The options of one scope, sub-options inside the options that carry them.
    pub(super) fn encode(&self, written: &[WrittenOption], scope: OptionScope) -> OptionSet {
        let mut spaces: HashMap<&str, Vec<Ready<'_>>> = HashMap::new();
        for option in written {
            if let Some(ready) = self.encode_one(option, scope) {
                spaces.entry(option.space.as_str()).or_default().push(ready);
            }
        }
        for options in spaces.values_mut() {
            options.sort_by_key(|ready| ready.option.code);
        }
        let top = self.universe().top_space();
        let mut used = HashSet::from([top]);
        let mut set = OptionSet::default();
        for ready in spaces.get(top).into_iter().flatten() {
            if set
                .options
                .last()
                .is_some_and(|last| last.code == ready.option.code)
            {
                let text = format!(
                    "option {} is configured twice here: the first counts",
                    ready.option.code
                );
                self.problems.warning(&ready.written.position, text);
                continue;
            }
            set.options
                .extend(self.complete(ready, &spaces, &mut used, &mut vec![top]));
        }
        set.vendor = self.vendor_options(&spaces, &mut used);
        self.warn_of_lost(&spaces, &used);
        set
    }

    fn vendor_options<'s>(
        &self,
        spaces: &HashMap<&'s str, Vec<Ready<'_>>>,
        used: &mut HashSet<&'s str>,
    ) -> Vec<VendorSubOption> {
        let mut vendors: Vec<_> = spaces
            .keys()
            .filter_map(|space| vendor_enterprise(space).map(|enterprise| (enterprise, *space)))
            .collect();
        vendors.sort_unstable();
        let mut options = Vec::new();
        for (enterprise, space) in vendors {
            used.insert(space);
            for ready in &spaces[space] {
                let complete = self.complete(ready, spaces, used, &mut vec![space]);
                options.extend(complete.map(|option| VendorSubOption { enterprise, option }));
            }
        }
        options
    }

    /// An option with the sub-options of its space. `path` holds the spaces on the way here.
    fn complete<'s>(
        &self,
        ready: &Ready<'_>,
        spaces: &HashMap<&'s str, Vec<Ready<'_>>>,
        used: &mut HashSet<&'s str>,
        path: &mut Vec<&'s str>,
    ) -> Option<ConfiguredOption> {
        let Some((space, inside)) = spaces.get_key_value(ready.encapsulates.as_str()) else {
            return Some(ready.option.clone());
        };
        used.insert(space);
        if path.contains(space) {
            let text = format!("options of space {space} would contain themselves");
            self.problems.error(&ready.written.position, text);
            return None;
        }
        path.push(space);
        let mut payload = ready.option.payload.to_vec();
        for sub in inside.iter().filter(|sub| !sub.option.never_send) {
            let Some(complete) = self.complete(sub, spaces, used, path) else {
                continue;
            };
            if append_sub_option(
                self.universe(),
                complete.code,
                &complete.payload,
                &mut payload,
            )
            .is_none()
            {
                let max = self.universe().max_len();
                let text = format!(
                    "{} bytes are more than the {max} that fit into a sub-option",
                    complete.payload.len()
                );
                self.problems.error(&sub.written.position, text);
            }
        }
        path.pop();
        Some(ConfiguredOption {
            payload: payload.into(),
            ..ready.option.clone()
        })
    }

    /// Kea says nothing where sub-options have no option to be in; they are simply never sent.
    fn warn_of_lost(&self, spaces: &HashMap<&str, Vec<Ready<'_>>>, used: &HashSet<&str>) {
        for (space, options) in spaces.iter().filter(|(space, _)| !used.contains(*space)) {
            let carriers = self.definitions.carriers(space);
            let carriers: Vec<_> = carriers
                .iter()
                .map(|(_, definition)| definition.name.as_str())
                .collect();
            for ready in options {
                let text = match carriers.is_empty() {
                    true => format!("not sent: no option encapsulates space {space}"),
                    false => format!(
                        "not sent: configure {} here too, to carry it",
                        carriers.join(" or ")
                    ),
                };
                self.problems.warning(&ready.written.position, text);
            }
        }
    }

    fn encode_one<'w>(&self, written: &'w WrittenOption, scope: OptionScope) -> Option<Ready<'w>> {
        let definition = self.definition(written)?;
        let code = match (definition, &written.code) {
            (Some(definition), _) => definition.code,
            (None, Some(code)) => code.value,
            (None, None) => return None,
        };
        if self.is_reserved(written, code) {
            return None;
        }
        let payload = self.payload(written, definition, scope)?;
        if let Some(definition) = definition.filter(|definition| is_servers_own(definition)) {
            let text = format!(
                "{} is not sent as configured: the server sets it itself",
                definition.name
            );
            self.problems.warning(&written.position, text);
            return None;
        }
        Some(Ready {
            written,
            option: ConfiguredOption {
                code,
                payload: payload.into(),
                always_send: written.always_send,
                never_send: written.never_send,
            },
            encapsulates: definition
                .map(|definition| definition.encapsulates.clone())
                .unwrap_or_default(),
        })
    }

    /// The codes that are no options: padding and end in DHCPv4, nothing at all in DHCPv6.
    fn is_reserved(&self, written: &WrittenOption, code: u16) -> bool {
        let reserved = match self.universe() {
            Universe::V4 => matches!(code, 0 | 255),
            Universe::V6 => code == 0,
        };
        let reserved = reserved && written.space == self.universe().top_space();
        if reserved {
            self.problems
                .error(&written.position, format!("option code {code} is reserved"));
        }
        reserved
    }

    /// The definition by code and name. `None`, after an error, where they do not lead to one option.
    fn definition(&self, written: &WrittenOption) -> Option<Option<&Definition>> {
        let space = &written.space;
        let by_name = written
            .name
            .as_ref()
            .map(|name| (name, self.definitions.by_name(space, &name.value)));
        let by_code = written
            .code
            .as_ref()
            .map(|code| self.definitions.by_code(space, code.value));
        match (by_name, by_code) {
            (None, None) => None,
            (None, Some(found)) => Some(found),
            (Some((_, Some(found))), None) => Some(Some(found)),
            (Some((name, None)), None) => {
                let text = format!(
                    "option {} of space {space} is not defined{}",
                    name.value,
                    self.hint(space, &name.value)
                );
                self.problems.error(&name.position, text);
                None
            }
            (Some((name, _)), Some(Some(found))) if found.name != name.value => {
                let text = format!(
                    "name {} does not go with code {}, which is {}",
                    name.value, found.code, found.name
                );
                self.problems.error(&name.position, text);
                None
            }
            (Some((name, Some(found))), Some(None)) => {
                let text = format!(
                    "the code of option {} is {}, not the one written beside it",
                    name.value, found.code
                );
                self.problems.error(&name.position, text);
                None
            }
            (Some(_), Some(found)) => Some(found),
        }
    }

    fn hint(&self, space: &str, name: &str) -> String {
        let names: Vec<_> = self
            .definitions
            .in_space(space)
            .map(|definition| definition.name.as_str())
            .collect();
        match crate::written::nearest(name, names.into_iter()) {
            Some(meant) => format!(", did you mean {meant}?"),
            None => ": add an option-def".to_owned(),
        }
    }

    fn payload(
        &self,
        written: &WrittenOption,
        definition: Option<&Definition>,
        scope: OptionScope,
    ) -> Option<Vec<u8>> {
        let data = written.data.as_ref().map_or("", |data| data.value.as_str());
        let position = written
            .data
            .as_ref()
            .map_or(&written.position, |data| &data.position);
        let csv = written
            .csv_format
            .unwrap_or_else(|| definition.is_some() || scope == OptionScope::Global);
        if csv {
            let Some(definition) = definition else {
                let text = "this code has no definition: add an option-def, or write csv-format false and hex digits";
                self.problems.error(position, text);
                return None;
            };
            return self.fields(written, definition, data);
        }
        match bytes_from_text(data) {
            Ok(payload) => {
                if let Some(definition) =
                    definition.filter(|definition| !fits(definition, &payload))
                {
                    let text = format!(
                        "{} bytes are no value of type {}",
                        payload.len(),
                        definition.kind
                    );
                    self.problems.error(position, text);
                    return None;
                }
                Some(payload)
            }
            Err(problem) => {
                self.problems.error(position, problem.to_string());
                None
            }
        }
    }

    fn fields(
        &self,
        written: &WrittenOption,
        definition: &Definition,
        data: &str,
    ) -> Option<Vec<u8>> {
        let position = written
            .data
            .as_ref()
            .map_or(&written.position, |data| &data.position);
        // Older versions of Kea do not define these codes, so their users gave raw bytes.
        let maybe_raw = written.csv_format.is_none()
            && matches!(definition.origin, Origin::NewerKea | Origin::Ours);
        match encode(self.universe(), definition, data) {
            Ok(encoded) => {
                if encoded.fields_ignored > 0 {
                    let text = format!(
                        "fields beyond those of {} are not sent ({}); write \\\\, for a comma that is meant",
                        definition.name, encoded.fields_ignored
                    );
                    self.problems.warning(position, text);
                }
                Some(encoded.payload)
            }
            Err(error) => match bytes_from_text(data) {
                Ok(raw) if maybe_raw && !data.is_empty() => Some(raw),
                _ => {
                    self.problems
                        .error(position, format!("{}: {error}", definition.name));
                    None
                }
            },
        }
    }
}

/// The value in an answer never comes from the configuration. The name of a client may: it is a wish of both sides.
fn is_servers_own(definition: &Definition) -> bool {
    definition.server_managed && definition.name != "host-name"
}
