//! A reply: a value, or a promise of one.

use super::answer::Answer;
use super::promise::{self, Resolver};
use super::worker::{self, LONG, READS};
use crate::store::{self, Job, Reader, View};
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

/// Answers with `look`, a look-up in `store`. If reading blocks, it runs on a worker thread.
pub fn look_up(
    env: Env,
    store: Reader,
    look: impl Fn(&View<'_>) -> store::Result<Answer> + Send + 'static,
) -> Result<Reply> {
    let (promise, resolver) = promise::open(env)?;
    store.look_up(look, |result| resolver.settle(result), |job| READS.run(job));
    Ok(Reply::Later(promise))
}

/// As [`look_up`], on a thread for long work if `is_long` says so, which is itself a look-up.
pub fn look_up_long(
    env: Env,
    store: Reader,
    is_long: impl FnOnce() -> store::Result<bool> + Send + 'static,
    look: impl Fn(&View<'_>) -> store::Result<Answer> + Send + 'static,
) -> Result<Reply> {
    let (promise, resolver) = promise::open(env)?;
    store.look_up(
        look,
        |result| resolver.settle(result),
        |job| {
            READS.run(Box::new(move |begun| match begun.and_then(|()| is_long()) {
                Ok(true) => LONG.run(job),
                other => job(other.map(drop)),
            }));
        },
    );
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
