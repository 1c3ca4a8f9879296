//! Everything in a store out and in, a page at a time: `src/facade` makes the pages follow each other.

use super::answer::Answer;
use super::arguments::{self, item, list, record};
use super::errors;
use super::maintenance::key_of_hex;
use super::name::Name;
use super::reply::{on_long_worker, Reply};
use super::storage::NativeStore;
use crate::store::{Change, Record};
use napi::bindgen_prelude::Uint8Array;
use napi::{Env, Result};
use napi_derive::napi;

/// So many records are read at a time.
const PAGE: usize = 500;

#[napi]
impl NativeStore {
    /// Some records behind `after`, the `next` of the page before, which is undefined at the end.
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

    /// Some parts of lists behind the item at `last` of the list `path`, oldest items first.
    #[napi(
        catch_unwind,
        ts_args_type = "path?: string, last?: number",
        ts_return_type = "Promise<{ parts: Array<{ list: string, items: string[], last: number }>, damaged: { number: number, described: string[] }, isEnd: boolean }>"
    )]
    pub fn parts(&self, env: Env, path: Option<Name>, last: Option<f64>) -> Result<Reply> {
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

    /// Writes `contents[n]` at `records[n]`, whatever stands there, and adds `items[n]`, oldest first, to the list
    /// `lists[n]`: all of it or nothing.
    #[napi(
        catch_unwind,
        ts_args_type = "records: string[], contents: Uint8Array[], lists: string[], items: string[][]",
        ts_return_type = "Promise<void>"
    )]
    pub fn load(
        &self,
        env: Env,
        records: Vec<Name>,
        contents: Vec<Uint8Array>,
        lists: Vec<Name>,
        items: Vec<Vec<Name>>,
    ) -> Result<Reply> {
        let mut changes = Vec::new();
        for (name, bytes) in records.into_iter().zip(contents) {
            // Without a kind the rule about stale writes asks nothing, what it remembered goes, and an account that is too
            // large for it comes over all the same.
            let record = Record { kind: None, ..record(env, name)? };
            let contents = arguments::contents(env, &record, &*bytes, "invalid-contents")?;
            changes.push(Change::Write { record, contents, secret: None });
        }
        for (path, items) in lists.into_iter().zip(items) {
            let path = list(env, path)?;
            for added in items {
                changes.push(Change::Add { path: path.clone(), item: item(env, added)? });
            }
        }
        self.change(env, changes)
    }
}
