//! Opens a store.
//!
//! - [`create`]: makes a new one
//! - [`read_only`]: opens one that cannot be written
//! - [`registry`]: shares open stores within the process
//!
//! An open takes the lock of the folder, and finishes an interrupted swap. It opens sled and the guard, and checks that
//! they belong together. It replays the journal, and refuses a store that lost acknowledged changes. Then it starts the
//! watchdog and the writer.

pub mod create;
mod read_only;
pub mod registry;

use crate::store::cache::Cache;
use crate::store::error::{Result, StoreError};
use crate::store::key::Key;
use crate::store::notice::Notice;
use crate::store::sled::commit::changed_keys::ChangedKeys;
use crate::store::sled::commit::in_flight::InFlightCommit;
use crate::store::sled::commit::large_values;
use crate::store::sled::commit::old_chunks;
use crate::store::sled::commit::queue::Queue;
use crate::store::sled::commit::shared::Shared;
use crate::store::sled::commit::unapplied::Unapplied;
use crate::store::sled::commit::watchdog;
use crate::store::sled::commit::writer::{self, Writer};
use crate::store::sled::database::disk::Disk;
use crate::store::sled::database::errors::caught_in_sled;
use crate::store::sled::database::release::{Held, Release};
#[cfg(unix)]
use crate::store::sled::database::snapshot::Schedule;
use crate::store::sled::database::start::open_sled;
use crate::store::sled::folder::free_space;
use crate::store::sled::folder::journal::{Entry, Journal};
use crate::store::sled::folder::names::{JOURNAL, LOG, SLED};
use crate::store::sled::folder::rollback_guard::{Mark, RollbackGuard, StoreId};
use crate::store::sled::folder::swap;
use crate::store::sled::folder::{self, FolderLock, State, STORE_ID};
use crate::store::sled::format::batch::Batch;
use crate::store::sled::format::meta::{put_applied, put_quarantine, APPLIED, QUARANTINE};
use crate::store::sled::read::page::Pages;
use crate::store::sled::Store;
use crate::store::statistics::Statistics;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, OnceLock, RwLock};
use std::time::Duration;
use uuid::Uuid;

/// Settings of a store.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The store's folder.
    pub path: PathBuf,
    /// Whether to create the store if it is missing.
    pub creates: bool,
    /// Size of the cache of records, in bytes.
    pub cache_bytes: u64,
    /// Longest time of a commit. If the disk does not finish one in this time, the store accepts no more changes.
    pub commit_limit: Duration,
    /// ID of a store that has to be created.
    pub new_id: StoreId,
    /// Whether to open a store that lost acknowledged changes. The store is then quarantined: opens without this setting
    /// are refused until [`crate::store::Change::ClearQuarantine`].
    pub accepts_rollback: bool,
}

impl Settings {
    /// Time limit of a commit while a store is only being maintained. No user waits for it, so a slow disk may take
    /// longer.
    const COMMIT_LIMIT: Duration = Duration::from_secs(60);
    /// Size of the cache of a store that is only being maintained, in bytes.
    const CACHE_BYTES: u64 = 16 << 20;

    /// Returns the settings for the maintenance of the store in the folder `path`, which is not created if it is missing.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            creates: false,
            cache_bytes: Self::CACHE_BYTES,
            commit_limit: Self::COMMIT_LIMIT,
            new_id: Uuid::new_v4().into_bytes(),
            accepts_rollback: false,
        }
    }
}

/// An open store whose writer is not started.
pub struct Opened {
    /// The data on disk.
    pub disk: Disk,
    /// The guard of the data.
    pub guard: RollbackGuard,
    /// The journal. All its changes are in sled.
    pub journal: Journal,
    /// Number of the last commit.
    pub applied: u64,
    /// Notices for the operator.
    pub notices: Vec<Notice>,
    /// The lock of the folder.
    pub lock: FolderLock,
}

/// Opens the store at the real path in `settings`. Catches panics: sled panics if a sync fails while it closes after an
/// unsuccessful open.
pub fn open(settings: &Settings) -> Result<(Store, FolderLock)> {
    start(settings, open_disk(settings)?)
}

/// Opens a store without starting its writer.
pub fn open_disk(settings: &Settings) -> Result<Opened> {
    caught_in_sled("open the store", &settings.path, || open_or_panic(settings))
}

fn open_or_panic(settings: &Settings) -> Result<Opened> {
    let folder = &settings.path;
    // Refuses a folder that cannot be a store before anything is touched.
    folder::require_openable(folder, settings.creates)?;
    let lock = folder::lock(folder)?;
    let mut notices = Vec::new();
    if matches!(folder::read(folder)?, State::Whole(_) | State::Swapping) {
        notices.extend(swap::finish(folder)?.map(Notice::repaired));
        folder::refuse_links(folder)?;
    }
    // Read again, because another process may have changed the folder before the lock was taken.
    let state = folder::require_store(folder, settings.creates)?;
    let sled_folder = folder.join(SLED);
    let (guard, database) = match state {
        Some(state) => {
            for name in [LOG, JOURNAL] {
                if !folder::is_there(&sled_folder.join(name))? {
                    return Err(mismatch(folder, "the guard is there, a part of the data is not"));
                }
            }
            let (database, repaired) = open_sled(&sled_folder)?;
            notices.extend(repaired.into_iter().map(Notice::repaired));
            (RollbackGuard::open(folder, state)?, database)
        }
        None => create::begin(folder, settings.new_id, Mark::Creating)?.complete(0)?,
    };
    let log = create::open_log(&sled_folder)?;
    notices.extend(folder::owner_only(folder)?);
    create::sync_files(folder, &sled_folder)?;
    let disk = Disk::new(database, log, &sled_folder);
    check_id(folder, &disk, &guard)?;
    let (mut journal, found) = Journal::open(&sled_folder, guard.state().id)?;
    let seen = found.highest.max(guard.state().commit_number);
    let applied = replay(found.entries, &disk, read_applied(folder, &disk)?)?;
    let accepted = refuse_rollback(folder, &disk, applied, seen, settings.accepts_rollback)?;
    if accepted > applied {
        // Changes that were cut off stay cut off, even if the disk can read them again tomorrow.
        journal.clear()?;
    }
    large_values::remove_unfinished(&disk, applied)?;
    old_chunks::remove_noted(&disk)?;
    notices.extend(free_space::notices(folder));
    folder::give_to_owner(folder);
    Ok(Opened { disk, guard, journal, applied: accepted, notices, lock })
}

fn start(settings: &Settings, opened: Opened) -> Result<(Store, FolderLock)> {
    let Opened { disk, guard, journal, applied, notices, lock } = opened;
    let progress = disk.progress();
    #[cfg(unix)]
    let snapshots = Arc::new(Schedule::new(disk.folder()));
    let release = Arc::new(Release::new());
    let held = Arc::new(Held::new(disk, Arc::clone(&release)));
    let shared = Arc::new(Shared {
        cache: Cache::new(settings.cache_bytes),
        queue: Queue::new(),
        unapplied: Unapplied::default(),
        in_flight: InFlightCommit::new(progress),
        disk: Arc::downgrade(&held),
        held_by_writer: Mutex::new(Some(held)),
        applying: RwLock::new(()),
        poisoned: OnceLock::new(),
        failed_commit: OnceLock::new(),
        changed_keys: ChangedKeys::default(),
        pages: Pages::default(),
        #[cfg(unix)]
        snapshots,
        statistics: Statistics::new(),
        waiting: AtomicUsize::new(0),
        waiting_bytes: AtomicUsize::new(0),
    });
    let writer = Writer::new(Arc::clone(&shared), guard, journal, applied);
    // The writer starts last: if the watchdog could not start, a running writer would stay behind, and keep the folder.
    watchdog::watch(&shared, settings.commit_limit)
        .and_then(|()| writer::start(writer, Arc::clone(&release)))
        .map_err(StoreError::no_thread)?;
    Ok((Store { shared, release, notices }, lock))
}

/// Fails if the guard and the data do not belong together.
fn check_id(folder: &Path, disk: &Disk, guard: &RollbackGuard) -> Result<()> {
    match disk.get(&Key::meta(STORE_ID))? {
        Some(id) if *id == guard.state().id => Ok(()),
        Some(_) => Err(mismatch(folder, "they have different ids")),
        None => Err(mismatch(folder, "the data has no id")),
    }
}

/// Returns the number of the last commit in sled.
fn read_applied(folder: &Path, disk: &Disk) -> Result<u64> {
    let applied = disk.get(&Key::meta(APPLIED))?;
    let applied = applied.as_deref().and_then(|applied| applied.try_into().ok());
    applied.map(u64::from_be_bytes).ok_or_else(|| StoreError::Damaged {
        what: format!("the count of changes of the store at {}", folder.display()),
    })
}

/// Applies the journal's `entries` that sled lacks. sled has everything up to commit `applied`. Makes the result
/// durable, because the journal starts again at its beginning. Returns the number of the last commit.
fn replay(entries: Vec<Entry>, disk: &Disk, mut applied: u64) -> Result<u64> {
    let before = applied;
    for Entry { commit_number, batch } in entries {
        // A change after a gap would not find the data that it was made for.
        if commit_number == applied + 1 {
            disk.apply_journaled(&batch)?;
            applied = commit_number;
        }
    }
    if applied > before {
        disk.make_durable_alone()?;
    }
    Ok(applied)
}

/// Returns the number that the next change follows. `seen` is the highest number that the guard or the journal knows. If
/// `applied` is lower, the store has lost acknowledged changes; it is refused, and so is a store in quarantine.
fn refuse_rollback(
    folder: &Path,
    disk: &Disk,
    applied: u64,
    seen: u64,
    accepts_rollback: bool,
) -> Result<u64> {
    let is_rolled_back = applied < seen;
    if !is_rolled_back && disk.get(&Key::meta(QUARANTINE))?.is_none() {
        return Ok(applied);
    }
    if !accepts_rollback {
        let path = folder.into();
        return Err(if is_rolled_back {
            StoreError::RolledBack { path, guarded: seen, applied }
        } else {
            StoreError::Quarantined { path }
        });
    }
    // The quarantine is written before anything else, in one batch, with a number that the guard accepts.
    let accepted = applied.max(seen) + 1;
    let mut batch = Batch::default();
    put_quarantine(&mut batch);
    put_applied(&mut batch, accepted);
    disk.apply(&batch)?;
    disk.make_durable_alone()?;
    Ok(accepted)
}

fn mismatch(folder: &Path, found: &'static str) -> StoreError {
    StoreError::GuardMismatch { path: folder.into(), found }
}
