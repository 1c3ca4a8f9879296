//! Makes a store from a backup, and puts it in the place of the existing one.

use crate::store::error::{Result, StoreError};
use crate::store::report::Report;
use crate::store::sled::folder::free_space;
use crate::store::sled::folder::names::{GUARD, SLED};
use crate::store::sled::folder::swap::{self, Kind};
use crate::store::sled::folder::{self, is_there};
use crate::store::sled::open::registry::{self, Lease};
use crate::store::sled::open::Settings;
use std::path::{Path, PathBuf};

/// Result of a restore.
pub struct Restored {
    /// Content of the backup.
    pub report: Report,
    /// Size of the new store's files, in bytes.
    pub disk_bytes: u64,
    /// Folder that keeps the replaced store, and its size in bytes.
    pub replaced: Option<(PathBuf, u64)>,
}

/// Makes a store from the backup `from` in the folder of `settings`. `prepare` is called with the new store before it
/// replaces the old one, which stays in place if `prepare` fails. The replaced store is kept. Blocks.
pub fn restore(
    from: &Path,
    settings: &Settings,
    progress: &dyn Fn(u64),
    prepare: impl FnOnce(&Lease) -> Result<()>,
) -> Result<Restored> {
    let existing = |path: &Path| Settings { path: path.into(), creates: false, ..settings.clone() };
    let source = registry::open_exclusive(&existing(from))?;
    let report = source.verify(progress)?;
    if report.problems.number > 0 {
        let what = format!("the backup {} ({})", from.display(), report.problems.first());
        return Err(StoreError::Damaged { what });
    }
    let folder = folder::make(&settings.path)?;
    let _lock = folder::lock(&folder)?;
    // First, because finishing a swap removes files.
    refuse_others(&folder)?;
    swap::finish(&folder)?;
    let backup_bytes = free_space::size_of(&source.path().join(SLED))?;
    free_space::require(&folder, free_space::needed_for_copy(report.bytes, backup_bytes))?;
    let number = swap::next_number(&folder)?;
    let kind = Kind::Restore { number };
    let staged = folder.join(kind.staged());
    let made = make(source, &existing(&staged), progress, prepare);
    if let Err(error) = made {
        // If this fails, the next open or restore removes the rest.
        let _ = swap::remove_unfinished(&folder);
        return Err(error);
    }
    swap::run(&folder, kind)?;
    let kept = swap::kept_in(&folder, number);
    let replaced =
        is_there(&kept)?.then(|| free_space::size_of(&kept).map(|bytes| (kept.clone(), bytes)));
    let replaced = replaced.transpose()?;
    Ok(Restored { report, disk_bytes: free_space::size_of(&folder.join(SLED))?, replaced })
}

/// Makes the new store in the folder of `settings`, and closes it.
fn make(
    source: Lease,
    settings: &Settings,
    progress: &dyn Fn(u64),
    prepare: impl FnOnce(&Lease) -> Result<()>,
) -> Result<()> {
    source.copy(&settings.path, settings.new_id, progress)?;
    source.close()?;
    let new = registry::open_exclusive(settings)?;
    prepare(&new)?;
    // A store that could not be closed is still open, and must not be moved.
    new.close()
}

fn refuse_others(folder: &Path) -> Result<()> {
    for path in folder::files(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let ours = name == GUARD || swap::is_ours(&name);
        if !ours && !folder::CREATED_BEFORE_GUARD.contains(&name.as_str()) {
            return Err(StoreError::Foreign { path: folder.into(), found: name });
        }
    }
    Ok(())
}
