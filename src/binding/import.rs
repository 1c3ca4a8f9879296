//! Brings records and lists from elsewhere into a store.

use super::answer::Answer;
use super::arguments::{self, item, list, record};
use super::errors;
use super::handle::NativeStore;
use super::js_string::JsString;
use super::maintenance::{describe_ended, json_answer};
use super::reply::{on_long_worker, Reply};
use super::secret::NativeSecret;
use crate::service::import::{self, Batch};
use crate::service::recovery;
use crate::store::{Contents, Findings, ListPath, Record};
use napi::bindgen_prelude::{External, Uint8Array};
use napi::{Env, Result};
use napi_derive::napi;
use serde_json::json;

#[napi]
impl NativeStore {
    /// Writes `contents[n]` to `records[n]` as far as that undoes no security change, and adds `items[n]`, oldest
    /// first, to the list `lists[n]`: all of it or nothing. The secret is Dashboard's, for the records that are already
    /// stored. Returns JSON with the number of records that were kept in whole or in part, and the names of the first
    /// ones.
    #[napi(
        catch_unwind,
        ts_args_type = "records: string[], contents: Uint8Array[], lists: string[], items: string[][], secret?: object",
        ts_return_type = "Promise<string>"
    )]
    pub fn load(
        &self,
        env: Env,
        records: Vec<JsString>,
        contents: Vec<Uint8Array>,
        lists: Vec<JsString>,
        items: Vec<Vec<JsString>>,
        secret: Option<&External<NativeSecret>>,
    ) -> Result<Reply> {
        let secret = arguments::secret(env, secret)?;
        let batch = batch(env, records, contents, lists, items)?;
        self.begin_change(env, |store, resolver| {
            import::load(store, batch, secret.as_ref(), |kept| {
                resolver.settle(kept.map(|kept| describe_kept(&kept)));
            });
        })
    }

    /// Begins an import. Until [`NativeStore::finish_import`], no other process can open a store in a database.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn begin_import(&self, env: Env) -> Result<Reply> {
        let store = self.reader().map_err(|error| errors::throw(env, &error))?;
        on_long_worker(env, move || store.begin_import().map(|()| Answer::Undefined))
    }

    /// Ends an import that is complete.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn finish_import(&self, env: Env) -> Result<Reply> {
        let store = self.reader().map_err(|error| errors::throw(env, &error))?;
        on_long_worker(env, move || store.finish_import().map(|()| Answer::Undefined))
    }

    /// Returns which of `records[n]` [`NativeStore::load`] would keep in whole or in part. Changes nothing.
    #[napi(
        catch_unwind,
        ts_args_type = "records: string[], contents: Uint8Array[], secret?: object",
        ts_return_type = "Promise<string>"
    )]
    pub fn would_keep(
        &self,
        env: Env,
        records: Vec<JsString>,
        contents: Vec<Uint8Array>,
        secret: Option<&External<NativeSecret>>,
    ) -> Result<Reply> {
        let secret = arguments::secret(env, secret)?;
        let records = imported(env, records, contents)?;
        let store = self.reader().map_err(|error| errors::throw(env, &error))?;
        on_long_worker(env, move || {
            import::would_keep(&store, records, secret.as_ref()).map(|kept| describe_kept(&kept))
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
        let batch = batch(env, records, contents, lists, items)?;
        self.begin_change(env, |store, resolver| {
            import::overwrite(store, batch, |result| {
                resolver.settle(result.map(|()| Answer::Undefined));
            });
        })
    }

    /// Ends every session of every account at `now` in seconds. Nothing else may change the store meanwhile.
    #[napi(
        catch_unwind,
        ts_args_type = "now: number, secret?: object",
        ts_return_type = "Promise<string>"
    )]
    pub fn end_sessions(
        &self,
        env: Env,
        now: f64,
        secret: Option<&External<NativeSecret>>,
    ) -> Result<Reply> {
        let secret = arguments::secret(env, secret)?;
        let store = self.reader().map_err(|error| errors::throw(env, &error))?;
        on_long_worker(env, move || {
            let ended = recovery::end_and_release(&store, now, secret.as_ref())?;
            Ok(json_answer(&describe_ended(ended)))
        })
    }
}

/// Returns the contents to write to each of `records`.
fn imported(
    env: Env,
    records: Vec<JsString>,
    contents: Vec<Uint8Array>,
) -> Result<Vec<(Record, Contents)>> {
    let each = records.into_iter().zip(contents);
    each.map(|(name, bytes)| {
        let record = record(env, name)?;
        let contents = arguments::contents(env, import::MAX_BYTES, &*bytes, "invalid-contents")?;
        Ok((record, contents))
    })
    .collect()
}

/// Returns `contents[n]` with `records[n]`, and each of `items[n]` with the list `lists[n]`.
fn batch(
    env: Env,
    records: Vec<JsString>,
    contents: Vec<Uint8Array>,
    lists: Vec<JsString>,
    items: Vec<Vec<JsString>>,
) -> Result<Batch> {
    let records = imported(env, records, contents)?;
    let mut listed: Vec<(ListPath, Vec<u8>)> = Vec::new();
    for (path, items) in lists.into_iter().zip(items) {
        let path = list(env, path)?;
        for added in items {
            listed.push((path.clone(), item(env, added)?));
        }
    }
    Ok(Batch { records, items: listed })
}

fn describe_kept(kept: &Findings) -> Answer {
    json_answer(&json!({ "kept": kept.number, "described": kept.described }))
}
