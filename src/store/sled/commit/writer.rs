//! The writer: the one thread that makes every change of a store.
//!
//! It takes the queued requests, and makes one atomic batch of them. It makes the batch durable, publishes it to
//! readers, and answers every caller. Sixty-four concurrent calls therefore share one sync, and changes of a record
//! follow each other. After a failure it writes no more: a failed sync is never retried, because the system may have
//! dropped the data that it could not write.

use crate::store::change::{Completion, Request};
use crate::store::error::Result;
use crate::store::key::{ChunkId, Key};
use crate::store::panics::caught;
use crate::store::sled::commit::large_values::{self, Ahead};
use crate::store::sled::commit::old_chunks::OldChunks;
use crate::store::sled::commit::queue::{long_write, Message, Next};
use crate::store::sled::commit::shared::Shared;
use crate::store::sled::database::disk::Disk;
use crate::store::sled::database::release::Release;
use crate::store::sled::folder::journal::{self, Journal};
use crate::store::sled::folder::rollback_guard::RollbackGuard;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Longest time for which an acknowledged change may be newer than the guard on disk.
const GUARD_SYNC: Duration = Duration::from_secs(1);
/// Largest number of requests in a commit, and the size in bytes from which a commit takes no further request.
/// Including the last request, it then fits into the journal. A larger commit goes to sled as an atomic batch, which
/// takes a lock that all stores of the process share; a backup to a volume that hangs may hold that lock.
const BATCH_REQUESTS: usize = 4096;
const BATCH_BYTES: usize = journal::BYTES - large_values::LARGE_BYTES - (128 << 10);

/// State of the writer.
pub struct Writer {
    pub(super) shared: Arc<Shared>,
    pub(super) guard: RollbackGuard,
    pub(super) journal: Journal,
    /// Time of the last sync of the guard.
    synced: Instant,
    /// Number of the last durable commit. sled may still lack it.
    pub(super) last_commit: u64,
    /// Bytes that a long write still has to write: the commits between its slices leave room for them.
    pub(super) owed: usize,
    /// Chunks that are left to remove, those of the first commit first.
    pub(super) old_chunks: VecDeque<OldChunks>,
}

/// Starts the thread of `writer`. At its end it drops the disk, and notifies `release`.
pub fn start(writer: Writer, release: Arc<Release>) -> std::io::Result<()> {
    let work = move || {
        let shared = Arc::clone(&writer.shared);
        if let Err(error) = caught("write", || {
            writer.run();
            Ok(())
        }) {
            let error = shared.poison(error);
            shared.queue.close();
            for message in shared.queue.drain() {
                shared.refuse(message, &error);
            }
        }
        shared.let_go();
        release.written();
    };
    std::thread::Builder::new().name("dashboard-sled writer".into()).spawn(work).map(drop)
}

impl Writer {
    /// Returns a writer that continues after commit `last_commit`.
    pub fn new(
        shared: Arc<Shared>,
        guard: RollbackGuard,
        journal: Journal,
        last_commit: u64,
    ) -> Self {
        Self {
            shared,
            guard,
            journal,
            synced: Instant::now(),
            last_commit,
            owed: 0,
            old_chunks: VecDeque::new(),
        }
    }

    /// Runs until the queue is closed and all old chunks are removed.
    pub fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        loop {
            if shared.queue.is_empty() {
                self.in_background(|| shared.with_disk(|disk| shared.catch_up(disk)));
            }
            // After each message, so that neither waits for long.
            if self.remove_old_chunks() && shared.queue.is_empty() {
                self.sync_old_guard();
                continue;
            }
            let limit = GUARD_SYNC.saturating_sub(self.synced.elapsed());
            match shared.queue.next(self.guard.is_unsynced().then_some(limit)) {
                Next::Message(Message::Change(first)) => {
                    if let Some((key, contents)) = long_write(&first) {
                        let key = key.clone();
                        let ahead = Ahead::new(&key, contents, self.last_commit);
                        self.commit_long(first, &key, ahead);
                    } else {
                        self.commit_gathered(Some(first), None);
                    }
                }
                Next::Message(Message::Wipe(completion)) => {
                    shared.in_flight.add(completion);
                    self.answering(Self::wipe);
                }
                Next::Message(Message::Settle(completion)) => {
                    shared.in_flight.add(completion);
                    self.answering(|writer| writer.guard.sync());
                    self.synced = Instant::now();
                }
                Next::Nothing => {}
                Next::Closed => break,
            }
            self.sync_old_guard();
        }
        // If this fails, the guard is at most a second behind, which is allowed, and an open reads the journal.
        let _ = self.sync_guard();
        self.in_background(|| shared.with_disk(Disk::make_durable));
    }

    /// Does `work` that no caller waits for, supervised by the watchdog. If sled fails, the next commit gets the error,
    /// so that its changes are kept as those of a failed commit.
    fn in_background(&self, work: impl FnOnce() -> Result<()>) {
        self.shared.in_flight.begin();
        let result = caught("write", work);
        self.shared.in_flight.end();
        if let Err(error) = result {
            self.shared.unapplied.fail(error);
        }
    }

    /// Removes a slice of old chunks. Returns whether there was one to remove.
    fn remove_old_chunks(&mut self) -> bool {
        let Some(mut chunks) = self.old_chunks.pop_front() else {
            return false;
        };
        let mut goes_on = false;
        let shared = Arc::clone(&self.shared);
        self.in_background(|| {
            shared.check_health()?;
            shared.with_disk(|disk| {
                shared.catch_up(disk)?;
                goes_on = chunks.remove_next(&shared, disk)?;
                Ok(())
            })
        });
        if goes_on {
            self.old_chunks.push_front(chunks);
        }
        true
    }

    fn sync_guard(&mut self) -> Result<()> {
        self.synced = Instant::now();
        self.shared.in_flight.begin();
        let result = self.guard.sync();
        self.shared.in_flight.end();
        result.map_err(|error| self.shared.poison(error))
    }

    fn sync_old_guard(&mut self) {
        if self.synced.elapsed() >= GUARD_SYNC {
            // The next change gets the error.
            let _ = self.sync_guard();
        }
    }

    /// Commits `first` and the requests that wait after it, except those that change the record `busy`.
    fn commit_gathered(&mut self, first: Option<Request>, busy: Option<&Key>) {
        let shared = Arc::clone(&self.shared);
        let requests = shared.queue.gather(first, busy, BATCH_REQUESTS, BATCH_BYTES);
        if !requests.is_empty() {
            shared.release(&requests);
            self.commit(requests, None);
        }
    }

    /// Commits the long write `request` of the record at `key`. Makes other commits between its slices.
    fn commit_long(&mut self, request: Request, key: &Key, mut ahead: Ahead) {
        let shared = Arc::clone(&self.shared);
        shared.release(std::slice::from_ref(&request));
        let size = request.size;
        // The first failure answers the caller: of a slice, the watchdog, or the commit.
        let caller = Arc::new(Mutex::new(Some(request.completion)));
        let answer = |caller: &Mutex<Option<Completion>>, result: Result<()>| {
            let caller = caller.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(caller) = caller {
                caller(result);
            }
        };
        let mut has_room = true;
        let mut goes_on = true;
        while goes_on {
            let waiting = Arc::clone(&caller);
            shared.in_flight.add(Box::new(move |result| {
                if result.is_err() {
                    answer(&waiting, result);
                }
            }));
            goes_on = false;
            self.answering(|_| {
                shared.check_health()?;
                shared.with_disk(|disk| {
                    has_room = ahead.is_begun() || disk.room().is_for(size);
                    if has_room {
                        // The previous long write may not be in sled yet. Its commit removes a note, and must not remove
                        // this one's.
                        shared.catch_up(disk)?;
                        goes_on = ahead.write_next(&shared, disk)?;
                    }
                    Ok(())
                })
            });
            self.owed = size.saturating_sub(ahead.written_bytes());
            if goes_on {
                self.commit_gathered(None, Some(key));
                self.sync_old_guard();
            }
        }
        self.owed = 0;
        let completion: Completion = Box::new(move |result| answer(&caller, result));
        // Without free space the commit returns the error.
        let written_chunks = has_room.then(|| ahead.id());
        self.commit(vec![Request { completion, ..request }], written_chunks);
    }

    /// Commits `requests`. `written_chunks` is the ID of the chunks of the only value, if they are durable already.
    fn commit(&mut self, requests: Vec<Request>, written_chunks: Option<ChunkId>) {
        if let Err(error) = self.shared.check_health() {
            for request in requests {
                (request.completion)(Err(error.clone()));
            }
            return;
        }
        self.answering(|writer| {
            let shared = Arc::clone(&writer.shared);
            shared.with_disk(|disk| writer.make_commit(disk, requests, written_chunks))
        });
    }

    /// Does `work` supervised by the watchdog, and answers the callers that wait for it.
    fn answering(&mut self, work: impl FnOnce(&mut Self) -> Result<()>) {
        self.shared.in_flight.begin();
        let result = self.poisoning(work);
        for completion in self.shared.in_flight.end() {
            completion(result.clone());
        }
    }

    /// Poisons the store if `work` fails or panics.
    fn poisoning(&mut self, work: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        caught("write", || work(self)).map_err(|error| {
            let error = shared.poison(error);
            shared.unapplied.fail(error.clone());
            error
        })
    }
}
