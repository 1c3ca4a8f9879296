//! The rules about stale writes and imports, for every engine: the contents to write over a stored record, and the entry
//! about what that ends.
//!
//! The rules themselves are in [`crate::record`]. They are applied here to contents with their retired fingerprints.

use crate::record::cipher::{self, Secret};
use crate::record::ending::{self, Ending};
use crate::record::import::{self, Import};
use crate::record::keys;
use crate::record::stale::{self, Fingerprint};
use crate::record::write_over::{write_over, Locked};
use crate::record::Kind;
use crate::store::change::{Record, MAX_RULED_BYTES};
use crate::store::contents::Contents;
use crate::store::error::{Result, StoreError};
use crate::store::key::Key;
use crate::store::MAX_CONTENTS_BYTES;

/// Fails if an edit of `record` returns `contents` that are too large. `follows_rule` says whether the edit itself
/// follows the rule about stale writes.
pub fn check_size(
    record: &Record,
    contents: &Contents,
    stored: Option<&Contents>,
    follows_rule: bool,
) -> Result<()> {
    // An older or an imported store may hold larger accounts. They can be reset, and changed if they do not grow.
    let limit = match stored {
        _ if follows_rule => MAX_CONTENTS_BYTES,
        Some(stored) => record.most_bytes().max(stored.len()),
        None => record.most_bytes(),
    };
    let found = contents.len();
    if found > limit {
        return Err(StoreError::TooLarge { slug: "invalid-value", found, limit });
    }
    Ok(())
}

/// Returns the contents to write instead of `contents` over `stored`, so that a stale write undoes nothing, and whether a
/// part of it was stale. They include the fingerprints of the values that this write retires.
pub fn reconcile(
    kind: Kind,
    contents: Contents,
    stored: &Contents,
    secret: Option<&Secret>,
) -> Result<(Contents, bool)> {
    let remembered = stored.retired();
    let outcome = write_over(kind, stored, &contents, remembered, secret)
        .map_err(|Locked| StoreError::OtherSecret)?;
    let Some(outcome) = outcome else {
        return Ok((contents, false));
    };
    let is_stale = outcome.text.is_some();
    let contents = match outcome.text {
        Some(text) => cipher::encrypt_record(text, secret).into(),
        None => contents,
    };
    Ok((remember(contents, remembered, &outcome.retires), is_stale))
}

/// Returns the contents to write for an import of `contents` over `stored`, if any, and whether they differ from the
/// imported ones.
pub fn import(
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

/// Returns what ends when `record` gets the contents `new` instead of `stored`.
pub fn ending(
    record: &Record,
    stored: Option<&Contents>,
    new: Option<&Contents>,
    secret: Option<&Secret>,
) -> Option<Ending> {
    ending::ending(record.kind?, stored?, new.map(|new| &**new), secret)
}

/// Returns the entry about an `ending` that a change of `record` causes.
pub fn entry(
    record: &Record,
    ending: &Ending,
    attribution: &str,
    secret: Option<&Secret>,
) -> Option<Contents> {
    let entry = ending::entry(attribution, record.key.name()?, ending)?;
    Some(cipher::encrypt_record(entry, secret).into())
}

/// Returns the contents of records with entries, a line for each: neither an entry nor the host's cipher has a line
/// break. A record that has reached `size` bytes is followed by another one.
pub fn records_of(entries: &[Contents], size: usize) -> Vec<Contents> {
    let mut records: Vec<Vec<u8>> = Vec::new();
    for entry in entries {
        match records.last_mut().filter(|record| record.len() < size) {
            Some(record) => {
                record.push(b'\n');
                record.extend_from_slice(entry);
            }
            None => records.push(entry.to_vec()),
        }
    }
    records.into_iter().map(Into::into).collect()
}

/// Returns the key of a record with entries. They are read in the order of `order`.
pub fn entry_key(order: u128) -> Key {
    Key::record(&keys::new_entry(order))
}

/// Returns whether nodes may remember that the record at `key` is missing: every look-up of a session asks for the end of
/// its application, and mostly it has not been ended. Then they have to be told when the record is created.
#[cfg(feature = "postgres")]
pub fn is_remembered_missing(key: &Key) -> bool {
    key.name().is_some_and(keys::is_ended_before)
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
pub fn remember(contents: Contents, before: &[Fingerprint], now: &[Fingerprint]) -> Contents {
    if before.is_empty() && now.is_empty() {
        return contents;
    }
    contents.with_retired(&stale::remember(before, now))
}
