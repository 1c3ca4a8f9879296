//! Scheduling priority of background threads. They do not preempt other threads when they wake up.

/// Runs this thread, and the threads that it starts later, at batch priority. They get the same share of the processor
/// as before, but do not preempt a running thread. If an operator has chosen another scheduling policy than the
/// default, it stays.
#[cfg(target_os = "linux")]
pub fn lower_thread_priority() {
    // SAFETY: all pointers outlive the calls. If one of the calls fails, nothing changes.
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

/// Does nothing: only Linux has this policy.
#[cfg(not(target_os = "linux"))]
pub fn lower_thread_priority() {}
