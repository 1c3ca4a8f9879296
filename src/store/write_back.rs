//! What sled's `flush()` waits for on Linux, in place of `sync_file_range`: the linker leads sled here (`build.rs`).
//!
//! sled has each piece of its log written to the drive before it goes on, which no power cut respects, and then every
//! commit is synced by ourselves: two waits for the drive where one is enough. So a piece is left to the sync of its
//! commit. But sled may write over a segment as soon as it believes that what replaces it is safe, which it does by the
//! pieces that it has written: therefore one that ends a segment is synced at once, and so is one that comes later than
//! the end of its segment, as what completes a commit of several segments does.

use std::collections::HashSet;
use std::fs::File;
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;
use std::os::raw::{c_int, c_uint};
use std::sync::{Mutex, PoisonError};

/// sled's default, which `opener.rs` leaves as it is.
const SEGMENT_BYTES: i64 = 512 * 1024;

/// The segments whose end was written, by the descriptor of their log, until they are begun again.
static ENDED: Mutex<Option<HashSet<(c_int, i64)>>> = Mutex::new(None);

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
    if !has_to_be_synced(log, offset, length) {
        return 0;
    }
    // SAFETY: it is open, and is not closed here.
    let log = ManuallyDrop::new(unsafe { File::from_raw_fd(log) });
    // sled reads the reason of a failure from `errno`, where the system has left it.
    log.sync_data().map_or(-1, |()| 0)
}

fn has_to_be_synced(log: c_int, offset: i64, length: i64) -> bool {
    let segment = (log, offset / SEGMENT_BYTES);
    let mut ended = ENDED.lock().unwrap_or_else(PoisonError::into_inner);
    let ended = ended.get_or_insert_with(HashSet::new);
    if (offset + length) % SEGMENT_BYTES == 0 {
        ended.insert(segment);
        return true;
    }
    if offset % SEGMENT_BYTES == 0 {
        ended.remove(&segment);
    }
    ended.contains(&segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_segments_and_what_comes_after_them_are_synced() {
        const END: i64 = SEGMENT_BYTES;
        // offset, length, synced
        let pieces = [
            (0, 100, false),
            (100, 100, false),
            (END - 50, 50, true),
            (200, 100, true),
            (END, 100, false),
            (END + 100, END - 100, true),
            (0, 100, false),
            (100, 100, false),
            (0, END, true),
        ];
        for (number, (offset, length, synced)) in pieces.into_iter().enumerate() {
            assert_eq!(has_to_be_synced(-7, offset, length), synced, "{number}");
        }
        assert!(!has_to_be_synced(-8, END - 100, 50));
    }
}
