//! A reply: a value, or a promise of one.

use super::answer::Answer;
use super::promise::{self, Resolver};
use super::worker::{self, Job, LONG, READS};
use crate::store;
use napi::bindgen_prelude::{ToNapiValue, TypeName};
use napi::{sys, Env, Result, ValueType};

/// The reply to a call.
pub enum Reply {
    /// An answer from memory.
    Now(Answer),
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
            // SAFETY: `env` is the environment that this call runs in.
            Self::Now(answer) => unsafe { ToNapiValue::to_napi_value(env, answer) },
            Self::Later(value) => Ok(value),
        }
    }
}

/// Runs `work`, a look-up, on a worker thread. Returns a promise of its answer.
pub fn on_worker(
    env: Env,
    work: impl FnOnce() -> store::Result<Answer> + Send + 'static,
) -> Result<Reply> {
    promised(env, work, |job| READS.run(job))
}

/// As [`on_worker`], for work that may take long.
pub fn on_long_worker(
    env: Env,
    work: impl FnOnce() -> store::Result<Answer> + Send + 'static,
) -> Result<Reply> {
    promised(env, work, |job| LONG.run(job))
}

/// As [`on_worker`], on a thread of its own. For work that starts threads: a new thread inherits the priority of the
/// one that starts it.
pub fn on_own_thread(
    env: Env,
    work: impl FnOnce() -> store::Result<Answer> + Send + 'static,
) -> Result<Reply> {
    promised(env, work, worker::run_alone)
}

/// Runs `work` on a thread for look-ups, or on one for long work if `is_long` says so. `is_long` is itself a look-up.
pub fn on_either_worker(
    env: Env,
    is_long: impl FnOnce() -> store::Result<bool> + Send + 'static,
    work: impl FnOnce() -> store::Result<Answer> + Send + 'static,
) -> Result<Reply> {
    let (promise, resolver) = promise::open(env)?;
    READS.run(Box::new(move |begun| match begun.and_then(|()| is_long()) {
        Ok(false) => resolver.settle(work()),
        Ok(true) => LONG.run(answering(resolver, work)),
        Err(error) => resolver.settle(Err(error)),
    }));
    Ok(Reply::Later(promise))
}

fn promised(
    env: Env,
    work: impl FnOnce() -> store::Result<Answer> + Send + 'static,
    run: impl FnOnce(Job),
) -> Result<Reply> {
    let (promise, resolver) = promise::open(env)?;
    run(answering(resolver, work));
    Ok(Reply::Later(promise))
}

fn answering(
    resolver: Resolver,
    work: impl FnOnce() -> store::Result<Answer> + Send + 'static,
) -> Job {
    Box::new(move |begun| resolver.settle(begun.and_then(|()| work())))
}
