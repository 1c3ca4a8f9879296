//! One handle for each folder in the process, whoever opens it: the main thread, a worker thread,
//! or Dashboard a second time. Opening, counting and closing happen under one lock, or a folder that
//! is being closed could be opened meanwhile, and sled's lock would refuse it.

use super::error::{Result, StoreError};
use super::folder;
use super::open::Settings;
use super::read_only::{open_or_copy, Hold};
use super::Store;
use std::collections::HashMap;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{mpsc, Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

struct Opened {
    store: Arc<Store>,
    leases: usize,
    commit_limit: Duration,
    _hold: Hold,
}

static OPENED: Mutex<Option<HashMap<PathBuf, Opened>>> = Mutex::new(None);

/// A share in an open store. The store closes with the last one.
pub struct Lease {
    store: Arc<Store>,
    path: PathBuf,
}

impl Lease {
    /// The real path of the store's folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Deref for Lease {
    type Target = Arc<Store>;

    fn deref(&self) -> &Arc<Store> {
        &self.store
    }
}

/// Opens the store, or shares the one that is open. Blocks.
pub fn open(settings: &Settings) -> Result<Lease> {
    let path = folder::locate(&settings.path, settings.creates)?;
    let mut opened = lock();
    let opened = opened.get_or_insert_default();
    if let Some(found) = opened.get_mut(&path) {
        if found.leases == 0 {
            // Its writer hangs, so it could not be closed.
            return Err(StoreError::Locked { path, holder: " (in this process, hanging)".into() });
        }
        found.leases += 1;
        return Ok(Lease { store: Arc::clone(&found.store), path });
    }
    let (store, hold) = open_or_copy(&Settings { path: path.clone(), ..settings.clone() })?;
    let store = Arc::new(store);
    opened.insert(
        path.clone(),
        Opened {
            store: Arc::clone(&store),
            leases: 1,
            commit_limit: settings.commit_limit,
            _hold: hold,
        },
    );
    Ok(Lease { store, path })
}

/// Opens a store that nothing else in the process has open. Blocks.
pub fn open_alone(settings: &Settings) -> Result<Lease> {
    refuse_opened(&folder::locate(&settings.path, settings.creates)?)?;
    open(settings)
}

/// Refuses what needs a store that nothing in the process has open.
pub fn refuse_opened(path: &Path) -> Result<()> {
    if lock().as_ref().is_some_and(|opened| opened.contains_key(path)) {
        return Err(StoreError::Locked { path: path.into(), holder: " (in this process)".into() });
    }
    Ok(())
}

/// Refuses what needs a store alone, if someone else in the process has the one at the real path as well.
pub fn refuse_shared(path: &Path) -> Result<()> {
    match lock().as_ref().and_then(|opened| opened.get(path)) {
        Some(found) if found.leases > 1 => {
            Err(StoreError::Locked { path: path.into(), holder: " (in this process)".into() })
        }
        _ => Ok(()),
    }
}

/// Waits until all that was submitted to any store is durable, but not longer than `limit`.
pub fn settle(limit: Duration) -> Result<()> {
    let stores: Vec<_> =
        lock().iter().flat_map(HashMap::values).map(|opened| Arc::clone(&opened.store)).collect();
    let (sender, results) = mpsc::channel();
    for store in &stores {
        let sender = sender.clone();
        store.settle(Box::new(move |result| {
            // Nobody listens any more after the limit.
            let _ = sender.send(result);
        }));
    }
    let end = Instant::now() + limit;
    for _ in &stores {
        let left = end.saturating_duration_since(Instant::now());
        let Ok(result) = results.recv_timeout(left) else {
            let waiting = stores.iter().map(|store| store.waiting()).sum();
            return Err(StoreError::Busy { waiting });
        };
        result?;
    }
    Ok(())
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut opened = lock();
        let opened = opened.get_or_insert_default();
        let Some(found) = opened.get_mut(&self.path) else {
            return;
        };
        found.leases -= 1;
        if found.leases == 0 && found.store.close(found.commit_limit) {
            opened.remove(&self.path);
        }
    }
}

fn lock() -> MutexGuard<'static, Option<HashMap<PathBuf, Opened>>> {
    OPENED.lock().unwrap_or_else(PoisonError::into_inner)
}
