//! Where a store stands: how much room there is, and whether the disk is another machine's.

use crate::store::error::{Result, StoreError};
use crate::store::notice::Notice;
use crate::store::sled::folder::cannot_sync;
use crate::store::sled::folder::journal;
use std::path::Path;

/// What stays free for resets and the ends of sessions: with less than this, new records are refused. sled
/// itself cannot be helped any more once a write has failed.
pub const RESERVE_BYTES: u64 = 4 << 20;

/// sled's file is two and a half times as long as what is in it, when it was just written.
const OVERHEAD: u64 = 3;

/// File systems on which a lock or a sync may mean less than they say.
const NETWORK: [&str; 8] =
    ["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "fuse.s3fs"];

/// The room that a store has; `None` where the system cannot say.
pub struct FreeSpace(Option<u64>);

impl FreeSpace {
    /// What there is at `path` now.
    pub fn at(path: &Path) -> Self {
        Self(room(path).ok())
    }

    /// Whether new records of `bytes` fit beside what is kept in reserve. sled writes a page where a record has
    /// changed, so it takes more than the record.
    pub fn is_for(&self, bytes: usize) -> bool {
        self.0.is_none_or(|room| room >= RESERVE_BYTES + 2 * bytes as u64)
    }
}

/// What an operator should know of where the store in `folder` lies.
#[must_use]
pub fn notices(folder: &Path) -> Vec<Notice> {
    let shown = folder.display();
    let network = network_of(folder).map(|kind| Notice {
        code: "DASHBOARD_SLED_NETWORK",
        text: format!("{shown} is on a network file system ({kind}), on which neither the lock nor a sync can be relied on; use a local disk"),
    });
    let room = room(folder).err().map(|error| Notice {
        code: "DASHBOARD_SLED_ROOM",
        text: format!("{error}; so no room is kept for resets when the disk gets full: watch its room yourself"),
    });
    let sync = cannot_sync(folder).then(|| Notice {
        code: "DASHBOARD_SLED_FOLDER_SYNC",
        text: format!("the file system of {shown} cannot sync a folder, so a power cut just after the store was made may take it away; use a local disk"),
    });
    [network, room, sync].into_iter().flatten().collect()
}

/// The bytes that may still be written beside `path`.
pub fn room(path: &Path) -> Result<u64> {
    fs2::available_space(path).map_err(|error| StoreError::io("ask for the room of", path, error))
}

/// Roughly the bytes that a copy needs of a store whose keys and values have `held` bytes, in files of `size` bytes; what is
/// kept in reserve included.
#[must_use]
pub fn needed_for_copy(held: u64, size: u64) -> u64 {
    size.min(held * OVERHEAD + journal::BYTES as u64) + RESERVE_BYTES
}

/// Refuses what needs `needed` bytes in `folder` if there are fewer.
pub fn require(folder: &Path, needed: u64) -> Result<()> {
    let room = room(folder)?;
    if room < needed {
        return Err(StoreError::NoRoom { path: folder.into(), needed, room });
    }
    Ok(())
}

/// The bytes of all files in `folder` and the folders within it.
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

/// The kind of network file system that `path` is on, where the system tells (Linux).
fn network_of(path: &Path) -> Option<String> {
    let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
    network_in(&mounts, path)
}

/// The same by the text of `/proc/self/mounts`: the innermost mount counts, and of several the last.
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
