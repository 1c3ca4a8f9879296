//! The overlay of a transaction: its changed values on top of the stored ones.

use crate::store::cache::{Cached, NotCached};
use crate::store::contents::Contents;
use crate::store::error::Result;
use crate::store::key::Key;
use crate::store::sled::commit::shared::Shared;
use crate::store::sled::database::disk::Disk;
use crate::store::sled::format::batch::Changed;

/// Changed values on top of the stored ones. Reads see the changes made before.
pub struct Overlay<'a> {
    disk: &'a Disk,
    shared: &'a Shared,
    commit_number: u64,
    /// Values that were read from the disk.
    read: Changed,
    accepted: Changed,
    /// Changes of the current request: accepted as a whole, or not at all.
    staged: Changed,
}

impl<'a> Overlay<'a> {
    /// Returns an empty overlay for the commit `commit_number`, with capacity for `changes`.
    pub fn new(disk: &'a Disk, shared: &'a Shared, commit_number: u64, changes: usize) -> Self {
        let (read, staged) = Default::default();
        Self {
            disk,
            shared,
            commit_number,
            read,
            accepted: Changed::with_capacity(changes),
            staged,
        }
    }

    /// Drops the changes of a request that failed.
    pub fn begin_request(&mut self) {
        self.staged.clear();
    }

    /// Accepts the changes of the current request.
    pub fn accept_request(&mut self) {
        self.accepted.extend(self.staged.drain());
    }

    /// Returns the contents of `key` after the changes so far.
    pub fn get(&mut self, key: &Key) -> Result<Option<Contents>> {
        let changed = self.staged.get(key).or_else(|| self.accepted.get(key));
        if let Some(contents) = changed.or_else(|| self.read.get(key)) {
            return Ok(contents.clone());
        }
        if let Ok(contents) = self.shared.cache.peek(key) {
            return Ok(contents);
        }
        let contents = self.shared.stored(self.disk, key)?;
        self.read.insert(key.clone(), contents.clone());
        Ok(contents)
    }

    /// Returns whether `key` has a value after the changes so far. Reads no chunks: of a large value that would take long.
    pub fn has(&mut self, key: &Key) -> Result<bool> {
        let is_changed = self.staged.contains_key(key) || self.accepted.contains_key(key);
        let is_known = is_changed || self.known(key).is_ok();
        if !is_known && self.disk.chunks_of(key)?.is_some() {
            return Ok(true);
        }
        Ok(self.get(key)?.is_some())
    }

    /// Sets the contents of a `key` that has no value. Does not look the key up, unless it was removed in the same
    /// batch and may therefore still be on disk.
    pub fn put_first(&mut self, key: Key, contents: Contents) {
        if !self.staged.contains_key(&key) && !self.accepted.contains_key(&key) {
            self.read.insert(key.clone(), None);
        }
        self.put(key, contents);
    }

    /// Sets the contents of `key`.
    pub fn put(&mut self, key: Key, contents: Contents) {
        self.staged.insert(key, Some(contents));
    }

    /// Removes `key`.
    pub fn remove(&mut self, key: Key) {
        self.staged.insert(key, None);
    }

    /// Returns the number of this commit.
    pub fn commit_number(&self) -> u64 {
        self.commit_number
    }

    /// Returns the accepted changes.
    pub fn accepted(&self) -> &Changed {
        &self.accepted
    }

    /// Drops everything except the accepted changes, and returns them.
    pub fn into_changed(self) -> Changed {
        self.accepted
    }

    /// Returns the stored value at `key`, or `None` if it has none. Does not read the disk.
    pub fn known(&self, key: &Key) -> Cached<Option<Contents>> {
        let known = self.read.get(key).cloned().ok_or(NotCached);
        known
            .or_else(|NotCached| self.shared.cache.peek(key))
            .or_else(|NotCached| self.shared.unapplied.get(key))
    }
}
