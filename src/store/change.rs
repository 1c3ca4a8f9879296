//! What the store can be asked to change.

pub use crate::record::cipher::Secret;
use crate::record::stale::Fingerprint;
use crate::record::Kind;
use crate::store::contents::Contents;
use crate::store::error::Result;
use crate::store::findings::Findings;
use crate::store::key::{Key, ListPath};
use crate::store::MAX_CONTENTS_BYTES;
use std::sync::{Arc, Mutex};

/// Called once, on the writer's thread, when a change is durable or has failed.
pub type Completion = Box<dyn FnOnce(Result<()>) + Send>;

/// Computes the new contents of a record from the stored ones; `None` leaves it as it is.
pub type Edit = Box<dyn FnOnce(Option<&[u8]>) -> Result<Option<Edited>> + Send>;

/// What an edit makes of a record.
pub struct Edited {
    /// The new contents.
    pub contents: Contents,
    /// What it retires, if the edit itself follows the rule about stale writes. Else the rule is asked.
    pub retires: Option<Vec<Fingerprint>>,
}

/// Largest account or session, in bytes: a thousand times what Dashboard writes. It bounds the time that the rule about stale
/// writes takes, while all other changes wait.
pub const MAX_RULED_BYTES: usize = 1 << 20;

/// A record by its key, and whether it is one with rules.
#[derive(Clone, Debug)]
pub struct Record {
    /// Where it stands.
    pub key: Key,
    /// What it is by its key.
    pub kind: Option<Kind>,
}

impl Record {
    /// The record at the host's key `name`, as [`crate::store::wtf8`].
    #[must_use]
    pub fn new(name: &[u8]) -> Self {
        Self { key: Key::record(name), kind: Kind::of(name) }
    }

    /// Largest contents that may be written to it, in bytes.
    #[must_use]
    pub fn most_bytes(&self) -> usize {
        self.kind.map_or(MAX_CONTENTS_BYTES, |_| MAX_RULED_BYTES)
    }
}

/// One change of the store. The `secret` of a record is the one that the host has at that time: the
/// rule about stale writes needs to read what is written.
pub enum Change {
    /// Let `contents` stand at `record`.
    Write {
        /// The record.
        record: Record,
        /// Its new contents.
        contents: Contents,
        /// The host's secret, if it has one.
        secret: Option<Secret>,
    },
    /// Let what is imported stand at `record`, as far as that undoes nothing.
    Import {
        /// The record.
        record: Record,
        /// Its contents.
        contents: Contents,
        /// The host's secret, if it has one.
        secret: Option<Secret>,
        /// Gets the name of the record if something of the stored one was kept.
        kept: Arc<Mutex<Findings>>,
    },
    /// Let nothing stand at `record`.
    Remove {
        /// The record.
        record: Record,
    },
    /// Compute what stands at `record` from what stands there, with nothing in between.
    Update {
        /// The record.
        record: Record,
        /// The computation.
        edit: Edit,
        /// What it holds in memory, in bytes.
        size: usize,
        /// The host's secret, if it has one.
        secret: Option<Secret>,
    },
    /// Every session has to be ended: after a crash the store may not be used until then.
    Quarantine,
    /// Every session was ended: the store may be used again.
    ClearQuarantine,
    /// Add `item` to a list as the newest, unless it is there.
    ListAdd {
        /// The list.
        path: ListPath,
        /// The item.
        item: Vec<u8>,
    },
    /// Remove `item` from a list if it is there.
    ListRemove {
        /// The list.
        path: ListPath,
        /// The item.
        item: Vec<u8>,
    },
}

impl Change {
    /// What the change holds in memory, roughly.
    pub(in crate::store) fn size(&self) -> usize {
        // What a change takes besides the bytes it carries.
        const OVERHEAD: usize = 256;
        let carried = match self {
            Self::Write { record, contents, .. } | Self::Import { record, contents, .. } => {
                record.key.size() + contents.len()
            }
            Self::Remove { record } => record.key.size(),
            Self::Update { record, size, .. } => record.key.size() + size,
            Self::Quarantine | Self::ClearQuarantine => 0,
            Self::ListAdd { path, item } | Self::ListRemove { path, item } => {
                path.size() + item.len()
            }
        };
        carried + OVERHEAD
    }
}

/// Changes that are made together or not at all, and whom to tell.
pub struct Request {
    pub(in crate::store) changes: Vec<Change>,
    pub(in crate::store) completion: Completion,
    pub(in crate::store) size: usize,
}
