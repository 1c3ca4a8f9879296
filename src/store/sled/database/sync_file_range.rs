//! When a piece of sled's log goes to the drive, on Linux: by a real sync.

use std::fs::File;
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;
use std::os::raw::{c_int, c_uint};
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// A file, whatever descriptor it is open by.
type Identity = (u64, u64);

/// The logs of the open databases, and how many pieces of each were synced.
static LOGS: RwLock<Vec<(Identity, Arc<AtomicU64>)>> = RwLock::new(Vec::new());

/// While this is there, the pieces of a log that were synced are counted.
pub struct Counting(Arc<AtomicU64>);

/// Begins to count the pieces of `log` that were synced, in `progress`.
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

/// Called by sled for each piece of its log that it has written: the linker leads it here from `sync_file_range`
/// (`build.rs`), which neither waits for the drive's own cache nor brings the length of the file to safety. sled writes
/// over a segment of its log as soon as it believes that what replaces it is safe. With this it is.
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
    // SAFETY: it is open, and is not closed here.
    let log = ManuallyDrop::new(unsafe { File::from_raw_fd(log) });
    // sled reads the reason of a failure from `errno`, where the system has left it.
    match log.sync_data() {
        Ok(()) => {
            note(&log);
            0
        }
        Err(_) => -1,
    }
}
