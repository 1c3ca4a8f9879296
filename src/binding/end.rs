//! Ends of sessions by choice, and the records about them, as JavaScript sees them.

#![expect(clippy::too_many_arguments, reason = "an object would be read property by property")]

use super::answer::Answer;
use super::arguments::{self, record};
use super::errors;
use super::handle::NativeStore;
use super::js_string::JsString;
use super::maintenance::json_answer;
use super::reply::{on_long_worker, Reply};
use super::secret::NativeSecret;
use crate::record::cipher::Secret;
use crate::service::end_chosen::{Chosen, End};
use crate::service::own_records;
use crate::store::{self, Store, StoreError};
use napi::bindgen_prelude::External;
use napi::{Env, Result};
use napi_derive::napi;
use serde::Serialize;
use serde_json::json;

#[napi]
impl NativeStore {
    /// Ends the sessions `sessionids`, all sessions of the accounts `accountids`, and all sessions of the application
    /// that were created before `before`, at `now`, both in seconds, as one change. `attribution` is a JSON object that
    /// says who asked for it. If `receipt` is given, the record of this name is created with `receiptText` in the same
    /// commit; if there is one, nothing happens, and the error is `receipt-exists`. Returns a JSON array of one flag
    /// for each session and then for each account: whether this has ended it.
    #[napi(
        catch_unwind,
        ts_args_type = "appid: string, sessionids: string[], accountids: string[], before: number | undefined, now: number, attribution: string, receipt?: string, receiptText?: string, secret?: object",
        ts_return_type = "Promise<string>"
    )]
    pub fn end(
        &self,
        env: Env,
        appid: JsString,
        sessionids: Vec<JsString>,
        accountids: Vec<JsString>,
        before: Option<f64>,
        now: f64,
        attribution: String,
        receipt: Option<JsString>,
        receipt_text: Option<String>,
        secret: Option<&External<NativeSecret>>,
    ) -> Result<Reply> {
        let ids = |ids: Vec<JsString>, slug| {
            ids.into_iter().map(|id| id.bytes(slug)).collect::<store::Result<Vec<_>>>()
        };
        let throw = |error: StoreError| errors::throw(env, &error);
        let end = End {
            appid: appid.bytes("invalid-appid").map_err(throw)?,
            chosen: Chosen {
                sessions: ids(sessionids, "invalid-sessionid").map_err(throw)?,
                accounts: ids(accountids, "invalid-accountid").map_err(throw)?,
                before,
            },
            now,
            attribution: attribution.into(),
            receipt: match receipt {
                Some(name) => Some((record(env, name)?, receipt_text.unwrap_or_default())),
                None => None,
            },
            secret: arguments::secret(env, secret)?,
        };
        self.begin_change(env, |store, resolver| {
            end.begin(store, |flags| {
                resolver.settle(flags.map(|flags| Answer::Json(format!("{flags:?}"))));
            });
        })
    }

    /// Writes `texts[n]` to the record `files[n]`, or removes the record if the text is empty, if each record `guards[n]`
    /// has the text `expected[n]`, or does not exist and that is undefined. Otherwise nothing happens, and the error is
    /// `record-changed`.
    #[napi(
        catch_unwind,
        ts_args_type = "guards: string[], expected: Array<string | undefined>, files: string[], texts: string[], secret?: object",
        ts_return_type = "Promise<void>"
    )]
    pub fn replace(
        &self,
        env: Env,
        guards: Vec<JsString>,
        expected: Vec<Option<String>>,
        files: Vec<JsString>,
        texts: Vec<String>,
        secret: Option<&External<NativeSecret>>,
    ) -> Result<Reply> {
        let secret = arguments::secret(env, secret)?;
        let as_expected = |(file, text): (JsString, Option<String>)| Ok((record(env, file)?, text));
        let guards = guards.into_iter().zip(expected).map(as_expected).collect::<Result<_>>()?;
        let with_text = |(file, text): (JsString, String)| {
            Ok((record(env, file)?, Some(text).filter(|text| !text.is_empty())))
        };
        let records = files.into_iter().zip(texts).map(with_text).collect::<Result<_>>()?;
        self.change(env, own_records::changes(guards, records, secret.as_ref()))
    }

    /// Returns the oldest records with new entries about sessions that ended, as a JSON array of names and the texts of
    /// their entries.
    #[napi(catch_unwind, ts_args_type = "secret?: object", ts_return_type = "Promise<string>")]
    pub fn new_entries(&self, env: Env, secret: Option<&External<NativeSecret>>) -> Result<Reply> {
        self.read_json(env, secret, own_records::new_entries)
    }

    /// Returns a page of the receipts of ends, after the name `after`, as a JSON array of names and texts.
    #[napi(
        catch_unwind,
        ts_args_type = "after?: string, secret?: object",
        ts_return_type = "Promise<string>"
    )]
    pub fn receipts(
        &self,
        env: Env,
        after: Option<String>,
        secret: Option<&External<NativeSecret>>,
    ) -> Result<Reply> {
        self.read_json(env, secret, move |store, secret| {
            own_records::receipts(store, after.as_deref(), secret)
        })
    }
}

impl NativeStore {
    /// Answers with what `read` returns, as JSON.
    fn read_json<T: Serialize>(
        &self,
        env: Env,
        secret: Option<&External<NativeSecret>>,
        read: impl FnOnce(&Store, Option<&Secret>) -> store::Result<T> + Send + 'static,
    ) -> Result<Reply> {
        let secret = arguments::secret(env, secret)?;
        let store = self.reader().map_err(|error| errors::throw(env, &error))?;
        on_long_worker(env, move || Ok(json_answer(&json!(read(&store, secret.as_ref())?))))
    }
}
