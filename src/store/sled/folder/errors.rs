//! Converts errors of the operating system to errors of the store.

use crate::store::error::StoreError;
use crate::store::sled::folder::permissions;
use std::io;
use std::path::Path;
use std::sync::Arc;

impl StoreError {
    /// Converts an error of `action` on `path`. A full disk, an exhausted quota and a missing permission become errors
    /// of their own kind.
    #[must_use]
    pub fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
            return Self::Full { path: path.into() };
        }
        if source.kind() == io::ErrorKind::PermissionDenied {
            if let Some((found, user)) = permissions::refusing(path) {
                return Self::NotPermitted { action, path: path.into(), found, user };
            }
        }
        Self::Io { action, path: path.into(), source: Arc::new(source) }
    }

    /// Converts a refusal to start a thread.
    #[must_use]
    pub fn no_thread(source: io::Error) -> Self {
        Self::NoThread { source: Arc::new(source) }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn an_exhausted_quota_is_a_full_disk() {
        for number in [libc::ENOSPC, libc::EDQUOT] {
            let source = io::Error::from_raw_os_error(number);
            assert_eq!(StoreError::io("write", Path::new("a"), source).code(), "ERR_STORE_FULL");
        }
    }
}
