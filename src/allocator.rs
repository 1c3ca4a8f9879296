//! What allocates in the addon. Node itself keeps its own. See `docs/decisions/allocator.md`.

/// What the event loop allocates for a change is freed by the writer, and the system's allocator has the two wait for each
/// other. Not in a debug build: the address sanitizer knows the system's allocator alone.
#[cfg(all(target_os = "linux", not(debug_assertions)))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Has a thread commit its first segment of memory as a whole, as it does those after it. mimalloc would do it a page at a
/// time, for threads that allocate little; the writer allocates much, and lives in its first segment. To be called before
/// threads are started.
pub fn set_up() {
    // SAFETY: sets a number; the operator's own MIMALLOC_EAGER_COMMIT_DELAY goes before it.
    #[cfg(all(target_os = "linux", not(debug_assertions)))]
    unsafe {
        libmimalloc_sys::mi_option_set_default(libmimalloc_sys::mi_option_eager_commit_delay, 0);
    }
}
