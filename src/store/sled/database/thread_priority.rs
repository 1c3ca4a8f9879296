//! Threads that work for others: they do not push anybody off a processor when they are woken.

/// From now on this thread, and those that it starts, let who runs go on for its turn. Nothing is taken from their share;
/// where an operator has chosen another policy than the usual one, that stays.
#[cfg(target_os = "linux")]
pub fn lower_thread_priority() {
    // SAFETY: what is pointed to outlives the calls. Should one be refused, everything is as it was.
    unsafe {
        let this = libc::pthread_self();
        let mut policy = 0;
        let mut param: libc::sched_param = std::mem::zeroed();
        if libc::pthread_getschedparam(this, &raw mut policy, &raw mut param) == 0
            && policy == libc::SCHED_OTHER
        {
            libc::pthread_setschedparam(this, libc::SCHED_BATCH, &raw const param);
        }
    }
}

/// Only Linux is asked for that.
#[cfg(not(target_os = "linux"))]
pub fn lower_thread_priority() {}
