//! A clock that never goes back, and goes on while the machine sleeps.

use std::time::Duration;

/// Returns the time since some moment, the same for the whole process.
#[cfg(unix)]
pub fn now() -> Duration {
    // Apple's goes on during sleep; Linux has another one for that.
    #[cfg(target_vendor = "apple")]
    const CLOCK: libc::clockid_t = libc::CLOCK_MONOTONIC;
    #[cfg(not(target_vendor = "apple"))]
    const CLOCK: libc::clockid_t = libc::CLOCK_BOOTTIME;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to `time`, which lives until the call returns.
    let result = unsafe { libc::clock_gettime(CLOCK, &raw mut time) };
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or_default();
    // Without the clock, every lease has run out.
    if result == 0 {
        Duration::new(seconds, nanoseconds)
    } else {
        Duration::MAX
    }
}

/// Returns the time since the first call.
#[cfg(not(unix))]
pub fn now() -> Duration {
    use std::sync::OnceLock;
    use std::time::Instant;
    static FIRST: OnceLock<Instant> = OnceLock::new();
    FIRST.get_or_init(Instant::now).elapsed()
}
