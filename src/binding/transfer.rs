//! Reads and loads everything in a store, a page at a time. `lib` asks for one page after the other.

use super::answer::Answer;
use super::arguments::{self, item, list, record, secret};
use super::errors;
use super::handle::NativeStore;
use super::hex_key::key_of_hex;
use super::js_string::JsString;
use super::maintenance::{describe_ended, json_answer};
use super::promise;
use super::reply::{on_long_worker, Reply};
use crate::service::new_session_key;
use crate::service::recovery;
use crate::store::{self, Change, Contents, Findings, Record};
use napi::bindgen_prelude::Uint8Array;
use napi::{Env, Result};
use napi_derive::napi;
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};

/// Number of records per page.
const PAGE: usize = 500;

#[napi]
impl NativeStore {
    /// Returns a page of records behind `after`, which is the `next` of the page before. `next` is undefined at the
    /// end.
    #[napi(
        catch_unwind,
        ts_args_type = "after?: string",
        ts_return_type = "Promise<{ records: Array<{ record: string, contents: Buffer }>, damaged: { number: number, described: string[] }, next?: string }>"
    )]
    pub fn records(&self, env: Env, after: Option<String>) -> Result<Reply> {
        let store = self.reader().map_err(|error| errors::throw(env, &error))?;
        on_long_worker(env, move || {
            let after = after.as_deref().and_then(key_of_hex);
            store.records_after(after.as_ref(), PAGE, |_| true).map(Answer::Records)
        })
    }

    /// Returns a page of parts of lists, oldest items first, behind the item at `last` of the list `path`.
    #[napi(
        catch_unwind,
        ts_args_type = "path?: string, last?: number",
        ts_return_type = "Promise<{ parts: Array<{ list: string, items: string[], last: number }>, damaged: { number: number, described: string[] }, isEnd: boolean }>"
    )]
    pub fn parts(&self, env: Env, path: Option<JsString>, last: Option<f64>) -> Result<Reply> {
        let store = self.reader().map_err(|error| errors::throw(env, &error))?;
        let path = path.map(|path| list(env, path)).transpose()?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it comes from the page before, and the cast saturates"
        )]
        let last = last.unwrap_or_default() as u64;
        on_long_worker(env, move || {
            store.parts_after(path.as_ref().map(|path| (path, last))).map(Answer::Parts)
        })
    }

    /// Writes `contents[n]` to `records[n]` as far as that undoes no security change, and adds `items[n]`, oldest
    /// first, to the list `lists[n]`: all of it or nothing. The secret is Dashboard's, for the records that are already
    /// stored. Returns JSON with the number of records that were kept in whole or in part, and the names of the first
    /// ones.
    #[napi(
        catch_unwind,
        ts_args_type = "records: string[], contents: Uint8Array[], lists: string[], items: string[][], secret?: string, iv?: string",
        ts_return_type = "Promise<string>"
    )]
    pub fn load(
        &self,
        env: Env,
        records: Vec<JsString>,
        contents: Vec<Uint8Array>,
        lists: Vec<JsString>,
        items: Vec<Vec<JsString>>,
        key: Option<JsString>,
        iv: Option<JsString>,
    ) -> Result<Reply> {
        let secret = secret(key, iv).map_err(|error| errors::throw(env, &error))?;
        let kept = Arc::new(Mutex::new(Findings::default()));
        let mut changes = Vec::new();
        for (record, contents) in imported(env, records, contents)? {
            let (secret, kept) = (secret.clone(), Arc::clone(&kept));
            changes.push(match record.kind {
                Some(_) => Change::Import { record, contents, secret, kept },
                None => Change::Write { record, contents, secret: None },
            });
        }
        add_all(env, lists, items, &mut changes)?;
        let store = self.store().map_err(|error| errors::throw(env, &error))?;
        let (promise, resolver) = promise::open(env)?;
        let done = Box::new(move |result: store::Result<()>| {
            resolver.settle(result.map(|()| describe_kept(&kept)));
        });
        store.submit(changes, done);
        Ok(Reply::Later(promise))
    }

    /// Returns which of `records[n]` [`NativeStore::load`] would keep in whole or in part. Changes nothing.
    #[napi(
        catch_unwind,
        ts_args_type = "records: string[], contents: Uint8Array[], secret?: string, iv?: string",
        ts_return_type = "Promise<string>"
    )]
    pub fn would_keep(
        &self,
        env: Env,
        records: Vec<JsString>,
        contents: Vec<Uint8Array>,
        key: Option<JsString>,
        iv: Option<JsString>,
    ) -> Result<Reply> {
        let secret = secret(key, iv).map_err(|error| errors::throw(env, &error))?;
        let imported = imported(env, records, contents)?;
        let store = self.reader().map_err(|error| errors::throw(env, &error))?;
        on_long_worker(env, move || {
            let mut kept = Findings::default();
            for (record, contents) in imported {
                if store.would_keep(&record, contents, secret.as_ref())? {
                    kept.tell(record.key.display());
                }
            }
            Ok(describe_kept(&Mutex::new(kept)))
        })
    }

    /// Writes `contents[n]` to `records[n]` whatever is stored there, and adds `items[n]` to the list `lists[n]` as
    /// [`NativeStore::load`] does. Call [`NativeStore::end_sessions`] afterwards: until every session has been ended,
    /// the store cannot be opened again.
    #[napi(
        catch_unwind,
        ts_args_type = "records: string[], contents: Uint8Array[], lists: string[], items: string[][]",
        ts_return_type = "Promise<void>"
    )]
    pub fn overwrite(
        &self,
        env: Env,
        records: Vec<JsString>,
        contents: Vec<Uint8Array>,
        lists: Vec<JsString>,
        items: Vec<Vec<JsString>>,
    ) -> Result<Reply> {
        let mut changes = vec![Change::Quarantine];
        for (record, contents) in imported(env, records, contents)? {
            // Without a kind the rule about stale writes does not apply, and its fingerprints are removed.
            let record = Record { kind: None, ..record };
            changes.push(Change::Write { record, contents, secret: None });
        }
        add_all(env, lists, items, &mut changes)?;
        self.change(env, changes)
    }

    /// Ends every session of every account at `now` in seconds. Nothing else may change the store meanwhile.
    #[napi(
        catch_unwind,
        ts_args_type = "now: number, secret?: string, iv?: string",
        ts_return_type = "Promise<string>"
    )]
    pub fn end_sessions(
        &self,
        env: Env,
        now: f64,
        key: Option<JsString>,
        iv: Option<JsString>,
    ) -> Result<Reply> {
        let secret = secret(key, iv).map_err(|error| errors::throw(env, &error))?;
        let store = self.reader().map_err(|error| errors::throw(env, &error))?;
        on_long_worker(env, move || {
            let ended = recovery::end_and_release(&store, now, secret.as_ref(), new_session_key)?;
            Ok(json_answer(&describe_ended(ended)))
        })
    }
}

/// Returns the contents to write to each of `records`. An account over the size limit of its rule is imported as well.
fn imported(
    env: Env,
    records: Vec<JsString>,
    contents: Vec<Uint8Array>,
) -> Result<Vec<(Record, Contents)>> {
    let each = records.into_iter().zip(contents);
    each.map(|(name, bytes)| {
        let record = record(env, name)?;
        let limits = Record { kind: None, ..record.clone() };
        let contents = arguments::contents(env, &limits, &*bytes, "invalid-contents")?;
        Ok((record, contents))
    })
    .collect()
}

fn add_all(
    env: Env,
    lists: Vec<JsString>,
    items: Vec<Vec<JsString>>,
    changes: &mut Vec<Change>,
) -> Result<()> {
    for (path, items) in lists.into_iter().zip(items) {
        let path = list(env, path)?;
        for added in items {
            changes.push(Change::ListAdd { path: path.clone(), item: item(env, added)? });
        }
    }
    Ok(())
}

fn describe_kept(kept: &Mutex<Findings>) -> Answer {
    let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    json_answer(&json!({ "kept": kept.number, "described": kept.described }))
}
