//! Settles promises from other threads, many at a time.
//!
//! Each environment (the main thread, or a worker thread of Node) has a mailbox and one weak threadsafe function. A
//! thread that finishes work puts the result into the mailbox of its environment. It wakes the event loop only if the
//! mailbox was empty, so a commit of 64 changes costs one wake-up. A weak function does not keep the event loop alive;
//! it is referenced while a promise is open.

use super::answer::Answer;
use super::errors;
use crate::store::{Result as StoreResult, StoreError};
use napi::bindgen_prelude::ToNapiValue;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{check_status, sys, Env, Result, Status};
use napi_derive::napi;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;
use std::rc::Rc;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Number of results that a mailbox has room for without growing.
const SETTLED: usize = 64;

type Wake = ThreadsafeFunction<(), (), (), Status, false, true>;

thread_local! {
    /// Deliveries by environment: a thread has several environments if the addon was loaded more than once.
    static DELIVERIES: RefCell<HashMap<usize, Rc<Delivery>>> = RefCell::new(HashMap::new());
}

/// The open promises of one environment.
struct Delivery {
    mailbox: Arc<Mailbox>,
    open: Cell<usize>,
}

#[derive(Default)]
struct Mailbox {
    settled: Mutex<Vec<(Deferred, StoreResult<Answer>)>>,
    wake: OnceLock<Wake>,
}

/// Node's handle of an open promise.
struct Deferred(sys::napi_deferred);

// SAFETY: only moved between threads; used only on the thread of its environment.
unsafe impl Send for Deferred {}

/// The duty to settle one promise, from any thread. If it is dropped unused, the promise rejects.
pub struct Resolver {
    deferred: Option<Deferred>,
    mailbox: Arc<Mailbox>,
}

impl Resolver {
    /// Settles the promise.
    pub fn settle(mut self, result: StoreResult<Answer>) {
        self.send(result);
    }

    fn send(&mut self, result: StoreResult<Answer>) {
        let Some(deferred) = self.deferred.take() else {
            return;
        };
        let mut settled = self.mailbox.settled.lock().unwrap_or_else(PoisonError::into_inner);
        settled.push((deferred, result));
        if settled.len() == 1 {
            if let Some(wake) = self.mailbox.wake.get() {
                // Fails only if the environment is gone, and then nothing waits for the result.
                wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
            }
        }
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        self.send(Err(StoreError::Panicked {
            action: "answer a call",
            cause: "the work was dropped".into(),
        }));
    }
}

/// Opens a promise in `env`.
pub fn open(env: Env) -> Result<(sys::napi_value, Resolver)> {
    let delivery = delivery(env)?;
    let mut deferred = ptr::null_mut();
    let mut promise = ptr::null_mut();
    // SAFETY: `env` is the environment that this call runs in.
    check_status!(unsafe {
        sys::napi_create_promise(env.raw(), &raw mut deferred, &raw mut promise)
    })?;
    if delivery.open.replace(delivery.open.get() + 1) == 0 {
        delivery.keep_alive(env, true)?;
    }
    let mailbox = Arc::clone(&delivery.mailbox);
    Ok((promise, Resolver { deferred: Some(Deferred(deferred)), mailbox }))
}

/// Settles the finished promises without waiting for the wake-up. Returns the number of promises that stay open. The
/// wake-up then finds an empty mailbox.
#[napi(catch_unwind)]
pub fn deliver(env: Env) -> Result<u32> {
    let delivery = delivery(env)?;
    delivery.deliver(env)?;
    Ok(u32::try_from(delivery.open.get()).unwrap_or(u32::MAX))
}

fn delivery(env: Env) -> Result<Rc<Delivery>> {
    let id = env.raw() as usize;
    if let Some(found) = DELIVERIES.with_borrow(|all| all.get(&id).cloned()) {
        return Ok(found);
    }
    let delivery = Rc::new(Delivery { mailbox: Arc::default(), open: Cell::new(0) });
    let mailbox = Arc::clone(&delivery.mailbox);
    let wake = env
        .create_function_from_closure::<(), (), _>("deliver", |_| Ok(()))?
        .build_threadsafe_function::<()>()
        .callee_handled::<false>()
        .weak::<true>()
        .build_callback(move |context| {
            // Node calls this, so a panic that leaves it would end the process.
            catch_unwind(AssertUnwindSafe(|| {
                match DELIVERIES.with_borrow(|all| all.get(&id).cloned()) {
                    Some(delivery) => delivery.deliver(context.env),
                    None => Ok(()),
                }
            }))
            .unwrap_or_else(|_| Err(napi::Error::new(Status::GenericFailure, "delivery-panicked")))
        })?;
    // Not set before: the delivery was just made.
    let _ = mailbox.wake.set(wake);
    DELIVERIES.with_borrow_mut(|all| all.insert(id, Rc::clone(&delivery)));
    env.add_env_cleanup_hook(id, |id| {
        // Fails if the thread is ending and its map is gone.
        let _ = DELIVERIES.try_with(|all| all.borrow_mut().remove(&id));
    })?;
    Ok(delivery)
}

impl Delivery {
    fn deliver(&self, env: Env) -> Result<()> {
        let settled = {
            let mut settled = self.mailbox.settled.lock().unwrap_or_else(PoisonError::into_inner);
            if settled.is_empty() {
                return Ok(());
            }
            // The next delivery is likely to be as large. Reserving the room here saves the sending threads from
            // growing the mailbox.
            let room = Vec::with_capacity(settled.len().max(SETTLED));
            std::mem::replace(&mut *settled, room)
        };
        let open = self.open.get().saturating_sub(settled.len());
        self.open.set(open);
        if open == 0 {
            self.keep_alive(env, false)?;
        }
        // A result that cannot be converted must not leave the others unsettled.
        let results: Vec<_> = settled
            .into_iter()
            .map(|(deferred, result)| settle(env.raw(), &deferred, result))
            .collect();
        results.into_iter().collect()
    }

    fn keep_alive(&self, env: Env, alive: bool) -> Result<()> {
        let Some(wake) = self.mailbox.wake.get() else {
            return Ok(());
        };
        // SAFETY: runs on the thread of `env`, to which the function belongs, while it is alive.
        check_status!(unsafe {
            if alive {
                sys::napi_ref_threadsafe_function(env.raw(), wake.raw())
            } else {
                sys::napi_unref_threadsafe_function(env.raw(), wake.raw())
            }
        })
    }
}

fn settle(env: sys::napi_env, deferred: &Deferred, result: StoreResult<Answer>) -> Result<()> {
    let value = result.and_then(|answer| {
        // SAFETY: runs on the thread of `env`.
        unsafe { ToNapiValue::to_napi_value(env, answer) }.map_err(|error| StoreError::Panicked {
            action: "answer a call",
            cause: error.reason.clone(),
        })
    });
    match value {
        // SAFETY: runs on the thread of `env`, which made `deferred`; each is settled once.
        Ok(value) => check_status!(unsafe { sys::napi_resolve_deferred(env, deferred.0, value) }),
        Err(error) => {
            let error = errors::to_value(env, &error)?;
            // SAFETY: as above, in the other branch.
            check_status!(unsafe { sys::napi_reject_deferred(env, deferred.0, error) })
        }
    }
}
