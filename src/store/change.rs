//! The changes that a store accepts.

use crate::record::cipher::Secret;
use crate::record::ending::Ending;
use crate::record::stale::Fingerprint;
use crate::record::Kind;
use crate::store::contents::Contents;
use crate::store::error::{Result, StoreError};
use crate::store::findings::Findings;
use crate::store::key::{Key, ListPath};
use crate::store::MAX_CONTENTS_BYTES;
use std::sync::{Arc, Mutex, PoisonError};

/// Called once, on the writer's thread, when a change is durable or has failed.
pub type Completion = Box<dyn FnOnce(Result<()>) + Send>;

/// Computes the new contents of a record from the stored ones. `None` leaves the record unchanged. An engine whose
/// transactions may conflict calls it again after a conflict; therefore it is not `FnOnce`.
pub(in crate::store) type Edit = Box<dyn Fn(Option<&[u8]>) -> Result<Option<Edited>> + Send>;

/// The result of an update: what becomes of the record, and a value for the caller.
pub struct Outcome<T> {
    /// The new contents. `None` leaves the record unchanged.
    pub edited: Option<Edited>,
    /// The value that the caller gets once the change is durable.
    pub value: T,
}

/// New contents of a record.
pub struct Edited {
    /// The new contents.
    pub contents: Contents,
    /// Fingerprints of the values that this edit retires, if the edit itself follows the rule about stale writes. If
    /// `None`, the store applies the rule.
    pub retires: Option<Vec<Fingerprint>>,
    /// The sessions that the edit ends, if it knows them. If `None`, the store compares the contents.
    pub ends: Option<Ending>,
}

impl From<Contents> for Edited {
    /// New contents to which the store applies its rules.
    fn from(contents: Contents) -> Self {
        Self { contents, retires: None, ends: None }
    }
}

/// Largest account or session, in bytes: a thousand times what Dashboard writes. The limit bounds the time that the
/// rule about stale writes takes, because all other changes wait for it.
pub const MAX_RULED_BYTES: usize = 1 << 20;

/// The key of a record, and its kind if the rule about stale writes applies to it.
#[derive(Clone, Debug)]
pub struct Record {
    /// Key in the store.
    pub key: Key,
    /// Kind of the record, derived from its key.
    pub kind: Option<Kind>,
}

impl Record {
    /// Returns the record at the host's key `name`, which is encoded as [`crate::store::wtf8`].
    #[must_use]
    pub fn new(name: &[u8]) -> Self {
        Self { key: Key::record(name), kind: Kind::of(name) }
    }

    /// Returns the largest contents that may be written to the record, in bytes.
    #[must_use]
    pub fn most_bytes(&self) -> usize {
        self.kind.map_or(MAX_CONTENTS_BYTES, |_| MAX_RULED_BYTES)
    }
}

/// One change of the store. Each `secret` is the one that the host has when it asks for the change: the rule about
/// stale writes has to decrypt the contents.
pub enum Change {
    /// Sets the contents of `record`.
    Write {
        /// The record.
        record: Record,
        /// Its new contents.
        contents: Contents,
        /// The host's secret, if it has one.
        secret: Option<Secret>,
    },
    /// Sets the contents of `record` to imported ones, except where that would undo a newer change.
    Import {
        /// The record.
        record: Record,
        /// Its contents.
        contents: Contents,
        /// The host's secret, if it has one.
        secret: Option<Secret>,
        /// Receives the name of the record if a part of the stored record was kept.
        kept: Arc<Mutex<Findings>>,
    },
    /// Removes `record`.
    Remove {
        /// The record.
        record: Record,
    },
    /// Computes new contents of `record` from the stored ones. No other change comes in between.
    Update {
        /// The record.
        record: Record,
        /// The computation.
        edit: Edit,
        /// Memory that the computation holds, in bytes.
        size: usize,
        /// The host's secret, if it has one.
        secret: Option<Secret>,
    },
    /// Makes `change`. If that ends sessions, adds an entry about it in the same commit.
    Attributed {
        /// A change of an account or a session.
        change: Box<Change>,
        /// Who asked for it, as a JSON object: see [`crate::record::ending::entry`].
        attribution: Arc<str>,
        /// The host's secret, if it has one.
        secret: Option<Secret>,
    },
    /// Adds an entry about sessions that ended.
    Append {
        /// The entry, encrypted if the host has a secret.
        entry: Contents,
    },
    /// Puts the store in quarantine: once it is closed, or the process ends, it cannot be opened again before
    /// [`Change::ClearQuarantine`] without [`crate::store::Settings::accepts_rollback`].
    Quarantine,
    /// Lifts the quarantine.
    ClearQuarantine,
    /// Adds `item` to a list as the newest one, unless the list has it.
    ListAdd {
        /// The list.
        path: ListPath,
        /// The item.
        item: Vec<u8>,
    },
    /// Removes `item` from a list if the list has it.
    ListRemove {
        /// The list.
        path: ListPath,
        /// The item.
        item: Vec<u8>,
    },
}

impl Change {
    /// Returns a change of `record` by `edit`, a function of the stored contents. `size` is the memory that `edit`
    /// holds, in bytes; `secret` is the host's.
    pub fn update(
        record: Record,
        secret: Option<Secret>,
        size: usize,
        edit: impl Fn(Option<&[u8]>) -> Result<Option<Edited>> + Send + 'static,
    ) -> Self {
        Self::Update { record, edit: Box::new(edit), size, secret }
    }

    /// Returns this change of an account or a session with an entry about what it ends. Without an `attribution` nothing
    /// is recorded.
    #[must_use]
    pub fn attributed(self, attribution: Option<Arc<str>>, secret: Option<Secret>) -> Self {
        let has_rules = self.record().is_some_and(|record| record.kind.is_some());
        match attribution {
            Some(attribution) if has_rules => {
                Self::Attributed { change: Box::new(self), attribution, secret }
            }
            _ => self,
        }
    }

    /// Returns the record that it changes. A list is not one.
    #[must_use]
    pub fn record(&self) -> Option<&Record> {
        match self {
            Self::Write { record, .. }
            | Self::Import { record, .. }
            | Self::Remove { record }
            | Self::Update { record, .. } => Some(record),
            Self::Attributed { change, .. } => change.record(),
            Self::Append { .. }
            | Self::Quarantine
            | Self::ClearQuarantine
            | Self::ListAdd { .. }
            | Self::ListRemove { .. } => None,
        }
    }

    /// Returns the memory that the change holds, in bytes, roughly.
    pub(in crate::store) fn size(&self) -> usize {
        // Bytes of a change besides its keys and contents.
        const OVERHEAD: usize = 256;
        let carried = match self {
            Self::Write { record, contents, .. } | Self::Import { record, contents, .. } => {
                record.key.size() + contents.len()
            }
            Self::Remove { record } => record.key.size(),
            Self::Update { record, size, .. } => record.key.size() + size,
            // Both texts may become an entry.
            Self::Attributed { change, attribution, .. } => change.size() + 2 * attribution.len(),
            Self::Append { entry } => entry.len(),
            Self::Quarantine | Self::ClearQuarantine => 0,
            Self::ListAdd { path, item } | Self::ListRemove { path, item } => {
                path.size() + item.len()
            }
        };
        carried + OVERHEAD
    }
}

/// Changes that are committed together or not at all, and the callback for their result.
pub struct Request {
    pub(in crate::store) changes: Vec<Change>,
    pub(in crate::store) completion: Completion,
    pub(in crate::store) size: usize,
}

/// Hides the type of the value that `edit` returns, so that updates of all types share one queue. The edit that is
/// returned keeps the value of its last call, and the completion that is returned passes it on.
pub(in crate::store) fn erase<T: Send + 'static>(
    edit: impl Fn(Option<&[u8]>) -> Result<Outcome<T>> + Send + 'static,
    completion: impl FnOnce(Result<T>) + Send + 'static,
) -> (Edit, Completion) {
    let kept = Arc::new(Mutex::new(None));
    let computed = Arc::clone(&kept);
    let edit = move |stored: Option<&[u8]>| {
        let Outcome { edited, value } = edit(stored)?;
        *computed.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
        Ok(edited)
    };
    let completion = move |result: Result<()>| {
        let value = kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        completion(result.and_then(|()| {
            value.ok_or_else(|| StoreError::Panicked {
                action: "compute a change",
                cause: "the change was acknowledged without its value".into(),
            })
        }));
    };
    (Box::new(edit), Box::new(completion))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn the_caller_gets_the_value_of_the_last_run_or_the_error() {
        for (acknowledged, expected) in
            [(Ok(()), Ok(2)), (Err(StoreError::Closed), Err("store-closed"))]
        {
            let (sender, answers) = mpsc::channel();
            let edit = |stored: Option<&[u8]>| {
                Ok(Outcome { edited: None, value: stored.map_or(0, <[u8]>::len) })
            };
            let completion = move |result: Result<_>| sender.send(result).unwrap();
            let (edit, completion) = erase(edit, completion);
            assert!(edit(Some(b"a")).unwrap().is_none());
            assert!(edit(Some(b"ab")).unwrap().is_none());
            completion(acknowledged);
            assert_eq!(answers.recv().unwrap().map_err(|error| error.slug()), expected);
        }
    }
}
