//! The store: records and lists, durable when acknowledged. What services see of it does not depend on the engine.
//!
//! - [`key`], [`change`], [`contents`], [`error`], [`notice`]: what a store is asked, what it gives, and what it says
//! - [`cache`], [`version`]: what memory knows, and whether what was read is still current
//! - [`sled`]: the embedded engine

mod cache;
mod change;
mod contents;
mod error;
mod findings;
pub mod key;
mod notice;
mod panics;
pub mod sled;
mod version;
pub mod wtf8;

pub use self::sled::{
    compact, lower_thread_priority, open, open_exclusive, refuse_shared, remove_replaced, repair,
    restore, settle, Closing, Compacted, Lease, Part, Parts, Reader, Records, Report, Restored,
    Settings, Stats, Store,
};
pub use change::{Change, Completion, Edit, Edited, Record};
pub use contents::Contents;
pub use error::{Result, StoreError};
pub use findings::Findings;
pub use key::{Key, ListPath};
pub use notice::Notice;
pub use panics::silence;

/// The longest key, list path or item, in bytes.
pub const MAX_NAME_BYTES: usize = 64 * 1024;
/// The largest contents of a record, in bytes.
pub const MAX_CONTENTS_BYTES: usize = 64 << 20;
