//! The store: records and lists, durable once acknowledged. Its interface to the services does not depend on the
//! engine: it is the names that this file exports.
//!
//! - [`database`]: settings of a store in a database
//! - [`engine`]: [`Store`], an enum of the engines, because a setting chooses one at run time; what opens them
//! - [`reader`], [`view`], [`follow`], [`fetched`]: look-ups, and the data that they read
//! - [`change`]: the changes that a store accepts
//! - [`key`], [`wtf8`]: names of the host as keys
//! - [`contents`]: the bytes of a record
//! - [`rule`]: the rules about stale writes and imports, applied to contents
//! - [`cache`], [`version`]: values in memory, and versions that tell whether a value that was read is still current
//! - [`control_groups`]: the memory that Linux lets this process use
//! - [`error`], [`problem`], [`findings`], [`notice`], [`panics`]: reports to callers and operators
//! - [`report`], [`statistics`]: reports of a store about itself; what it counts of its commits
//! - [`scan`]: pages of everything in a store
//! - [`sled`]: the embedded engine
//! - [`postgres`]: the engine for several processes, in a database of PostgreSQL; the feature `postgres` of cargo leaves
//!   it out
//!
//! In the embedded engine:
//! A change goes to the engine's writer thread, which makes it durable, puts the new values into the cache, changes
//! their versions, and then acknowledges. A read asks the cache first, and sled on a worker thread if the cache has no
//! answer.

mod cache;
mod change;
mod contents;
mod control_groups;
mod database;
mod engine;
mod error;
#[cfg(feature = "postgres")]
mod fetched;
mod findings;
mod follow;
pub mod key;
mod notice;
mod panics;
#[cfg(feature = "postgres")]
pub mod postgres;
mod problem;
mod reader;
mod report;
mod rule;
mod scan;
pub mod sled;
mod statistics;
#[cfg(test)]
pub(crate) mod test_store;
mod version;
mod view;
pub mod wtf8;

pub use self::sled::{compact, lower_thread_priority, repair, Compacted, Restored, Settings};
pub use cache::{Cached, NotCached};
pub use change::{Change, Completion, Edited, Outcome, Record};
pub use contents::Contents;
pub use control_groups::memory_limit;
pub use database::{DatabaseSettings, Purpose};
pub use engine::{
    connect, database_name, open, open_exclusive, restore, settle, Closing, Lease, Store,
};
pub use error::{Result, StoreError};
pub use findings::Findings;
pub use follow::Follow;
pub use key::{Key, ListPath};
pub use notice::Notice;
pub use panics::silence;
pub use problem::Problem;
pub use reader::{Job, Reader};
pub use report::{Commits, Report, Stats};
pub use scan::{Part, Parts, Records};
pub use view::View;

/// Longest key, list path or item, in bytes.
pub const MAX_NAME_BYTES: usize = 64 * 1024;
/// Largest contents of a record, in bytes.
pub const MAX_CONTENTS_BYTES: usize = 64 << 20;
