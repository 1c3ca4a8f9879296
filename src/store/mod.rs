//! The store: records and lists, durable when acknowledged. The only room that knows sled.

mod cache;
mod change;
mod disk;
mod draft;
mod error;
mod guard;
pub mod key;
mod list;
mod open;
mod registry;
mod value;
mod writer;
pub mod wtf8;

pub use change::{Change, Completion, Edit, Record};
pub use error::{Result, StoreError};
pub use key::{Key, ListPath};
pub use open::Settings;
pub use registry::{open, settle, Lease};
pub use value::Contents;

use cache::Cache;
use change::Request;
use disk::Disk;
use list::Head;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::thread::JoinHandle;
use writer::Message;

/// The longest key, list path or item, in bytes.
pub const MAX_NAME_BYTES: usize = 64 * 1024;
/// The largest contents of a record, in bytes.
pub const MAX_CONTENTS_BYTES: usize = 64 << 20;
/// More changes, or more bytes of them, never wait: then memory is bounded while a disk is slow.
const MAX_WAITING: usize = 65_536;
const MAX_WAITING_BYTES: usize = 256 << 20;
/// How often a page of a list is read while the list changes, before writing has to wait for it.
const HURRIED_READS: usize = 4;

/// An open store. Reads and requests may come from any thread.
pub struct Store {
    shared: Arc<Shared>,
    queue: Mutex<Option<Sender<Message>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// What the writer and the readers share.
pub struct Shared {
    cache: Cache,
    /// Taken out when the store closes, after the last reader.
    disk: RwLock<Option<Disk>>,
    /// Held by the writer while a batch appears, and by a reader that was overtaken too often.
    applying: RwLock<()>,
    poison: OnceLock<StoreError>,
    waiting: AtomicUsize,
    waiting_bytes: AtomicUsize,
}

impl Store {
    /// What memory knows of the record at `key`: `None` if nothing. Never touches sled.
    #[must_use]
    pub fn peek(&self, key: &Key) -> Option<Option<Contents>> {
        self.shared.cache.peek(key)
    }

    /// What memory knows of how many items a list has. Never touches sled.
    #[must_use]
    pub fn peek_count(&self, path: &ListPath) -> Option<u64> {
        let head = self.shared.cache.peek(&path.head())?;
        Head::read(path, head.as_deref()).ok().map(|head| head.count)
    }

    /// What memory knows of whether a list has `item`. Never touches sled.
    #[must_use]
    pub fn peek_has(&self, path: &ListPath, item: &[u8]) -> Option<bool> {
        self.shared.cache.peek(&path.position(item)).map(|position| position.is_some())
    }

    /// The record at `key`. Blocks.
    pub fn read(&self, key: &Key) -> Result<Option<Contents>> {
        self.shared.cache.get_or_read(key, || self.shared.with_disk(|disk| disk.get(key)))
    }

    /// How many items a list has. Blocks.
    pub fn count(&self, path: &ListPath) -> Result<u64> {
        Ok(Head::read(path, self.read(&path.head())?.as_deref())?.count)
    }

    /// Whether a list has `item`. Blocks.
    pub fn has(&self, path: &ListPath, item: &[u8]) -> Result<bool> {
        Ok(self.read(&path.position(item))?.is_some())
    }

    /// At most `size` items of a list behind the `offset` newest ones, newest first. Blocks.
    pub fn page(&self, path: &ListPath, offset: u64, size: u64) -> Result<Vec<Contents>> {
        self.shared.with_disk(|disk| {
            for _ in 0..HURRIED_READS {
                if let Some(items) = list::page(disk, path, offset, size)? {
                    return Ok(items);
                }
            }
            let _still = self.shared.applying.read().unwrap_or_else(PoisonError::into_inner);
            // Nothing changes now, so the first try succeeds.
            Ok(list::page(disk, path, offset, size)?.unwrap_or_default())
        })
    }

    /// Makes `changes` together or not at all, and tells `completion` when they are durable.
    pub fn submit(&self, changes: Vec<Change>, completion: Completion) {
        let size = changes.iter().map(Change::size).sum();
        let request = Request { changes, completion, size };
        match self.shared.check_health().and_then(|()| self.shared.enqueued(&request)) {
            Ok(()) => self.send(Message::Change(request)),
            Err(error) => (request.completion)(Err(error)),
        }
    }

    /// Removes every record and every list.
    pub fn wipe(&self, completion: Completion) {
        self.send(Message::Wipe(completion));
    }

    /// Tells `completion` when all that was submitted before is durable, and the guard as well.
    pub fn settle(&self, completion: Completion) {
        self.send(Message::Settle(completion));
    }

    fn send(&self, message: Message) {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let unsent = match queue.as_ref() {
            Some(queue) => queue.send(message).err().map(|error| error.0),
            None => Some(message),
        };
        drop(queue);
        match unsent {
            Some(Message::Change(request)) => {
                self.shared.forget(&request);
                (request.completion)(Err(StoreError::Closed));
            }
            Some(Message::Wipe(completion) | Message::Settle(completion)) => {
                completion(Err(StoreError::Closed));
            }
            Some(Message::Stop) | None => {}
        }
    }

    /// How many changes wait to be written.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.shared.waiting.load(Ordering::Relaxed)
    }

    /// Finishes what was submitted, and lets go of the folder. Blocks.
    fn close(&self) {
        self.send(Message::Stop);
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            // The writer catches its panics; if one got through, there is nothing left to wait for.
            let _ = writer.join();
        }
        drop(self.shared.disk.write().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl Shared {
    fn with_disk<T>(&self, read: impl FnOnce(&Disk) -> Result<T>) -> Result<T> {
        let disk = self.disk.read().unwrap_or_else(PoisonError::into_inner);
        read(disk.as_ref().ok_or(StoreError::Closed)?)
    }

    fn check_health(&self) -> Result<()> {
        match self.poison.get() {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }

    /// Refuses every further change; the first error is the one that is told.
    fn poison(&self, cause: StoreError) -> StoreError {
        let poisoned = match cause {
            StoreError::Poisoned { .. } => cause,
            cause => StoreError::Poisoned { cause: Arc::new(cause) },
        };
        self.poison.get_or_init(|| poisoned).clone()
    }

    fn enqueued(&self, request: &Request) -> Result<()> {
        let count = request.changes.len();
        let waiting = self.waiting.fetch_add(count, Ordering::Relaxed) + count;
        let bytes = self.waiting_bytes.fetch_add(request.size, Ordering::Relaxed) + request.size;
        if waiting > MAX_WAITING || bytes > MAX_WAITING_BYTES {
            self.forget(request);
            return Err(StoreError::Busy { waiting });
        }
        Ok(())
    }

    /// The writer's side: `requests` wait no more. An error if they can only be refused.
    fn taken(&self, requests: &[Request]) -> Result<()> {
        for request in requests {
            self.forget(request);
        }
        self.check_health()
    }

    fn forget(&self, request: &Request) {
        self.waiting.fetch_sub(request.changes.len(), Ordering::Relaxed);
        self.waiting_bytes.fetch_sub(request.size, Ordering::Relaxed);
    }
}
