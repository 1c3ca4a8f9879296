//! Registry of the stores that this process has open. All callers of a folder share one store, and each has a lease:
//! the main thread, worker threads, and a second copy of Dashboard.
//!
//! The mutex protects the map only. A folder that is being opened or closed is in the map with that state, so only
//! callers that want the same folder wait for it.

use crate::store::error::{Result, StoreError};
use crate::store::panics::caught;
use crate::store::sled::database::release::Stage;
use crate::store::sled::folder;
use crate::store::sled::open::read_only::{open_or_copy, Hold};
use crate::store::sled::open::Settings;
use crate::store::sled::Store;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{mpsc, Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Time that a dropped [`Lease`] waits for the store to close. Closing usually takes some milliseconds; if it takes
/// longer, it continues in the background.
const DROP_LIMIT: Duration = Duration::from_secs(1);

/// State of a folder in use.
enum State {
    /// A caller is opening it.
    Opening,
    /// It is open, with this number of leases.
    Open(Opened, usize),
    /// The last lease was given up. The entry is removed when nothing uses the store any more.
    Closing(Option<Opened>),
}

struct Opened {
    store: Arc<Store>,
    _hold: Hold,
}

static FOLDERS: Mutex<BTreeMap<PathBuf, State>> = Mutex::new(BTreeMap::new());
/// Signals a change of a state.
static CHANGED: Condvar = Condvar::new();

/// One caller's right to use an open store. The store closes with its last lease.
pub struct Lease {
    store: Arc<Store>,
    path: PathBuf,
    commit_limit: Duration,
    is_given_back: bool,
}

/// A store whose last lease was given up.
pub struct Closing {
    store: Arc<Store>,
    path: PathBuf,
    limit: Duration,
}

impl Lease {
    /// Returns the real path of the store's folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives up this lease. The last one closes the store, and its folder is free when this returns `Ok`. If the store is
    /// still in use after the commit limit, returns an error that names the user; the folder becomes free when that use
    /// ends. Blocks.
    pub fn close(self) -> Result<()> {
        self.begin_close().map_or(Ok(()), Closing::wait)
    }

    /// Gives up this lease without waiting. If it was the last one, returns an object to wait for.
    #[must_use]
    pub fn begin_close(mut self) -> Option<Closing> {
        self.give_back()
    }

    fn give_back(&mut self) -> Option<Closing> {
        if std::mem::replace(&mut self.is_given_back, true) {
            return None;
        }
        let mut folders = lock();
        let state = folders.remove(&self.path)?;
        let (state, is_last) = match state {
            State::Open(opened, 1) => (State::Closing(Some(opened)), true),
            State::Open(opened, leases) => (State::Open(opened, leases - 1), false),
            other => (other, false),
        };
        folders.insert(self.path.clone(), state);
        drop(folders);
        if !is_last {
            return None;
        }
        let path = self.path.clone();
        self.store.begin_close(move || {
            let closed = lock().insert(path.clone(), State::Closing(None));
            // Drops the lock of the folder before anybody can see that the folder is free.
            drop(closed);
            lock().remove(&path);
            CHANGED.notify_all();
        });
        Some(Closing {
            store: Arc::clone(&self.store),
            path: self.path.clone(),
            limit: self.commit_limit,
        })
    }
}

impl Deref for Lease {
    type Target = Arc<Store>;

    fn deref(&self) -> &Arc<Store> {
        &self.store
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(closing) = self.give_back() {
            closing.store.release.wait_for(Stage::Free, DROP_LIMIT);
        }
    }
}

impl Closing {
    /// Waits until the folder is free, for at most the commit limit. Blocks.
    pub fn wait(self) -> Result<()> {
        let Self { store, path, limit } = self;
        if store.release.wait_for(Stage::Free, limit) {
            return Ok(());
        }
        Err(StoreError::StillOpen { path, seconds: limit.as_secs(), holder: store.holder() })
    }
}

/// Opens the store, or shares the open one. Blocks.
pub fn open(settings: &Settings) -> Result<Lease> {
    open_or_share(settings, true)
}

/// Opens a store that nothing else in this process has open. Blocks.
pub fn open_exclusive(settings: &Settings) -> Result<Lease> {
    open_or_share(settings, false)
}

fn open_or_share(settings: &Settings, may_share: bool) -> Result<Lease> {
    let path = folder::locate(&settings.path, settings.creates)?;
    let commit_limit = settings.commit_limit;
    let lease = |store, path| Lease { store, path, commit_limit, is_given_back: false };
    let end = Instant::now() + commit_limit;
    let mut folders = lock();
    loop {
        folders = match folders.get_mut(&path) {
            None => break,
            Some(State::Open(opened, leases)) if may_share => {
                *leases += 1;
                return Ok(lease(Arc::clone(&opened.store), path));
            }
            Some(State::Opening) if may_share => {
                CHANGED.wait(folders).unwrap_or_else(PoisonError::into_inner)
            }
            Some(State::Open(..) | State::Opening) => return Err(held(path, "in this process")),
            Some(State::Closing(opened)) => {
                let left = end.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    let holder = opened.as_ref().map(|opened| opened.store.holder());
                    let holder = holder.unwrap_or_else(|| "it is being closed".into());
                    return Err(held(path, &format!("in this process, where {holder}")));
                }
                let waited = CHANGED.wait_timeout(folders, left);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        };
    }
    folders.insert(path.clone(), State::Opening);
    drop(folders);
    // Caught, because a panic would leave the folder in the state `Opening` for ever.
    let opened = caught("open the store", || {
        open_or_copy(&Settings { path: path.clone(), ..settings.clone() })
    });
    let mut folders = lock();
    folders.remove(&path);
    let opened = opened.map(|(store, hold)| {
        let store = Arc::new(store);
        let opened = Opened { store: Arc::clone(&store), _hold: hold };
        folders.insert(path.clone(), State::Open(opened, 1));
        lease(store, path)
    });
    drop(folders);
    CHANGED.notify_all();
    opened
}

/// Fails if this process has the store at `path` open.
pub fn refuse_opened(path: &Path) -> Result<()> {
    if lock().contains_key(path) {
        return Err(held(path.into(), "in this process"));
    }
    Ok(())
}

/// Fails if the store at the real path `path` has more than one lease in this process.
pub fn refuse_shared(path: &Path) -> Result<()> {
    match lock().get(path) {
        Some(State::Open(_, leases)) if *leases > 1 => Err(held(path.into(), "in this process")),
        _ => Ok(()),
    }
}

/// Waits until everything that was submitted to any store is durable, for at most `limit`.
pub fn settle(limit: Duration) -> Result<()> {
    let end = Instant::now() + limit;
    let stores: Vec<_> = lock()
        .values()
        .filter_map(|state| match state {
            State::Opening | State::Closing(None) => None,
            State::Open(opened, _) | State::Closing(Some(opened)) => {
                Some(Arc::clone(&opened.store))
            }
        })
        .collect();
    let settling: Vec<_> = stores
        .iter()
        .map(|store| {
            let (sender, result) = mpsc::channel();
            store.settle(Box::new(move |settled| {
                // Nothing receives the result after the limit.
                let _ = sender.send(settled);
            }));
            (store, result)
        })
        .collect();
    for (store, result) in settling {
        let left = end.saturating_duration_since(Instant::now());
        let settled = match result.recv_timeout(left) {
            // The store is being closed. Its writer ends when everything is written.
            Ok(Err(StoreError::Closed)) => {
                store.release.wait(Stage::Written, end).then_some(Ok(()))
            }
            other => other.ok(),
        };
        settled.unwrap_or_else(|| {
            let waiting = stores.iter().map(|store| store.waiting()).sum();
            Err(StoreError::Busy { waiting })
        })?;
    }
    Ok(())
}

fn held(path: PathBuf, holder: &str) -> StoreError {
    StoreError::Locked { path, holder: format!(" ({holder})") }
}

fn lock() -> MutexGuard<'static, BTreeMap<PathBuf, State>> {
    FOLDERS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::change::{Change, Record};
    use crate::store::sled::test_store::{settings, temporary};

    fn brief(folder: &Path) -> Settings {
        Settings { commit_limit: Duration::from_millis(300), ..settings(folder) }
    }

    /// Closes `lease` while a call reads. Returns the result of the close, and a function that ends the call.
    fn close_under_a_reader(lease: Lease) -> (Result<()>, impl FnOnce()) {
        let (begun, begins) = mpsc::channel();
        let (end, ends) = mpsc::channel();
        let shared = Arc::clone(&lease.store.shared);
        let reader = std::thread::spawn(move || {
            shared.with_disk(|_| {
                begun.send(()).unwrap();
                ends.recv().unwrap();
                Ok(())
            })
        });
        begins.recv().unwrap();
        let end_reading = move || {
            end.send(()).unwrap();
            reader.join().unwrap().unwrap();
        };
        (lease.close(), end_reading)
    }

    #[test]
    fn the_last_reader_frees_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let settings = brief(folder.path());
        let (closed, end_reading) = close_under_a_reader(open(&settings).unwrap());
        let error = closed.unwrap_err();
        assert_eq!(error.slug(), "store-still-open");
        assert!(error.to_string().contains("one call still reads it"), "{error}");
        // An open of the same folder gets the same reason, and an open of another folder is not affected.
        let refused = open(&settings).map(drop).unwrap_err();
        assert_eq!(refused.slug(), "store-locked");
        assert!(refused.to_string().contains("one call still reads it"), "{refused}");
        let other = tempfile::tempdir().unwrap();
        open(&brief(other.path())).unwrap().close().unwrap();
        // Everything is written, so the end of the process does not have to wait.
        settle(Duration::from_secs(60)).unwrap();
        end_reading();
        open(&settings).unwrap().close().unwrap();
        drop(folder::lock(folder.path()).unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn a_close_stops_snapshots_and_names_one_that_hangs() {
        let folder = tempfile::tempdir().unwrap();
        let lease = open(&brief(folder.path())).unwrap();
        let shared = Arc::clone(&lease.store.shared);
        let due = usize::MAX / 2;
        // As the thread of a snapshot does.
        let held = shared.disk.upgrade();
        assert!(shared.snapshots.add(due));
        let error = lease.close().unwrap_err();
        assert!(error.to_string().contains("a snapshot of it is still being written"), "{error}");
        shared.snapshots.start_again(folder.path());
        assert!(!shared.snapshots.add(due));
        drop(held);
        open(&settings(folder.path())).unwrap().close().unwrap();
    }

    #[test]
    fn an_open_waits_for_a_folder_that_is_being_closed() {
        let folder = tempfile::tempdir().unwrap();
        let (closed, end_reading) = close_under_a_reader(open(&brief(folder.path())).unwrap());
        assert!(closed.is_err());
        let settings = settings(folder.path());
        std::thread::scope(|scope| {
            let opening = [0; 4].map(|_| scope.spawn(|| open(&settings).unwrap()));
            std::thread::sleep(Duration::from_millis(50));
            end_reading();
            let leases = opening.map(|opening| opening.join().unwrap());
            assert!(leases.iter().all(|lease| Arc::ptr_eq(lease, &leases[0])));
        });
        open_exclusive(&settings).unwrap().close().unwrap();
    }

    #[test]
    fn settling_waits_for_a_store_that_is_being_closed_but_not_for_ever() {
        let (_folder, lease) = temporary();
        let (hold, until) = mpsc::channel::<()>();
        let (begun, begins) = mpsc::channel();
        let edit = move |_: Option<&[u8]>| {
            begun.send(()).unwrap();
            let _ = until.recv();
            Ok(None)
        };
        lease.submit(vec![Change::update(Record::new(b"a"), None, 0, edit)], Box::new(drop));
        begins.recv().unwrap();
        let closing = lease.begin_close().unwrap();
        assert_eq!(settle(Duration::from_millis(50)).unwrap_err().slug(), "store-busy");
        drop(hold);
        settle(Duration::from_secs(60)).unwrap();
        closing.wait().unwrap();
    }

    #[test]
    fn a_folder_whose_opening_failed_is_free() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("foreign"), "").unwrap();
        assert!(open(&settings(folder.path())).is_err());
        std::fs::remove_file(folder.path().join("foreign")).unwrap();
        open_exclusive(&settings(folder.path())).unwrap().close().unwrap();
    }
}
