//! Maintenance of a store, for the command-line tool and the API. Reports are JSON text.

use super::answer::Answer;
use super::arguments;
use super::handle::NativeStore;
use super::hex_key::{key_of_hex, to_hex};
use super::reply::{on_long_worker, on_worker, Reply};
use super::secret::NativeSecret;
use super::{errors, handle};
use crate::service::end_sessions::Ended;
use crate::service::maintenance;
use crate::service::purge::Purge;
use crate::service::recovery;
use crate::service::usage::usage;
use crate::store::{self, Compacted, DatabaseSettings, Purpose, Report, Stats};
use napi::bindgen_prelude::External;
use napi::{Env, Result};
use napi_derive::napi;
use serde_json::{json, Value};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Progress of the current operation. One number for the process, because the tool runs one operation at a time.
static PROGRESS: AtomicU64 = AtomicU64::new(0);

/// Returns the number of bytes that the last of the calls below has read or copied so far; for a purge, the number of
/// sessions that it has looked at.
#[napi(catch_unwind)]
#[must_use]
pub fn progress() -> f64 {
    // Precise enough for a progress bar.
    #[expect(clippy::cast_precision_loss, reason = "a store has less than 2^53 bytes")]
    let bytes = PROGRESS.load(Ordering::Relaxed) as f64;
    bytes
}

/// Reopens a store that lost acknowledged writes, in the folder `path`, and ends every session of every account.
#[napi(
    catch_unwind,
    ts_args_type = "path: string, evenIfWhole: boolean, now: number, secret?: object",
    ts_return_type = "Promise<string>"
)]
pub fn recover_store(
    env: Env,
    path: String,
    even_if_whole: bool,
    now: f64,
    secret: Option<&External<NativeSecret>>,
) -> Result<Reply> {
    let secret = arguments::secret(env, secret)?;
    on_long_worker(env, move || {
        let settings = store::Settings::new(path.into());
        let ended = recovery::recover(&settings, even_if_whole, now, secret.as_ref())?;
        Ok(json_answer(&describe_ended(ended)))
    })
}

/// Ends every session of every account in the database at `url`, also in quarantine.
#[napi(
    catch_unwind,
    ts_args_type = "url: string, commitSeconds: number, isExternal: boolean, now: number, secret?: object",
    ts_return_type = "Promise<string>"
)]
pub fn recover_database(
    env: Env,
    url: String,
    commit_seconds: u32,
    is_external: bool,
    now: f64,
    secret: Option<&External<NativeSecret>>,
) -> Result<Reply> {
    let secret = arguments::secret(env, secret)?;
    let settings = DatabaseSettings {
        url,
        cache_bytes: 1 << 20,
        creates: false,
        purpose: Purpose::Recovery,
        commit_limit: Duration::from_secs(commit_seconds.into()),
        is_durable_by_itself: is_external,
    };
    on_long_worker(env, move || {
        let ended = recovery::recover_database(&settings, now, secret.as_ref())?;
        Ok(json_answer(&describe_ended(ended)))
    })
}

/// Replaces the store in the folder `path` by the backup in the folder `from`.
#[napi(
    catch_unwind,
    ts_args_type = "from: string, path: string, keepSessions: boolean, now: number, secret?: object",
    ts_return_type = "Promise<string>"
)]
pub fn restore_store(
    env: Env,
    from: String,
    path: String,
    keeps_sessions: bool,
    now: f64,
    secret: Option<&External<NativeSecret>>,
) -> Result<Reply> {
    let secret = arguments::secret(env, secret)?;
    on_long_worker(env, move || {
        let (restored, ended) = recovery::restore(
            &PathBuf::from(from),
            &store::Settings::new(path.into()),
            keeps_sessions,
            now,
            secret.as_ref(),
            &set_progress,
        )?;
        Ok(json_answer(&json!({
            "backup": describe(&restored.report),
            "diskBytes": restored.disk_bytes,
            "replaced": restored.replaced.as_ref().map(|(path, _)| path.display().to_string()),
            "replacedBytes": restored.replaced.as_ref().map_or(0, |(_, bytes)| *bytes),
            "ended": ended.map(describe_ended),
        })))
    })
}

/// Rewrites the store in the folder `path` into a new one, because its files never shrink.
#[napi(catch_unwind, ts_return_type = "Promise<string>")]
pub fn compact_store(env: Env, path: String) -> Result<Reply> {
    on_long_worker(env, move || {
        let Compacted { before, after } =
            store::compact(&store::Settings::new(path.into()), &set_progress)?;
        Ok(json_answer(&json!({ "before": before, "after": after })))
    })
}

/// Repairs the store in the folder `path` where that needs no guessing, and reads all of it. Returns JSON that says
/// what was repaired and what is still damaged.
#[napi(
    catch_unwind,
    ts_args_type = "path: string, secret?: object",
    ts_return_type = "Promise<string>"
)]
pub fn repair_store(
    env: Env,
    path: String,
    secret: Option<&External<NativeSecret>>,
) -> Result<Reply> {
    let secret = arguments::secret(env, secret)?;
    on_long_worker(env, move || {
        let done = maintenance::repair(
            &store::Settings::new(path.into()),
            secret.as_ref(),
            &set_progress,
        )?;
        let repaired = [&*done.rebuilt.described, &done.tidied.removed.described].concat();
        Ok(json_answer(&json!({
            "repairs": done.number(),
            "repaired": repaired,
            "unreadable": done.tidied.unreadable,
            "left": describe(&done.left),
        })))
    })
}

#[napi]
impl NativeStore {
    /// Takes over the share of `other`, which must not be used any more. For a store that was closed and opened again.
    #[napi(catch_unwind)]
    pub fn adopt(&self, other: &NativeStore) {
        let lease = other.lease.borrow_mut().take();
        // The number belonged to the store that was closed. From now on calls use the share itself.
        handle::unregister(other.number);
        // Drops the previous share outside of the borrow.
        let _before = self.lease.replace(lease);
    }

    /// Reads everything. Nothing else in the process may have the store open, and nothing may be written meanwhile.
    #[napi(catch_unwind, ts_return_type = "Promise<string>")]
    pub fn verify(&self, env: Env) -> Result<Reply> {
        let path = PathBuf::from(self.path());
        let store = self.reader().map_err(|error| errors::throw(env, &error))?;
        on_long_worker(env, move || {
            maintenance::verify(&store, &path, &set_progress)
                .map(|report| json_answer(&describe(&report)))
        })
    }

    /// Copies the store, as it is at one moment, into the empty folder `folder`, and reads the copy.
    #[napi(catch_unwind, ts_return_type = "Promise<string>")]
    pub fn backup(&self, env: Env, folder: String) -> Result<Reply> {
        let store = self.reader().map_err(|error| errors::throw(env, &error))?;
        on_long_worker(env, move || {
            maintenance::backup(&store, Path::new(&folder), &set_progress)
                .map(|report| json_answer(&describe(&report)))
        })
    }
}

#[napi]
impl NativeStore {
    /// Looks at some records behind `after`, and removes the sessions that had ended at `before`, in seconds. Only
    /// counts them if `dryRun` is set. Returns JSON that says what was done; `next` is where to continue, null at the
    /// end.
    #[napi(
        catch_unwind,
        ts_args_type = "after: string | undefined | null, now: number, before: number, dryRun: boolean, secret?: object",
        ts_return_type = "Promise<string>"
    )]
    pub fn purge(
        &self,
        env: Env,
        after: Option<String>,
        now: f64,
        before: f64,
        is_dry: bool,
        secret: Option<&External<NativeSecret>>,
    ) -> Result<Reply> {
        let store = self.reader().map_err(|error| errors::throw(env, &error))?;
        let secret = arguments::secret(env, secret)?;
        let purge = Purge { now, before, is_dry, secret };
        on_long_worker(env, move || {
            let after = after.as_deref().and_then(key_of_hex);
            let so_far = after.as_ref().map_or(0, |_| PROGRESS.load(Ordering::Relaxed));
            let (next, purged) = purge.page(&store, after.as_ref())?;
            set_progress(so_far + purged.sessions);
            Ok(json_answer(&json!({
                "next": next.map(|key| to_hex(key.encoded())),
                "sessions": purged.sessions,
                "removed": purged.removed,
                "unreadable": purged.unreadable,
                "others": purged.others,
                "damaged": purged.damaged.number,
                "described": purged.damaged.described,
            })))
        })
    }
}

#[napi]
impl NativeStore {
    /// Returns statistics that are known without reading the store, as JSON.
    #[napi(catch_unwind, ts_return_type = "Promise<string>")]
    pub fn stats(&self, env: Env) -> Result<Reply> {
        let store = self.reader().map_err(|error| errors::throw(env, &error))?;
        on_worker(env, move || Ok(json_answer(&describe_stats(&store.stats()?))))
    }

    /// Removes the stores that restores have replaced. Returns their names and sizes in bytes as JSON.
    #[napi(catch_unwind, ts_return_type = "Promise<string>")]
    pub fn remove_replaced(&self, env: Env) -> Result<Reply> {
        let path = PathBuf::from(self.path());
        // The share keeps the folder locked.
        let store = self.store().map_err(|error| errors::throw(env, &error))?;
        on_long_worker(env, move || {
            let (paths, bytes) = store.remove_replaced(&path)?;
            drop(store);
            let removed: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
            Ok(json_answer(&json!({ "removed": removed, "bytes": bytes })))
        })
    }

    /// Returns the contents of the store by application and kind, as JSON.
    #[napi(catch_unwind, ts_return_type = "Promise<string>")]
    pub fn usage(&self, env: Env) -> Result<Reply> {
        let store = self.reader().map_err(|error| errors::throw(env, &error))?;
        on_long_worker(env, move || {
            let usage = usage(&store, &set_progress)?;
            let kinds = usage.kinds.iter().map(|((appid, kind), records)| {
                json!({ "appid": appid, "kind": kind, "records": records.count, "bytes": records.bytes })
            });
            Ok(json_answer(&json!({
                "records": usage.records.count,
                "bytes": usage.records.bytes,
                "lists": usage.lists,
                "items": usage.items,
                "damaged": usage.damaged.number,
                "described": usage.damaged.described,
                "kinds": kinds.collect::<Vec<_>>(),
            })))
        })
    }
}

fn describe_stats(stats: &Stats) -> Value {
    let describe = |milliseconds: Option<[f64; 4]>| {
        let [p50, p90, p99, max] = milliseconds.map_or([None; 4], |all| all.map(Some));
        json!({ "p50": p50, "p90": p90, "p99": p99, "max": max })
    };
    json!({
        "openSeconds": stats.open_seconds,
        "waiting": stats.waiting,
        "commits": {
            "total": stats.commits.total,
            "perSecond": stats.commits.per_second,
            "milliseconds": describe(stats.commits.milliseconds),
            "recentMilliseconds": describe(stats.commits.recent_milliseconds),
            "staleWrites": stats.commits.stale_writes,
        },
        "cache": {
            "hits": stats.cache_hits,
            "misses": stats.cache_misses,
            "hitRate": stats.hit_rate(),
            "bytes": stats.cache_bytes,
        },
        "diskBytes": stats.disk_bytes,
        "replacedBytes": stats.replaced_bytes,
    })
}

fn set_progress(bytes: u64) {
    PROGRESS.store(bytes, Ordering::Relaxed);
}

pub fn json_answer(value: &Value) -> Answer {
    Answer::Json(value.to_string())
}

fn describe(report: &Report) -> Value {
    json!({
        "records": report.records,
        "lists": report.lists,
        "items": report.items,
        "bytes": report.bytes,
        "problems": report.problems.number,
        "described": report.problems.described,
    })
}

pub fn describe_ended(ended: Ended) -> Value {
    json!({ "accounts": ended.accounts, "others": ended.others })
}
