//! Properties of the disk: free space, and whether it belongs to another machine.

use crate::store::error::{Result, StoreError};
use crate::store::notice::Notice;
use crate::store::sled::folder::files::cannot_sync;
use crate::store::sled::folder::journal;
use std::path::Path;

/// Free space reserved for resets and for ending sessions, in bytes. With less than this, new records are refused. sled
/// cannot recover from a failed write, so the reserve prevents one.
pub const RESERVE_BYTES: u64 = 4 << 20;

/// Factor for the size of sled's file. When it was just written, it is two and a half times as long as the data in it.
const OVERHEAD: u64 = 3;

/// File systems on which locks and syncs may not be reliable.
const NETWORK: [&str; 8] =
    ["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "fuse.s3fs"];

/// Free space of a store, in bytes; `None` if the system cannot tell.
pub struct FreeSpace(Option<u64>);

impl FreeSpace {
    /// Returns the current free space at `path`.
    pub fn at(path: &Path) -> Self {
        Self(free(path).ok())
    }

    /// Returns whether new records of `bytes` fit without using the reserve. Counts them twice, because sled rewrites a
    /// page for each changed record.
    pub fn is_for(&self, bytes: usize) -> bool {
        self.0.is_none_or(|free| free >= RESERVE_BYTES + 2 * bytes as u64)
    }
}

/// Returns notices for the operator about the disk of the store in `folder`.
#[must_use]
pub fn notices(folder: &Path) -> Vec<Notice> {
    let shown = folder.display();
    let network = network_of(folder).map(|kind| Notice {
        code: "DASHBOARD_SLED_NETWORK",
        text: format!("{shown} is on a network file system ({kind}), on which neither the lock nor a sync can be relied on; use a local disk"),
    });
    let unknown = free(folder).err().map(|error| Notice {
        code: "DASHBOARD_SLED_ROOM",
        text: format!("{error}; so no space can be reserved for resets on a full disk: watch its free space yourself"),
    });
    let sync = cannot_sync(folder).then(|| Notice {
        code: "DASHBOARD_SLED_FOLDER_SYNC",
        text: format!("the file system of {shown} cannot sync a folder, so a power cut just after the store was made may take it away; use a local disk"),
    });
    [network, unknown, sync].into_iter().flatten().collect()
}

/// Returns the space that may still be written beside `path`, in bytes.
pub fn free(path: &Path) -> Result<u64> {
    fs2::available_space(path)
        .map_err(|error| StoreError::io("ask for the free space of", path, error))
}

/// Returns the space that a copy of a store needs, in bytes, roughly. `held` is the size of all keys and values, and
/// `size` the size of the files. Includes the reserve.
#[must_use]
pub fn needed_for_copy(held: u64, size: u64) -> u64 {
    size.min(held * OVERHEAD + journal::BYTES as u64) + RESERVE_BYTES
}

/// Fails if `folder` has less than `needed` bytes of free space.
pub fn require(folder: &Path, needed: u64) -> Result<()> {
    let free = free(folder)?;
    if free < needed {
        return Err(StoreError::NotEnoughSpace { path: folder.into(), needed, free });
    }
    Ok(())
}

/// Returns the size of all files in `folder` and its subfolders, in bytes.
pub fn size_of(folder: &Path) -> Result<u64> {
    let failed = |error| StoreError::io("ask for the size of", folder, error);
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        match entry.metadata() {
            Ok(found) if found.is_dir() => bytes += size_of(&entry.path())?,
            Ok(found) => bytes += found.len(),
            // sled replaces its snapshots at any time.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(bytes)
}

/// Returns the kind of network file system that `path` is on, if the system tells (Linux).
fn network_of(path: &Path) -> Option<String> {
    let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
    network_in(&mounts, path)
}

/// Finds the network file system of `path` in the text of `/proc/self/mounts`. The innermost mount counts, and the last
/// one of several.
fn network_in(mounts: &str, path: &Path) -> Option<String> {
    let mount = mounts
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(' ').skip(1);
            Some((fields.next()?.replace("\\040", " "), fields.next()?))
        })
        .filter(|(at, _)| path.starts_with(at))
        .max_by_key(|(at, _)| at.len());
    mount.map(|(_, kind)| kind).filter(|kind| NETWORK.contains(kind)).map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_is_that_of_all_files() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("within")).unwrap();
        std::fs::write(folder.path().join("a"), [0; 10]).unwrap();
        std::fs::write(folder.path().join("within/b"), [0; 5]).unwrap();
        assert_eq!(size_of(folder.path()).unwrap(), 15);
        assert!(size_of(&folder.path().join("missing")).is_err());
    }

    #[test]
    fn the_innermost_mount_counts() {
        let mounts = "/dev/vda / ext4 rw 0 0\n\
            server:/a /data nfs4 rw 0 0\n\
            /dev/vdb /data/local ext4 rw 0 0\n\
            server:/b /data/with\\040space cifs rw 0 0\n";
        let cases = [
            ("/var/store", None),
            ("/data/store", Some("nfs4")),
            ("/database/store", None),
            ("/data/local/store", None),
            ("/data/with space/store", Some("cifs")),
        ];
        for (path, kind) in cases {
            assert_eq!(network_in(mounts, Path::new(path)).as_deref(), kind, "{path}");
        }
        assert_eq!(network_in("", Path::new("/")), None);
    }
}
