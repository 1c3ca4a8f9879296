//! The rollback guard: a small file beside sled's that holds the number of the last acknowledged commit. With it, an
//! open refuses a store that lost acknowledged changes.
//!
//! ```text
//! slot (at 0 and at 4096, written in turns):
//! magic 8 | format u32 | mark u8 | store id 16 | commit number u64 | turn u64 | checksum u32
//! ```
//!
//! A slot is smaller than a sector, so after a power cut it is either old or new. The valid slot with the higher turn
//! counts. The guard is written after each durable commit, and synced once a second and at close. It may therefore lag
//! behind the data, but is never ahead of it. Every later format keeps this header, so that an older version can refuse
//! it.

use crate::store::error::{Result, StoreError};
use crate::store::sled::folder::files::{create_regular, is_there, open_regular, sync_folder};
use crate::store::sled::folder::names::{GUARD, NEW_GUARD};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Format that this version writes.
pub const FORMAT: u32 = 1;

const MAGIC: [u8; 8] = *b"DSLEDGRD";
const SLOT_BYTES: usize = 49;
const SLOT_DISTANCE: u64 = 4096;

/// Identifies a store, in the guard and in sled.
pub type StoreId = [u8; 16];

/// Progress of the creation of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The store is complete.
    Whole,
    /// A new store is being created. Nothing was acknowledged yet.
    Creating,
    /// A backup is being made, and is not verified yet.
    Copying,
}

/// Content of the guard.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Format of the store.
    pub format: u32,
    /// Differs from [`Mark::Whole`] from before sled's folder is made until the store is complete.
    pub mark: Mark,
    /// ID of the store that this guard belongs to.
    pub id: StoreId,
    /// Number of the last acknowledged commit.
    pub commit_number: u64,
    turn: u64,
}

/// The open guard file.
pub struct RollbackGuard {
    file: File,
    path: PathBuf,
    state: State,
    unsynced: bool,
}

impl RollbackGuard {
    /// Reads the guard in `folder`; `None` if the file is missing.
    pub fn read(folder: &Path) -> Result<Option<State>> {
        let path = folder.join(GUARD);
        let mut bytes = Vec::new();
        if !is_there(&path)? {
            return Ok(None);
        }
        open_regular(&path, OpenOptions::new().read(true))?
            .take(2 * SLOT_DISTANCE)
            .read_to_end(&mut bytes)
            .map_err(|error| StoreError::io("read", &path, error))?;
        let state = newest(&bytes)
            .ok_or_else(|| StoreError::Damaged { what: format!("the guard {}", path.display()) })?;
        if state.format > FORMAT {
            return Err(StoreError::NewerFormat {
                path: folder.into(),
                found: state.format,
                supported: FORMAT,
            });
        }
        Ok(Some(state))
    }

    /// Opens the guard that [`RollbackGuard::read`] found in `folder`.
    pub fn open(folder: &Path, state: State) -> Result<Self> {
        let path = folder.join(GUARD);
        let file = open_regular(&path, OpenOptions::new().read(true).write(true))?;
        Ok(Self { file, path, state, unsynced: false })
    }

    /// Creates the guard of a store that is being made, with `mark`. The file is durable, and gets its final name in
    /// one step.
    pub fn create(folder: &Path, id: StoreId, mark: Mark) -> Result<Self> {
        let state = State { format: FORMAT, mark, id, commit_number: 0, turn: 0 };
        let new = folder.join(NEW_GUARD);
        let path = folder.join(GUARD);
        let failed = |error| StoreError::io("create", &path, error);
        let mut file = create_regular(&new)?;
        let slot = encode(&state);
        file.write_all(&slot).map_err(failed)?;
        file.seek(SeekFrom::Start(SLOT_DISTANCE)).map_err(failed)?;
        file.write_all(&slot).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        std::fs::rename(&new, &path).map_err(failed)?;
        sync_folder(folder)?;
        Self::open(folder, state)
    }

    /// Returns the current content of the guard.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Writes that everything up to `commit_number` is durable, and that the store is complete. Does not sync.
    pub fn record(&mut self, commit_number: u64) -> Result<()> {
        let turn = self.state.turn + 1;
        let state = State { commit_number, mark: Mark::Whole, turn, ..self.state.clone() };
        let failed = |error| StoreError::io("write", &self.path, error);
        self.file.seek(SeekFrom::Start(turn % 2 * SLOT_DISTANCE)).map_err(failed)?;
        self.file.write_all(&encode(&state)).map_err(failed)?;
        self.state = state;
        self.unsynced = true;
        Ok(())
    }

    /// Makes the last [`RollbackGuard::record`] durable.
    pub fn sync(&mut self) -> Result<()> {
        // A failed sync is never tried again: the system may have dropped the data that it could not write.
        if !std::mem::take(&mut self.unsynced) {
            return Ok(());
        }
        self.file.sync_data().map_err(|error| StoreError::io("sync", &self.path, error))
    }

    /// Returns whether [`RollbackGuard::sync`] has something to do.
    #[must_use]
    pub fn is_unsynced(&self) -> bool {
        self.unsynced
    }
}

fn encode(state: &State) -> Vec<u8> {
    let mut slot = Vec::with_capacity(SLOT_BYTES);
    slot.extend_from_slice(&MAGIC);
    slot.extend_from_slice(&state.format.to_be_bytes());
    slot.push(match state.mark {
        Mark::Whole => 0,
        Mark::Creating => 1,
        Mark::Copying => 2,
    });
    slot.extend_from_slice(&state.id);
    slot.extend_from_slice(&state.commit_number.to_be_bytes());
    slot.extend_from_slice(&state.turn.to_be_bytes());
    let checksum = crc32fast::hash(&slot);
    slot.extend_from_slice(&checksum.to_be_bytes());
    slot
}

/// Returns the content of a guard file: its valid slot with the higher turn.
#[must_use]
pub fn newest(bytes: &[u8]) -> Option<State> {
    let second = usize::try_from(SLOT_DISTANCE).ok()?;
    let slots = [Some(bytes), bytes.get(second..)];
    slots.into_iter().flatten().filter_map(decode).max_by_key(|state| state.turn)
}

fn decode(bytes: &[u8]) -> Option<State> {
    let slot = bytes.get(..SLOT_BYTES)?;
    let (content, checksum) = slot.split_last_chunk()?;
    if crc32fast::hash(content) != u32::from_be_bytes(*checksum) {
        return None;
    }
    let (magic, content) = content.split_first_chunk()?;
    if *magic != MAGIC {
        return None;
    }
    let (format, content) = content.split_first_chunk()?;
    let (mark, content) = content.split_first()?;
    let (id, content) = content.split_first_chunk()?;
    let (commit_number, content) = content.split_first_chunk()?;
    Some(State {
        format: u32::from_be_bytes(*format),
        mark: match mark {
            0 => Mark::Whole,
            2 => Mark::Copying,
            _ => Mark::Creating,
        },
        id: *id,
        commit_number: u64::from_be_bytes(*commit_number),
        turn: u64::from_be_bytes(content.try_into().ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: StoreId = [7; 16];

    #[test]
    fn the_last_record_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(RollbackGuard::read(folder.path()).unwrap(), None);
        RollbackGuard::create(folder.path(), ID, Mark::Copying).unwrap();
        assert_eq!(RollbackGuard::read(folder.path()).unwrap().unwrap().mark, Mark::Copying);
        let mut guard = RollbackGuard::create(folder.path(), ID, Mark::Creating).unwrap();
        assert_eq!(RollbackGuard::read(folder.path()).unwrap().unwrap().mark, Mark::Creating);
        for commit_number in 1..5 {
            guard.record(commit_number).unwrap();
            assert_eq!(RollbackGuard::read(folder.path()).unwrap().as_ref(), Some(guard.state()));
        }
    }

    #[test]
    fn one_damaged_slot_leaves_the_other_and_two_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut guard = RollbackGuard::create(folder.path(), ID, Mark::Creating).unwrap();
        guard.record(1).unwrap();
        guard.record(2).unwrap();
        let path = folder.path().join(GUARD);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[30] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(RollbackGuard::read(folder.path()).unwrap().unwrap().commit_number, 1);
        bytes[4096 + 30] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(RollbackGuard::read(folder.path()).unwrap_err().code(), "ERR_STORE_DAMAGED");
    }

    #[test]
    fn a_newer_format_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let guard = RollbackGuard::create(folder.path(), ID, Mark::Creating).unwrap();
        let newer = State { format: FORMAT + 1, turn: 9, ..guard.state().clone() };
        std::fs::write(folder.path().join(GUARD), encode(&newer)).unwrap();
        assert_eq!(
            RollbackGuard::read(folder.path()).unwrap_err().code(),
            "ERR_STORE_NEWER_FORMAT"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(newest(&bytes), None);
        }
    }
}
