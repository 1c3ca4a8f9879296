//! Converts errors of sled to errors of the store.

use crate::store::error::StoreError;
use std::io;
use std::path::Path;

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

    /// Converts a panic in sled about the data in `folder` to damage, unless the operating system refused something.
    #[must_use]
    pub fn of_sled(self, folder: &Path) -> Self {
        match self {
            Self::Panicked { action, cause } if cause.contains("Io(") || cause.contains("Os {") => {
                Self::Sled { action, cause }
            }
            Self::Panicked { .. } => {
                Self::Damaged { what: format!("the data of sled in {}", folder.display()) }
            }
            other => other,
        }
    }
}
