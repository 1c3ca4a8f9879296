//! The only module that knows napi.
//!
//! - `administrator`, `storage`, `transfer`, `maintenance`, `opening`: the exported functions, by subject.
//! - `handles`: exported functions for the look-ups of every request, answered from memory.
//! - `arguments`, `js_string`: parse arguments.
//! - `answer`, `reply`, `errors`: make JavaScript values, promises and errors.
//! - `promise`: settles promises from other threads. `worker`: threads for calls that block.
//!
//! A call parses its arguments and asks memory first. If memory cannot answer, the call returns a promise; a worker
//! thread or the writer settles it. Nothing here waits on the event loop.

mod administrator;
mod answer;
mod arguments;
mod errors;
mod handles;
mod js_string;
mod maintenance;
mod opening;
mod promise;
mod reply;
mod storage;
mod transfer;
mod worker;

use napi_derive::napi;

/// Version of the package that the binary belongs to.
#[napi]
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Runs when Node loads the addon, once for each thread.
#[cfg(not(test))]
#[napi_derive::module_init]
fn load() {
    crate::allocator::set_up();
    crate::store::silence();
}
