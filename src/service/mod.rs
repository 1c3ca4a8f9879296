//! The use cases, named as Dashboard names them.
//!
//! - [`session`], [`account`]: look-ups of one record.
//! - [`reset_session_key`]: ends all sessions of one account, as one atomic change.
//! - [`edit_record`]: sets and removes properties of a record, as one atomic change.
//! - [`end_sessions`]: ends all sessions of all accounts. [`recovery`] uses it to restore a store or to accept one that
//!   lost data.
//! - [`purge`], [`session_lists`]: remove old sessions, and list items whose session is gone.
//! - [`import`]: brings records and lists from elsewhere into a store.
//! - [`maintenance`]: verifies, repairs and backs up a store.
//! - [`usage`]: counts records and bytes by application and kind.
//!
//! A use case takes and returns JSON text. JavaScript parses the text, so that an object is exactly what `JSON.parse`
//! makes of it. Records as Dashboard writes them are handled here. Anything else (a missing property, a property of
//! another type, text that is not JSON) is left to JavaScript, because Dashboard relies on JavaScript's coercions.

pub mod account;
pub mod edit_record;
pub mod end_sessions;
pub mod import;
pub mod maintenance;
pub mod purge;
pub mod recovery;
pub mod reset_session_key;
pub mod session;
pub mod session_lists;
pub mod usage;

use crate::record::cipher::{self, Secret};
use crate::store::{Contents, Key, Result};
use std::any::Any;
use uuid::Uuid;

/// Number of records that are read at a time.
pub const RECORDS_PER_PAGE: usize = 500;

/// Reads the record at a key: from memory only, or also from the disk. The outer `None` means that memory does not hold
/// the key; the inner one that there is no record.
pub type Lookup<'a> = dyn Fn(&Key) -> Result<Option<Option<Contents>>> + 'a;

/// Receives the answer as JSON text.
pub type Give<'a> = dyn FnMut(&str) + 'a;

/// Outcome of a look-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The answer was passed to [`Give`].
    Answered,
    /// JavaScript has to compute the answer.
    NeedsJavaScript,
    /// A record is not in memory; look it up on the disk.
    NotCached,
}

impl Found {
    fn answered_if(answer: Option<()>) -> Self {
        answer.map_or(Self::NeedsJavaScript, |()| Self::Answered)
    }
}

/// A parsed record, and the secret that it was decrypted with.
struct Read<T> {
    secret: Option<Secret>,
    read: Option<T>,
}

/// Parses `contents` with `read` and passes the result to `use_it`. The result is cached beside the contents; the next
/// call, which usually has the same secret, uses it again.
fn with_read<T: Any + Send + Sync, R>(
    contents: &Contents,
    secret: Option<&Secret>,
    read: impl Fn(&str) -> Option<T>,
    use_it: impl FnOnce(&T) -> Option<R>,
) -> Option<R> {
    let make = |bytes: &[u8]| read(&cipher::decrypt_record(bytes, secret));
    let kept = contents.derived(|bytes| Read { secret: secret.cloned(), read: make(bytes) });
    match kept {
        Some(kept) if kept.secret.as_ref() == secret => kept.read.as_ref().and_then(use_it),
        _ => make(contents).as_ref().and_then(use_it),
    }
}

/// Returns Dashboard's key of a record: `<appid>/account/<id>` or `<appid>/session/<id>`.
fn record_name(appid: &[u8], folder: &str, id: &[u8]) -> Vec<u8> {
    [appid, b"/", folder.as_bytes(), b"/", id].concat()
}

fn record_key(appid: &[u8], folder: &str, id: &[u8]) -> Key {
    Key::record(&record_name(appid, folder, id))
}

/// Returns 64 lower-case hexadecimal characters, of which 244 bits are random.
pub fn new_session_key() -> String {
    [Uuid::new_v4(), Uuid::new_v4()].map(|id| id.simple().to_string()).concat()
}
