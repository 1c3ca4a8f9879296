//! The removal of sessions that ended long ago, which Dashboard never does by itself.

use super::end_sessions::wait_for;
use crate::record::account::Account;
use crate::record::cipher::{self, Secret};
use crate::record::end::Session;
use crate::record::keys::SessionKeys;
use crate::record::Kind;
use crate::store::{Change, Contents, Findings, Key, ListPath, Record, Result, Store, StoreError};

/// So many sessions are looked at in one call.
const PAGE: usize = 500;
/// So many are removed together: the writer takes about a millisecond for them, and others go between.
const BATCH: usize = 20;

/// Which sessions go.
pub struct Purge {
    /// The time in seconds.
    pub now: f64,
    /// Those that ended at this time or before.
    pub before: f64,
    /// Whether they are only counted.
    pub is_dry: bool,
    /// The host's secret, if it has one.
    pub secret: Option<Secret>,
}

/// What was done.
#[derive(Debug, Default, PartialEq)]
pub struct Purged {
    /// Sessions that were looked at.
    pub sessions: u64,
    /// Those of them that are gone, or would be.
    pub removed: u64,
    /// Those that are encrypted under another secret, or of an account that is.
    pub unreadable: u64,
    /// Records under keys of sessions that are none.
    pub others: u64,
    /// What is damaged, and was left with the sessions that it belongs to.
    pub damaged: Findings,
}

impl Purge {
    /// Goes on behind the key `after`. Returns where to go on, until there is nothing left. Blocks.
    pub fn page(&self, store: &Store, after: Option<&Key>) -> Result<(Option<Key>, Purged)> {
        let is_session = |name: &[u8]| Kind::of(name) == Some(Kind::Session);
        let page = store.records_after(after, PAGE, is_session)?;
        let mut purged = Purged { damaged: page.damaged, ..Purged::default() };
        let mut gone = Vec::new();
        for (key, contents) in &page.records {
            let Some(keys) = key.name().and_then(SessionKeys::of) else { continue };
            purged.sessions += 1;
            let look = self.look(store, &keys, contents).map(Some);
            match purged.damaged.damage(look)? {
                None | Some(Found::Living) => {}
                Some(Found::Unreadable) => purged.unreadable += 1,
                Some(Found::Other) => purged.others += 1,
                Some(Found::Ended(session)) => gone.push((key, keys, session)),
            }
        }
        for batch in gone.chunks(BATCH) {
            self.remove(store, batch, &mut purged)?;
        }
        Ok((page.next, purged))
    }

    /// Removes the sessions of `batch` together, or one by one if something that one of them belongs to is damaged.
    fn remove(&self, store: &Store, batch: &[Gone], purged: &mut Purged) -> Result<()> {
        let changes = |batch: &[Gone]| batch.iter().flat_map(removal).collect();
        let removed = if self.is_dry { Ok(()) } else { wait_for(store, changes(batch)) };
        match removed {
            Err(StoreError::Damaged { .. }) if batch.len() > 1 => {
                batch.chunks(1).try_for_each(|one| self.remove(store, one, purged))
            }
            removed => {
                let removed = purged.damaged.damage(removed.map(Some))?;
                purged.removed += removed.map_or(0, |()| batch.len() as u64);
                Ok(())
            }
        }
    }

    fn look(&self, store: &Store, keys: &SessionKeys, contents: &Contents) -> Result<Found> {
        let secret = self.secret.as_ref();
        let Some(session) = Session::read(&cipher::decrypt_record(contents, secret)) else {
            return Ok(Found::none(contents));
        };
        let account = match store.read(&Key::record(&keys.account(&session.accountid)))? {
            None => None,
            Some(contents) => match Account::read(&cipher::decrypt_record(&contents, secret)) {
                Some(account) => Some(account),
                None => return Ok(Found::none(&contents)),
            },
        };
        Ok(match session.ended(self.now, account.as_ref()) {
            Some(ended) if ended <= self.before => Found::Ended(session),
            _ => Found::Living,
        })
    }
}

enum Found {
    Living,
    Ended(Session),
    Unreadable,
    Other,
}

impl Found {
    fn none(contents: &[u8]) -> Self {
        if cipher::looks_encrypted(contents) {
            Self::Unreadable
        } else {
            Self::Other
        }
    }
}

/// A session that goes.
type Gone<'a> = (&'a Key, SessionKeys<'a>, Session);

/// All that create-session.js of the host has made.
fn removal((key, keys, session): &Gone) -> [Change; 4] {
    let item = keys.id().to_vec();
    let discard =
        |path: Vec<u8>| Change::ListRemove { path: ListPath::new(&path), item: item.clone() };
    [
        Change::Remove { record: Record { key: (*key).clone(), kind: Some(Kind::Session) } },
        Change::Remove { record: Record::new(&keys.map()) },
        discard(keys.list()),
        discard(keys.account_list(&session.accountid)),
    ]
}
