//! The engines behind one interface. A setting chooses the engine when a store is opened; layers above do not know
//! which one it is.
//!
//! Work on a folder (restore, compact, repair) exists for the embedded engine only. A database has programs of its own
//! for that, so those calls answer with [`StoreError::NotOffered`].

use crate::record::cipher::Secret;
use crate::store::cache::Cached;
use crate::store::change::{self, Change, Completion, Outcome, Record};
use crate::store::contents::Contents;
use crate::store::database::DatabaseSettings;
use crate::store::error::{Result, StoreError};
use crate::store::findings::Findings;
use crate::store::key::{Key, ListPath};
use crate::store::notice::Notice;
#[cfg(feature = "postgres")]
use crate::store::postgres;
use crate::store::report::{Report, Stats};
use crate::store::rule;
use crate::store::scan::{Parts, Records};
use crate::store::sled;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// An open store. Any thread may read and submit changes.
pub enum Store {
    /// The embedded engine.
    Sled(Arc<sled::Store>),
    /// A database of PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(Arc<postgres::Store>),
}

macro_rules! dispatch {
    ($store:expr, $engine:ident => $call:expr) => {
        match $store {
            Store::Sled($engine) => $call,
            #[cfg(feature = "postgres")]
            Store::Postgres($engine) => $call,
        }
    };
}

impl Store {
    /// Returns the notices about the opening of the store.
    #[must_use]
    pub fn notices(&self) -> &[Notice] {
        dispatch!(self, store => store.notices())
    }

    /// Returns the contents of the record at `key`, or `None` if there is no record. Does no I/O.
    pub fn peek(&self, key: &Key) -> Cached<Option<Contents>> {
        dispatch!(self, store => store.peek(key))
    }

    /// Returns the version of the record at `key`, an integer, for [`Store::is_current`]. Take it before the record is
    /// read.
    #[must_use]
    pub fn version(&self, key: &Key) -> u64 {
        dispatch!(self, store => store.version(key))
    }

    /// Returns whether a value that was read after `version` was taken is unchanged. May return `false` for an unchanged
    /// value.
    #[must_use]
    pub fn is_current(&self, version: u64) -> bool {
        dispatch!(self, store => store.is_current(version))
    }

    /// Returns the number of items in a list. Does no I/O.
    pub fn peek_count(&self, path: &ListPath) -> Cached<u64> {
        dispatch!(self, store => store.peek_count(path))
    }

    /// Returns whether a list has `item`. Does no I/O.
    pub fn peek_has(&self, path: &ListPath, item: &[u8]) -> Cached<bool> {
        dispatch!(self, store => store.peek_has(path, item))
    }

    /// Reads the record at `key`. Blocks.
    pub fn read(&self, key: &Key) -> Result<Option<Contents>> {
        dispatch!(self, store => store.read(key))
    }

    /// Returns the number of items in a list. Blocks.
    pub fn count(&self, path: &ListPath) -> Result<u64> {
        dispatch!(self, store => store.count(path))
    }

    /// Returns whether a list has `item`. Blocks.
    pub fn has(&self, path: &ListPath, item: &[u8]) -> Result<bool> {
        dispatch!(self, store => store.has(path, item))
    }

    /// Returns at most `size` items of a list, newest first. Skips the `offset` newest items. Blocks.
    pub fn page(&self, path: &ListPath, offset: u64, size: u64) -> Result<Vec<Contents>> {
        dispatch!(self, store => store.page(path, offset, size))
    }

    /// Returns at most `count` items of a list, newest first, whose sequence number is below `sequence`, or the newest ones
    /// if that is `None`. Each comes with its sequence number, and the last one's is where the next page begins: pages
    /// do not shift while items come and go. Numbers begin anew in a list that was empty meanwhile. Blocks.
    pub fn page_before(
        &self,
        path: &ListPath,
        sequence: Option<u64>,
        count: u64,
    ) -> Result<Vec<(u64, Contents)>> {
        dispatch!(self, store => store.page_before(path, sequence, count))
    }

    /// Returns at most `count` records after the key `after` that have a `wanted` name. A damaged record is included if
    /// its name is unknown. Blocks.
    pub fn records_after(
        &self,
        after: Option<&Key>,
        count: usize,
        wanted: impl Fn(&[u8]) -> bool,
    ) -> Result<Records> {
        dispatch!(self, store => store.records_after(after, count, wanted))
    }

    /// Returns parts of the lists after the item at `after`. Blocks.
    pub fn parts_after(&self, after: Option<(&ListPath, u64)>) -> Result<Parts> {
        dispatch!(self, store => store.parts_after(after))
    }

    /// Returns the number of lists, the number of their items, and the damaged lists. Blocks.
    pub fn list_counts(&self) -> Result<(u64, u64, Findings)> {
        dispatch!(self, store => store.list_counts())
    }

    /// Collects the statistics without reading the data.
    pub fn stats(&self) -> Result<Stats> {
        dispatch!(self, store => store.stats())
    }

    /// Returns whether an import of `contents` at `record` would keep a part of the stored record. Blocks.
    pub fn would_keep(
        &self,
        record: &Record,
        contents: Contents,
        secret: Option<&Secret>,
    ) -> Result<bool> {
        let stored = record.kind.map(|_| self.read(&record.key)).transpose()?.flatten();
        rule::would_keep(record, contents, stored.as_ref(), secret)
    }

    /// Makes `changes` together or not at all. Calls `completion` when they are durable.
    pub fn submit(&self, changes: Vec<Change>, completion: Completion) {
        dispatch!(self, store => store.submit(changes, completion));
    }

    /// Changes `record` by `edit`, a function of the stored contents. No other change comes in between. Calls
    /// `completion` with the value of `edit` when the change is durable. `size` is the memory that `edit` holds, in
    /// bytes; `secret` is the host's. With an `attribution` it adds an entry about what ends.
    pub fn update<T: Send + 'static>(
        &self,
        record: Record,
        secret: Option<Secret>,
        size: usize,
        attribution: Option<Arc<str>>,
        edit: impl Fn(Option<&[u8]>) -> Result<Outcome<T>> + Send + 'static,
        completion: impl FnOnce(Result<T>) + Send + 'static,
    ) {
        let (edit, completion) = change::erase(edit, completion);
        let change = Change::Update { record, edit, size, secret: secret.clone() };
        self.submit(vec![change.attributed(attribution, secret)], completion);
    }

    /// Removes every record and every list.
    pub fn wipe(&self, completion: Completion) {
        dispatch!(self, store => store.wipe(completion));
    }

    /// Reads and verifies everything. Nothing may be written meanwhile. Blocks.
    pub fn verify(&self, progress: &dyn Fn(u64)) -> Result<Report> {
        dispatch!(self, store => store.verify(progress))
    }

    /// Copies the store as it is at one moment into the empty folder `target`, and verifies the copy. Blocks.
    pub fn copy(&self, target: &Path, id: [u8; 16], progress: &dyn Fn(u64)) -> Result<Report> {
        self.embedded("backup")?.copy(target, id, progress)
    }

    /// Removes the stores in the folder `path` of this store that restores have replaced. Returns their folders and their
    /// size in bytes.
    pub fn remove_replaced(&self, path: &Path) -> Result<(Vec<PathBuf>, u64)> {
        self.embedded("stores that a restore has replaced")?;
        sled::remove_replaced(path)
    }

    /// Fails if other threads of this process use the store in the folder `path`. Other processes may always use a
    /// database.
    pub fn refuse_shared(&self, path: &Path) -> Result<()> {
        match self {
            Self::Sled(_) => sled::refuse_shared(path),
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Begins a purge. Fails while another process purges the same store. Blocks.
    pub fn begin_purge(&self) -> Result<()> {
        match self {
            Self::Sled(_) => Ok(()),
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.begin_purge(),
        }
    }

    /// Ends a purge. Blocks.
    pub fn end_purge(&self) {
        match self {
            Self::Sled(_) => {}
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.end_purge(),
        }
    }

    /// Begins an import into a database: until [`Store::finish_import`], no other process can open the store. Fails if one
    /// has it open. Blocks.
    pub fn begin_import(&self) -> Result<()> {
        match self {
            Self::Sled(_) => Ok(()),
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.begin_import(),
        }
    }

    /// Ends an import that is complete. Blocks.
    pub fn finish_import(&self) -> Result<()> {
        match self {
            Self::Sled(_) => Ok(()),
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.finish_import(),
        }
    }

    fn embedded(&self, what: &'static str) -> Result<&sled::Store> {
        match self {
            Self::Sled(store) => Some(&**store),
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => None,
        }
        .ok_or(StoreError::NotOffered { what })
    }
}

/// One caller's right to use an open store. The store closes with its last lease.
pub struct Lease {
    store: Arc<Store>,
    share: Share,
}

enum Share {
    Sled(sled::Lease),
    #[cfg(feature = "postgres")]
    Postgres(postgres::Lease),
}

/// A store whose last lease was given up.
pub enum Closing {
    /// The embedded engine.
    Sled(sled::Closing),
    /// A database.
    #[cfg(feature = "postgres")]
    Postgres(postgres::Closing),
}

impl Lease {
    fn of_sled(lease: sled::Lease) -> Self {
        Self { store: Arc::new(Store::Sled(Arc::clone(&lease))), share: Share::Sled(lease) }
    }

    /// Returns the name of the store: the real path of its folder, or the address of its database.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.share {
            Share::Sled(lease) => lease.path().display().to_string(),
            #[cfg(feature = "postgres")]
            Share::Postgres(lease) => lease.name().to_owned(),
        }
    }

    /// Gives up this lease. The last one closes the store, and its folder is free when this returns `Ok`. Blocks.
    pub fn close(self) -> Result<()> {
        self.begin_close().map_or(Ok(()), Closing::wait)
    }

    /// Gives up this lease without waiting. If it was the last one, returns an object to wait for.
    #[must_use]
    pub fn begin_close(self) -> Option<Closing> {
        match self.share {
            Share::Sled(lease) => lease.begin_close().map(Closing::Sled),
            #[cfg(feature = "postgres")]
            Share::Postgres(lease) => lease.begin_close().map(Closing::Postgres),
        }
    }
}

impl Deref for Lease {
    type Target = Arc<Store>;

    fn deref(&self) -> &Arc<Store> {
        &self.store
    }
}

impl Closing {
    /// Waits until the store is closed, for at most its time limit of a commit. Blocks.
    pub fn wait(self) -> Result<()> {
        match self {
            Self::Sled(closing) => closing.wait(),
            #[cfg(feature = "postgres")]
            Self::Postgres(closing) => closing.wait(),
        }
    }
}

/// Opens the store in a folder, or shares the open one. Blocks.
pub fn open(settings: &sled::Settings) -> Result<Lease> {
    sled::open(settings).map(Lease::of_sled)
}

/// Opens a store in a folder that nothing else in this process has open. Blocks.
pub fn open_exclusive(settings: &sled::Settings) -> Result<Lease> {
    sled::open_exclusive(settings).map(Lease::of_sled)
}

/// Opens the store in a database, or shares the open one. Blocks.
#[cfg(feature = "postgres")]
pub fn connect(settings: &DatabaseSettings) -> Result<Lease> {
    let lease = postgres::open(&postgres::Settings {
        url: &settings.url,
        cache_bytes: settings.cache_bytes,
        creates: settings.creates,
        purpose: settings.purpose,
        commit_limit: settings.commit_limit,
        is_durable_by_itself: settings.is_durable_by_itself,
    })?;
    let store = Arc::new(Store::Postgres(Arc::clone(lease.store())));
    Ok(Lease { store, share: Share::Postgres(lease) })
}

/// Returns the name of the database at `url` for messages: the URL without the password and the parameters.
///
/// # Errors
/// Fails if `url` is not one of a database that can have a store.
#[cfg(feature = "postgres")]
pub fn database_name(url: &str) -> Result<Arc<str>> {
    postgres::name_of(url)
}

/// Fails: this build has no engine for databases.
#[cfg(not(feature = "postgres"))]
pub fn database_name(_: &str) -> Result<Arc<str>> {
    Err(StoreError::NotOffered { what: "engine for databases in this build" })
}

/// Fails: this build has no engine for databases.
#[cfg(not(feature = "postgres"))]
pub fn connect(_: &DatabaseSettings) -> Result<Lease> {
    Err(StoreError::NotOffered { what: "engine for databases in this build" })
}

/// Makes a store from the backup `from` in the folder of `settings`. `prepare` is called with the new store before it
/// replaces the old one, which stays in place if `prepare` fails. Blocks.
pub fn restore(
    from: &Path,
    settings: &sled::Settings,
    progress: &dyn Fn(u64),
    prepare: impl FnOnce(&Store) -> Result<()>,
) -> Result<sled::Restored> {
    sled::restore(from, settings, progress, |lease| prepare(&Store::Sled(Arc::clone(lease))))
}

/// Waits until everything that was submitted to any store is durable, for at most `limit`.
pub fn settle(limit: Duration) -> Result<()> {
    let end = Instant::now() + limit;
    let settled = sled::settle(limit);
    #[cfg(feature = "postgres")]
    postgres::settle(end.saturating_duration_since(Instant::now()))?;
    #[cfg(not(feature = "postgres"))]
    let _ = end;
    settled
}
