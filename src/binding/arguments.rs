//! Parses arguments from JavaScript. An invalid one is thrown with Dashboard's slug.

use super::errors;
use super::js_string::JsString;
use super::secret::{self, NativeSecret};
use crate::record::cipher::Secret;
use crate::store::{Contents, ListPath, Record, StoreError};
use napi::bindgen_prelude::External;
use napi::{Env, Result};

const FILE: &str = "invalid-file";
const PATH: &str = "invalid-path";
const ITEM: &str = "invalid-itemid";

/// Returns the record at `file`.
pub fn record(env: Env, file: JsString) -> Result<Record> {
    let name = file.bytes(FILE).map_err(|error| errors::throw(env, &error))?;
    Ok(Record::new(&name))
}

/// Returns the bytes to write to a record. Fails if they are more than `limit`.
pub fn contents(
    env: Env,
    limit: usize,
    bytes: impl AsRef<[u8]> + Into<Contents>,
    slug: &'static str,
) -> Result<Contents> {
    let found = bytes.as_ref().len();
    if found > limit {
        return Err(errors::throw(env, &StoreError::TooLarge { slug, found, limit }));
    }
    Ok(bytes.into())
}

/// Returns Dashboard's secret, if it has one.
pub fn secret(env: Env, secret: Option<&External<NativeSecret>>) -> Result<Option<Secret>> {
    secret::get(secret).map_err(|error| errors::throw(env, &error))
}

/// Returns the list at `path`.
pub fn list(env: Env, path: JsString) -> Result<ListPath> {
    let path = path.bytes(PATH).map_err(|error| errors::throw(env, &error))?;
    Ok(ListPath::new(&path))
}

/// Returns the item `itemid`.
pub fn item(env: Env, itemid: JsString) -> Result<Vec<u8>> {
    itemid.bytes(ITEM).map_err(|error| errors::throw(env, &error))
}
