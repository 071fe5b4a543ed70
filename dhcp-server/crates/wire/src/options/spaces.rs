//! Option spaces and what encapsulates what.

use super::defs::{
    AGENT_OPTIONS, CABLELABS_CLIENT_CONF, DHCP4, DHCP4O6, DHCP6, DOCSIS3_V4, DOCSIS3_V6,
    Definition, Origin, Row, S46_CONT_LW, S46_CONT_MAPE, S46_CONT_MAPT, S46_RULE, S46_V4V6BIND,
    V6_NTP_SERVER,
};
use std::collections::HashMap;
use std::sync::LazyLock;
use thiserror::Error;

/// Which family's options: they differ in the width of codes and lengths, and in what the codes mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Universe {
    /// DHCPv4: code and length take one byte each.
    V4,
    /// DHCPv6: code and length take two bytes each.
    V6,
}

impl Universe {
    /// Name of the space of the family's own options.
    #[must_use]
    pub fn top_space(self) -> &'static str {
        match self {
            Self::V4 => "dhcp4",
            Self::V6 => "dhcp6",
        }
    }

    /// Largest option code.
    #[must_use]
    pub fn max_code(self) -> u16 {
        match self {
            Self::V4 => 255,
            Self::V6 => u16::MAX,
        }
    }

    /// Largest payload of one sub-option. DHCPv4 options of the top space may be longer (RFC 3396).
    #[must_use]
    pub fn max_len(self) -> usize {
        usize::from(self.max_code())
    }

    fn standard_spaces(self) -> &'static [(&'static str, &'static [Row])] {
        match self {
            Self::V4 => SPACES_4,
            Self::V6 => SPACES_6,
        }
    }
}

static SPACES_4: &[(&str, &[Row])] = &[
    ("dhcp4", DHCP4),
    ("dhcp-agent-options-space", AGENT_OPTIONS),
    ("vendor-encapsulated-options-space", &[]),
    ("cablelabs-client-conf", CABLELABS_CLIENT_CONF),
    ("vendor-4491", DOCSIS3_V4),
];

static SPACES_6: &[(&str, &[Row])] = &[
    ("dhcp6", DHCP6),
    ("rsoo-opts", &[]),
    ("v6-ntp-server-suboptions", V6_NTP_SERVER),
    ("s46-cont-mape-options", S46_CONT_MAPE),
    ("s46-cont-mapt-options", S46_CONT_MAPT),
    ("s46-cont-lw-options", S46_CONT_LW),
    ("s46-rule-options", S46_RULE),
    ("s46-v4v6bind-options", S46_V4V6BIND),
    ("vendor-4491", DOCSIS3_V6),
    ("vendor-2495", DHCP4O6),
];

/// Enterprise number of a space `vendor-<number>`.
#[must_use]
pub fn vendor_enterprise(space: &str) -> Option<u32> {
    let number = space.strip_prefix("vendor-")?;
    number
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| number.parse().ok())
        .flatten()
}

/// Whether a name may name an option or a space: letters, digits, `-` and `_`, the latter two not at the ends.
#[must_use]
pub fn is_valid_name(name: &str) -> bool {
    let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    ends(bytes.first())
        && ends(bytes.last())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Definitions of one space, found by code and by name.
#[derive(Debug, Clone, Default)]
struct Space {
    by_code: HashMap<u16, Definition>,
    by_name: HashMap<String, u16>,
}

impl Space {
    fn insert(&mut self, definition: Definition) {
        let name = definition.name.clone();
        let code = definition.code;
        if let Some(old) = self.by_code.insert(code, definition) {
            self.by_name.remove(&old.name);
        }
        self.by_name.insert(name, code);
    }
}

/// Standard definitions of one family, and those that a user added.
#[derive(Debug, Clone)]
pub struct Definitions {
    universe: Universe,
    spaces: HashMap<String, Space>,
}

/// Why a definition is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DefineError {
    /// The code is taken.
    #[error("option code {code} of space {space} is already defined as {by}")]
    CodeTaken {
        /// The code.
        code: u16,
        /// Its space.
        space: String,
        /// Name of the definition that has it.
        by: String,
    },
    /// The name is taken.
    #[error("option name {name} of space {space} is already defined, with code {by}")]
    NameTaken {
        /// The name.
        name: String,
        /// Its space.
        space: String,
        /// Code of the definition that has it.
        by: u16,
    },
}

impl Definitions {
    /// The standard definitions of a family. Cheap after the first call for each family.
    #[must_use]
    pub fn standard(universe: Universe) -> &'static Self {
        static STANDARD: [LazyLock<Definitions>; 2] = [
            LazyLock::new(|| Definitions::from_tables(Universe::V4)),
            LazyLock::new(|| Definitions::from_tables(Universe::V6)),
        ];
        match universe {
            Universe::V4 => &STANDARD[0],
            Universe::V6 => &STANDARD[1],
        }
    }

    fn from_tables(universe: Universe) -> Self {
        let mut spaces = HashMap::new();
        for (name, rows) in universe.standard_spaces() {
            let mut space = Space::default();
            for row in *rows {
                space.insert(row.definition());
            }
            spaces.insert((*name).to_owned(), space);
        }
        Self { universe, spaces }
    }

    /// Whose definitions these are.
    #[must_use]
    pub fn universe(&self) -> Universe {
        self.universe
    }

    /// What a code means.
    #[must_use]
    pub fn by_code(&self, space: &str, code: u16) -> Option<&Definition> {
        self.spaces.get(space)?.by_code.get(&code)
    }

    /// What a name means.
    #[must_use]
    pub fn by_name(&self, space: &str, name: &str) -> Option<&Definition> {
        let space = self.spaces.get(space)?;
        space.by_code.get(space.by_name.get(name)?)
    }

    /// Definitions of a space, in no order.
    pub fn in_space(&self, space: &str) -> impl Iterator<Item = &Definition> {
        self.spaces
            .get(space)
            .into_iter()
            .flat_map(|space| space.by_code.values())
    }

    /// Names of the spaces that [`Self::is_space`] knows, in no order.
    pub fn spaces(&self) -> impl Iterator<Item = &str> {
        self.spaces.keys().map(String::as_str)
    }

    /// Whether a space has a definition, or is a standard one.
    #[must_use]
    pub fn is_space(&self, space: &str) -> bool {
        self.spaces.contains_key(space)
    }

    /// The options whose sub-options are those of `space`, each with its own space, in ascending space and code.
    #[must_use]
    pub fn carriers(&self, space: &str) -> Vec<(&str, &Definition)> {
        let mut carriers: Vec<_> = self
            .spaces
            .iter()
            .flat_map(|(name, own)| {
                own.by_code
                    .values()
                    .map(move |definition| (name.as_str(), definition))
            })
            .filter(|(_, definition)| definition.encapsulates == space)
            .collect();
        carriers.sort_by_key(|(name, definition)| (*name, definition.code));
        carriers
    }

    /// Adds a user's definition. It takes the place of a built-in one that older versions of Kea lack, because their
    /// users wrote it themselves.
    ///
    /// # Errors
    ///
    /// Where code or name are taken by a definition of every version of Kea, or of the user.
    pub fn define(&mut self, space: &str, definition: Definition) -> Result<(), DefineError> {
        let fixed = |found: &&Definition| matches!(found.origin, Origin::Kea | Origin::User);
        if let Some(found) = self.by_code(space, definition.code).filter(fixed) {
            return Err(DefineError::CodeTaken {
                code: definition.code,
                space: space.to_owned(),
                by: found.name.clone(),
            });
        }
        if let Some(found) = self.by_name(space, &definition.name).filter(fixed) {
            return Err(DefineError::NameTaken {
                name: definition.name,
                space: space.to_owned(),
                by: found.code,
            });
        }
        self.spaces
            .entry(space.to_owned())
            .or_default()
            .insert(definition);
        Ok(())
    }
}

/// Appends one sub-option to the payload of the option that carries it. `None` where code or payload do not fit.
#[must_use]
pub fn append_sub_option(
    universe: Universe,
    code: u16,
    payload: &[u8],
    carrier: &mut Vec<u8>,
) -> Option<()> {
    match universe {
        Universe::V4 => {
            carrier.extend([u8::try_from(code).ok()?, u8::try_from(payload.len()).ok()?]);
        }
        Universe::V6 => {
            let len = u16::try_from(payload.len()).ok()?;
            carrier.extend(code.to_be_bytes());
            carrier.extend(len.to_be_bytes());
        }
    }
    carrier.extend(payload);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::super::defs::OptionType;
    use super::*;

    fn own(code: u16, name: &str) -> Definition {
        Definition {
            code,
            name: name.to_owned(),
            kind: OptionType::String,
            array: false,
            record: Vec::new(),
            encapsulates: String::new(),
            server_managed: false,
            unrequested: false,
            origin: Origin::User,
        }
    }

    #[test]
    fn every_row_is_found_by_code_and_by_name() {
        for universe in [Universe::V4, Universe::V6] {
            let definitions = Definitions::standard(universe);
            for (space, rows) in universe.standard_spaces() {
                for row in *rows {
                    let definition = row.definition();
                    assert_eq!(
                        definitions.by_code(space, definition.code),
                        Some(&definition)
                    );
                    assert_eq!(
                        definitions.by_name(space, &definition.name),
                        Some(&definition)
                    );
                    assert!(is_valid_name(&definition.name), "{}", definition.name);
                    assert_eq!(
                        definition.kind == OptionType::Record,
                        !definition.record.is_empty()
                    );
                }
            }
        }
    }

    #[test]
    fn every_encapsulated_space_exists() {
        for universe in [Universe::V4, Universe::V6] {
            let definitions = Definitions::standard(universe);
            for (space, _) in universe.standard_spaces() {
                for definition in definitions.in_space(space) {
                    let inside = &definition.encapsulates;
                    assert!(
                        inside.is_empty() || definitions.is_space(inside),
                        "{inside}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_every_kea_defines_may_not_be_defined_again() {
        let mut definitions = Definitions::standard(Universe::V4).clone();
        let taken = definitions.define("dhcp4", own(3, "gateways")).unwrap_err();
        assert_eq!(
            taken.to_string(),
            "option code 3 of space dhcp4 is already defined as routers"
        );
        let taken = definitions
            .define("dhcp4", own(230, "routers"))
            .unwrap_err();
        assert_eq!(
            taken.to_string(),
            "option name routers of space dhcp4 is already defined, with code 3"
        );
    }

    #[test]
    fn what_only_newer_versions_define_gives_way_to_the_user() {
        let mut definitions = Definitions::standard(Universe::V4).clone();
        definitions.define("dhcp4", own(121, "rfc3442")).unwrap();
        assert_eq!(definitions.by_code("dhcp4", 121).unwrap().name, "rfc3442");
        assert!(
            definitions
                .by_name("dhcp4", "classless-static-route")
                .is_none()
        );
        assert!(definitions.define("dhcp4", own(121, "again")).is_err());
    }

    #[test]
    fn spaces_of_vendors_carry_their_number() {
        assert_eq!(vendor_enterprise("vendor-4491"), Some(4491));
        for space in [
            "vendor-",
            "vendor-encapsulated-options-space",
            "vendor-+1",
            "vendor-4294967296",
            "dhcp4",
        ] {
            assert_eq!(vendor_enterprise(space), None, "{space}");
        }
    }

    #[test]
    fn a_sub_option_that_does_not_fit_is_not_appended() {
        let mut carrier = Vec::new();
        assert_eq!(
            append_sub_option(Universe::V4, 1, &[0; 256], &mut carrier),
            None
        );
        let mut carrier = Vec::new();
        assert_eq!(
            append_sub_option(Universe::V6, 258, &[7], &mut carrier),
            Some(())
        );
        assert_eq!(carrier, [1, 2, 0, 1, 7]);
    }
}
