//! Converts errors of sled to errors of the store.

use crate::store::error::{Result, StoreError};
use crate::store::panics::system_error;
use std::any::Any;
use std::io;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::Path;

/// Runs `work` on the data of sled in `folder`, and turns a panic into an error.
pub fn caught_in_sled<T>(
    action: &'static str,
    folder: &Path,
    work: impl FnOnce() -> Result<T>,
) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|payload| Err(StoreError::sled_panicked(action, folder, &*payload)))
}

impl StoreError {
    /// Converts an error that sled returned for `action` in the store at `path`.
    #[must_use]
    pub fn sled(action: &'static str, path: &Path, error: sled::Error) -> Self {
        match error {
            // The operating system refuses a thread with this kind of error. sled makes no other call that can fail
            // with it.
            sled::Error::Io(source) if source.kind() == io::ErrorKind::WouldBlock => {
                Self::no_thread(source)
            }
            sled::Error::Io(source) => Self::io(action, path, source),
            sled::Error::Corruption { .. } => {
                Self::Damaged { what: format!("the data of sled in {}", path.display()) }
            }
            other => Self::Sled { action, cause: other.to_string() },
        }
    }

    /// Returns the error for a panic in sled about the data in `folder`: damage, unless the operating system refused
    /// something.
    #[must_use]
    pub fn sled_panicked(action: &'static str, folder: &Path, payload: &(dyn Any + Send)) -> Self {
        match system_error(payload) {
            Some(cause) => Self::Sled { action, cause },
            None => Self::Damaged { what: format!("the data of sled in {}", folder.display()) },
        }
    }
}
