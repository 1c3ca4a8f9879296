//! The transaction of one commit: computes its changes from the stored values, and makes the batch for sled.

use crate::record::cipher::{self, Secret};
use crate::record::import::{self, Import};
use crate::record::overwrite::{overwrite, Locked};
use crate::record::stale::{self, Fingerprint};
use crate::record::Kind;
use crate::store::cache::NotCached;
use crate::store::change::{Change, Edit, Edited, Record, MAX_RULED_BYTES};
use crate::store::contents::Contents;
use crate::store::error::{Result, StoreError};
use crate::store::key::{ChunkId, Key};
use crate::store::sled::commit::large_values::{self, LARGE_BYTES};
use crate::store::sled::commit::list;
use crate::store::sled::commit::overlay::Overlay;
use crate::store::sled::database::disk::Disk;
use crate::store::sled::format::batch::{Batch, Changed};
use crate::store::sled::format::meta::{put_applied, QUARANTINE};
use crate::store::sled::format::value;
use crate::store::sled::shared::Shared;
use crate::store::MAX_CONTENTS_BYTES;
use std::sync::PoisonError;

/// Largest growth of a record when a session ends or a key is reset, in bytes, encrypted or not.
const SPARED_BYTES: usize = 256;

/// The changes of one commit. Each request sees the changes of those before it.
pub struct Transaction<'a> {
    disk: &'a Disk,
    shared: &'a Shared,
    overlay: Overlay<'a>,
    has_room: bool,
    /// ID of the chunks of its only value, if they were written ahead.
    ahead: Option<ChunkId>,
}

impl<'a> Transaction<'a> {
    /// Returns an empty transaction for batch number `sequence`, with capacity for `changes` changes. If the disk
    /// does not have space for new records (`has_room`), it accepts only changes that end sessions or free space.
    pub fn new(
        disk: &'a Disk,
        shared: &'a Shared,
        sequence: u64,
        has_room: bool,
        changes: usize,
    ) -> Self {
        let overlay = Overlay::new(disk, shared, sequence, changes);
        Self { disk, shared, overlay, has_room, ahead: None }
    }

    /// Returns a transaction for one value whose chunks, with the ID `id`, are durable already.
    pub fn behind(disk: &'a Disk, shared: &'a Shared, sequence: u64, id: ChunkId) -> Self {
        Self { ahead: Some(id), ..Self::new(disk, shared, sequence, true, 1) }
    }

    /// Returns whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.overlay.accepted().is_empty()
    }

    /// Accepts all changes of a request, or none if one of them fails.
    pub fn take(&mut self, changes: Vec<Change>) -> Result<()> {
        self.overlay.begin_request();
        for change in changes {
            self.stage(change)?;
        }
        self.overlay.accept_request();
        Ok(())
    }

    /// Returns the batch for sled, which ends with its own number. New chunks are written before the value that points
    /// to them, and old chunks are removed after it.
    pub fn batch(&self) -> Result<Batch> {
        let sequence = self.overlay.sequence();
        let mut batch = Batch::with_capacity(self.overlay.accepted().len() + 1);
        let mut old_chunks = Vec::new();
        for (ordinal, (key, contents)) in (0..).zip(self.overlay.accepted()) {
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
                let commit = &self.shared.commit;
                let (contents, is_changed) = commit
                    .computing(|| import(&record, contents, stored.as_ref(), secret.as_ref()))?;
                if is_changed {
                    kept.lock().unwrap_or_else(PoisonError::into_inner).add(record.key.display());
                }
                if let Some(contents) = contents {
                    self.overlay.put(record.key, contents);
                }
            }
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

    fn require_room(&self, is_spared: bool) -> Result<()> {
        if self.has_room || is_spared {
            Ok(())
        } else {
            Err(self.disk.full())
        }
    }

    fn update(&mut self, record: Record, edit: &Edit, secret: Option<&Secret>) -> Result<()> {
        let stored = self.overlay.get(&record.key)?;
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
        self.overlay.put(record.key, remember(contents, remembered, &retires));
        Ok(())
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
                let commit = &self.shared.commit;
                commit.computing(|| reconcile(kind, contents, &stored, secret))?
            }
            _ => contents,
        };
        self.overlay.put(record.key, contents);
        Ok(())
    }

    fn remove_record(&mut self, record: Record) -> Result<()> {
        if self.overlay.get(&record.key)?.is_some() {
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

/// Returns the contents to write instead of `contents` over `stored`, so that a stale write undoes nothing. They
/// include the fingerprints of the values that this write retires.
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

/// Returns the contents to write for an import of `contents` over `stored`, if any, and whether they differ from the
/// imported ones.
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
        .map_err(|Locked| StoreError::OtherSecretOfImport { name: record.key.display() })?;
    Ok(match outcome {
        Import::Taken { retires } => (Some(remember(contents, remembered, &retires)), false),
        Import::Merged { text, retires } => {
            let contents = cipher::encrypt_record(text, secret).into();
            (Some(remember(contents, remembered, &retires)), true)
        }
        Import::Kept => (None, true),
    })
}

/// Returns whether an import of `contents` at `record` would keep a part of the `stored` record.
pub fn would_keep(
    record: &Record,
    contents: Contents,
    stored: Option<&Contents>,
    secret: Option<&Secret>,
) -> Result<bool> {
    Ok(import(record, contents, stored, secret)?.1)
}

/// Returns `contents` with the fingerprints that were retired before and those that are retired now.
fn remember(contents: Contents, before: &[Fingerprint], now: &[Fingerprint]) -> Contents {
    if before.is_empty() && now.is_empty() {
        return contents;
    }
    contents.with_retired(&stale::remember(before, now))
}
