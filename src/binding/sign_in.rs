//! Dashboard's sign-in as JavaScript sees it: everything that it changes, as one change.

#![expect(clippy::too_many_arguments, reason = "an object would be read property by property")]

use super::arguments::{self, contents, item, list, record};
use super::handle::NativeStore;
use super::js_string::JsString;
use super::reply::Reply;
use super::secret::NativeSecret;
use crate::record::properties::Edit;
use crate::service::edit_record;
use crate::store::Change;
use napi::bindgen_prelude::External;
use napi::{Env, Result};
use napi_derive::napi;

#[napi]
impl NativeStore {
    /// Sets the properties of the JSON object `set` in the record `account`, writes `texts[n]` to the record `files[n]`,
    /// and adds `items[n]` to the list at `paths[n]`, in this order: all of it or nothing.
    #[napi(
        catch_unwind,
        ts_args_type = "account: string, set: string, files: string[], texts: string[], paths: string[], items: string[], secret?: object",
        ts_return_type = "Promise<void>"
    )]
    pub fn sign_in(
        &self,
        env: Env,
        account: JsString,
        set: String,
        files: Vec<JsString>,
        texts: Vec<String>,
        paths: Vec<JsString>,
        items: Vec<JsString>,
        secret: Option<&External<NativeSecret>>,
    ) -> Result<Reply> {
        let secret = arguments::secret(env, secret)?;
        let account = record(env, account)?;
        let edit = Edit { set, remove: Vec::new() };
        let mut changes = vec![edit_record::change(account, edit, true, secret.clone())];
        for (file, text) in files.into_iter().zip(texts) {
            let record = record(env, file)?;
            let limit = record.most_bytes();
            let contents = contents(env, limit, text.into_bytes(), "invalid-contents")?;
            changes.push(Change::Write { record, contents, secret: secret.clone() });
        }
        for (path, added) in paths.into_iter().zip(items) {
            changes.push(Change::ListAdd { path: list(env, path)?, item: item(env, added)? });
        }
        self.change(env, changes)
    }
}
