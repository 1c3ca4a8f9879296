//! What sled refuses, as errors of the store.

use crate::store::error::StoreError;
use std::io;
use std::path::Path;

impl StoreError {
    /// sled's error while it should `action` in the store at `path`.
    #[must_use]
    pub fn sled(action: &'static str, path: &Path, error: sled::Error) -> Self {
        match error {
            // That is how the system refuses a thread; sled asks for nothing else that could be told to try again.
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

    /// A panic within sled, on what is in `folder`: damage, unless the system refused something.
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
