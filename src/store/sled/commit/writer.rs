//! The writer: the one thread that makes every change of a store.
//!
//! It takes the queued requests, and makes one atomic batch of them. It makes the batch durable, publishes it to
//! readers, and answers every caller. Sixty-four concurrent calls therefore share one sync, and changes of a record
//! follow each other. After a failure it writes no more: a failed sync is never retried, because the system may have
//! dropped the data that it could not write.

use crate::store::change::{Completion, Request};
use crate::store::error::{Result, StoreError};
use crate::store::key::{ChunkId, Key, KeyKind};
use crate::store::panics::caught;
use crate::store::sled::commit::large_values::{self, Ahead};
use crate::store::sled::commit::queue::{long_write, Message, Next};
use crate::store::sled::commit::shared::Shared;
use crate::store::sled::commit::transaction::Transaction;
use crate::store::sled::commit::unapplied::Durable;
use crate::store::sled::database::disk::Disk;
use crate::store::sled::database::release::Release;
use crate::store::sled::folder::free_space::FreeSpace;
use crate::store::sled::folder::journal::{self, Journal};
use crate::store::sled::folder::rollback_guard::RollbackGuard;
use crate::store::sled::format::batch::Batch;
use crate::store::sled::format::batch::Changed;
use crate::store::sled::format::meta::put_applied;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Longest time for which an acknowledged change may be newer than the guard on disk.
const GUARD_SYNC: Duration = Duration::from_secs(1);
/// Largest number of requests in a commit, and the size in bytes from which a commit takes no further request.
/// Including the last request, it then fits into the journal. A larger commit goes to sled as an atomic batch, which
/// takes a lock that all stores of the process share; a backup to a volume that hangs may hold that lock.
const BATCH_REQUESTS: usize = 4096;
const BATCH_BYTES: usize = journal::BYTES - large_values::LARGE_BYTES - (128 << 10);
/// Largest use of the journal on a disk that is nearly full, in bytes. A single entry may be larger.
const CRAMPED_BYTES: usize = 128 << 10;

/// State of the writer.
pub struct Writer {
    shared: Arc<Shared>,
    guard: RollbackGuard,
    journal: Journal,
    /// Time of the last sync of the guard.
    synced: Instant,
    applied: u64,
    /// Bytes that a long write still has to write: the commits between its slices leave room for them.
    owed: usize,
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
    /// Returns a writer that continues after change number `applied`.
    pub fn new(shared: Arc<Shared>, guard: RollbackGuard, journal: Journal, applied: u64) -> Self {
        Self { shared, guard, journal, synced: Instant::now(), applied, owed: 0 }
    }

    /// Runs until the queue is closed.
    pub fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        loop {
            if shared.queue.is_empty() {
                self.watched(|| shared.with_disk(|disk| shared.catch_up(disk)));
            }
            let limit = GUARD_SYNC.saturating_sub(self.synced.elapsed());
            match shared.queue.next(self.guard.is_unsynced().then_some(limit)) {
                Next::Message(Message::Change(first)) => {
                    if let Some((key, contents)) = long_write(&first) {
                        let key = key.clone();
                        let ahead = Ahead::new(&key, contents, self.applied);
                        self.commit_long(first, &key, ahead);
                    } else {
                        self.commit_gathered(Some(first), None);
                    }
                }
                Next::Message(Message::Wipe(completion)) => {
                    shared.commit.add(completion);
                    self.timed(Self::wipe);
                }
                Next::Message(Message::Settle(completion)) => {
                    shared.commit.add(completion);
                    self.timed(|writer| writer.guard.sync());
                    self.synced = Instant::now();
                }
                Next::Nothing => {}
                Next::Closed => break,
            }
            self.sync_old_guard();
        }
        // If this fails, the guard is at most a second behind, which is allowed, and an open reads the journal.
        let _ = self.sync_guard();
        self.watched(|| shared.with_disk(Disk::make_durable));
    }

    /// Does work that no caller waits for, supervised by the watchdog. If sled fails, the next commit gets the error,
    /// so that its changes are kept as those of a failed commit.
    fn watched(&self, work: impl FnOnce() -> Result<()>) {
        self.shared.commit.begin();
        let result = caught("write", work);
        self.shared.commit.end();
        if let Err(error) = result {
            self.shared.unapplied.fail(error);
        }
    }

    fn sync_guard(&mut self) -> Result<()> {
        self.synced = Instant::now();
        self.shared.commit.begin();
        let result = self.guard.sync();
        self.shared.commit.end();
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
            shared.taken(&requests);
            self.commit(requests, None);
        }
    }

    /// Commits the long write `request` of the record at `key`. Makes other commits between its slices.
    fn commit_long(&mut self, request: Request, key: &Key, mut ahead: Ahead) {
        let shared = Arc::clone(&self.shared);
        shared.taken(std::slice::from_ref(&request));
        let size = request.size;
        // The first failure answers the caller: of a slice, the watchdog, or the commit.
        let caller = Arc::new(Mutex::new(Some(request.completion)));
        let tell = |caller: &Mutex<Option<Completion>>, result: Result<()>| {
            let caller = caller.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(caller) = caller {
                caller(result);
            }
        };
        let mut has_room = true;
        let mut goes_on = true;
        while goes_on {
            let told = Arc::clone(&caller);
            shared.commit.add(Box::new(move |result| {
                if result.is_err() {
                    tell(&told, result);
                }
            }));
            goes_on = false;
            self.timed(|_| {
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
        let completion: Completion = Box::new(move |result| tell(&caller, result));
        // Without free space the commit returns the error.
        let written = has_room.then(|| ahead.id());
        self.commit(vec![Request { completion, ..request }], written);
    }

    /// Commits `requests`. `ahead` is the ID of the chunks of the only value, if they are durable already.
    fn commit(&mut self, requests: Vec<Request>, ahead: Option<ChunkId>) {
        if let Err(error) = self.shared.check_health() {
            for request in requests {
                (request.completion)(Err(error.clone()));
            }
            return;
        }
        self.timed(|writer| {
            let shared = Arc::clone(&writer.shared);
            shared.with_disk(|disk| writer.write(disk, requests, ahead))
        });
    }

    /// Does `work` supervised by the watchdog, and answers the callers that wait for it.
    fn timed(&mut self, work: impl FnOnce(&mut Self) -> Result<()>) {
        self.shared.commit.begin();
        let result = self.guarded(work);
        for completion in self.shared.commit.end() {
            completion(result.clone());
        }
    }

    /// Answers requests that fail on their own. The others wait for the commit.
    fn write(&mut self, disk: &Disk, requests: Vec<Request>, ahead: Option<ChunkId>) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        let sequence = self.applied + 1;
        let size: usize = requests.iter().map(|request| request.size).sum();
        let (all_changes, callers): (Vec<_>, Vec<_>) =
            requests.into_iter().map(|request| (request.changes, request.completion)).unzip();
        // Before the disk is asked anything: the watchdog answers these callers if it hangs.
        let callers = shared.commit.add_all(callers);
        let room = disk.room();
        let has_room = room.is_for(size + self.owed);
        let mut transaction = match ahead {
            Some(id) => Transaction::behind(disk, &shared, sequence, id),
            None => Transaction::new(disk, &shared, sequence, has_room, all_changes.len()),
        };
        for (changes, caller) in all_changes.into_iter().zip(callers) {
            shared.commit.step();
            let error = match catch_unwind(AssertUnwindSafe(|| transaction.take(changes))) {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => error,
                Err(_) => StoreError::Panicked {
                    action: "compute a change",
                    cause: "its message is left out, since it may quote the record".into(),
                },
            };
            if let Some(completion) = shared.commit.remove(caller) {
                completion(Err(error));
            }
        }
        if transaction.is_empty() {
            return Ok(());
        }
        let kept = caught("write", || self.keep(disk, transaction.batch()?, sequence, &room));
        let changed = transaction.into_changed();
        let left = match kept {
            Ok(left) => left,
            Err(error) => {
                shared.keep_failed_commit(changed);
                return Err(error);
            }
        };
        let publish = |changed: &Changed| {
            for (key, contents) in changed {
                shared.cache.publish(key, contents.clone());
            }
        };
        if let Some(batch) = left {
            let commit = Arc::new(Durable { batch, changed });
            shared.unapplied.put(Arc::clone(&commit));
            publish(&commit.changed);
        } else {
            publish(&changed);
        }
        Ok(())
    }

    /// Makes everything durable in sled, including the last commit, and starts the journal again.
    fn empty_journal(&mut self, disk: &Disk) -> Result<()> {
        self.shared.catch_up(disk)?;
        disk.make_durable()?;
        self.journal.begin_anew();
        Ok(())
    }

    fn wipe(&mut self) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        shared.check_health()?;
        shared.with_disk(|disk| {
            shared.catch_up(disk)?;
            let sequence = self.applied + 1;
            let mut batch = Batch::default();
            for stored in disk.forwards(&[], None) {
                let (key, _) = stored?;
                shared.commit.step();
                if Key::kind_of(&key) != Some(KeyKind::Meta) {
                    batch.remove(&key);
                }
            }
            put_applied(&mut batch, sequence);
            // As an atomic batch: readers would otherwise miss chunks whose head is still there.
            self.give_to_sled(disk, &batch)?;
            self.note(sequence)?;
            shared.cache.clear();
            Ok(())
        })
    }

    /// Makes `batch` durable. Returns it if sled still lacks it.
    fn keep(
        &mut self,
        disk: &Disk,
        batch: Batch,
        sequence: u64,
        room: &FreeSpace,
    ) -> Result<Option<Batch>> {
        let begun = Instant::now();
        let left = if journal::can_hold(&batch) {
            // sled may not have written the journal's changes yet, so the free space of the disk does not account for
            // them.
            let limit = if room.is_for(journal::BYTES) { journal::BYTES } else { CRAMPED_BYTES };
            if !self.journal.has_room(&batch, limit) {
                self.empty_journal(disk)?;
            }
            let lacking = !self.shared.unapplied.is_empty();
            let catch_up = lacking.then_some(|| self.shared.catch_up(disk));
            self.journal.append(sequence, &batch, catch_up)?;
            self.shared.commit.step();
            Some(batch)
        } else {
            self.give_to_sled(disk, &batch)?;
            None
        };
        self.shared.syncs.note(begun.elapsed());
        self.note(sequence)?;
        Ok(left)
    }

    /// Makes `batch`, and everything before it, durable in sled. Applies it atomically, without the journal.
    fn give_to_sled(&mut self, disk: &Disk, batch: &Batch) -> Result<()> {
        self.shared.catch_up(disk)?;
        self.shared.appear(disk, batch, |batch| disk.apply(batch))?;
        self.empty_journal(disk)
    }

    /// Records that everything up to change number `sequence` is durable.
    fn note(&mut self, sequence: u64) -> Result<()> {
        self.guard.record(sequence)?;
        self.applied = sequence;
        Ok(())
    }

    /// Poisons the store if `work` fails or panics.
    fn guarded(&mut self, work: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        caught("write", || work(self)).map_err(|error| {
            let error = shared.poison(error);
            shared.unapplied.fail(error.clone());
            error
        })
    }
}
