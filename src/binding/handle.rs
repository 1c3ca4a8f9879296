//! The share of a thread in an open store, and the number of that share. The two functions that look up in memory only
//! (`peek` and `isCurrent`) take the number, because calling a method of an object costs 200 ns before it begins.

use crate::store::{Lease, Reader, Store, StoreError};
use napi_derive::napi;
use std::cell::RefCell;
use std::sync::Arc;

thread_local! {
    /// The stores of this thread by number. A number is never used twice: the number of a closed store finds nothing.
    static STORES: RefCell<Vec<Option<Arc<Store>>>> = const { RefCell::new(Vec::new()) };
}

/// Gives `store` a number in this thread.
fn register(store: &Arc<Store>) -> u32 {
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

/// Calls `look` with the store `number` of this thread, if it is open.
pub fn with_store<T>(number: u32, look: impl FnOnce(&Store) -> T) -> Option<T> {
    STORES.with_borrow(|stores| stores.get(number as usize)?.as_deref().map(look))
}

/// A share in an open store.
#[napi]
pub struct NativeStore {
    pub(super) lease: RefCell<Option<Lease>>,
    pub(super) number: u32,
}

impl NativeStore {
    /// Wraps an open store.
    pub fn new(lease: Lease) -> Self {
        let number = register(&lease);
        Self { lease: RefCell::new(Some(lease)), number }
    }

    /// Returns the store. Fails if this share was given back.
    pub fn store(&self) -> std::result::Result<Arc<Store>, StoreError> {
        let lease = self.lease.borrow();
        lease.as_ref().map(|lease| Arc::clone(lease)).ok_or(StoreError::Closed)
    }

    /// As [`NativeStore::store`], for a call that reads on another thread.
    pub fn reader(&self) -> std::result::Result<Reader, StoreError> {
        self.store().map(Reader::new)
    }
}

impl Drop for NativeStore {
    fn drop(&mut self) {
        if self.lease.borrow().is_some() {
            unregister(self.number);
        }
    }
}
