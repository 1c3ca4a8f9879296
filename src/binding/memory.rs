//! Answers from memory for the calls that come with every request.

use super::answer::Answer;
use super::errors;
use super::handle::with_store;
use super::js_string::JsString;
use super::reply::Reply;
use crate::store::{Key, NotCached};
use napi::{Env, Result};
use napi_derive::napi;

/// Returns a record of the store `number` as text, undefined if it does not exist, and null if it is not cached.
#[napi(
    catch_unwind,
    ts_args_type = "number: number, file: string",
    ts_return_type = "string | null | undefined"
)]
pub fn peek(env: Env, number: u32, file: JsString) -> Result<Reply> {
    let name = file.bytes("invalid-file").map_err(|error| errors::throw(env, &error))?;
    let key = Key::record(&name);
    Ok(Reply::Now(match with_store(number, |store| store.peek(&key)) {
        Some(Ok(contents)) => Answer::Text(contents),
        // A closed store has no cache; the call that reads the disk returns its error.
        Some(Err(NotCached)) | None => Answer::NotCached,
    }))
}

/// Returns true if the records of all versions are unchanged. May return false although they are unchanged.
#[napi(catch_unwind)]
#[must_use]
pub fn is_current(number: u32, session: f64, account: f64, application: f64) -> bool {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a version is a whole number, and any other is out of date"
    )]
    let versions = [session as u64, account as u64, application as u64];
    with_store(number, |store| versions.iter().all(|version| store.is_current(*version)))
        .unwrap_or_default()
}
