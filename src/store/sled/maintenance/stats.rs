//! Statistics of an open store that are cheap to collect.

use crate::store::error::Result;
use crate::store::sled::commit::statistics::Commits;
use crate::store::sled::folder::{free_space, swap};
use crate::store::sled::Store;

/// Activity of a store since it was opened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stats {
    /// Time since the opening, in seconds.
    pub open_seconds: f64,
    /// Number of changes that wait to be written.
    pub waiting: usize,
    /// Number of look-ups that the cache answered.
    pub cache_hits: u64,
    /// Number of look-ups that were read from disk.
    pub cache_misses: u64,
    /// Size of the cached values, in bytes.
    pub cache_bytes: u64,
    /// Number and duration of the commits.
    pub commits: Commits,
    /// Size of the store's files, in bytes.
    pub disk_bytes: u64,
    /// Size of the stores that restores have replaced, in bytes.
    pub replaced_bytes: u64,
}

impl Stats {
    /// Returns the share of look-ups that the cache answered, or `None` before the first look-up.
    #[must_use]
    pub fn hit_rate(&self) -> Option<f64> {
        let lookups = self.cache_hits + self.cache_misses;
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        (lookups > 0).then(|| self.cache_hits as f64 / lookups as f64)
    }
}

impl Store {
    /// Collects the statistics without reading any data. Asks the system for the sizes of a few files.
    pub fn stats(&self) -> Result<Stats> {
        let (cache_hits, cache_misses, cache_bytes) = self.shared.cache.counts();
        self.shared.with_disk(|disk| {
            Ok(Stats {
                open_seconds: self.shared.syncs.open_for().as_secs_f64(),
                waiting: self.waiting(),
                cache_hits,
                cache_misses,
                cache_bytes,
                commits: self.shared.syncs.commits(),
                disk_bytes: free_space::size_of(disk.folder())?,
                replaced_bytes: disk.folder().parent().map_or(Ok(0), swap::replaced_bytes)?,
            })
        })
    }
}
