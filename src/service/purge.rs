//! Removes sessions that ended long ago. Dashboard itself never removes any.

use super::session::ended_before;
use super::{wait_for, RECORDS_PER_PAGE};
use crate::record::account::Account;
use crate::record::cipher::{self, Secret};
use crate::record::end::EndOfSession;
use crate::record::keys::SessionKeys;
use crate::record::Kind;
use crate::store::{Change, Contents, Findings, Key, ListPath, Record, Result, Store, StoreError};

/// Number of sessions that are removed in one commit. It takes the writer about a millisecond, and other changes go in
/// between.
const BATCH: usize = 20;

/// Which sessions to remove.
pub struct Purge {
    /// The current time in seconds.
    pub now: f64,
    /// Removes sessions that ended at this time or earlier, in seconds.
    pub before: f64,
    /// Counts the sessions without removing them.
    pub is_dry: bool,
    /// Dashboard's encryption secret, if it has one.
    pub secret: Option<Secret>,
}

/// Result of a purge.
#[derive(Debug, Default, PartialEq)]
pub struct Purged {
    /// Number of sessions that were looked at.
    pub sessions: u64,
    /// Number of sessions that were removed, or would be in a dry run.
    pub removed: u64,
    /// Number of sessions that are encrypted under another secret, or whose account is.
    pub unreadable: u64,
    /// Number of records under the key of a session that are not sessions.
    pub others: u64,
    /// Damaged records and lists. The sessions that they belong to were not removed.
    pub damaged: Findings,
}

impl Purge {
    /// Continues behind the key `after`. Returns the key to continue from, or `None` at the end. A purge that changes
    /// something begins with its first page, and ends with its last one or an error. Blocks.
    pub fn page(&self, store: &Store, after: Option<&Key>) -> Result<(Option<Key>, Purged)> {
        if self.is_dry {
            return self.purge_page(store, after);
        }
        if after.is_none() {
            store.begin_purge()?;
        }
        let page = self.purge_page(store, after);
        if !matches!(page, Ok((Some(_), _))) {
            store.end_purge();
        }
        page
    }

    fn purge_page(&self, store: &Store, after: Option<&Key>) -> Result<(Option<Key>, Purged)> {
        let is_session = |name: &[u8]| Kind::of(name) == Some(Kind::Session);
        let page = store.records_after(after, RECORDS_PER_PAGE, is_session)?;
        let mut purged = Purged { damaged: page.damaged, ..Purged::default() };
        let mut gone = Vec::new();
        for (key, contents) in &page.records {
            let Some(keys) = key.name().and_then(SessionKeys::of) else { continue };
            purged.sessions += 1;
            let judged = self.judge(store, &keys, contents).map(Some);
            match purged.damaged.damage(judged)? {
                None | Some(Verdict::Kept) => {}
                Some(Verdict::Unreadable) => purged.unreadable += 1,
                Some(Verdict::Other) => purged.others += 1,
                Some(Verdict::Ended(session)) => gone.push((key, keys, session)),
            }
        }
        for batch in gone.chunks(BATCH) {
            self.remove(store, batch, &mut purged)?;
        }
        Ok((page.next, purged))
    }

    /// Removes the sessions of `batch` together. If a record or list of one of them is damaged, removes them one by
    /// one.
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

    fn judge(&self, store: &Store, keys: &SessionKeys, contents: &Contents) -> Result<Verdict> {
        let secret = self.secret.as_ref();
        let Some(session) = EndOfSession::read(&cipher::decrypt_record(contents, secret)) else {
            return Ok(Verdict::of_other(contents));
        };
        let account = match store.read(&Key::record(&keys.account(&session.accountid)))? {
            None => None,
            Some(contents) => match Account::read(&cipher::decrypt_record(&contents, secret)) {
                Some(account) => Some(account),
                None => return Ok(Verdict::of_other(&contents)),
            },
        };
        let before = store.read(&Key::record(&keys.ended_before()))?;
        let before = ended_before(before.as_deref());
        Ok(match session.ended(self.now, account.as_ref(), before.as_ref()) {
            Some(ended) if ended <= self.before => Verdict::Ended(session),
            _ => Verdict::Kept,
        })
    }
}

/// Outcome for one record under the key of a session.
enum Verdict {
    /// A session that is valid, or has not ended long ago.
    Kept,
    /// A session to remove.
    Ended(EndOfSession),
    /// Encrypted under another secret, or its account is.
    Unreadable,
    /// Not a session under any secret.
    Other,
}

impl Verdict {
    fn of_other(contents: &[u8]) -> Self {
        if cipher::looks_encrypted(contents) {
            Self::Unreadable
        } else {
            Self::Other
        }
    }
}

/// A session to remove.
type Gone<'a> = (&'a Key, SessionKeys<'a>, EndOfSession);

/// Returns the changes that remove everything that Dashboard's create-session.js has made for a session, and when it was
/// last seen.
fn removal((key, keys, session): &Gone) -> [Change; 5] {
    let item = keys.id().to_vec();
    let discard =
        |path: Vec<u8>| Change::ListRemove { path: ListPath::new(&path), item: item.clone() };
    [
        Change::Remove { record: Record { key: (*key).clone(), kind: Some(Kind::Session) } },
        Change::Remove { record: Record::new(&keys.map()) },
        Change::Remove { record: Record::new(&keys.seen()) },
        discard(keys.list()),
        discard(keys.account_list(&session.accountid)),
    ]
}
