//! The removal of sessions that ended long ago, which Dashboard never does by itself.

use super::end_sessions::wait_for;
use crate::record::account::Account;
use crate::record::cipher::{self, Secret};
use crate::record::end::Session;
use crate::record::place::SessionPlace;
use crate::record::Kind;
use crate::store::{Change, Contents, Key, ListPath, Record, Result, Store};

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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Sessions that were looked at.
    pub sessions: u64,
    /// Those of them that are gone, or would be.
    pub removed: u64,
    /// Those that are encrypted under another secret, or of an account that is.
    pub unreadable: u64,
    /// Records under keys of sessions that are none.
    pub others: u64,
}

impl Purge {
    /// Goes on behind the key `after`. Returns where to go on, until there is nothing left. Blocks.
    pub fn page(&self, store: &Store, after: Option<&Key>) -> Result<(Option<Key>, Purged)> {
        let is_session = |name: &[u8]| Kind::of(name) == Some(Kind::Session);
        let records = store.records_after(after, PAGE, is_session)?;
        let last = records.last().map(|(key, _)| key.clone());
        let mut purged = Purged::default();
        let mut changes = Vec::new();
        for (key, contents) in records {
            let Some(place) = key.name().and_then(SessionPlace::of) else { continue };
            purged.sessions += 1;
            match self.look(store, &place, &contents)? {
                Found::Living => {}
                Found::Unreadable => purged.unreadable += 1,
                Found::Other => purged.others += 1,
                Found::Ended(session) => {
                    purged.removed += 1;
                    changes.extend(removal(&key, &place, &session));
                    if purged.removed % BATCH as u64 == 0 && !self.is_dry {
                        wait_for(store, std::mem::take(&mut changes))?;
                    }
                }
            }
        }
        if !changes.is_empty() && !self.is_dry {
            wait_for(store, changes)?;
        }
        Ok((last, purged))
    }

    fn look(&self, store: &Store, place: &SessionPlace, contents: &Contents) -> Result<Found> {
        let secret = self.secret.as_ref();
        let Some(session) = Session::read(&cipher::open(contents, secret)) else {
            return Ok(Found::none(contents));
        };
        let account = match store.read(&Key::record(&place.account(&session.accountid)))? {
            None => None,
            Some(contents) => match Account::read(&cipher::open(&contents, secret)) {
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

/// All that create-session.js of the host has made.
fn removal(key: &Key, place: &SessionPlace, session: &Session) -> [Change; 4] {
    let item = place.id().to_vec();
    let discard =
        |path: Vec<u8>| Change::Discard { path: ListPath::new(&path), item: item.clone() };
    [
        Change::Remove { record: Record { key: key.clone(), kind: Some(Kind::Session) } },
        Change::Remove { record: Record::new(&place.map()) },
        discard(place.list()),
        discard(place.account_list(&session.accountid)),
    ]
}
