//! The lock of a store's folder.

use crate::store::error::{Result, StoreError};
use crate::store::sled::folder::files::open_regular;
use crate::store::sled::folder::names::{LOCK, LOG, SLED};
use crate::store::sled::folder::permissions;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often and how long to wait for sled, whose threads can outlive its database by a few milliseconds.
const WAIT_TRIES: u32 = 100;
const WAIT_PAUSE: Duration = Duration::from_millis(10);
/// Largest part of a lock file that is read, in bytes.
const HOLDER_BYTES: u64 = 256;

/// The lock of a folder. It is held while the file is open.
pub struct FolderLock {
    _file: File,
    folder: PathBuf,
}

impl Drop for FolderLock {
    /// As root: gives files that root has created to the owner of the folder, before the lock is released.
    fn drop(&mut self) {
        if permissions::gives_away(&self.folder) {
            wait_for_sled(&self.folder);
            permissions::give_to_owner(&self.folder);
        }
    }
}

/// Locks the store in `folder`.
pub fn lock(folder: &Path) -> Result<FolderLock> {
    let path = folder.join(LOCK);
    let mut options = OpenOptions::new();
    let opened = open_regular(&path, options.read(true).write(true).create(true));
    let mut file = opened.map_err(|error| match error {
        StoreError::Io { source, .. } if source.kind() == ErrorKind::ReadOnlyFilesystem => {
            StoreError::ReadOnly { path: folder.into() }
        }
        other => other,
    })?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(locked(folder)),
        Err(TryLockError::Error(error)) => return Err(StoreError::io("lock", &path, error)),
    }
    // The text is for people only. The lock itself does not depend on the content of the file.
    let noted = file.set_len(0).and_then(|()| write!(file, "{}", Holder::own()));
    noted.map_err(|error| StoreError::io("write", &path, error))?;
    Ok(FolderLock { _file: file, folder: folder.into() })
}

/// Fails if the folder's lock is held. Changes nothing. No process can take the lock while the returned file is open.
pub fn refuse_locked(folder: &Path) -> Result<Option<File>> {
    let path = folder.join(LOCK);
    if !crate::store::sled::folder::is_there(&path)? {
        return Ok(None);
    }
    let file = open_regular(&path, OpenOptions::new().read(true))?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Err(locked(folder)),
        Err(TryLockError::Error(error)) if error.kind() != ErrorKind::Unsupported => {
            Err(StoreError::io("lock", &path, error))
        }
        _ => Ok(Some(file)),
    }
}

fn locked(folder: &Path) -> StoreError {
    let mut text = String::new();
    // Windows does not let other processes read a locked file.
    let _ = open_regular(&folder.join(LOCK), OpenOptions::new().read(true))
        .map(|file| file.take(HOLDER_BYTES).read_to_string(&mut text));
    StoreError::Locked { path: folder.into(), holder: Holder::read(&text).describe() }
}

/// Waits until sled has unlocked its own file, for at most a second.
fn wait_for_sled(folder: &Path) {
    let Ok(database) = open_regular(&folder.join(SLED).join(LOG), OpenOptions::new().read(true))
    else {
        return;
    };
    for _ in 0..WAIT_TRIES {
        if !matches!(database.try_lock_shared(), Err(TryLockError::WouldBlock)) {
            return;
        }
        std::thread::sleep(WAIT_PAUSE);
    }
}

/// The process that holds a lock. A process ID means nothing in another container or on another machine.
#[derive(Debug, PartialEq)]
struct Holder {
    process: String,
    host: String,
    /// The namespace of the process ID, where the system has several.
    space: String,
}

impl Holder {
    fn own() -> Self {
        let space = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
        Self {
            process: std::process::id().to_string(),
            host: clean(&host_name()),
            space: clean(&space.to_string_lossy()),
        }
    }

    fn read(text: &str) -> Self {
        let mut words = text.split(' ').map(clean);
        let mut next = || words.next().unwrap_or_default();
        Self { process: next(), host: next(), space: next() }
    }

    fn describe(&self) -> String {
        let own = Self::own();
        let process = &self.process;
        if process.is_empty() {
            String::new()
        } else if *self == own {
            format!(" (in this process, {process}: by another call, or by a second copy of dashboard-sled)")
        } else if !self.host.is_empty() && self.host != own.host {
            format!(" (process {process} on {})", self.host)
        } else if self.space != own.space {
            format!(" (process {process} in another container)")
        } else {
            format!(" (process {process})")
        }
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(formatter, "{} {} {}", self.process, self.host, self.space)
    }
}

/// Returns the first 64 letters, digits and `.-_:[]` of the text, because anyone could have written it.
fn clean(text: &str) -> String {
    text.chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || ".-_:[]".contains(*letter))
        .take(64)
        .collect()
}

#[cfg(unix)]
fn host_name() -> String {
    let mut bytes = [0_u8; 256];
    // SAFETY: the system writes no more than the given length.
    let failed = unsafe { libc::gethostname(bytes.as_mut_ptr().cast(), bytes.len()) } != 0;
    let length = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let name = bytes.get(..length).filter(|_| !failed).unwrap_or_default();
    String::from_utf8_lossy(name).into_owned()
}

#[cfg(not(unix))]
fn host_name() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_back() {
        let own = Holder::own();
        assert_eq!(Holder::read(&own.to_string()), own);
        assert!(own.describe().starts_with(" (in this process, "));
    }

    #[test]
    fn the_same_number_elsewhere_is_another_process() {
        let own = Holder::own();
        let number = std::process::id();
        let cases = [
            (String::new(), String::new()),
            (format!("{number} elsewhere pid:[1]"), format!(" (process {number} on elsewhere)")),
            (
                format!("{number} {} pid:[1]", own.host),
                format!(" (process {number} in another container)"),
            ),
            (format!("1 {} {}", own.host, own.space), " (process 1)".into()),
        ];
        for (text, described) in cases {
            assert_eq!(Holder::read(&text).describe(), described, "{text}");
        }
    }

    #[test]
    fn a_note_cannot_control_a_terminal() {
        let described = Holder::read("1\u{1b}[31m host\nname x").describe();
        assert_eq!(described, " (process 1[31m on hostname)");
    }
}
