//! Statistics of an open store that are cheap to collect.

use crate::store::error::Result;
use crate::store::report::Stats;
use crate::store::sled::folder::{free_space, swap};
use crate::store::sled::Store;

impl Store {
    /// Collects the statistics without reading any data. Asks the system for the sizes of a few files.
    pub fn stats(&self) -> Result<Stats> {
        let (cache_hits, cache_misses, cache_bytes) = self.shared.cache.counts();
        self.shared.with_disk(|disk| {
            Ok(Stats {
                open_seconds: self.shared.statistics.open_for().as_secs_f64(),
                waiting: self.waiting(),
                cache_hits,
                cache_misses,
                cache_bytes,
                commits: self.shared.statistics.commits(),
                disk_bytes: free_space::size_of(disk.folder())?,
                replaced_bytes: disk.folder().parent().map_or(Ok(0), swap::replaced_bytes)?,
            })
        })
    }
}
