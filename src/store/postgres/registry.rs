//! The stores that this process has open. All callers of a database share one store, and each has a lease.

use crate::store::database::Purpose;
use crate::store::error::{Result, StoreError};
use crate::store::postgres::commit::queue::Queue;
use crate::store::postgres::commit::resolve;
use crate::store::postgres::commit::writer::Writer;
use crate::store::postgres::lease::keeper::Keeper;
use crate::store::postgres::lease::Lease as NodeLease;
use crate::store::postgres::link::connection::Connector;
use crate::store::postgres::link::pool::{Gate, Pool};
use crate::store::postgres::link::url::Address;
use crate::store::postgres::opening::{self, Opening};
use crate::store::postgres::runtime::{self, Ended, Last};
use crate::store::postgres::tables::blocks::Blocks;
use crate::store::postgres::Store;
use crate::store::statistics::Statistics;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{mpsc, Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Settings of a store.
pub struct Settings<'a> {
    /// URL of the database.
    pub url: &'a str,
    /// Size of the cache of records, in bytes.
    pub cache_bytes: u64,
    /// Whether an open creates the tables of a missing store.
    pub creates: bool,
    /// The reason of the open.
    pub purpose: Purpose,
    /// Longest time that a change waits for the database.
    pub commit_limit: Duration,
    /// Whether a server that waits for no other is accepted.
    pub is_durable_by_itself: bool,
}

struct Opened {
    store: Arc<Store>,
    ended: Arc<Ended>,
    leases: usize,
}

static STORES: Mutex<BTreeMap<Arc<str>, Opened>> = Mutex::new(BTreeMap::new());
/// Held while a store is opened, so that two threads do not open the same one twice.
static OPENING: Mutex<()> = Mutex::new(());

/// One caller's right to use an open store. The store closes with its last lease.
pub struct Lease {
    store: Arc<Store>,
    ended: Arc<Ended>,
    limit: Duration,
    is_given_back: bool,
}

/// A store whose last lease was given up.
pub struct Closing {
    name: Arc<str>,
    ended: Arc<Ended>,
    limit: Duration,
}

impl Lease {
    /// Returns the address of the database, without a password.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.store.name
    }

    /// Returns the store.
    #[must_use]
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Gives up this lease without waiting. If it was the last one, returns an object to wait for.
    #[must_use]
    pub fn begin_close(mut self) -> Option<Closing> {
        self.give_back()
    }

    fn give_back(&mut self) -> Option<Closing> {
        if std::mem::replace(&mut self.is_given_back, true) {
            return None;
        }
        let mut stores = lock();
        let opened = stores.get_mut(&self.store.name)?;
        if !Arc::ptr_eq(&opened.store, &self.store) {
            return None;
        }
        opened.leases -= 1;
        if opened.leases > 0 {
            return None;
        }
        stores.remove(&self.store.name);
        drop(stores);
        self.store.begin_close();
        let name = Arc::clone(&self.store.name);
        Some(Closing { name, ended: Arc::clone(&self.ended), limit: self.limit })
    }
}

impl Deref for Lease {
    type Target = Arc<Store>;

    fn deref(&self) -> &Arc<Store> {
        &self.store
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        drop(self.give_back());
    }
}

impl Closing {
    /// Waits until everything is done, for at most the time limit of a commit. Blocks.
    pub fn wait(self) -> Result<()> {
        if self.ended.wait(self.limit) {
            return Ok(());
        }
        let cause = "it did not confirm the last changes before the store was closed".into();
        Err(StoreError::Unconfirmed { name: self.name, cause })
    }
}

/// Opens the store of a database, or shares the open one. Blocks.
pub fn open(settings: &Settings<'_>) -> Result<Lease> {
    let address = Address::read(settings.url)?;
    let limit = settings.commit_limit;
    let _opening = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(opened) = lock().get_mut(&address.name) {
        opened.leases += 1;
        let (store, ended) = (Arc::clone(&opened.store), Arc::clone(&opened.ended));
        return Ok(Lease { store, ended, limit, is_given_back: false });
    }
    let (store, ended) = start(settings, address)?;
    let store = Arc::new(store);
    let opened = Opened { store: Arc::clone(&store), ended: Arc::clone(&ended), leases: 1 };
    lock().insert(Arc::clone(&store.name), opened);
    Ok(Lease { store, ended, limit, is_given_back: false })
}

fn start(settings: &Settings<'_>, address: Address) -> Result<(Store, Arc<Ended>)> {
    let name = Arc::clone(&address.name);
    let connector = Arc::new(Connector::new(address, settings.is_durable_by_itself)?);
    let ended = Arc::new(Ended::default());
    let last = Last::default();
    let (handle, in_use) = runtime::start(Arc::clone(&last), Arc::clone(&ended))?;
    let in_use = Arc::new(in_use);
    let (sender, prepared) = mpsc::channel();
    let preparing = Arc::clone(&connector);
    let node = uuid::Uuid::new_v4().to_string();
    let (creates, purpose, opened) = (settings.creates, settings.purpose, node.clone());
    handle.spawn(async move {
        let opening = Opening { creates, purpose, node: &opened };
        // The receiver waits below.
        let _ = sender.send(opening::prepare(&preparing, &opening).await);
    });
    prepared.recv().unwrap_or(Err(StoreError::Closed))?;
    let limit = settings.commit_limit;
    let (queue, statistics) = (Arc::new(Queue::default()), Arc::new(Statistics::new()));
    let lease = Arc::new(NodeLease::new(settings.cache_bytes));
    let gate: Arc<dyn Gate> = Arc::<NodeLease>::clone(&lease);
    let pool = Arc::new(Pool::new(Arc::clone(&connector), gate, limit));
    let blocks = Arc::new(Blocks::new(Arc::clone(&pool)));
    let counting = handle.spawn(Arc::clone(&blocks).run());
    let keeper = Keeper::new(Arc::clone(&connector), Arc::clone(&lease), node.clone());
    let keeping = handle.spawn(keeper.run());
    let (ending, own) = (Arc::clone(&connector), node.clone());
    *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::pin(async move {
        keeping.abort();
        counting.abort();
        // If this fails, another store removes the row a day later.
        if let Ok(connection) = ending.connect().await {
            let _ = resolve::unregister(&connection, &own).await;
        }
    }));
    let own = node.clone();
    let writer = Writer::new(
        connector,
        Arc::clone(&lease),
        Arc::clone(&queue),
        Arc::clone(&statistics),
        node,
        limit,
    );
    let until_written = Arc::clone(&in_use);
    handle.spawn(async move {
        writer.run().await;
        drop(until_written);
    });
    let in_use = Mutex::new(Some(in_use));
    Ok((
        Store {
            name,
            handle,
            node: own,
            turn: Mutex::default(),
            pool,
            lease,
            queue,
            statistics,
            blocks,
            in_use,
        },
        ended,
    ))
}

/// Waits until everything that was submitted to any store is durable, for at most `limit`.
pub fn settle(limit: Duration) -> Result<()> {
    let end = Instant::now() + limit;
    let stores: Vec<_> = lock().values().map(|opened| Arc::clone(&opened.store)).collect();
    let settling: Vec<_> = stores
        .iter()
        .map(|store| {
            let (sender, result) = mpsc::channel();
            // Nothing receives the result after the limit.
            store.settle(Box::new(move |settled| drop(sender.send(settled))));
            (store, result)
        })
        .collect();
    for (store, result) in settling {
        let left = end.saturating_duration_since(Instant::now());
        let settled = result.recv_timeout(left);
        settled.unwrap_or_else(|_| Err(StoreError::Busy { waiting: store.queue.waiting() }))?;
    }
    Ok(())
}

fn lock() -> MutexGuard<'static, BTreeMap<Arc<str>, Opened>> {
    STORES.lock().unwrap_or_else(PoisonError::into_inner)
}
