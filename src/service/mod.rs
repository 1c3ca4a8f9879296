//! The use cases, named as Dashboard names them.
//!
//! - [`session`], [`account`]: look-ups of one record. [`lookup`]: where they read it, in memory or on the disk.
//! - [`reset_session_key`]: ends all sessions of one account, as one atomic change.
//! - [`edit_record`]: sets and removes properties of a record, as one atomic change.
//! - [`end_chosen`]: ends chosen sessions, as one atomic change. [`own_records`]: the records about ends.
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
pub mod end_chosen;
pub mod end_sessions;
pub mod import;
pub mod lookup;
pub mod maintenance;
pub mod own_records;
pub mod purge;
pub mod recovery;
pub mod reset_session_key;
pub mod session;
pub mod session_lists;
pub mod usage;

use crate::record::{keys, Kind};
use crate::store::{Change, Key, Result, Store, StoreError};
use std::sync::mpsc;
use uuid::Uuid;

/// Number of records per page.
pub const RECORDS_PER_PAGE: usize = 500;

/// Makes `changes`, and returns when they are durable. Blocks.
fn wait_for(store: &Store, changes: Vec<Change>) -> Result<()> {
    let (sender, result) = mpsc::channel();
    // The receiver is alive: it waits below.
    store.submit(changes, Box::new(move |result| drop(sender.send(result))));
    result.recv().unwrap_or(Err(StoreError::Closed))
}

fn record_key(appid: &[u8], kind: Kind, id: &[u8]) -> Key {
    Key::record(&keys::record(appid, kind, id))
}

/// Returns 64 lower-case hexadecimal characters, of which 244 bits are random.
fn new_session_key() -> String {
    [Uuid::new_v4(), Uuid::new_v4()].map(|id| id.simple().to_string()).concat()
}
