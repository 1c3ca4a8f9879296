//! Reads everything in a store, a page at a time. `lib` asks for one page after the other.

use super::answer::Answer;
use super::arguments::list;
use super::errors;
use super::handle::NativeStore;
use super::hex_key::key_of_hex;
use super::js_string::JsString;
use super::reply::{on_long_worker, Reply};
use crate::service::RECORDS_PER_PAGE;
use napi::{Env, Result};
use napi_derive::napi;

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
            store.records_after(after.as_ref(), RECORDS_PER_PAGE, |_| true).map(Answer::Records)
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
}
