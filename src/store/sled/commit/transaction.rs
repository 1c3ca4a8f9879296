//! The transaction of one commit: computes its changes from the stored values, and makes the batch for sled.

use crate::record::cipher::Secret;
use crate::record::ending::Ending;
use crate::store::cache::NotCached;
use crate::store::change::{Change, Edit, Edited, Record};
use crate::store::contents::Contents;
use crate::store::error::Result;
use crate::store::key::{ChunkId, Key};
use crate::store::rule;
use crate::store::sled::commit::large_values::{self, LARGE_BYTES};
use crate::store::sled::commit::list;
use crate::store::sled::commit::old_chunks::OldChunks;
use crate::store::sled::commit::overlay::Overlay;
use crate::store::sled::commit::shared::Shared;
use crate::store::sled::database::disk::Disk;
use crate::store::sled::format::batch::{Batch, Changed};
use crate::store::sled::format::meta::{put_applied, QUARANTINE};
use crate::store::sled::format::value;
use std::sync::PoisonError;
use uuid::Uuid;

/// Largest growth of a record when a session ends or a key is reset, in bytes, encrypted or not.
const SPARED_BYTES: usize = 256;
/// Size of a record from which on the next entry begins another one, in bytes.
const ENTRIES_BYTES: usize = 4096;

/// The changes of one commit. Each request sees the changes of those before it.
pub struct Transaction<'a> {
    disk: &'a Disk,
    shared: &'a Shared,
    overlay: Overlay<'a>,
    has_room: bool,
    /// Entries about sessions that ended, and those of the current request.
    entries: Vec<Contents>,
    staged_entries: Vec<Contents>,
    /// Number of writes of which a part was stale.
    stale_writes: u64,
    /// ID of the chunks of its only value, if they were written ahead.
    written_chunks: Option<ChunkId>,
}

impl<'a> Transaction<'a> {
    /// Returns an empty transaction for the commit `commit_number`, with capacity for `changes` changes. If the disk
    /// does not have space for new records (`has_room`), it accepts only changes that end sessions or free space.
    pub fn new(
        disk: &'a Disk,
        shared: &'a Shared,
        commit_number: u64,
        has_room: bool,
        changes: usize,
    ) -> Self {
        let overlay = Overlay::new(disk, shared, commit_number, changes);
        Self {
            disk,
            shared,
            overlay,
            has_room,
            entries: Vec::new(),
            staged_entries: Vec::new(),
            stale_writes: 0,
            written_chunks: None,
        }
    }

    /// Returns a transaction for one value whose chunks, with the ID `id`, are durable already.
    pub fn with_written_chunks(
        disk: &'a Disk,
        shared: &'a Shared,
        commit_number: u64,
        id: ChunkId,
    ) -> Self {
        Self { written_chunks: Some(id), ..Self::new(disk, shared, commit_number, true, 1) }
    }

    /// Returns whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.overlay.accepted().is_empty() && self.entries.is_empty()
    }

    /// Accepts all changes of a request, or none if one of them fails.
    pub fn take(&mut self, changes: Vec<Change>) -> Result<()> {
        self.overlay.begin_request();
        self.staged_entries.clear();
        for change in changes {
            self.stage(change)?;
        }
        self.overlay.accept_request();
        self.entries.append(&mut self.staged_entries);
        Ok(())
    }

    /// Puts the entries about sessions that ended into records. They share records, because for sled another record is
    /// more work than a line of one.
    fn put_entries(&mut self) {
        if self.entries.is_empty() {
            return;
        }
        self.overlay.begin_request();
        // An import may bring entries of another store, with the same commit number.
        let random = u128::from(u64::MAX >> 16) & Uuid::new_v4().as_u128();
        let first = u128::from(self.overlay.commit_number()) << 64 | random << 16;
        for (order, entries) in (first..).zip(rule::records_of(&self.entries, ENTRIES_BYTES)) {
            self.overlay.put_first(rule::entry_key(order), entries);
        }
        self.overlay.accept_request();
    }

    /// Returns the batch for sled of all changes, which ends with its own number, and the chunks to remove once sled has it. New chunks
    /// are written before the value that points to them. Few old chunks are removed by the batch, after it.
    pub fn batch(&mut self) -> Result<(Batch, Vec<OldChunks>)> {
        self.put_entries();
        let commit_number = self.overlay.commit_number();
        let mut batch = Batch::with_capacity(self.overlay.accepted().len() + 1);
        let mut old_chunks = Vec::new();
        let mut removed_later = Vec::new();
        for (ordinal, (key, contents)) in (0..).zip(self.overlay.accepted()) {
            if let Some((id, count)) = self.old_chunks(key)? {
                match OldChunks::new(id, count) {
                    Some(many) => removed_later.push(many),
                    None => old_chunks.extend((0..count).map(|index| Key::chunk(id, index))),
                }
            }
            let Some(contents) = contents else {
                batch.remove(key.encoded());
                continue;
            };
            let id = self.written_chunks.unwrap_or(ChunkId { commit_number, ordinal });
            let encoded = value::encode(key, contents, id);
            if self.written_chunks.is_some() {
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
        for many in &removed_later {
            many.add_note(&mut batch);
        }
        put_applied(&mut batch, commit_number);
        Ok((batch, removed_later))
    }

    /// Returns the number of writes of which a part was stale, and therefore refused.
    pub fn stale_writes(&self) -> u64 {
        self.stale_writes
    }

    /// Returns the changes.
    pub fn into_changed(self) -> Changed {
        self.overlay.into_changed()
    }

    /// Returns the chunks of the current value of `key`. A value that is known to be small has none.
    fn old_chunks(&self, key: &Key) -> Result<Option<(ChunkId, u32)>> {
        match self.overlay.known(key) {
            Ok(old) if old.as_ref().is_none_or(|old| !value::has_chunks(key, old)) => Ok(None),
            // If there are chunks, only sled has their ID.
            Ok(_) => self.shared.catch_up(self.disk).and_then(|()| self.disk.chunks_of(key)),
            Err(NotCached) => self.disk.chunks_of(key),
        }
    }

    fn stage(&mut self, change: Change) -> Result<()> {
        match change {
            Change::Write { record, contents, secret } => {
                let stored =
                    record.kind.map(|_| self.overlay.get(&record.key)).transpose()?.flatten();
                self.require_room(is_spared(&record, &contents, stored.as_ref()))?;
                self.write(record, contents, stored, secret.as_ref())?;
            }
            Change::Remove { record } => self.remove_record(record)?,
            Change::Update { record, edit, secret, .. } => {
                self.update(record, &edit, secret.as_ref())?;
            }
            Change::Import { record, contents, secret, kept } => {
                let stored =
                    record.kind.map(|_| self.overlay.get(&record.key)).transpose()?.flatten();
                self.require_room(is_spared(&record, &contents, stored.as_ref()))?;
                let in_flight = &self.shared.in_flight;
                let (contents, is_changed) = in_flight.computing(|| {
                    rule::import(&record, contents, stored.as_ref(), secret.as_ref())
                })?;
                if is_changed {
                    kept.lock().unwrap_or_else(PoisonError::into_inner).add(record.key.display());
                }
                if let Some(contents) = contents {
                    self.overlay.put(record.key, contents);
                }
            }
            Change::Attributed { change, attribution, secret } => {
                self.stage_attributed(*change, &attribution, secret.as_ref())?;
            }
            Change::Append { entry } => self.staged_entries.push(entry),
            Change::Quarantine => self.overlay.put(Key::meta(QUARANTINE), vec![1].into()),
            Change::ClearQuarantine => self.overlay.remove(Key::meta(QUARANTINE)),
            Change::ListAdd { path, item } => {
                self.require_room(false)?;
                list::add(&mut self.overlay, &path, &item)?;
            }
            Change::ListRemove { path, item } => list::discard(&mut self.overlay, &path, &item)?,
        }
        Ok(())
    }

    /// Adds an entry about what `change` ends, even if the disk is nearly full: what ends it may be written then.
    fn stage_attributed(
        &mut self,
        change: Change,
        attribution: &str,
        secret: Option<&Secret>,
    ) -> Result<()> {
        let Some(record) = change.record().cloned() else { return self.stage(change) };
        let stored = self.overlay.get(&record.key)?;
        let known = match change {
            Change::Update { record, edit, secret, .. } => {
                self.update(record, &edit, secret.as_ref())?
            }
            change => {
                self.stage(change)?;
                None
            }
        };
        let new = if known.is_some() { None } else { self.overlay.get(&record.key)? };
        let entry = self.shared.in_flight.computing(|| {
            let ending =
                known.or_else(|| rule::ending(&record, stored.as_ref(), new.as_ref(), secret))?;
            rule::entry(&record, &ending, attribution, secret)
        });
        self.staged_entries.extend(entry);
        Ok(())
    }

    fn require_room(&self, is_spared: bool) -> Result<()> {
        if self.has_room || is_spared {
            Ok(())
        } else {
            Err(self.disk.full())
        }
    }

    /// Returns what the edit says that it ends.
    fn update(
        &mut self,
        record: Record,
        edit: &Edit,
        secret: Option<&Secret>,
    ) -> Result<Option<Ending>> {
        let stored = self.overlay.get(&record.key)?;
        let edited = self.shared.in_flight.computing(|| edit(stored.as_deref()));
        let Some(Edited { contents, retires, ends }) = edited? else {
            return Ok(None);
        };
        rule::check_size(&record, &contents, stored.as_ref(), retires.is_some())?;
        let Some(retires) = retires else {
            self.require_room(is_spared(&record, &contents, stored.as_ref()))?;
            self.write(record, contents, stored, secret)?;
            return Ok(ends);
        };
        let remembered = stored.as_ref().map(Contents::retired).unwrap_or_default();
        self.overlay.put(record.key, rule::remember(contents, remembered, &retires));
        Ok(ends)
    }

    /// Writes a record over the `stored` one, which matters only if the rule about stale writes applies to the record.
    fn write(
        &mut self,
        record: Record,
        contents: Contents,
        stored: Option<Contents>,
        secret: Option<&Secret>,
    ) -> Result<()> {
        let contents = match (record.kind, stored) {
            (Some(kind), Some(stored)) => {
                let in_flight = &self.shared.in_flight;
                let (contents, is_stale) =
                    in_flight.computing(|| rule::reconcile(kind, contents, &stored, secret))?;
                self.stale_writes += u64::from(is_stale);
                contents
            }
            _ => contents,
        };
        self.overlay.put(record.key, contents);
        Ok(())
    }

    fn remove_record(&mut self, record: Record) -> Result<()> {
        if self.overlay.has(&record.key)? {
            self.overlay.remove(record.key);
        }
        Ok(())
    }
}

/// Returns whether `contents` may be written over `stored` even if the disk is nearly full. That is so if the record
/// does not grow, or grows by a few bytes and the rule about stale writes applies to it. The host ends a session, and
/// resets a key, by writing the whole record or by setting properties.
fn is_spared(record: &Record, contents: &Contents, stored: Option<&Contents>) -> bool {
    let spared = record.kind.map_or(0, |_| SPARED_BYTES);
    stored.is_some_and(|stored| contents.len() <= stored.len() + spared)
}
