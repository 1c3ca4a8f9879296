//! Names that come from JavaScript: keys, list paths, items.

use crate::store::{wtf8, StoreError, MAX_NAME_BYTES};
use napi::bindgen_prelude::{FromNapiValue, TypeName, ValidateNapiValue};
use napi::{check_status, sys, Result, ValueType};
use std::ptr;

/// Number of UTF-16 units up to which a name is read without asking for its length first.
const SHORT: usize = 256;

/// A JavaScript string in the form in which the store keeps names: WTF-8, with unpaired surrogates preserved.
pub struct JsString(Vec<u8>);

impl JsString {
    /// Returns the bytes. Fails with `slug` if the name is too long.
    pub fn bytes(self, slug: &'static str) -> std::result::Result<Vec<u8>, StoreError> {
        if self.0.len() > MAX_NAME_BYTES {
            return Err(StoreError::TooLarge { slug, found: self.0.len(), limit: MAX_NAME_BYTES });
        }
        Ok(self.0)
    }
}

impl TypeName for JsString {
    fn type_name() -> &'static str {
        "string"
    }

    fn value_type() -> ValueType {
        ValueType::String
    }
}

impl ValidateNapiValue for JsString {}

impl FromNapiValue for JsString {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> Result<Self> {
        let mut short = [0_u16; SHORT];
        let mut length = 0;
        // SAFETY: the buffer has room for SHORT units, and Node writes at most as many as it is given.
        check_status!(unsafe {
            sys::napi_get_value_string_utf16(env, value, short.as_mut_ptr(), SHORT, &raw mut length)
        })?;
        // Node reserves one unit for a terminating zero, so a longer string fills the others.
        if length < SHORT - 1 {
            return Ok(Self(wtf8::encode(short.get(..length).unwrap_or_default())));
        }
        // SAFETY: without a buffer Node only returns the length.
        check_status!(unsafe {
            sys::napi_get_value_string_utf16(env, value, ptr::null_mut(), 0, &raw mut length)
        })?;
        let mut long = vec![0_u16; length + 1];
        // SAFETY: the buffer has room for `length` units and the terminating zero.
        check_status!(unsafe {
            sys::napi_get_value_string_utf16(
                env,
                value,
                long.as_mut_ptr(),
                long.len(),
                &raw mut length,
            )
        })?;
        Ok(Self(wtf8::encode(long.get(..length).unwrap_or_default())))
    }
}
