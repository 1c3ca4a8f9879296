//! Moves a file or a folder, even where the system cannot rename it.

use crate::store::error::{Result, StoreError};
use crate::store::sled::folder::files::{is_there, sync_folder};
use crate::store::sled::folder::free_space::{self, RESERVE_BYTES};
use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::path::Path;

/// Moves `from` to `to`, durably. A folder in the lower layer of an overlay file system, or under another quota, cannot
/// be renamed. It is then copied to `part` first; a `part` from an earlier call is removed. After an interruption at
/// any point, the call can be repeated if nothing else has touched the three paths.
pub fn relocate(from: &Path, to: &Path, part: &Path) -> Result<()> {
    match (is_there(from)?, is_there(to)?) {
        (false, false) => {
            let what = format!("the store that is being swapped: {} is missing, and", to.display());
            return Err(StoreError::Damaged { what });
        }
        // It was renamed, but the rename may not be durable yet.
        (false, true) => {}
        // A copy gets its final name when it is complete, so only the removal is left.
        (true, true) => remove(from)?,
        (true, false) => match rename(from, to) {
            Err(error) if error.kind() == ErrorKind::CrossesDevices => {
                copy(from, to, part)?;
                remove(from)?;
            }
            renamed => renamed.map_err(|error| StoreError::io("rename", from, error))?,
        },
    }
    for folder in [to.parent(), from.parent()].into_iter().flatten() {
        sync_folder(folder)?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path, part: &Path) -> Result<()> {
    let Some(parent) = to.parent() else { return Ok(()) };
    remove(part)?;
    if from.is_dir() {
        free_space::require(parent, free_space::size_of(from)? + RESERVE_BYTES)?;
    }
    copy_all(from, part)?;
    rename(part, to).map_err(|error| StoreError::io("rename", part, error))?;
    sync_folder(parent)
}

/// Copies a file, or a folder with its content. The copy is durable except for its own name.
fn copy_all(from: &Path, to: &Path) -> Result<()> {
    interruption().map_err(|error| StoreError::io("copy", from, error))?;
    let failed = |error| StoreError::io("copy", from, error);
    let found = fs::symlink_metadata(from).map_err(failed)?;
    if found.is_dir() {
        create_folder(to)?;
        for entry in fs::read_dir(from).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            copy_all(&from.join(&name), &to.join(&name))?;
        }
        return sync_folder(to);
    }
    if !found.is_file() {
        return Err(failed(std::io::Error::other("it is neither a file nor a folder")));
    }
    fs::copy(from, to).map_err(failed)?;
    sync_file(to)
}

/// Creates a folder with access for its owner only.
pub fn create_folder(path: &Path) -> Result<()> {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "Windows has no modes"))]
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    interruption()
        .and_then(|()| builder.create(path))
        .map_err(|error| StoreError::io("create", path, error))
}

/// Syncs all files and names in `folder`.
pub fn sync_all_in(folder: &Path) -> Result<()> {
    let failed = |error| StoreError::io("list", folder, error);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_type().map_err(failed)?.is_dir() {
            sync_all_in(&entry.path())?;
        } else {
            sync_file(&entry.path())?;
        }
    }
    sync_folder(folder)
}

/// Syncs a file. It is opened for writing, because Windows syncs no other files.
fn sync_file(path: &Path) -> Result<()> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .and_then(|file| file.sync_all())
        .map_err(|error| StoreError::io("sync", path, error))
}

/// Removes the file or folder at `path` if it exists. Follows no link.
pub fn remove(path: &Path) -> Result<()> {
    let removed = interruption().and_then(|()| match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    });
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(StoreError::io("remove", path, error))
        }
        _ => Ok(()),
    }
}

/// Renames, without making the new name durable.
pub fn rename(from: &Path, to: &Path) -> std::io::Result<()> {
    interruption()?;
    #[cfg(test)]
    if faults::refuses_to_rename(from) {
        return Err(ErrorKind::CrossesDevices.into());
    }
    rename_once_free(from, to)
}

#[cfg(not(windows))]
fn rename_once_free(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::rename(from, to)
}

/// Retries while a file in the folder is open: Windows refuses to rename such a folder, and sled's handles outlive its
/// database by a few milliseconds.
#[cfg(windows)]
fn rename_once_free(from: &Path, to: &Path) -> std::io::Result<()> {
    use std::time::Duration;
    /// `ERROR_ACCESS_DENIED` and `ERROR_SHARING_VIOLATION`.
    const IN_USE: [i32; 2] = [5, 32];
    const TRIES: u32 = 100;
    const PAUSE: Duration = Duration::from_millis(10);
    let is_in_use =
        |error: &std::io::Error| error.raw_os_error().is_some_and(|code| IN_USE.contains(&code));
    for _ in 1..TRIES {
        match fs::rename(from, to) {
            Err(error) if is_in_use(&error) => std::thread::sleep(PAUSE),
            renamed => return renamed,
        }
    }
    fs::rename(from, to)
}

/// Called before each change of files. Tests interrupt it there.
#[cfg(test)]
pub use faults::count as interruption;

#[cfg(not(test))]
#[expect(clippy::unnecessary_wraps, reason = "in tests it may fail")]
pub fn interruption() -> std::io::Result<()> {
    Ok(())
}

/// Faults that tests inject, per thread.
#[cfg(test)]
pub mod faults {
    use std::cell::Cell;
    use std::path::Path;

    thread_local! {
        static LEFT: Cell<Option<u32>> = const { Cell::new(None) };
        static OVERLAY: Cell<bool> = const { Cell::new(false) };
    }

    /// Makes the change of files with this number (counted from 0) and all later ones fail, as if the process had
    /// ended.
    pub fn interrupt_at(number: Option<u32>) {
        LEFT.set(number);
    }

    /// Makes folders named `sled` impossible to rename.
    pub fn set_overlay(is_overlay: bool) {
        OVERLAY.set(is_overlay);
    }

    pub fn count() -> std::io::Result<()> {
        match LEFT.get() {
            Some(0) => Err(std::io::Error::other("interrupted by the test")),
            left => {
                LEFT.set(left.map(|left| left - 1));
                Ok(())
            }
        }
    }

    pub fn refuses_to_rename(from: &Path) -> bool {
        OVERLAY.get() && from.is_dir() && from.ends_with("sled")
    }
}
