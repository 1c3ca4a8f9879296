//! Opens a store that cannot be written: on a read-only medium, or in a folder that this user may only read.
//!
//! sled writes when it opens a store, and the journal may hold changes that sled lacks. The files are therefore copied
//! to the system's folder for temporary files. The private copy is opened, and removed on close. Changes are refused. A
//! copy that a killed process has left is removed by the next process that makes one.

use crate::store::error::{Result, StoreError};
use crate::store::sled::folder::names::{BLOBS, GUARD, LOCK, SLED};
use crate::store::sled::folder::{self, FolderLock};
use crate::store::sled::open::{self, Settings};
use crate::store::sled::Store;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use uuid::Uuid;

mod leftovers;

/// Prefix of the name of a private copy. 32 digits follow.
const PREFIX: &str = "dashboard-sled-";
/// Name of the store's folder in a private copy.
const STORE: &str = "store";

/// Keeps a store open: holds the lock of its folder, or a private copy.
pub struct Hold {
    // Fields are dropped in this order: the lock file of a private copy is in the copy.
    _lock: FolderLock,
    _copy: Option<PrivateCopy>,
}

/// Opens the store in `settings`. If it cannot be written, opens a private copy that can only be read.
pub fn open_or_copy(settings: &Settings) -> Result<(Store, Hold)> {
    match open::open(settings) {
        Ok((store, lock)) => Ok((store, Hold { _lock: lock, _copy: None })),
        Err(error) if !settings.creates && is_read_only(&error) => open_copy(settings),
        Err(error) => Err(error),
    }
}

/// Returns whether an open failed because it may not write. Its first write is the lock file.
fn is_read_only(error: &StoreError) -> bool {
    match error {
        StoreError::ReadOnly { .. } => true,
        StoreError::NotPermitted { path, .. } => path.ends_with(LOCK),
        _ => false,
    }
}

fn open_copy(settings: &Settings) -> Result<(Store, Hold)> {
    let folder = &settings.path;
    // Another user may be allowed to write, but not while this lock is held.
    let unlocked = folder::refuse_locked(folder)?;
    folder::require_store(folder, false)?;
    leftovers::remove_from(&std::env::temp_dir());
    let copy = PrivateCopy::of(folder)?;
    drop(unlocked);
    let (store, lock) = open::open(&Settings { path: copy.store(), ..settings.clone() })?;
    store.refuse_changes(StoreError::ReadOnly { path: folder.clone() });
    Ok((store, Hold { _lock: lock, _copy: Some(copy) }))
}

/// A folder with a copy of a store. It is removed on drop.
struct PrivateCopy {
    path: PathBuf,
    /// Tells other processes that the copy is in use.
    lock: Option<FolderLock>,
}

impl PrivateCopy {
    fn of(folder: &Path) -> Result<Self> {
        let path = std::env::temp_dir().join(format!("{PREFIX}{}", Uuid::new_v4().simple()));
        folder::create_private(&path)?;
        // From here on the folder is removed on any error.
        let mut copy = Self { path, lock: None };
        copy.lock = Some(folder::lock(&copy.path)?);
        let store = copy.store();
        folder::create_private(&store)?;
        let sled = store.join(SLED);
        folder::create_private(&sled)?;
        folder::create_private(&sled.join(BLOBS))?;
        copy_file(&folder.join(GUARD), &store)?;
        for file in folder::files(&folder.join(SLED))? {
            if !file.is_dir() {
                copy_file(&file, &sled)?;
            }
        }
        Ok(copy)
    }

    fn store(&self) -> PathBuf {
        self.path.join(STORE)
    }
}

impl Drop for PrivateCopy {
    fn drop(&mut self) {
        // There is no caller to report to, and the next process that makes a copy removes the rest.
        let _ = leftovers::remove(&self.path);
    }
}

fn copy_file(from: &Path, folder: &Path) -> Result<()> {
    let to = folder.join(from.file_name().unwrap_or_default());
    let mut source = folder::open_regular(from, OpenOptions::new().read(true))?;
    let mut target = folder::create_regular(&to)?;
    std::io::copy(&mut source, &mut target)
        .map(drop)
        .map_err(|error| StoreError::io("copy to", &to, error))
}
