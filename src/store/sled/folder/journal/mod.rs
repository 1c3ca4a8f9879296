//! The journal makes a commit durable before sled has written it.
//!
//! A commit is one entry, which is appended and synced. Only after that does sled get the same changes, key by key, and
//! write them in its own time. Everything that sled has of a commit is therefore in the journal as a whole. When the
//! journal is full, or earlier on a disk with little free space, sled is synced, and the journal starts again at its
//! beginning. An open replays the entries that sled lacks. A commit that is larger than the whole journal goes to sled
//! directly, as an atomic batch.
//!
//! ```text
//! entry:  checksum u32 | length u32 | commit number u64 | changes   the CRC-32 of the store's id and everything after it
//! change: key length u32 | value length u32 | key | value           the value length is MAX for a removed key
//! ```
//!
//! The file has its full length from the beginning, and every block of it was written once. An entry therefore changes
//! nothing but its own blocks, which takes the drive two thirds of the time that a growing file takes. Each entry
//! begins at a block boundary, as `journal/direct_io.rs` requires.
//!
//! The numbers of the entries follow each other without a gap. Entries left from an earlier round have lower numbers,
//! so a reader stops there (`journal/read.rs`). The file is in sled's folder, so that an operator who moves one also
//! moves the other.

use crate::store::error::{Result, StoreError};
use crate::store::sled::folder::files::{create_regular, open_regular};
use crate::store::sled::folder::names::JOURNAL;
use crate::store::sled::folder::rollback_guard::StoreId;
use crate::store::sled::format::batch::Batch;
#[cfg(target_os = "linux")]
use direct_io::Direct;
pub use read::{Entry, Found};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

#[cfg(target_os = "linux")]
mod direct_io;
mod read;

/// Size of the journal, in bytes. It is the amount that one sync of sled makes durable: some hundred single commits.
pub const BYTES: usize = 2 << 20;
/// Size of a block of the drive, and alignment of entries, in bytes. It is the largest that any drive requires.
const DRIVE_BLOCK: usize = 4096;
/// Bytes of an entry before its changes.
const HEAD_BYTES: usize = 16;
/// Bytes of a change before its key.
const CHANGE_HEAD_BYTES: usize = 8;
const REMOVED: u32 = u32::MAX;

/// The open journal.
pub struct Journal {
    /// Direct writes, where the system supports them. Declared before `entry` so that it is dropped first: a pending
    /// write borrows the blocks.
    #[cfg(target_os = "linux")]
    direct: Option<Direct>,
    /// The file for normal writes, where direct ones are not supported.
    file: File,
    path: PathBuf,
    id: StoreId,
    /// Offset of the next entry.
    end: usize,
    entry: Blocks,
}

impl Journal {
    /// Creates the journal of a new store in sled's folder `folder`.
    pub fn create(folder: &Path) -> Result<()> {
        let path = folder.join(JOURNAL);
        let mut file = create_regular(&path)?;
        file.write_all(&vec![0; BYTES])
            .and_then(|()| file.sync_all())
            .map_err(|error| StoreError::io("create", &path, error))
    }

    /// Opens the journal of the store `id` in `folder`, and returns it with its entries. The next entry overwrites the
    /// first one.
    pub fn open(folder: &Path, id: StoreId) -> Result<(Self, Found)> {
        let path = folder.join(JOURNAL);
        let file = open_regular(&path, OpenOptions::new().read(true).write(true))?;
        let mut bytes = Vec::new();
        (&file)
            .take(BYTES as u64)
            .read_to_end(&mut bytes)
            .map_err(|error| StoreError::io("read", &path, error))?;
        let mut entry = Blocks::new();
        let journal = Self {
            #[cfg(target_os = "linux")]
            direct: Direct::open(&path, entry.fill(|block| block.push(0))),
            file,
            path,
            id,
            end: 0,
            entry,
        };
        Ok((journal, read::read(&bytes, &id)))
    }

    /// Makes the next entry the first one. sled has made the changes of all entries durable.
    pub fn begin_anew(&mut self) {
        self.end = 0;
    }

    /// Overwrites every entry durably, so that none of them is ever read again.
    pub fn clear(&mut self) -> Result<()> {
        self.begin_anew();
        self.file
            .rewind()
            .and_then(|()| self.file.write_all(&vec![0; BYTES]))
            .and_then(|()| self.file.sync_all())
            .map_err(|error| StoreError::io("clear", &self.path, error))
    }

    /// Returns whether an entry for `batch` fits after the existing ones within `limit` bytes, at most [`BYTES`].
    #[must_use]
    pub fn has_room(&self, batch: &Batch, limit: usize) -> bool {
        self.end + entry_bytes(batch) <= limit
    }

    /// Appends an entry, and makes it durable. Runs `meanwhile` while the drive writes.
    pub fn append(
        &mut self,
        commit_number: u64,
        batch: &Batch,
        meanwhile: Option<impl FnOnce() -> Result<()>>,
    ) -> Result<()> {
        let blocks = self.entry.fill(|bytes| encode(bytes, &self.id, commit_number, batch));
        let at = self.end;
        self.end += blocks.len();
        let failed = |error| StoreError::io("write", &self.path, error);
        #[cfg(target_os = "linux")]
        if let Some(direct) = &self.direct {
            return match meanwhile {
                Some(meanwhile) => direct.write_while(blocks, at, meanwhile).map_err(failed)?,
                // Without other work, this call returns sooner.
                None => direct.write(blocks, at).map_err(failed),
            };
        }
        self.file.seek(SeekFrom::Start(at as u64)).map_err(failed)?;
        self.file.write_all(blocks).map_err(failed)?;
        meanwhile.map_or(Ok(()), |meanwhile| meanwhile())?;
        self.file.sync_data().map_err(|error| StoreError::io("sync", &self.path, error))
    }
}

/// Buffer of whole blocks, aligned to the block size, up to the size of a journal.
struct Blocks {
    bytes: Vec<u8>,
    start: usize,
}

impl Blocks {
    fn new() -> Self {
        // The vector never grows, so its address stays aligned.
        let mut bytes = Vec::<u8>::with_capacity(BYTES + DRIVE_BLOCK);
        let start = bytes.as_ptr().align_offset(DRIVE_BLOCK);
        bytes.resize(start, 0);
        Self { bytes, start }
    }

    /// Returns the bytes that `write` appends, padded with zeros.
    fn fill(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> &mut [u8] {
        self.bytes.truncate(self.start);
        write(&mut self.bytes);
        let length = (self.bytes.len() - self.start).next_multiple_of(DRIVE_BLOCK);
        self.bytes.resize(self.start + length, 0);
        self.bytes.get_mut(self.start..).unwrap_or_default()
    }
}

/// Returns whether an entry for `batch` fits into an empty journal.
#[must_use]
pub fn can_hold(batch: &Batch) -> bool {
    entry_bytes(batch) <= BYTES
}

fn entry_bytes(batch: &Batch) -> usize {
    let sizes = batch
        .changes()
        .map(|(key, value)| CHANGE_HEAD_BYTES + key.len() + value.map_or(0, <[u8]>::len));
    (HEAD_BYTES + sizes.sum::<usize>()).next_multiple_of(DRIVE_BLOCK)
}

/// Appends an entry to `bytes`.
fn encode(bytes: &mut Vec<u8>, id: &StoreId, commit_number: u64, batch: &Batch) {
    let start = bytes.len();
    bytes.extend([0; HEAD_BYTES]);
    for (key, value) in batch.changes() {
        bytes.extend(length(key).to_be_bytes());
        bytes.extend(value.map_or(REMOVED, length).to_be_bytes());
        bytes.extend(key);
        bytes.extend(value.unwrap_or_default());
    }
    let entry = bytes.get_mut(start..).unwrap_or_default();
    // Both lengths are below BYTES, so they fit.
    let rest = length(entry.get(HEAD_BYTES..).unwrap_or_default());
    let head = [rest.to_be_bytes().as_slice(), &commit_number.to_be_bytes()].concat();
    put(entry, 4, &head);
    let checksum = checksum(id, entry.get(4..).unwrap_or_default());
    put(entry, 0, &checksum.to_be_bytes());
}

fn put(entry: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = entry.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(REMOVED)
}

/// Computes the checksum of an entry. It covers the store's ID, so an entry of another store's journal is invalid.
fn checksum(id: &StoreId, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(id);
    hasher.update(bytes);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: StoreId = [7; 16];
    const NOTHING: Option<fn() -> Result<()>> = None;
    type Changes = Vec<(Vec<u8>, Option<Vec<u8>>)>;

    fn batch(changes: &Changes) -> Batch {
        let mut batch = Batch::default();
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(key, value.as_slice()),
                None => batch.remove(key),
            }
        }
        batch
    }

    fn changes(entries: &[Entry]) -> Vec<(u64, Changes)> {
        let of = |entry: &Entry| {
            entry.batch.changes().map(|(key, value)| (key.into(), value.map(Into::into))).collect()
        };
        entries.iter().map(|entry| (entry.commit_number, of(entry))).collect()
    }

    fn journal(folder: &Path) -> Journal {
        if !folder.join(JOURNAL).exists() {
            Journal::create(folder).unwrap();
        }
        Journal::open(folder, ID).unwrap().0
    }

    fn read(folder: &Path, id: StoreId) -> Vec<Entry> {
        Journal::open(folder, id).unwrap().1.entries
    }

    fn one(number: u8) -> Changes {
        vec![(vec![number], Some(vec![number; 100])), (vec![number, 1], None)]
    }

    #[test]
    fn entries_of_this_round_are_read_back_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let mut writing = journal(folder.path());
        assert!(read(folder.path(), ID).is_empty());
        for number in 1..6 {
            writing.append(number.into(), &batch(&one(number)), NOTHING).unwrap();
        }
        let found = read(folder.path(), ID);
        assert_eq!(changes(&found), (1..6).map(|n| (n.into(), one(n))).collect::<Vec<_>>());
        // Two entries of the next round, followed by those of the round before.
        writing.begin_anew();
        for number in 6..8 {
            writing.append(number.into(), &batch(&one(number)), NOTHING).unwrap();
        }
        let found = read(folder.path(), ID);
        assert_eq!(changes(&found), (6..8).map(|n| (n.into(), one(n))).collect::<Vec<_>>());
        assert!(read(folder.path(), [8; 16]).is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn no_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        drop(journal(folder.path()));
        let (path, elsewhere) = (folder.path().join(JOURNAL), folder.path().join("elsewhere"));
        std::fs::rename(&path, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        let before = std::fs::read(&elsewhere).unwrap();
        let refused = Journal::open(folder.path(), ID).map(drop).unwrap_err();
        assert_eq!(refused.code(), "ERR_STORE_FOREIGN");
        // A new journal replaces the link.
        Journal::create(folder.path()).unwrap();
        assert!(path.symlink_metadata().unwrap().is_file());
        assert_eq!(std::fs::read(&elsewhere).unwrap(), before);
    }

    #[test]
    fn the_journal_never_grows() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = journal(folder.path());
        let large = batch(&vec![(vec![1], Some(vec![1; 300_000]))]);
        let mut written = 0;
        while journal.has_room(&large, BYTES) {
            written += 1;
            journal.append(written, &large, NOTHING).unwrap();
        }
        assert_eq!(written, 6);
        assert_eq!(std::fs::metadata(&journal.path).unwrap().len(), BYTES as u64);
        assert!(!journal.has_room(&batch(&vec![(vec![1], Some(vec![1; BYTES]))]), BYTES));
        journal.begin_anew();
        let whole =
            batch(&vec![(vec![1], Some(vec![1; BYTES - HEAD_BYTES - CHANGE_HEAD_BYTES - 1]))]);
        assert!(journal.has_room(&whole, BYTES));
        journal.append(7, &whole, NOTHING).unwrap();
        assert!(!journal.has_room(&Batch::default(), BYTES));
        assert_eq!(std::fs::metadata(&journal.path).unwrap().len(), BYTES as u64);
        assert_eq!(journal_entries(&journal), [7]);
    }

    fn journal_entries(journal: &Journal) -> Vec<u64> {
        let bytes = std::fs::read(&journal.path).unwrap();
        read::read(&bytes, &ID).entries.iter().map(|entry| entry.commit_number).collect()
    }
}
