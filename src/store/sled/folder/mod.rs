//! The folder of a store: its files, its lock and its permissions.
//!
//! - [`lock`](mod@lock): only one process can open the store
//! - [`permissions`]: only the owner can read it
//! - [`rollback_guard`]: the number of the last acknowledged commit
//! - [`journal`]: commits that sled may not have written yet
//! - [`swap`], [`relocate`]: replace the data by other data, and finish or undo that after an interruption
//! - [`free_space`]: free space, and network file systems
//! - [`names`]: the names of the files
//! - [`files`]: opens and creates files without following links
//! - [`errors`]: converts errors of the operating system
//!
//! An operation first reads the [`State`] of a folder, which refuses a folder without a store before anything is
//! touched. Then it takes the lock, and reads the state again.

mod errors;
mod files;
pub(in crate::store) mod free_space;
pub(in crate::store) mod journal;
mod lock;
pub(in crate::store) mod names;
pub(in crate::store) mod permissions;
pub(in crate::store) mod relocate;
pub mod rollback_guard;
pub(in crate::store) mod swap;

use files::require_kind;
pub use files::{
    cannot_sync, create_private, create_regular, files, is_there, open_regular, sync_folder,
};
pub use lock::{lock, refuse_locked, FolderLock};
use names::{BLOBS, GUARD, LOCK, NEW_GUARD, SLED, SWAP};
#[cfg(unix)]
pub use permissions::give_file_to_owner;
pub use permissions::{give_to_owner, owner_only};

use crate::store::error::{Result, StoreError};
use rollback_guard::{Mark, RollbackGuard};
use std::fs;
use std::path::{Path, PathBuf};

/// Names that a folder without a guard may contain. `lost+found` is at the root of a mounted volume.
pub const CREATED_BEFORE_GUARD: [&str; 4] = [LOCK, SLED, NEW_GUARD, "lost+found"];
/// Key of the store's ID in sled. The guard has the same ID.
pub const STORE_ID: &str = "store";

/// Content of a folder. Every operation reads it before it touches anything.
#[derive(Debug, PartialEq)]
pub enum State {
    /// Empty, or with files that a creation leaves before it has written a guard. The folder may be missing.
    Empty,
    /// A new store whose creation was cut short. Nothing was acknowledged, so the creation may start again.
    CreationCutShort,
    /// A backup that is not verified: it is being made, or was cut short.
    CopyCutShort,
    /// A restore into a folder without a store was cut short. There was nothing to lose.
    RestoreCutShort,
    /// A restore or a compaction was interrupted. The next process that locks the folder finishes or undoes it.
    Swapping,
    /// A store, according to its guard.
    Whole(rollback_guard::State),
    /// sled's folder without a guard.
    WithoutGuard,
    /// Files that do not belong to a store.
    Foreign {
        /// Name of one of them.
        found: String,
    },
}

/// Reads the content of `folder`, and changes nothing. Fails if the format is newer, or if a file is not a regular
/// file.
pub fn read(folder: &Path) -> Result<State> {
    refuse_unsafe(folder)?;
    if is_there(&folder.join(SWAP))? {
        return Ok(State::Swapping);
    }
    match RollbackGuard::read(folder)? {
        Some(state) => Ok(match state.mark {
            Mark::Whole => State::Whole(state),
            Mark::Creating => State::CreationCutShort,
            Mark::Copying => State::CopyCutShort,
        }),
        None if !is_there(folder)? => Ok(State::Empty),
        None => {
            let names: Vec<_> = files(folder)?
                .iter()
                .map(|path| path.file_name().unwrap_or_default().to_string_lossy().into_owned())
                .collect();
            let foreign = names.iter().find(|name| {
                !CREATED_BEFORE_GUARD.contains(&name.as_str()) && !swap::is_unfinished(name)
            });
            Ok(match foreign {
                Some(found) => State::Foreign { found: found.clone() },
                None if names.iter().any(|name| name == SLED) => State::WithoutGuard,
                None if names.iter().any(|name| swap::is_unfinished(name)) => {
                    State::RestoreCutShort
                }
                None => State::Empty,
            })
        }
    }
}

/// Returns the real path of the store at `path`. With `creates`, the store may be missing, and its folder is made. A
/// folder that cannot be a store is refused before anything is touched.
pub fn locate(path: &Path, creates: bool) -> Result<PathBuf> {
    require_openable(path, creates)?;
    if creates {
        return make(path);
    }
    fs::canonicalize(path).map_err(|error| StoreError::io("resolve", path, error))
}

/// Fails if the store in `folder` cannot be opened, not even after an interrupted swap was finished.
pub fn require_openable(folder: &Path, creates: bool) -> Result<()> {
    match read(folder)? {
        State::Swapping => Ok(()),
        _ => require_store(folder, creates).map(drop),
    }
}

/// Returns the guard's content of the store in `folder`; `None` if `creates` is set and the store has to be created.
pub fn require_store(folder: &Path, creates: bool) -> Result<Option<rollback_guard::State>> {
    let missing = || StoreError::NoStore { path: folder.into() };
    match read(folder)? {
        State::Whole(state) => Ok(Some(state)),
        State::WithoutGuard => Err(StoreError::GuardMismatch {
            path: folder.into(),
            found: "the data is there, the guard is not",
        }),
        State::CopyCutShort => {
            // If the lock is held, its holder is making the backup.
            lock::refuse_locked(folder)?;
            Err(StoreError::Unfinished { path: folder.into() })
        }
        State::RestoreCutShort => {
            lock::refuse_locked(folder)?;
            Err(StoreError::RestoreUnfinished { path: folder.into() })
        }
        State::Empty | State::CreationCutShort if creates => Ok(None),
        State::Swapping => Err(StoreError::Foreign { path: folder.into(), found: SWAP.into() }),
        State::Foreign { found } if creates => {
            Err(StoreError::Foreign { path: folder.into(), found })
        }
        State::CreationCutShort => {
            lock::refuse_locked(folder)?;
            Err(missing())
        }
        State::Empty | State::Foreign { .. } => Err(missing()),
    }
}

/// Fails if `folder` is occupied. A backup needs an empty folder, or one with the rest of a backup or creation that was
/// cut short.
pub fn refuse_occupied(folder: &Path) -> Result<()> {
    let found = match read(folder)? {
        State::Empty | State::CreationCutShort | State::CopyCutShort => return Ok(()),
        State::Whole(_) => GUARD.into(),
        State::WithoutGuard => SLED.into(),
        State::RestoreCutShort => {
            return Err(StoreError::RestoreUnfinished { path: folder.into() });
        }
        State::Swapping => SWAP.into(),
        State::Foreign { found } => found,
    };
    Err(StoreError::Foreign { path: folder.into(), found })
}

/// Fails if files written to `folder` could end up elsewhere.
fn refuse_unsafe(folder: &Path) -> Result<()> {
    refuse_links(folder)?;
    permissions::refuse_stranger(folder)
}

/// Fails if a file of a store in `folder` is a link or not a regular file, because a write to it would go elsewhere.
/// The folder itself may be a link, because the operator has named it.
pub fn refuse_links(folder: &Path) -> Result<()> {
    for name in [LOCK, SWAP, GUARD, NEW_GUARD] {
        require_kind(&folder.join(name), false)?;
    }
    let sled = folder.join(SLED);
    require_kind(&sled, true)?;
    if is_there(&sled)? {
        for path in files(&sled)? {
            require_kind(&path, path.ends_with(BLOBS))?;
        }
    }
    Ok(())
}

/// Creates the folder at `path` if it is missing, with access for its owner only, and returns its real path.
pub fn make(path: &Path) -> Result<PathBuf> {
    refuse_unsafe(path)?;
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let mut missing = 0;
    for folder in path.ancestors().filter(|folder| !folder.as_os_str().is_empty()) {
        if is_there(folder)? {
            break;
        }
        missing += 1;
    }
    builder.create(path).map_err(|error| StoreError::io("create", path, error))?;
    let real = fs::canonicalize(path).map_err(|error| StoreError::io("resolve", path, error))?;
    // Without this, the whole folder could vanish in a power cut.
    for parent in real.ancestors().skip(1).take(missing) {
        sync_folder(parent)?;
    }
    Ok(real)
}
