//! Large values. Their chunks are written ahead of the commit that points to them.
//!
//! A value of 64 MiB has 16,384 chunks. One batch with all of them would be in memory several times, and would not fit
//! into the journal. Nothing points to a chunk before the head of its value is written. The chunks therefore go to sled
//! in slices; each slice is flushed before the next one, and all are made durable. Then the head goes through the
//! journal with its commit, like any other value.
//!
//! If the contents are known before the commit, the writer makes other commits between the slices ([`Ahead`]).
//!
//! A process that ends in between leaves chunks that nothing points to. They have the number of a commit that was never
//! made, or the number in a note in sled. The next open removes them.

use crate::store::contents::Contents;
use crate::store::error::{Result, StoreError};
use crate::store::key::{ChunkId, Key, KeyKind};
use crate::store::sled::commit::shared::Shared;
use crate::store::sled::database::disk::Disk;
use crate::store::sled::format::batch::Batch;
use crate::store::sled::format::value::{self, Encoded, CHUNK_BYTES};

/// Size from which a value is large, in bytes: an eighth of the journal.
pub const LARGE_BYTES: usize = 256 << 10;
/// Number of chunks in a slice, which is 1 MiB of contents.
pub const SLICE: usize = 256;

/// Key of the note with the number of the chunks that are written ahead while other commits are made.
const NOTE: &str = "large";
/// Ordinal of a value that is written ahead. It is higher than the number of values in any commit.
const ORDINAL: u32 = 1 << 31;

/// Makes the chunks of a value durable in sled, before its head.
pub fn write_ahead(shared: &Shared, disk: &Disk, value: &Encoded) -> Result<()> {
    let mut chunks = value.chunks().peekable();
    while chunks.peek().is_some() {
        let mut batch = Batch::default();
        for (key, bytes) in chunks.by_ref().take(SLICE) {
            batch.insert(&key, bytes);
        }
        write_slice(shared, disk, &batch)?;
    }
    disk.make_durable()
}

fn write_slice(shared: &Shared, disk: &Disk, batch: &Batch) -> Result<()> {
    shared.apply_visibly(disk, batch, |batch| disk.apply_journaled(batch))?;
    disk.flush()
}

/// A value whose chunks are written ahead, slice by slice.
pub struct Ahead {
    value: Encoded,
    /// Number of chunks that are written.
    written: u32,
    id: ChunkId,
}

impl Ahead {
    /// Starts to write `contents`. The last commit has the number `applied`.
    pub fn new(key: &Key, contents: &Contents, applied: u64) -> Self {
        let id = ChunkId { commit_number: applied + 1, ordinal: ORDINAL };
        Self { value: value::encode(key, contents, id), written: 0, id }
    }

    /// Writes the next slice. Returns `false` when all of them are durable.
    pub fn write_next(&mut self, shared: &Shared, disk: &Disk) -> Result<bool> {
        let mut batch = Batch::default();
        if self.written == 0 {
            // Before the first chunk: without the note, an open could not recognize the chunks once another commit has
            // their number.
            let note = self.id.commit_number.to_be_bytes();
            let key = Key::meta(NOTE);
            batch.insert(key.encoded(), value::encode(&key, &note.as_slice().into(), self.id).head);
        }
        for (key, bytes) in self.value.chunks_from(self.written).take(SLICE) {
            batch.insert(&key, bytes);
            self.written += 1;
        }
        if batch.is_empty() {
            disk.make_durable()?;
            return Ok(false);
        }
        write_slice(shared, disk, &batch)?;
        Ok(true)
    }

    /// Returns whether the first slice is written.
    pub fn is_begun(&self) -> bool {
        self.written > 0
    }

    /// Returns the number of bytes that are written.
    pub fn written_bytes(&self) -> usize {
        self.written as usize * CHUNK_BYTES
    }

    /// Returns the ID of the chunks.
    pub fn id(&self) -> ChunkId {
        self.id
    }
}

/// Returns whether `key` is that of the note. A backup needs it, to remove the chunks of a value that was being written.
pub fn is_note(key: &[u8]) -> bool {
    key == Key::meta(NOTE).encoded()
}

/// Removes the note about chunks that are written ahead. `batch` points to them.
pub fn remove_note(batch: &mut Batch) {
    batch.remove(Key::meta(NOTE).encoded());
}

/// Removes chunks that were written ahead of a commit that was never made. The last commit has the number `applied`.
pub fn remove_unfinished(disk: &Disk, applied: u64) -> Result<()> {
    let last = Key::chunk(ChunkId { commit_number: applied, ordinal: u32::MAX }, u32::MAX);
    let mut is_clean = remove_behind(disk, &KeyKind::Chunk.prefix(), &last)?;
    let note = match disk.get(&Key::meta(NOTE)) {
        // The chunks cannot be found without it. `verify` reports them, and `repair` removes them.
        Err(StoreError::Damaged { .. }) => Some(Contents::from(Vec::new())),
        found => found?,
    };
    if let Some(note) = note {
        if let Ok(commit_number) = (*note).try_into() {
            let id = ChunkId { commit_number: u64::from_be_bytes(commit_number), ordinal: ORDINAL };
            remove_all(disk, id)?;
        }
        // Last, so that the next open tries again if the process ends before.
        let mut batch = Batch::default();
        remove_note(&mut batch);
        disk.apply_journaled(&batch)?;
        is_clean = false;
    }
    if is_clean {
        Ok(())
    } else {
        disk.make_durable_alone()
    }
}

/// Removes the chunks with the ID `id`.
pub fn remove_all(disk: &Disk, id: ChunkId) -> Result<()> {
    let first = Key::chunk(id, 0);
    let prefix = first.get(..first.len() - size_of::<u32>()).unwrap_or_default();
    remove_behind(disk, prefix, prefix).map(drop)
}

/// Removes the keys that begin with `prefix` and follow `after`. Returns whether there were none.
fn remove_behind(disk: &Disk, prefix: &[u8], after: &[u8]) -> Result<bool> {
    let mut is_clean = true;
    loop {
        let mut batch = Batch::default();
        for stored in disk.forwards(prefix, Some(after)).take(SLICE) {
            batch.remove(&stored?.0);
        }
        if batch.is_empty() {
            return Ok(is_clean);
        }
        is_clean = false;
        disk.apply_journaled(&batch)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::change::Change;
    use crate::store::change::Record;
    use crate::store::sled::test_store::{make, settings, temporary};
    use crate::store::sled::{open, Store};
    use std::sync::mpsc;

    fn write(store: &Store, bytes: usize) {
        let record = Record::new(b"large");
        let contents = vec![1; bytes].into();
        make(store, vec![Change::Write { record, contents, secret: None }]);
    }

    fn problems(store: &Store) -> Vec<String> {
        store.verify(&|_| ()).unwrap().problems.described
    }

    #[test]
    fn large_values_are_overwritten_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        for bytes in [LARGE_BYTES, LARGE_BYTES + 1, 3 << 20, 100, 1 << 20] {
            let store = open(&settings(folder.path())).unwrap();
            write(&store, bytes);
            assert!(problems(&store).is_empty(), "{bytes}");
            drop(store);
            let store = open(&settings(folder.path())).unwrap();
            let read = store.read(&Record::new(b"large").key).unwrap();
            assert_eq!(read, Some(vec![1; bytes].into()), "{bytes}");
        }
    }

    #[test]
    fn an_open_removes_chunks_that_no_commit_points_to() {
        let (folder, store) = temporary();
        write(&store, 1 << 20);
        let id = ChunkId { commit_number: 2, ordinal: 0 };
        let unfinished = value::encode(&Key::record(b"b"), &vec![2; 1 << 20].into(), id);
        let shared = &store.shared;
        shared.with_disk(|disk| write_ahead(shared, disk, &unfinished)).unwrap();
        assert!(!problems(&store).is_empty());
        drop(store);
        let store = open(&settings(folder.path())).unwrap();
        assert!(problems(&store).is_empty());
        assert_eq!(store.read(&Record::new(b"large").key).unwrap(), Some(vec![1; 1 << 20].into()));
    }

    #[test]
    fn an_open_removes_the_rest_of_a_long_write_between_commits() {
        let (folder, store) = temporary();
        write(&store, 1 << 20);
        let shared = &store.shared;
        let mut ahead = Ahead::new(&Key::record(b"b"), &vec![2; 3 << 20].into(), 1);
        for _ in 0..2 {
            assert!(shared.with_disk(|disk| ahead.write_next(shared, disk)).unwrap());
        }
        // Another commit has the number of the chunks now.
        write(&store, 300 << 10);
        assert!(!problems(&store).is_empty());
        drop(store);
        let store = open(&settings(folder.path())).unwrap();
        assert!(problems(&store).is_empty(), "{:?}", problems(&store));
        assert_eq!(
            store.read(&Record::new(b"large").key).unwrap(),
            Some(vec![1; 300 << 10].into())
        );
    }

    #[test]
    fn small_writes_go_between_the_slices_of_a_long_one() {
        let (_folder, store) = temporary();
        let (done, order) = mpsc::channel();
        let submit = |name: &str, bytes: usize, number: u32| {
            let (record, done) = (Record::new(name.as_bytes()), done.clone());
            let contents = vec![u8::try_from(number).unwrap(); bytes].into();
            let change = Change::Write { record, contents, secret: None };
            let tell = move |written: Result<()>| done.send((number, written.is_ok())).unwrap();
            store.submit(vec![change], Box::new(tell));
        };
        submit("large", 32 << 20, 0);
        for number in 1..=20 {
            submit("small", 100, number);
        }
        // A later write of the same record waits for it.
        submit("large", 200, 21);
        submit("small", 100, 22);
        let told: Vec<_> = order.iter().take(23).collect();
        let expected: Vec<_> = (1..=20).chain([0, 21, 22]).map(|number| (number, true)).collect();
        assert_eq!(told, expected);
        assert_eq!(store.read(&Record::new(b"large").key).unwrap(), Some(vec![21; 200].into()));
        assert!(problems(&store).is_empty(), "{:?}", problems(&store));
    }

    #[test]
    fn a_backup_made_between_the_slices_of_a_long_write_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&settings(&folder.path().join("store"))).unwrap();
        write(&store, 100);
        let shared = &store.shared;
        let mut ahead = Ahead::new(&Key::record(b"b"), &vec![2; 3 << 20].into(), 1);
        for _ in 0..2 {
            assert!(shared.with_disk(|disk| ahead.write_next(shared, disk)).unwrap());
        }
        // The chunks have the number of this commit.
        write(&store, 101);
        let report = store.copy(&folder.path().join("copy"), [5; 16], &|_| ()).unwrap();
        assert_eq!((report.records, report.problems.number), (1, 0));
    }

    #[test]
    fn a_crash_amid_the_second_of_two_long_writes_leaves_no_chunks() {
        let folder = tempfile::tempdir().unwrap();
        let [path, copy] = ["store", "copy"].map(|name| folder.path().join(name));
        let store = open(&settings(&path)).unwrap();
        let (copied, done) = (copy.clone(), mpsc::channel());
        let (tell, told) = done;
        for (name, bytes) in [("first", 8 << 20), ("second", 32 << 20), ("small", 100)] {
            let (path, copied, tell) = (path.clone(), copied.clone(), tell.clone());
            let record = Record::new(name.as_bytes());
            let change = Change::Write { record, contents: vec![1; bytes].into(), secret: None };
            let completion = move |result: Result<()>| {
                result.unwrap();
                if name == "small" {
                    // The writer waits for this, as if the process had ended here.
                    let copy =
                        std::process::Command::new("cp").arg("-r").args([path, copied]).status();
                    assert!(copy.unwrap().success());
                    tell.send(()).unwrap();
                }
            };
            store.submit(vec![change], Box::new(completion));
        }
        told.recv().unwrap();
        let crashed = open(&settings(&copy)).unwrap();
        assert!(problems(&crashed).is_empty(), "{:?}", problems(&crashed));
        assert_eq!(crashed.read(&Record::new(b"second").key).unwrap(), None);
    }
}
