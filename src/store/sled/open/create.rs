//! Creates a new store, or the store of a backup.

use crate::store::error::{Result, StoreError};
use crate::store::key::{ChunkId, Key};
use crate::store::sled::database::disk;
use crate::store::sled::database::start::open_sled;
use crate::store::sled::folder::journal::Journal;
use crate::store::sled::folder::names::{GUARD, IN_SLED, LOG, SLED};
use crate::store::sled::folder::rollback_guard::{Mark, RollbackGuard, StoreId};
use crate::store::sled::folder::{
    create_private, is_there, open_regular, owner_only, sync_folder, STORE_ID,
};
use crate::store::sled::format::batch::Batch;
use crate::store::sled::format::meta::put_applied;
use crate::store::sled::format::value;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

/// A store that is being made.
pub struct New {
    guard: RollbackGuard,
    /// Database of the new store. At first it holds only the store's ID and the number of the last commit.
    pub database: sled::Db,
    /// Descriptor of sled's log. It is opened before the first write, because a write error is reported only to
    /// descriptors that were open at that time.
    log: File,
    folder: PathBuf,
}

/// Starts a new store in `folder`, which is empty or holds the rest of a creation that was cut short. The caller holds
/// the lock. The guard is written first, with `mark`, so that an unfinished store is recognized.
pub fn begin(folder: &Path, id: StoreId, mark: Mark) -> Result<New> {
    let sled_folder = folder.join(SLED);
    if is_there(&sled_folder)? {
        fs::remove_dir_all(&sled_folder)
            .map_err(|error| StoreError::io("remove", &sled_folder, error))?;
    }
    let guard = RollbackGuard::create(folder, id, mark)?;
    create_private(&sled_folder)?;
    let (database, _) = open_sled(&sled_folder)?;
    let log = open_log(&sled_folder)?;
    Journal::create(&sled_folder)?;
    let mut batch = Batch::default();
    let key = Key::meta(STORE_ID);
    let chunk = ChunkId { commit_number: 0, ordinal: 0 };
    batch.insert(key.encoded(), value::encode(&key, &id.as_slice().into(), chunk).head);
    put_applied(&mut batch, 0);
    // Key by key instead of as a batch of sled: the store is unfinished anyway, and a batch of sled blocks every other
    // database in the process.
    for (key, value) in batch.shared() {
        disk::put(&database, key, value)
            .map_err(|error| StoreError::sled("create", &sled_folder, error))?;
    }
    Ok(New { guard, database, log, folder: folder.into() })
}

impl New {
    /// Makes everything durable, and removes the mark. The last commit of the store has the number `applied`.
    pub fn complete(self, applied: u64) -> Result<(RollbackGuard, sled::Db)> {
        let (written, database) = self.settle()?;
        Ok((written.complete(applied)?, database))
    }

    /// Makes everything durable. The mark stays until [`Settled::complete`].
    pub fn settle(self) -> Result<(Settled, sled::Db)> {
        let sled_folder = self.folder.join(SLED);
        disk::flush_surely(&self.database)
            .map_err(|error| StoreError::sled("create", &sled_folder, error))?;
        self.log.sync_data().map_err(|error| StoreError::io("sync", &sled_folder, error))?;
        Ok((Settled { guard: self.guard, folder: self.folder }, self.database))
    }
}

/// A new store whose data is durable, but which still has its mark.
pub struct Settled {
    guard: RollbackGuard,
    folder: PathBuf,
}

impl Settled {
    /// Removes the mark, which makes the store complete. Its last commit has the number `applied`.
    pub fn complete(mut self, applied: u64) -> Result<RollbackGuard> {
        let sled_folder = self.folder.join(SLED);
        // If the permissions cannot be changed, the next open reports it.
        owner_only(&self.folder)?;
        sync_files(&self.folder, &sled_folder)?;
        // Writes both slots. If one kept the mark, damage to the other would make the store look unfinished.
        self.guard.record(applied)?;
        self.guard.record(applied)?;
        self.guard.sync()?;
        Ok(self.guard)
    }
}

/// Syncs sled's `conf`, the names of its files, and our own files. sled does not sync these, so a store might not open
/// after a power cut.
pub fn sync_files(folder: &Path, sled_folder: &Path) -> Result<()> {
    let within = IN_SLED.map(|name| sled_folder.join(name));
    for path in within.into_iter().chain([folder.join(GUARD)]) {
        open_to_sync(&path)?.sync_all().map_err(|error| StoreError::io("sync", &path, error))?;
    }
    sync_folder(sled_folder)?;
    sync_folder(folder)
}

/// Opens sled's log, to sync it.
pub fn open_log(sled_folder: &Path) -> Result<File> {
    open_to_sync(&sled_folder.join(LOG))
}

/// Opens a file to sync it. It is opened for writing, because Windows syncs no other files.
fn open_to_sync(path: &Path) -> Result<File> {
    open_regular(path, OpenOptions::new().read(true).write(true))
}
