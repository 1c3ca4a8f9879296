//! A batch in the making: what the changes of one commit leave behind, over what is stored.

use crate::record::cipher::{self, Secret};
use crate::record::import::{self, Import};
use crate::record::overwrite::{overwrite, Locked};
use crate::record::stale::{self, Fingerprint};
use crate::record::Kind;
use crate::store::change::{Change, Edit, Edited, Record, MAX_RULED_BYTES};
use crate::store::contents::Contents;
use crate::store::error::{Result, StoreError};
use crate::store::key::{ChunkId, Key};
use crate::store::sled::commit::large_values::{self, LARGE_BYTES};
use crate::store::sled::commit::list;
use crate::store::sled::database::disk::Disk;
use crate::store::sled::format::batch::Batch;
use crate::store::sled::format::value::{self};
use crate::store::sled::{Shared, Store};
use crate::store::MAX_CONTENTS_BYTES;
use std::collections::HashMap;
use std::sync::PoisonError;

/// The key of the last applied sequence.
pub const APPLIED: &str = "applied";

/// The key of the mark that every session has to be ended before the store may be used.
pub const MARK: &str = "sessions-to-end";

/// What ends a session, or resets a key, makes a record longer by no more than this, also encrypted.
const SPARED_BYTES: usize = 256;

/// Changed values by key; `None` for a removed one.
pub type Changed = HashMap<Key, Option<Contents>>;

/// The changes of one commit. Reads see what was changed before within it.
pub struct Transaction<'a> {
    disk: &'a Disk,
    shared: &'a Shared,
    sequence: u64,
    has_room: bool,
    /// The name of the chunks of its only value, if they were written ahead.
    ahead: Option<ChunkId>,
    /// What was read from the disk for it.
    read: Changed,
    accepted: Changed,
    /// What the request at hand has changed so far: taken over whole, or not at all.
    staged: Changed,
}

impl<'a> Transaction<'a> {
    /// An empty transaction of batch number `sequence` over what is stored, for about `changes`. Without room for new records it
    /// takes only what ends sessions or makes room.
    pub fn new(
        disk: &'a Disk,
        shared: &'a Shared,
        sequence: u64,
        has_room: bool,
        changes: usize,
    ) -> Self {
        let (read, staged) = Default::default();
        let accepted = Changed::with_capacity(changes);
        Self { disk, shared, sequence, has_room, ahead: None, read, accepted, staged }
    }

    /// The same for one value, whose chunks named `id` are durable.
    pub fn behind(disk: &'a Disk, shared: &'a Shared, sequence: u64, id: ChunkId) -> Self {
        Self { ahead: Some(id), ..Self::new(disk, shared, sequence, true, 1) }
    }

    /// Takes all of a request's changes, or none if one of them fails.
    pub fn take(&mut self, changes: Vec<Change>) -> Result<()> {
        self.staged.clear();
        for change in changes {
            self.stage(change)?;
        }
        self.accepted.extend(self.staged.drain());
        Ok(())
    }

    /// What stands at `key` after the changes so far.
    pub fn get(&mut self, key: &Key) -> Result<Option<Contents>> {
        let changed = self.staged.get(key).or_else(|| self.accepted.get(key));
        if let Some(contents) = changed.or_else(|| self.read.get(key)) {
            return Ok(contents.clone());
        }
        if let Some(contents) = self.shared.cache.peek(key) {
            return Ok(contents);
        }
        let contents = self.shared.stored(self.disk, key)?;
        self.read.insert(key.clone(), contents.clone());
        Ok(contents)
    }

    /// Lets `contents` stand at `key`, where nothing stands: that is not looked up. What was removed in the same batch
    /// still stands on the disk.
    pub fn put_first(&mut self, key: Key, contents: Contents) {
        if !self.staged.contains_key(&key) && !self.accepted.contains_key(&key) {
            self.read.insert(key.clone(), None);
        }
        self.put(key, contents);
    }

    /// Lets `contents` stand at `key`.
    pub fn put(&mut self, key: Key, contents: Contents) {
        self.staged.insert(key, Some(contents));
    }

    /// Lets nothing stand at `key`.
    pub fn remove(&mut self, key: Key) {
        self.staged.insert(key, None);
    }

    /// The number of this batch.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.accepted.is_empty()
    }

    /// The batch for sled, which also notes its own number at its end. Chunks come before what points to them, and go
    /// after it.
    pub fn batch(&self) -> Result<Batch> {
        let sequence = self.sequence;
        let mut batch = Batch::with_capacity(self.accepted.len() + 1);
        let mut old_chunks = Vec::new();
        for (ordinal, (key, contents)) in (0..).zip(&self.accepted) {
            if let Some((id, count)) = self.old_chunks(key)? {
                old_chunks.extend((0..count).map(|index| Key::chunk(id, index)));
            }
            let Some(contents) = contents else {
                batch.remove(key.encoded());
                continue;
            };
            let id = self.ahead.unwrap_or(ChunkId { sequence, ordinal });
            let encoded = value::encode(key, contents, id);
            if self.ahead.is_some() {
                large_values::remove_note(&mut batch);
            } else if contents.len() > LARGE_BYTES {
                large_values::write_ahead(self.shared, self.disk, &encoded)?;
            } else {
                for (chunk, bytes) in encoded.chunks() {
                    batch.insert(&chunk, bytes);
                }
            }
            batch.insert(key.encoded(), encoded.head);
        }
        for chunk in old_chunks {
            batch.remove(&chunk);
        }
        put_applied(&mut batch, sequence);
        Ok(batch)
    }

    /// What it changes.
    pub fn into_changed(self) -> Changed {
        self.accepted
    }

    /// The chunks of what stands at `key` now. What memory knows to be small has none.
    fn old_chunks(&self, key: &Key) -> Result<Option<(ChunkId, u32)>> {
        let Shared { cache, unapplied, .. } = self.shared;
        let known = self.read.get(key).cloned().or_else(|| cache.peek(key));
        match known.or_else(|| unapplied.get(key)) {
            Some(old) if old.as_ref().is_none_or(|old| !value::has_chunks(key, old)) => Ok(None),
            // Where there are chunks, sled alone knows their names.
            Some(_) => self.shared.catch_up(self.disk).and_then(|()| self.disk.chunks_of(key)),
            None => self.disk.chunks_of(key),
        }
    }

    fn stage(&mut self, change: Change) -> Result<()> {
        match change {
            Change::Write { record, contents, secret } => {
                let stored = record.kind.map(|_| self.get(&record.key)).transpose()?.flatten();
                self.require_room(is_spared(&record, &contents, stored.as_ref()))?;
                self.write(record, contents, stored, secret.as_ref())?;
            }
            Change::Remove { record } => self.remove_record(record)?,
            Change::Update { record, edit, secret, .. } => {
                self.update(record, edit, secret.as_ref())?;
            }
            Change::Import { record, contents, secret, kept } => {
                let stored = record.kind.map(|_| self.get(&record.key)).transpose()?.flatten();
                self.require_room(is_spared(&record, &contents, stored.as_ref()))?;
                let commit = &self.shared.commit;
                let (contents, is_changed) = commit
                    .computing(|| import(&record, contents, stored.as_ref(), secret.as_ref()))?;
                if is_changed {
                    kept.lock().unwrap_or_else(PoisonError::into_inner).tell(record.key.display());
                }
                if let Some(contents) = contents {
                    self.put(record.key, contents);
                }
            }
            Change::Mark => self.put(Key::meta(MARK), vec![1].into()),
            Change::ClearQuarantine => self.remove(Key::meta(MARK)),
            Change::ListAdd { path, item } => {
                self.require_room(false)?;
                list::add(self, &path, &item)?;
            }
            Change::ListRemove { path, item } => list::discard(self, &path, &item)?,
        }
        Ok(())
    }

    fn require_room(&self, is_spared: bool) -> Result<()> {
        if self.has_room || is_spared {
            Ok(())
        } else {
            Err(self.disk.full())
        }
    }

    fn update(&mut self, record: Record, edit: Edit, secret: Option<&Secret>) -> Result<()> {
        let stored = self.get(&record.key)?;
        let edited = self.shared.commit.computing(|| edit(stored.as_deref()));
        let Some(Edited { contents, retires }) = edited? else {
            return Ok(());
        };
        // An older or an imported store may hold larger accounts. They can be reset, and changed if they do not grow.
        let limit = match (&retires, &stored) {
            (Some(_), _) => MAX_CONTENTS_BYTES,
            (None, Some(stored)) => record.most_bytes().max(stored.len()),
            (None, None) => record.most_bytes(),
        };
        let found = contents.len();
        if found > limit {
            return Err(StoreError::TooLarge { slug: "invalid-value", found, limit });
        }
        let Some(retires) = retires else {
            self.require_room(is_spared(&record, &contents, stored.as_ref()))?;
            return self.write(record, contents, stored, secret);
        };
        let remembered = stored.as_ref().map(Contents::retired).unwrap_or_default();
        self.put(record.key, remember(contents, remembered, &retires));
        Ok(())
    }

    /// Writes a record over what is `stored`: that counts only for a record with rules.
    fn write(
        &mut self,
        record: Record,
        contents: Contents,
        stored: Option<Contents>,
        secret: Option<&Secret>,
    ) -> Result<()> {
        let contents = match (record.kind, stored) {
            (Some(kind), Some(stored)) => {
                let commit = &self.shared.commit;
                commit.computing(|| reconcile(kind, contents, &stored, secret))?
            }
            _ => contents,
        };
        self.put(record.key, contents);
        Ok(())
    }

    fn remove_record(&mut self, record: Record) -> Result<()> {
        if self.get(&record.key)?.is_some() {
            self.remove(record.key);
        }
        Ok(())
    }
}

/// Whether `contents` may be written over what is `stored` with whatever room there is: if the record does not grow, or is
/// one with rules and hardly grows. The host ends a session, and resets a key, by writing it whole or by setting properties.
fn is_spared(record: &Record, contents: &Contents, stored: Option<&Contents>) -> bool {
    let spared = record.kind.map_or(0, |_| SPARED_BYTES);
    stored.is_some_and(|stored| contents.len() <= stored.len() + spared)
}

/// What to write instead of `contents` over what is `stored`, so that a stale write undoes nothing; what the write
/// retires is remembered in the same batch.
fn reconcile(
    kind: Kind,
    contents: Contents,
    stored: &Contents,
    secret: Option<&Secret>,
) -> Result<Contents> {
    let remembered = stored.retired();
    let outcome = overwrite(kind, stored, &contents, remembered, secret)
        .map_err(|Locked| StoreError::OtherSecret)?;
    let Some(outcome) = outcome else {
        return Ok(contents);
    };
    let contents = match outcome.text {
        Some(text) => cipher::encrypt_record(text, secret).into(),
        None => contents,
    };
    Ok(remember(contents, remembered, &outcome.retires))
}

/// What to write of the import of `contents` over what is `stored`, if anything, and whether that is not all of it.
fn import(
    record: &Record,
    contents: Contents,
    stored: Option<&Contents>,
    secret: Option<&Secret>,
) -> Result<(Option<Contents>, bool)> {
    let (Some(kind), Some(stored)) = (record.kind, stored) else {
        return Ok((Some(contents), false));
    };
    let remembered = stored.retired();
    let outcome = import::import(kind, stored, &contents, remembered, secret, MAX_RULED_BYTES)
        .map_err(|Locked| StoreError::OtherSecret)?;
    Ok(match outcome {
        Import::Taken { retires } => (Some(remember(contents, remembered, &retires)), false),
        Import::Merged { text, retires } => {
            let contents = cipher::encrypt_record(text, secret).into();
            (Some(remember(contents, remembered, &retires)), true)
        }
        Import::Kept => (None, true),
    })
}

/// Whether something of what is stored would be kept if `contents` was imported at `record`. Blocks.
pub fn would_keep(
    store: &Store,
    record: &Record,
    contents: Contents,
    secret: Option<&Secret>,
) -> Result<bool> {
    let stored = record.kind.map(|_| store.read(&record.key)).transpose()?.flatten();
    Ok(import(record, contents, stored.as_ref(), secret)?.1)
}

/// `contents` with what was retired before and what is now.
fn remember(contents: Contents, before: &[Fingerprint], now: &[Fingerprint]) -> Contents {
    if before.is_empty() && now.is_empty() {
        return contents;
    }
    contents.with_retired(&stale::remember(before, now))
}

/// Notes in `batch` that every session has to be ended before the store may be used.
pub fn put_mark(batch: &mut Batch) {
    let key = Key::meta(MARK);
    let id = ChunkId { sequence: 0, ordinal: u32::MAX };
    batch.insert(key.encoded(), value::encode(&key, &vec![1].into(), id).head);
}

/// Notes in `batch` that it is number `sequence`.
pub fn put_applied(batch: &mut Batch, sequence: u64) {
    let key = Key::meta(APPLIED);
    let id = ChunkId { sequence, ordinal: u32::MAX };
    batch.insert(
        key.encoded(),
        value::encode(&key, &sequence.to_be_bytes().as_slice().into(), id).head,
    );
}
