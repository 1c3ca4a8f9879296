//! The one place where errors of the store become errors of JavaScript.

use super::advice;
use crate::store::StoreError;
use napi::bindgen_prelude::{JsObjectValue, JsValue, Object};
use napi::{check_status, sys, Env, Result};
use napi_derive::napi;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ptr;

thread_local! {
    /// References to the `Error` constructor of the code that loaded the addon, by environment.
    static CONSTRUCTORS: RefCell<HashMap<usize, sys::napi_ref>> = RefCell::default();
}

/// Makes all errors with `constructor`, which is the caller's own `Error`. In a context of `node:vm`, where jest and
/// vitest run tests, it differs from the environment's, and `instanceof Error` would be false.
#[napi(catch_unwind, ts_args_type = "constructor: ErrorConstructor")]
pub fn use_errors(env: Env, constructor: Object) -> Result<()> {
    let id = env.raw() as usize;
    let mut reference = ptr::null_mut();
    // SAFETY: the value was just passed in `env`.
    check_status!(unsafe {
        sys::napi_create_reference(env.raw(), constructor.raw(), 1, &raw mut reference)
    })?;
    let before = CONSTRUCTORS.with_borrow_mut(|all| all.insert(id, reference));
    match before {
        Some(before) => {
            // SAFETY: the reference was made in `env`, and nothing else holds it.
            check_status!(unsafe { sys::napi_delete_reference(env.raw(), before) })
        }
        None => env
            .add_env_cleanup_hook(id, |id| {
                // Fails if the thread is ending and its map is gone. The environment frees its references itself.
                let _ = CONSTRUCTORS.try_with(|all| all.borrow_mut().remove(&id));
            })
            .map(drop),
    }
}

/// Returns an `Error` with the slug as `message`, a stable `code`, and where there is one, a sentence for people as
/// `detail` and a `cause`.
pub fn to_value(env: sys::napi_env, error: &StoreError) -> Result<sys::napi_value> {
    let value = new_error(env, error.slug())?;
    let mut object = Object::from_raw(env, value);
    object.set_named_property("code", error.code())?;
    if let Some(sentence) = advice::sentence(error) {
        object.set_named_property("detail", sentence)?;
    }
    if let StoreError::Poisoned { cause } = error {
        let cause = to_value(env, cause)?;
        object.set_named_property("cause", Object::from_raw(env, cause))?;
    }
    Ok(value)
}

fn new_error(env: sys::napi_env, message: &str) -> Result<sys::napi_value> {
    let mut text = ptr::null_mut();
    let (start, length) = (message.as_ptr().cast(), message.len().cast_signed());
    // SAFETY: `start` and `length` describe `message`.
    check_status!(unsafe { sys::napi_create_string_utf8(env, start, length, &raw mut text) })?;
    let reference = CONSTRUCTORS.with_borrow(|all| all.get(&(env as usize)).copied());
    let mut error = ptr::null_mut();
    let Some(reference) = reference else {
        // SAFETY: `text` was just made in `env`.
        check_status!(unsafe {
            sys::napi_create_error(env, ptr::null_mut(), text, &raw mut error)
        })?;
        return Ok(error);
    };
    let mut constructor = ptr::null_mut();
    // SAFETY: the reference was made in `env`; a strong one keeps its value.
    check_status!(unsafe { sys::napi_get_reference_value(env, reference, &raw mut constructor) })?;
    // SAFETY: calls the constructor with one argument, as counted.
    check_status!(unsafe {
        sys::napi_new_instance(env, constructor, 1, &raw const text, &raw mut error)
    })?;
    Ok(error)
}

/// Throws `error` in `env`. Returns the value that tells napi that an exception is pending.
pub fn throw(env: Env, error: &StoreError) -> napi::Error {
    let thrown = to_value(env.raw(), error).and_then(|value| {
        // SAFETY: the value was just made in `env`.
        check_status!(unsafe { sys::napi_throw(env.raw(), value) })
    });
    match thrown {
        Ok(()) => napi::Error::new(napi::Status::PendingException, error.slug()),
        Err(error) => error,
    }
}
