//! The state of an open store, and the limits of what waits in it.

use crate::store::cache::{Cache, Cached, NotCached};
use crate::store::change::Request;
use crate::store::contents::Contents;
use crate::store::error::{Result, StoreError};
use crate::store::key::Key;
use crate::store::sled::commit::changed_keys::ChangedKeys;
use crate::store::sled::commit::in_flight::InFlightCommit;
use crate::store::sled::commit::queue::{Message, Queue};
use crate::store::sled::commit::unapplied::Unapplied;
use crate::store::sled::database::disk::Disk;
use crate::store::sled::database::release::Held;
#[cfg(unix)]
use crate::store::sled::database::snapshot::{thread, Schedule};
use crate::store::sled::format::batch::{Batch, Changed};
use crate::store::sled::read::page::Pages;
use crate::store::statistics::Statistics;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, Weak};

/// Largest number of waiting changes, and their largest total size in bytes. They bound the memory that changes take
/// while a disk is slow.
const MAX_WAITING: usize = 65_536;
const MAX_WAITING_BYTES: usize = 256 << 20;

/// State that the writer, the watchdog and the readers of a store share.
pub struct Shared {
    pub(in crate::store::sled) cache: Cache,
    pub(in crate::store::sled) queue: Queue,
    pub(in crate::store::sled) unapplied: Unapplied,
    pub(in crate::store::sled) in_flight: InFlightCommit,
    /// The open disk, as long as it has a user.
    pub(in crate::store::sled) disk: Weak<Held>,
    /// The writer's reference to the disk. The writer drops it when it ends.
    pub(in crate::store::sled) held_by_writer: Mutex<Option<Arc<Held>>>,
    /// Lock for writing while a batch is applied to sled, and at the end of a copy. Lock for reading to see whole
    /// batches only.
    pub(in crate::store::sled) applying: RwLock<()>,
    /// The error that all changes get, once the store is poisoned.
    pub(in crate::store::sled) poisoned: OnceLock<StoreError>,
    /// Changes of the commit that failed. Reads return them, so that a reset that could not be written keeps its effect
    /// while the process lives: nobody gets in again with the old key.
    pub(in crate::store::sled) failed_commit: OnceLock<Changed>,
    pub(in crate::store::sled) changed_keys: ChangedKeys,
    /// The pages of lists that are being read.
    pub(in crate::store::sled) pages: Pages,
    /// When snapshots are written. Reached without the disk, which a caller that asks may not keep open.
    #[cfg(unix)]
    pub(in crate::store::sled) snapshots: Arc<Schedule>,
    pub(in crate::store::sled) statistics: Statistics,
    pub(in crate::store::sled) waiting: AtomicUsize,
    pub(in crate::store::sled) waiting_bytes: AtomicUsize,
}

impl Shared {
    pub(in crate::store::sled) fn with_disk<T>(
        &self,
        read: impl FnOnce(&Disk) -> Result<T>,
    ) -> Result<T> {
        let held = self.disk.upgrade().ok_or(StoreError::Closed)?;
        read(held.disk().ok_or(StoreError::Closed)?)
    }

    /// Drops the writer's reference to the disk. Called by the writer at its end.
    pub(in crate::store::sled) fn let_go(&self) {
        let held = self.held_by_writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        // After the lock is released: this may be the last reference, and closing sled takes time.
        drop(held);
    }

    /// Returns the acknowledged contents of `key`. sled may lack the last commit.
    pub(in crate::store::sled) fn stored(
        &self,
        disk: &Disk,
        key: &Key,
    ) -> Result<Option<Contents>> {
        match self.unapplied.get(key) {
            Ok(contents) => Ok(contents),
            Err(NotCached) => disk.get(key),
        }
    }

    /// Like [`Shared::with_disk`], after sled has everything that was acknowledged before.
    pub(in crate::store::sled) fn with_all<T>(
        &self,
        read: impl FnOnce(&Disk) -> Result<T>,
    ) -> Result<T> {
        self.unapplied.wait()?;
        self.with_disk(read)
    }

    /// Like [`Shared::with_all`], for a scan of everything. Fails after a failed commit, because look-ups return its
    /// changes, and sled does not have them.
    pub(in crate::store::sled) fn scan<T>(
        &self,
        read: impl FnOnce(&Disk) -> Result<T>,
    ) -> Result<T> {
        self.refuse_unwritten(|changed| !changed.is_empty())?;
        self.with_all(read)
    }

    /// Applies the commit that sled lacks, if any. Called by the writer only.
    pub(in crate::store::sled) fn catch_up(&self, disk: &Disk) -> Result<()> {
        self.unapplied
            .apply(|batch| self.apply_visibly(disk, batch, |batch| disk.apply_journaled(batch)))
    }

    /// Applies `batch` to sled with `apply`. Readers of pages see all of it or nothing, and a running backup copies its
    /// keys again.
    pub(in crate::store::sled) fn apply_visibly(
        &self,
        disk: &Disk,
        batch: &Batch,
        apply: impl FnOnce(&Batch) -> Result<()>,
    ) -> Result<()> {
        let _applying = self.applying.write().unwrap_or_else(PoisonError::into_inner);
        self.pages.keep(disk, batch);
        let _noted = self.changed_keys.note(batch);
        apply(batch)?;
        #[cfg(unix)]
        if let Some(held) = self.disk.upgrade() {
            thread::begin_if_due(&held, &self.snapshots, batch.size());
        }
        Ok(())
    }

    /// Ends a snapshot that is being written, and allows no other.
    pub(in crate::store::sled) fn stop_snapshots(&self) {
        #[cfg(unix)]
        self.snapshots.stop();
    }

    /// Returns whether a snapshot is being written. Its thread is a user of the disk.
    #[cfg(unix)]
    pub(in crate::store::sled) fn writes_snapshot(&self) -> bool {
        self.snapshots.is_running()
    }

    /// Returns false: there are no snapshots.
    #[cfg(not(unix))]
    pub(in crate::store::sled) fn writes_snapshot(&self) -> bool {
        false
    }

    pub(in crate::store::sled) fn check_health(&self) -> Result<()> {
        match self.poisoned.get() {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }

    /// Refuses every further change. Callers get the first error.
    pub(in crate::store::sled) fn poison(&self, cause: StoreError) -> StoreError {
        let poisoned = match cause {
            StoreError::Poisoned { .. } => cause,
            cause => StoreError::Poisoned { cause: Arc::new(cause) },
        };
        let error = self.poisoned.get_or_init(|| poisoned).clone();
        // A snapshot must not name what a failed sync has lost.
        self.stop_snapshots();
        error
    }

    /// Keeps the changes of a commit that has failed. It is the last commit. Called by the writer only.
    pub(in crate::store::sled) fn keep_failed_commit(&self, changed: Changed) {
        if self.failed_commit.set(changed).is_ok() {
            self.cache.versions().change_all();
        }
    }

    /// Returns the value that a failed commit sets at `key`, or `None` if it removes `key`.
    pub(in crate::store::sled) fn in_failed_commit(&self, key: &Key) -> Cached<Option<Contents>> {
        self.failed_commit.get().and_then(|changed| changed.get(key)).cloned().ok_or(NotCached)
    }

    /// Fails if the read concerns changes of a failed commit, which sled does not have.
    pub(in crate::store::sled) fn refuse_unwritten(
        &self,
        is_read: impl Fn(&Changed) -> bool,
    ) -> Result<()> {
        match self.failed_commit.get() {
            // The writer poisons the store right after it has kept the changes.
            Some(changed) if is_read(changed) => Err(self.poisoned.wait().clone()),
            _ => Ok(()),
        }
    }

    /// Reserves room in the queue for `request`, or refuses it if too much waits.
    pub(in crate::store::sled) fn reserve(&self, request: &Request) -> Result<()> {
        let count = request.changes.len();
        let waiting = self.waiting.fetch_add(count, Ordering::Relaxed) + count;
        let bytes = self.waiting_bytes.fetch_add(request.size, Ordering::Relaxed) + request.size;
        if waiting > MAX_WAITING || bytes > MAX_WAITING_BYTES {
            self.release(std::slice::from_ref(request));
            return Err(StoreError::Busy { waiting });
        }
        Ok(())
    }

    /// Answers a message that the writer will not handle.
    pub(in crate::store::sled) fn refuse(&self, message: Message, error: &StoreError) {
        if let Message::Change(request) = &message {
            self.release(std::slice::from_ref(request));
        }
        message.completion()(Err(error.clone()));
    }

    /// Releases the room of `requests`, which no longer wait.
    pub(in crate::store::sled) fn release(&self, requests: &[Request]) {
        for request in requests {
            self.waiting.fetch_sub(request.changes.len(), Ordering::Relaxed);
            self.waiting_bytes.fetch_sub(request.size, Ordering::Relaxed);
        }
    }
}
