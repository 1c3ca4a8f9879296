//! Operations on a whole store.
//!
//! - [`verify`]: reads everything, and reports inconsistencies
//! - [`repair`]: rebuilds positions, items and counters
//! - [`backup`]: copies a working store
//! - [`restore`]: makes a store from a backup
//! - [`compact`]: rewrites a store into smaller files
//! - [`stats`]: statistics of an open store
//!
//! Restore and compact make a new store with the code of a backup, and then swap it in (`folder/swap.rs`).

pub mod backup;
pub mod compact;
pub mod repair;
#[cfg(test)]
mod repair_tests;
pub mod restore;
pub mod stats;
pub mod verify;
