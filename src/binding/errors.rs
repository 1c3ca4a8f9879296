//! The one place where errors of the store become errors of JavaScript.

use crate::store::StoreError;
use napi::bindgen_prelude::{JsObjectValue, Object};
use napi::{sys, Env, JsError, Result};

/// An `Error` with the slug as its `message`, a stable `code`, a sentence for people as `detail`,
/// and a `cause` where there is one.
pub fn to_value(env: sys::napi_env, error: &StoreError) -> Result<sys::napi_value> {
    let plain = JsError::from(napi::Error::new(error.code(), error.slug()));
    // SAFETY: `env` is the one that this call runs in.
    let value = unsafe { plain.into_value(env) };
    let mut object = Object::from_raw(env, value);
    object.set_named_property("detail", error.to_string())?;
    if let StoreError::Poisoned { cause } = error {
        let cause = to_value(env, cause)?;
        object.set_named_property("cause", Object::from_raw(env, cause))?;
    }
    Ok(value)
}

/// Throws `error` in `env`, and returns what tells napi that an exception is pending.
pub fn throw(env: Env, error: &StoreError) -> napi::Error {
    let thrown = to_value(env.raw(), error).and_then(|value| {
        // SAFETY: the value was just made in `env`.
        napi::check_status!(unsafe { sys::napi_throw(env.raw(), value) })
    });
    match thrown {
        Ok(()) => napi::Error::new(napi::Status::PendingException, error.slug()),
        Err(error) => error,
    }
}
