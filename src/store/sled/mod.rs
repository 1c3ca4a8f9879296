//! The embedded engine, for one process: records and lists in sled, durable when acknowledged.
//!
//! A change goes down and its answer comes up: [`Store::submit`] puts it into the queue, the writer ([`commit`]) makes a
//! transaction of what waits, the journal ([`folder`]) makes it durable, the cache shows it to readers, and the callers are
//! told. sled ([`database`]) gets it afterwards. Readers ask the cache, then what sled still lacks, then sled.
//!
//! - [`format`]: the bytes of values and batches
//! - [`folder`]: the files beside sled and what they promise: the lock, the rollback guard, the journal, swaps
//! - [`database`]: sled itself; the only files that name it
//! - [`commit`]: the writer, and what a change is on its way to the disk
//! - [`read`]: pages of lists, and scans of everything
//! - [`open`]: opening, creating, and the stores that a process has open
//! - [`maintenance`]: verify, repair, backup, restore, compact, statistics

mod commit;
mod database;
pub mod folder;
pub mod format;
mod maintenance;
mod open;
mod read;
mod shared;
#[cfg(test)]
mod tests;

pub use database::thread_priority::lower_thread_priority;
pub use folder::swap::remove_replaced;
pub use maintenance::compact::{compact, Compacted};
pub use maintenance::repair::repair;
pub use maintenance::restore::{restore, Restored};
pub use maintenance::stats::Stats;
pub use maintenance::verify::Report;
pub use open::registry::{open, open_exclusive, refuse_shared, settle, Closing, Lease};
pub use open::Settings;
pub use read::scan::{Part, Parts, Records};

use crate::store::change::{Change, Completion, Record, Request, Secret};
use crate::store::contents::Contents;
use crate::store::error::{Result, StoreError};
use crate::store::key::{Key, ListPath};
use crate::store::notice::Notice;
use commit::queue::Message;
use commit::transaction;
use database::release::{Held, Release, Stage};
use folder::rollback_guard::StoreId;
use maintenance::{backup, verify};
use read::list::Head;
use shared::Shared;
use std::ops::Deref;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// An open store. Reads and requests may come from any thread.
pub struct Store {
    shared: Arc<Shared>,
    release: Arc<Release>,
    notices: Vec<Notice>,
}

impl Store {
    /// What is to be told of the opening of the store.
    #[must_use]
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// What memory knows of the record at `key`: `None` if nothing. Never touches sled.
    #[must_use]
    pub fn peek(&self, key: &Key) -> Option<Option<Contents>> {
        self.shared.failed_commit(key).or_else(|| self.shared.cache.peek(key))
    }

    /// A whole number to take before the record at `key` is read, for [`Store::is_current`].
    #[must_use]
    pub fn stamp(&self, key: &Key) -> u64 {
        self.shared.cache.stamps().of(key)
    }

    /// Whether what was read behind `stamp` still stands there. May say no though it does.
    #[must_use]
    pub fn is_current(&self, stamp: u64) -> bool {
        self.shared.cache.stamps().is_current(stamp)
    }

    /// What memory knows of how many items a list has. Never touches sled.
    #[must_use]
    pub fn peek_count(&self, path: &ListPath) -> Option<u64> {
        let head = self.peek(&path.head())?;
        Head::read(path, head.as_deref()).ok().map(|head| head.count)
    }

    /// What memory knows of whether a list has `item`. Never touches sled.
    #[must_use]
    pub fn peek_has(&self, path: &ListPath, item: &[u8]) -> Option<bool> {
        self.peek(&path.position(item)).map(|position| position.is_some())
    }

    /// The record at `key`. Blocks.
    pub fn read(&self, key: &Key) -> Result<Option<Contents>> {
        let shared = &self.shared;
        if let Some(contents) = shared.failed_commit(key) {
            return Ok(contents);
        }
        shared.cache.get_or_read(key, || shared.with_disk(|disk| shared.stored(disk, key)))
    }

    /// How many items a list has. Blocks.
    pub fn count(&self, path: &ListPath) -> Result<u64> {
        Ok(Head::read(path, self.read(&path.head())?.as_deref())?.count)
    }

    /// Whether a list has `item`. Blocks.
    pub fn has(&self, path: &ListPath, item: &[u8]) -> Result<bool> {
        Ok(self.read(&path.position(item))?.is_some())
    }

    /// At most `size` items of a list behind the `offset` newest ones, newest first. Blocks.
    pub fn page(&self, path: &ListPath, offset: u64, size: u64) -> Result<Vec<Contents>> {
        // Every batch that changes a list changes its head.
        self.shared.refuse_unwritten(|changed| changed.contains_key(&path.head()))?;
        if self.shared.unapplied.get(&path.head()).is_some() {
            self.shared.unapplied.wait()?;
        }
        self.shared.with_disk(|disk| {
            let reading = {
                let _between_batches =
                    self.shared.applying.read().unwrap_or_else(PoisonError::into_inner);
                self.shared.pages.begin(disk, path, offset)?
            };
            reading.map_or(Ok(Vec::new()), |reading| reading.page.read(disk, size))
        })
    }

    /// Whether something of what is stored would be kept if `contents` was imported at `record`. Blocks.
    pub fn would_keep(
        &self,
        record: &Record,
        contents: Contents,
        secret: Option<&Secret>,
    ) -> Result<bool> {
        let stored = record.kind.map(|_| self.read(&record.key)).transpose()?.flatten();
        transaction::would_keep(record, contents, stored.as_ref(), secret)
    }

    /// Makes `changes` together or not at all, and tells `completion` when they are durable.
    pub fn submit(&self, changes: Vec<Change>, completion: Completion) {
        let size = changes.iter().map(Change::size).sum();
        let request = Request { changes, completion, size };
        match self.shared.check_health().and_then(|()| self.shared.enqueued(&request)) {
            Ok(()) => self.send(Message::Change(request)),
            Err(error) => (request.completion)(Err(error)),
        }
    }

    /// Reads everything; nothing may be written meanwhile. Blocks.
    pub fn verify(&self, progress: &dyn Fn(u64)) -> Result<Report> {
        self.shared.with_all(|disk| verify::verify(disk, progress))
    }

    /// Copies the store as it is at one moment into the empty folder `target`, and reads the copy. Blocks.
    pub fn copy(&self, target: &Path, id: StoreId, progress: &dyn Fn(u64)) -> Result<Report> {
        backup::copy(&self.shared, target, id, progress)
    }

    /// Refuses every change with `error` from now on.
    fn refuse_changes(&self, error: StoreError) {
        self.shared.poison.get_or_init(|| error);
    }

    /// Removes every record and every list.
    pub fn wipe(&self, completion: Completion) {
        self.send(Message::Wipe(completion));
    }

    /// Tells `completion` when all that was submitted before is durable, and the guard as well.
    pub fn settle(&self, completion: Completion) {
        self.send(Message::Settle(completion));
    }

    fn send(&self, message: Message) {
        if let Some(unsent) = self.shared.queue.push(message) {
            self.shared.refuse(unsent, &StoreError::Closed);
        }
    }

    /// How many changes wait to be written.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.shared.waiting.load(Ordering::Relaxed)
    }

    /// Takes nothing more, finishes what was submitted, and calls `when_free` once nobody reads any more and sled is closed.
    fn begin_close(&self, when_free: impl FnOnce() + Send + 'static) {
        self.release.when_free(when_free);
        self.shared.queue.close();
    }

    /// Finishes what was submitted, and closes. `false` if that takes longer than `limit`: then the store closes when
    /// those who use it have ended. Blocks.
    fn close(&self, limit: Duration) -> bool {
        self.shared.queue.close();
        self.release.wait_for(Stage::Free, limit)
    }

    /// Who keeps a store open that should close, for people.
    fn holder(&self) -> String {
        let by_writer = self.shared.held_by_writer.lock().unwrap_or_else(PoisonError::into_inner);
        if by_writer.is_some() {
            return "its last changes are not written yet; look at the disk".into();
        }
        match self.shared.disk.strong_count() {
            1 => "one call still reads it".into(),
            count => format!("{count} calls still read it"),
        }
    }
}

impl Drop for Store {
    /// The writer ends, and lets go.
    fn drop(&mut self) {
        self.shared.queue.close();
    }
}

/// A store that is read from, from when a call asks for it until it is answered: it stays open for so long.
pub struct Reader {
    store: Arc<Store>,
    _held: Option<Arc<Held>>,
}

impl Reader {
    /// Holds what `store` has open.
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
