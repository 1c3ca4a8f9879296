//! What the journal has and sled lacks yet: the last commit, on its way into sled.
//!
//! To give it to sled takes as long as the rest of a commit, so the writer does it while the drive works for the next one,
//! or when nobody waits. Until then who reads one of its keys asks here before sled, and who reads several waits.

use crate::store::contents::Contents;
use crate::store::error::{Result, StoreError};
use crate::store::key::Key;
use crate::store::sled::format::batch::{Batch, Changed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// A commit that is durable.
pub struct Durable {
    /// What sled is to be given.
    pub batch: Batch,
    /// The same as readers want it.
    pub changed: Changed,
}

/// The commit that sled lacks, if there is one: it is given the last one before the next is acknowledged.
#[derive(Default)]
pub struct Unapplied {
    state: Mutex<State>,
    applied: Condvar,
}

#[derive(Default)]
struct State {
    /// It stays here until sled has all of it.
    commit: Option<Arc<Durable>>,
    /// Why sled has not taken it.
    failed: Option<StoreError>,
    /// How many wait. To wake nobody would be a call of the system for each commit.
    waiting: usize,
}

impl Unapplied {
    /// Takes a commit, before anybody is told of it: or a read could miss it.
    pub fn put(&self, commit: Arc<Durable>) {
        self.lock().commit = Some(commit);
    }

    /// Whether sled has everything.
    pub fn is_empty(&self) -> bool {
        self.lock().commit.is_none()
    }

    /// What the commit lets stand at `key`; `None` if sled has all there is to know. What is looked for in sled after that
    /// is no older than this look.
    pub fn get(&self, key: &Key) -> Option<Option<Contents>> {
        self.lock().commit.as_ref()?.changed.get(key).cloned()
    }

    /// Waits until sled has what is here now. For everybody but the writer. Blocks.
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

    /// The writer's side: has `apply` give sled what it lacks.
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

    /// Nobody waits any more for what is here. It stays, for readers.
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
    use crate::store::sled::tests::settings;
    use crate::store::sled::{open, Store};
    use std::io::Read;
    use std::path::Path;
    use std::sync::mpsc;
    use std::time::Duration;

    const BRIEF: Duration = Duration::from_millis(100);

    fn submit(store: &Store, changes: Vec<Change>) {
        let (done, result) = mpsc::channel();
        store.submit(changes, Box::new(move |written| done.send(written).unwrap()));
        result.recv().unwrap().unwrap();
    }

    /// From now on nobody gives anything to sled.
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
    fn what_sled_lacks_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&settings(folder.path())).unwrap();
        end_writer(&store);
        let key = Record::new(b"a").key;
        store.shared.unapplied.put(commit(&key, "text"));
        assert_eq!(store.read(&key).unwrap().as_deref(), Some(b"text".as_slice()));
    }

    #[test]
    fn who_reads_several_keys_waits_until_sled_has_them() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&settings(folder.path())).unwrap();
        let path = ListPath::new(b"list");
        submit(&store, vec![Change::ListAdd { path: path.clone(), item: b"item".to_vec() }]);
        end_writer(&store);
        store.shared.unapplied.put(commit(&path.head(), "its head"));
        // Another list is not held up.
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
    fn nobody_waits_for_what_will_not_come() {
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
        assert_eq!(unapplied.get(&key), None);
    }

    /// More than the journal holds, and single values that it does not: a copy of the files at any moment opens as a store
    /// that was killed does. Copied above all when the journal has just begun anew.
    #[test]
    fn whatever_is_acknowledged_is_in_the_files() {
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
            submit(
                &store,
                vec![Change::Write { record, contents: contents(number), secret: None }],
            );
            let now =
                head_of(&original.join("sled").join(crate::store::sled::folder::journal::NAME));
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
