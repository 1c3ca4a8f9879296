//! Reads the entries of a journal.
//!
//! The entries at the beginning of the file follow each other without a gap. The bytes after them are left from an
//! earlier round, or belong to an entry that a power cut has torn. Only the last entry can be torn, because only one is
//! written at a time. An intact entry further on, with a number higher than theirs, therefore proves that an
//! acknowledged entry in between was damaged.

use crate::store::sled::folder::journal::{checksum, DRIVE_BLOCK, HEAD_BYTES, REMOVED};
use crate::store::sled::folder::rollback_guard::StoreId;
use crate::store::sled::format::batch::Batch;

/// The changes of one commit.
pub struct Entry {
    /// Number of the commit.
    pub commit_number: u64,
    /// Its changes.
    pub batch: Batch,
}

/// The entries of a journal.
pub struct Found {
    /// Entries that follow each other from the beginning of the file. Only these may be replayed.
    pub entries: Vec<Entry>,
    /// Highest number of any intact entry in the file, or 0. Every change up to it was acknowledged, or was the last
    /// one.
    pub highest: u64,
}

/// Reads the entries of the store `id` in `bytes`.
#[must_use]
pub fn read(bytes: &[u8], id: &StoreId) -> Found {
    let mut found = Found { entries: Vec::new(), highest: 0 };
    let mut at = 0;
    let mut follows = true;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(raw) = read_entry(rest, id) else {
            // Only a failed block is stepped over alone; the blocks of an intact entry are skipped together below. The
            // contents of a record are therefore never taken for an entry.
            follows = false;
            at += DRIVE_BLOCK;
            continue;
        };
        at += raw.bytes.next_multiple_of(DRIVE_BLOCK);
        follows &= found.entries.last().is_none_or(|last| raw.follows(last));
        if follows {
            match raw.changes() {
                Some(batch) => {
                    found.entries.push(Entry { commit_number: raw.commit_number, batch });
                }
                None => follows = false,
            }
        }
        found.highest = found.highest.max(raw.commit_number);
    }
    found
}

/// An entry with a valid checksum.
struct Raw<'a> {
    commit_number: u64,
    changes: &'a [u8],
    bytes: usize,
}

impl Raw<'_> {
    fn follows(&self, last: &Entry) -> bool {
        self.commit_number == last.commit_number.wrapping_add(1)
    }

    fn changes(&self) -> Option<Batch> {
        let mut batch = Batch::default();
        let mut changes = self.changes;
        while !changes.is_empty() {
            changes = read_change(changes, &mut batch)?;
        }
        Some(batch)
    }
}

/// Returns the entry at the beginning of `bytes`, if it is intact.
fn read_entry<'a>(bytes: &'a [u8], id: &StoreId) -> Option<Raw<'a>> {
    let (expected, covered) = take_u32(bytes)?;
    let (length, content) = take_u32(covered)?;
    let (commit_number, content) = content.split_first_chunk()?;
    let (changes, behind) = content.split_at_checked(length as usize)?;
    let covered = covered.get(..covered.len() - behind.len())?;
    (checksum(id, covered) == expected).then_some(Raw {
        commit_number: u64::from_be_bytes(*commit_number),
        changes,
        bytes: HEAD_BYTES + changes.len(),
    })
}

/// Adds the first change in `bytes` to `batch`, and returns the bytes after it.
fn read_change<'a>(bytes: &'a [u8], batch: &mut Batch) -> Option<&'a [u8]> {
    let (key_length, bytes) = take_u32(bytes)?;
    let (value_length, bytes) = take_u32(bytes)?;
    let (key, bytes) = bytes.split_at_checked(key_length as usize)?;
    if value_length == REMOVED {
        batch.remove(key);
        return Some(bytes);
    }
    let (value, bytes) = bytes.split_at_checked(value_length as usize)?;
    batch.insert(key, value);
    Some(bytes)
}

fn take_u32(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u32::from_be_bytes(*number), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sled::folder::journal::{encode, put};
    use proptest::prelude::*;
    use proptest::sample::Index;
    use std::ops::Range;

    const ID: StoreId = [7; 16];
    /// Size of the small journal in these tests, in blocks.
    const BLOCKS: usize = 24;

    /// Returns the bytes of an entry whose value is its number and `size` more bytes.
    fn entry(commit_number: u64, size: usize) -> Vec<u8> {
        let mut batch = Batch::default();
        let mut value = commit_number.to_be_bytes().to_vec();
        value.resize(8 + size, 1);
        batch.insert(b"key", value);
        let mut bytes = Vec::new();
        encode(&mut bytes, &ID, commit_number, &batch);
        bytes
    }

    /// A journal after some rounds, and its expected entries.
    struct Written {
        bytes: Vec<u8>,
        /// Number and range of each entry of the last round, without padding.
        last_round: Vec<(u64, Range<usize>)>,
    }

    /// Writes entries of the given sizes as the writer does: starts again at the beginning when the next one does not
    /// fit.
    fn write(sizes: &[usize]) -> Written {
        let mut written = Written { bytes: vec![0; BLOCKS * DRIVE_BLOCK], last_round: Vec::new() };
        let mut end = 0;
        for (commit_number, size) in (1..).zip(sizes) {
            let bytes = entry(commit_number, *size);
            if end + bytes.len().next_multiple_of(DRIVE_BLOCK) > written.bytes.len() {
                end = 0;
                written.last_round.clear();
            }
            // The padding of the last block is written too.
            let blocks = bytes.len().next_multiple_of(DRIVE_BLOCK);
            written.bytes[end..end + blocks].fill(0);
            put(&mut written.bytes, end, &bytes);
            written.last_round.push((commit_number, end..end + bytes.len()));
            end += blocks;
        }
        written
    }

    fn numbers(found: &Found) -> Vec<u64> {
        for Entry { commit_number, batch } in &found.entries {
            let value = batch.changes().next().unwrap().1.unwrap();
            assert_eq!(value[..8], commit_number.to_be_bytes());
        }
        found.entries.iter().map(|entry| entry.commit_number).collect()
    }

    /// Returns the last number after an open has replayed `found`, if sled had everything up to `applied`.
    fn replayed(found: &Found, applied: u64) -> u64 {
        let next = |applied, entry: &Entry| applied + u64::from(entry.commit_number == applied + 1);
        found.entries.iter().fold(applied, next)
    }

    fn sizes() -> impl Strategy<Value = Vec<usize>> {
        let size = prop_oneof![4 => 0..200_usize, 2 => 0..9000_usize, 1 => 0..40_000_usize];
        proptest::collection::vec(size, 1..80)
    }

    proptest! {
        #[test]
        fn the_last_round_is_read_whole_and_nothing_before_it(sizes in sizes()) {
            let written = write(&sizes);
            let found = read(&written.bytes, &ID);
            let expected: Vec<_> = written.last_round.iter().map(|(commit_number, _)| *commit_number).collect();
            prop_assert_eq!(numbers(&found), expected);
            prop_assert_eq!(found.highest, sizes.len() as u64);
            prop_assert!(read(&written.bytes, &[8; 16]).entries.is_empty());
        }

        /// Whatever bits are flipped, only the last change can be lost unnoticed: its entry looks like one that a power
        /// cut has torn.
        #[test]
        fn a_gap_is_recognized(sizes in sizes(), flips in proptest::collection::vec((any::<Index>(), 0_u32..8), 1..4), lag in any::<Index>()) {
            let mut written = write(&sizes);
            let mut damaged = Vec::new();
            for (at, bit) in flips {
                let at = at.index(written.bytes.len());
                written.bytes[at] ^= 1_u8 << bit;
                damaged.push(at);
            }
            let found = read(&written.bytes, &ID);
            let last = sizes.len() as u64;
            let is_whole = |range: &Range<usize>| !damaged.iter().any(|at| range.contains(at));
            let first = written.last_round[0].0;
            // sled has at least everything from before this round.
            let applied = first - 1 + lag.index(written.last_round.len() + 1) as u64;
            let reached = replayed(&found, applied);
            let is_refused = reached < found.highest;
            // Damaged entries at the end are not noticed.
            let seen = written.last_round.iter().rev().find(|(_, range)| is_whole(range)).map_or(0, |(commit_number, _)| *commit_number);
            prop_assert!(is_refused || reached >= seen, "{} of {}, applied {}", reached, last, applied);
            // A complete journal is never refused.
            prop_assert!(!is_refused || reached < last);
        }

        #[test]
        fn one_flipped_bit_ends_what_is_replayed(sizes in sizes(), which in any::<Index>(), at in any::<Index>(), bit in 0_u32..8) {
            let mut written = write(&sizes);
            let which = which.index(written.last_round.len());
            let range = written.last_round[which].1.clone();
            written.bytes[range.start + at.index(range.len())] ^= 1_u8 << bit;
            let found = read(&written.bytes, &ID);
            let first = written.last_round[0].0;
            if which > 0 {
                prop_assert_eq!(numbers(&found), (first..).take(which).collect::<Vec<_>>());
            }
            let is_last = which + 1 == written.last_round.len();
            prop_assert_eq!(replayed(&found, first - 1) < found.highest, !is_last);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(read(&bytes, &ID).entries.is_empty());
        }
    }

    /// A record may contain the bytes of a journal, aligned like entries.
    #[test]
    fn the_contents_of_a_record_are_not_read_as_an_entry() {
        let mut batch = Batch::default();
        let key = b"key";
        // Fills the entry up to its second block.
        let mut value = vec![
            0;
            DRIVE_BLOCK
                - HEAD_BYTES
                - crate::store::sled::folder::journal::CHANGE_HEAD_BYTES
                - key.len()
        ];
        value.extend(entry(9, 100));
        batch.insert(key, value);
        let mut bytes = Vec::new();
        encode(&mut bytes, &ID, 1, &batch);
        assert_eq!(
            read_entry(&bytes[DRIVE_BLOCK..], &ID).map(|entry| entry.commit_number),
            Some(9)
        );
        assert_eq!(read(&bytes, &ID).highest, 1);
    }
}
