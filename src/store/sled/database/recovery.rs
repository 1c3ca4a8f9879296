//! Repairs that an open makes by itself. They concern files of sled whose content is known from other sources.

use crate::store::error::{Result, StoreError};
use crate::store::sled::folder::names::{self, LOG, SNAPSHOT, SNAPSHOT_CUT_SHORT};
use crate::store::sled::folder::relocate::rename;
use crate::store::sled::folder::{create_regular, files, is_there};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Content of sled's file `conf` with our settings, without the checksum.
const CONF: &str = "segment_size: 524288\nuse_compression: false\nversion: 0.34\n";

/// Removes half-written snapshots, with which sled would never open again, and rewrites `conf` if it differs from what
/// sled writes. Returns a description of each repair.
pub fn before_open(folder: &Path) -> Result<Vec<String>> {
    let mut repaired = Vec::new();
    // A new database has no files yet.
    if !is_there(&folder.join(LOG))? {
        return Ok(repaired);
    }
    for snapshot in snapshots(folder, |name| name.ends_with(SNAPSHOT_CUT_SHORT))? {
        fs::remove_file(&snapshot).map_err(|error| StoreError::io("remove", &snapshot, error))?;
        repaired.push(format!("a snapshot that was cut short was removed: {}", snapshot.display()));
    }
    let path = folder.join(names::CONF);
    let conf = conf();
    if !fs::read(&path).is_ok_and(|found| found == conf) {
        write_durably(&path, &conf)?;
        repaired.push(format!("the settings of sled were written again: {}", path.display()));
    }
    Ok(repaired)
}

/// Moves every snapshot aside, so that sled reads its whole log instead. Returns a description of each move.
pub fn move_snapshots_aside(folder: &Path) -> Result<Vec<String>> {
    let mut repaired = Vec::new();
    for snapshot in snapshots(folder, |_| true)? {
        let name = snapshot.file_name().unwrap_or_default().to_string_lossy();
        let aside = snapshot.with_file_name(format!("damaged-{name}"));
        rename(&snapshot, &aside).map_err(|error| StoreError::io("rename", &snapshot, error))?;
        repaired.push(format!(
            "a damaged snapshot was put aside, and the log read whole: {}",
            aside.display()
        ));
    }
    Ok(repaired)
}

fn conf() -> Vec<u8> {
    let checksum = crc32fast::hash(CONF.as_bytes());
    [CONF.as_bytes(), &checksum.to_le_bytes()].concat()
}

fn write_durably(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = create_regular(path)?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(|error| StoreError::io("write", path, error))
}

/// Returns the paths of the snapshots in sled's `folder` with a `wanted` name.
pub fn snapshots(folder: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>> {
    Ok(files(folder)?
        .into_iter()
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(SNAPSHOT) && wanted(&name)
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conf_is_what_sled_writes() {
        let folder = tempfile::tempdir().unwrap();
        drop(sled::Config::new().path(folder.path()).use_compression(false).open().unwrap());
        assert_eq!(fs::read(folder.path().join(names::CONF)).unwrap(), conf());
        assert!(before_open(folder.path()).unwrap().is_empty());
    }
}
