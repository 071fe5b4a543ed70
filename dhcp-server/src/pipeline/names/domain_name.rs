//! Domain names of clients: from bytes or text to labels (RFC 1035 §3.1), and back.

use smallvec::SmallVec;
use std::fmt;
use thiserror::Error;

/// RFC 1035 §2.3.4, bytes.
const MAX_LABEL: usize = 63;
/// RFC 1035 §2.3.4, bytes with all lengths and the root.
const MAX_NAME: usize = 255;

/// Why something is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NameError {
    /// The option ends inside its fixed fields.
    #[error("the option is too short")]
    Short,
    /// Flags N and S exclude each other (RFC 4702 §2.1, RFC 4704 §4.1).
    #[error("flags N and S are both set")]
    Flags,
    /// A label runs past the end.
    #[error("a label runs past the end of the name")]
    Truncated,
    /// A label of more than 63 bytes; in a name as bytes also a compression pointer (RFC 4702 §2.3.1: not allowed).
    #[error("a label is longer than 63 bytes")]
    Label,
    /// More than 255 bytes.
    #[error("the name is longer than 255 bytes")]
    TooLong,
    /// Two dots without anything between them, or nothing at all.
    #[error("the name has an empty label")]
    Empty,
    /// Something follows the root.
    #[error("the name goes on behind its root")]
    BehindRoot,
    /// A backslash without a character or three decimal digits up to 255 behind it.
    #[error("a backslash stands for nothing")]
    Escape,
    /// Control characters, or no UTF-8.
    #[error("the name is no text")]
    Text,
}

/// A name in lower case, possibly without any label.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DomainName {
    /// Each label behind its length; no root.
    labels: SmallVec<[u8; 64]>,
    /// Whether the name was ended by its root: nothing is to be appended.
    fully_qualified: bool,
}

impl DomainName {
    /// Reads a name as options carry it: labels, and at its end the root where the name is fully qualified.
    ///
    /// # Errors
    /// Where the bytes are no such name.
    pub fn from_wire(bytes: &[u8]) -> Result<Self, NameError> {
        let mut name = Self::default();
        let mut rest = bytes;
        while let Some((len, behind)) = rest.split_first() {
            if *len == 0 {
                name.fully_qualified = true;
                return behind
                    .is_empty()
                    .then_some(name)
                    .ok_or(NameError::BehindRoot);
            }
            let len = usize::from(*len);
            if len > MAX_LABEL {
                return Err(NameError::Label);
            }
            let (label, behind) = behind.split_at_checked(len).ok_or(NameError::Truncated)?;
            name.push(label)?;
            rest = behind;
        }
        Ok(name)
    }

    /// Reads a name as text: labels between dots, a dot at the end where it is fully qualified. `\.` and `\046` are
    /// characters of a label (RFC 1035 §5.1).
    ///
    /// # Errors
    /// Where the text is no such name.
    pub fn from_text(text: &[u8]) -> Result<Self, NameError> {
        let mut name = Self::default();
        if text == b"." {
            name.fully_qualified = true;
            return Ok(name);
        }
        let mut label: SmallVec<[u8; 64]> = SmallVec::new();
        let mut rest = text;
        while let Some((byte, behind)) = rest.split_first() {
            rest = behind;
            match byte {
                b'.' => {
                    name.push(&label)?;
                    label.clear();
                    name.fully_qualified = rest.is_empty();
                }
                b'\\' => label.push(escaped(&mut rest)?),
                other => label.push(*other),
            }
        }
        if !label.is_empty() {
            name.push(&label)?;
        }
        Ok(name)
    }

    /// The name made of these labels, which are taken as they are.
    ///
    /// # Errors
    /// Where a label is empty or too long, or all of them are.
    pub fn from_labels<'a>(
        labels: impl Iterator<Item = &'a [u8]>,
        fully_qualified: bool,
    ) -> Result<Self, NameError> {
        let mut name = Self {
            fully_qualified,
            ..Self::default()
        };
        for label in labels {
            name.push(label)?;
        }
        Ok(name)
    }

    fn push(&mut self, label: &[u8]) -> Result<(), NameError> {
        let len = u8::try_from(label.len())
            .ok()
            .filter(|_| label.len() <= MAX_LABEL);
        let len = len.ok_or(NameError::Label)?;
        if len == 0 {
            return Err(NameError::Empty);
        }
        // The root counts, whether it is there or comes later.
        if self.labels.len() + 1 + label.len() + 1 > MAX_NAME {
            return Err(NameError::TooLong);
        }
        self.labels.push(len);
        self.labels.extend(label.iter().map(u8::to_ascii_lowercase));
        Ok(())
    }

    /// Whether the client names nothing: no label, with or without root.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Whether nothing is to be appended.
    #[must_use]
    pub fn is_fully_qualified(&self) -> bool {
        self.fully_qualified
    }

    /// The labels, without the root.
    pub fn labels(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest: &[u8] = &self.labels;
        std::iter::from_fn(move || {
            let (len, behind) = rest.split_first()?;
            let (label, behind) = behind.split_at_checked(usize::from(*len))?;
            rest = behind;
            Some(label)
        })
    }

    /// Appends the labels and the root.
    pub fn write_with_root(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.labels);
        out.push(0);
    }
}

/// One character behind a backslash.
fn escaped(rest: &mut &[u8]) -> Result<u8, NameError> {
    let (first, behind) = rest.split_first().ok_or(NameError::Escape)?;
    if !first.is_ascii_digit() {
        *rest = behind;
        return Ok(*first);
    }
    let (digits, behind) = rest.split_at_checked(3).ok_or(NameError::Escape)?;
    let text = std::str::from_utf8(digits).map_err(|_| NameError::Escape)?;
    *rest = behind;
    // A sign would pass as a number.
    let digits_only = digits.iter().all(u8::is_ascii_digit);
    let byte = text.parse().ok().filter(|_| digits_only);
    byte.ok_or(NameError::Escape)
}

/// As text, with a final dot where it is fully qualified. What is no plain character stands behind a backslash.
impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, label) in self.labels().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            for byte in label {
                match byte {
                    b'.' | b'\\' | b'"' | b'(' | b')' | b';' | b'@' | b'$' => {
                        write!(f, "\\{}", char::from(*byte))?;
                    }
                    b'!'..=b'~' => write!(f, "{}", char::from(*byte))?,
                    _ => write!(f, "\\{byte:03}")?,
                }
            }
        }
        if self.fully_qualified {
            f.write_str(".")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_as_bytes() {
        let long_label = [&[63][..], &[b'a'; 63], &[0]].concat();
        let label_255 = [&[61][..], &[b'c'; 61]].concat();
        let longest = [long_label.split_last().unwrap().1.repeat(3), label_255].concat();
        let table: [(&[u8], Result<&str, NameError>); 14] = [
            (b"", Ok("")),
            (b"\0", Ok(".")),
            (b"\x02Pc\x02ex\0", Ok("pc.ex.")),
            (b"\x02pc", Ok("pc")),
            (b"\x02pc\x03exa", Ok("pc.exa")),
            (b"\x03a.b\0", Ok("a\\.b.")),
            (b"\x05\x00\xff \\$\0", Ok("\\000\\255\\032\\\\\\$.")),
            (b"\x03pc", Err(NameError::Truncated)),
            (b"\x02pc\xc0\x00", Err(NameError::Label)),
            (b"\x40aaaa", Err(NameError::Label)),
            (b"\x02pc\0\0", Err(NameError::BehindRoot)),
            (b"\0\x02pc", Err(NameError::BehindRoot)),
            (&long_label, Ok("")),
            (&longest, Ok("")),
        ];
        for (bytes, expected) in table {
            let name = DomainName::from_wire(bytes).map(|name| name.to_string());
            match expected {
                Ok("") => assert!(name.is_ok(), "{bytes:?} {name:?}"),
                _ => assert_eq!(name.as_deref().map_err(|error| *error), expected),
            }
        }
        assert_eq!(longest.len() + 1, MAX_NAME);
        let one_more = [&longest[..], b"\x01a"].concat();
        assert_eq!(DomainName::from_wire(&one_more), Err(NameError::TooLong));
    }

    #[test]
    fn names_as_text() {
        let table: [(&[u8], Result<&str, NameError>); 14] = [
            (b"", Ok("")),
            (b".", Ok(".")),
            (b"PC.Example.", Ok("pc.example.")),
            (b"pc.example", Ok("pc.example")),
            (b"a\\.b", Ok("a\\.b")),
            (b"a\\046b", Ok("a\\.b")),
            (b"\xc3\xa9", Ok("\\195\\169")),
            (b"..", Err(NameError::Empty)),
            (b".a", Err(NameError::Empty)),
            (b"a..b", Err(NameError::Empty)),
            (b"a\\", Err(NameError::Escape)),
            (b"a\\25", Err(NameError::Escape)),
            (b"a\\256", Err(NameError::Escape)),
            (&[b'a'; 64], Err(NameError::Label)),
        ];
        for (text, expected) in table {
            let name = DomainName::from_text(text).map(|name| name.to_string());
            assert_eq!(name.as_deref().map_err(|error| *error), expected);
        }
        assert_eq!(
            DomainName::from_text(&b"abc.".repeat(64)),
            Err(NameError::TooLong)
        );
    }

    proptest! {
        #[test]
        fn text_and_bytes_of_any_name_read_back(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            for name in [DomainName::from_wire(&bytes), DomainName::from_text(&bytes)].into_iter().flatten() {
                prop_assert_eq!(&DomainName::from_text(name.to_string().as_bytes()), &Ok(name.clone()));
                let mut wire = Vec::new();
                name.write_with_root(&mut wire);
                prop_assert!(wire.len() <= MAX_NAME);
                let back = DomainName::from_wire(&wire).unwrap();
                prop_assert!(back.is_fully_qualified());
                prop_assert!(back.labels().eq(name.labels()));
            }
        }
    }
}
