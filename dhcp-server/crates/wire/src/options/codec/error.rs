//! What can be wrong with a configured value.

use crate::options::defs::OptionType;
use thiserror::Error;

/// A configured value does not have the form that its definition asks for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EncodeError {
    /// One of the values between commas.
    #[error("field {field} ({kind}): {problem}")]
    Field {
        /// From 1.
        field: usize,
        /// What the field should be.
        kind: OptionType,
        /// What is wrong with it.
        problem: Problem,
    },
    /// A record has more fields than values were given.
    #[error("{given} of {wanted} fields given")]
    FieldsMissing {
        /// Values in the data.
        given: usize,
        /// Fields of the record.
        wanted: usize,
    },
    /// There is a value although the type has none.
    #[error("this option takes no data")]
    NotEmpty,
    /// There is no value although the type needs one.
    #[error("no data given")]
    NoData,
    /// Not hex digits in the form that raw bytes are written in.
    #[error("{0}")]
    Raw(Problem),
}

/// What is wrong with one value. Every variant but the fixed texts carries the value as written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    /// Not a boolean.
    #[error("\"{0}\" is not true, false, 1 or 0")]
    Boolean(String),
    /// Not a number.
    #[error("\"{0}\" is not an integer")]
    Integer(String),
    /// A number outside the range of the type.
    #[error("{value} is not between {min} and {max}")]
    Range {
        /// The number.
        value: i64,
        /// Smallest of the type.
        min: i64,
        /// Largest of the type.
        max: i64,
    },
    /// Not an address.
    #[error("\"{0}\" is not an IPv4 address")]
    Ipv4(String),
    /// Not an address.
    #[error("\"{0}\" is not an IPv6 address")]
    Ipv6(String),
    /// Not a prefix.
    #[error("\"{0}\" is not an IPv6 prefix such as 2001:db8::/32")]
    Prefix(String),
    /// Not a port set.
    #[error("\"{0}\" is not a port set such as 3/4, with at most 16 bits")]
    Psid(String),
    /// Not a domain name.
    #[error("\"{0}\" is not a domain name: 1 to 63 bytes per label, 255 in all")]
    Fqdn(String),
    /// Too long for its length field.
    #[error("{len} bytes are more than the {max} that fit")]
    TooLong {
        /// Bytes given.
        len: usize,
        /// Bytes that fit.
        max: usize,
    },
    /// Not hex digits.
    #[error("\"{0}\" is not hexadecimal")]
    Hex(String),
    /// The chunks of a vendor class do not add up.
    #[error("not a sequence of chunks, each behind its own length")]
    Chunks,
    /// Not a route.
    #[error("\"{0}\" is not a route such as 192.0.2.0/24 - 198.51.100.1")]
    Route(String),
    /// Not a service parameter of an encrypted resolver.
    #[error("\"{0}\" is not a service parameter: alpn=, port= or dohpath=")]
    ServiceParameter(String),
    /// Types without a text form.
    #[error("only raw bytes can be given (csv-format false)")]
    NoTextForm,
}
