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
#[cfg(test)]
mod tests;

pub use commit::transaction::would_keep;
pub use database::release::Reader;
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

use crate::store::cache::Cache;
use crate::store::change::{Change, Completion, Request};
use crate::store::contents::Contents;
use crate::store::error::{Result, StoreError};
use crate::store::key::{Key, ListPath};
use crate::store::notice::Notice;
use commit::changed_keys::ChangedKeys;
use commit::list::Head;
use commit::queue::{Message, Queue};
use commit::statistics::Syncs;
use commit::transaction::Changed;
use commit::unapplied::Unapplied;
use commit::watchdog::Commit;
use database::disk::Disk;
use database::release::{Held, Release, Stage};
use folder::rollback_guard::StoreId;
use format::batch::Batch;
use maintenance::{backup, verify};
use read::page::Pages;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, Weak};
use std::time::Duration;

/// More changes, or more bytes of them, never wait: then memory is bounded while a disk is slow.
const MAX_WAITING: usize = 65_536;
const MAX_WAITING_BYTES: usize = 256 << 20;

/// An open store. Reads and requests may come from any thread.
pub struct Store {
    shared: Arc<Shared>,
    release: Arc<Release>,
    notices: Vec<Notice>,
}

/// What the writer and the readers share.
pub struct Shared {
    cache: Cache,
    queue: Queue,
    unapplied: Unapplied,
    commit: Commit,
    /// What is open, for as long as somebody holds it.
    disk: Weak<Held>,
    /// The writer's hold on it, which it drops when it ends.
    held_by_writer: Mutex<Option<Arc<Held>>>,
    /// Held for writing while a batch appears in sled, and for the end of a copy; for reading by who needs to see whole
    /// batches.
    applying: RwLock<()>,
    poison: OnceLock<StoreError>,
    /// What the commit that failed would have changed. It stays in force for reads, so that a reset which could
    /// not be written down does not let anybody in again while the process lives.
    failed_commit: OnceLock<Changed>,
    changed_keys: ChangedKeys,
    /// The pages of lists that are being read.
    pages: Pages,
    syncs: Syncs,
    waiting: AtomicUsize,
    waiting_bytes: AtomicUsize,
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

impl Shared {
    fn with_disk<T>(&self, read: impl FnOnce(&Disk) -> Result<T>) -> Result<T> {
        let held = self.disk.upgrade().ok_or(StoreError::Closed)?;
        read(held.disk().ok_or(StoreError::Closed)?)
    }

    /// The writer's side, at its end.
    fn let_go(&self) {
        let held = self.held_by_writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Without the lock: it may be the last hold, and closing sled takes its time.
        drop(held);
    }

    /// What stands at `key`, of what was acknowledged: sled may lack the last commit.
    fn stored(&self, disk: &Disk, key: &Key) -> Result<Option<Contents>> {
        match self.unapplied.get(key) {
            Some(contents) => Ok(contents),
            None => disk.get(key),
        }
    }

    /// Reads by [`Shared::with_disk`] when sled has all that was acknowledged before.
    fn with_all<T>(&self, read: impl FnOnce(&Disk) -> Result<T>) -> Result<T> {
        self.unapplied.wait()?;
        self.with_disk(read)
    }

    /// The same for everything in a store, which has to be what look-ups find.
    fn scan<T>(&self, read: impl FnOnce(&Disk) -> Result<T>) -> Result<T> {
        self.refuse_unwritten(|changed| !changed.is_empty())?;
        self.with_all(read)
    }

    /// The writer's side: gives sled what it lacks.
    fn catch_up(&self, disk: &Disk) -> Result<()> {
        self.unapplied.apply(|batch| self.appear(disk, batch, |batch| disk.apply_journaled(batch)))
    }

    /// Lets `batch` appear in sled by `apply`.
    fn appear(
        &self,
        disk: &Disk,
        batch: &Batch,
        apply: impl FnOnce(&Batch) -> Result<()>,
    ) -> Result<()> {
        let _applying = self.applying.write().unwrap_or_else(PoisonError::into_inner);
        self.pages.keep(disk, batch);
        let _noted = self.changed_keys.note(batch);
        apply(batch)
    }

    fn check_health(&self) -> Result<()> {
        match self.poison.get() {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }

    /// Refuses every further change; the first error is the one that is told.
    fn poison(&self, cause: StoreError) -> StoreError {
        let poisoned = match cause {
            StoreError::Poisoned { .. } => cause,
            cause => StoreError::Poisoned { cause: Arc::new(cause) },
        };
        self.poison.get_or_init(|| poisoned).clone()
    }

    /// The writer's side: a commit that would have made `changed` has failed, and is the last one.
    fn keep_failed_commit(&self, changed: Changed) {
        if self.failed_commit.set(changed).is_ok() {
            self.cache.stamps().change_all();
        }
    }

    fn failed_commit(&self, key: &Key) -> Option<Option<Contents>> {
        self.failed_commit.get()?.get(key).cloned()
    }

    /// Refuses to read what a failed commit would have changed and sled does not have.
    fn refuse_unwritten(&self, is_read: impl Fn(&Changed) -> bool) -> Result<()> {
        match self.failed_commit.get() {
            // The writer poisons the store right after it has kept that.
            Some(changed) if is_read(changed) => Err(self.poison.wait().clone()),
            _ => Ok(()),
        }
    }

    fn enqueued(&self, request: &Request) -> Result<()> {
        let count = request.changes.len();
        let waiting = self.waiting.fetch_add(count, Ordering::Relaxed) + count;
        let bytes = self.waiting_bytes.fetch_add(request.size, Ordering::Relaxed) + request.size;
        if waiting > MAX_WAITING || bytes > MAX_WAITING_BYTES {
            self.forget(request);
            return Err(StoreError::Busy { waiting });
        }
        Ok(())
    }

    /// Answers a message that the writer will not.
    fn refuse(&self, message: Message, error: &StoreError) {
        if let Message::Change(request) = &message {
            self.forget(request);
        }
        message.completion()(Err(error.clone()));
    }

    /// The writer's side: `requests` wait no more.
    fn taken(&self, requests: &[Request]) {
        for request in requests {
            self.forget(request);
        }
    }

    fn forget(&self, request: &Request) {
        self.waiting.fetch_sub(request.changes.len(), Ordering::Relaxed);
        self.waiting_bytes.fetch_sub(request.size, Ordering::Relaxed);
    }
}
