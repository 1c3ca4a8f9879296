//! The rows that one batch writes: records, items of lists, and the quarantine.

use crate::store::contents::Contents;

/// A row to write.
#[derive(Clone, Debug)]
pub struct RecordRow {
    /// Its new contents, or `None` to remove it.
    pub contents: Option<Contents>,
    /// Whether the row must still be as it was read. Otherwise nothing was computed from it.
    pub is_computed: bool,
    /// Whether the row stays as it is, because a change depends on it.
    pub is_kept: bool,
    /// The request that wrote it last.
    pub request: usize,
}

/// A change of an item of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemChange {
    /// Added, unless it is there.
    Added,
    /// Removed.
    Removed,
    /// Removed if it was there, and added as the newest.
    Moved,
}

/// An item to add or to remove.
#[derive(Clone, Copy, Debug)]
pub struct ItemRow {
    /// Its change.
    pub change: ItemChange,
    /// Its position among the changes of the batch.
    pub position: usize,
    /// The request that changed it last.
    pub request: usize,
}

/// Whether a batch puts the store in quarantine, or lifts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quarantine {
    /// Whether it is put in quarantine.
    pub is_set: bool,
    /// The request that asks for it.
    pub request: usize,
}
