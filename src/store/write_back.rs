//! When a piece of sled's log goes to the drive, on Linux: by a real sync.

use std::fs::File;
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;
use std::os::raw::{c_int, c_uint};

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
    log.sync_data().map_or(-1, |()| 0)
}
