//! What is in memory: the only thing that the event loop asks.
//!
//! An entry says what stands at a key, or that nothing does. It is right at any time, because
//! - the writer puts every changed value in before it acknowledges the change;
//! - who fills the cache from the disk takes a placeholder **before** it reads, and a placeholder
//!   dies with the writer's change: a late fill of an old value has nowhere to go.

use crate::store::contents::Contents;
use crate::store::error::Result;
use crate::store::key::Key;
use crate::store::version::Stamps;
use quick_cache::sync::{Cache as QuickCache, GuardResult};
use quick_cache::Weighter;
use std::sync::atomic::{AtomicU64, Ordering};

/// A heavier entry is not kept: it would push out hundreds of records to save one read. The cache's
/// smallest shard takes twice as much, so whatever is kept is taken, and replaces what was there.
const HEAVIEST: u64 = 16 * 1024;
/// What an entry takes besides its key and twice its contents, measured as resident memory: what a use case
/// has read from a record is kept beside it, and is about as long.
const ENTRY_OVERHEAD: usize = 256;

/// What stands at each of the keys that were used lately.
pub struct Cache {
    entries: QuickCache<Key, Option<Contents>, Weigh>,
    stamps: Stamps,
    misses: AtomicU64,
}

#[derive(Clone)]
struct Weigh;

impl Weighter<Key, Option<Contents>> for Weigh {
    fn weight(&self, key: &Key, contents: &Option<Contents>) -> u64 {
        weight(key, contents.as_ref())
    }
}

impl Cache {
    /// A cache of `bytes`.
    pub fn new(bytes: u64) -> Self {
        // Only a hint for the first allocation: a session or an account is some 300 bytes.
        let expected = usize::try_from(bytes / 1024).unwrap_or(usize::MAX);
        let entries = QuickCache::with_weighter(expected, bytes, Weigh);
        Self { entries, stamps: Stamps::new(), misses: AtomicU64::new(0) }
    }

    /// For those who keep what they read.
    pub fn stamps(&self) -> &Stamps {
        &self.stamps
    }

    /// What is known of `key`: `None` if nothing, `Some(None)` that nothing stands there.
    pub fn peek(&self, key: &Key) -> Option<Option<Contents>> {
        self.entries.get(key)
    }

    /// What stands at `key`, read by `read` if it is not known. Blocks.
    pub fn get_or_read(
        &self,
        key: &Key,
        read: impl FnOnce() -> Result<Option<Contents>>,
    ) -> Result<Option<Contents>> {
        match self.entries.get_value_or_guard(key, None) {
            GuardResult::Value(contents) => Ok(contents),
            GuardResult::Timeout => read(),
            GuardResult::Guard(placeholder) => {
                self.misses.fetch_add(1, Ordering::Relaxed);
                let contents = read()?;
                if is_kept(key, contents.as_ref()) {
                    // Refused when the writer changed the key meanwhile: then its value is newer.
                    let _ = placeholder.insert(contents.clone());
                }
                Ok(contents)
            }
        }
    }

    /// Look-ups that were answered, those that had to be read, and the bytes that are held.
    pub fn counts(&self) -> (u64, u64, u64) {
        (self.entries.hits(), self.misses.load(Ordering::Relaxed), self.entries.weight())
    }

    /// The writer's side: `contents` stand at `key` from now on.
    pub fn publish(&self, key: &Key, contents: Option<Contents>) {
        if is_kept(key, contents.as_ref()) {
            self.entries.insert(key.clone(), contents);
        } else {
            self.entries.remove(key);
        }
        self.stamps.change(key);
    }

    /// The writer's side: everything has changed.
    pub fn clear(&self) {
        self.entries.clear();
        self.stamps.change_all();
    }
}

fn weight(key: &Key, contents: Option<&Contents>) -> u64 {
    (key.size() + 2 * contents.map_or(0, Contents::size) + ENTRY_OVERHEAD) as u64
}

fn is_kept(key: &Key, contents: Option<&Contents>) -> bool {
    weight(key, contents) <= HEAVIEST
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::error::StoreError;

    fn contents(text: &str) -> Contents {
        text.as_bytes().into()
    }

    #[test]
    fn a_late_fill_never_covers_a_change() {
        type Change = fn(&Cache, Key);
        let changes: [(&str, Change); 4] = [
            ("write", |cache, key| cache.publish(&key, Some(contents("new")))),
            ("remove", |cache, key| cache.publish(&key, None)),
            ("large", |cache, key| cache.publish(&key, Some(vec![0; 64 * 1024].into()))),
            ("clear", |cache, _| cache.clear()),
        ];
        for (name, change) in changes {
            let cache = Cache::new(1 << 20);
            let key = Key::record(b"a");
            let read = cache.get_or_read(&key, || {
                change(&cache, key.clone());
                Ok(Some(contents("old")))
            });
            assert_eq!(read.unwrap(), Some(contents("old")), "{name}");
            assert_ne!(cache.peek(&key), Some(Some(contents("old"))), "{name}");
        }
    }

    #[test]
    fn a_failed_read_leaves_nothing_behind() {
        let cache = Cache::new(1 << 20);
        let key = Key::record(b"a");
        assert!(cache.get_or_read(&key, || Err(StoreError::Closed)).is_err());
        assert_eq!(cache.peek(&key), None);
        assert_eq!(cache.get_or_read(&key, || Ok(None)).unwrap(), None);
        assert_eq!(cache.peek(&key), Some(None));
    }

    #[test]
    fn whatever_is_kept_is_taken_by_the_smallest_cache() {
        let cache = Cache::new(1 << 20);
        for length in (0..8_000).step_by(500) {
            let key = Key::record(b"a");
            cache.publish(&key, Some(vec![1; length].into()));
            assert_eq!(cache.peek(&key), Some(Some(vec![1; length].into())), "{length}");
        }
    }

    #[test]
    fn long_names_weigh() {
        let cache = Cache::new(1 << 20);
        for number in 0_u32..1000 {
            cache.publish(&Key::record(&[&number.to_be_bytes()[..], &[0; 10_000]].concat()), None);
        }
        assert!(cache.entries.len() < 110);
    }

    #[test]
    fn it_stays_within_its_size() {
        let cache = Cache::new(1 << 20);
        for number in 0_u32..20_000 {
            cache.publish(&Key::record(&number.to_be_bytes()), Some(vec![0; 200].into()));
        }
        assert!(cache.entries.weight() <= 1 << 20);
        assert!(cache.entries.len() > 1000);
    }
}
