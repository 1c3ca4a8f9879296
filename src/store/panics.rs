//! What a panic prints: nothing. Its message may quote a record, and whoever asked for the work is told by an error.

use std::panic;
use std::sync::Once;

/// Silences the panics of this library. It has a standard library of its own, with a hook of its own: Rust in other addons of
/// the process is not concerned. Loading it again, in another thread of Node, changes nothing.
pub fn silence() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| panic::set_hook(Box::new(|_| {})));
}
