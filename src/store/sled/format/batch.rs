//! A batch of changes that become visible together. sled and the journal both take it.

use crate::store::contents::Contents;
use crate::store::key::Key;
use std::collections::HashMap;

/// New values by key; `None` removes the key.
pub type Changed = HashMap<Key, Option<Contents>>;

/// Values by key, in the order in which they were given. If a key occurs twice, the later value counts.
#[derive(Default)]
pub struct Batch {
    changes: Vec<(sled::IVec, Option<sled::IVec>)>,
}

impl Batch {
    /// Returns an empty batch with capacity for `changes` changes.
    #[must_use]
    pub fn with_capacity(changes: usize) -> Self {
        Self { changes: Vec::with_capacity(changes) }
    }

    /// Sets the value at `key`.
    pub fn insert(&mut self, key: &[u8], value: impl Into<sled::IVec>) {
        self.changes.push((key.into(), Some(value.into())));
    }

    /// Removes `key`.
    pub fn remove(&mut self, key: &[u8]) {
        self.changes.push((key.into(), None));
    }

    /// Returns the number of changes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Returns whether there are no changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Returns the size of the keys and values, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.changes().map(|(key, value)| key.len() + value.map_or(0, <[u8]>::len)).sum()
    }

    /// Iterates over the changes. `None` removes the key.
    pub fn changes(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.changes.iter().map(|(key, value)| (&**key, value.as_deref()))
    }

    /// Iterates over the changes in sled's type, which shares the bytes of the values.
    pub fn shared(&self) -> impl Iterator<Item = (&[u8], Option<sled::IVec>)> {
        self.changes.iter().map(|(key, value)| (&**key, value.clone()))
    }

    /// Returns the changes as an atomic batch of sled.
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
