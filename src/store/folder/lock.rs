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
        Err(TryLockError::WouldBlock) => {
            let holder = fs::read_to_string(&path).unwrap_or_default();
            let holder: String = holder.chars().filter(char::is_ascii_digit).take(20).collect();
            return Err(StoreError::Locked {
                path: folder.into(),
                holder: describe_holder(&holder),
            });
        }
        Err(TryLockError::Error(error)) => return Err(StoreError::io("lock", &path, error)),
    }
    // For people only: the lock is the lock, whatever the file says.
    let noted = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
    noted.map_err(|error| StoreError::io("write", &path, error))?;
    owner_only(&path, 0o600)?;
    Ok(FolderLock { _file: file })
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
