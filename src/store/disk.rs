//! What is on the disk: the only file that reads from and writes to sled.

use super::error::{Result, StoreError};
use super::key::{ChunkId, Key};
use super::value::{self, Contents, Head};
use std::fs::File;
use std::ops::Bound;
use std::path::{Path, PathBuf};

/// An open sled database, and a descriptor of its log.
pub struct Disk {
    database: sled::Db,
    /// Our own descriptor of sled's log: sled's `flush()` ends in `sync_file_range`, which survives
    /// no power cut, so each commit is synced by ourselves.
    log: File,
    folder: PathBuf,
}

/// A key and a value as sled has them, behind which the contents can be read.
pub type Stored = (sled::IVec, sled::IVec);

impl Disk {
    /// Wraps an open database; `folder` is the one that sled uses.
    pub fn new(database: sled::Db, log: File, folder: &Path) -> Self {
        Self { database, log, folder: folder.into() }
    }

    /// What stands at `key`.
    pub fn get(&self, key: &Key) -> Result<Option<Contents>> {
        loop {
            let Some(stored) = self.raw(key.encoded())? else {
                return Ok(None);
            };
            if let Some(contents) = self.contents(key, &stored)? {
                return Ok(Some(contents));
            }
        }
    }

    /// What the writer needs to remove the chunks of the value at `key`, if it has any. Those of a
    /// damaged value cannot be known, and stay.
    pub fn chunks_of(&self, key: &Key) -> Result<Option<(ChunkId, u32)>> {
        let stored = self.raw(key.encoded())?;
        Ok(stored.and_then(|stored| value::chunks_of(key, &stored).ok().flatten()))
    }

    /// The contents of `stored`, or `None` if they were replaced meanwhile: chunks are never
    /// changed, only removed in the batch that replaces their head.
    pub fn contents(&self, key: &Key, stored: &[u8]) -> Result<Option<Contents>> {
        let (total, id) = match value::decode(key, stored)? {
            Head::Inline(contents) => return Ok(Some(contents)),
            Head::Chunked { total, id } => (total, id),
        };
        let total = usize::try_from(total).map_err(|_| value::damaged(key))?;
        let mut body = Vec::with_capacity(total);
        for index in 0..u32::try_from(total.div_ceil(value::CHUNK_BYTES)).unwrap_or(u32::MAX) {
            let chunk = Key::chunk(id, index);
            let Some(piece) = self.raw(&chunk)? else {
                return match self.chunks_of(key)? {
                    Some((now, _)) if now == id => Err(value::damaged(key)),
                    _ => Ok(None),
                };
            };
            let bytes = value::decode_chunk(&chunk, &piece).ok_or_else(|| value::damaged(key))?;
            body.extend_from_slice(bytes);
        }
        if body.len() != total {
            return Err(value::damaged(key));
        }
        Ok(Some(value::without_full(key, &body)?.into()))
    }

    /// The stored values from the last one at or below `to` down to `from`.
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

    /// Every key, in order.
    pub fn keys(&self) -> impl Iterator<Item = Result<sled::IVec>> + '_ {
        self.database.iter().keys().map(|key| key.map_err(|error| self.failed("read", error)))
    }

    /// Applies `batch` as one; it is not durable yet.
    pub fn apply(&self, batch: sled::Batch) -> Result<()> {
        self.database.apply_batch(batch).map_err(|error| self.failed("write to", error))
    }

    /// Makes everything applied so far durable.
    pub fn make_durable(&self) -> Result<()> {
        self.database.flush().map_err(|error| self.failed("flush", error))?;
        self.log.sync_data().map_err(|error| StoreError::io("sync", &self.folder, error))
    }

    fn raw(&self, key: &[u8]) -> Result<Option<sled::IVec>> {
        self.database.get(key).map_err(|error| self.failed("read", error))
    }

    fn failed(&self, action: &'static str, error: sled::Error) -> StoreError {
        StoreError::sled(action, &self.folder, error)
    }
}
