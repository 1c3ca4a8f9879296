//! The keys that change while a backup is made: the writer notes them, and the backup copies them again.

use crate::store::error::{Result, StoreError};
use crate::store::sled::format::batch::Batch;
use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Encoded keys.
pub type Keys = HashSet<Box<[u8]>>;

/// The keys that were touched since a backup began, while one is made.
#[derive(Default)]
pub struct ChangedKeys(Mutex<Option<Keys>>);

/// While this is there, keys are noted. It ends with the backup, also when that fails or panics.
pub struct Noting<'a>(&'a ChangedKeys);

impl ChangedKeys {
    /// Begins to note the keys that are touched. Fails if a backup is being made already.
    pub fn begin(&self) -> Result<Noting<'_>> {
        let mut keys = self.lock();
        if keys.is_some() {
            return Err(StoreError::Refused("backup-running"));
        }
        *keys = Some(Keys::new());
        Ok(Noting(self))
    }

    /// The writer's side: `batch` is about to appear. What is returned is held until it has: a backup that began, or took
    /// the keys, in between would read what was there before, and never again.
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
    /// The keys that were touched since this was called last.
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
    fn one_backup_at_a_time_notes_what_is_touched() {
        let changed_keys = ChangedKeys::default();
        drop(changed_keys.note(&batch(b"before")));
        let noting = changed_keys.begin().unwrap();
        assert!(changed_keys.begin().is_err());
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
