//! The folder of a store: the names in it, whose it is, and what makes it durable.

mod lock;
mod permissions;

pub use lock::{lock, FolderLock};
pub use permissions::owner_only;

use super::error::{Result, StoreError};
use super::guard::{self, Guard};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// sled's own folder within the store's.
pub const SLED: &str = "sled";
/// The file whose lock is the store's.
pub const LOCK: &str = "lock";
/// What may stand in a folder that has no guard yet; a volume of its own has the last one.
pub const CREATED_BEFORE_GUARD: [&str; 4] = [LOCK, SLED, guard::NEW_NAME, "lost+found"];
/// The key of the id that the guard has as well.
pub const STORE_ID: &str = "store";

/// Makes the folder at `path` if it is missing, for its owner alone, and returns its real path.
pub fn real_path(path: &Path) -> Result<PathBuf> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let missing: Vec<_> = path.ancestors().take_while(|folder| !folder.exists()).collect();
    builder.create(path).map_err(|error| StoreError::io("create", path, error))?;
    let real = fs::canonicalize(path).map_err(|error| StoreError::io("resolve", path, error))?;
    // Without this a power cut may take the whole folder away.
    for parent in real.ancestors().skip(1).take(missing.len()) {
        sync_folder(parent)?;
    }
    Ok(real)
}

/// What stands in `folder`.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .map_err(|error| StoreError::io("list", folder, error))
}

/// Makes the names in `folder` durable. Windows neither needs nor allows it.
pub fn sync_folder(folder: &Path) -> Result<()> {
    if cfg!(windows) {
        return Ok(());
    }
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| StoreError::io("sync", folder, error))
}

/// A copy needs a folder that is empty, or has what a copy that was cut short has left.
pub fn refuse_occupied(folder: &Path) -> Result<()> {
    match Guard::read(folder)? {
        Some(state) if state.creating => Ok(()),
        Some(_) => Err(StoreError::Foreign { path: folder.into(), found: guard::NAME.into() }),
        None => refuse_foreign(folder),
    }
}

/// A folder without a guard has to be empty, but for what a creation leaves before its guard.
pub fn refuse_foreign(folder: &Path) -> Result<()> {
    for path in files(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !CREATED_BEFORE_GUARD.contains(&name.as_str()) {
            return Err(StoreError::Foreign { path: folder.into(), found: name });
        }
    }
    Ok(())
}
