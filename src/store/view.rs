//! A view of a store for one look-up: a function that reads some records or lists and returns an answer.
//!
//! The embedded engine reads at once, on a thread that may block. A database is far away: a look-up runs until it lacks
//! something, the engine fetches that without a thread that waits, and the look-up runs again.

use crate::store::contents::Contents;
use crate::store::error::Result;
#[cfg(feature = "postgres")]
use crate::store::fetched::{Fetched, Question};
use crate::store::follow::Follow;
use crate::store::key::{Key, ListPath};
use crate::store::sled;

/// The records and lists that a look-up can read.
pub struct View<'a>(Behind<'a>);

enum Behind<'a> {
    Sled(&'a sled::Store),
    #[cfg(feature = "postgres")]
    Postgres(&'a Fetched),
}

impl<'a> View<'a> {
    pub(in crate::store) fn of_sled(store: &'a sled::Store) -> Self {
        Self(Behind::Sled(store))
    }

    #[cfg(feature = "postgres")]
    pub(in crate::store) fn of_postgres(fetched: &'a Fetched) -> Self {
        Self(Behind::Postgres(fetched))
    }

    /// Reads the record at `key`.
    pub fn read(&self, key: &Key) -> Result<Option<Contents>> {
        match self.0 {
            Behind::Sled(store) => store.read(key),
            #[cfg(feature = "postgres")]
            Behind::Postgres(fetched) => fetched.record(key, || Question::Record(key.clone())),
        }
    }

    /// Reads the record at `key`, before the one that it names by `follow`.
    pub fn read_first(&self, key: &Key, follow: &Follow) -> Result<Option<Contents>> {
        match self.0 {
            Behind::Sled(store) => {
                // The second record is in the cache, or read from the disk as fast on its own.
                let _ = follow;
                store.read(key)
            }
            #[cfg(feature = "postgres")]
            Behind::Postgres(fetched) => {
                fetched.record(key, || Question::Following(key.clone(), follow.clone()))
            }
        }
    }

    /// Reads the records at `keys`.
    pub fn read_all(&self, keys: &[Key]) -> Result<Vec<Option<Contents>>> {
        // Each one is asked for before the first failure is returned, so that all are fetched together.
        let read: Vec<_> = keys.iter().map(|key| self.read(key)).collect();
        read.into_iter().collect()
    }

    /// Returns the version of the record at `key`. Take it before the record is read.
    #[must_use]
    pub fn version(&self, key: &Key) -> u64 {
        match self.0 {
            Behind::Sled(store) => store.version(key),
            #[cfg(feature = "postgres")]
            Behind::Postgres(fetched) => fetched.version(key),
        }
    }

    /// Returns the number of items in a list.
    pub fn count(&self, path: &ListPath) -> Result<u64> {
        match self.0 {
            Behind::Sled(store) => store.count(path),
            #[cfg(feature = "postgres")]
            Behind::Postgres(fetched) => fetched.count(path),
        }
    }

    /// Returns whether a list has `item`.
    pub fn has(&self, path: &ListPath, item: &[u8]) -> Result<bool> {
        match self.0 {
            Behind::Sled(store) => store.has(path, item),
            #[cfg(feature = "postgres")]
            Behind::Postgres(fetched) => fetched.has(path, item),
        }
    }

    /// Returns at most `size` items of a list, newest first. Skips the `offset` newest items.
    pub fn page(&self, path: &ListPath, offset: u64, size: u64) -> Result<Vec<Contents>> {
        match self.0 {
            Behind::Sled(store) => store.page(path, offset, size),
            #[cfg(feature = "postgres")]
            Behind::Postgres(fetched) => fetched.page(path, offset, size),
        }
    }
}
