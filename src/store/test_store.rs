//! A store in a temporary folder, for tests of the layers above.

use crate::store::{open, Change, Completion, Lease, Settings, Store};
use std::sync::mpsc;
use tempfile::TempDir;

/// Makes a store in a temporary folder, and returns both. The folder is removed when it is dropped.
pub fn temporary() -> (TempDir, Lease) {
    let folder = tempfile::tempdir().unwrap();
    let settings =
        Settings { creates: true, cache_bytes: 1 << 20, ..Settings::new(folder.path().into()) };
    let store = open(&settings).unwrap();
    (folder, store)
}

/// Makes `changes` together, and waits until they are durable.
pub fn make(store: &Store, changes: Vec<Change>) {
    wait_for(|done| store.submit(changes, done));
}

/// Calls `submit`, and waits for the completion that it gets.
fn wait_for(submit: impl FnOnce(Completion)) {
    let (sender, result) = mpsc::channel();
    submit(Box::new(move |done| sender.send(done).unwrap()));
    result.recv().unwrap().unwrap();
}
