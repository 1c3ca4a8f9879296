//! The store: records and lists, durable once acknowledged. Its interface to the services does not depend on the
//! engine: it is the names that this file exports. The calls of [`Store`] are in the engine's `mod.rs`, `read/scan.rs`
//! and `maintenance/stats.rs`. With a second engine, `Store` becomes an enum of the engines, because a setting chooses
//! one at run time; a feature of cargo leaves an engine out.
//!
//! - [`change`]: the changes that a store accepts
//! - [`key`], [`wtf8`]: names of the host as keys
//! - [`contents`]: the bytes of a record
//! - [`rule`]: the rules about stale writes and imports, applied to contents
//! - [`cache`], [`version`]: values in memory, and versions that tell whether a value that was read is still current
//! - [`control_groups`]: the memory that Linux lets this process use
//! - [`error`], [`findings`], [`notice`], [`panics`]: reports to callers and operators
//! - [`sled`]: the embedded engine
//!
//! A change goes to the engine's writer thread, which makes it durable, puts the new values into the cache, changes
//! their versions, and then acknowledges. A read asks the cache first, and sled on a worker thread if the cache has no
//! answer.

mod cache;
mod change;
mod contents;
mod control_groups;
mod error;
mod findings;
pub mod key;
mod notice;
mod panics;
mod rule;
pub mod sled;
#[cfg(test)]
pub(crate) mod test_store;
mod version;
pub mod wtf8;

pub use self::sled::{
    compact, lower_thread_priority, open, open_exclusive, refuse_shared, remove_replaced, repair,
    restore, settle, Closing, Compacted, Lease, Part, Parts, Reader, Records, Report, Restored,
    Settings, Stats, Store,
};
pub use cache::{Cached, NotCached};
pub use change::{Change, Completion, Edited, Outcome, Record};
pub use contents::Contents;
pub use control_groups::memory_limit;
pub use error::{Result, StoreError};
pub use findings::Findings;
pub use key::{Key, ListPath};
pub use notice::Notice;
pub use panics::silence;

/// Longest key, list path or item, in bytes.
pub const MAX_NAME_BYTES: usize = 64 * 1024;
/// Largest contents of a record, in bytes.
pub const MAX_CONTENTS_BYTES: usize = 64 << 20;
