//! Opening a store: what is there, whose it is, whether it is whole.

use super::backlog::Backlog;
use super::batch::Batch;
use super::cache::Cache;
use super::compact;
use super::disk::{self, Disk};
use super::draft::{put_applied, put_mark, APPLIED, MARK};
use super::error::{Result, StoreError};
use super::guard::{self, sync_folder, Guard, StoreId};
use super::journal::{self, Entry, Journal};
use super::key::{ChunkId, Key};
use super::opener::open_sled;
use super::queue::Queue;
use super::stats::Syncs;
use super::value;
use super::watchdog::{self, Commit};
use super::writer::Writer;
use super::{space, Notice, Shared, Store};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, OnceLock, RwLock};
use std::time::Duration;

/// sled's own folder within the store's.
pub const SLED: &str = "sled";
const LOCK: &str = "lock";
/// What may stand in a folder that has no guard yet; a volume of its own has the last one.
pub const CREATED_BEFORE_GUARD: [&str; 4] = [LOCK, SLED, guard::NEW_NAME, "lost+found"];
/// The key of the id that the guard has as well.
pub const STORE_ID: &str = "store";

/// How to open a store.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The store's folder; it is made if it is missing.
    pub path: PathBuf,
    /// The size of the cache of records, in bytes.
    pub cache_bytes: u64,
    /// A commit that takes longer poisons the store.
    pub commit_limit: Duration,
    /// The id for a store that has to be created.
    pub new_id: StoreId,
    /// Whether to open a store that has gone back in time. It is marked, and refused without this, until
    /// [`super::Change::Unmark`].
    pub accepts_rollback: bool,
}

/// The folder's lock, held as long as the file is open.
pub struct FolderLock {
    _file: File,
}

/// Makes the folder at `path` if it is missing, for its owner alone, and returns its real path.
pub fn real_path(path: &Path) -> Result<PathBuf> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let missing: Vec<_> = path.ancestors().take_while(|folder| !folder.exists()).collect();
    builder.create(path).map_err(|error| StoreError::io("create", path, error))?;
    let real = fs::canonicalize(path).map_err(|error| StoreError::io("resolve", path, error))?;
    // Without this a power cut may take the whole folder away.
    for parent in real.ancestors().skip(1).take(missing.len()) {
        sync_folder(parent)?;
    }
    Ok(real)
}

/// A store whose writer has not begun.
pub struct Opened {
    /// What is on the disk.
    pub disk: Disk,
    /// The guard that belongs to it.
    pub guard: Guard,
    /// The journal, of which the disk has everything.
    pub journal: Journal,
    /// The last change.
    pub applied: u64,
    /// What is to be told of the opening.
    pub notices: Vec<Notice>,
    /// The lock of the folder.
    pub lock: FolderLock,
}

/// Opens the store at the real path in `settings`. sled panics where a sync fails while it closes again.
pub fn open(settings: &Settings) -> Result<(Store, FolderLock)> {
    start(settings, open_disk(settings)?)
}

/// The same without a writer.
pub fn open_disk(settings: &Settings) -> Result<Opened> {
    catch_unwind(AssertUnwindSafe(|| open_or_panic(settings)))
        .unwrap_or_else(|panic| Err(StoreError::panicked("open the store", &*panic).of_sled()))
}

fn open_or_panic(settings: &Settings) -> Result<Opened> {
    let folder = &settings.path;
    // A newer format is refused before anything is touched, and files of others before any is made.
    let found = Guard::read(folder)?;
    if found.is_none() {
        refuse_foreign(folder)?;
    }
    let lock = lock(folder)?;
    owner_only(folder, 0o700)?;
    // Read again: before the lock it may have been another's.
    let state = Guard::read(folder)?;
    if state.is_some() {
        compact::finish(folder)?;
    }
    let sled_folder = folder.join(SLED);
    let mut notices = Vec::new();
    let (guard, database) = match state {
        Some(state) if !state.creating => {
            if ["db", journal::NAME].iter().any(|name| !sled_folder.join(name).exists()) {
                return Err(mismatch(folder, "the guard is there, a part of the data is not"));
            }
            let (database, repaired) = open_sled(&sled_folder)?;
            notices.extend(repaired.into_iter().map(Notice::repaired));
            (Guard::open(folder, state)?, database)
        }
        unfinished => {
            if unfinished.is_none() && sled_folder.exists() {
                return Err(mismatch(folder, "the data is there, the guard is not"));
            }
            begin(folder, settings.new_id)?.complete(0)?
        }
    };
    let log = open_log(&sled_folder)?;
    sync_files(folder, &sled_folder)?;
    let disk = Disk::new(database, log, &sled_folder);
    check_id(folder, &disk, &guard)?;
    let (journal, entries) = Journal::open(&sled_folder, guard.state().id)?;
    let seen = entries.last().map_or(0, |last| last.sequence).max(guard.state().sequence);
    let applied = replay(entries, &disk, read_applied(folder, &disk)?)?;
    let applied = refuse_rollback(folder, &disk, applied, seen, settings.accepts_rollback)?;
    if let Some(kind) = space::network_of(folder) {
        notices.push(Notice {
            code: "DASHBOARD_SLED_NETWORK",
            text: format!("{} is on a network file system ({kind}), on which neither the lock nor a sync can be relied on; use a local disk", folder.display()),
        });
    }
    Ok(Opened { disk, guard, journal, applied, notices, lock })
}

/// A store that is being made.
pub struct New {
    guard: Guard,
    /// Its database, which has nothing but the store's id.
    pub database: sled::Db,
    /// Open from before the first write: an error of writing is told to those alone who had the file open.
    log: File,
    folder: PathBuf,
}

/// Begins a new store in `folder`, which is empty or has what a creation that was cut short has left. The
/// guard is there first and marked, so that such a creation is known as one: nothing was acknowledged.
pub fn begin(folder: &Path, id: StoreId) -> Result<New> {
    let sled_folder = folder.join(SLED);
    if sled_folder.exists() {
        fs::remove_dir_all(&sled_folder)
            .map_err(|error| StoreError::io("remove", &sled_folder, error))?;
    }
    let guard = Guard::create(folder, id)?;
    let (database, _) = open_sled(&sled_folder)?;
    let log = open_log(&sled_folder)?;
    Journal::create(&sled_folder)?;
    let mut batch = Batch::default();
    let key = Key::meta(STORE_ID);
    let chunk = ChunkId { sequence: 0, ordinal: 0 };
    batch.insert(key.encoded(), value::encode(&key, &id.as_slice().into(), chunk).head);
    put_applied(&mut batch, 0);
    database
        .apply_batch(batch.to_sled())
        .map_err(|error| StoreError::sled("create", &sled_folder, error))?;
    Ok(New { guard, database, log, folder: folder.into() })
}

impl New {
    /// Makes the store durable as one that ends with change number `applied`, and takes the mark away.
    pub fn complete(mut self, applied: u64) -> Result<(Guard, sled::Db)> {
        let sled_folder = self.folder.join(SLED);
        disk::flush_surely(&self.database)
            .map_err(|error| StoreError::sled("create", &sled_folder, error))?;
        self.log.sync_data().map_err(|error| StoreError::io("sync", &sled_folder, error))?;
        sync_files(&self.folder, &sled_folder)?;
        // Both slots: one with the mark would let the folder pass for unfinished if the other is damaged.
        self.guard.record(applied)?;
        self.guard.record(applied)?;
        self.guard.sync()?;
        Ok((self.guard, self.database))
    }
}

fn start(settings: &Settings, opened: Opened) -> Result<(Store, FolderLock)> {
    let Opened { disk, guard, journal, applied, notices, lock } = opened;
    let shared = Arc::new(Shared {
        cache: Cache::new(settings.cache_bytes),
        queue: Queue::new(),
        backlog: Backlog::default(),
        commit: Commit::default(),
        disk: RwLock::new(Some(disk)),
        applying: RwLock::new(()),
        poison: OnceLock::new(),
        unwritten: OnceLock::new(),
        touched: Mutex::new(None),
        syncs: Syncs::new(),
        waiting: AtomicUsize::new(0),
        waiting_bytes: AtomicUsize::new(0),
    });
    let writer = Writer::new(Arc::clone(&shared), guard, journal, applied);
    let thread = std::thread::Builder::new()
        .name("dashboard-sled writer".into())
        .spawn(move || writer.run())
        .and_then(|thread| watchdog::watch(&shared, settings.commit_limit).map(|()| thread))
        .map_err(|error| StoreError::io("start the threads of", &settings.path, error))?;
    Ok((Store { shared, writer: Mutex::new(Some(thread)), notices }, lock))
}

/// Refuses a guard and data that do not belong together.
fn check_id(folder: &Path, disk: &Disk, guard: &Guard) -> Result<()> {
    match disk.get(&Key::meta(STORE_ID))? {
        Some(id) if *id == guard.state().id => Ok(()),
        Some(_) => Err(mismatch(folder, "they have different ids")),
        None => Err(mismatch(folder, "the data has no id")),
    }
}

/// The number of the last change that sled has.
fn read_applied(folder: &Path, disk: &Disk) -> Result<u64> {
    let applied = disk.get(&Key::meta(APPLIED))?;
    let applied = applied.as_deref().and_then(|applied| applied.try_into().ok());
    applied.map(u64::from_be_bytes).ok_or_else(|| StoreError::Damaged {
        what: format!("the count of changes of the store at {}", folder.display()),
    })
}

/// Gives sled, which has everything up to change number `applied`, what is in the journal's `entries` after that; durably,
/// since the journal begins anew. The number of the last change then.
fn replay(entries: Vec<Entry>, disk: &Disk, mut applied: u64) -> Result<u64> {
    let before = applied;
    for Entry { sequence, batch } in entries {
        // Behind a gap nothing would be what it was.
        if sequence == applied + 1 {
            disk.apply_journaled(&batch)?;
            applied = sequence;
        }
    }
    if applied > before {
        disk.make_durable_alone()?;
    }
    Ok(applied)
}

/// The number that the next change follows. `seen` is the last one that the guard or the journal knows of: a store without
/// it has gone back in time, and is refused.
fn refuse_rollback(
    folder: &Path,
    disk: &Disk,
    applied: u64,
    seen: u64,
    accepts_rollback: bool,
) -> Result<u64> {
    if applied >= seen && disk.get(&Key::meta(MARK))?.is_none() {
        return Ok(applied);
    }
    if !accepts_rollback {
        return Err(StoreError::RolledBack { path: folder.into(), guarded: seen, applied });
    }
    // Marked before anything else, in one batch with a number that the guard lets pass.
    let accepted = applied.max(seen) + 1;
    let mut batch = Batch::default();
    put_mark(&mut batch);
    put_applied(&mut batch, accepted);
    disk.apply(&batch)?;
    disk.make_durable_alone()?;
    Ok(accepted)
}

/// What stands in `folder`.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .map_err(|error| StoreError::io("list", folder, error))
}

/// sled syncs neither its `conf` nor the names of its files, so a store would not open after a power
/// cut; our own files likewise.
fn sync_files(folder: &Path, sled_folder: &Path) -> Result<()> {
    let within = ["conf", "db", journal::NAME].map(|name| sled_folder.join(name));
    for path in within.into_iter().chain([folder.join(guard::NAME)]) {
        owner_only(&path, 0o600)?;
        open_to_sync(&path)
            .and_then(|file| file.sync_all())
            .map_err(|error| StoreError::io("sync", &path, error))?;
    }
    owner_only(sled_folder, 0o700)?;
    sync_folder(sled_folder)?;
    sync_folder(folder)
}

fn open_log(sled_folder: &Path) -> Result<File> {
    let path = sled_folder.join("db");
    open_to_sync(&path).map_err(|error| StoreError::io("open", &path, error))
}

/// Windows syncs only what may be written.
fn open_to_sync(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).open(path)
}

#[cfg(unix)]
fn owner_only(path: &Path, mode: u32) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(|error| StoreError::io("set the permissions of", path, error))
}

#[cfg(not(unix))]
fn owner_only(_path: &Path, _mode: u32) -> Result<()> {
    Ok(())
}

/// A copy needs a folder that is empty, or has what a copy that was cut short has left.
pub fn refuse_occupied(folder: &Path) -> Result<()> {
    match Guard::read(folder)? {
        Some(state) if state.creating => Ok(()),
        Some(_) => Err(StoreError::Foreign { path: folder.into(), found: guard::NAME.into() }),
        None => refuse_foreign(folder),
    }
}

/// A folder without a guard has to be empty, but for what a creation leaves before its guard.
fn refuse_foreign(folder: &Path) -> Result<()> {
    for path in files(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !CREATED_BEFORE_GUARD.contains(&name.as_str()) {
            return Err(StoreError::Foreign { path: folder.into(), found: name });
        }
    }
    Ok(())
}

/// Takes the lock of the store in `folder`.
pub fn lock(folder: &Path) -> Result<FolderLock> {
    let path = folder.join(LOCK);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(|error| StoreError::io("open", &path, error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let holder = fs::read_to_string(&path).unwrap_or_default();
            let holder: String = holder.chars().filter(char::is_ascii_digit).take(20).collect();
            return Err(StoreError::Locked {
                path: folder.into(),
                holder: describe_holder(&holder),
            });
        }
        Err(TryLockError::Error(error)) => return Err(StoreError::io("lock", &path, error)),
    }
    // For people only: the lock is the lock, whatever the file says.
    let noted = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
    noted.map_err(|error| StoreError::io("write", &path, error))?;
    owner_only(&path, 0o600)?;
    Ok(FolderLock { _file: file })
}

fn describe_holder(process: &str) -> String {
    match process {
        "" => String::new(),
        own if own == std::process::id().to_string() => {
            " (this very process: is dashboard-sled installed twice?)".into()
        }
        other => format!(" (process {other})"),
    }
}

fn mismatch(folder: &Path, found: &'static str) -> StoreError {
    StoreError::GuardMismatch { path: folder.into(), found }
}
