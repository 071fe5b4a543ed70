//! Options as bytes: the list every packet has, and options inside options.

pub mod codec;
pub mod defs;
pub mod edit;
pub mod nested;
pub mod spaces;
pub mod tlv;

pub use edit::{Edit, EditError, Level, edit_nested, edit_path};
pub use nested::{
    Malformed, Nested4, Nested6, Vendor4, nested4, nested4_with_end, nested6, sub_option4,
    sub_option6, vendor4, vendor4_sub_option, vendor6, vendor6_sub_option,
};
pub use tlv::{TlvKind, TooLong, What};

use crate::buffer::Buffer;
use crate::ids::fmt_hex;
use smallvec::SmallVec;
use std::fmt;

/// Where one option's payload lies in [`Options::data`].
#[derive(Debug, Clone, Copy)]
struct Entry {
    offset: u32,
    len: u32,
    code: u16,
}

/// Ordered list of options; duplicates allowed.
///
/// Payload bytes are kept in one pooled buffer: the datagram itself for a received packet. With a warm pool, and up
/// to 32 options, nothing is allocated. Replaced payloads leave their old bytes behind until the list is dropped.
#[derive(Clone)]
pub struct Options {
    data: Buffer,
    entries: SmallVec<[Entry; 32]>,
    /// One bit per code below 256 that is in the list.
    present: [u64; 4],
}

impl Options {
    /// An empty list with a buffer from the pool.
    #[must_use]
    pub fn new() -> Self {
        Self::over(Buffer::take())
    }

    /// An empty list whose payloads will be pieces of `data`.
    pub(crate) fn over(data: Buffer) -> Self {
        Self {
            data,
            entries: SmallVec::new(),
            present: [0; 4],
        }
    }

    /// Whether there is no option.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Number of options, each instance counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Payload of the first instance of `code`.
    #[must_use]
    pub fn get(&self, code: u16) -> Option<&[u8]> {
        if !self.may_contain(code) {
            return None;
        }
        self.entries
            .iter()
            .find(|entry| entry.code == code)
            .map(|entry| self.payload(entry))
    }

    /// Payloads of every instance of `code`, in order.
    pub fn get_all(&self, code: u16) -> impl Iterator<Item = &[u8]> {
        self.entries
            .iter()
            .filter(move |entry| entry.code == code)
            .map(|entry| self.payload(entry))
    }

    /// Whether there is an instance of `code`; for codes below 256 without looking at the list.
    #[must_use]
    pub fn contains(&self, code: u16) -> bool {
        self.may_contain(code)
            && (code < 256 || self.entries.iter().any(|entry| entry.code == code))
    }

    /// Code and payload of every option, in order.
    pub fn iter(&self) -> impl Iterator<Item = (u16, &[u8])> {
        self.entries
            .iter()
            .map(|entry| (entry.code, self.payload(entry)))
    }

    /// Appends an option.
    pub fn push(&mut self, code: u16, payload: &[u8]) {
        self.push_with(code, |data| data.extend_from_slice(payload));
    }

    /// Appends an option whose payload is what `write` appends to the given bytes.
    ///
    /// # Panics
    ///
    /// Where `write` shortens the bytes it was given: payloads of other options lie there.
    pub fn push_with(&mut self, code: u16, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.data.len();
        write(&mut self.data);
        assert!(self.data.len() >= start, "an option writer only appends");
        let entry = self.entry(code, start, self.data.len() - start);
        self.push_entry(entry);
    }

    /// Replaces the payload of the first instance of `code` where it stands and removes the other instances; appends
    /// the option where there is none.
    pub fn set(&mut self, code: u16, payload: &[u8]) {
        let Some(first) = self.position(code, 0) else {
            return self.push(code, payload);
        };
        self.replace(first, payload);
        let mut index = 0;
        self.entries.retain(|entry| {
            let keep = entry.code != code || index == first;
            index += 1;
            keep
        });
    }

    /// Replaces the payload of instance `n` of `code`, counted from 0. `false`, and no change, where there is none.
    pub fn set_instance(&mut self, code: u16, n: usize, payload: &[u8]) -> bool {
        let Some(index) = self.position(code, n) else {
            return false;
        };
        self.replace(index, payload);
        true
    }

    /// Removes every instance of `code`; whether there was one.
    pub fn remove(&mut self, code: u16) -> bool {
        let before = self.entries.len();
        if self.may_contain(code) {
            self.entries.retain(|entry| entry.code != code);
            self.forget(code);
        }
        self.entries.len() < before
    }

    /// Removes instance `n` of `code`, counted from 0; whether there was one.
    pub fn remove_instance(&mut self, code: u16, n: usize) -> bool {
        let Some(index) = self.position(code, n) else {
            return false;
        };
        self.entries.remove(index);
        if self.position(code, 0).is_none() {
            self.forget(code);
        }
        true
    }

    /// The buffer that the payloads are pieces of.
    pub(crate) fn data(&self) -> &[u8] {
        &self.data
    }

    /// Appends an option whose payload lies in the buffer already.
    pub(crate) fn push_range(&mut self, code: u16, offset: usize, len: usize) {
        debug_assert!(
            offset + len <= self.data.len(),
            "an indexed payload lies inside the buffer"
        );
        let entry = self.entry(code, offset, len);
        self.push_entry(entry);
    }

    /// Makes one option of all instances of a code, at the place of the first: their payloads joined in order.
    /// Each payload is copied at most once, so that a hostile packet cannot make this expensive.
    pub(crate) fn join_repeated(&mut self) {
        for first in 0..self.entries.len() {
            let Some(code) = self.entries.get(first).map(|entry| entry.code) else {
                return;
            };
            let rest = &self.entries[first + 1..];
            if rest.iter().any(|entry| entry.code == code) {
                self.join_into(first, code);
            }
        }
    }

    fn join_into(&mut self, first: usize, code: u16) {
        let start = self.data.len();
        for entry in &self.entries[first..] {
            if entry.code == code {
                let from = entry.offset as usize;
                self.data
                    .extend_from_within(from..from + entry.len as usize);
            }
        }
        self.entries[first] = self.entry(code, start, self.data.len() - start);
        let mut index = 0;
        self.entries.retain(|entry| {
            let keep = entry.code != code || index <= first;
            index += 1;
            keep
        });
    }

    fn payload(&self, entry: &Entry) -> &[u8] {
        let start = entry.offset as usize;
        &self.data[start..start + entry.len as usize]
    }

    fn entry(&self, code: u16, offset: usize, len: usize) -> Entry {
        let fits =
            |n: usize| u32::try_from(n).expect("the options of one packet stay far below 4 GiB");
        Entry {
            offset: fits(offset),
            len: fits(len),
            code,
        }
    }

    fn push_entry(&mut self, entry: Entry) {
        if let Some(word) = self.present.get_mut(usize::from(entry.code / 64)) {
            *word |= 1 << (entry.code % 64);
        }
        self.entries.push(entry);
    }

    /// Exact for codes below 256, always `true` for the others.
    fn may_contain(&self, code: u16) -> bool {
        self.present
            .get(usize::from(code / 64))
            .is_none_or(|word| word & (1 << (code % 64)) != 0)
    }

    fn forget(&mut self, code: u16) {
        if let Some(word) = self.present.get_mut(usize::from(code / 64)) {
            *word &= !(1 << (code % 64));
        }
    }

    /// Index of instance `n` of `code`.
    fn position(&self, code: u16, n: usize) -> Option<usize> {
        if !self.may_contain(code) {
            return None;
        }
        self.entries
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.code == code)
            .nth(n)
            .map(|(index, _)| index)
    }

    fn replace(&mut self, index: usize, payload: &[u8]) {
        let Entry { offset, len, code } = self.entries[index];
        let start = if payload.len() <= len as usize {
            offset as usize
        } else {
            self.data.len()
        };
        if start == self.data.len() {
            self.data.extend_from_slice(payload);
        } else {
            self.data[start..start + payload.len()].copy_from_slice(payload);
        }
        self.entries[index] = self.entry(code, start, payload.len());
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

/// The same codes with the same payloads in the same order.
impl PartialEq for Options {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Options {}

/// `{53: 01, 61: 01:52:54:00:0a:0b:01}`
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Hex<'a>(&'a [u8]);
        impl fmt::Debug for Hex<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt_hex(self.0, f)
            }
        }
        f.debug_map()
            .entries(self.iter().map(|(code, payload)| (code, Hex(payload))))
            .finish()
    }
}

#[cfg(test)]
mod tests;
