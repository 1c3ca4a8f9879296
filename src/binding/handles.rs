//! What memory knows, for the calls that come with every request. These are functions, with the number of a store as an
//! argument: a method of an object costs 200 ns before it begins.

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
    /// The stores of this thread by number. No number is given twice: one of a closed store leads nowhere.
    static STORES: RefCell<Vec<Option<Arc<Store>>>> = const { RefCell::new(Vec::new()) };
}

/// Gives `store` a number in this thread.
pub fn register(store: &Arc<Store>) -> u32 {
    STORES.with_borrow_mut(|stores| {
        stores.push(Some(Arc::clone(store)));
        u32::try_from(stores.len() - 1).unwrap_or(u32::MAX)
    })
}

/// Lets the number lead nowhere.
pub fn unregister(number: u32) {
    // The thread may be ending, and its list with it.
    let _ = STORES.try_with(|stores| {
        if let Some(slot) = stores.borrow_mut().get_mut(number as usize) {
            *slot = None;
        }
    });
}

fn with_store<T>(number: u32, look: impl FnOnce(&Store) -> T) -> Option<T> {
    STORES.with_borrow(|stores| stores.get(number as usize)?.as_deref().map(look))
}

/// A record of the store `number` as text, null if there is none, and undefined if memory does not know.
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

/// Whether the records behind both stamps are still what they were. May say no though they are.
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
