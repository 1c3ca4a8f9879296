//! What an operator does with a whole store.

pub mod backup;
pub mod compact;
pub mod repair;
#[cfg(test)]
mod repair_tests;
pub mod restore;
pub mod stats;
pub mod verify;
