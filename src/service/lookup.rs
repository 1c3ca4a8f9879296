//! Where a look-up reads records: in memory only, or also on the disk.

use crate::store::{Cached, Contents, Follow, Key, NotCached, Result, Store, StoreError, View};

/// Records to look up.
pub trait Source {
    /// Why a record cannot be read.
    type Failure;

    /// Returns the record at `key`, or `None` if there is none.
    fn read(&self, key: &Key) -> std::result::Result<Option<Contents>, Self::Failure>;

    /// Returns the record at `key`, before the one that it names by `follow`.
    fn read_first(
        &self,
        key: &Key,
        _follow: impl FnOnce() -> Follow,
    ) -> std::result::Result<Option<Contents>, Self::Failure> {
        self.read(key)
    }

    /// Returns the version of the record at `key`. Take it before the record is read.
    fn version(&self, key: &Key) -> u64;
}

/// The records of a store that are in memory. Never waits.
pub struct Memory<'a>(pub &'a Store);

impl Source for Memory<'_> {
    type Failure = NotCached;

    fn read(&self, key: &Key) -> Cached<Option<Contents>> {
        self.0.peek(key)
    }

    fn version(&self, key: &Key) -> u64 {
        self.0.version(key)
    }
}

/// All records of a store.
impl Source for View<'_> {
    type Failure = StoreError;

    fn read(&self, key: &Key) -> Result<Option<Contents>> {
        View::read(self, key)
    }

    fn read_first(&self, key: &Key, follow: impl FnOnce() -> Follow) -> Result<Option<Contents>> {
        View::read_first(self, key, &follow())
    }

    fn version(&self, key: &Key) -> u64 {
        View::version(self, key)
    }
}
