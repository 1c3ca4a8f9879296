//! The only room that knows napi: arguments in, values and promises out.

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

/// The version of the package that the binary belongs to.
#[napi]
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Runs when Node loads the addon, once for each of its threads.
#[cfg(not(test))]
#[napi_derive::module_init]
fn load() {
    crate::allocator::set_up();
    crate::store::silence();
}
