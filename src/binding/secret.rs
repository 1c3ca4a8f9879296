//! Dashboard's secret as calls take it. It is made once and passed with each call, because reading two strings takes
//! longer. V8 frees it when JavaScript has dropped it.

use super::js_string::JsString;
use crate::record::cipher::Secret;
use crate::store::StoreError;
use napi::bindgen_prelude::External;
use napi_derive::napi;

/// Dashboard's `ENCRYPTION_SECRET` with its IV, or `None` if Dashboard's cipher would refuse them.
pub struct NativeSecret(Option<Secret>);

/// Returns Dashboard's `ENCRYPTION_SECRET` with its IV as one value, which is the argument `secret` of other calls. That
/// argument is undefined without encryption. If the secret is invalid, only the calls that need it fail.
#[napi(catch_unwind, ts_args_type = "secret: string, iv?: string", ts_return_type = "object")]
#[must_use]
pub fn make_secret(key: JsString, iv: Option<JsString>) -> External<NativeSecret> {
    // One that is too long for a name is too long for the cipher as well, and an empty one is too short.
    let bytes = |text: JsString| text.bytes("").unwrap_or_default();
    External::new(NativeSecret(Secret::new(&bytes(key), &iv.map(bytes).unwrap_or_default())))
}

/// Returns the text of a stored record, decrypted as Dashboard does it. Under an invalid secret it is returned unchanged.
#[napi(catch_unwind, ts_args_type = "text: string, secret: object")]
#[must_use]
pub fn decrypt(text: String, secret: &External<NativeSecret>) -> String {
    match &secret.0 {
        Some(secret) => secret.decrypt(text.as_bytes()),
        None => text,
    }
}

/// Returns the secret of a call, if it has one. Fails if Dashboard's cipher would refuse it.
pub fn get(secret: Option<&External<NativeSecret>>) -> Result<Option<Secret>, StoreError> {
    secret.map(|secret| secret.0.clone().ok_or(StoreError::InvalidSecret)).transpose()
}
