//! Opening and closing stores as JavaScript sees it.

use super::answer::Answer;
use super::handle::NativeStore;
use super::reply::{on_own_thread, Reply};
use super::{errors, handle, promise};
use crate::store::{self, DatabaseSettings, Lease, Purpose, Settings};
use napi::{Env, Result};
use napi_derive::napi;
use std::time::Duration;

/// Maximum time that the end of the process waits for changes that were not awaited.
const SETTLE_LIMIT: Duration = Duration::from_secs(10);

/// Opens the store in the folder `path`, with a cache of `cacheBytes` and a limit of `commitSeconds` for a commit. If
/// the process already has it open, returns a share in the same store. A missing store is created only if `creates` is
/// set.
#[napi(catch_unwind, ts_return_type = "Promise<NativeStore>")]
pub fn open_store(
    env: Env,
    path: String,
    cache_bytes: f64,
    commit_seconds: u32,
    creates: bool,
) -> Result<Reply> {
    let settings = Settings {
        cache_bytes: whole(cache_bytes),
        creates,
        commit_limit: Duration::from_secs(commit_seconds.into()),
        ..Settings::new(path.into())
    };
    on_own_thread(env, move || store::open(&settings).map(Answer::Opened))
}

/// Opens the store in the database at `url`, with a cache of `cacheBytes` and a limit of `commitSeconds` for a change. If
/// the process already has it open, returns a share in the same store. A missing store is created only if `creates` is
/// set. `isExternal` says that the provider of the database makes commits durable. `isImport` opens it also after an import
/// that was interrupted.
#[napi(catch_unwind, ts_return_type = "Promise<NativeStore>")]
pub fn open_database(
    env: Env,
    url: String,
    cache_bytes: f64,
    commit_seconds: u32,
    is_external: bool,
    creates: bool,
    is_import: bool,
) -> Result<Reply> {
    let settings = DatabaseSettings {
        url,
        cache_bytes: whole(cache_bytes),
        creates,
        purpose: if is_import { Purpose::Import } else { Purpose::Use },
        commit_limit: Duration::from_secs(commit_seconds.into()),
        is_durable_by_itself: is_external,
    };
    on_own_thread(env, move || store::connect(&settings).map(Answer::Opened))
}

/// Returns the name of the database at `url` for messages, without the password.
#[napi(catch_unwind)]
pub fn database_name(env: Env, url: String) -> Result<String> {
    let name = store::database_name(&url);
    drop(url);
    name.map(|name| name.to_string()).map_err(|error| errors::throw(env, &error))
}

fn whole(number: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "lib lets only a positive integer through, and the cast saturates"
    )]
    let whole = number as u64;
    whole
}

/// Returns the lowest memory limit of this process's control groups in bytes, or null if they set none.
#[napi(catch_unwind)]
#[must_use]
pub fn memory_limit() -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "its size is all that counts")]
    store::memory_limit().map(|bytes| bytes as f64)
}

/// Waits until every change of every store is durable. Blocks, so it is only for the end of the process.
#[napi(catch_unwind)]
pub fn settle(env: Env) -> Result<()> {
    store::settle(SETTLE_LIMIT).map_err(|error| errors::throw(env, &error))
}

#[napi]
impl NativeStore {
    /// Gives this share back. The last share closes the store; its folder is free when the promise resolves.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn close(&self, env: Env) -> Result<Reply> {
        let lease = self.lease.borrow_mut().take();
        if lease.is_some() {
            handle::unregister(self.number);
        }
        // Begins to close at once; only the waiting needs a thread. That way a long read does not delay it.
        if let Some(closing) = lease.and_then(Lease::begin_close) {
            return on_own_thread(env, move || closing.wait().map(|()| Answer::Undefined));
        }
        let (promise, resolver) = promise::open(env)?;
        resolver.settle(Ok(Answer::Undefined));
        Ok(Reply::Later(promise))
    }
}
