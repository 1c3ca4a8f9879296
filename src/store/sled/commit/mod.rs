//! The way of a change to the disk: one writer makes one transaction at a time durable.
//!
//! - [`queue`]: changes that wait for the writer
//! - [`writer`], [`make_commit`]: the thread that makes all changes, and one commit of it
//! - [`transaction`], [`overlay`], [`list`]: compute the new values of one commit
//! - [`large_values`]: writes large values ahead of their commit
//! - [`old_chunks`]: removes those of large values after their commit
//! - [`unapplied`]: the commit that is in the journal, but not yet in sled
//! - [`in_flight`], [`watchdog`]: notice a disk that hangs
//! - [`changed_keys`]: the keys that a running backup has to copy again
//! - [`shared`]: the state that the writer, the watchdog and the readers share
//!
//! The writer gathers requests from the queue, and the transaction turns them into a batch. The journal makes the batch
//! durable, and the cache publishes its values. While the next batch is on its way to the drive, this one goes to sled.

pub mod changed_keys;
pub mod in_flight;
pub mod large_values;
pub mod list;
#[cfg(test)]
mod list_tests;
pub mod make_commit;
pub mod old_chunks;
pub mod overlay;
pub mod queue;
pub mod shared;
pub mod transaction;
pub mod unapplied;
pub mod watchdog;
pub mod writer;
