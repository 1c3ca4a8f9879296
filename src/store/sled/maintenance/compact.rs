//! Rewrites a store into fresh files, because sled's file never shrinks.
//!
//! The guard stays as it is, because the new data has the same ID and the same last commit. Only sled's folder is
//! swapped.

use crate::store::error::{Result, StoreError};
use crate::store::key::Key;
use crate::store::sled::folder::free_space;
use crate::store::sled::folder::names::SLED;
use crate::store::sled::folder::swap::{self, Kind};
use crate::store::sled::folder::{self, STORE_ID};
use crate::store::sled::open::registry;
use crate::store::sled::open::{self, Settings};
use crate::store::sled::Store;
use std::path::Path;

/// Result of a compaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compacted {
    /// Size of sled's files before, in bytes.
    pub before: u64,
    /// Size of sled's files after, in bytes. If they would not be smaller, nothing was changed.
    pub after: u64,
}

/// Rewrites the store of `settings`, which must not be open anywhere else. Calls `progress` with the number of bytes
/// read or copied. Blocks.
pub fn compact(settings: &Settings, progress: &dyn Fn(u64)) -> Result<Compacted> {
    let folder = folder::locate(&settings.path, false)?;
    registry::refuse_opened(&folder)?;
    // Held until the end, so that nobody writes to the data that is about to be replaced.
    let (store, _lock) = open::open(&Settings { path: folder.clone(), ..settings.clone() })?;
    let written = write(&store, &folder, progress);
    // A store that could not be closed is still open, and must not be moved.
    let closed = require_closed(&store, settings, &folder);
    match written.and_then(|compacted| closed.map(|()| compacted)) {
        Ok(compacted) if compacted.after < compacted.before => {
            swap::run(&folder, Kind::Compact)?;
            Ok(compacted)
        }
        unchanged => {
            // If this fails, the next open removes the rest.
            let _ = swap::remove_unfinished(&folder);
            unchanged
        }
    }
}

fn require_closed(store: &Store, settings: &Settings, path: &Path) -> Result<()> {
    if store.close(settings.commit_limit) {
        return Ok(());
    }
    let (path, seconds) = (path.into(), settings.commit_limit.as_secs());
    Err(StoreError::StillOpen { path, seconds, holder: store.holder() })
}

/// Makes the new data, and verifies it.
fn write(store: &Store, folder: &Path, progress: &dyn Fn(u64)) -> Result<Compacted> {
    let before = free_space::size_of(&folder.join(SLED))?;
    require_room(store, folder, before, progress)?;
    let making = folder.join(Kind::Compact.staged());
    let id = store.shared.with_disk(|disk| disk.get(&Key::meta(STORE_ID)))?;
    let id = id.as_deref().and_then(|id| id.try_into().ok());
    let id = id.ok_or_else(|| StoreError::Damaged { what: "the id of the store".into() })?;
    store.copy(&making, id, progress)?;
    let after = free_space::size_of(&making.join(SLED))?;
    Ok(Compacted { before, after: after.min(before) })
}

fn require_room(store: &Store, folder: &Path, before: u64, progress: &dyn Fn(u64)) -> Result<()> {
    let mut held = 0;
    store.shared.with_disk(|disk| {
        for stored in disk.forwards(&[], None) {
            let (key, value) = stored?;
            held += (key.len() + value.len()) as u64;
            progress(held);
        }
        Ok(())
    })?;
    free_space::require(folder, free_space::needed_for_copy(held, before))
}
