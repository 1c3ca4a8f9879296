//! Who may read and write what is in a store's folder. Windows has neither modes nor owners of this kind.

use crate::store::error::Result;
#[cfg(unix)]
use crate::store::error::StoreError;
use crate::store::notice::Notice;
#[cfg(unix)]
use crate::store::sled::folder::{journal, rollback_guard};
#[cfg(unix)]
use crate::store::sled::folder::{LOCK, SLED, SWAP};
use std::path::Path;

#[cfg(unix)]
pub use unix::{give_to_owner, gives_away, refusing};

/// The rights of everybody but the owner.
#[cfg(unix)]
const OTHERS: u32 = 0o077;

/// Lets nobody but its owner at the store in `folder`. Where this user may not change that, there is a notice.
#[cfg(unix)]
pub fn owner_only(folder: &Path) -> Result<Option<Notice>> {
    use std::fs::{metadata, set_permissions, Permissions};
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let sled = folder.join(SLED);
    let mut paths =
        vec![folder.into(), folder.join(LOCK), folder.join(rollback_guard::NAME), sled.clone()];
    paths.extend(["conf", "db", journal::NAME].map(|name| sled.join(name)));
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

/// There is nothing to change.
#[cfg(not(unix))]
pub fn owner_only(_folder: &Path) -> Result<Option<Notice>> {
    Ok(None)
}

/// As root: refuses the folder of another user that holds no store of this user. Files there could be swapped for
/// links while root works on them.
#[cfg(unix)]
pub fn refuse_stranger(folder: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    let Ok(found) = folder.metadata() else { return Ok(()) };
    // While a swap is unfinished, the guard may be elsewhere.
    let is_owners = [rollback_guard::NAME, SWAP].iter().any(|name| {
        let file = folder.join(name).symlink_metadata();
        file.is_ok_and(|file| file.uid() == found.uid() || file.uid() == 0)
    });
    if unix::user() == 0 && found.uid() != 0 && !is_owners {
        return Err(StoreError::Stranger { path: folder.into(), owner: found.uid() });
    }
    Ok(())
}

/// Whether a file or folder belongs to this user, and nobody else gets at it.
#[cfg(unix)]
#[must_use]
pub fn is_own(found: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    found.uid() == unix::user() && found.mode() & OTHERS == 0
}

/// A folder for temporary files is each user's own.
#[cfg(not(unix))]
#[must_use]
pub fn is_own(_found: &std::fs::Metadata) -> bool {
    true
}

/// There is no root.
#[cfg(not(unix))]
pub fn refuse_stranger(_folder: &Path) -> Result<()> {
    Ok(())
}

/// There is nobody to give to.
#[cfg(not(unix))]
#[must_use]
pub fn gives_away(_folder: &Path) -> bool {
    false
}

/// There is nobody to give to.
#[cfg(not(unix))]
pub fn give_to_owner(_folder: &Path) {}

/// The system does not tell.
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

    /// The user that this process runs as.
    pub fn user() -> u32 {
        // SAFETY: it reads a number of this process, and cannot fail.
        unsafe { libc::geteuid() }
    }

    /// What refuses this process at `path`, with its owner and mode, and the user that this process runs as: the innermost
    /// file or folder that can be looked at.
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

    /// Whether this process is root and `folder` belongs to another user.
    #[must_use]
    pub fn gives_away(folder: &Path) -> bool {
        user() == 0 && folder.metadata().is_ok_and(|found| found.uid() != 0)
    }

    /// As root: gives what root has made in `folder` to the owner of `folder`, who could not open the store otherwise. What
    /// cannot be given stays as it is, and is told when the owner opens the store.
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

    /// By descriptors, never by paths: the owner may swap a folder for a link meanwhile, and would be given what that names.
    fn give(folder: &File, path: &Path, owner: u32, group: u32) {
        // The names alone are believed.
        let Ok(entries) = read_dir(path) else { return };
        for entry in entries.flatten() {
            let Ok(name) = CString::new(entry.file_name().as_bytes()) else { continue };
            let flags = libc::O_RDONLY | libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC;
            // SAFETY: the folder is open, and the name ends with a zero.
            let descriptor = unsafe { libc::openat(folder.as_raw_fd(), name.as_ptr(), flags) };
            if descriptor < 0 {
                continue;
            }
            // SAFETY: the descriptor was just opened, and belongs to nobody else.
            let file = unsafe { File::from_raw_fd(descriptor) };
            let Ok(found) = file.metadata() else { continue };
            // A file with a second name may be anybody's.
            if found.uid() == 0 && (found.is_dir() || found.is_file() && found.nlink() == 1) {
                let _ = fchown(&file, Some(owner), Some(group));
            }
            if found.is_dir() {
                give(&file, &entry.path(), owner, group);
            }
        }
    }
}
