//! The engine for several processes and machines: records and lists in a database of PostgreSQL.
//!
//! - [`link`]: connections to the servers
//! - [`tables`]: the tables, and statements that read
//! - [`lease`]: for how long this node may answer from memory
//! - [`commit`]: changes on their way to the database
//! - [`registry`], [`opening`]: the stores that this process has open; the first connection of one
//! - [`turn`], [`marks`]: work that one process at a time does; marks that keep a store from being opened
//! - [`runtime`]: the thread of a store
//!
//! Everything of a store happens on one thread, which waits for no answer of a server: look-ups and the writer take turns
//! on it. A look-up ([`Store::look_up`]) runs until it lacks something, which is fetched, and then runs again. A change
//! goes to the queue of the writer ([`commit`]).

mod commit;
mod lease;
mod link;
mod marks;
mod opening;
mod registry;
mod runtime;
mod tables;
mod turn;

pub use registry::{open, settle, Closing, Lease, Settings};
pub use runtime::Use;

/// Returns the name of the database at `url` for messages: the URL without the password and the parameters.
///
/// # Errors
/// Fails if `url` is not one of a database that can have a store.
pub fn name_of(url: &str) -> Result<Arc<str>> {
    link::url::Address::read(url).map(|address| address.name)
}

use crate::store::cache::{Cached, NotCached};
use crate::store::change::{Change, Completion, Request};
use crate::store::contents::Contents;
use crate::store::error::{Result, StoreError};
use crate::store::fetched::{Fetched, Question};
use crate::store::findings::Findings;
use crate::store::key::{Key, ListPath};
use crate::store::notice::Notice;
use crate::store::panics::caught;
use crate::store::report::{Report, Stats};
use crate::store::scan::{Parts, Records, PAGE_BYTES};
use crate::store::statistics::Statistics;
use commit::queue::Queue;
use lease::Lease as NodeLease;
use link::pool::Pool;
use std::future::Future;
use std::sync::{mpsc, Arc, Mutex, PoisonError};
use tables::blocks::Blocks;
use tables::read;
use tokio::runtime::Handle;
use turn::{Turn, Work};

/// An open store. Any thread may read and submit changes.
pub struct Store {
    name: Arc<str>,
    handle: Handle,
    pool: Arc<Pool>,
    lease: Arc<NodeLease>,
    queue: Arc<Queue>,
    statistics: Arc<Statistics>,
    blocks: Arc<Blocks>,
    node: String,
    /// During a purge or an import.
    turn: Mutex<Option<Turn>>,
    /// Until the store is closed.
    in_use: Mutex<Option<Arc<Use>>>,
}

impl Store {
    /// Keeps the store open. Returns `None` if it is closed.
    pub fn begin_use(&self) -> Option<Arc<Use>> {
        self.in_use.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns nothing: an open changes nothing that an operator should know about.
    pub fn notices(&self) -> &[Notice] {
        &[]
    }

    /// Returns the contents of the record at `key`, if it is in memory and this node has a lease.
    pub fn peek(&self, key: &Key) -> Cached<Option<Contents>> {
        self.lease.peek(key)
    }

    /// Returns the version of the record at `key`. Take it before the record is read.
    pub fn version(&self, key: &Key) -> u64 {
        self.lease.cache.versions().of(key)
    }

    /// Returns whether a value that was read after `version` was taken is unchanged, as far as this node may know.
    pub fn is_current(&self, version: u64) -> bool {
        self.lease.cache.versions().is_current(version) && self.lease.is_valid()
    }

    /// Returns nothing: no list is in memory.
    pub fn peek_count(&self, _: &ListPath) -> Cached<u64> {
        Err(NotCached)
    }

    /// Returns nothing: no list is in memory.
    pub fn peek_has(&self, _: &ListPath, _: &[u8]) -> Cached<bool> {
        Err(NotCached)
    }

    /// Calls `answer` with the result of `look`, which runs again whenever something that it lacked was fetched.
    pub fn look_up<T: Send + 'static>(
        &self,
        look: impl Fn(&Fetched) -> Result<T> + Send + 'static,
        answer: impl FnOnce(Result<T>) + Send + 'static,
    ) {
        let Some(in_use) = self.begin_use() else { return answer(Err(StoreError::Closed)) };
        let (pool, lease) = (Arc::clone(&self.pool), Arc::clone(&self.lease));
        let blocks = Arc::clone(&self.blocks);
        self.handle.spawn(async move {
            let mut fetched = Fetched::default();
            let result = loop {
                let result = caught("look up", || look(&fetched));
                let lacking = fetched.take_lacking();
                if lacking.is_empty() {
                    break result;
                }
                if let Err(error) = fetch(&pool, &blocks, &lease, lacking, &mut fetched).await {
                    break Err(error);
                }
            };
            answer(result);
            drop(in_use);
        });
    }

    /// Reads the record at `key`. Blocks.
    pub fn read(&self, key: &Key) -> Result<Option<Contents>> {
        let keys = [key.clone()];
        self.wait(async move |pool| read::records(&pool, &keys).await)
            .map(|mut found| found.remove(key))
    }

    /// Returns the number of items in a list. Blocks.
    pub fn count(&self, path: &ListPath) -> Result<u64> {
        let (path, blocks) = (path.clone(), Arc::clone(&self.blocks));
        self.wait(async move |pool| read::count(&pool, &blocks, &path).await)
    }

    /// Returns whether a list has `item`. Blocks.
    pub fn has(&self, path: &ListPath, item: &[u8]) -> Result<bool> {
        let (path, item) = (path.clone(), item.to_vec());
        self.wait(async move |pool| read::has(&pool, &path, &item).await)
    }

    /// Returns at most `size` items of a list, newest first. Skips the `offset` newest items. Blocks.
    pub fn page(&self, path: &ListPath, offset: u64, size: u64) -> Result<Vec<Contents>> {
        let (path, blocks) = (path.clone(), Arc::clone(&self.blocks));
        self.wait(async move |pool| read::page(&pool, &blocks, &path, offset, size).await)
    }

    /// Returns at most `count` items of a list, newest first, whose sequence number is below `sequence`, or the newest ones
    /// if that is `None`. Each comes with its sequence number. Blocks.
    pub fn page_before(
        &self,
        path: &ListPath,
        sequence: Option<u64>,
        count: u64,
    ) -> Result<Vec<(u64, Contents)>> {
        let path = path.clone();
        self.wait(async move |pool| read::page_before(&pool, &path, sequence, count).await)
    }

    /// Returns at most `count` records after the key `after` that have a `wanted` name. Blocks.
    pub fn records_after(
        &self,
        after: Option<&Key>,
        count: usize,
        wanted: impl Fn(&[u8]) -> bool,
    ) -> Result<Records> {
        let mut page = Records::default();
        let mut after = after.cloned();
        let mut bytes = 0;
        loop {
            let from = after.clone();
            let left = count - page.records.len();
            let next = self.wait(async move |pool| {
                read::records_after(&pool, from.as_ref(), left, count).await
            })?;
            after = next.next;
            let records =
                next.records.into_iter().filter(|(key, _)| key.name().is_some_and(&wanted));
            for (key, contents) in records {
                bytes += key.size() + contents.len();
                page.records.push((key, contents));
            }
            if after.is_none() || page.records.len() >= count || bytes >= PAGE_BYTES {
                page.next = after;
                return Ok(page);
            }
        }
    }

    /// Returns parts of the lists after the item at `after`. Blocks.
    pub fn parts_after(&self, after: Option<(&ListPath, u64)>) -> Result<Parts> {
        let after = after.map(|(path, last)| (path.clone(), last));
        self.wait(async move |pool| {
            read::parts_after(&pool, after.as_ref().map(|(path, last)| (path, *last))).await
        })
    }

    /// Returns the number of lists, the number of their items, and no damage. Blocks.
    pub fn list_counts(&self) -> Result<(u64, u64, Findings)> {
        self.wait(async move |pool| read::list_counts(&pool).await)
    }

    /// Reads everything. The server verifies its pages itself. Blocks.
    pub fn verify(&self, progress: &dyn Fn(u64)) -> Result<Report> {
        const PAGE: usize = 500;
        let mut report = Report::default();
        let mut after = None;
        loop {
            let page = self.records_after(after.as_ref(), PAGE, |_| true)?;
            report.records += page.records.len() as u64;
            report.bytes += page
                .records
                .iter()
                .map(|(key, contents)| (key.size() + contents.size()) as u64)
                .sum::<u64>();
            progress(report.bytes);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        (report.lists, report.items, _) = self.list_counts()?;
        Ok(report)
    }

    /// Collects the statistics without reading the data. Blocks.
    pub fn stats(&self) -> Result<Stats> {
        let disk_bytes = self.wait(async move |pool| read::size(&pool).await)?;
        let (cache_hits, cache_misses, cache_bytes) = self.lease.cache.counts();
        Ok(Stats {
            open_seconds: self.statistics.open_for().as_secs_f64(),
            waiting: self.queue.waiting(),
            cache_hits,
            cache_misses,
            cache_bytes,
            commits: self.statistics.commits(),
            disk_bytes,
            replaced_bytes: 0,
        })
    }

    /// Begins a purge. Fails while another process, or another thread, purges this store. Blocks.
    pub fn begin_purge(&self) -> Result<()> {
        let turn = self.wait(async move |pool| Turn::take(&pool, Work::Purge).await)?;
        self.keep_turn(turn.ok_or(StoreError::PurgeRunning)?);
        Ok(())
    }

    /// Ends a purge. Blocks.
    pub fn end_purge(&self) {
        if let Some(turn) = self.take_turn() {
            // Fails if the store is closed, which ends the turn as well.
            let _ = self.wait(async move |_| {
                turn.give_back().await;
                Ok(())
            });
        }
    }

    /// Begins an import: until [`Store::finish_import`], no other process can open the store. Fails if one has it open.
    /// Blocks.
    pub fn begin_import(&self) -> Result<()> {
        let node = self.node.clone();
        let turn = self.wait(async move |pool| marks::begin_import(&pool, &node).await)?;
        self.keep_turn(turn);
        Ok(())
    }

    /// Ends an import that is complete. Blocks.
    pub fn finish_import(&self) -> Result<()> {
        self.take_turn().map_or(Ok(()), |turn| {
            self.wait(async move |pool| marks::finish_import(&pool, turn).await)
        })
    }

    fn keep_turn(&self, turn: Turn) {
        *self.turn.lock().unwrap_or_else(PoisonError::into_inner) = Some(turn);
    }

    fn take_turn(&self) -> Option<Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Makes `changes` together or not at all. Calls `completion` when they are durable.
    pub fn submit(&self, changes: Vec<Change>, completion: Completion) {
        let size = changes.iter().map(Change::size).sum();
        self.queue.submit(Request { changes, completion, size });
    }

    /// Removes every record and every list.
    pub fn wipe(&self, completion: Completion) {
        self.queue.wipe(completion);
    }

    /// Calls `completion` when everything that was submitted before is done.
    fn settle(&self, completion: Completion) {
        self.queue.settle(completion);
    }

    /// Accepts no more changes, finishes those that were submitted, and lets the thread end after its last use.
    fn begin_close(&self) {
        self.queue.close();
        drop(self.in_use.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Runs `work` on the thread of the store, and waits for it. Only for threads that may block.
    fn wait<T: Send + 'static, F>(&self, work: impl FnOnce(Arc<Pool>) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let in_use = self.begin_use().ok_or(StoreError::Closed)?;
        let (sender, result) = mpsc::channel();
        let work = work(Arc::clone(&self.pool));
        self.handle.spawn(async move {
            // The receiver waits below.
            let _ = sender.send(work.await);
            drop(in_use);
        });
        result.recv().unwrap_or(Err(StoreError::Closed))
    }
}

/// Answers the questions of a look-up, from memory where that has the answer.
async fn fetch(
    pool: &Pool,
    blocks: &Blocks,
    lease: &NodeLease,
    lacking: Vec<Question>,
    fetched: &mut Fetched,
) -> Result<()> {
    let version = |key: &Key| lease.cache.versions().of(key);
    let mut keys = Vec::new();
    for question in lacking {
        match question {
            Question::Record(key) => {
                let version = version(&key);
                match lease.peek(&key) {
                    Ok(contents) => fetched.add_record(key, contents, version),
                    Err(NotCached) => keys.push((key, version)),
                }
            }
            Question::Following(key, follow) => {
                let before = version(&key);
                if let Ok(first) = lease.peek(&key) {
                    fetched.add_record(key, first, before);
                    continue;
                }
                // The second record is not known yet, so its version is that of all changes.
                let changes = lease.changes();
                let (first, second) = read::following(pool, &key, &follow).await?;
                lease.keep(&key, first.as_ref(), before);
                fetched.add_record(key, first, before);
                if let Some((key, contents)) = second {
                    let before = version(&key);
                    if lease.changes() == changes {
                        lease.keep(&key, Some(&contents), before);
                        fetched.add_record(key, Some(contents), before);
                    }
                }
            }
            Question::Count(path) => {
                let count = read::count(pool, blocks, &path).await?;
                fetched.add_count(&path, count);
            }
            Question::Has(path, item) => {
                let is_there = read::has(pool, &path, &item).await?;
                fetched.add_item(&path, item, is_there);
            }
            Question::Page(path, offset, size) => {
                let items = read::page(pool, blocks, &path, offset, size).await?;
                fetched.add_page(&path, offset, size, items);
            }
        }
    }
    if !keys.is_empty() {
        let wanted: Vec<Key> = keys.iter().map(|(key, _)| key.clone()).collect();
        let found = read::records(pool, &wanted).await?;
        // A look-up may ask for a record twice.
        for (key, version) in keys {
            let contents = found.get(&key).cloned();
            lease.keep(&key, contents.as_ref(), version);
            fetched.add_record(key, contents, version);
        }
    }
    Ok(())
}
