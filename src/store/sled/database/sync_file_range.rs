//! Replaces sled's `sync_file_range` by a real sync, on Linux.

use std::fs::File;
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;
use std::os::raw::{c_int, c_uint};
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// Device and inode of a file. They are the same for all its descriptors.
type Identity = (u64, u64);

/// The logs of the open databases, each with the counter of its syncs.
static LOGS: RwLock<Vec<(Identity, Arc<AtomicU64>)>> = RwLock::new(Vec::new());

/// Counts the syncs of a log until it is dropped.
pub struct Counting(Arc<AtomicU64>);

/// Starts to count the syncs of `log` in `progress`.
pub fn count(log: &File, progress: &Arc<AtomicU64>) -> Counting {
    if let Some(identity) = identify(log) {
        let mut logs = LOGS.write().unwrap_or_else(PoisonError::into_inner);
        logs.push((identity, Arc::clone(progress)));
    }
    Counting(Arc::clone(progress))
}

impl Drop for Counting {
    fn drop(&mut self) {
        let mut logs = LOGS.write().unwrap_or_else(PoisonError::into_inner);
        logs.retain(|(_, progress)| !Arc::ptr_eq(progress, &self.0));
    }
}

fn identify(log: &File) -> Option<Identity> {
    log.metadata().ok().map(|found| (found.dev(), found.ino()))
}

fn note(log: &File) {
    let logs = LOGS.read().unwrap_or_else(PoisonError::into_inner);
    let Some(identity) = identify(log) else {
        return;
    };
    for (_, progress) in logs.iter().filter(|(counted, _)| *counted == identity) {
        progress.fetch_add(1, Ordering::Relaxed);
    }
}

/// Called by sled for each segment of its log that it has written. The linker redirects calls of `sync_file_range` to
/// this function (see `build.rs`). The original neither flushes the drive's cache nor makes the file's length durable,
/// but sled overwrites a segment of its log as soon as it believes that the replacement is safe. This function makes it
/// safe.
///
/// # Safety
/// `log` is an open file, and stays open for the call.
#[no_mangle]
unsafe extern "C" fn __wrap_sync_file_range(
    log: c_int,
    _offset: i64,
    _length: i64,
    _flags: c_uint,
) -> c_int {
    // SAFETY: the descriptor is open, and `ManuallyDrop` keeps it from being closed here.
    let log = ManuallyDrop::new(unsafe { File::from_raw_fd(log) });
    // sled reads the cause of a failure from `errno`, where the system has left it.
    match log.sync_data() {
        Ok(()) => {
            note(&log);
            0
        }
        Err(_) => -1,
    }
}
