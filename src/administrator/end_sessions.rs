//! The end of every session of every account, for a store whose past is uncertain.

use crate::record::cipher::{self, Secret};
use crate::record::{reset, Kind};
use crate::store::{Change, Contents, Key, Record, Result, Store, StoreError};
use std::sync::mpsc;

/// So many records are read, and their accounts changed, at a time.
const PAGE: usize = 500;

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Accounts that have a new session key.
    pub accounts: u64,
    /// Records under an account's key that are none.
    pub others: u64,
}

/// Gives every account, deleted ones as well, a new session key at `now` in seconds. Nothing else may change
/// the store meanwhile. Accounts that cannot be read under `secret` are an error: their sessions would live.
pub fn end_all(
    store: &Store,
    now: f64,
    secret: Option<&Secret>,
    session_key: impl Fn() -> String,
) -> Result<Ended> {
    let mut ended = Ended::default();
    let mut unreadable = 0;
    let mut after: Option<Key> = None;
    loop {
        let is_account = |name: &[u8]| Kind::of(name) == Some(Kind::Account);
        let records = store.records_after(after.as_ref(), PAGE, is_account)?;
        let Some((last, _)) = records.last() else { break };
        after = Some(last.clone());
        let mut changes = Vec::new();
        for (key, contents) in records {
            let name = key.name().unwrap_or_default();
            match renewed(&contents, now, secret, &session_key) {
                Some(contents) => {
                    let (record, secret) = (Record::new(name), secret.cloned());
                    changes.push(Change::Write { record, contents, secret });
                }
                None if cipher::looks_encrypted(&contents) => unreadable += 1,
                None => ended.others += 1,
            }
        }
        ended.accounts += changes.len() as u64;
        wait_for(store, changes)?;
    }
    if unreadable > 0 {
        return Err(StoreError::Unreadable { count: unreadable });
    }
    Ok(ended)
}

/// Makes `changes`, and returns when they are durable. Blocks.
pub fn wait_for(store: &Store, changes: Vec<Change>) -> Result<()> {
    let (sender, result) = mpsc::channel();
    // The receiver waits below.
    store.submit(changes, Box::new(move |result| drop(sender.send(result))));
    result.recv().unwrap_or(Err(StoreError::Closed))
}

fn renewed(
    contents: &[u8],
    now: f64,
    secret: Option<&Secret>,
    session_key: impl Fn() -> String,
) -> Option<Contents> {
    let text = reset::renew(&cipher::open(contents, secret), &session_key(), now)?;
    Some(cipher::seal(text, secret).into())
}
