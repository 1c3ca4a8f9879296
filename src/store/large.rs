//! Large values: their chunks are written ahead of the commit that points to them.
//!
//! A value of 64 MiB has 16,384 chunks. As one batch they were in memory several times over, and too much for the journal.
//! But nothing points to a chunk before the head of its value is written: so the chunks go to sled in slices, each flushed
//! before the next, and are made durable. The head then comes with its commit, through the journal, as any other value.
//!
//! A process that ends in between leaves chunks that nothing points to. They have the number of a commit that never was, and
//! an open removes them.

use super::batch::Batch;
use super::disk::Disk;
use super::error::Result;
use super::key::{ChunkId, Key, KeyKind};
use super::value::Encoded;
use super::Shared;

/// A value is large from so many bytes on: an eighth of the journal.
pub const LARGE_BYTES: usize = 256 << 10;
/// Number of chunks in a slice, which is 1 MiB of contents.
const SLICE: usize = 256;

/// Makes the chunks of a value durable in sled, before its head.
pub fn write_ahead(shared: &Shared, disk: &Disk, value: &Encoded) -> Result<()> {
    let mut chunks = value.chunks().peekable();
    while chunks.peek().is_some() {
        let mut batch = Batch::default();
        for (key, bytes) in chunks.by_ref().take(SLICE) {
            batch.insert(&key, bytes);
        }
        shared.appear(disk, &batch, |batch| disk.apply_journaled(batch))?;
        disk.flush()?;
    }
    disk.make_durable()
}

/// Removes what was written ahead of a commit that never was: the last commit is number `applied`.
pub fn remove_unfinished(disk: &Disk, applied: u64) -> Result<()> {
    let last = Key::chunk(ChunkId { sequence: applied, ordinal: u32::MAX }, u32::MAX);
    let mut is_clean = true;
    loop {
        let mut batch = Batch::default();
        for stored in disk.forwards(&KeyKind::Chunk.prefix(), Some(&last)).take(SLICE) {
            batch.remove(&stored?.0);
        }
        if batch.is_empty() {
            break;
        }
        is_clean = false;
        disk.apply_journaled(&batch)?;
    }
    if is_clean {
        Ok(())
    } else {
        disk.make_durable_alone()
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::Key;
    use super::super::tests::settings;
    use super::super::{open, value, Change, Record, Store};
    use super::*;
    use std::sync::mpsc;

    fn write(store: &Store, bytes: usize) {
        let (done, result) = mpsc::channel();
        let record = Record::new(b"large");
        let contents = vec![1; bytes].into();
        let change = Change::Write { record, contents, secret: None };
        store.submit(vec![change], Box::new(move |written| done.send(written).unwrap()));
        result.recv().unwrap().unwrap();
    }

    fn problems(store: &Store) -> Vec<String> {
        store.verify(&|_| ()).unwrap().problems.described
    }

    #[test]
    fn large_values_are_written_over_and_read_back() {
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
    fn an_open_removes_what_no_commit_points_to() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&settings(folder.path())).unwrap();
        write(&store, 1 << 20);
        let id = ChunkId { sequence: 2, ordinal: 0 };
        let unfinished = value::encode(&Key::record(b"b"), &vec![2; 1 << 20].into(), id);
        let shared = &store.shared;
        shared.with_disk(|disk| write_ahead(shared, disk, &unfinished)).unwrap();
        assert!(!problems(&store).is_empty());
        drop(store);
        let store = open(&settings(folder.path())).unwrap();
        assert!(problems(&store).is_empty());
        assert_eq!(store.read(&Record::new(b"large").key).unwrap(), Some(vec![1; 1 << 20].into()));
    }
}
