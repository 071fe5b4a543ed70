//! Identity associations (RFC 9915 §21.4 to §21.6, §21.21, §21.22).

use super::{Status, code};
use crate::ids::{Iaid, Prefix6};
use crate::options::tlv::write_v6_with;
use crate::options::{Options, nested6};
use std::net::Ipv6Addr;
use thiserror::Error;

/// What an identity association is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IaKind {
    /// Addresses (IA_NA, option 3).
    Na,
    /// Delegated prefixes (IA_PD, option 25).
    Pd,
}

impl IaKind {
    /// The kind of IA that the option `code` is.
    #[must_use]
    pub fn of(code: u16) -> Option<Self> {
        match code {
            code::IA_NA => Some(Self::Na),
            code::IA_PD => Some(Self::Pd),
            _ => None,
        }
    }

    /// The option's code.
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            Self::Na => code::IA_NA,
            Self::Pd => code::IA_PD,
        }
    }
}

/// An IA, or something in it, has not the form that its code demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("option {code} does not have the form its code demands")]
pub struct BadOption {
    /// The innermost bad option: 3, 5, 25 or 26.
    pub code: u16,
}

/// An identity association that a client sent; everything in it has been checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ia<'a> {
    /// IA_NA or IA_PD.
    pub kind: IaKind,
    /// The client's name for it.
    pub iaid: Iaid,
    /// Renewal time the client would like, in seconds; servers may ignore it.
    pub t1: u32,
    /// Rebinding time the client would like, in seconds.
    pub t2: u32,
    options: &'a [u8],
}

/// An address in an IA_NA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IaAddr<'a> {
    /// The address.
    pub addr: Ipv6Addr,
    /// Preferred lifetime, in seconds.
    pub preferred: u32,
    /// Valid lifetime, in seconds.
    pub valid: u32,
    /// Options inside, to be read with [`nested6`].
    pub options: &'a [u8],
}

/// A prefix in an IA_PD.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IaPrefix<'a> {
    /// The prefix; `::/len` is a wish for a length only (RFC 9915 §18.2.4).
    pub prefix: Prefix6,
    /// Preferred lifetime, in seconds.
    pub preferred: u32,
    /// Valid lifetime, in seconds.
    pub valid: u32,
    /// Options inside, to be read with [`nested6`].
    pub options: &'a [u8],
}

impl<'a> Ia<'a> {
    /// Reads the payload of option 3 or 25 and checks every address or prefix in it. An IA inside an IA is an option
    /// without meaning there.
    ///
    /// # Errors
    ///
    /// Where the IA, or an address or prefix in it, is too short, or what is inside does not fill it exactly.
    pub fn parse(kind: IaKind, payload: &'a [u8]) -> Result<Self, BadOption> {
        let bad = BadOption { code: kind.code() };
        let ([iaid, t1, t2], options) = words(payload).ok_or(bad)?;
        for record in nested6(options) {
            let (inner, value) = record.map_err(|_| bad)?;
            let well_formed = match (kind, inner) {
                (IaKind::Na, code::IA_ADDR) => IaAddr::parse(value).is_some(),
                (IaKind::Pd, code::IA_PREFIX) => IaPrefix::parse(value).is_some(),
                _ => true,
            };
            if !well_formed {
                return Err(BadOption { code: inner });
            }
        }
        Ok(Self {
            kind,
            iaid: Iaid(iaid),
            t1,
            t2,
            options,
        })
    }

    /// Addresses in their order; none in an IA_PD.
    pub fn addresses(&self) -> impl Iterator<Item = IaAddr<'a>> + use<'a> {
        self.inside(IaKind::Na, code::IA_ADDR)
            .filter_map(IaAddr::parse)
    }

    /// Prefixes in their order; none in an IA_NA.
    pub fn prefixes(&self) -> impl Iterator<Item = IaPrefix<'a>> + use<'a> {
        self.inside(IaKind::Pd, code::IA_PREFIX)
            .filter_map(IaPrefix::parse)
    }

    /// All options inside, as bytes to be read with [`nested6`].
    #[must_use]
    pub fn options(&self) -> &'a [u8] {
        self.options
    }

    fn inside(&self, kind: IaKind, code: u16) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let options = if self.kind == kind { self.options } else { &[] };
        nested6(options)
            .map_while(Result::ok)
            .filter(move |(found, _)| *found == code)
            .map(|(_, value)| value)
    }
}

impl<'a> IaAddr<'a> {
    pub(super) fn parse(payload: &'a [u8]) -> Option<Self> {
        let (addr, rest) = payload.split_first_chunk::<16>()?;
        let ([preferred, valid], options) = words(rest)?;
        nested6(options)
            .all(|record| record.is_ok())
            .then_some(Self {
                addr: Ipv6Addr::from(*addr),
                preferred,
                valid,
                options,
            })
    }
}

impl<'a> IaPrefix<'a> {
    fn parse(payload: &'a [u8]) -> Option<Self> {
        let ([preferred, valid], rest) = words(payload)?;
        let ([len], rest) = rest.split_first_chunk::<1>()?;
        let (addr, options) = rest.split_first_chunk::<16>()?;
        let prefix = Prefix6::new(Ipv6Addr::from(*addr), *len)?;
        nested6(options)
            .all(|record| record.is_ok())
            .then_some(Self {
                prefix,
                preferred,
                valid,
                options,
            })
    }
}

/// The first `N` numbers of four bytes, and what follows.
fn words<const N: usize>(bytes: &[u8]) -> Option<([u32; N], &[u8])> {
    let mut rest = bytes;
    let mut words = [0; N];
    for word in &mut words {
        let (bytes, after) = rest.split_first_chunk::<4>()?;
        *word = u32::from_be_bytes(*bytes);
        rest = after;
    }
    Some((words, rest))
}

/// Appends an IA_NA or IA_PD whose contents are what `fill` writes; in place, without allocating.
pub fn push_ia(
    options: &mut Options,
    kind: IaKind,
    iaid: Iaid,
    (t1, t2): (u32, u32),
    fill: impl FnOnce(&mut IaWriter<'_>),
) {
    options.push_with(kind.code(), |out| {
        write_words(out, [iaid.0, t1, t2]);
        fill(&mut IaWriter { out });
    });
}

/// Appends option 13. An empty `message` is the usual one for success.
pub fn push_status(options: &mut Options, status: Status, message: &str) {
    options.push_with(code::STATUS_CODE, |out| write_status(out, status, message));
}

/// Writes the contents of one IA of a reply. What grows over 65,535 bytes makes [`super::Reply6::encode`] fail.
#[derive(Debug)]
pub struct IaWriter<'a> {
    out: &'a mut Vec<u8>,
}

impl IaWriter<'_> {
    /// An address with its lifetimes in seconds, for an IA_NA.
    pub fn address(&mut self, addr: Ipv6Addr, preferred: u32, valid: u32) -> &mut Self {
        self.address_with(addr, preferred, valid, |_| {})
    }

    /// An address with options inside it.
    pub fn address_with(
        &mut self,
        addr: Ipv6Addr,
        preferred: u32,
        valid: u32,
        fill: impl FnOnce(&mut IaWriter<'_>),
    ) -> &mut Self {
        write_v6_with(self.out, code::IA_ADDR, |out| {
            out.extend_from_slice(&addr.octets());
            write_words(out, [preferred, valid]);
            fill(&mut IaWriter { out });
        });
        self
    }

    /// A prefix with its lifetimes in seconds, for an IA_PD.
    pub fn prefix(&mut self, prefix: Prefix6, preferred: u32, valid: u32) -> &mut Self {
        self.prefix_with(prefix, preferred, valid, |_| {})
    }

    /// A prefix with options inside it.
    pub fn prefix_with(
        &mut self,
        prefix: Prefix6,
        preferred: u32,
        valid: u32,
        fill: impl FnOnce(&mut IaWriter<'_>),
    ) -> &mut Self {
        write_v6_with(self.out, code::IA_PREFIX, |out| {
            write_words(out, [preferred, valid]);
            out.push(prefix.len);
            out.extend_from_slice(&prefix.addr.octets());
            fill(&mut IaWriter { out });
        });
        self
    }

    /// A status code.
    pub fn status(&mut self, status: Status, message: &str) -> &mut Self {
        write_v6_with(self.out, code::STATUS_CODE, |out| {
            write_status(out, status, message)
        });
        self
    }

    /// Any other option.
    pub fn option(&mut self, code: u16, payload: &[u8]) -> &mut Self {
        write_v6_with(self.out, code, |out| out.extend_from_slice(payload));
        self
    }
}

fn write_words<const N: usize>(out: &mut Vec<u8>, words: [u32; N]) {
    for word in words {
        out.extend_from_slice(&word.to_be_bytes());
    }
}

fn write_status(out: &mut Vec<u8>, status: Status, message: &str) {
    out.extend_from_slice(&u16::from(status).to_be_bytes());
    out.extend_from_slice(message.as_bytes());
}
