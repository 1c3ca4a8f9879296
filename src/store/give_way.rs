//! Threads that work for others: they do not push anybody off a processor when they are woken.

/// From now on this thread, and those that it starts, let who runs go on for its turn. Nothing is taken from their share.
#[cfg(target_os = "linux")]
pub fn give_way() {
    // SAFETY: `param` outlives the call. Should it be refused, everything is as it was.
    unsafe {
        let param: libc::sched_param = std::mem::zeroed();
        libc::pthread_setschedparam(libc::pthread_self(), libc::SCHED_BATCH, &raw const param);
    }
}

/// Only Linux is asked for that.
#[cfg(not(target_os = "linux"))]
pub fn give_way() {}
