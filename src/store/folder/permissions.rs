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
