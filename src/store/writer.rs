//! The writer: one thread that owns every change of a store.
//!
//! It takes what is queued, makes one atomic batch of it, makes the batch durable, then shows it to
//! readers and tells every caller: 64 calls in flight share one sync, and changes of one record
//! follow each other by construction. After a failure it writes no more: a failed sync is never
//! retried, because the system may have dropped what it could not write.

use super::change::{Completion, Request};
use super::disk::Disk;
use super::draft::{put_applied, Draft};
use super::error::{Result, StoreError};
use super::guard::Guard;
use super::key::Key;
use super::Shared;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// How long an acknowledged change may be newer than the guard on the disk.
const GUARD_SYNC: Duration = Duration::from_secs(1);
/// One commit takes no more requests than this, and starts no further one over so many bytes.
const BATCH_REQUESTS: usize = 4096;
const BATCH_BYTES: usize = 16 << 20;

/// What the writer is asked.
pub enum Message {
    /// Change something.
    Change(Request),
    /// Remove everything.
    Wipe(Completion),
    /// Answer when all that was asked before is done, and the guard is synced.
    Settle(Completion),
    /// Finish all that was asked before, then stop.
    Stop,
}

/// The writer's own state.
pub struct Writer {
    shared: Arc<Shared>,
    guard: Guard,
    /// When the guard was last known to be synced.
    synced: Instant,
    applied: u64,
}

impl Writer {
    /// A writer that goes on after change number `applied`.
    pub fn new(shared: Arc<Shared>, guard: Guard, applied: u64) -> Self {
        Self { shared, guard, synced: Instant::now(), applied }
    }

    /// Works until it is told to stop.
    pub fn run(mut self, queue: &Receiver<Message>) {
        let mut next = None;
        loop {
            let message = match next.take() {
                Some(message) => message,
                None => match self.wait(queue) {
                    Some(message) => message,
                    None => break,
                },
            };
            match message {
                Message::Change(request) => {
                    let (requests, after) = gather(request, queue);
                    next = after;
                    match self.shared.taken(&requests) {
                        Ok(()) => self.commit(requests),
                        Err(error) => refuse(requests, &error),
                    }
                }
                Message::Wipe(completion) => completion(self.guarded(Self::wipe)),
                Message::Settle(completion) => completion(self.sync_guard()),
                Message::Stop => break,
            }
            if self.synced.elapsed() >= GUARD_SYNC {
                // The next change is told what went wrong.
                let _ = self.sync_guard();
            }
        }
        // At worst the guard stays a second behind, which it may.
        let _ = self.sync_guard();
    }

    /// The next message; meanwhile the guard is synced when its time has come.
    fn wait(&mut self, queue: &Receiver<Message>) -> Option<Message> {
        if self.guard.is_unsynced() {
            match queue.recv_timeout(GUARD_SYNC.saturating_sub(self.synced.elapsed())) {
                Ok(message) => return Some(message),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {
                    let _ = self.sync_guard();
                }
            }
        }
        queue.recv().ok()
    }

    fn sync_guard(&mut self) -> Result<()> {
        self.synced = Instant::now();
        self.guard.sync().map_err(|error| self.shared.poison(error))
    }

    fn commit(&mut self, requests: Vec<Request>) {
        let mut accepted = Vec::with_capacity(requests.len());
        let result = self.guarded(|writer| {
            let shared = Arc::clone(&writer.shared);
            shared.with_disk(|disk| writer.write(disk, requests, &mut accepted))
        });
        for completion in accepted {
            completion(result.clone());
        }
    }

    /// Tells the requests that fail by themselves, and leaves the others in `accepted`.
    fn write(
        &mut self,
        disk: &Disk,
        requests: Vec<Request>,
        accepted: &mut Vec<Completion>,
    ) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        let sequence = self.applied + 1;
        let mut draft = Draft::new(disk, &shared.cache, sequence);
        for Request { changes, completion, .. } in requests {
            match catch_unwind(AssertUnwindSafe(|| draft.take(changes))) {
                Ok(Ok(())) => accepted.push(completion),
                Ok(Err(error)) => completion(Err(error)),
                Err(panic) => completion(Err(StoreError::panicked("compute", &*panic))),
            }
        }
        if draft.is_empty() {
            return Ok(());
        }
        let (batch, changed) = draft.finish()?;
        self.apply(disk, batch, sequence)?;
        for (key, contents) in changed {
            shared.cache.publish(key, contents);
        }
        Ok(())
    }

    fn wipe(&mut self) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        shared.with_disk(|disk| {
            let sequence = self.applied + 1;
            let mut batch = sled::Batch::default();
            let mut keys = disk.keys();
            // The store's own values come first, and stay.
            while let Some(key) = keys.next().transpose()? {
                if !Key::is_meta(&key) {
                    batch.remove(key);
                }
            }
            put_applied(&mut batch, sequence);
            self.apply(disk, batch, sequence)?;
            shared.cache.clear();
            Ok(())
        })
    }

    fn apply(&mut self, disk: &Disk, batch: sled::Batch, sequence: u64) -> Result<()> {
        {
            let _applying = self.shared.applying.write().unwrap_or_else(PoisonError::into_inner);
            disk.apply(batch)?;
        }
        disk.make_durable()?;
        self.guard.record(sequence)?;
        self.applied = sequence;
        Ok(())
    }

    /// Runs `work` unless the store is poisoned, and poisons the store if it fails or panics.
    fn guarded(&mut self, work: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        self.shared.check_health()?;
        let shared = Arc::clone(&self.shared);
        catch_unwind(AssertUnwindSafe(|| work(self)))
            .unwrap_or_else(|panic| Err(StoreError::panicked("write", &*panic)))
            .map_err(|error| shared.poison(error))
    }
}

fn refuse(requests: Vec<Request>, error: &StoreError) {
    for request in requests {
        (request.completion)(Err(error.clone()));
    }
}

/// All changes that wait, up to a batch, and the message behind them that is none.
fn gather(first: Request, queue: &Receiver<Message>) -> (Vec<Request>, Option<Message>) {
    let mut bytes = first.size;
    let mut requests = vec![first];
    while requests.len() < BATCH_REQUESTS && bytes < BATCH_BYTES {
        match queue.try_recv() {
            Ok(Message::Change(request)) => {
                bytes += request.size;
                requests.push(request);
            }
            Ok(other) => return (requests, Some(other)),
            Err(_) => break,
        }
    }
    (requests, None)
}
