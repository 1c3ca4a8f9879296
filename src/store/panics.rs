//! Turns panics into errors, and keeps them from printing: a panic's message may quote a record.

use crate::store::error::{Result, StoreError};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

/// Silences the panics of this library. The library has its own copy of the standard library with its own panic hook,
/// so Rust code in other addons of the process is not affected. A second call, from another thread of Node, has no
/// effect.
pub fn silence() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| panic::set_hook(Box::new(|_| {})));
}

/// Runs `work`, and turns a panic into an error. `action` completes "while it should …".
pub(in crate::store) fn caught<T>(
    action: &'static str,
    work: impl FnOnce() -> Result<T>,
) -> Result<T> {
    panic::catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|payload| Err(StoreError::panicked(action, &*payload)))
}
