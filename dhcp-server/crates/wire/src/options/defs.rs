//! Standard option definitions: what each code is called and how its value is written.
//!
//! The tables cover every registered code of both families. A code that Kea does not define has a definition too, so
//! that it can be configured by name; a user's own definition then takes its place.

mod dhcp4;
mod dhcp6;
mod sub_options;

pub(in crate::options) use dhcp4::DHCP4;
pub(in crate::options) use dhcp6::DHCP6;
pub(in crate::options) use sub_options::{
    AGENT_OPTIONS, CABLELABS_CLIENT_CONF, DHCP4O6, DOCSIS3_V4, DOCSIS3_V6, S46_CONT_LW,
    S46_CONT_MAPE, S46_CONT_MAPT, S46_RULE, S46_V4V6BIND, V6_NTP_SERVER,
};

/// Type of an option's value, or of one field of a record. The names are Kea's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OptionType {
    /// No value of its own; often a container of sub-options.
    Empty,
    /// Bytes.
    Binary,
    /// One byte, 0 or 1.
    Boolean,
    /// One byte, two's complement.
    Int8,
    /// Two bytes, two's complement.
    Int16,
    /// Four bytes, two's complement.
    Int32,
    /// One byte.
    Uint8,
    /// Two bytes.
    Uint16,
    /// Four bytes.
    Uint32,
    /// Four bytes.
    Ipv4Address,
    /// Sixteen bytes.
    Ipv6Address,
    /// A length byte and as many bytes of the prefix as the length needs.
    Ipv6Prefix,
    /// RFC 7597 §5.1: a length byte and the port set identifier, left-aligned in two bytes.
    Psid,
    /// Text without terminator.
    String,
    /// Length and text; the length takes one byte in DHCPv4, two in DHCPv6.
    Tuple,
    /// Domain name as labels, never compressed.
    Fqdn,
    /// A form of its own, known by the code.
    Internal,
    /// Fields of the types in [`Definition::record`], one behind the other.
    Record,
}

/// Types and their names, in Kea's order.
const NAMES: [(OptionType, &str); 18] = [
    (OptionType::Empty, "empty"),
    (OptionType::Binary, "binary"),
    (OptionType::Boolean, "boolean"),
    (OptionType::Int8, "int8"),
    (OptionType::Int16, "int16"),
    (OptionType::Int32, "int32"),
    (OptionType::Uint8, "uint8"),
    (OptionType::Uint16, "uint16"),
    (OptionType::Uint32, "uint32"),
    (OptionType::Ipv4Address, "ipv4-address"),
    (OptionType::Ipv6Address, "ipv6-address"),
    (OptionType::Ipv6Prefix, "ipv6-prefix"),
    (OptionType::Psid, "psid"),
    (OptionType::String, "string"),
    (OptionType::Tuple, "tuple"),
    (OptionType::Fqdn, "fqdn"),
    (OptionType::Internal, "internal"),
    (OptionType::Record, "record"),
];

impl OptionType {
    /// The type of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        NAMES.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// As in `option-def`.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES
            .iter()
            .find(|row| row.0 == self)
            .map_or("", |row| row.1)
    }

    /// Length of every value of this type, where all have one.
    #[must_use]
    pub fn fixed_len(self) -> Option<usize> {
        match self {
            Self::Empty => Some(0),
            Self::Boolean | Self::Int8 | Self::Uint8 => Some(1),
            Self::Int16 | Self::Uint16 => Some(2),
            Self::Psid => Some(3),
            Self::Int32 | Self::Uint32 | Self::Ipv4Address => Some(4),
            Self::Ipv6Address => Some(16),
            Self::Binary
            | Self::Ipv6Prefix
            | Self::String
            | Self::Tuple
            | Self::Fqdn
            | Self::Internal
            | Self::Record => None,
        }
    }
}

impl std::fmt::Display for OptionType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Since when a definition is built in, which decides whether a user may write another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// In every supported version of Kea: may not be defined again.
    Kea,
    /// In newer versions only (or, like option 43, a last resort): the user's definition silently takes its place.
    NewerKea,
    /// In none: the user's definition silently takes its place.
    Ours,
    /// Written in `option-def`.
    User,
}

/// What an option code of one space means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Option code.
    pub code: u16,
    /// Name, unique in its space.
    pub name: String,
    /// Type of the value.
    pub kind: OptionType,
    /// The value is a list; of a record, the last field repeats.
    pub array: bool,
    /// Types of the fields where the type is [`OptionType::Record`], else empty.
    pub record: Vec<OptionType>,
    /// Space of its sub-options; empty: none.
    pub encapsulates: String,
    /// The server makes the value itself, whatever is configured.
    pub server_managed: bool,
    /// Sent where configured although the client did not ask.
    pub unrequested: bool,
    /// Since when it is built in.
    pub origin: Origin,
}

/// One row of the standard tables: a [`Definition`] that costs nothing until used.
#[derive(Debug, Clone, Copy)]
pub(in crate::options) struct Row {
    code: u16,
    name: &'static str,
    kind: OptionType,
    array: bool,
    record: &'static [OptionType],
    encapsulates: &'static str,
    server_managed: bool,
    unrequested: bool,
    origin: Origin,
}

const fn row(code: u16, name: &'static str, kind: OptionType) -> Row {
    Row {
        code,
        name,
        kind,
        array: false,
        record: &[],
        encapsulates: "",
        server_managed: false,
        unrequested: false,
        origin: Origin::Kea,
    }
}

const fn record(code: u16, name: &'static str, fields: &'static [OptionType]) -> Row {
    Row {
        record: fields,
        ..row(code, name, OptionType::Record)
    }
}

impl Row {
    const fn array(self) -> Self {
        Self {
            array: true,
            ..self
        }
    }

    const fn encapsulates(self, space: &'static str) -> Self {
        Self {
            encapsulates: space,
            ..self
        }
    }

    const fn server_managed(self) -> Self {
        Self {
            server_managed: true,
            ..self
        }
    }

    const fn unrequested(self) -> Self {
        Self {
            unrequested: true,
            ..self
        }
    }

    const fn newer(self) -> Self {
        Self {
            origin: Origin::NewerKea,
            ..self
        }
    }

    const fn unknown_to_kea(self) -> Self {
        Self {
            origin: Origin::Ours,
            ..self
        }
    }

    pub(in crate::options) fn definition(&self) -> Definition {
        Definition {
            code: self.code,
            name: self.name.to_owned(),
            kind: self.kind,
            array: self.array,
            record: self.record.to_vec(),
            encapsulates: self.encapsulates.to_owned(),
            server_managed: self.server_managed,
            unrequested: self.unrequested,
            origin: self.origin,
        }
    }
}
