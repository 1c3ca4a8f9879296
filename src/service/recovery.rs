//! The ways out of a store that has gone back in time.

use super::end_sessions::{end_all, wait_for, Ended};
use crate::record::cipher::Secret;
use crate::store::{self, Change, Restored, Result, Settings, Store, StoreError};
use std::path::Path;

/// Accepts the store as it is and ends every session of every account. Until that is done, the store is refused. A store
/// that has not gone back in time is left as it is, unless `even_if_whole`.
pub fn recover(
    settings: &Settings,
    even_if_whole: bool,
    now: f64,
    secret: Option<&Secret>,
    session_key: impl Fn() -> String,
) -> Result<Ended> {
    let accepting = Settings { accepts_rollback: true, ..settings.clone() };
    let store = match store::open_exclusive(settings) {
        Ok(_) if !even_if_whole => return Err(StoreError::Whole { path: settings.path.clone() }),
        Err(StoreError::RolledBack { .. }) => store::open_exclusive(&accepting)?,
        other => other?,
    };
    end_and_unmark(&store, now, secret, session_key)
}

/// Ends every session of every account, of a store that is refused until that is done.
pub fn end_and_unmark(
    store: &Store,
    now: f64,
    secret: Option<&Secret>,
    session_key: impl Fn() -> String,
) -> Result<Ended> {
    let ended = end_all(store, now, secret, session_key)?;
    wait_for(store, vec![Change::ClearQuarantine])?;
    Ok(ended)
}

/// Puts the backup `from` in place of the store. Its sessions are ended, since it is older than what was
/// acknowledged, unless they are to be kept. Returns what was done to the accounts then.
pub fn restore(
    from: &Path,
    settings: &Settings,
    keeps_sessions: bool,
    now: f64,
    secret: Option<&Secret>,
    session_key: impl Fn() -> String,
    progress: &dyn Fn(u64),
) -> Result<(Restored, Option<Ended>)> {
    let mut ended = None;
    let restored = store::restore(from, settings, progress, |store| {
        if !keeps_sessions {
            ended = Some(end_all(store, now, secret, session_key)?);
        }
        Ok(())
    })?;
    Ok((restored, ended))
}
