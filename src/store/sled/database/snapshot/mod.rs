//! Snapshots of sled's page table, made while the store is open.
//!
//! A snapshot says where in the log each page is. An open reads the last one, and then everything that the log has
//! gained since. sled writes one at each open and never again, so after months of work an open would read the whole
//! log. Therefore the store writes one after every [`CHANGED_BYTES`] of changes, in sled's own format and by the rules
//! of its recovery:
//!
//! - [`log`]: reads the messages of the log
//! - [`pages`]: the places of pages, and what the log changes in them
//! - [`thread`]: writes a snapshot while the store is used
//!
//! A snapshot ends at the beginning of a segment (a piece of 512 KiB) before which everything is durable. It is only
//! written if every page is known there. Otherwise the last snapshot stays, and the next attempt begins with it.
//!
//! sled may write over a segment that it has emptied before it was read here. It does so only after the pages in it were
//! written elsewhere, further on in the log, and durably. Whoever reads on in the log therefore finds them: here another
//! pass, or the open that begins with the snapshot.

mod log;
mod pages;
#[cfg(test)]
mod tests;
pub mod thread;

use crate::store::error::{Result, StoreError};
use crate::store::sled::database::recovery::snapshots;
use crate::store::sled::database::snapshot::log::{Reading, SEGMENT_BYTES};
use crate::store::sled::database::snapshot::pages::{Changes, Snapshot};
use crate::store::sled::folder::free_space::FreeSpace;
use crate::store::sled::folder::names::{LOG, SNAPSHOT, SNAPSHOT_CUT_SHORT};
use crate::store::sled::folder::relocate::rename;
use crate::store::sled::folder::{create_regular, give_file_to_owner, open_regular, sync_folder};
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Size of the changes after which a snapshot is due, in bytes. sled's log grows by about four times as much. If the last
/// snapshot is larger, as many changes as that: writing it has to pay for itself.
const CHANGED_BYTES: u64 = 64 << 20;

/// Largest number of times that the log is read on until every page is known. Each pass reads what the log gained during
/// the one before it.
const PASSES: usize = 16;

/// Decides when a snapshot is due.
pub struct Schedule {
    /// Bytes of the changes since the last attempt.
    changed: AtomicU64,
    due_at: AtomicU64,
    is_running: AtomicBool,
    is_stopped: AtomicBool,
}

impl Schedule {
    /// Returns the schedule of a store that was just opened. sled has written a snapshot then.
    pub fn new(folder: &Path) -> Self {
        let (changed, due_at, is_running, is_stopped) = Default::default();
        let schedule = Self { changed, due_at, is_running, is_stopped };
        schedule.start_again(folder);
        schedule
    }

    /// Counts a change of `bytes`. Returns whether a snapshot is due. If so, no other is until the schedule starts again.
    pub fn add(&self, bytes: usize) -> bool {
        let changed = self.changed.fetch_add(bytes as u64, Ordering::Relaxed) + bytes as u64;
        let begins = changed >= self.due_at.load(Ordering::Relaxed)
            && !self.is_stopped()
            && !self.is_running.swap(true, Ordering::Relaxed);
        if begins {
            self.changed.store(0, Ordering::Relaxed);
        }
        begins
    }

    /// Ends an attempt that runs, and allows no other.
    pub fn stop(&self) {
        self.is_stopped.store(true, Ordering::Release);
    }

    /// Returns whether an attempt runs.
    pub fn is_running(&self) -> bool {
        self.is_running.load(Ordering::Relaxed)
    }

    fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Acquire)
    }

    /// Starts again after an attempt, whether it wrote a snapshot or not.
    pub fn start_again(&self, folder: &Path) {
        let last = last(folder).ok().flatten();
        let size =
            last.and_then(|(_, path)| fs::metadata(path).ok()).map_or(0, |found| found.len());
        self.due_at.store(CHANGED_BYTES.max(size), Ordering::Relaxed);
        self.is_running.store(false, Ordering::Relaxed);
    }
}

/// Writes a snapshot of the log in sled's `folder`, and removes older ones. Returns whether it did: not if `goes_on`
/// returns `false`, if a message of the log is damaged, or if the log has gained too little. Fails if a file cannot be
/// read or written; the last snapshot then stays.
pub fn advance(folder: &Path, goes_on: &dyn Fn() -> bool) -> Result<bool> {
    let before = match last(folder)? {
        Some((_, path)) => {
            let bytes = fs::read(&path).map_err(|error| StoreError::io("read", &path, error))?;
            let Some(before) = Snapshot::decode(bytes) else { return Ok(false) };
            before
        }
        None => Snapshot::default(),
    };
    let path = folder.join(LOG);
    // A descriptor of its own: an error of a sync is reported once per descriptor, and has to reach the writer.
    let file = open_regular(&path, OpenOptions::new().read(true).write(true))?;
    let failed = |error| StoreError::io("read", &path, error);
    let mut reading = Reading::new(&file, before.end);
    for _ in 0..PASSES {
        if !reading.read_on(goes_on).map_err(failed)? {
            return Ok(false);
        }
        if reading.is_complete(before.count()) {
            break;
        }
    }
    if !reading.is_complete(before.count()) || reading.end <= before.end + SEGMENT_BYTES {
        return Ok(false);
    }
    // Everything up to the end is durable already, as sled says. A power cut must not prove it wrong.
    file.sync_data().map_err(|error| StoreError::io("sync", &path, error))?;
    write(folder, reading.end, &before, &reading.changes, goes_on)
}

fn write(
    folder: &Path,
    end: u64,
    before: &Snapshot,
    changes: &Changes,
    goes_on: &dyn Fn() -> bool,
) -> Result<bool> {
    if !FreeSpace::at(folder).is_for(before.size() + changes.size()) {
        return Ok(false);
    }
    let path = folder.join(format!("{SNAPSHOT}{end:016X}"));
    let cut_short = folder.join(format!("{SNAPSHOT}{end:016X}{SNAPSHOT_CUT_SHORT}"));
    let written = create_regular(&cut_short).and_then(|file| {
        give_file_to_owner(&file, folder);
        let mut writer = BufWriter::new(file);
        before
            .write_with(changes, end, &mut writer, goes_on)
            .and_then(|is_whole| Ok((is_whole, sync(writer)?)))
            .map_err(|error| StoreError::io("write", &cut_short, error))
    });
    if !matches!(written, Ok((true, ()))) {
        let _ = fs::remove_file(&cut_short);
        return written.map(|_| false);
    }
    if !goes_on() {
        let _ = fs::remove_file(&cut_short);
        return Ok(false);
    }
    rename(&cut_short, &path).map_err(|error| StoreError::io("rename", &cut_short, error))?;
    // Before the old one is removed: after a power cut, one of them is there.
    sync_folder(folder)?;
    for old in snapshots(folder, |name| !name.ends_with(SNAPSHOT_CUT_SHORT))? {
        if old != path {
            fs::remove_file(&old).map_err(|error| StoreError::io("remove", &old, error))?;
        }
    }
    Ok(true)
}

fn sync(mut writer: BufWriter<File>) -> std::io::Result<()> {
    writer.flush()?;
    writer.get_ref().sync_all()
}

/// Returns the last snapshot in sled's `folder`: the position in the log at which it ends, and its path.
fn last(folder: &Path) -> Result<Option<(u64, std::path::PathBuf)>> {
    let found = snapshots(folder, |name| !name.ends_with(SNAPSHOT_CUT_SHORT))?;
    let end = |path: &Path| {
        let name = path.file_name()?.to_str()?;
        u64::from_str_radix(name.strip_prefix(SNAPSHOT)?, 16).ok()
    };
    Ok(found.into_iter().filter_map(|path| Some((end(&path)?, path))).max())
}
