//! Pages of a scan, which reads everything in a store.

use crate::store::contents::Contents;
use crate::store::findings::Findings;
use crate::store::key::Key;

/// Size of a page, in bytes. A page ends after the value that reaches it.
pub(in crate::store) const PAGE_BYTES: usize = 1 << 20;
/// Largest number of items on a page of lists.
pub(in crate::store) const PAGE_ITEMS: usize = 2000;

/// A part of a list.
pub struct Part {
    /// Path of the list.
    pub path: Vec<u8>,
    /// The next items after the previous part, oldest first. Never empty.
    pub items: Vec<Contents>,
    /// Sequence of the last of these items.
    pub last: u64,
}

/// A page of records, in the order of their keys.
#[derive(Default)]
pub struct Records {
    /// The intact records.
    pub records: Vec<(Key, Contents)>,
    /// The damaged records.
    pub damaged: Findings,
    /// Key after which the next page begins; `None` at the end.
    pub next: Option<Key>,
}

/// A page of parts of lists, in the order of the lists.
#[derive(Default)]
pub struct Parts {
    /// The intact parts. The next page begins after the last of them.
    pub parts: Vec<Part>,
    /// Damaged lists and items.
    pub damaged: Findings,
    /// Whether this is the last page.
    pub is_end: bool,
    items: usize,
    bytes: usize,
}

impl Parts {
    /// Returns whether the page is large enough.
    pub(in crate::store) fn is_full(&self) -> bool {
        self.items >= PAGE_ITEMS || self.bytes >= PAGE_BYTES
    }

    /// Adds the item with the key `key`, which follows all items added before.
    pub(in crate::store) fn add(&mut self, key: &Key, sequence: u64, item: Contents) {
        let path = key.name().unwrap_or_default();
        self.items += 1;
        self.bytes += item.len();
        if let Some(part) = self.parts.last_mut().filter(|part| part.path == path) {
            part.items.push(item);
            part.last = sequence;
        } else {
            self.bytes += path.len();
            self.parts.push(Part { path: path.into(), items: vec![item], last: sequence });
        }
    }
}
