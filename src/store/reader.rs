//! A store for one read, and look-ups.

use crate::store::engine::Store;
use crate::store::error::Result;
#[cfg(feature = "postgres")]
use crate::store::postgres;
use crate::store::sled;
use crate::store::view::View;
use std::ops::Deref;
use std::sync::Arc;

/// Work for a thread that may block. It gets an error if it cannot run.
pub type Job = Box<dyn FnOnce(Result<()>) + Send>;

/// A store for one read. It stays open from the call until its answer.
pub struct Reader {
    store: Arc<Store>,
    _held: Held,
}

enum Held {
    Sled {
        _held: sled::Reader,
    },
    #[cfg(feature = "postgres")]
    Postgres {
        _held: Option<Arc<postgres::Use>>,
    },
}

impl Reader {
    /// Keeps `store` open.
    #[must_use]
    pub fn new(store: Arc<Store>) -> Self {
        let held = match &*store {
            Store::Sled(store) => Held::Sled { _held: sled::Reader::new(Arc::clone(store)) },
            #[cfg(feature = "postgres")]
            Store::Postgres(store) => Held::Postgres { _held: store.begin_use() },
        };
        Self { store, _held: held }
    }

    /// Calls `answer` with the result of `look`, which may run several times. If reading blocks, `run` gets the work,
    /// and has to run it on a thread that may block.
    pub fn look_up<T: Send + 'static>(
        self,
        look: impl Fn(&View<'_>) -> Result<T> + Send + 'static,
        answer: impl FnOnce(Result<T>) + Send + 'static,
        run: impl FnOnce(Job),
    ) {
        match &*self.store {
            Store::Sled(store) => {
                let store = Arc::clone(store);
                run(Box::new(move |begun| {
                    let _open_until_the_answer = self;
                    answer(begun.and_then(|()| look(&View::of_sled(&store))));
                }));
            }
            #[cfg(feature = "postgres")]
            Store::Postgres(store) => {
                let store = Arc::clone(store);
                store.look_up(
                    move |fetched| look(&View::of_postgres(fetched)),
                    |result| {
                        answer(result);
                        drop(self);
                    },
                );
            }
        }
    }
}

impl Deref for Reader {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}
