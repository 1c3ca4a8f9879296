//! Dashboard's `StorageObject` as JavaScript sees it: properties of a record, set and removed as one change.

use super::arguments::{self, record};
use super::handle::NativeStore;
use super::js_string::JsString;
use super::reply::Reply;
use super::secret::NativeSecret;
use crate::record::properties::Edit;
use crate::service::edit_record;
use napi::bindgen_prelude::External;
use napi::{Env, Result};
use napi_derive::napi;

#[napi]
impl NativeStore {
    /// Sets the properties of the JSON object `set` in a record, and removes the properties named in `remove` (each a
    /// JSON string), as one change. `attribution` as in [`Self::write`]. If there is no record, it is created when `create` is true, else nothing happens.
    #[napi(
        catch_unwind,
        ts_args_type = "file: string, set: string, remove: string[], create: boolean, secret?: object, attribution?: string",
        ts_return_type = "Promise<void>"
    )]
    pub fn edit(
        &self,
        env: Env,
        file: JsString,
        set: String,
        remove: Vec<String>,
        create: bool,
        secret: Option<&External<NativeSecret>>,
        attribution: Option<String>,
    ) -> Result<Reply> {
        let record = record(env, file)?;
        let secret = arguments::secret(env, secret)?;
        let change = edit_record::change(record, Edit { set, remove }, create, secret.clone());
        self.change(env, vec![change.attributed(attribution.map(Into::into), secret)])
    }
}
