//! Journal records: one change set each, whole or not at all.

use crate::stored::{StoredFamily, read_lease, take, take_u8, take_u32, write_lease};
use crate::{Lease, Leases, StoreError};
use crc32c::{crc32c, crc32c_append};

/// One change of the leases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<F: StoredFamily> {
    /// A lease is new or takes the place of the one of its resource.
    Put(Lease<F>),
    /// There is no lease of the resource any more.
    Remove(F::Resource),
}

/// Bytes in front of the changes of a record.
pub(crate) const HEADER: usize = 20;
/// Most bytes of changes in one record.
pub(crate) const MAX_CHANGES: usize = 1 << 20;

const PUT: u8 = 1;
const REMOVE: u8 = 2;

/// What a record says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    pub(crate) lsn: u64,
    /// Every record up to this one was on stable storage when this one was made.
    pub(crate) durable: u64,
    pub(crate) changes: &'a [u8],
}

/// One journal record, little-endian:
/// len: u32 | crc32c: u32 | lsn: u64 | behind: u32 | changes: [u8; len].
///
/// The checksum covers everything but itself. `behind` is how many records, this one included, were not on stable
/// storage yet when it was made: with it recovery can tell a torn tail from damage to what was acknowledged.
pub(crate) fn write_record<F: StoredFamily>(
    lsn: u64,
    durable: u64,
    changes: &[Change<F>],
    out: &mut Vec<u8>,
) -> Result<(), StoreError> {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER]);
    for change in changes {
        write_change(change, out);
    }
    let size = out.len() - start - HEADER;
    if size > MAX_CHANGES {
        out.truncate(start);
        return Err(StoreError::TooLarge {
            size,
            limit: MAX_CHANGES,
        });
    }
    let len = u32::try_from(size)
        .expect("at most MAX_CHANGES")
        .to_le_bytes();
    let behind = u32::try_from(lsn - durable).unwrap_or(u32::MAX);
    let record = &mut out[start..];
    record[..4].copy_from_slice(&len);
    record[8..16].copy_from_slice(&lsn.to_le_bytes());
    record[16..20].copy_from_slice(&behind.to_le_bytes());
    let crc = crc32c_append(crc32c(&len), &record[8..]);
    record[4..8].copy_from_slice(&crc.to_le_bytes());
    Ok(())
}

/// Reads the record at the start of `bytes`, or says what is wrong with it.
pub(crate) fn read_record(mut bytes: &[u8]) -> Result<Record<'_>, &'static str> {
    const SHORT: &str = "the record is cut off";
    let len = take_u32(&mut bytes).ok_or(SHORT)?;
    let size = len as usize;
    if size == 0 || size > MAX_CHANGES {
        return Err("the length of the record is impossible");
    }
    let crc = take_u32(&mut bytes).ok_or(SHORT)?;
    let covered = bytes.get(..HEADER - 8 + size).ok_or(SHORT)?;
    if crc32c_append(crc32c(&len.to_le_bytes()), covered) != crc {
        return Err("the checksum of the record is wrong");
    }
    let lsn = take::<8>(&mut bytes).map(u64::from_le_bytes).ok_or(SHORT)?;
    let behind = take_u32(&mut bytes).ok_or(SHORT)?;
    Ok(Record {
        lsn,
        durable: lsn.saturating_sub(u64::from(behind)),
        changes: &bytes[..size],
    })
}

/// Whether `bytes` holds, anywhere, a record that was made when record `lsn` was already on stable storage.
pub(crate) fn was_durable(lsn: u64, bytes: &[u8]) -> bool {
    (0..bytes.len()).any(|at| {
        let bytes = &bytes[at..];
        // Cheap first: a number that follows soon; hardly any other bytes look like that.
        let number = bytes
            .get(8..16)
            .and_then(|mut field| take::<8>(&mut field))
            .map(u64::from_le_bytes);
        number.is_some_and(|number| number > lsn && number - lsn <= u64::from(u32::MAX))
            && read_record(bytes).is_ok_and(|record| record.durable >= lsn)
    })
}

/// Applies the changes of a record.
pub(crate) fn replay<F: StoredFamily>(
    mut changes: &[u8],
    leases: &mut Leases<F>,
) -> Result<(), &'static str> {
    while !changes.is_empty() {
        match read_change(&mut changes)
            .ok_or("a change is not understood; it may be of a newer version")?
        {
            Change::Put(lease) => leases.put(lease),
            Change::Remove(resource) => leases.remove(&resource),
        };
    }
    Ok(())
}

/// kind: u8 | lease or resource
fn write_change<F: StoredFamily>(change: &Change<F>, out: &mut Vec<u8>) {
    match change {
        Change::Put(lease) => {
            out.push(PUT);
            write_lease(lease, out);
        }
        Change::Remove(resource) => {
            out.push(REMOVE);
            F::write_resource(resource, out);
        }
    }
}

fn read_change<F: StoredFamily>(input: &mut &[u8]) -> Option<Change<F>> {
    match take_u8(input)? {
        PUT => read_lease(input).map(Change::Put),
        REMOVE => F::read_resource(input).map(Change::Remove),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::battery::Sample;
    use outrigger_wire::V4;

    fn record(lsn: u64, durable: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_record::<V4>(lsn, durable, &[Change::Put(V4::lease(1))], &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn a_record_reads_back() {
        let bytes = record(7, 4);
        let read = read_record(&bytes).unwrap();
        assert_eq!(
            (read.lsn, read.durable, read.changes.len()),
            (7, 4, bytes.len() - HEADER)
        );
        let mut leases = Leases::default();
        replay::<V4>(read.changes, &mut leases).unwrap();
        assert_eq!(leases.get(&V4::lease(1).resource), Some(&V4::lease(1)));
    }

    #[test]
    fn a_later_record_tells_what_was_durable_when_it_was_made() {
        let garbage = [0xa5; 33];
        for (later, durable) in [
            (record(8, 7), true),
            (record(8, 6), false),
            (record(6, 5), false),
        ] {
            assert_eq!(
                was_durable(7, &[&garbage, later.as_slice()].concat()),
                durable
            );
        }
        assert!(!was_durable(7, &garbage) && !was_durable(7, &[]));
    }

    #[test]
    fn a_whole_record_with_an_unknown_change_is_not_understood() {
        let mut leases = Leases::<V4>::default();
        assert!(replay(&[9, 1, 2, 3, 4], &mut leases).is_err());
        assert!(replay(&[REMOVE, 192, 0, 2], &mut leases).is_err());
    }
}
