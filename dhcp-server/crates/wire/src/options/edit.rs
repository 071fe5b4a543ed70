//! Changing one option inside another: everything else keeps its bytes and its place.

use super::nested::{Malformed, Piece, Pieces};
use super::tlv::{TlvKind, TooLong};
use crate::buffer::Buffer;
use thiserror::Error;

/// What becomes of a sub-option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit<'a> {
    /// Replaces the first instance where it stands and removes the others; appends where there is none.
    Set(&'a [u8]),
    /// Appends an instance.
    Add(&'a [u8]),
    /// Removes every instance.
    Remove,
}

/// One step down: which record of a container is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// Bytes of the container before its records: 4 in DHCPv6 option 17, 12 in an IA, 24 in an IAADDR, else 0.
    pub skip: usize,
    /// Form of the records.
    pub kind: TlvKind,
    /// Code of the record; for [`TlvKind::Enterprise4`] the enterprise number.
    pub code: u32,
}

impl Level {
    /// A record in a container that is nothing but records.
    #[must_use]
    pub fn of(kind: TlvKind, code: u32) -> Self {
        Self {
            skip: 0,
            kind,
            code,
        }
    }

    /// A vendor option inside DHCPv6 option 17, behind the enterprise number.
    #[must_use]
    pub fn of_vendor6(code: u16) -> Self {
        Self {
            skip: 4,
            kind: TlvKind::V6,
            code: u32::from(code),
        }
    }
}

/// Why an edit was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EditError {
    /// A container on the way does not hold well-formed records; nothing can be changed in it safely.
    #[error("the container of option {code} is malformed")]
    Malformed {
        /// Code of the record that was looked for.
        code: u32,
        /// Where the container is bad.
        #[source]
        source: Malformed,
    },
    /// A container would have to be made, but the fixed bytes it starts with are not known.
    #[error("option {code} has no container to stand in: send the container first")]
    NoContainer {
        /// Code of the record that was to be written.
        code: u32,
    },
    /// The result does not fit a length field.
    #[error(transparent)]
    TooLong(#[from] TooLong),
    /// The path has no level.
    #[error("the path to the option is empty")]
    EmptyPath,
}

/// Makes `edit` on the records `code` of `payload` and appends the new payload to `out`. Whether anything was found
/// or written: `false` only for the removal of what was not there.
///
/// # Errors
///
/// See [`EditError`]; `out` is then as it was.
pub fn edit_nested(
    kind: TlvKind,
    payload: &[u8],
    code: u32,
    edit: Edit<'_>,
    out: &mut Vec<u8>,
) -> Result<bool, EditError> {
    edit_path(payload, &[Level::of(kind, code)], edit, out)
}

/// Makes `edit` at the end of `path`: each level but the last leads into the first record with its code. `Set` and
/// `Add` make missing containers, except those that start with fixed bytes. Appends the new payload to `out`; whether
/// anything was found or written.
///
/// Example: sub-option 33 of DHCPv6 option 17 is the path `[Level::of_vendor6(33)]` in the payload of option 17; the
/// same of DHCPv4 option 125 is `[Level::of(Enterprise4, 4491), Level::of(V4, 33)]`.
///
/// # Errors
///
/// See [`EditError`]; `out` is then as it was.
pub fn edit_path(
    payload: &[u8],
    path: &[Level],
    edit: Edit<'_>,
    out: &mut Vec<u8>,
) -> Result<bool, EditError> {
    let (last, above) = path.split_last().ok_or(EditError::EmptyPath)?;
    let mut container = descend(payload, above)?;
    if container.is_none() && edit == Edit::Remove {
        out.extend_from_slice(payload);
        return Ok(false);
    }
    let mut content = Buffer::take();
    let found = rewrite(
        container.unwrap_or_default(),
        last,
        edit.into(),
        &mut content,
    )?;
    for depth in (0..above.len()).rev() {
        container = descend(payload, &above[..depth])?;
        let mut outer = Buffer::take();
        rewrite(
            container.unwrap_or_default(),
            &above[depth],
            Change::ReplaceFirst(&content),
            &mut outer,
        )?;
        content = outer;
    }
    out.extend_from_slice(&content);
    Ok(found)
}

/// The container that `path` leads to; `None` where a record on the way is missing.
fn descend<'a>(payload: &'a [u8], path: &[Level]) -> Result<Option<&'a [u8]>, EditError> {
    let mut container = payload;
    for level in path {
        let (_, records) = split_fixed(container, level)?;
        let mut inside = None;
        for piece in Pieces::new(level.kind, records) {
            match piece.map_err(|source| EditError::Malformed {
                code: level.code,
                source,
            })? {
                Piece::Record { code, payload, .. } if code == level.code => {
                    inside = inside.or(Some(payload))
                }
                Piece::Record { .. } | Piece::Pad | Piece::Tail(_) => {}
            }
        }
        match inside {
            Some(payload) => container = payload,
            None => return Ok(None),
        }
    }
    Ok(Some(container))
}

fn split_fixed<'a>(container: &'a [u8], level: &Level) -> Result<(&'a [u8], &'a [u8]), EditError> {
    container
        .split_at_checked(level.skip)
        .ok_or(EditError::NoContainer { code: level.code })
}

/// What happens to one container: an [`Edit`], or the way back up from an edit further down.
#[derive(Clone, Copy)]
enum Change<'a> {
    Set(&'a [u8]),
    Add(&'a [u8]),
    Remove,
    /// The first instance gets this payload, the others stay; appended where there is none.
    ReplaceFirst(&'a [u8]),
}

impl<'a> From<Edit<'a>> for Change<'a> {
    fn from(edit: Edit<'a>) -> Self {
        match edit {
            Edit::Set(payload) => Self::Set(payload),
            Edit::Add(payload) => Self::Add(payload),
            Edit::Remove => Self::Remove,
        }
    }
}

/// Appends `container` with `change` made to the records of `level`.
fn rewrite(
    container: &[u8],
    level: &Level,
    change: Change<'_>,
    out: &mut Vec<u8>,
) -> Result<bool, EditError> {
    let (fixed, records) = split_fixed(container, level)?;
    out.extend_from_slice(fixed);
    let mut seen = false;
    let mut tail: &[u8] = &[];
    for piece in Pieces::new(level.kind, records) {
        match piece.map_err(|source| EditError::Malformed {
            code: level.code,
            source,
        })? {
            Piece::Record { code, raw, .. } if code == level.code => {
                rewrite_instance(level, change, !seen, raw, out)?;
                seen = true;
            }
            Piece::Record { raw, .. } => out.extend_from_slice(raw),
            Piece::Pad => out.push(0),
            Piece::Tail(rest) => tail = rest,
        }
    }
    let appended = match change {
        Change::Add(payload) => Some(payload),
        Change::Set(payload) | Change::ReplaceFirst(payload) if !seen => Some(payload),
        Change::Set(_) | Change::ReplaceFirst(_) | Change::Remove => None,
    };
    if let Some(payload) = appended {
        level.kind.write(out, level.code, payload)?;
    }
    out.extend_from_slice(tail);
    Ok(seen || appended.is_some())
}

fn rewrite_instance(
    level: &Level,
    change: Change<'_>,
    first: bool,
    raw: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), TooLong> {
    match change {
        Change::Set(payload) | Change::ReplaceFirst(payload) if first => {
            level.kind.write(out, level.code, payload)?
        }
        Change::Add(_) | Change::ReplaceFirst(_) => out.extend_from_slice(raw),
        Change::Set(_) | Change::Remove => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests;
