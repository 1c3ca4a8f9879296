//! One commit of the writer: computed, made durable in the journal or in sled, and published to readers.

use crate::store::change::Request;
use crate::store::error::Result;
use crate::store::key::{ChunkId, Key, KeyKind};
use crate::store::panics::{caught, panicked};
use crate::store::sled::commit::transaction::Transaction;
use crate::store::sled::commit::unapplied::Durable;
use crate::store::sled::commit::writer::Writer;
use crate::store::sled::database::disk::Disk;
use crate::store::sled::folder::free_space::FreeSpace;
use crate::store::sled::folder::journal;
use crate::store::sled::format::batch::{Batch, Changed};
use crate::store::sled::format::meta::put_applied;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;
use std::time::Instant;

/// Largest use of the journal on a disk that is nearly full, in bytes. A single entry may be larger.
const CRAMPED_BYTES: usize = 128 << 10;

impl Writer {
    /// Makes one commit of `requests`, and publishes it. Answers the callers whose request fails on its own; the others
    /// wait for the end of the commit. `written_chunks` is the ID of the chunks of the only value, if they are durable
    /// already.
    pub fn make_commit(
        &mut self,
        disk: &Disk,
        requests: Vec<Request>,
        written_chunks: Option<ChunkId>,
    ) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        let commit_number = self.last_commit + 1;
        let size: usize = requests.iter().map(|request| request.size).sum();
        let (all_changes, callers): (Vec<_>, Vec<_>) =
            requests.into_iter().map(|request| (request.changes, request.completion)).unzip();
        // Before the disk is asked anything: the watchdog answers these callers if it hangs.
        let callers = shared.in_flight.add_all(callers);
        let room = disk.room();
        let has_room = room.is_for(size + self.owed);
        let mut transaction = match written_chunks {
            Some(id) => Transaction::with_written_chunks(disk, &shared, commit_number, id),
            None => Transaction::new(disk, &shared, commit_number, has_room, all_changes.len()),
        };
        for (changes, caller) in all_changes.into_iter().zip(callers) {
            shared.in_flight.step();
            let error = match catch_unwind(AssertUnwindSafe(|| transaction.take(changes))) {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => error,
                Err(payload) => panicked("compute a change", &*payload),
            };
            if let Some(completion) = shared.in_flight.remove(caller) {
                completion(Err(error));
            }
        }
        if transaction.is_empty() {
            return Ok(());
        }
        let written = caught("write", || {
            let (batch, old_chunks) = transaction.batch()?;
            let begun = Instant::now();
            let unapplied_batch = self.make_durable(disk, batch, commit_number, &room)?;
            shared.statistics.note(begun.elapsed(), transaction.stale_writes());
            Ok((unapplied_batch, old_chunks))
        });
        let changed = transaction.into_changed();
        let unapplied_batch = match written {
            Ok((unapplied_batch, old_chunks)) => {
                self.old_chunks.extend(old_chunks);
                unapplied_batch
            }
            Err(error) => {
                shared.keep_failed_commit(changed);
                return Err(error);
            }
        };
        let publish = |changed: &Changed| {
            for (key, contents) in changed {
                shared.cache.publish(key, contents.as_ref());
            }
        };
        if let Some(batch) = unapplied_batch {
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

    /// Removes every value except the metadata of the store.
    pub fn wipe(&mut self) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        shared.check_health()?;
        shared.with_disk(|disk| {
            shared.catch_up(disk)?;
            let commit_number = self.last_commit + 1;
            let mut batch = Batch::default();
            for stored in disk.forwards(&[], None) {
                let (key, _) = stored?;
                shared.in_flight.step();
                if Key::kind_of(&key) != Some(KeyKind::Meta) {
                    batch.remove(&key);
                }
            }
            put_applied(&mut batch, commit_number);
            // As an atomic batch: readers would otherwise miss chunks whose head is still there.
            self.give_to_sled(disk, &batch)?;
            self.advance_guard(commit_number)?;
            shared.cache.clear();
            Ok(())
        })
    }

    /// Makes `batch` durable. Returns it if sled still lacks it.
    fn make_durable(
        &mut self,
        disk: &Disk,
        batch: Batch,
        commit_number: u64,
        room: &FreeSpace,
    ) -> Result<Option<Batch>> {
        let unapplied_batch = if journal::can_hold(&batch) {
            // sled may not have written the journal's changes yet, so the free space of the disk does not account for
            // them.
            let limit = if room.is_for(journal::BYTES) { journal::BYTES } else { CRAMPED_BYTES };
            if !self.journal.has_room(&batch, limit) {
                self.empty_journal(disk)?;
            }
            let lacking = !self.shared.unapplied.is_empty();
            let catch_up = lacking.then_some(|| self.shared.catch_up(disk));
            self.journal.append(commit_number, &batch, catch_up)?;
            self.shared.in_flight.step();
            Some(batch)
        } else {
            self.give_to_sled(disk, &batch)?;
            None
        };
        self.advance_guard(commit_number)?;
        Ok(unapplied_batch)
    }

    /// Makes `batch`, and everything before it, durable in sled. Applies it atomically, without the journal.
    fn give_to_sled(&mut self, disk: &Disk, batch: &Batch) -> Result<()> {
        self.shared.catch_up(disk)?;
        self.shared.apply_visibly(disk, batch, |batch| disk.apply(batch))?;
        self.empty_journal(disk)
    }

    /// Records that everything up to commit `commit_number` is durable.
    fn advance_guard(&mut self, commit_number: u64) -> Result<()> {
        self.guard.record(commit_number)?;
        self.last_commit = commit_number;
        Ok(())
    }
}
