//! Reports of a store about itself.

use crate::store::findings::Findings;

/// Result of a verification.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Number of Dashboard records.
    pub records: u64,
    /// Number of lists that are not empty.
    pub lists: u64,
    /// Number of items in all lists.
    pub items: u64,
    /// Size of all keys and values, in bytes.
    pub bytes: u64,
    /// The problems found.
    pub problems: Findings,
}

/// Statistics of a store's commits. The duration of a commit counts from its first write to its end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Commits {
    /// Number of commits.
    pub total: u64,
    /// Commits per second, averaged over the last sixty seconds.
    pub per_second: f64,
    /// Percentiles 50, 90, 99 and 100 of the durations, in milliseconds; `None` if there was no commit.
    pub milliseconds: Option<[f64; 4]>,
    /// The same of this minute and of the one before.
    pub recent_milliseconds: Option<[f64; 4]>,
    /// Number of writes of which a part was stale, and therefore refused.
    pub stale_writes: u64,
}

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
