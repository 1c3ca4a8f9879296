//! `dashboard-sled`: an embedded, durable store for Dashboard, and native session administration.
//!
//! The arrows between the rooms: `binding → administrator → {record, store}`, `binding → store`,
//! and `store → record` for nothing but the rule that a stale write may not undo security.

mod administrator;
// Tests link no Node, so napi registers nothing there.
#[cfg_attr(test, allow(dead_code))]
mod binding;
pub mod record;
pub mod store;

/// What the event loop allocates for a change is freed by the writer, and the system's allocator has the two wait for each
/// other. Node itself keeps its own. Not in a debug build: the address sanitizer knows the system's allocator alone.
#[cfg(all(target_os = "linux", not(debug_assertions)))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
