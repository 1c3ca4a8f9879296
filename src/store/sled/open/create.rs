//! Making a new store, or the store that a copy is written to.

use crate::store::error::{Result, StoreError};
use crate::store::key::{ChunkId, Key};
use crate::store::sled::database::disk;
use crate::store::sled::database::start::open_sled;
use crate::store::sled::folder::journal::{self, Journal};
use crate::store::sled::folder::rollback_guard::{self, Mark, RollbackGuard, StoreId};
use crate::store::sled::folder::{
    create_private, is_there, open_regular, owner_only, sync_folder, SLED, STORE_ID,
};
use crate::store::sled::format::batch::Batch;
use crate::store::sled::format::meta::put_applied;
use crate::store::sled::format::value;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

/// A store that is being made.
pub struct New {
    guard: RollbackGuard,
    /// Its database, which has nothing but the store's id.
    pub database: sled::Db,
    /// Open from before the first write: an error of writing is told to those alone who had the file open.
    log: File,
    folder: PathBuf,
}

/// Begins a new store in `folder`, which is empty or has what was cut short here before, and whose lock is held. The
/// guard is there first and has `mark`, so that what is cut short is known as that.
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
    let chunk = ChunkId { sequence: 0, ordinal: 0 };
    batch.insert(key.encoded(), value::encode(&key, &id.as_slice().into(), chunk).head);
    put_applied(&mut batch, 0);
    // Not as one: it is unfinished anyway, and a batch of sled's has every other database in the process wait.
    for (key, value) in batch.shared() {
        disk::put(&database, key, value)
            .map_err(|error| StoreError::sled("create", &sled_folder, error))?;
    }
    Ok(New { guard, database, log, folder: folder.into() })
}

impl New {
    /// Makes everything durable, and takes the mark away: the store ends with change number `applied`.
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

/// A new store whose data is durable, and which is still marked.
pub struct Settled {
    guard: RollbackGuard,
    folder: PathBuf,
}

impl Settled {
    /// Takes the mark away: the store is whole, and ends with change number `applied`.
    pub fn complete(mut self, applied: u64) -> Result<RollbackGuard> {
        let sled_folder = self.folder.join(SLED);
        // Where it may not be changed, the next open tells.
        owner_only(&self.folder)?;
        sync_files(&self.folder, &sled_folder)?;
        // Both slots: one with the mark would let the folder pass for unfinished if the other is damaged.
        self.guard.record(applied)?;
        self.guard.record(applied)?;
        self.guard.sync()?;
        Ok(self.guard)
    }
}

/// sled syncs neither its `conf` nor the names of its files, so a store would not open after a power
/// cut; our own files likewise.
pub fn sync_files(folder: &Path, sled_folder: &Path) -> Result<()> {
    let within = ["conf", "db", journal::NAME].map(|name| sled_folder.join(name));
    for path in within.into_iter().chain([folder.join(rollback_guard::NAME)]) {
        open_to_sync(&path)?.sync_all().map_err(|error| StoreError::io("sync", &path, error))?;
    }
    sync_folder(sled_folder)?;
    sync_folder(folder)
}

/// sled's log, to sync it.
pub fn open_log(sled_folder: &Path) -> Result<File> {
    open_to_sync(&sled_folder.join("db"))
}

/// Windows syncs only what may be written.
fn open_to_sync(path: &Path) -> Result<File> {
    open_regular(path, OpenOptions::new().read(true).write(true))
}
