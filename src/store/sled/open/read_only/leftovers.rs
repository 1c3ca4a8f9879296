//! Removes private copies that killed processes have left.

use crate::store::sled::folder::names::LOCK;
use crate::store::sled::folder::{self, is_there, permissions};
use crate::store::sled::open::read_only::{PREFIX, STORE};
use std::fs;
use std::path::Path;

/// Removes the private copies in `temporary` that belong to this user and are not in use. Ignores errors, because a
/// copy that stays does no harm.
pub fn remove_from(temporary: &Path) {
    let Ok(paths) = folder::files(temporary) else { return };
    for path in paths.iter().filter(|path| is_copy(path)) {
        // A process that makes a copy takes the lock first, so a folder without a lock file is empty.
        if is_there(&path.join(LOCK)).unwrap_or(false) {
            let _unused = folder::lock(path).map(|_lock| remove(path));
        }
    }
}

/// Removes the private copy at `path`. The caller holds its lock.
pub fn remove(path: &Path) -> std::io::Result<()> {
    let store = path.join(STORE);
    // The lock file goes last. Without it, nobody could tell later whether the rest is in use.
    if store.exists() {
        fs::remove_dir_all(store)?;
    }
    fs::remove_dir_all(path)
}

/// Returns whether `path` is a folder of this user with the name of a private copy. Follows no link.
fn is_copy(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let digits = name.strip_prefix(PREFIX).unwrap_or_default();
    digits.len() == 32
        && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
        && path.symlink_metadata().is_ok_and(|found| found.is_dir() && permissions::is_own(&found))
}
