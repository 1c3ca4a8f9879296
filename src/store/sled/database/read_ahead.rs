//! Read-ahead: fills memory that nobody uses with sled's log.
//!
//! After a restart of the machine nothing of the log is in the page cache of the system, and each look-up reads two or
//! three blocks far apart, for which the system reads nothing ahead. A look-up that had to wait for the drive therefore
//! starts a thread that reads the log from its beginning to its end.
//!
//! It takes only memory that is free, so no other file and no process loses any, and asks for a few pieces at a time, so
//! a look-up or a commit waits for half a megabyte at most.

use crate::store::sled::database::free_memory;
use crate::store::sled::database::thread_priority::lower_thread_priority;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;
use std::time::{Duration, Instant};

/// Time of a look-up that the drive has surely taken part in. From the page cache it takes a tenth of that.
const SLOW: Duration = Duration::from_micros(100);
/// Bytes of one request: what Linux reads ahead at most by default.
const PIECE: u64 = 128 << 10;
/// Number of pieces that are asked for before the first of them is awaited.
const IN_FLIGHT: u64 = 4;
/// Number of pieces after which the free memory is looked at again.
const PIECES: u64 = 64;
/// Time between two passes, at least; and how many times as long as the last pass took.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_FACTOR: u32 = 20;

/// The passes over one log. The running one ends soon after this is dropped.
pub struct ReadAhead {
    /// The time from which on a pass may begin. `None` while one runs.
    next: Arc<Mutex<Option<Instant>>>,
    is_dropped: Arc<AtomicBool>,
}

/// A pass that runs. When it is dropped, even if it never began, the pause until the next one begins.
struct Pass {
    begun: Instant,
    next: Arc<Mutex<Option<Instant>>>,
}

impl ReadAhead {
    /// Returns one that may begin at once.
    pub fn new() -> Self {
        Self { next: Arc::new(Mutex::new(Some(Instant::now()))), is_dropped: Arc::default() }
    }

    /// Begins a pass over `log` if a read that took this long waited for the drive, and none has run lately.
    pub fn after_read_of(&self, taken: Duration, log: &File) {
        if taken < SLOW {
            return;
        }
        let Some(pass) = self.begin_pass() else { return };
        let Ok(log) = log.try_clone() else { return };
        let is_dropped = Arc::clone(&self.is_dropped);
        let work = move || {
            let _pass = pass;
            lower_thread_priority();
            // A piece that cannot be read ahead is read, and its error returned, when it is looked up.
            let _ = read_all(&log, &is_dropped);
        };
        // If the system starts no thread now, it may after a pause.
        drop(Builder::new().name("dashboard-sled ahead".into()).spawn(work));
    }

    fn begin_pass(&self) -> Option<Pass> {
        let begun = Instant::now();
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        next.take_if(|next| *next <= begun)?;
        Some(Pass { begun, next: Arc::clone(&self.next) })
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let pause = PAUSE.max(self.begun.elapsed() * PAUSE_FACTOR);
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + pause);
    }
}

impl Drop for ReadAhead {
    fn drop(&mut self) {
        self.is_dropped.store(true, Ordering::Relaxed);
    }
}

fn read_all(log: &File, is_dropped: &AtomicBool) -> io::Result<()> {
    let length = log.metadata()?.len();
    for piece in 0..length / PIECE + IN_FLIGHT {
        let is_allowed = piece % PIECES != 0 || free_memory::is_for(PIECES * PIECE);
        if is_dropped.load(Ordering::Relaxed) || !is_allowed {
            break;
        }
        ask_for(log, piece * PIECE);
        if let Some(earlier) = piece.checked_sub(IN_FLIGHT) {
            // Waits for the piece.
            log.read_at(&mut [0], (earlier + 1) * PIECE - 1)?;
        }
    }
    Ok(())
}

fn ask_for(log: &File, start: u64) {
    // SAFETY: the descriptor is open. If the call fails, nothing is read ahead.
    unsafe {
        libc::posix_fadvise(
            log.as_raw_fd(),
            start.cast_signed(),
            PIECE.cast_signed(),
            libc::POSIX_FADV_WILLNEED,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_read_begins_one_pass_and_a_fast_one_none() {
        let log = tempfile::tempfile().unwrap();
        log.set_len(3 * PIECE).unwrap();
        let ahead = ReadAhead::new();
        let is_waiting = || ahead.next.lock().unwrap().is_some_and(|next| next > Instant::now());
        ahead.after_read_of(SLOW / 2, &log);
        assert!(!is_waiting());
        ahead.after_read_of(SLOW, &log);
        while !is_waiting() {
            std::thread::yield_now();
        }
        let next = *ahead.next.lock().unwrap();
        ahead.after_read_of(SLOW, &log);
        assert_eq!(*ahead.next.lock().unwrap(), next);
    }

    #[test]
    fn a_pass_that_could_not_begin_is_followed_by_another() {
        let ahead = ReadAhead::new();
        let pass = ahead.begin_pass();
        assert!(pass.is_some());
        assert!(ahead.begin_pass().is_none());
        drop(pass);
        let next = ahead.next.lock().unwrap().unwrap();
        assert!(next > Instant::now() && next <= Instant::now() + PAUSE);
        *ahead.next.lock().unwrap() = Some(Instant::now());
        assert!(ahead.begin_pass().is_some());
    }
}
