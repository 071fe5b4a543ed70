//! Reads bytes in order and names the part that is missing or wrong.

use std::net::{Ipv4Addr, Ipv6Addr};

/// A flaw in a server's answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// The message ends before a part is complete.
    #[error("{part}: {wanted} bytes wanted at offset {at}, {left} left")]
    Truncated {
        /// What was being read.
        part: &'static str,
        /// Bytes the part needs.
        wanted: usize,
        /// Offset in the message, option or frame being read.
        at: usize,
        /// Bytes that were left.
        left: usize,
    },
    /// A part has a value that the standard does not allow.
    #[error("{part}: {problem}")]
    Invalid {
        /// What was being read.
        part: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// A part differs from what the client or relay sent.
    #[error("{part}: sent {sent}, came back as {seen}")]
    NotEchoed {
        /// What should have been echoed.
        part: &'static str,
        /// What the client or relay sent.
        sent: String,
        /// What the answer holds.
        seen: String,
    },
}

impl ReplyError {
    pub(crate) fn invalid(part: &'static str, problem: impl Into<String>) -> Self {
        Self::Invalid {
            part,
            problem: problem.into(),
        }
    }
}

/// A position in a message, an option or a frame.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }

    pub(crate) fn rest(&mut self) -> &'a [u8] {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at = self.bytes.len();
        rest
    }

    pub(crate) fn take(
        &mut self,
        wanted: usize,
        part: &'static str,
    ) -> Result<&'a [u8], ReplyError> {
        let left = self.bytes.len() - self.at;
        let end = self.at.saturating_add(wanted);
        let taken = self.bytes.get(self.at..end).ok_or(ReplyError::Truncated {
            part,
            wanted,
            at: self.at,
            left,
        })?;
        self.at = end;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(
        &mut self,
        part: &'static str,
    ) -> Result<[u8; N], ReplyError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N, part)?);
        Ok(array)
    }

    pub(crate) fn u8(&mut self, part: &'static str) -> Result<u8, ReplyError> {
        self.array::<1>(part).map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self, part: &'static str) -> Result<u16, ReplyError> {
        self.array(part).map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self, part: &'static str) -> Result<u32, ReplyError> {
        self.array(part).map(u32::from_be_bytes)
    }

    pub(crate) fn ipv4(&mut self, part: &'static str) -> Result<Ipv4Addr, ReplyError> {
        self.array::<4>(part).map(Ipv4Addr::from)
    }

    pub(crate) fn ipv6(&mut self, part: &'static str) -> Result<Ipv6Addr, ReplyError> {
        self.array::<16>(part).map(Ipv6Addr::from)
    }
}
