//! The lease of a node: for its time, the node may answer from memory and by a read, because no other node acknowledges
//! a change of a record before this node has dropped the record, or the lease has run out.
//!
//! - [`clock`]: the time of a lease
//! - [`keeper`]: renews the lease, and drops the records that other nodes have changed
//! - [`wait`]: waits for the other nodes after a change
//!
//! A node renews its lease by a synchronous commit on its row in `ds_node`, and gets the epoch with the answer. The lease
//! runs from before the commit was sent, on the node's own clock. It is extended only when the node has followed all
//! changes up to that epoch. A change raises the epoch and tells the nodes in the same transaction. The node that made
//! it then asks which nodes have a lease. A node that renewed before the change was visible has sent that renewal before,
//! so its lease ends within [`LEASE`] of the acknowledgement. A node that renewed later was told, or has a gap in its
//! epochs.

mod clock;
pub mod keeper;
pub mod wait;

use crate::store::cache::{Cache, Cached, NotCached};
use crate::store::contents::Contents;
use crate::store::key::Key;
use crate::store::postgres::link::pool::Gate;
use crate::store::postgres::tables::names::Name;
use crate::store::rule;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Time of a lease from before its renewal was sent.
pub const LEASE: Duration = Duration::from_secs(2);

/// Separates the parts of a notification.
pub const SEPARATOR: char = '\u{1f}';
/// Stands for all records in a notification.
pub const EVERYTHING: &str = "*";

/// The lease of a store, the records in its memory, and what other nodes have said.
pub struct Lease {
    /// Records in memory.
    pub cache: Cache,
    /// End of the lease on the clock, in microseconds. 0 without a lease.
    until: AtomicU64,
    /// The server that granted the lease.
    server: Mutex<String>,
    /// Why there is no lease.
    reason: Mutex<String>,
    /// The last epoch that each other node has followed, and on which server.
    acknowledged: Mutex<HashMap<String, (String, i64)>>,
    changed: Notify,
    changes: AtomicU64,
}

impl Lease {
    /// Returns a lease that has run out, with a cache of `cache_bytes`.
    pub fn new(cache_bytes: u64) -> Self {
        Self {
            cache: Cache::new(cache_bytes),
            until: AtomicU64::new(0),
            server: Mutex::default(),
            reason: Mutex::new("it has not been granted yet".into()),
            acknowledged: Mutex::default(),
            changed: Notify::new(),
            changes: AtomicU64::new(0),
        }
    }

    /// Returns the number of changes of this and other nodes that were followed so far.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Returns the record at `key`, if it is in memory and the lease is valid.
    pub fn peek(&self, key: &Key) -> Cached<Option<Contents>> {
        let contents = self.cache.peek(key)?;
        // Afterwards: the lease was valid when the record was found.
        if self.is_valid() {
            Ok(contents)
        } else {
            Err(NotCached)
        }
    }

    /// Keeps a record that was read under the lease, after its version was taken, or that it is missing, if other nodes
    /// tell when it is created. A name that is stored under a hash is not kept, because notifications have the hash alone.
    pub fn keep(&self, key: &Key, contents: Option<&Contents>, version: u64) {
        if has_plain_name(key) && (contents.is_some() || rule::is_remembered_missing(key)) {
            self.cache.fill(key, contents, version);
        }
    }

    /// Drops a record that has changed.
    pub fn drop_record(&self, key: &Key) {
        self.changes.fetch_add(1, Ordering::AcqRel);
        self.cache.evict(key);
    }

    /// Drops all records.
    pub fn drop_all(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
        self.cache.clear();
    }

    /// Returns whether the lease is valid.
    pub fn is_valid(&self) -> bool {
        let now = u64::try_from(clock::now().as_micros()).unwrap_or(u64::MAX);
        now < self.until.load(Ordering::Acquire)
    }

    fn extend(&self, server: &str, sent: Duration) {
        {
            let mut granted = lock(&self.server);
            if *granted != server {
                server.clone_into(&mut granted);
            }
        }
        let until = u64::try_from((sent + LEASE).as_micros()).unwrap_or_default();
        self.until.store(until, Ordering::Release);
    }

    fn give_up(&self) {
        self.until.store(0, Ordering::Release);
        self.drop_all();
    }

    /// Gives up the lease because of `reason`.
    fn lose(&self, reason: String) {
        *lock(&self.reason) = reason;
        self.give_up();
    }
}

impl Gate for Lease {
    fn covers(&self, server: &str) -> bool {
        *lock(&self.server) == server && self.is_valid()
    }

    fn reason(&self) -> String {
        lock(&self.reason).clone()
    }

    fn is_of_other(&self, server: &str) -> bool {
        let granted = lock(&self.server);
        !granted.is_empty() && *granted != server
    }
}

fn has_plain_name(key: &Key) -> bool {
    key.name().is_some_and(|name| Name::new(name).full.is_none())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
