//! The lock of a store's folder.

use super::{owner_only, LOCK};
use crate::store::error::{Result, StoreError};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::Path;

/// The folder's lock, held as long as the file is open.
pub struct FolderLock {
    _file: File,
}

/// Takes the lock of the store in `folder`.
pub fn lock(folder: &Path) -> Result<FolderLock> {
    let path = folder.join(LOCK);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(|error| StoreError::io("open", &path, error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(locked(folder)),
        Err(TryLockError::Error(error)) => return Err(StoreError::io("lock", &path, error)),
    }
    // For people only: the lock is the lock, whatever the file says.
    let noted = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
    noted.map_err(|error| StoreError::io("write", &path, error))?;
    owner_only(&path, 0o600)?;
    Ok(FolderLock { _file: file })
}

/// Refuses a folder whose lock is held, and changes nothing.
pub fn refuse_locked(folder: &Path) -> Result<()> {
    let path = folder.join(LOCK);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(StoreError::io("open", &path, error)),
    };
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Err(locked(folder)),
        Err(TryLockError::Error(error)) => Err(StoreError::io("lock", &path, error)),
        Ok(()) => Ok(()),
    }
}

fn locked(folder: &Path) -> StoreError {
    let holder = fs::read_to_string(folder.join(LOCK)).unwrap_or_default();
    let holder: String = holder.chars().filter(char::is_ascii_digit).take(20).collect();
    StoreError::Locked { path: folder.into(), holder: describe_holder(&holder) }
}

fn describe_holder(process: &str) -> String {
    match process {
        "" => String::new(),
        own if own == std::process::id().to_string() => {
            " (this very process: is dashboard-sled installed twice?)".into()
        }
        other => format!(" (process {other})"),
    }
}
