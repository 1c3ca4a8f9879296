//! How changes become durable: one writer, one transaction at a time.

pub mod changed_keys;
pub mod in_flight;
pub mod large_values;
pub mod list;
#[cfg(test)]
mod list_tests;
pub mod overlay;
pub mod queue;
pub mod statistics;
pub mod transaction;
pub mod unapplied;
pub mod watchdog;
pub mod writer;
