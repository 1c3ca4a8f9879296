//! The allocator of the addon. Node keeps its own. See `docs/decisions/allocator.md`.

/// The event loop allocates the data of a change and the writer frees it. With the system's allocator the two threads
/// wait for each other. Debug builds use the system's allocator, because the address sanitizer knows no other.
#[cfg(all(target_os = "linux", not(debug_assertions)))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Makes each thread commit its first memory segment as a whole, like the segments after it. By default mimalloc
/// commits the first segment page by page, to save memory in threads that allocate little; the writer allocates much,
/// all in its first segment. Call this before any thread is started.
pub fn set_up() {
    // SAFETY: sets a number. The operator's own MIMALLOC_EAGER_COMMIT_DELAY takes precedence.
    #[cfg(all(target_os = "linux", not(debug_assertions)))]
    unsafe {
        libmimalloc_sys::mi_option_set_default(libmimalloc_sys::mi_option_eager_commit_delay, 0);
    }
}
