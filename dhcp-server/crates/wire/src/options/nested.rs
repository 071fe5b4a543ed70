//! Options inside options, read in place.

use super::tlv::TlvKind;
use thiserror::Error;

/// A record inside an option runs past the end of that option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the option at byte {offset} runs past its container")]
pub struct Malformed {
    /// Where the bad record starts in the container.
    pub offset: usize,
}

/// One step through a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A record: its code, its payload, and all its bytes.
    Record {
        code: u32,
        payload: &'a [u8],
        raw: &'a [u8],
    },
    /// A pad byte.
    Pad,
    /// The end mark and whatever follows it; the last piece.
    Tail(&'a [u8]),
}

/// Walks a container piece by piece; what it yields, put together, is the container. Stops after one `Err`.
#[derive(Debug, Clone)]
pub(super) struct Pieces<'a> {
    kind: TlvKind,
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Pieces<'a> {
    pub(super) fn new(kind: TlvKind, container: &'a [u8]) -> Self {
        Self {
            kind,
            rest: container,
            offset: 0,
        }
    }

    fn advance(&mut self, len: usize) -> &'a [u8] {
        let (piece, rest) = self.rest.split_at(len);
        self.rest = rest;
        self.offset += len;
        piece
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Result<Piece<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let first = *self.rest.first()?;
        if self.kind == TlvKind::V4WithEnd {
            match first {
                0 => {
                    self.advance(1);
                    return Some(Ok(Piece::Pad));
                }
                255 => return Some(Ok(Piece::Tail(self.advance(self.rest.len())))),
                _ => {}
            }
        }
        let Some((code, len)) = self.kind.read_header(self.rest) else {
            self.rest = &[];
            return Some(Err(Malformed {
                offset: self.offset,
            }));
        };
        let raw = self.advance(self.kind.header_len() + len);
        Some(Ok(Piece::Record {
            code,
            payload: &raw[self.kind.header_len()..],
            raw,
        }))
    }
}

/// Walks a container record by record, with codes as `C`.
macro_rules! records {
    ($(#[$doc:meta])* $name:ident, $code:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name<'a>(Pieces<'a>);

        impl<'a> Iterator for $name<'a> {
            type Item = Result<($code, &'a [u8]), Malformed>;

            fn next(&mut self) -> Option<Self::Item> {
                loop {
                    match self.0.next()? {
                        Ok(Piece::Record { code, payload, .. }) => {
                            let code = <$code>::try_from(code).expect("the header of this kind holds no wider code");
                            return Some(Ok((code, payload)));
                        }
                        Ok(Piece::Pad) => {}
                        Ok(Piece::Tail(_)) => return None,
                        Err(malformed) => return Some(Err(malformed)),
                    }
                }
            }
        }
    };
}

records! {
    /// Sub-options of DHCPv4 form, in order: code and payload. Ends after one `Err`.
    Nested4, u16
}
records! {
    /// Options of DHCPv6 form, in order: code and payload. Ends after one `Err`.
    Nested6, u16
}
records! {
    /// Blocks of DHCPv4 options 124 and 125, in order: enterprise number and data. Ends after one `Err`.
    Vendor4, u32
}

/// Options of DHCPv6 form that fill `payload`: inside IA_NA, IA_PD, IAADDR, after the enterprise number of option 17.
#[must_use]
pub fn nested6(payload: &[u8]) -> Nested6<'_> {
    Nested6(Pieces::new(TlvKind::V6, payload))
}

/// Sub-options that fill `payload`: option 82 (RFC 3046) and the blocks of option 125. Codes 0 and 255 are ordinary.
#[must_use]
pub fn nested4(payload: &[u8]) -> Nested4<'_> {
    Nested4(Pieces::new(TlvKind::V4, payload))
}

/// Sub-options of option 43 (RFC 2132 §8.4): 0 is padding, 255 ends the list.
#[must_use]
pub fn nested4_with_end(payload: &[u8]) -> Nested4<'_> {
    Nested4(Pieces::new(TlvKind::V4WithEnd, payload))
}

/// The first sub-option `code` before anything malformed.
#[must_use]
pub fn sub_option4(payload: &[u8], code: u16) -> Option<&[u8]> {
    nested4(payload)
        .map_while(Result::ok)
        .find(|(found, _)| *found == code)
        .map(|(_, value)| value)
}

/// The first option `code` before anything malformed.
#[must_use]
pub fn sub_option6(payload: &[u8], code: u16) -> Option<&[u8]> {
    nested6(payload)
        .map_while(Result::ok)
        .find(|(found, _)| *found == code)
        .map(|(_, value)| value)
}

/// Enterprise blocks of DHCPv4 option 125, or 124, whose data is read with [`nested4`] (RFC 3925 §4; the data of 124
/// is opaque).
#[must_use]
pub fn vendor4(payload: &[u8]) -> Vendor4<'_> {
    Vendor4(Pieces::new(TlvKind::Enterprise4, payload))
}

/// Sub-option `code` of `enterprise` in DHCPv4 option 125.
#[must_use]
pub fn vendor4_sub_option(payload: &[u8], enterprise: u32, code: u16) -> Option<&[u8]> {
    vendor4(payload)
        .map_while(Result::ok)
        .filter(|(found, _)| *found == enterprise)
        .find_map(|(_, data)| sub_option4(data, code))
}

/// Enterprise number and vendor options of one DHCPv6 option 17 (RFC 9915 §21.17); the options are read with
/// [`nested6`]. `None` where the number is cut off.
#[must_use]
pub fn vendor6(payload: &[u8]) -> Option<(u32, &[u8])> {
    let (enterprise, options) = payload.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*enterprise), options))
}

/// Vendor option `code` in one DHCPv6 option 17, where that is of `enterprise`.
#[must_use]
pub fn vendor6_sub_option(payload: &[u8], enterprise: u32, code: u16) -> Option<&[u8]> {
    let (found, options) = vendor6(payload)?;
    if found == enterprise {
        sub_option6(options, code)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sub_options_of_82_may_have_the_codes_0_and_255() {
        let payload = [0, 1, 9, 255, 2, 7, 8, 1, 0];
        let found: Vec<_> = nested4(&payload).collect();
        assert_eq!(
            found,
            [Ok((0, &[9][..])), Ok((255, &[7, 8][..])), Ok((1, &[][..]))]
        );
    }

    #[test]
    fn option_43_has_pads_and_an_end() {
        let payload = [0, 0, 1, 1, 9, 0, 255, 77, 200];
        assert_eq!(
            nested4_with_end(&payload).collect::<Vec<_>>(),
            [Ok((1, &[9][..]))]
        );
    }

    #[test]
    fn a_record_past_the_end_is_one_error_and_then_nothing() {
        let cases: [(&[u8], usize); 4] = [
            (&[0, 1, 0, 1, 9, 0, 2, 0, 2, 7], 5),
            (&[0, 1, 0], 0),
            (&[0, 1, 255, 255], 0),
            (&[0, 1, 0, 0, 1], 4),
        ];
        for (payload, offset) in cases {
            let mut records = nested6(payload).skip_while(Result::is_ok);
            assert_eq!(
                records.next(),
                Some(Err(Malformed { offset })),
                "{payload:?}"
            );
            assert_eq!(records.next(), None, "{payload:?}");
        }
    }

    #[test]
    fn vendor_sub_options_are_found_by_enterprise_and_code() {
        let option_125 = [0, 0, 0, 9, 3, 1, 1, 5, 0, 0, 0x11, 0x8b, 4, 33, 2, 6, 7];
        assert_eq!(vendor4_sub_option(&option_125, 4491, 33), Some(&[6, 7][..]));
        assert_eq!(vendor4_sub_option(&option_125, 9, 33), None);
        let option_17 = [0, 0, 0x11, 0x8b, 0, 33, 0, 1, 8];
        assert_eq!(vendor6_sub_option(&option_17, 4491, 33), Some(&[8][..]));
        assert_eq!(vendor6_sub_option(&option_17, 4492, 33), None);
        assert_eq!(vendor6(&[0, 0, 1]), None);
    }

    #[test]
    fn one_vendor_may_have_several_blocks() {
        let option_125 = [0, 0, 0, 9, 3, 1, 1, 5, 0, 0, 0, 9, 3, 2, 1, 6];
        assert_eq!(vendor4(&option_125).count(), 2);
        assert_eq!(vendor4_sub_option(&option_125, 9, 2), Some(&[6][..]));
    }
}
