//! Parses arguments from JavaScript. An invalid one is thrown with Dashboard's slug.

use super::errors;
use super::js_string::JsString;
use crate::record::cipher::Secret;
use crate::store::{Contents, ListPath, Record, StoreError};
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

/// Returns Dashboard's encryption secret, if it has one. Fails if Dashboard's cipher would refuse it.
pub fn secret(
    key: Option<JsString>,
    iv: Option<JsString>,
) -> std::result::Result<Option<Secret>, StoreError> {
    let Some(key) = key else {
        return Ok(None);
    };
    let bytes = |name: JsString| name.bytes("").map_err(|_| StoreError::InvalidSecret);
    let iv = iv.map(bytes).transpose()?.unwrap_or_default();
    Secret::new(&bytes(key)?, &iv).map(Some).ok_or(StoreError::InvalidSecret)
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
