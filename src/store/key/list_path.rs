//! The path of a list, and the keys that are made from it.

use crate::store::key::{Key, ITEM, LIST, MAX_PAIR_PART, POSITION, TALLY};
use std::sync::Arc;

/// The path of a list. All keys of the list are made from it.
#[derive(Clone, Debug)]
pub struct ListPath {
    path: Arc<[u8]>,
}

impl ListPath {
    /// Returns the list at the host's path, encoded as [`crate::store::wtf8`].
    #[must_use]
    pub fn new(path: &[u8]) -> Self {
        Self { path: path.into() }
    }

    /// Returns the path.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.path
    }

    /// Returns the memory of the path, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.path.len()
    }

    /// Returns the key of the list's count and next sequence number.
    #[must_use]
    pub fn head(&self) -> Key {
        Key::build(LIST, &[&self.path], MAX_PAIR_PART)
    }

    /// Returns the key of the item with the number `sequence`.
    #[must_use]
    pub fn item(&self, sequence: u64) -> Key {
        self.numbered(ITEM, sequence)
    }

    /// Returns the key of the sequence number of `item`.
    #[must_use]
    pub fn position(&self, item: &[u8]) -> Key {
        Key::build(POSITION, &[&self.path, item], MAX_PAIR_PART)
    }

    /// Returns the key of the counters of one segment.
    #[must_use]
    pub fn tally(&self, segment: u64) -> Key {
        self.numbered(TALLY, segment)
    }

    /// Returns the prefix of the keys of all items.
    #[must_use]
    pub fn items(&self) -> Vec<u8> {
        self.prefix(ITEM)
    }

    /// Returns the prefix of the keys of all positions.
    #[must_use]
    pub fn positions(&self) -> Vec<u8> {
        self.prefix(POSITION)
    }

    /// Returns the prefix of the keys of all tallies.
    #[must_use]
    pub fn tallies(&self) -> Vec<u8> {
        self.prefix(TALLY)
    }

    fn prefix(&self, kind: u8) -> Vec<u8> {
        Key::build(kind, &[&self.path], MAX_PAIR_PART).encoded.to_vec()
    }

    fn numbered(&self, kind: u8, number: u64) -> Key {
        let key = Key::build(kind, &[&self.path], MAX_PAIR_PART);
        let mut encoded = key.encoded.to_vec();
        encoded.extend_from_slice(&number.to_be_bytes());
        Key { encoded: encoded.into(), full: key.full }
    }
}

impl Key {
    /// Returns the list of a head, an item, a position or a tally.
    #[must_use]
    pub fn list_path(&self) -> Option<ListPath> {
        self.name().map(ListPath::new)
    }
}
