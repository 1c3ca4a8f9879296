//! An answer at once, or a promise of one.

use super::answer::Answer;
use super::{promise, worker};
use crate::store;
use napi::bindgen_prelude::{ToNapiValue, TypeName};
use napi::{sys, Env, Result, ValueType};

/// An answer now, or a promise of one.
pub enum Reply {
    /// Memory knew.
    Now(Answer),
    /// The same, already made.
    Value(sys::napi_value),
    /// A promise.
    Later(sys::napi_value),
}

impl TypeName for Reply {
    fn type_name() -> &'static str {
        "unknown"
    }

    fn value_type() -> ValueType {
        ValueType::Unknown
    }
}

impl ToNapiValue for Reply {
    unsafe fn to_napi_value(env: sys::napi_env, reply: Self) -> Result<sys::napi_value> {
        match reply {
            // SAFETY: `env` is the one that this call runs in.
            Self::Now(answer) => unsafe { ToNapiValue::to_napi_value(env, answer) },
            Self::Value(value) | Self::Later(value) => Ok(value),
        }
    }
}

/// Runs `work` on a worker thread and promises its answer.
pub fn on_worker(
    env: Env,
    work: impl FnOnce() -> store::Result<Answer> + Send + 'static,
) -> Result<Reply> {
    let (promise, ticket) = promise::open(env)?;
    // Without a thread the ticket is dropped, and the promise rejects.
    let _ = worker::run(Box::new(move || ticket.settle(work())));
    Ok(Reply::Later(promise))
}

/// The same on a thread of its own, for what starts threads: those inherit how it is run.
pub fn on_own_thread(
    env: Env,
    work: impl FnOnce() -> store::Result<Answer> + Send + 'static,
) -> Result<Reply> {
    let (promise, ticket) = promise::open(env)?;
    // Without a thread the ticket is dropped, and so it is if the work panics.
    let _ = std::thread::Builder::new()
        .name("dashboard-sled opening".into())
        .spawn(move || ticket.settle(work()));
    Ok(Reply::Later(promise))
}
