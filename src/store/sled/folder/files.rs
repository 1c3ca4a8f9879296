//! The files and folders of a store: opened and created without following links, listed, and synced.

use crate::store::error::{Result, StoreError};
use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Opens a file of a store, and never follows a link. A new file is readable by its owner only, from the beginning.
pub fn open_regular(path: &Path, options: &mut OpenOptions) -> Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // Without this, opening a pipe would block.
        options.mode(0o600).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    }
    let file = match options.open(path) {
        Ok(file) => file,
        Err(error) => {
            require_kind(path, false)?;
            return Err(StoreError::io("open", path, error));
        }
    };
    match file.metadata() {
        Ok(found) if found.is_file() => Ok(file),
        Ok(_) => Err(StoreError::Irregular {
            path: path.into(),
            found: "not the kind of file that belongs there",
        }),
        Err(error) => Err(StoreError::io("look at", path, error)),
    }
}

/// Creates a file of a store. An existing one is removed first, so that nothing is written through a link.
pub fn create_regular(path: &Path) -> Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StoreError::io("remove", path, error))
        }
        _ => open_regular(path, OpenOptions::new().read(true).write(true).create_new(true)),
    }
}

/// Creates a folder with access for its owner only.
pub fn create_private(path: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| StoreError::io("create", path, error))
}

/// Returns whether `path` exists. A missing permission is an error.
pub fn is_there(path: &Path) -> Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StoreError::io("look at", path, error)),
    }
}

/// Returns the paths of everything in `folder`.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .map_err(|error| StoreError::io("list", folder, error))
}

/// Makes the names in `folder` durable. Windows neither needs nor allows it.
pub fn sync_folder(folder: &Path) -> Result<()> {
    match try_sync(folder) {
        Err(error) if is_unsupported(&error) => Ok(()),
        result => result.map_err(|error| StoreError::io("sync", folder, error)),
    }
}

/// Returns whether the file system of `folder` cannot sync folders. Some FUSE and shared folders cannot; nothing more
/// can be done then.
#[must_use]
pub fn cannot_sync(folder: &Path) -> bool {
    try_sync(folder).is_err_and(|error| is_unsupported(&error))
}

fn try_sync(folder: &Path) -> std::io::Result<()> {
    if cfg!(windows) {
        return Ok(());
    }
    File::open(folder)?.sync_all()
}

fn is_unsupported(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported)
}

pub fn require_kind(path: &Path, folder: bool) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if folder && found.is_dir() || !folder && found.is_file() => Ok(()),
        Ok(found) => Err(StoreError::Irregular {
            path: path.into(),
            found: if found.is_symlink() {
                "a symbolic link"
            } else {
                "not the kind of file that belongs there"
            },
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(StoreError::io("look at", path, error)),
    }
}
