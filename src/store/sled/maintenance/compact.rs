//! A store rewritten into a fresh folder, since sled's file never shrinks.
//!
//! The guard stays as it is: the new data has the same id and ends with the same change. So nothing but sled's own
//! folder is swapped.

use crate::store::error::{Result, StoreError};
use crate::store::key::Key;
use crate::store::sled::folder::free_space;
use crate::store::sled::folder::swap::{self, Kind};
use crate::store::sled::folder::{self, SLED, STORE_ID};
use crate::store::sled::open::registry;
use crate::store::sled::open::{self, Settings};
use crate::store::sled::Store;
use std::path::Path;

/// What was saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compacted {
    /// The bytes of sled's files before.
    pub before: u64,
    /// The same after; nothing was changed if it would not be less.
    pub after: u64,
}

/// Rewrites the store of `settings`, which nothing else may have open. `progress` is told the bytes read or copied.
/// Blocks.
pub fn compact(settings: &Settings, progress: &dyn Fn(u64)) -> Result<Compacted> {
    let folder = folder::locate(&settings.path, false)?;
    registry::refuse_opened(&folder)?;
    // The lock is held until the end, so that nobody writes to what is about to be replaced.
    let (store, _lock) = open::open(&Settings { path: folder.clone(), ..settings.clone() })?;
    let written = write(&store, &folder, progress);
    // A store that could not be closed is still open: it must not be moved.
    let closed = require_closed(&store, settings, &folder);
    match written.and_then(|compacted| closed.map(|()| compacted)) {
        Ok(compacted) if compacted.after < compacted.before => {
            swap::run(&folder, Kind::Compact)?;
            Ok(compacted)
        }
        unchanged => {
            // What is left of it is removed by the next open as well.
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

/// Makes the new data, and reads it.
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
