//! A copy of a store as it is at one moment, while the store goes on working.
//!
//! Everything is copied while changes go on, and the writer notes which keys it touches. Then these are copied
//! again, until few are left; the last ones while writing waits. So the copy is what the store is at
//! that moment, and no call waits for more than an instant.

use super::batch::Batch;
use super::create::{self, New};
use super::disk::{self, Disk};
use super::draft::{self, APPLIED};
use super::error::{Result, StoreError};
use super::folder::{self, SLED};
use super::guard::{Mark, StoreId};
use super::key::{Key, KeyKind};
use super::opener::open_sled;
use super::verify::{self, Report};
use super::Shared;
use std::collections::HashSet;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::Path;
use std::sync::PoisonError;

/// A batch of the copy takes about so many bytes. After each of them sled is told to flush, or what it has written
/// anew meanwhile is no free room for it: with this size the copy is the smallest, by a quarter.
const BATCH_BYTES: usize = 1 << 20;
/// Writing waits when no more keys than this are left to copy again, or after so many rounds.
const FEW: usize = 256;
const ROUNDS: usize = 20;

/// Copies the store behind `shared` into the empty folder `target`, as a store with the id `id`, and reads the copy from
/// the disk. The copy is marked as unfinished until it was found to be right, and its lock is held until then.
/// `progress` is told the bytes copied so far.
pub fn copy(shared: &Shared, target: &Path, id: StoreId, progress: &dyn Fn(u64)) -> Result<Report> {
    folder::refuse_occupied(target)?;
    let target = folder::make(target)?;
    let _lock = folder::lock(&target)?;
    // Read again: before the lock it may have been another's.
    folder::refuse_occupied(&target)?;
    let new = create::begin(&target, id, Mark::Copying)?;
    shared.note_touched()?;
    let copied = shared.with_all(|disk| {
        copy_all(disk, &new.database, progress)?;
        for _ in 0..ROUNDS {
            let touched = shared.take_touched();
            copy_keys(disk, &new.database, &touched)?;
            if touched.len() <= FEW {
                break;
            }
        }
        let _still = shared.applying.write().unwrap_or_else(PoisonError::into_inner);
        copy_keys(disk, &new.database, &shared.take_touched())?;
        disk.get(&Key::meta(APPLIED))
    });
    shared.forget_touched();
    let applied = copied?.as_deref().and_then(|applied| applied.try_into().ok());
    let applied = applied.map_or(0, u64::from_be_bytes);
    // sled panics where a sync fails while it closes.
    catch_unwind(AssertUnwindSafe(|| finish(new, applied, &target))).unwrap_or_else(|panic| {
        Err(StoreError::panicked("verify a copy", &*panic).of_sled(&target))
    })
}

/// Completes a copy that ends with change number `applied`, once it was closed and read from the disk.
fn finish(new: New, applied: u64, target: &Path) -> Result<Report> {
    let mut batch = Batch::default();
    draft::put_applied(&mut batch, applied);
    apply(&new.database, &batch)?;
    let (settled, database) = new.settle()?;
    drop(database);
    let sled_folder = target.join(SLED);
    let (database, _) = open_sled(&sled_folder)?;
    let disk = Disk::new(database, create::open_log(&sled_folder)?, &sled_folder);
    let report = verify::verify(&disk, |_| ())?;
    drop(disk);
    if report.problems.number > 0 {
        let what = format!("the copy in {} ({})", target.display(), report.problems.first());
        return Err(StoreError::Damaged { what });
    }
    settled.complete(applied)?;
    Ok(report)
}

fn copy_all(disk: &Disk, target: &sled::Db, progress: &dyn Fn(u64)) -> Result<()> {
    let mut batch = Batch::default();
    let mut bytes = 0;
    let mut copied = 0;
    for stored in disk.forwards(&[], None) {
        let (key, value) = stored?;
        if Key::kind_of(&key) == Some(KeyKind::Meta) {
            continue;
        }
        bytes += key.len() + value.len();
        batch.insert(&key, value.to_vec());
        if bytes >= BATCH_BYTES {
            copied += bytes as u64;
            bytes = 0;
            apply(target, &std::mem::take(&mut batch))?;
            disk::flush_surely(target).map_err(failed)?;
            progress(copied);
        }
    }
    apply(target, &batch)
}

fn copy_keys(disk: &Disk, target: &sled::Db, keys: &HashSet<Box<[u8]>>) -> Result<()> {
    let mut batch = Batch::default();
    for key in keys {
        if Key::kind_of(key) == Some(KeyKind::Meta) {
            continue;
        }
        match disk.raw(key)? {
            Some(value) => batch.insert(key, value.to_vec()),
            None => batch.remove(key),
        }
    }
    apply(target, &batch)
}

fn apply(target: &sled::Db, batch: &Batch) -> Result<()> {
    target.apply_batch(batch.to_sled()).map_err(failed)
}

fn failed(error: sled::Error) -> StoreError {
    StoreError::sled("write a copy", Path::new("the copy"), error)
}
