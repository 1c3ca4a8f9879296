//! What sled's `flush()` waits for on Linux, in place of `sync_file_range`: the linker leads sled here (`build.rs`).
//!
//! sled has each piece of its log written to the drive before it goes on, which no power cut respects, and then every
//! commit is synced by ourselves: two waits for the drive where one is enough. So a piece is left to the sync of its
//! commit, unless it ends a segment. Then it is synced at once, because sled may write over a segment as soon as it
//! believes that what replaces it is safe, and one commit can fill several.

use std::fs::File;
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;
use std::os::raw::{c_int, c_uint};

/// sled's default, which `open.rs` leaves as it is.
const SEGMENT_BYTES: i64 = 512 * 1024;

/// Called by sled for each piece of its log that it has written.
///
/// # Safety
/// `log` is an open file, and stays open for the call.
#[no_mangle]
unsafe extern "C" fn __wrap_sync_file_range(
    log: c_int,
    offset: i64,
    length: i64,
    _flags: c_uint,
) -> c_int {
    if (offset + length) % SEGMENT_BYTES != 0 {
        return 0;
    }
    // SAFETY: it is open, and is not closed here.
    let log = ManuallyDrop::new(unsafe { File::from_raw_fd(log) });
    // sled reads the reason of a failure from `errno`, where the system has left it.
    log.sync_data().map_or(-1, |()| 0)
}
