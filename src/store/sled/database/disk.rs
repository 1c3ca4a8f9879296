//! Access to the data on disk: all reads and writes of an open store in sled.

use crate::store::contents::Contents;
use crate::store::error::{Result, StoreError};
use crate::store::key::{ChunkId, Key};
use crate::store::sled::database::range::{Range, Stored};
#[cfg(target_os = "linux")]
use crate::store::sled::database::read_ahead::ReadAhead;
#[cfg(target_os = "linux")]
use crate::store::sled::database::sync_file_range;
use crate::store::sled::folder::free_space::FreeSpace;
use crate::store::sled::format::batch::Batch;
use crate::store::sled::format::value::{self, Head};
use std::fs::File;
use std::ops::Bound;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{mpsc, Arc};
use std::time::Duration;
#[cfg(target_os = "linux")]
use std::time::Instant;

/// An open sled database, and a file descriptor of its log.
pub struct Disk {
    database: sled::Db,
    /// A separate descriptor of sled's log. The system reports a sync error once per descriptor, and sled's threads
    /// share theirs.
    log: File,
    folder: PathBuf,
    /// Counter that grows with each finished write: of sled's own, and of each step of the writer.
    progress: Arc<AtomicU64>,
    #[cfg(target_os = "linux")]
    read_ahead: ReadAhead,
    #[cfg(target_os = "linux")]
    _counting: sync_file_range::Counting,
}

impl Disk {
    /// Wraps an open database. `folder` is sled's folder.
    pub fn new(database: sled::Db, log: File, folder: &Path) -> Self {
        let progress = Arc::default();
        Self {
            #[cfg(target_os = "linux")]
            _counting: sync_file_range::count(&log, &progress),
            database,
            log,
            folder: folder.into(),
            progress,
            #[cfg(target_os = "linux")]
            read_ahead: ReadAhead::new(),
        }
    }

    /// Returns the counter that grows with each finished write.
    pub fn progress(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.progress)
    }

    /// Returns the contents of `key`.
    pub fn get(&self, key: &Key) -> Result<Option<Contents>> {
        loop {
            let Some(stored) = self.look_up(key.encoded())? else {
                return Ok(None);
            };
            if let Some(contents) = self.contents(key, &stored)? {
                return Ok(Some(contents));
            }
        }
    }

    /// Returns the ID and the number of the chunks of the value at `key`, for their removal. `None` if it has no
    /// chunks. The chunks of a damaged value cannot be found, so they stay.
    pub fn chunks_of(&self, key: &Key) -> Result<Option<(ChunkId, u32)>> {
        let stored = self.raw(key.encoded())?;
        Ok(stored.and_then(|stored| value::chunks_of(key.encoded(), &stored)))
    }

    /// Returns the contents of `stored`, or `None` if they were replaced meanwhile.
    pub fn contents(&self, key: &Key, stored: &[u8]) -> Result<Option<Contents>> {
        let Some((full, contents)) = self.body(key.encoded(), stored)? else {
            return Ok(None);
        };
        if full.as_deref() == key.full() {
            Ok(Some(contents))
        } else {
            Err(value::damaged(key))
        }
    }

    /// Returns a key that a scan has read, and its contents; `None` if they were replaced meanwhile.
    pub fn found(&self, encoded: &[u8], stored: &[u8]) -> Result<Option<(Key, Contents)>> {
        let body = self.body(encoded, stored)?;
        Ok(body.map(|(full, contents)| (Key::found(encoded, full.as_deref()), contents)))
    }

    /// Returns the contents, and the full parts of the key if one is hashed. Chunks are never changed, and are removed
    /// after their head. A missing chunk therefore means that the head was replaced, or that the value is damaged.
    fn body(&self, encoded: &[u8], stored: &[u8]) -> Result<Option<(Option<Vec<u8>>, Contents)>> {
        let damaged = || value::damaged(&Key::found(encoded, None));
        let (total, id, form) = match value::decode(encoded, stored).ok_or_else(damaged)? {
            Head::Inline(body) => {
                return Ok(Some((body.full.map(Into::into), body.to_contents())));
            }
            Head::Chunked { total, id, form } => (total, id, form),
        };
        let total_bytes = usize::try_from(total).map_err(|_| damaged())?;
        let mut body = Vec::new();
        for index in 0..value::chunk_count(total).ok_or_else(damaged)? {
            let chunk = Key::chunk(id, index);
            let Some(piece) = self.raw(&chunk)? else {
                let now = self.raw(encoded)?;
                let now = now.and_then(|now| value::chunks_of(encoded, &now));
                return if now.is_some_and(|(now, _)| now == id) {
                    Err(damaged())
                } else {
                    Ok(None)
                };
            };
            body.extend_from_slice(value::decode_chunk(&chunk, &piece).ok_or_else(damaged)?);
        }
        if body.len() != total_bytes {
            return Err(damaged());
        }
        let body = value::split_body(&body, form).ok_or_else(damaged)?;
        Ok(Some((body.full.map(Into::into), body.to_contents())))
    }

    /// Iterates over the stored values from `to` down to `from`, both included.
    pub fn backwards<'a>(
        &'a self,
        from: &Key,
        to: &Key,
    ) -> impl Iterator<Item = Result<Stored>> + use<'a> {
        let range =
            (Bound::Included(from.encoded().to_vec()), Bound::Included(to.encoded().to_vec()));
        self.database
            .range(range)
            .rev()
            .map(|stored| stored.map_err(|error| self.failed("read", error)))
    }

    /// Iterates, in order, over the keys that begin with `prefix` and follow `after`. An unreadable range is returned
    /// as [`StoreError::Damaged`], and the iterator continues after it.
    pub fn forwards<'a>(&'a self, prefix: &[u8], after: Option<&[u8]>) -> Range<'a> {
        Range::new(&self.database, &self.folder, prefix, after)
    }

    /// Makes sled write its buffers, which does not make them durable. Never syncs our own descriptor: an error of a
    /// sync is reported once, and has to reach the writer.
    pub fn flush(&self) -> Result<()> {
        self.database.flush().map(drop).map_err(|error| self.failed("flush", error))
    }

    /// Returns the raw value at an encoded key.
    pub fn raw(&self, key: &[u8]) -> Result<Option<sled::IVec>> {
        match catch_unwind(AssertUnwindSafe(|| self.database.get(key))) {
            Ok(Ok(stored)) => Ok(stored),
            // sled panics on some kinds of damage, and returns an error for others.
            Ok(Err(sled::Error::Corruption { .. })) | Err(_) => {
                Err(value::damaged(&Key::found(key, None)))
            }
            Ok(Err(error)) => Err(self.failed("read", error)),
        }
    }

    /// As [`Self::raw`], for a look-up.
    #[cfg(target_os = "linux")]
    fn look_up(&self, key: &[u8]) -> Result<Option<sled::IVec>> {
        let begun = Instant::now();
        let stored = self.raw(key);
        self.read_ahead.after_read_of(begun.elapsed(), &self.log);
        stored
    }

    /// As [`Self::raw`].
    #[cfg(not(target_os = "linux"))]
    fn look_up(&self, key: &[u8]) -> Result<Option<sled::IVec>> {
        self.raw(key)
    }

    /// Returns the free space.
    pub fn room(&self) -> FreeSpace {
        FreeSpace::at(&self.folder)
    }

    /// Returns the error for a full disk.
    pub fn full(&self) -> StoreError {
        StoreError::Full { path: self.folder.clone() }
    }

    /// Applies `batch` atomically, even if the process crashes. It is not durable yet. sled begins a new segment of its
    /// log for it.
    pub fn apply(&self, batch: &Batch) -> Result<()> {
        self.database.apply_batch(batch.to_sled()).map_err(|error| self.failed("write to", error))
    }

    /// Applies `batch` key by key, the last key last. A crash or an error may leave a part of it applied, so `batch`
    /// has to be in the journal.
    pub fn apply_journaled(&self, batch: &Batch) -> Result<()> {
        for (key, value) in batch.shared() {
            put(&self.database, key, value).map_err(|error| self.failed("write to", error))?;
            self.progress.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Makes everything that was applied so far durable in sled.
    pub fn make_durable(&self) -> Result<()> {
        self.flush()?;
        self.progress.fetch_add(1, Ordering::Relaxed);
        self.sync()
    }

    /// Like [`Self::make_durable`], for calls that no watchdog supervises.
    pub fn make_durable_alone(&self) -> Result<()> {
        flush_surely(&self.database).map_err(|error| self.failed("flush", error))?;
        self.sync()
    }

    fn sync(&self) -> Result<()> {
        self.log.sync_data().map_err(|error| StoreError::io("sync", &self.folder, error))
    }

    /// Returns sled's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn failed(&self, action: &'static str, error: sled::Error) -> StoreError {
        StoreError::sled(action, &self.folder, error)
    }
}

/// Sets the value at `key`, or removes the key.
pub fn put(database: &sled::Db, key: &[u8], value: Option<sled::IVec>) -> sled::Result<()> {
    match value {
        Some(value) => database.insert(key, value),
        None => database.remove(key),
    }
    .map(drop)
}

/// Flushes, and flushes a second time if that takes more than a second. If a background write of sled fails, sled
/// forgets to wake the threads that wait for it; another flush wakes them. There are never more than two tries, because
/// a disk that hangs would collect threads.
pub fn flush_surely(database: &sled::Db) -> sled::Result<()> {
    let (sender, results) = mpsc::channel();
    let begin = |sender: mpsc::Sender<sled::Result<usize>>| {
        let database = database.clone();
        let flush = move || drop(sender.send(database.flush()));
        std::thread::Builder::new().name("dashboard-sled flush".into()).spawn(flush)
    };
    begin(sender.clone())?;
    let mut flushed = results.recv_timeout(Duration::from_secs(1)).ok();
    if flushed.is_none() {
        begin(sender)?;
        flushed = results.recv().ok();
    }
    // Without a result, both threads panicked.
    flushed.unwrap_or_else(|| Err(sled::Error::ReportableBug("it panicked".into()))).map(drop)
}
