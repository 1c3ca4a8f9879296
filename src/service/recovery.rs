//! Brings a store that lost acknowledged writes back into use.

use super::end_sessions::{end_all, Ended};
use super::wait_for;
use crate::record::cipher::Secret;
use crate::store::{self, Change, DatabaseSettings, Restored, Result, Settings, Store, StoreError};
use std::path::Path;

/// Reopens a store that lost acknowledged writes, and ends every session of every account. The store cannot be opened
/// otherwise until this is done. Fails on a store that lost nothing, unless `even_if_whole` is set.
pub fn recover(
    settings: &Settings,
    even_if_whole: bool,
    now: f64,
    secret: Option<&Secret>,
) -> Result<Ended> {
    let accepting = Settings { accepts_rollback: true, ..settings.clone() };
    let store = match store::open_exclusive(settings) {
        Ok(_) if !even_if_whole => return Err(nothing_lost(&settings.path)),
        Err(StoreError::RolledBack { .. } | StoreError::Quarantined { .. }) => {
            store::open_exclusive(&accepting)?
        }
        other => other?,
    };
    end_and_release(&store, now, secret)
}

/// Opens a store in a database, ends every session of every account, and lifts the quarantine. A database does not say whether
/// it has gone back in time.
pub fn recover_database(
    settings: &DatabaseSettings,
    now: f64,
    secret: Option<&Secret>,
) -> Result<Ended> {
    let store = store::connect(settings)?;
    let ended = end_and_release(&store, now, secret)?;
    store.close()?;
    Ok(ended)
}

fn nothing_lost(path: &Path) -> StoreError {
    StoreError::Service {
        code: "ERR_STORE_WHOLE",
        slug: "store-whole",
        reason: format!(
            "the store at {} has not gone back in time, so there is nothing to recover from",
            path.display(),
        ),
    }
}

/// Ends every session of every account, then lifts the quarantine that keeps the store from being opened.
pub fn end_and_release(store: &Store, now: f64, secret: Option<&Secret>) -> Result<Ended> {
    let ended = end_all(store, now, secret)?;
    wait_for(store, vec![Change::ClearQuarantine])?;
    Ok(ended)
}

/// Replaces the store by the backup `from`. Ends all sessions, because the backup is older than the last acknowledged
/// changes; `keeps_sessions` prevents that. The second value says which accounts were changed.
pub fn restore(
    from: &Path,
    settings: &Settings,
    keeps_sessions: bool,
    now: f64,
    secret: Option<&Secret>,
    progress: &dyn Fn(u64),
) -> Result<(Restored, Option<Ended>)> {
    let mut ended = None;
    let restored = store::restore(from, settings, progress, |store| {
        if !keeps_sessions {
            ended = Some(end_all(store, now, secret)?);
        }
        Ok(())
    })?;
    Ok((restored, ended))
}
