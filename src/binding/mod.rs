//! The only module that knows napi.
//!
//! - `administrator`, `end`, `storage`, `storage_object`, `export`, `import`, `maintenance`, `opening`, `sign_in`: the exported functions, by
//!   subject.
//! - `memory`: exported functions for the look-ups of every request. `handle`: the share of a thread in an open store.
//! - `arguments`, `js_string`, `hex_key`: parse arguments. `secret`: Dashboard's secret as an argument.
//! - `answer`, `reply`, `errors`: make JavaScript values, promises and errors. `advice`: what an error says to do.
//! - `promise`: settles promises from other threads. `worker`: threads for calls that block.
//!
//! A call parses its arguments and asks memory first. If memory cannot answer, the call returns a promise; a worker
//! thread or the writer settles it. Nothing here waits on the event loop.

mod administrator;
mod advice;
mod answer;
mod arguments;
mod end;
mod errors;
mod export;
mod handle;
mod hex_key;
mod import;
mod js_string;
mod maintenance;
mod memory;
mod opening;
mod promise;
mod reply;
mod secret;
mod sign_in;
mod storage;
mod storage_object;
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
