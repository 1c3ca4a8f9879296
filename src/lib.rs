//! `dashboard-sled`: an embedded, durable store for Dashboard, and native session administration.
//!
//! The arrows between the rooms: `binding → service → {record, store}`, `binding → {store, allocator}`,
//! and `store → record` for nothing but the rule that a stale write may not undo security.

mod service;
// Tests link no Node, so napi registers nothing there, and nothing sets the allocator up.
#[cfg(not(test))]
mod allocator;
#[cfg_attr(test, allow(dead_code))]
mod binding;
pub mod record;
pub mod store;
