//! Private copies of processes that were killed.

use crate::store::sled::folder::{self, is_there, permissions, LOCK};
use crate::store::sled::open::read_only::{PREFIX, STORE};
use std::fs;
use std::path::Path;

/// Removes the private copies in `temporary` that are this user's and in nobody's use. One that cannot be removed is in
/// nobody's way.
pub fn remove_from(temporary: &Path) {
    let Ok(paths) = folder::files(temporary) else { return };
    for path in paths.iter().filter(|path| is_copy(path)) {
        // Whoever makes one takes the lock before anything else, so without a lock it holds nothing.
        if is_there(&path.join(LOCK)).unwrap_or(false) {
            let _unused = folder::lock(path).map(|_lock| remove(path));
        }
    }
}

/// Removes the private copy at `path`, whose lock is held.
pub fn remove(path: &Path) -> std::io::Result<()> {
    let store = path.join(STORE);
    // Before the lock: without that nobody would know later whose the rest is.
    if store.exists() {
        fs::remove_dir_all(store)?;
    }
    fs::remove_dir_all(path)
}

/// Whether it is a folder of this user with the name of a private copy. Follows no link.
fn is_copy(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let digits = name.strip_prefix(PREFIX).unwrap_or_default();
    digits.len() == 32
        && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
        && path.symlink_metadata().is_ok_and(|found| found.is_dir() && permissions::is_own(&found))
}
