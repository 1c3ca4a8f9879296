//! The last commit while it is in the journal, but not yet in sled.
//!
//! Writing a commit to sled takes as long as the rest of the commit. The writer does it while the drive writes the next
//! one, or when no change is waiting. Until then, a reader of one of its keys looks here before sled; a reader of
//! several keys waits.

use crate::store::cache::{Cached, NotCached};
use crate::store::contents::Contents;
use crate::store::error::{Result, StoreError};
use crate::store::key::Key;
use crate::store::sled::format::batch::{Batch, Changed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// A durable commit.
pub struct Durable {
    /// The changes for sled.
    pub batch: Batch,
    /// The same changes for readers.
    pub changed: Changed,
}

/// The commit that is not in sled yet. There is at most one: sled gets it before the next one is acknowledged.
#[derive(Default)]
pub struct Unapplied {
    state: Mutex<State>,
    applied: Condvar,
}

#[derive(Default)]
struct State {
    /// Stays here until sled has all of it.
    commit: Option<Arc<Durable>>,
    /// The error because of which sled does not have it yet.
    failed: Option<StoreError>,
    /// Number of waiting threads. If it is 0, the system call that wakes them is saved.
    waiting: usize,
}

impl Unapplied {
    /// Stores a commit. Called before the commit is acknowledged; a read could miss it otherwise.
    pub fn put(&self, commit: Arc<Durable>) {
        self.lock().commit = Some(commit);
    }

    /// Returns whether sled has every commit.
    pub fn is_empty(&self) -> bool {
        self.lock().commit.is_none()
    }

    /// Returns the value that the commit sets at `key`, or `None` if it removes `key`. If it does not change `key`, a
    /// value that is read from sled after this call is up to date.
    pub fn get(&self, key: &Key) -> Cached<Option<Contents>> {
        let state = self.lock();
        state.commit.as_ref().and_then(|commit| commit.changed.get(key)).cloned().ok_or(NotCached)
    }

    /// Waits until sled has the commit that is here now. Must not be called by the writer. Blocks.
    pub fn wait(&self) -> Result<()> {
        let mut state = self.lock();
        let Some(commit) = state.commit.clone() else {
            return Ok(());
        };
        while state.commit.as_ref().is_some_and(|left| Arc::ptr_eq(left, &commit)) {
            if let Some(error) = &state.failed {
                return Err(error.clone());
            }
            state.waiting += 1;
            state = self.applied.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
        Ok(())
    }

    /// Applies the commit to sled with `apply`, if there is one. Called by the writer only.
    pub fn apply(&self, apply: impl FnOnce(&Batch) -> Result<()>) -> Result<()> {
        let Some(commit) = self.lock().commit.clone() else {
            return Ok(());
        };
        apply(&commit.batch)?;
        let mut state = self.lock();
        state.commit = None;
        state.failed = None;
        if state.waiting > 0 {
            self.applied.notify_all();
        }
        Ok(())
    }

    /// Ends all waiting with `error`. The commit stays, for readers.
    pub fn fail(&self, error: StoreError) {
        self.lock().failed = Some(error);
        self.applied.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::change::{Change, Record};
    use crate::store::key::ListPath;
    use crate::store::sled::database::release::Stage;
    use crate::store::sled::folder::names;
    use crate::store::sled::test_store::{make, settings, temporary};
    use crate::store::sled::{open, Store};
    use std::io::Read;
    use std::path::Path;
    use std::sync::mpsc;
    use std::time::Duration;

    const BRIEF: Duration = Duration::from_millis(100);

    /// Ends the writer, so that no commit reaches sled any more.
    fn end_writer(store: &Store) {
        let held = store.shared.disk.upgrade();
        store.shared.queue.close();
        assert!(store.release.wait_for(Stage::Written, Duration::from_secs(60)));
        *store.shared.held_by_writer.lock().unwrap() = held;
    }

    fn commit(key: &Key, contents: &str) -> Arc<Durable> {
        let changed = Changed::from([(key.clone(), Some(contents.as_bytes().into()))]);
        Arc::new(Durable { batch: Batch::default(), changed })
    }

    #[test]
    fn a_read_finds_a_commit_that_sled_lacks() {
        let (_folder, store) = temporary();
        end_writer(&store);
        let key = Record::new(b"a").key;
        store.shared.unapplied.put(commit(&key, "text"));
        assert_eq!(store.read(&key).unwrap().as_deref(), Some(b"text".as_slice()));
    }

    #[test]
    fn a_reader_of_several_keys_waits_until_sled_has_them() {
        let (_folder, store) = temporary();
        let path = ListPath::new(b"list");
        make(&store, vec![Change::ListAdd { path: path.clone(), item: b"item".to_vec() }]);
        end_writer(&store);
        store.shared.unapplied.put(commit(&path.head(), "its head"));
        // A reader of another list does not wait.
        assert_eq!(store.page(&ListPath::new(b"other"), 0, 10).unwrap().len(), 0);
        let (done, pages) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| done.send(store.page(&path, 0, 10).unwrap().len()).unwrap());
            assert!(pages.recv_timeout(BRIEF).is_err());
            store.shared.with_disk(|disk| store.shared.catch_up(disk)).unwrap();
            assert_eq!(pages.recv(), Ok(1));
        });
    }

    #[test]
    fn a_failure_ends_all_waiting_and_keeps_the_commit() {
        let unapplied = Unapplied::default();
        let key = Record::new(b"a").key;
        unapplied.put(commit(&key, "text"));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| unapplied.wait());
            std::thread::sleep(BRIEF);
            assert!(unapplied.apply(|_| Err(StoreError::Closed)).is_err());
            unapplied.fail(StoreError::Closed);
            assert!(waiting.join().unwrap().is_err());
        });
        assert_eq!(unapplied.get(&key).unwrap().as_deref(), Some(b"text".as_slice()));
        assert!(unapplied.apply(|_| Ok(())).is_ok());
        assert!(unapplied.wait().is_ok());
        assert_eq!(unapplied.get(&key), Err(NotCached));
    }

    /// Commits more than the journal holds, and single values that are too large for it. A copy of the files at any
    /// moment has to open like a store whose process was killed. Copies most often right after the journal has started
    /// again.
    #[test]
    fn every_acknowledged_change_is_in_the_files() {
        let folder = tempfile::tempdir().unwrap();
        let original = folder.path().join("store");
        let store = open(&settings(&original)).unwrap();
        let name = |number: usize| format!("record {}", number % 37).into_bytes();
        let contents = |number: usize| -> Contents {
            let size = match number % 700 {
                7 => 3 << 20,
                number if number % 10 == 0 => 40_000,
                number => 100 + number,
            };
            vec![number.to_le_bytes()[0]; size].into()
        };
        let mut first = Vec::new();
        let mut rounds = 0;
        for number in 0..1500 {
            let record = Record::new(&name(number));
            make(&store, vec![Change::Write { record, contents: contents(number), secret: None }]);
            let now = head_of(&original.join(names::SLED).join(names::JOURNAL));
            if now != first || number % 100 == 0 {
                rounds += usize::from(now != first);
                first = now;
                let copy = folder.path().join(format!("copy {number}"));
                copy_files(&original, &copy);
                let copied = open(&settings(&copy)).unwrap();
                for known in number.saturating_sub(36)..=number {
                    let found = copied.read(&Record::new(&name(known)).key).unwrap();
                    assert!(found == Some(contents(known)), "{known} of {number}");
                }
            }
        }
        assert!(rounds > 3, "{rounds}");
    }

    fn head_of(file: &Path) -> Vec<u8> {
        let mut bytes = vec![0; 16];
        std::fs::File::open(file).unwrap().read_exact(&mut bytes).unwrap();
        bytes
    }

    fn copy_files(from: &Path, to: &Path) {
        std::fs::create_dir(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            let target = to.join(path.file_name().unwrap());
            if path.is_dir() {
                copy_files(&path, &target);
            } else {
                std::fs::copy(&path, &target).unwrap();
            }
        }
    }
}
