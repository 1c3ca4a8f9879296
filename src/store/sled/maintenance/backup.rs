//! Copies a store as it is at one moment, while it keeps working.
//!
//! First everything is copied while changes continue, and the writer records the keys that it changes. Then these keys
//! are copied again, until few are left. The last ones are read into memory while writes wait, and are written to the
//! copy after that. The copy therefore equals the store at that moment, and no call waits for more than an instant.
//!
//! The copy may be on a volume that is slow or hangs. Therefore no lock of the store is held while the copy is written,
//! and only a little data waits to be written at any time: sled has seven writing threads per process, for all
//! databases.

use crate::store::error::{Result, StoreError};
use crate::store::key::{Key, KeyKind};
use crate::store::report::Report;
use crate::store::sled::commit::changed_keys::{Keys, Noting};
use crate::store::sled::commit::large_values;
use crate::store::sled::commit::old_chunks;
use crate::store::sled::commit::shared::Shared;
use crate::store::sled::database::disk::{self, Disk};
use crate::store::sled::database::errors::caught_in_sled;
use crate::store::sled::database::start::open_sled;
use crate::store::sled::folder;
use crate::store::sled::folder::names::SLED;
use crate::store::sled::folder::rollback_guard::{Mark, StoreId};
use crate::store::sled::format::batch::Batch;
use crate::store::sled::format::meta;
use crate::store::sled::format::meta::APPLIED;
use crate::store::sled::maintenance::verify;
use crate::store::sled::open::create::{self, New};
use std::iter::Peekable;
use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};

/// Size of a batch of the copy, in bytes, roughly. sled flushes after each of them. At most two segments of
/// its log therefore wait for the volume of the copy, plus the one that sled writes every half second.
const BATCH_BYTES: usize = 128 << 10;
/// Writes wait when at most this number of keys is left to copy again, or after this number of rounds.
const FEW: usize = 256;
const ROUNDS: usize = 20;
/// Largest number of simultaneous copies in a process, of any stores. Each can have three segments waiting for its
/// volume, which leaves one of sled's seven threads to the stores themselves.
const COPIES: usize = 2;

static COPYING: Mutex<usize> = Mutex::new(0);
static COPIED: Condvar = Condvar::new();

/// Permission to make one of the simultaneous copies.
struct Turn;

impl Turn {
    /// Waits for the permission.
    fn take() -> Self {
        let copying = COPYING.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = COPIED.wait_while(copying, |copying| *copying >= COPIES);
        *turn.unwrap_or_else(PoisonError::into_inner) += 1;
        Self
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *COPYING.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        COPIED.notify_one();
    }
}

/// Copies the store of `shared` into the empty folder `target`, as a store with the ID `id`, and verifies the copy
/// on disk. Until that has succeeded, the copy is marked as unfinished, and its lock is held. Calls `progress` with the
/// number of bytes copied so far.
pub fn copy(shared: &Shared, target: &Path, id: StoreId, progress: &dyn Fn(u64)) -> Result<Report> {
    // Before the target is touched, so that at most one backup of a store waits for a volume that hangs.
    let changed_keys = shared.changed_keys.begin()?;
    folder::refuse_occupied(target)?;
    let target = folder::make(target)?;
    let _lock = folder::lock(&target)?;
    // Read again, because another process may have used the folder before the lock was taken.
    folder::refuse_occupied(&target)?;
    let _turn = Turn::take();
    let new = create::begin(&target, id, Mark::Copying)?;
    let applied = copy_into(shared, changed_keys, &new.database, progress)?;
    // sled panics if a sync fails while it closes.
    caught_in_sled("verify a copy", &target, || finish(new, applied, &target))
}

/// Completes a copy: closes it, and verifies it on disk. Its last commit has the number `applied`.
fn finish(new: New, applied: u64, target: &Path) -> Result<Report> {
    let mut batch = Batch::default();
    meta::put_applied(&mut batch, applied);
    write(&new.database, &batch)?;
    let (settled, database) = new.settle()?;
    drop(database);
    let sled_folder = target.join(SLED);
    let (database, _) = open_sled(&sled_folder)?;
    let disk = Disk::new(database, create::open_log(&sled_folder)?, &sled_folder);
    // Chunks of a value that was being written to the store during the copy. Those that were being removed have notes, which
    // the next open follows.
    large_values::remove_unfinished(&disk, applied)?;
    let report = verify::verify(&disk, |_| ())?;
    drop(disk);
    if report.problems.number > 0 {
        let what = format!("the copy in {} ({})", target.display(), report.problems.first());
        return Err(StoreError::Damaged { what });
    }
    settled.complete(applied)?;
    Ok(report)
}

/// Copies the records and lists. Returns the number of the last commit in the copy.
fn copy_into(
    shared: &Shared,
    changed_keys: Noting,
    target: &sled::Db,
    progress: &dyn Fn(u64),
) -> Result<u64> {
    shared.unapplied.wait()?;
    copy_all(shared, target, progress)?;
    for _ in 0..ROUNDS {
        let keys = changed_keys.take();
        let left = keys.len();
        copy_keys(shared, target, keys)?;
        if left <= FEW {
            break;
        }
    }
    let mut last = Vec::new();
    // Memory is faster than any target, so few keys are left after each round.
    for _ in 0..ROUNDS {
        let keys = changed_keys.take();
        let left = keys.len();
        last.push(shared.with_disk(|disk| gather_all(disk, keys))?);
        if left <= FEW {
            break;
        }
    }
    let applied = {
        let _still = shared.applying.write().unwrap_or_else(PoisonError::into_inner);
        shared.with_disk(|disk| {
            last.push(gather_all(disk, changed_keys.take())?);
            disk.get(&Key::meta(APPLIED))
        })?
    };
    drop(changed_keys);
    for batch in &last {
        write(target, batch)?;
    }
    let applied = applied.as_deref().and_then(|applied| applied.try_into().ok());
    Ok(applied.map_or(0, u64::from_be_bytes))
}

fn copy_all(shared: &Shared, target: &sled::Db, progress: &dyn Fn(u64)) -> Result<()> {
    let mut after: Option<Vec<u8>> = None;
    let mut copied = 0;
    loop {
        let mut batch = Batch::default();
        let mut bytes = 0;
        shared.with_disk(|disk| {
            for stored in disk.forwards(&[], after.as_deref()) {
                let (key, value) = stored?;
                bytes += key.len() + value.len();
                if is_copied(&key) {
                    batch.insert(&key, value.to_vec());
                }
                after = Some(key.to_vec());
                if bytes >= BATCH_BYTES {
                    break;
                }
            }
            Ok(())
        })?;
        if bytes == 0 {
            return Ok(());
        }
        write(target, &batch)?;
        copied += bytes as u64;
        progress(copied);
    }
}

/// Returns whether `key` belongs into a copy: it is not about the store itself, or it is a note about chunks.
fn is_copied(key: &[u8]) -> bool {
    Key::kind_of(key) != Some(KeyKind::Meta)
        || large_values::is_note(key)
        || old_chunks::noted(key).is_some()
}

fn copy_keys(shared: &Shared, target: &sled::Db, keys: Keys) -> Result<()> {
    let mut keys = keys.into_iter().peekable();
    while keys.peek().is_some() {
        let batch = shared.with_disk(|disk| gather(disk, &mut keys, BATCH_BYTES))?;
        write(target, &batch)?;
    }
    Ok(())
}

fn gather_all(disk: &Disk, keys: Keys) -> Result<Batch> {
    gather(disk, &mut keys.into_iter().peekable(), usize::MAX)
}

/// Reads the values of `keys`, up to about `limit` bytes.
fn gather<K>(disk: &Disk, keys: &mut Peekable<K>, limit: usize) -> Result<Batch>
where
    K: Iterator<Item = Box<[u8]>>,
{
    let mut batch = Batch::default();
    let mut bytes = 0;
    while let Some(key) = keys.next_if(|_| bytes < limit) {
        if !is_copied(&key) {
            continue;
        }
        bytes += key.len();
        match disk.raw(&key)? {
            Some(value) => {
                bytes += value.len();
                batch.insert(&key, value.to_vec());
            }
            None => batch.remove(&key),
        }
    }
    Ok(batch)
}

/// Writes `batch` to the copy, key by key. It need not be atomic, because the copy is unfinished until the end. While
/// sled applies an atomic batch to one database, all others in the process wait.
fn write(target: &sled::Db, batch: &Batch) -> Result<()> {
    let mut bytes = 0;
    for (key, value) in batch.shared() {
        bytes += key.len() + value.as_ref().map_or(0, |value| value.len());
        disk::put(target, key, value).map_err(failed)?;
        if bytes >= BATCH_BYTES {
            bytes = 0;
            disk::flush_surely(target).map_err(failed)?;
        }
    }
    disk::flush_surely(target).map_err(failed)
}

fn failed(error: sled::Error) -> StoreError {
    StoreError::sled("write a copy", Path::new("the copy"), error)
}
