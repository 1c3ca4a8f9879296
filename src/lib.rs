//! `dashboard-sled`: an embedded, durable store for Dashboard, and native session administration.
//!
//! The arrows between the rooms: `binding → administrator → {record, store}`, `binding → store`,
//! and `store → record` for nothing but the rule that a stale write may not undo security.

mod administrator;
mod allocator;
// Tests link no Node, so napi registers nothing there.
#[cfg_attr(test, allow(dead_code))]
mod binding;
pub mod record;
pub mod store;
