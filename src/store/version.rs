//! Versions tell whether a record may have changed since it was read, without another read.
//!
//! Many keys share a slot. A version may therefore be out of date although its record did not change, but never the other
//! way round:
//! - a reader takes the version **before** it reads;
//! - the writer first publishes the new value, then changes the slot, then acknowledges.

use crate::store::key::Key;
use std::sync::atomic::{AtomicU64, Ordering};

/// Number of slots. They take 128 KiB per store; a commit of 64 records invalidates one version in 256 needlessly.
const SLOTS: u64 = 1 << 14;

/// Number of changes in each slot.
pub struct Versions(Box<[AtomicU64]>);

impl Versions {
    /// Returns the versions of a store that was just opened.
    pub fn new() -> Self {
        Self((0..SLOTS).map(|_| AtomicU64::new(0)).collect())
    }

    /// Returns the version for a value of `key` that is read from now on. It is an integer that a double holds exactly,
    /// for the first 2^39 changes of a slot.
    pub fn of(&self, key: &Key) -> u64 {
        let slot = slot_of(key);
        self.slot(slot).map_or(0, |count| count.load(Ordering::Acquire) * SLOTS + slot)
    }

    /// Returns whether a value that was read under `version` is unchanged.
    pub fn is_current(&self, version: u64) -> bool {
        self.slot(version % SLOTS)
            .is_some_and(|count| count.load(Ordering::Acquire) == version / SLOTS)
    }

    /// Records a change of the value at `key`.
    pub fn change(&self, key: &Key) {
        if let Some(count) = self.slot(slot_of(key)) {
            count.fetch_add(1, Ordering::Release);
        }
    }

    /// Records a change of every key.
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
    fn a_version_is_out_of_date_when_its_record_has_changed() {
        let (versions, key) = (Versions::new(), Key::record(b"a"));
        let before = versions.of(&key);
        assert!(versions.is_current(before));
        versions.change(&key);
        assert!(!versions.is_current(before));
        let after = versions.of(&key);
        assert!(versions.is_current(after));
        versions.change(&Key::record(b"another"));
        assert!(versions.is_current(after));
        versions.change_all();
        assert!(!versions.is_current(after));
    }
}
