//! Stamps tell whether a record may have changed since it was read, without reading it again.
//!
//! Many keys share a slot, so a stamp may be out of date though its record is not; never the other way round:
//! - who reads takes the stamp **before** it reads;
//! - the writer shows the new value first, then changes the slot, then acknowledges.

use crate::store::key::Key;
use std::sync::atomic::{AtomicU64, Ordering};

/// 128 KiB for each store; a commit of 64 records makes one stamp in 256 out of date for nothing.
const SLOTS: u64 = 1 << 14;

/// How often the records of each slot have changed.
pub struct Stamps(Box<[AtomicU64]>);

impl Stamps {
    /// Stamps of a store that was just opened.
    pub fn new() -> Self {
        Self((0..SLOTS).map(|_| AtomicU64::new(0)).collect())
    }

    /// The stamp of what is read at `key` from now on: a whole number that a double holds exactly, for the first
    /// 2^39 changes of a slot.
    pub fn of(&self, key: &Key) -> u64 {
        let slot = slot_of(key);
        self.slot(slot).map_or(0, |count| count.load(Ordering::Acquire) * SLOTS + slot)
    }

    /// Whether what was read under `stamp` still stands there.
    pub fn is_current(&self, stamp: u64) -> bool {
        self.slot(stamp % SLOTS).is_some_and(|count| count.load(Ordering::Acquire) == stamp / SLOTS)
    }

    /// What stands at `key` was changed.
    pub fn change(&self, key: &Key) {
        if let Some(count) = self.slot(slot_of(key)) {
            count.fetch_add(1, Ordering::Release);
        }
    }

    /// Everything was changed.
    pub fn change_all(&self) {
        for count in &self.0 {
            count.fetch_add(1, Ordering::Release);
        }
    }

    fn slot(&self, slot: u64) -> Option<&AtomicU64> {
        usize::try_from(slot).ok().and_then(|slot| self.0.get(slot))
    }
}

fn slot_of(key: &Key) -> u64 {
    u64::from(crc32fast::hash(key.encoded())) % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_out_of_date_when_its_record_has_changed() {
        let (stamps, key) = (Stamps::new(), Key::record(b"a"));
        let before = stamps.of(&key);
        assert!(stamps.is_current(before));
        stamps.change(&key);
        assert!(!stamps.is_current(before));
        let after = stamps.of(&key);
        assert!(stamps.is_current(after));
        stamps.change(&Key::record(b"another"));
        assert!(stamps.is_current(after));
        stamps.change_all();
        assert!(!stamps.is_current(after));
    }
}
