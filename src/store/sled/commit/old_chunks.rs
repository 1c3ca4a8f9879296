//! Removal of the chunks of large values that were replaced or deleted.
//!
//! A value of 64 MiB has 16,384 chunks, and removing them takes half a second. The commit that replaces the value
//! therefore only leaves a note with the ID of the chunks. The writer then removes them slice by slice, with other
//! commits in between, and the note with the last slice.
//!
//! A writer removes all of them before it ends. After a crash, the next open follows the notes.

use crate::store::error::Result;
use crate::store::key::{ChunkId, Key, KeyKind};
use crate::store::sled::commit::large_values::{self, SLICE};
use crate::store::sled::commit::shared::Shared;
use crate::store::sled::database::disk::Disk;
use crate::store::sled::format::batch::Batch;
use crate::store::sled::format::value;

/// Beginning of the names of the notes. The ID of the chunks follows.
const NOTE: &str = "old-chunks-";

/// The chunks of one value, of which nothing needs any more.
pub struct OldChunks {
    id: ChunkId,
    count: u32,
    /// Number of chunks that are removed.
    removed: u32,
}

impl OldChunks {
    /// Returns the `count` chunks with the ID `id`, or `None` if they are few enough for the commit to remove them.
    pub fn new(id: ChunkId, count: u32) -> Option<Self> {
        (count as usize > SLICE).then_some(Self { id, count, removed: 0 })
    }

    /// Adds the note to `batch`, which removes the last value that points to the chunks.
    pub fn add_note(&self, batch: &mut Batch) {
        let key = note(self.id);
        batch.insert(key.encoded(), value::encode(&key, &Vec::new().into(), self.id).head);
    }

    /// Removes the next slice. Returns whether there are more. sled must have the commit with the note.
    pub fn remove_next(&mut self, shared: &Shared, disk: &Disk) -> Result<bool> {
        let mut batch = Batch::default();
        for index in (self.removed..self.count).take(SLICE) {
            batch.remove(&Key::chunk(self.id, index));
            self.removed += 1;
        }
        let is_last = self.removed == self.count;
        if is_last {
            batch.remove(note(self.id).encoded());
        }
        shared.apply_visibly(disk, &batch, |batch| disk.apply_journaled(batch))?;
        Ok(!is_last)
    }
}

fn note(id: ChunkId) -> Key {
    Key::meta(&format!("{NOTE}{:016x}{:08x}", id.commit_number, id.ordinal))
}

/// Returns the ID of the chunks that the note at the key `encoded` is about, if it is a note.
pub fn noted(encoded: &[u8]) -> Option<ChunkId> {
    let key = Key::found(encoded, None);
    let id = std::str::from_utf8(key.name()?).ok()?.strip_prefix(NOTE)?;
    let id = u128::from_str_radix(id, 16).ok()?;
    let ordinal = u32::try_from(id & u128::from(u32::MAX)).ok()?;
    let id = ChunkId { commit_number: u64::try_from(id >> 32).ok()?, ordinal };
    (note(id).encoded() == encoded).then_some(id)
}

/// Removes the chunks that notes are about. Called before the store is used.
pub fn remove_noted(disk: &Disk) -> Result<()> {
    let mut ids = Vec::new();
    for stored in disk.forwards(&KeyKind::Meta.prefix(), None) {
        ids.extend(noted(&stored?.0));
    }
    let is_clean = ids.is_empty();
    for id in ids {
        large_values::remove_all(disk, id)?;
        // Last, so that the next open tries again if the process ends before.
        let mut batch = Batch::default();
        batch.remove(note(id).encoded());
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
    use super::*;
    use crate::store::change::{Change, Record};
    use crate::store::sled::open;
    use crate::store::sled::test_store::{make, settings};
    use crate::store::sled::{Lease, Store};
    use std::path::PathBuf;
    use std::process::Command;
    use std::sync::mpsc;
    use std::time::{Duration, Instant};

    const LARGE: usize = 32 << 20;

    fn write(name: &str, contents: Vec<u8>) -> Change {
        let record = Record::new(name.as_bytes());
        Change::Write { record, contents: contents.into(), secret: None }
    }

    fn chunks(store: &Store) -> usize {
        let count = |disk: &Disk| Ok(disk.forwards(&KeyKind::Chunk.prefix(), None).count());
        store.shared.with_disk(count).unwrap()
    }

    fn problems(store: &Store) -> Vec<String> {
        store.verify(&|_| ()).unwrap().problems.described
    }

    /// Replaces a large value by `change`. Copies the store at the acknowledgement, as if the process had ended then.
    fn copy_at_removal(change: Change) -> (tempfile::TempDir, PathBuf, Lease) {
        let folder = tempfile::tempdir().unwrap();
        let [path, copy] = ["store", "copy"].map(|name| folder.path().join(name));
        let store = open(&settings(&path)).unwrap();
        make(&store, vec![write("large", vec![1; LARGE])]);
        let (tell, told) = mpsc::channel();
        let copied = copy.clone();
        let completion = move |result: Result<()>| {
            result.unwrap();
            // The writer waits for this.
            tell.send(Command::new("cp").arg("-r").args([path, copied]).status().unwrap()).unwrap();
        };
        store.submit(vec![change], Box::new(completion));
        assert!(told.recv().unwrap().success());
        (folder, copy, store)
    }

    #[test]
    fn names_of_notes_are_read_back() {
        for id in [
            ChunkId { commit_number: u64::MAX, ordinal: 1 << 31 },
            ChunkId { commit_number: 0, ordinal: 7 },
        ] {
            assert_eq!(noted(note(id).encoded()), Some(id));
        }
        for other in ["large", "old-chunks-", "old-chunks-7", "old-chunks-zz"] {
            assert_eq!(noted(Key::meta(other).encoded()), None);
        }
    }

    #[test]
    fn other_commits_go_between_the_slices_of_a_removal() {
        for change in
            [write("large", vec![2; 100]), Change::Remove { record: Record::new(b"large") }]
        {
            let (_folder, _, store) = copy_at_removal(change);
            make(&store, vec![write("small", vec![3; 100])]);
            let left = chunks(&store);
            assert!(left > SLICE, "{left}");
            assert_eq!(problems(&store), Vec::<String>::new());
            let end = Instant::now() + Duration::from_secs(60);
            while chunks(&store) > 0 {
                assert!(Instant::now() < end);
                std::thread::sleep(Duration::from_millis(10));
            }
            assert_eq!(problems(&store), Vec::<String>::new());
        }
    }

    #[test]
    fn an_open_completes_a_removal() {
        let (_folder, copy, store) = copy_at_removal(write("large", vec![2; LARGE]));
        drop(store);
        let crashed = open(&settings(&copy)).unwrap();
        assert_eq!(chunks(&crashed), LARGE.div_ceil(value::CHUNK_BYTES));
        assert_eq!(problems(&crashed), Vec::<String>::new());
        let notes = |disk: &Disk| {
            let keys = disk.forwards(&KeyKind::Meta.prefix(), None);
            Ok(keys.filter(|stored| noted(&stored.as_ref().unwrap().0).is_some()).count())
        };
        assert_eq!(crashed.shared.with_disk(notes).unwrap(), 0);
    }

    #[test]
    fn a_writer_completes_a_removal_before_it_ends() {
        let (folder, _, store) = copy_at_removal(write("large", vec![2; 100]));
        assert!(chunks(&store) > SLICE);
        drop(store);
        let disk = open(&settings(&folder.path().join("store"))).unwrap();
        assert_eq!(chunks(&disk), 0);
    }

    #[test]
    fn a_backup_amid_a_removal_is_whole() {
        let (folder, _, store) = copy_at_removal(write("large", vec![2; 100]));
        let report = store.copy(&folder.path().join("backup"), [5; 16], &|_| ()).unwrap();
        assert_eq!((report.records, report.problems.number), (1, 0));
    }
}
