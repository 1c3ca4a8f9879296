//! Lists. A count takes one read, a page one short scan, and a large offset does not walk the list.
//!
//! Each item has a sequence number, and these only grow, so newest first means backwards. A block has 256 numbers, and
//! a segment has 256 blocks. A tally holds the number of items in every block of a segment. To skip an offset, a page
//! skips whole segments by their tallies, then whole blocks, and walks at most one block. The head holds the number of
//! items in the newest block, because the head changes with every item anyway. A tally changes only when a block is
//! full, or loses an item.

use crate::store::contents::Contents;
use crate::store::error::Result;
use crate::store::key::{Key, ListPath};
use crate::store::sled::database::disk::Disk;
use crate::store::sled::format::value::damaged;
use std::collections::HashMap;

pub(in crate::store::sled) const BLOCK: u64 = 256;
const BLOCKS: usize = 256;
/// Number of sequence numbers per tally.
pub(in crate::store) const SEGMENT: u64 = BLOCK * BLOCKS as u64;

/// The head of a list. An empty list has no head.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Head {
    /// Number of items.
    pub count: u64,
    pub(in crate::store::sled) next: u64,
    /// Number of the batch that changed the list last. A reader can tell by it that the list has changed.
    pub(in crate::store::sled) changed_in: u64,
    /// Number of items in the newest block. Tallies hold those of the other blocks.
    pub(in crate::store::sled) newest: u64,
}

impl Head {
    /// Decodes the head of the list at `path`.
    pub fn read(path: &ListPath, contents: Option<&[u8]>) -> Result<Self> {
        let Some(contents) = contents else {
            return Ok(Self::default());
        };
        let numbers: Option<Vec<u64>> = contents
            .chunks(8)
            .map(|number| number.try_into().map(u64::from_be_bytes).ok())
            .collect();
        match numbers.as_deref() {
            Some(&[count, next, changed_in, newest]) => {
                Ok(Self { count, next, changed_in, newest })
            }
            _ => Err(damaged(&path.head())),
        }
    }

    pub(in crate::store::sled) fn is_in_newest_block(&self, sequence: u64) -> bool {
        sequence / BLOCK == self.last() / BLOCK
    }

    pub(in crate::store::sled) fn last(&self) -> u64 {
        self.next.saturating_sub(1)
    }

    /// Returns the stored form.
    pub fn contents(self) -> Contents {
        [self.count, self.next, self.changed_in, self.newest].map(u64::to_be_bytes).concat().into()
    }
}

/// Number of items in each block of a segment.
#[derive(PartialEq)]
pub struct BlockCounts([u16; BLOCKS]);

impl Default for BlockCounts {
    fn default() -> Self {
        Self([0; BLOCKS])
    }
}

impl BlockCounts {
    /// Decodes the tally of a segment of the list at `path`.
    pub fn read(path: &ListPath, segment: u64, contents: Option<&[u8]>) -> Result<Self> {
        let mut counts = [0; BLOCKS];
        let Some(contents) = contents else {
            return Ok(Self::default());
        };
        if contents.len() != 2 * BLOCKS {
            return Err(damaged(&path.tally(segment)));
        }
        for (count, bytes) in counts.iter_mut().zip(contents.chunks_exact(2)) {
            *count = bytes.try_into().map_or(0, u16::from_be_bytes);
        }
        Ok(Self(counts))
    }

    /// Changes the count of the block of `sequence`.
    pub(in crate::store::sled) fn change(
        &mut self,
        sequence: u64,
        change: impl FnOnce(u16) -> u16,
    ) {
        if let Some(count) = self.0.get_mut(block_of(sequence)) {
            *count = change(*count);
        }
    }

    pub(in crate::store::sled) fn is_empty(&self) -> bool {
        self.0.iter().all(|count| *count == 0)
    }

    /// Returns the stored form.
    pub fn contents(&self) -> Contents {
        self.0.map(u16::to_be_bytes).concat().into()
    }
}

/// Counters of a list, counted from its items.
#[derive(Default)]
pub struct Counted {
    count: u64,
    next: u64,
    tallies: HashMap<u64, BlockCounts>,
}

impl Counted {
    /// Counts an item with the number `sequence`.
    pub fn add(&mut self, sequence: u64) {
        self.count += 1;
        self.next = self.next.max(sequence.saturating_add(1));
        let tally = self.tallies.entry(sequence / SEGMENT).or_default();
        tally.change(sequence, |count| count.saturating_add(1));
    }

    /// Returns the correct head of the list and its correct tallies by segment. `known` is the stored head.
    #[must_use]
    pub fn numbers(mut self, known: Option<Head>) -> (Head, HashMap<u64, BlockCounts>) {
        let known = known.unwrap_or_default();
        let next = self.next.max(known.next);
        let mut head = Head { count: self.count, next, newest: 0, ..known };
        let last = head.last();
        if let Some(tally) = self.tallies.get_mut(&(last / SEGMENT)) {
            tally.change(last, |count| {
                head.newest = count.into();
                0
            });
        }
        self.tallies.retain(|_, tally| !tally.is_empty());
        (head, self.tallies)
    }
}

fn block_of(sequence: u64) -> usize {
    // Below BLOCKS, so it fits.
    usize::try_from(sequence % SEGMENT / BLOCK).unwrap_or_default()
}

/// Returns the sequence number of the item after the `offset` newest ones; `None` if the list with that `head` has no
/// more.
pub fn nth(disk: &Disk, path: &ListPath, head: &Head, offset: u64) -> Result<Option<u64>> {
    if offset >= head.count {
        return Ok(None);
    }
    let Some(Start { last, skip }) = start(disk, path, head, offset)? else {
        return Ok(None);
    };
    let mut items = disk.backwards(&path.item(0), &path.item(last));
    let found = items.nth(usize::try_from(skip).unwrap_or(usize::MAX)).transpose()?;
    Ok(found.and_then(|(encoded, _)| Key::number(&encoded)))
}

/// First item of a page: `skip` items below the newest one at or below `last`.
struct Start {
    last: u64,
    skip: u64,
}

fn start(disk: &Disk, path: &ListPath, head: &Head, offset: u64) -> Result<Option<Start>> {
    if offset < BLOCK {
        return Ok(Some(Start { last: head.next, skip: offset }));
    }
    let mut skip = offset.saturating_sub(head.newest);
    for tally in disk.backwards(&path.tally(0), &path.tally(u64::MAX)) {
        let (encoded, stored) = tally?;
        let segment = Key::number(&encoded).unwrap_or_default();
        let contents = disk.contents(&path.tally(segment), &stored)?;
        let tally = BlockCounts::read(path, segment, contents.as_deref())?;
        let total: u64 = tally.0.iter().copied().map(u64::from).sum();
        if skip >= total {
            skip -= total;
            continue;
        }
        for (block, count) in (0..BLOCK).rev().zip(tally.0.into_iter().rev()) {
            if skip < u64::from(count) {
                let last = segment * SEGMENT + block * BLOCK + (BLOCK - 1);
                return Ok(Some(Start { last, skip }));
            }
            skip -= u64::from(count);
        }
    }
    Ok(None)
}
