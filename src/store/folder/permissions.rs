//! Who may read what is in a store's folder.

use crate::store::error::Result;
#[cfg(unix)]
use crate::store::error::StoreError;
use std::path::Path;

/// Lets nobody but its owner at `path`.
#[cfg(unix)]
pub fn owner_only(path: &Path, mode: u32) -> Result<()> {
    use std::fs::{set_permissions, Permissions};
    use std::os::unix::fs::PermissionsExt;
    set_permissions(path, Permissions::from_mode(mode))
        .map_err(|error| StoreError::io("set the permissions of", path, error))
}

/// Windows has no modes.
#[cfg(not(unix))]
pub fn owner_only(_path: &Path, _mode: u32) -> Result<()> {
    Ok(())
}

/// What refuses this process at `path`, with its owner and mode, and the user that this process runs as: the innermost
/// file or folder that can be looked at.
#[cfg(unix)]
#[must_use]
pub fn refusing(path: &Path) -> Option<(String, u32)> {
    use std::os::unix::fs::MetadataExt;
    let (at, found) = path.ancestors().find_map(|at| Some((at, at.symlink_metadata().ok()?)))?;
    let what = if found.is_dir() { "the folder" } else { "the file" };
    let (owner, mode) = (found.uid(), found.mode() & 0o7777);
    // SAFETY: it reads a number of this process, and cannot fail.
    let user = unsafe { libc::geteuid() };
    Some((format!("{what} {} belongs to user {owner} and has mode {mode:o}", at.display()), user))
}

/// Windows has no modes.
#[cfg(not(unix))]
#[must_use]
pub fn refusing(_path: &Path) -> Option<(String, u32)> {
    None
}
