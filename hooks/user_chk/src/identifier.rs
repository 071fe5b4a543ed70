//! Who is registered: a hardware address or a DUID.

use outrigger_wire::{Duid, HwAddress};
use std::fmt;
use std::str::FromStr;

/// What an identifier is. Hardware addresses sort before DUIDs, as in Kea.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentifierType {
    /// `HW_ADDR`: the hardware address in the header of a DHCPv4 packet, whatever its hardware type.
    HwAddr,
    /// `DUID`: option 1 of a DHCPv6 message.
    Duid,
}

impl IdentifierType {
    /// As in the registry and in the outcome file.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::HwAddr => "HW_ADDR",
            Self::Duid => "DUID",
        }
    }

    fn lengths(self) -> std::ops::RangeInclusive<usize> {
        match self {
            // Kea: ":" is accepted and means no bytes, which no client can match.
            Self::HwAddr => 1..=HwAddress::MAX,
            Self::Duid => Duid::MIN..=Duid::MAX,
        }
    }
}

impl fmt::Display for IdentifierType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

impl FromStr for IdentifierType {
    type Err = IdentifierError;

    fn from_str(label: &str) -> Result<Self, IdentifierError> {
        match label {
            "HW_ADDR" => Ok(Self::HwAddr),
            "DUID" => Ok(Self::Duid),
            _ => Err(IdentifierError::Type(label.to_owned())),
        }
    }
}

/// Text or bytes are no identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    /// Another type, or one written differently.
    #[error("type \"{0}\" is neither \"HW_ADDR\" nor \"DUID\"")]
    Type(String),
    /// Something else than digits, colons and white space.
    #[error("id has \"{0}\", which is no hexadecimal digit")]
    Digit(char),
    /// Half a byte is left over.
    #[error("id has an odd number of digits")]
    Odd,
    /// Too short or too long.
    #[error("id has {length} bytes; a {kind} has {least} to {most}")]
    Length {
        /// Of which type.
        kind: IdentifierType,
        /// As it was given.
        length: usize,
        /// Shortest that is possible.
        least: usize,
        /// Longest that is possible.
        most: usize,
    },
}

/// Who is registered. Two are equal when type and bytes are.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identifier {
    kind: IdentifierType,
    bytes: Box<[u8]>,
}

impl Identifier {
    /// From bytes.
    ///
    /// # Errors
    /// The length is out of range: 1 to 20 bytes of a hardware address, 3 to 130 of a DUID.
    pub fn new(kind: IdentifierType, bytes: &[u8]) -> Result<Self, IdentifierError> {
        let lengths = kind.lengths();
        if !lengths.contains(&bytes.len()) {
            return Err(IdentifierError::Length {
                kind,
                length: bytes.len(),
                least: *lengths.start(),
                most: *lengths.end(),
            });
        }
        Ok(Self {
            kind,
            bytes: bytes.into(),
        })
    }

    /// From hexadecimal digits of either case. Colons and white space are passed over, wherever they are.
    ///
    /// # Errors
    /// Other characters, an odd number of digits, or a length out of range.
    pub fn parse(kind: IdentifierType, text: &str) -> Result<Self, IdentifierError> {
        let mut bytes = Vec::with_capacity(text.len() / 2);
        let mut high = None;
        for character in text.chars() {
            if character == ':' || character.is_ascii_whitespace() {
                continue;
            }
            let digit = character
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
                .ok_or(IdentifierError::Digit(character))?;
            match high.take() {
                None => high = Some(digit),
                Some(high) => bytes.push(high << 4 | digit),
            }
        }
        if high.is_some() {
            return Err(IdentifierError::Odd);
        }
        Self::new(kind, &bytes)
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> IdentifierType {
        self.kind
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// The canonical text: lower-case digits without separators.
impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {self}", self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::IdentifierType::{Duid, HwAddr};
    use super::*;

    const BYTES: [u8; 6] = [0x01, 0x02, 0x03, 0xaa, 0xbb, 0xcc];

    #[test]
    fn no_bytes_and_no_text_are_refused() {
        for kind in [HwAddr, Duid] {
            for error in [
                Identifier::new(kind, &[]).unwrap_err(),
                Identifier::parse(kind, "").unwrap_err(),
                Identifier::parse(kind, ":").unwrap_err(),
            ] {
                assert!(matches!(error, IdentifierError::Length { length: 0, .. }));
            }
        }
    }

    #[test]
    fn labels_and_types_are_read_and_written_alike() {
        for kind in [HwAddr, Duid] {
            assert_eq!(kind.label().parse(), Ok(kind));
            assert_eq!(kind.to_string(), kind.label());
        }
        for wrong in ["hw_addr", "CLIENT_ID", ""] {
            let error = wrong.parse::<IdentifierType>().unwrap_err();
            assert_eq!(error, IdentifierError::Type(wrong.to_owned()));
        }
    }

    #[test]
    fn bytes_and_type_are_readable_back() {
        for kind in [HwAddr, Duid] {
            let identifier = Identifier::new(kind, &BYTES).unwrap();
            assert_eq!(identifier.kind(), kind);
            assert_eq!(identifier.bytes(), BYTES);
        }
    }

    #[test]
    fn text_round_trips_and_identifiers_compare_by_value() {
        for kind in [HwAddr, Duid] {
            let middle = Identifier::new(kind, &BYTES).unwrap();
            let same = Identifier::parse(kind, &middle.to_string()).unwrap();
            assert_eq!(middle, same);
            let smaller = Identifier::parse(kind, "010203aabbcb").unwrap();
            let greater = Identifier::parse(kind, "010203aabbcd").unwrap();
            assert!(smaller < middle && middle < greater);
            assert_ne!(smaller, greater);
        }
    }

    #[test]
    fn colons_case_and_white_space_do_not_matter() {
        for kind in [HwAddr, Duid] {
            let plain = Identifier::parse(kind, "010203aabbcc").unwrap();
            for text in ["01:02:03:AA:bb:cC", "0102:03aa:bbcc", ":01 02\t03aabb:cc:"] {
                assert_eq!(Identifier::parse(kind, text).unwrap(), plain, "{text}");
            }
        }
    }

    #[test]
    fn the_same_bytes_of_another_type_are_another_identifier() {
        let hw_addr = Identifier::new(HwAddr, &[0xff; 6]).unwrap();
        let duid = Identifier::new(Duid, &BYTES).unwrap();
        assert_ne!(
            Identifier::new(HwAddr, &BYTES).unwrap(),
            Identifier::new(Duid, &BYTES).unwrap()
        );
        assert!(hw_addr < duid, "hardware addresses come first");
    }

    #[test]
    fn what_is_not_hexadecimal_is_refused_with_the_reason() {
        for (text, expected) in [
            ("01-02-03", IdentifierError::Digit('-')),
            ("01.02", IdentifierError::Digit('.')),
            ("0g", IdentifierError::Digit('g')),
            ("01020", IdentifierError::Odd),
        ] {
            assert_eq!(Identifier::parse(HwAddr, text), Err(expected), "{text}");
        }
    }

    #[test]
    fn lengths_are_those_of_the_protocols() {
        for (kind, length, fits) in [
            (HwAddr, 1, true),
            (HwAddr, 20, true),
            (HwAddr, 21, false),
            (Duid, 2, false),
            (Duid, 3, true),
            (Duid, 130, true),
            (Duid, 131, false),
        ] {
            let made = Identifier::new(kind, &vec![0; length]);
            assert_eq!(made.is_ok(), fits, "{kind} of {length} bytes");
        }
    }
}
