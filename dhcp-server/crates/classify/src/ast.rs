//! Expressions, understood. Chains of one operator are one node, so that only nesting makes a tree deep.

use outrigger_wire::options::defs::OptionType;
use regex::bytes::Regex;
use std::sync::Arc;

/// A condition.
#[derive(Debug)]
pub(crate) enum Bool {
    Not(Box<Self>),
    /// `and`, `sand`.
    All(Operands),
    /// `or`, `sor`.
    Any(Operands),
    Equal(Box<(Text, Text)>),
    Exists(Chain),
    Member(Arc<str>),
    Matches(Box<(Regex, Text)>),
}

/// What one kind of operator stands between; two or more.
#[derive(Debug)]
pub(crate) struct Operands {
    /// Every operand is looked at, even where the result is known: an error in any of them is an error.
    pub(crate) strict: bool,
    pub(crate) conditions: Vec<Bool>,
}

/// A string of bytes.
#[derive(Debug)]
pub(crate) enum Text {
    Literal(Box<[u8]>),
    Payload(Chain),
    Field(Field),
    RelayAddress {
        nest: i8,
        which: RelayAddress,
    },
    VendorEnterprise,
    VendorClassEnterprise,
    VendorClassData {
        enterprise: Enterprise,
        index: u8,
    },
    Concat(Vec<Self>),
    Substring(Box<Substring>),
    Split {
        operands: Box<(Self, Self)>,
        field: i64,
    },
    IfElse(Box<IfElse>),
    HexString(Box<(Self, Self)>),
    Lower(Box<Self>),
    Upper(Box<Self>),
    WrittenAddress(Box<Self>),
    WrittenInteger {
        kind: Integer,
        of: Box<Self>,
    },
}

/// `substring(of, start, length)`; without a length to the end.
#[derive(Debug)]
pub(crate) struct Substring {
    pub(crate) of: Text,
    pub(crate) start: i64,
    pub(crate) length: Option<i64>,
}

#[derive(Debug)]
pub(crate) struct IfElse {
    /// Both branches are evaluated.
    pub(crate) strict: bool,
    pub(crate) condition: Bool,
    pub(crate) yes: Text,
    pub(crate) no: Text,
}

/// What stands in the header or is known of the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Interface,
    Source,
    Destination,
    Length,
    MessageType,
    TransactionId,
    Mac,
    HardwareLength,
    HardwareType,
    Ciaddr,
    Giaddr,
    Yiaddr,
    Siaddr,
}

/// Addresses of a relay layer of DHCPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RelayAddress {
    Peer,
    Link,
}

/// Number written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Integer {
    /// As written: `uint16totext`.
    pub(crate) function: &'static str,
    /// 1, 2 or 4.
    pub(crate) len: usize,
    pub(crate) signed: bool,
}

/// IANA enterprise number; `None` for any.
pub(crate) type Enterprise = Option<u32>;

/// The way to a payload.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) root: Root,
    /// Options inside, from the outside; `None` where one on the way is known to contain no options.
    pub(crate) inside: Option<Vec<Sub>>,
    /// Kea: zero bytes at the end of an option of type string do not count.
    pub(crate) trim: bool,
}

/// Where the way begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Root {
    /// Option of the client's message.
    Option(u16),
    /// Sub-option of DHCPv4 option 82.
    Relay4(u16),
    /// Option of a relay layer; 0 is nearest the server, -1 nearest the client.
    Relay6 { nest: i8, code: u16 },
    /// All vendor options: DHCPv4 option 125, DHCPv6 option 17.
    Vendor(Enterprise),
    /// The vendor class: DHCPv4 option 124, DHCPv6 option 16.
    VendorClass(Enterprise),
}

/// One step into an option.
#[derive(Debug)]
pub(crate) struct Sub {
    /// What stands before the options.
    pub(crate) fields: Vec<OptionType>,
    pub(crate) form: Form,
    pub(crate) code: u16,
}

/// How options stand in an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    V4,
    /// With padding and end, as in option 43.
    V4WithEnd,
    /// In the first block of option 125.
    V4Vendor,
    V6,
}
