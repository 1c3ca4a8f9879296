//! Answers from memory for the calls that come with every request. They are functions that take the number of a store,
//! because calling a method of an object costs 200 ns before it begins.

use super::answer::Answer;
use super::errors;
use super::js_string::JsString;
use super::reply::Reply;
use crate::store::{Key, Store};
use napi::{Env, Result};
use napi_derive::napi;
use std::cell::RefCell;
use std::sync::Arc;

thread_local! {
    /// The stores of this thread by number. A number is never used twice: the number of a closed store finds nothing.
    static STORES: RefCell<Vec<Option<Arc<Store>>>> = const { RefCell::new(Vec::new()) };
}

/// Gives `store` a number in this thread.
pub fn register(store: &Arc<Store>) -> u32 {
    STORES.with_borrow_mut(|stores| {
        stores.push(Some(Arc::clone(store)));
        u32::try_from(stores.len() - 1).unwrap_or(u32::MAX)
    })
}

/// Removes the store with this number.
pub fn unregister(number: u32) {
    // Fails if the thread is ending and its list is gone.
    let _ = STORES.try_with(|stores| {
        if let Some(slot) = stores.borrow_mut().get_mut(number as usize) {
            *slot = None;
        }
    });
}

fn with_store<T>(number: u32, look: impl FnOnce(&Store) -> T) -> Option<T> {
    STORES.with_borrow(|stores| stores.get(number as usize)?.as_deref().map(look))
}

/// Returns a record of the store `number` as text, null if there is none, and undefined if memory does not hold it.
#[napi(
    catch_unwind,
    ts_args_type = "number: number, file: string",
    ts_return_type = "string | null | undefined"
)]
pub fn peek(env: Env, number: u32, file: JsString) -> Result<Reply> {
    let name = file.bytes("invalid-file").map_err(|error| errors::throw(env, &error))?;
    let key = Key::record(&name);
    Ok(Reply::Now(match with_store(number, |store| store.peek(&key)).flatten() {
        Some(Some(contents)) => Answer::Text(Some(contents)),
        Some(None) => Answer::Null,
        None => Answer::Undefined,
    }))
}

/// Returns true if the records of both stamps are unchanged. May return false although they are unchanged.
#[napi(catch_unwind)]
#[must_use]
pub fn is_current(number: u32, session: f64, account: f64) -> bool {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a stamp is a whole number, and any other is out of date"
    )]
    let stamps = [session as u64, account as u64];
    with_store(number, |store| stamps.iter().all(|stamp| store.is_current(*stamp)))
        .unwrap_or_default()
}
