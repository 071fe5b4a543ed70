//! A command as it was sent: nothing of it is trusted.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::net::IpAddr;
use std::str::FromStr;

/// A command with its arguments.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) command: String,
    text: &'a str,
    arguments: Option<&'a RawValue>,
}

/// Further members are those of HTTP and of the control agent: `service`, `remote-address`.
#[derive(Deserialize)]
struct Envelope<'a> {
    command: String,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
}

impl<'a> Request<'a> {
    /// Reads one JSON document.
    ///
    /// # Errors
    /// The text says what is wrong and where.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, String> {
        let text = str::from_utf8(bytes).map_err(|error| format!("not UTF-8: {error}"))?;
        let Envelope { command, arguments } =
            serde_json::from_str(text).map_err(|error| format!("no command: {error}"))?;
        Ok(Self {
            command,
            text,
            arguments,
        })
    }

    /// The arguments; none are an empty map.
    ///
    /// # Errors
    /// They are no map, or nested too deeply.
    pub(super) fn arguments(&self) -> Result<Arguments, String> {
        let Some(raw) = self.arguments else {
            return Ok(Arguments(Map::new()));
        };
        match serde_json::from_str(raw.get()) {
            Ok(Value::Object(map)) => Ok(Arguments(map)),
            Ok(_) => Err("'arguments' must be a map".to_owned()),
            Err(error) => Err(format!("cannot read 'arguments': {error}")),
        }
    }

    /// The whole document.
    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// The text of the arguments; empty where there are none.
    pub(super) fn arguments_text(&self) -> &'a str {
        self.arguments.map_or("", RawValue::get)
    }

    /// The text of the arguments at its place in the request, so that positions in it are positions in the request.
    pub(super) fn arguments_in_place(&self) -> Option<String> {
        let arguments = self.arguments?.get();
        let start = arguments.as_ptr().addr() - self.text.as_ptr().addr();
        let before = self.text.get(..start)?;
        let blank = before
            .chars()
            .map(|char| if char == '\n' { '\n' } else { ' ' });
        Some(blank.chain(arguments.chars()).collect())
    }
}

/// Finds the end of a document that arrives in parts, looking at each byte once.
#[derive(Debug, Default)]
pub(super) struct Extent {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Extent {
    /// How many bytes of this part belong to the document; `None` where it goes on.
    pub(super) fn end_in(&mut self, part: &[u8]) -> Option<usize> {
        part.iter()
            .position(|byte| self.ends_with(*byte))
            .map(|last| last + 1)
    }

    fn ends_with(&mut self, byte: u8) -> bool {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return false;
        }
        match byte {
            b'"' if self.depth > 0 => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            // No map: reading it will say so.
            _ => return self.depth == 0 && !byte.is_ascii_whitespace(),
        }
        self.depth == 0
    }
}

/// The arguments of a command.
#[derive(Debug)]
pub struct Arguments(Map<String, Value>);

impl Arguments {
    /// Whether there is an argument of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The argument that must be the only one.
    ///
    /// # Errors
    /// There is another one, or none.
    pub(super) fn only(&self, name: &str) -> Result<(), String> {
        self.none_but(&[name])?;
        if self.has(name) {
            Ok(())
        } else {
            Err(missing(name))
        }
    }

    /// Makes sure that there are no other arguments than these.
    ///
    /// # Errors
    /// There is another one.
    pub(super) fn none_but(&self, names: &[&str]) -> Result<(), String> {
        match self.0.keys().find(|key| !names.contains(&key.as_str())) {
            Some(other) => Err(format!("Unsupported '{other}' parameter.")),
            None => Ok(()),
        }
    }

    /// A text, where it is given.
    ///
    /// # Errors
    /// It is no text.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, String> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(format!("'{name}' must be a string, not {other}")),
        }
    }

    /// A text that must be given.
    ///
    /// # Errors
    /// It is missing or no text.
    pub(super) fn required_text(&self, name: &str) -> Result<&str, String> {
        self.text(name)?.ok_or_else(|| missing(name))
    }

    /// A number, where it is given.
    ///
    /// # Errors
    /// It is no number, or out of range.
    pub(super) fn number<T: TryFrom<u64>>(&self, name: &str) -> Result<Option<T>, String> {
        let Some(value) = self.0.get(name) else {
            return Ok(None);
        };
        let number = value.as_u64().and_then(|number| T::try_from(number).ok());
        match number {
            Some(number) => Ok(Some(number)),
            None => Err(format!("'{name}' must be a number in range, not {value}")),
        }
    }

    /// A number that must be given.
    ///
    /// # Errors
    /// It is missing, no number, or out of range.
    pub(super) fn required_number<T: TryFrom<u64>>(&self, name: &str) -> Result<T, String> {
        self.number(name)?.ok_or_else(|| missing(name))
    }

    /// A list of numbers, where it is given.
    ///
    /// # Errors
    /// It is no such list.
    pub(super) fn numbers(&self, name: &str) -> Result<Option<Vec<u32>>, String> {
        let Some(value) = self.0.get(name) else {
            return Ok(None);
        };
        let number = |value: &Value| u32::try_from(value.as_u64()?).ok();
        let numbers = value
            .as_array()
            .and_then(|list| list.iter().map(number).collect());
        match numbers {
            Some(numbers) => Ok(Some(numbers)),
            None => Err(format!("'{name}' must be a list of numbers")),
        }
    }

    /// An address of one family, where it is given.
    ///
    /// # Errors
    /// It is no such address.
    pub(super) fn address<A: FromStr + Into<IpAddr>>(
        &self,
        name: &str,
    ) -> Result<Option<A>, String> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        match text.parse() {
            Ok(address) => Ok(Some(address)),
            Err(_) => Err(format!("'{name}' is no address of this server: {text}")),
        }
    }

    /// Bytes in hexadecimal, with or without colons, that must be given.
    ///
    /// # Errors
    /// They are missing or not hexadecimal.
    pub(super) fn required_hex(&self, name: &str) -> Result<Vec<u8>, String> {
        let text = self.required_text(name)?;
        parse_hex(text)
            .ok_or_else(|| format!("'{name}' must be hexadecimal such as 01:ab:cd, not {text}"))
    }
}

fn missing(name: &str) -> String {
    format!("missing parameter '{name}'")
}

/// Pairs of digits, joined by colons or by nothing; between colons one digit will do.
fn parse_hex(text: &str) -> Option<Vec<u8>> {
    let byte = |digits: &str| {
        let plain = (1..=2).contains(&digits.len())
            && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        plain.then(|| u8::from_str_radix(digits, 16).ok())?
    };
    if text.contains(':') {
        return text.split(':').map(byte).collect();
    }
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| (pair.len() == 2).then(|| byte(str::from_utf8(pair).ok()?))?)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_arrives_is_read_or_refused(
            pieces in prop::collection::vec(
                prop::sample::select(vec![
                    "{", "}", "[", "]", "\"", "\\", ":", ",", "1", " ", "é", "\u{0}",
                    "\"command\":\"a\"", "\"arguments\":",
                ]),
                0..24,
            ),
            cut in 0_usize..24,
        ) {
            let text = pieces.concat();
            let bytes = text.as_bytes();
            let bytes = &bytes[..bytes.len().min(cut * 4)];
            if let Some(end) = Extent::default().end_in(bytes) {
                prop_assert!((1..=bytes.len()).contains(&end));
            }
            if let Ok(request) = Request::parse(bytes) {
                let placed = request.arguments_in_place();
                prop_assert_eq!(placed.is_some(), request.arguments.is_some());
                let whole = Extent::default().end_in(bytes);
                prop_assert_eq!(whole, Some(bytes.trim_ascii_end().len()));
            }
        }
    }

    #[test]
    fn identifiers_are_read_with_and_without_colons() {
        assert_eq!(parse_hex("01:aB:c"), Some(vec![1, 0xab, 0xc]));
        assert_eq!(parse_hex("01ab"), Some(vec![1, 0xab]));
        for wrong in ["01:", "1ab", "+1", "0x12", "01:abc", "é1", "01 02"] {
            assert_eq!(parse_hex(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_end_of_a_document_is_found_wherever_it_is_cut() {
        let document = br#" {"a":"}\"]","b":[{"c":1}]}"#;
        let sent = [document.as_slice(), b" {}"].concat();
        for cut in 0..sent.len() {
            let mut extent = Extent::default();
            let (first, second) = sent.split_at(cut);
            let end = extent
                .end_in(first)
                .or_else(|| extent.end_in(second).map(|end| cut + end));
            assert_eq!(end, Some(document.len()), "cut at {cut}");
        }
        assert_eq!(Extent::default().end_in(b"  x"), Some(3));
        assert_eq!(Extent::default().end_in(b"}"), Some(1));
    }

    #[test]
    fn arguments_keep_their_position_in_the_request() {
        let text = "{\n \"x\": \"é\", \"command\": \"c\", \"arguments\":\n { \"a\": 1 } }";
        let request = Request::parse(text.as_bytes()).unwrap();
        let placed = request.arguments_in_place().unwrap();
        assert_eq!(placed.lines().nth(2), Some(" { \"a\": 1 }"));
        assert_eq!(placed.trim(), "{ \"a\": 1 }");
    }

    #[test]
    fn what_is_no_command_is_refused_with_a_reason() {
        for wrong in [
            "[]",
            "{}",
            "{\"command\": 1}",
            "{\"command\": \"a\"",
            "\u{0}",
        ] {
            assert!(Request::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
        assert!(Request::parse(b"{\"command\": \"\xff\"}").is_err());
        let deep = format!(
            "{{\"command\": \"a\", \"arguments\": {}1{}}}",
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        let refused = Request::parse(deep.as_bytes()).map(|request| request.arguments().is_err());
        assert!(refused.unwrap_or(true));
    }
}
