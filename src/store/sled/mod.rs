//! The embedded engine, for one process: records and lists in sled, durable once acknowledged.
//!
//! - [`format`](mod@format): encoding of values and batches
//! - [`folder`]: the files beside sled: the lock, the rollback guard, the journal, swaps
//! - [`database`]: sled itself
//! - [`commit`]: the writer, the state that it shares with readers, and a change on its way to the disk
//! - [`read`]: lists, pages of lists, and scans of everything
//! - [`open`](mod@open): opening and creating stores, and the stores that this process has open
//! - [`maintenance`]: verify, repair, backup, restore, compact, statistics
//!
//! [`Store::submit`] puts a change into the queue. The writer ([`commit`]) makes one transaction of the waiting
//! changes, and the journal ([`folder`]) makes it durable. Then the cache publishes the new values to readers, and the
//! callers get their answers. sled ([`database`]) gets the commit afterwards. A reader looks in the cache, then in the
//! commit that sled still lacks, then in sled.

mod commit;
mod database;
pub mod folder;
pub mod format;
mod maintenance;
mod open;
mod read;
#[cfg(test)]
mod test_store;
#[cfg(test)]
mod tests;

pub use database::thread_priority::lower_thread_priority;
pub use folder::swap::remove_replaced;
pub use maintenance::compact::{compact, Compacted};
pub use maintenance::repair::repair;
pub use maintenance::restore::{restore, Restored};
pub use open::registry::{open, open_exclusive, refuse_shared, settle, Closing, Lease};
pub use open::Settings;

use crate::store::cache::{Cached, NotCached};
use crate::store::change::{Change, Completion, Request};
use crate::store::contents::Contents;
use crate::store::error::{Result, StoreError};
use crate::store::key::{Key, ListPath};
use crate::store::notice::Notice;
use crate::store::report::Report;
use commit::queue::Message;
use commit::shared::Shared;
use database::disk::Disk;
use database::release::{Held, Release, Stage};
use folder::rollback_guard::StoreId;
use maintenance::{backup, verify};
use read::list::{self, Head};
use std::ops::Deref;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// An open store. Any thread may read and submit changes.
pub struct Store {
    shared: Arc<Shared>,
    release: Arc<Release>,
    notices: Vec<Notice>,
}

impl Store {
    /// Returns the notices about the opening of the store.
    #[must_use]
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// Returns the contents of the record at `key`, or `None` if there is no record. Does no I/O.
    pub fn peek(&self, key: &Key) -> Cached<Option<Contents>> {
        self.shared.in_failed_commit(key).or_else(|NotCached| self.shared.cache.peek(key))
    }

    /// Returns the version of the record at `key`, an integer, for [`Store::is_current`]. Take it before the record is
    /// read.
    #[must_use]
    pub fn version(&self, key: &Key) -> u64 {
        self.shared.cache.versions().of(key)
    }

    /// Returns whether a value that was read after `version` was taken is unchanged. May return `false` for an unchanged
    /// value.
    #[must_use]
    pub fn is_current(&self, version: u64) -> bool {
        self.shared.cache.versions().is_current(version)
    }

    /// Returns the number of items in a list. Does no I/O.
    pub fn peek_count(&self, path: &ListPath) -> Cached<u64> {
        let head = self.peek(&path.head())?;
        // The call that reads the disk returns the error of a damaged list.
        Head::read(path, head.as_deref()).map(|head| head.count).map_err(|_| NotCached)
    }

    /// Returns whether a list has `item`. Does no I/O.
    pub fn peek_has(&self, path: &ListPath, item: &[u8]) -> Cached<bool> {
        self.peek(&path.position(item)).map(|position| position.is_some())
    }

    /// Reads the record at `key`. Blocks.
    pub fn read(&self, key: &Key) -> Result<Option<Contents>> {
        let shared = &self.shared;
        if let Ok(contents) = shared.in_failed_commit(key) {
            return Ok(contents);
        }
        shared.cache.get_or_read(key, || shared.with_disk(|disk| shared.stored(disk, key)))
    }

    /// Returns the number of items in a list. Blocks.
    pub fn count(&self, path: &ListPath) -> Result<u64> {
        Ok(Head::read(path, self.read(&path.head())?.as_deref())?.count)
    }

    /// Returns whether a list has `item`. Blocks.
    pub fn has(&self, path: &ListPath, item: &[u8]) -> Result<bool> {
        Ok(self.read(&path.position(item))?.is_some())
    }

    /// Returns at most `size` items of a list, newest first. Skips the `offset` newest items. Blocks.
    pub fn page(&self, path: &ListPath, offset: u64, size: u64) -> Result<Vec<Contents>> {
        let items = self.read_page(path, size, |disk, head| list::nth(disk, path, head, offset))?;
        Ok(items.into_iter().map(|(_, item)| item).collect())
    }

    /// Returns at most `count` items of a list, newest first, whose sequence number is below `sequence`, or the newest ones
    /// if that is `None`. Each comes with its sequence number. Blocks.
    pub fn page_before(
        &self,
        path: &ListPath,
        sequence: Option<u64>,
        count: u64,
    ) -> Result<Vec<(u64, Contents)>> {
        let below = sequence.unwrap_or(u64::MAX);
        self.read_page(path, count, |_, head| Ok(head.next.min(below).checked_sub(1)))
    }

    /// Reads a page of at most `size` items that begins at the sequence number that `newest` returns.
    fn read_page(
        &self,
        path: &ListPath,
        size: u64,
        newest: impl FnOnce(&Disk, &Head) -> Result<Option<u64>>,
    ) -> Result<Vec<(u64, Contents)>> {
        // Every batch that changes a list changes its head.
        self.shared.refuse_unwritten(|changed| changed.contains_key(&path.head()))?;
        if self.shared.unapplied.get(&path.head()).is_ok() {
            self.shared.unapplied.wait()?;
        }
        self.shared.with_disk(|disk| {
            let reading = {
                let _between_batches =
                    self.shared.applying.read().unwrap_or_else(PoisonError::into_inner);
                self.shared.pages.begin(disk, path, newest)?
            };
            reading.map_or(Ok(Vec::new()), |reading| reading.page.read(disk, size))
        })
    }

    /// Makes `changes` together or not at all. Calls `completion` when they are durable.
    pub fn submit(&self, changes: Vec<Change>, completion: Completion) {
        let size = changes.iter().map(Change::size).sum();
        let request = Request { changes, completion, size };
        match self.shared.check_health().and_then(|()| self.shared.reserve(&request)) {
            Ok(()) => self.send(Message::Change(request)),
            Err(error) => (request.completion)(Err(error)),
        }
    }

    /// Reads and verifies everything. Nothing may be written meanwhile. Blocks.
    pub fn verify(&self, progress: &dyn Fn(u64)) -> Result<Report> {
        self.shared.with_all(|disk| verify::verify(disk, progress))
    }

    /// Copies the store as it is at one moment into the empty folder `target`, and verifies the copy. Blocks.
    pub fn copy(&self, target: &Path, id: StoreId, progress: &dyn Fn(u64)) -> Result<Report> {
        backup::copy(&self.shared, target, id, progress)
    }

    /// Refuses every change from now on with `error`.
    fn refuse_changes(&self, error: StoreError) {
        self.shared.poisoned.get_or_init(|| error);
    }

    /// Removes every record and every list.
    pub fn wipe(&self, completion: Completion) {
        self.send(Message::Wipe(completion));
    }

    /// Calls `completion` when everything that was submitted before is durable, and the guard is synced.
    pub fn settle(&self, completion: Completion) {
        self.send(Message::Settle(completion));
    }

    fn send(&self, message: Message) {
        if let Some(unsent) = self.shared.queue.push(message) {
            self.shared.refuse(unsent, &StoreError::Closed);
        }
    }

    /// Returns the number of changes that wait to be written.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.shared.waiting.load(Ordering::Relaxed)
    }

    /// Accepts no more changes, finishes those that were submitted, and calls `when_free` when nothing reads any more
    /// and sled is closed.
    fn begin_close(&self, when_free: impl FnOnce() + Send + 'static) {
        self.release.when_free(when_free);
        self.end();
    }

    /// Finishes the submitted changes, and closes. Returns `false` if that takes longer than `limit`; the store then
    /// closes after its last use has ended. Blocks.
    fn close(&self, limit: Duration) -> bool {
        self.end();
        self.release.wait_for(Stage::Free, limit)
    }

    /// Ends the writer after the submitted changes, and what keeps the disk open without a caller.
    fn end(&self) {
        self.shared.stop_snapshots();
        self.shared.queue.close();
    }

    /// Describes, for people, what keeps a closing store open.
    fn holder(&self) -> String {
        let by_writer = self.shared.held_by_writer.lock().unwrap_or_else(PoisonError::into_inner);
        if by_writer.is_some() {
            return "its last changes are not written yet; look at the disk".into();
        }
        let snapshots = usize::from(self.shared.writes_snapshot());
        match self.shared.disk.strong_count().saturating_sub(snapshots) {
            0 if snapshots > 0 => {
                "a snapshot of it is still being written; look at the disk".into()
            }
            1 => "one call still reads it".into(),
            count => format!("{count} calls still read it"),
        }
    }
}

impl Drop for Store {
    /// Ends the writer, which drops the disk.
    fn drop(&mut self) {
        self.end();
    }
}

/// A store for one read. It stays open from the call until its answer.
pub struct Reader {
    store: Arc<Store>,
    _held: Option<Arc<Held>>,
}

impl Reader {
    /// Keeps the disk of `store` open.
    #[must_use]
    pub fn new(store: Arc<Store>) -> Self {
        let held = store.shared.disk.upgrade();
        Self { store, _held: held }
    }
}

impl Deref for Reader {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}
