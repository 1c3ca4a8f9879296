//! `dashboard-sled`: an embedded, durable store for Dashboard, and native session administration.
//!
//! - `binding`: the only module that knows napi. Arguments come in; values and promises go out.
//! - `service`: the use cases, named as Dashboard names them.
//! - [`record`]: the rules of accounts and sessions, as pure functions.
//! - [`store`]: keys, changes, contents, errors and the cache; the embedded engine is in `store::sled`.
//!
//! Beside these, `src/www` holds JavaScript: the routes of the administrator. Dashboard looks for them in that folder.
//!
//! A call goes from `binding` to `service`, which reads records through `store` and applies the rules of `record`.
//! Allowed dependencies: `binding → service → {record, store}`, `binding → {record, store, allocator}`, and
//! `store → record` only for the rule that a stale write must not undo a security change.

mod service;
// Tests do not link Node: napi registers nothing there, and nothing calls `allocator::set_up`.
#[cfg(not(test))]
mod allocator;
#[cfg_attr(test, allow(dead_code))]
mod binding;
pub mod record;
pub mod store;
