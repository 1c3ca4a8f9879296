//! File permissions in a store's folder. Windows has neither modes nor owners of this kind.

use crate::store::error::Result;
#[cfg(unix)]
use crate::store::error::StoreError;
use crate::store::notice::Notice;
#[cfg(unix)]
use crate::store::sled::folder::names::{GUARD, IN_SLED, LOCK, SLED, SWAP};
#[cfg(unix)]
use std::path::Path;

#[cfg(unix)]
pub use unix::{give_file_to_owner, give_to_owner, gives_away, refusing};

/// Permission bits of everybody except the owner.
#[cfg(unix)]
const OTHERS: u32 = 0o077;

/// Removes the permissions of everybody except the owner from the store in `folder`. Returns a notice if this user is
/// not allowed to change them.
#[cfg(unix)]
pub fn owner_only(folder: &Path) -> Result<Option<Notice>> {
    use std::fs::{metadata, set_permissions, Permissions};
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let sled = folder.join(SLED);
    let mut paths = vec![folder.into(), folder.join(LOCK), folder.join(GUARD), sled.clone()];
    paths.extend(IN_SLED.map(|name| sled.join(name)));
    let mut open = None;
    for path in &paths {
        let found = metadata(path).map_err(|error| StoreError::io("look at", path, error))?;
        if found.mode() & OTHERS == 0 {
            continue;
        }
        match set_permissions(path, Permissions::from_mode(found.mode() & 0o700)) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                open.get_or_insert((path, found.mode() & 0o777, found.uid()));
            }
            Err(error) => return Err(StoreError::io("set the permissions of", path, error)),
        }
    }
    Ok(open.map(|(path, mode, owner)| Notice {
        code: "DASHBOARD_SLED_READABLE",
        text: format!(
            "other users may get at the store in {}: {} has mode {mode:o} and belongs to user {owner}, so this user may not change it; as its owner run chmod -R go= on the folder, or chown -R it to the user of the dashboard",
            folder.display(),
            path.display()
        ),
    }))
}

/// Does nothing: there are no modes to change.
#[cfg(not(unix))]
pub fn owner_only(_folder: &Path) -> Result<Option<Notice>> {
    Ok(None)
}

/// As root: refuses a folder of another user in which that user has no store. The owner could replace files there by
/// links while root works on them.
#[cfg(unix)]
pub fn refuse_stranger(folder: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    let Ok(found) = folder.metadata() else { return Ok(()) };
    // While a swap is unfinished, the guard may be elsewhere.
    let is_owners = [GUARD, SWAP].iter().any(|name| {
        let file = folder.join(name).symlink_metadata();
        file.is_ok_and(|file| file.uid() == found.uid() || file.uid() == 0)
    });
    if unix::user() == 0 && found.uid() != 0 && !is_owners {
        return Err(StoreError::Stranger { path: folder.into(), owner: found.uid() });
    }
    Ok(())
}

/// Returns whether a file or folder belongs to this user and nobody else has access.
#[cfg(unix)]
#[must_use]
pub fn is_own(found: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    found.uid() == unix::user() && found.mode() & OTHERS == 0
}

/// Returns true: each user has a private folder for temporary files.
#[cfg(not(unix))]
#[must_use]
pub fn is_own(_found: &std::fs::Metadata) -> bool {
    true
}

/// Does nothing: there is no root.
#[cfg(not(unix))]
pub fn refuse_stranger(_folder: &Path) -> Result<()> {
    Ok(())
}

/// Returns false: there are no owners to give files to.
#[cfg(not(unix))]
#[must_use]
pub fn gives_away(_folder: &Path) -> bool {
    false
}

/// Does nothing: there are no owners to give files to.
#[cfg(not(unix))]
pub fn give_to_owner(_folder: &Path) {}

/// Returns nothing: the system does not tell.
#[cfg(not(unix))]
#[must_use]
pub fn refusing(_path: &Path) -> Option<(String, u32)> {
    None
}

#[cfg(unix)]
mod unix {
    use std::ffi::CString;
    use std::fs::{read_dir, File, OpenOptions};
    use std::os::fd::{AsRawFd, FromRawFd};
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{fchown, MetadataExt, OpenOptionsExt};
    use std::path::Path;

    /// Returns the ID of the user that this process runs as.
    pub fn user() -> u32 {
        // SAFETY: the call reads a number of this process, and cannot fail.
        unsafe { libc::geteuid() }
    }

    /// Returns the innermost existing file or folder of `path`, with its owner and mode, and the ID of the user that
    /// this process runs as. It is the likely reason for a refusal.
    #[must_use]
    pub fn refusing(path: &Path) -> Option<(String, u32)> {
        let (at, found) =
            path.ancestors().find_map(|at| Some((at, at.symlink_metadata().ok()?)))?;
        let what = if found.is_dir() { "the folder" } else { "the file" };
        let (owner, mode) = (found.uid(), found.mode() & 0o7777);
        let found =
            format!("{what} {} belongs to user {owner} and has mode {mode:o}", at.display());
        Some((found, user()))
    }

    /// Returns whether this process is root and `folder` belongs to another user.
    #[must_use]
    pub fn gives_away(folder: &Path) -> bool {
        user() == 0 && folder.metadata().is_ok_and(|found| found.uid() != 0)
    }

    /// As root: gives everything that root has created in `folder` to the owner of `folder`, who could not open the
    /// store otherwise. Files that cannot be given away stay as they are; an open by the owner reports them.
    pub fn give_to_owner(folder: &Path) {
        if !gives_away(folder) {
            return;
        }
        let flags = libc::O_DIRECTORY | libc::O_NOFOLLOW;
        let opened = OpenOptions::new().read(true).custom_flags(flags).open(folder);
        if let Ok(opened) = opened {
            if let Ok(found) = opened.metadata() {
                give(&opened, folder, found.uid(), found.gid());
            }
        }
    }

    /// As root: gives `file`, which root has created in `folder`, to the owner of `folder`. For a file that the owner
    /// needs even if this process is killed.
    pub fn give_file_to_owner(file: &File, folder: &Path) {
        if user() == 0 {
            if let Ok(found) = folder.metadata() {
                let _ = fchown(file, Some(found.uid()), Some(found.gid()));
            }
        }
    }

    /// Works on descriptors, never on paths. The owner could otherwise replace a folder by a link meanwhile, and would
    /// be given the target of the link.
    fn give(folder: &File, path: &Path, owner: u32, group: u32) {
        // Only the names of this listing are used.
        let Ok(entries) = read_dir(path) else { return };
        for entry in entries.flatten() {
            let Ok(name) = CString::new(entry.file_name().as_bytes()) else { continue };
            let flags = libc::O_RDONLY | libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC;
            // SAFETY: the folder is open, and the name ends with a zero byte.
            let descriptor = unsafe { libc::openat(folder.as_raw_fd(), name.as_ptr(), flags) };
            if descriptor < 0 {
                continue;
            }
            // SAFETY: the descriptor was just opened, and nothing else owns it.
            let file = unsafe { File::from_raw_fd(descriptor) };
            let Ok(found) = file.metadata() else { continue };
            // A file with a second hard link may belong to anybody.
            if found.uid() == 0 && (found.is_dir() || found.is_file() && found.nlink() == 1) {
                let _ = fchown(&file, Some(owner), Some(group));
            }
            if found.is_dir() {
                give(&file, &entry.path(), owner, group);
            }
        }
    }
}
