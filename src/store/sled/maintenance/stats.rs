//! Numbers of an open store: what costs nothing to know at any time.

use crate::store::error::Result;
use crate::store::sled::commit::statistics::Commits;
use crate::store::sled::folder::{free_space, swap};
use crate::store::sled::Store;

/// What a store has done since it was opened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stats {
    /// For how long it has been open, in seconds.
    pub open_seconds: f64,
    /// Changes that wait to be written.
    pub waiting: usize,
    /// Look-ups that memory answered.
    pub cache_hits: u64,
    /// Those that were read from the disk.
    pub cache_misses: u64,
    /// What the cache holds, in bytes.
    pub cache_bytes: u64,
    /// What was written to the disk, and how long that took.
    pub commits: Commits,
    /// The files of the store, in bytes.
    pub disk_bytes: u64,
    /// The files of the stores that restores have replaced, in bytes.
    pub replaced_bytes: u64,
}

impl Store {
    /// What there is to know without reading any data. Asks the system for the sizes of a few files.
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
