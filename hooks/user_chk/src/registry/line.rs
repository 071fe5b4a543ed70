//! One line of a registry file in Kea's form: a JSON object of strings.

use crate::identifier::{Identifier, IdentifierError, IdentifierType};
use crate::overrides::{OverridesError, check};
use crate::user::{BlankName, Properties, User};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;
use std::fmt;

/// Longest line, in bytes without white space at its end. Kea cuts longer ones, and with them the file.
pub(crate) const MAX_LINE: usize = 4095;

/// What is wrong with a line.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// Starts with the mark that some editors put before text.
    #[error("starts with a byte-order mark; save the file without it")]
    ByteOrderMark,
    /// Not text.
    #[error("is not UTF-8")]
    NotUtf8,
    /// Longer than 4095 bytes.
    #[error("has {0} bytes; {MAX_LINE} are possible")]
    TooLong(usize),
    /// No object of strings.
    #[error("is not a JSON object of strings: {0}")]
    Json(serde_json::Error),
    /// A required key is missing.
    #[error("has no \"{0}\"")]
    Missing(&'static str),
    /// Type or identifier.
    #[error(transparent)]
    Identifier(#[from] IdentifierError),
    /// Name of a property.
    #[error(transparent)]
    Property(#[from] BlankName),
    /// Value of a property.
    #[error(transparent)]
    Overrides(#[from] OverridesError),
    /// Somebody is there twice.
    #[error("{kind} {identifier} is there already, in line {first}")]
    Duplicate {
        /// Of which type.
        kind: IdentifierType,
        /// Who.
        identifier: Identifier,
        /// Where the first one is.
        first: usize,
    },
}

/// The user of a line; `None` where it is blank or a comment (`#` or `//`).
///
/// # Errors
/// The line is none of these.
pub fn parse(line: &[u8]) -> Result<Option<User>, LineError> {
    if line.starts_with(b"\xef\xbb\xbf") {
        return Err(LineError::ByteOrderMark);
    }
    let line = line.trim_ascii();
    if line.is_empty() || line.starts_with(b"#") || line.starts_with(b"//") {
        return Ok(None);
    }
    if line.len() > MAX_LINE {
        return Err(LineError::TooLong(line.len()));
    }
    let text = std::str::from_utf8(line).map_err(|_| LineError::NotUtf8)?;
    let entry: Entry = serde_json::from_str(text).map_err(LineError::Json)?;
    entry.into_user().map(Some)
}

/// An object of strings; of a repeated key the last one counts.
#[derive(Default)]
struct Entry {
    kind: Option<String>,
    id: Option<String>,
    properties: Properties,
    blank: bool,
}

impl Entry {
    fn into_user(self) -> Result<User, LineError> {
        let kind: IdentifierType = self.kind.ok_or(LineError::Missing("type"))?.parse()?;
        let id = self.id.ok_or(LineError::Missing("id"))?;
        let identifier = Identifier::parse(kind, &id)?;
        if self.blank {
            return Err(BlankName.into());
        }
        check(kind, &self.properties)?;
        Ok(User {
            identifier,
            properties: self.properties,
        })
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntryVisitor)
    }
}

struct EntryVisitor;

impl<'de> Visitor<'de> for EntryVisitor {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with \"type\" and \"id\"")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entry, A::Error> {
        let mut entry = Entry::default();
        while let Some((key, value)) = map.next_entry::<String, Value>()? {
            let Value::String(value) = value else {
                return Err(A::Error::custom(format_args!(
                    "the value of \"{key}\" is no string"
                )));
            };
            match key.as_str() {
                "type" => entry.kind = Some(value),
                "id" => entry.id = Some(value),
                _ => entry.blank |= entry.properties.set(key, value).is_err(),
            }
        }
        Ok(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(line: &str) -> User {
        let parsed = parse(line.as_bytes());
        parsed.expect("a good line").expect("a user")
    }

    fn error(line: impl AsRef<[u8]>) -> String {
        let parsed = parse(line.as_ref());
        parsed.expect_err("a bad line").to_string()
    }

    #[test]
    fn a_user_with_properties_is_read() {
        let user = user(
            r#"{ "type" : "DUID", "id" : "00:01:00:01:1E:F0", "bootfile" : "/b", "note" : "n" }"#,
        );
        assert_eq!(user.identifier.kind(), IdentifierType::Duid);
        assert_eq!(user.identifier.to_string(), "000100011ef0");
        assert_eq!(user.properties.get("bootfile"), "/b");
        assert_eq!(user.properties.get("note"), "n");
    }

    #[test]
    fn blank_lines_and_comments_are_nobody() {
        for line in ["", "   ", "\t\r", "# a comment", "  // another"] {
            assert!(parse(line.as_bytes()).unwrap().is_none(), "{line:?}");
        }
    }

    #[test]
    fn white_space_around_the_object_is_allowed() {
        let line = " \t{\"type\":\"HW_ADDR\",\"id\":\"010203\"} \r";
        assert_eq!(user(line).identifier.bytes(), [1, 2, 3]);
    }

    #[test]
    fn of_a_repeated_key_the_last_one_counts() {
        let user = user(r#"{"type":"x","type":"HW_ADDR","id":"","id":"01","a":"1","a":"2"}"#);
        assert_eq!(user.identifier.to_string(), "01");
        assert_eq!(user.properties.get("a"), "2");
    }

    #[test]
    fn an_empty_property_is_the_same_as_none() {
        let user = user(r#"{"type":"HW_ADDR","id":"01","bootfile":""}"#);
        assert_eq!(user.properties.get("bootfile"), "");
    }

    #[test]
    fn each_bad_entry_is_refused_with_its_reason() {
        for (line, part) in [
            (r#"{"id":"01"}"#, "has no \"type\""),
            (r#"{"Type":"HW_ADDR","id":"01"}"#, "has no \"type\""),
            (r#"{"type":"BOGUS","id":"01"}"#, "type \"BOGUS\" is neither"),
            (
                r#"{"type":"duid","id":"010203"}"#,
                "type \"duid\" is neither",
            ),
            (r#"{"type":1,"id":"01"}"#, "value of \"type\" is no string"),
            (r#"{"type":"HW_ADDR"}"#, "has no \"id\""),
            (r#"{"type":"HW_ADDR","id":"010"}"#, "odd number of digits"),
            (r#"{"type":"HW_ADDR","id":"01zz"}"#, "\"z\", which is no"),
            (r#"{"type":"HW_ADDR","id":""}"#, "id has 0 bytes"),
            (r#"{"type":"HW_ADDR","id":0102}"#, "JSON object of strings"),
            (
                r#"{"type":"HW_ADDR","id":"01","a":1}"#,
                "\"a\" is no string",
            ),
            (
                r#"{"type":"HW_ADDR","id":"01","a":null}"#,
                "\"a\" is no string",
            ),
            (
                r#"{"type":"HW_ADDR","id":"01","a":[["b"]]}"#,
                "\"a\" is no string",
            ),
            (r#"{"type":"HW_ADDR","id":"01","":"b"}"#, "empty name"),
            (r#"{"type":"HW_ADDR","id":"01"} x"#, "trailing characters"),
            (r#"{"type":"HW_ADDR","id":"01"#, "JSON object of strings"),
            (
                r#"["type","HW_ADDR"]"#,
                "an object with \"type\" and \"id\"",
            ),
            ("true", "an object with \"type\" and \"id\""),
            ("\u{feff}{}", "byte-order mark"),
        ] {
            let text = error(line);
            assert!(text.contains(part), "{line}: {text}");
        }
        assert!(error(b"{\"type\":\"\xff\"}").contains("not UTF-8"));
        let deep = format!("{{\"a\":{}", "[".repeat(2000));
        assert!(error(deep).contains("JSON object of strings"));
    }

    #[test]
    fn a_line_has_its_limit_without_the_white_space_after_it() {
        let line_of = |length: usize| {
            let rest = r#"{"type":"HW_ADDR","id":"01","a":""}"#.len();
            let value = "x".repeat(length - rest);
            format!(r#"{{"type":"HW_ADDR","id":"01","a":"{value}"}}"#)
        };
        assert_eq!(line_of(MAX_LINE).len(), 4095);
        user(&line_of(MAX_LINE));
        assert!(error(line_of(MAX_LINE + 1)).contains("has 4096 bytes"));
        user(&(line_of(100) + &" ".repeat(5000)));
    }
}
