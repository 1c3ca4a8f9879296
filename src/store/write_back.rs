//! When what was written goes to the drive, on Linux: sled's log by a real sync, the journal as early as it can.

use std::fs::File;
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::raw::{c_int, c_uint};

/// To ask for it takes as long as it saves for so many bytes: more than a single call has, some ten calls together.
const LONG: usize = 4096;

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

/// Has the system begin to write `length` bytes of `file` from `offset`, without waiting for it. If it does not, the sync
/// has more to do.
pub fn begin(file: &File, offset: usize, length: usize) {
    if length < LONG {
        return;
    }
    // SAFETY: the call takes numbers alone. It is made by its number, since its name leads to the function above.
    unsafe {
        libc::syscall(
            libc::SYS_sync_file_range,
            file.as_raw_fd(),
            offset.cast_signed(),
            length.cast_signed(),
            libc::SYNC_FILE_RANGE_WRITE,
        );
    }
}
