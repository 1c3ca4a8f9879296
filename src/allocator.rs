//! The allocator of the addon. Node keeps its own. See `docs/decisions/allocator.md`.

/// The event loop allocates the data of a change and the writer frees it. With the system's allocator the two threads
/// wait for each other. Debug builds use the system's allocator, because the address sanitizer knows no other.
#[cfg(all(target_os = "linux", not(debug_assertions)))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Has mimalloc ask the system for memory segment by segment, each as a whole. By default it takes an arena of 1 GiB at
/// once, whose huge pages hold tens of megabytes that nothing uses; and it commits the first segment of a thread page by
/// page, to save memory in threads that allocate little, but the writer allocates much, all in its first segment. Call
/// this before any thread is started.
pub fn set_up() {
    /// `mi_option_arena_eager_commit` of `mimalloc.h`, which the crate does not name.
    #[cfg(all(target_os = "linux", not(debug_assertions)))]
    const ARENA_EAGER_COMMIT: libmimalloc_sys::mi_option_t = 4;
    // SAFETY: sets two numbers. The operator's own MIMALLOC_ARENA_EAGER_COMMIT and MIMALLOC_EAGER_COMMIT_DELAY take
    // precedence.
    #[cfg(all(target_os = "linux", not(debug_assertions)))]
    unsafe {
        libmimalloc_sys::mi_option_set_default(ARENA_EAGER_COMMIT, 0);
        libmimalloc_sys::mi_option_set_default(libmimalloc_sys::mi_option_eager_commit_delay, 0);
    }
}
