//! Values in memory. This is the only part of the store that the event loop reads.
//!
//! An entry holds the contents of a key, or the fact that the key has no value. An entry is never out of date, because
//! - the writer puts every changed value into the cache before it acknowledges the change;
//! - a reader that fills the cache from disk takes a placeholder **before** it reads. The writer's change removes the
//!   placeholder, so a late fill with an old value is dropped.

use crate::store::contents::{Contents, Packed};
use crate::store::error::Result;
use crate::store::key::Key;
use crate::store::version::Versions;
use quick_cache::sync::{Cache as QuickCache, DefaultLifecycle, GuardResult};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::available_parallelism;

/// Heaviest entry that is cached, in bytes. A heavier one would evict hundreds of records to save one read.
const HEAVIEST: usize = 16 * 1024;
/// Smallest shard of the cache, in bytes. An entry that does not fit into 97 % of its shard would be refused, and leave
/// the placeholder of a reader in place, whose late fill would then cover the change. Therefore every entry that is
/// cached has to fit.
const SMALLEST_SHARD: u64 = 2 * HEAVIEST as u64;
/// Expected weight of an entry, in bytes: that of a session or an account. The library remembers half as many evicted
/// keys as it expects entries, which costs up to 6 % more than the size of the cache: 40 bytes in a list and 8 in a
/// table, both of which grow by doubling. With half of them, up to 1.6 of 100 look-ups more were misses.
const EXPECTED: u64 = 512;
/// Number of shards per processor, so that threads seldom wait for each other.
const SHARDS_PER_PROCESSOR: usize = 4;
/// Bytes of an entry besides its key and its contents, measured as resident memory.
const ENTRY_OVERHEAD: usize = 96;

/// Memory does not hold the answer, so only the disk can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotCached;

/// An answer from memory.
pub type Cached<T> = std::result::Result<T, NotCached>;

/// The contents of recently used keys.
pub struct Cache {
    /// By the hash of the key, which is shorter than the key. Two keys may have the same hash; therefore every look-up
    /// compares the key in the entry.
    entries: QuickCache<u64, Packed, Weigh>,
    hash: DefaultHashBuilder,
    versions: Versions,
    hits: AtomicU64,
    misses: AtomicU64,
}

#[derive(Clone)]
struct Weigh;

impl Weighter<u64, Packed> for Weigh {
    fn weight(&self, _: &u64, entry: &Packed) -> u64 {
        (entry.size() + ENTRY_OVERHEAD) as u64
    }
}

impl Cache {
    /// Returns a cache of at most `bytes`, besides the evicted keys that it remembers.
    pub fn new(bytes: u64) -> Self {
        let processors = available_parallelism().map_or(1, usize::from);
        Self::with_shards(bytes, SHARDS_PER_PROCESSOR * processors)
    }

    /// Returns a cache of `shards` parts, or of fewer if they would be too small.
    fn with_shards(bytes: u64, shards: usize) -> Self {
        let [expected, most] = [bytes / EXPECTED, (bytes / SMALLEST_SHARD).max(1)]
            .map(|number| usize::try_from(number).unwrap_or(usize::MAX));
        let options = OptionsBuilder::new()
            // The library rounds the number up to a power of two.
            .shards(shards.min(1 << most.ilog2()))
            .estimated_items_capacity(expected)
            .weight_capacity(bytes)
            .build();
        let (hash, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
        Self {
            entries: match options {
                Ok(options) => QuickCache::with_options(options, Weigh, hash.clone(), lifecycle),
                // Both sizes are set, so there are always options.
                Err(_) => QuickCache::with_weighter(expected, bytes, Weigh),
            },
            hash,
            versions: Versions::new(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// Versions for callers that cache what they have read.
    pub fn versions(&self) -> &Versions {
        &self.versions
    }

    /// Returns the value of `key`, or `None` if it has none. Does no I/O.
    pub fn peek(&self, key: &Key) -> Cached<Option<Contents>> {
        let entry = self.entries.get(&self.hash(key)).ok_or(NotCached)?;
        self.hit(key, entry)
    }

    /// Returns the contents of `key`, and calls `read` if they are not cached. Blocks.
    pub fn get_or_read(
        &self,
        key: &Key,
        read: impl FnOnce() -> Result<Option<Contents>>,
    ) -> Result<Option<Contents>> {
        match self.entries.get_value_or_guard(&self.hash(key), None) {
            GuardResult::Value(entry) => self.hit(key, entry).or_else(|NotCached| read()),
            GuardResult::Timeout => read(),
            GuardResult::Guard(placeholder) => {
                self.misses.fetch_add(1, Ordering::Relaxed);
                let contents = read()?;
                if let Some(entry) = pack(key, contents.as_ref()) {
                    // The insertion is refused if the writer has changed the key meanwhile. The cache then has the
                    // newer value.
                    let _ = placeholder.insert(entry);
                }
                Ok(contents)
            }
        }
    }

    /// Returns the number of hits, the number of misses, and the bytes in the cache.
    pub fn counts(&self) -> (u64, u64, u64) {
        let [hits, misses] =
            [&self.hits, &self.misses].map(|counter| counter.load(Ordering::Relaxed));
        (hits, misses, self.entries.weight())
    }

    /// Sets the value of `key` to `contents`. Called by the writer only.
    pub fn publish(&self, key: &Key, contents: Option<&Contents>) {
        let hash = self.hash(key);
        match pack(key, contents) {
            Some(entry) => self.entries.insert(hash, entry),
            None => drop(self.entries.remove(&hash)),
        }
        self.versions.change(key);
    }

    /// Adds a value that was read while its version was `version`, unless it has changed since. Called by the thread that
    /// calls [`Cache::evict`], so that no change comes in between.
    #[cfg(feature = "postgres")]
    pub fn fill(&self, key: &Key, contents: Option<&Contents>, version: u64) {
        if self.versions.is_current(version) {
            if let Some(entry) = pack(key, contents) {
                self.entries.insert(self.hash(key), entry);
            }
        }
    }

    /// Drops the value of `key`, because it has changed.
    #[cfg(feature = "postgres")]
    pub fn evict(&self, key: &Key) {
        self.entries.remove(&self.hash(key));
        self.versions.change(key);
    }

    /// Drops all entries, because any key may have changed. Called by the writer only.
    pub fn clear(&self) {
        self.entries.clear();
        self.versions.change_all();
    }

    fn hash(&self, key: &Key) -> u64 {
        self.hash.hash_one(key.encoded())
    }

    /// Returns the value in `entry`, which was found by the hash of `key`.
    fn hit(&self, key: &Key, entry: Packed) -> Cached<Option<Contents>> {
        if entry.key() != key.encoded() {
            return Err(NotCached);
        }
        self.hits.fetch_add(1, Ordering::Relaxed);
        Ok(entry.contents())
    }
}

/// Returns the entry for the value of `key`. Returns `None` if it is too heavy.
fn pack(key: &Key, contents: Option<&Contents>) -> Option<Packed> {
    let bytes = key.encoded().len() + contents.map_or(0, Contents::size);
    (bytes + ENTRY_OVERHEAD <= HEAVIEST).then(|| Packed::new(key, contents)).flatten()
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
            ("write", |cache, key| cache.publish(&key, Some(&contents("new")))),
            ("remove", |cache, key| cache.publish(&key, None)),
            ("large", |cache, key| cache.publish(&key, Some(&vec![0; 64 * 1024].into()))),
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
            assert_ne!(cache.peek(&key), Ok(Some(contents("old"))), "{name}");
        }
    }

    #[test]
    fn a_failed_read_leaves_nothing_behind() {
        let cache = Cache::new(1 << 20);
        let key = Key::record(b"a");
        assert!(cache.get_or_read(&key, || Err(StoreError::Closed)).is_err());
        assert_eq!(cache.peek(&key), Err(NotCached));
        assert_eq!(cache.get_or_read(&key, || Ok(None)).unwrap(), None);
        assert_eq!(cache.peek(&key), Ok(None));
    }

    #[test]
    fn the_smallest_cache_accepts_every_entry_up_to_the_heaviest_with_any_number_of_processors() {
        let key = Key::record(b"a");
        let heaviest = HEAVIEST - ENTRY_OVERHEAD - key.encoded().len();
        for processors in [1, 2, 3, 16, 100, 1000] {
            let cache = Cache::with_shards(1 << 20, SHARDS_PER_PROCESSOR * processors);
            for length in (0..heaviest).step_by(500).chain([heaviest]) {
                cache.publish(&key, Some(&vec![1; length].into()));
                assert_eq!(cache.peek(&key), Ok(Some(vec![1; length].into())), "{length}");
            }
        }
    }

    #[test]
    fn a_late_fill_never_covers_the_heaviest_entry_with_any_number_of_processors() {
        let key = Key::record(b"a");
        let heaviest = vec![1; HEAVIEST - ENTRY_OVERHEAD - key.encoded().len()];
        for processors in [1, 16, 1000] {
            let cache = Cache::with_shards(1 << 20, SHARDS_PER_PROCESSOR * processors);
            cache
                .get_or_read(&key, || {
                    cache.publish(&key, Some(&heaviest.clone().into()));
                    Ok(Some(contents("old")))
                })
                .unwrap();
            assert_ne!(cache.peek(&key), Ok(Some(contents("old"))), "{processors}");
        }
    }

    #[test]
    fn an_entry_of_another_key_with_the_same_hash_is_never_returned() {
        let cache = Cache::new(1 << 20);
        let (key, other) = (Key::record(b"a"), Key::record(b"b"));
        let entry = pack(&other, Some(&contents("of the other"))).unwrap();
        cache.entries.insert(cache.hash(&key), entry);
        assert_eq!(cache.peek(&key), Err(NotCached));
        let read = cache.get_or_read(&key, || Ok(Some(contents("read"))));
        assert_eq!(read.unwrap(), Some(contents("read")));
        cache.publish(&key, Some(&contents("written")));
        assert_eq!(cache.peek(&key), Ok(Some(contents("written"))));
    }

    #[test]
    fn the_cache_stays_within_its_size() {
        let cache = Cache::new(1 << 20);
        for number in 0_u32..20_000 {
            cache.publish(&Key::record(&number.to_be_bytes()), Some(&vec![0; 200].into()));
        }
        assert!(cache.entries.weight() <= 1 << 20);
        assert!(cache.entries.len() > 1000);
    }
}
