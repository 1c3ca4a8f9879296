//! Changes that become visible together, in the form that sled and the journal take.

use crate::store::contents::Contents;
use crate::store::key::Key;
use std::collections::HashMap;

/// Changed values by key; `None` for a removed one.
pub type Changed = HashMap<Key, Option<Contents>>;

/// Values by key, in the order in which they were given: of two for one key the later one counts.
#[derive(Default)]
pub struct Batch {
    changes: Vec<(sled::IVec, Option<sled::IVec>)>,
}

impl Batch {
    /// An empty one, with room for so many.
    #[must_use]
    pub fn with_capacity(changes: usize) -> Self {
        Self { changes: Vec::with_capacity(changes) }
    }

    /// Lets `value` stand at `key`.
    pub fn insert(&mut self, key: &[u8], value: impl Into<sled::IVec>) {
        self.changes.push((key.into(), Some(value.into())));
    }

    /// Lets nothing stand at `key`.
    pub fn remove(&mut self, key: &[u8]) {
        self.changes.push((key.into(), None));
    }

    /// How many were given.
    #[must_use]
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// What was given: `None` for a key that is removed.
    pub fn changes(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.changes.iter().map(|(key, value)| (&**key, value.as_deref()))
    }

    /// The same one by one for sled, which shares the values.
    pub fn shared(&self) -> impl Iterator<Item = (&[u8], Option<sled::IVec>)> {
        self.changes.iter().map(|(key, value)| (&**key, value.clone()))
    }

    /// The same as one for sled.
    #[must_use]
    pub fn to_sled(&self) -> sled::Batch {
        let mut batch = sled::Batch::default();
        for (key, value) in &self.changes {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        batch
    }
}
