//! Keeps panics from printing. A panic's message may quote a record, and the caller gets an error instead.

use std::panic;
use std::sync::Once;

/// Silences the panics of this library. The library has its own copy of the standard library with its own panic hook,
/// so Rust code in other addons of the process is not affected. A second call, from another thread of Node, has no
/// effect.
pub fn silence() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| panic::set_hook(Box::new(|_| {})));
}
