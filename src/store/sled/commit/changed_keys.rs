//! Keys that change during a backup. The writer records them, and the backup copies them again.

use crate::store::error::{Result, StoreError};
use crate::store::sled::format::batch::Batch;
use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Encoded keys.
pub type Keys = HashSet<Box<[u8]>>;

/// Keys that have changed since the running backup began; `None` without a backup.
#[derive(Default)]
pub struct ChangedKeys(Mutex<Option<Keys>>);

/// Records changed keys until it is dropped, even if the backup fails or panics.
pub struct Noting<'a>(&'a ChangedKeys);

impl ChangedKeys {
    /// Starts to record changed keys. Fails if another backup is running.
    pub fn begin(&self) -> Result<Noting<'_>> {
        let mut keys = self.lock();
        if keys.is_some() {
            return Err(StoreError::BackupRunning);
        }
        *keys = Some(Keys::new());
        Ok(Noting(self))
    }

    /// Records the keys of `batch`, which is about to be applied. The caller holds the returned lock until the batch
    /// is applied. A backup that began or took the keys in between would otherwise copy old values, and never copy them
    /// again. Called by the writer only.
    pub fn note(&self, batch: &Batch) -> MutexGuard<'_, Option<Keys>> {
        let mut keys = self.lock();
        if let Some(keys) = &mut *keys {
            keys.extend(batch.changes().map(|(key, _)| key.into()));
        }
        keys
    }

    fn lock(&self) -> MutexGuard<'_, Option<Keys>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Noting<'_> {
    /// Returns the keys that have changed since the last call.
    pub fn take(&self) -> Keys {
        self.0.lock().as_mut().map(std::mem::take).unwrap_or_default()
    }
}

impl Drop for Noting<'_> {
    fn drop(&mut self) {
        *self.0.lock() = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{catch_unwind, AssertUnwindSafe};

    fn batch(key: &[u8]) -> Batch {
        let mut batch = Batch::default();
        batch.remove(key);
        batch
    }

    #[test]
    fn one_backup_at_a_time_records_changed_keys() {
        let changed_keys = ChangedKeys::default();
        drop(changed_keys.note(&batch(b"before")));
        let noting = changed_keys.begin().unwrap();
        assert!(matches!(changed_keys.begin(), Err(StoreError::BackupRunning)));
        drop(changed_keys.note(&batch(b"a")));
        assert_eq!(noting.take(), Keys::from([b"a".as_slice().into()]));
        assert!(noting.take().is_empty());
    }

    #[test]
    fn a_backup_that_panicked_leaves_nothing_behind() {
        let changed_keys = ChangedKeys::default();
        let panicking = || {
            let _noting = changed_keys.begin().unwrap();
            panic!("amid a backup");
        };
        assert!(catch_unwind(AssertUnwindSafe(panicking)).is_err());
        assert!(changed_keys.begin().is_ok());
    }
}
