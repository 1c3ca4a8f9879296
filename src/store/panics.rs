//! Turns panics into errors, and keeps them from printing: a panic's message may quote a record.

use crate::store::error::{Result, StoreError};
use std::any::Any;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

/// Shown instead of the message of a panic.
const LEFT_OUT: &str = "its message is left out, since it may quote a record";

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
        .unwrap_or_else(|payload| Err(panicked(action, &*payload)))
}

/// Returns the error for a caught panic of `action`. Shows nothing of its message but an error of the operating system.
pub(in crate::store) fn panicked(action: &'static str, payload: &(dyn Any + Send)) -> StoreError {
    let cause = system_error(payload).unwrap_or_else(|| LEFT_OUT.into());
    StoreError::Panicked { action, cause }
}

/// Returns the error of the operating system that the message of a panic quotes, or a text in its place if it has no
/// number.
pub(in crate::store) fn system_error(payload: &(dyn Any + Send)) -> Option<String> {
    let text = payload.downcast_ref::<&str>().copied();
    let message = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))?;
    // As `Debug` prints an `io::Error`. The text is made from its number, so nothing else of the message is shown.
    let Some((_, after)) = message.split_once("Os { code: ") else {
        return message.contains("Io(").then(|| LEFT_OUT.into());
    };
    let code = after.split(',').next()?.parse().ok()?;
    Some(io::Error::from_raw_os_error(code).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "correct horse battery staple";

    fn shown(message: &str) -> String {
        caught("write", || -> Result<()> { panic!("{message}") }).unwrap_err().to_string()
    }

    #[test]
    fn a_panic_shows_nothing_of_its_message_but_an_error_of_the_system() {
        assert!(!shown(SECRET).contains(SECRET));
        let shown = shown(&format!("{SECRET}: Io(Os {{ code: 28, kind: StorageFull }}) {SECRET}"));
        assert!(!shown.contains(SECRET), "{shown}");
        assert!(shown.contains("os error 28"), "{shown}");
    }
}
