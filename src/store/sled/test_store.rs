//! A store in a temporary folder, for tests.

use crate::store::sled::{open, Lease, Settings, Store};
use crate::store::{Change, Completion};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;
use tempfile::TempDir;

/// Returns the settings of the store in `folder`, which is created if it is missing.
pub fn settings(folder: &Path) -> Settings {
    Settings {
        path: folder.into(),
        creates: true,
        cache_bytes: 1 << 20,
        commit_limit: Duration::from_secs(60),
        new_id: [7; 16],
        accepts_rollback: false,
    }
}

/// Makes a store in a temporary folder, and returns both. The folder is removed when it is dropped.
pub fn temporary() -> (TempDir, Lease) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&settings(folder.path())).unwrap();
    (folder, store)
}

/// Makes `changes` together, and waits until they are durable.
pub fn make(store: &Store, changes: Vec<Change>) {
    wait_for(|done| store.submit(changes, done));
}

/// Calls `submit`, and waits for the completion that it gets.
pub fn wait_for(submit: impl FnOnce(Completion)) {
    let (sender, result) = mpsc::channel();
    submit(Box::new(move |done| sender.send(done).unwrap()));
    result.recv().unwrap().unwrap();
}
