//! A store rewritten into a fresh folder, since sled's file never shrinks.
//!
//! The guard stays as it is: the new data has the same id and ends with the same change. So nothing but sled's own
//! folder is swapped, in two renames, and an open finishes what was cut short between them.

use super::error::{Result, StoreError};
use super::folder::{self, sync_folder, SLED, STORE_ID};
use super::journal;
use super::key::Key;
use super::open::{self, Settings};
use super::{registry, space, Store};
use std::fs::{self, File};
use std::path::Path;

/// The new store, while it is made.
const MAKING: &str = "compacting";
/// Its data, whole and durable.
const READY: &str = "sled.compacted";
/// The data before.
const OLD: &str = "sled.before-compacting";
/// sled's file is two and a half times as long as what is in it, when it was just written.
const OVERHEAD: u64 = 3;

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
    let is_closed = store.close(settings.commit_limit);
    // What is left of it is removed by the next open as well.
    let _ = fs::remove_dir_all(folder.join(MAKING));
    let compacted = written?;
    if !is_closed {
        let path = folder.clone();
        return Err(StoreError::Locked { path, holder: " (in this process, hanging)".into() });
    }
    if compacted.after < compacted.before {
        rename(&folder, SLED, OLD)?;
        finish(&folder)?;
    }
    Ok(compacted)
}

/// Finishes or takes back what a compaction has left in `folder`, whose lock is held.
pub fn finish(folder: &Path) -> Result<()> {
    if !folder.join(SLED).exists() {
        if !folder.join(READY).exists() {
            return Ok(());
        }
        rename(folder, READY, SLED)?;
    }
    for name in [MAKING, READY, OLD] {
        let path = folder.join(name);
        if path.exists() {
            fs::remove_dir_all(&path).map_err(|error| StoreError::io("remove", &path, error))?;
        }
    }
    Ok(())
}

/// Makes the new data, reads it, and lets it stand ready.
fn write(store: &Store, folder: &Path, progress: &dyn Fn(u64)) -> Result<Compacted> {
    let before = space::size_of(&folder.join(SLED))?;
    require_room(store, folder, before, progress)?;
    let making = folder.join(MAKING);
    let id = store.shared.with_disk(|disk| disk.get(&Key::meta(STORE_ID)))?;
    let id = id.as_deref().and_then(|id| id.try_into().ok());
    let id = id.ok_or_else(|| StoreError::Damaged { what: "the id of the store".into() })?;
    store.copy(&making, id, progress)?;
    let made = making.join(SLED);
    let after = space::size_of(&made)?;
    if after >= before {
        return Ok(Compacted { before, after: before });
    }
    // What sled has written since the copy was made durable, when it was opened and closed.
    for path in folder::files(&made)? {
        File::open(&path)
            .and_then(|file| file.sync_all())
            .map_err(|error| StoreError::io("sync", &path, error))?;
    }
    sync_folder(&made)?;
    rename(folder, &format!("{MAKING}/{SLED}"), READY)?;
    Ok(Compacted { before, after })
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
    let needed = before.min(held * OVERHEAD + journal::BYTES as u64) + space::RESERVE_BYTES;
    let room = space::room(folder)?;
    if room < needed {
        return Err(StoreError::NoRoom { path: folder.into(), needed, room });
    }
    Ok(())
}

fn rename(folder: &Path, from: &str, to: &str) -> Result<()> {
    let path = folder.join(from);
    fs::rename(&path, folder.join(to)).map_err(|error| StoreError::io("rename", &path, error))?;
    sync_folder(folder)
}
