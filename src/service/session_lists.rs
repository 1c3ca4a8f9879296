//! Removes the list items that deleted accounts leave behind. Dashboard deletes an account but leaves its sessions in
//! the lists; then its administrator's list of sessions fails as a whole.

use super::wait_for;
use crate::record::cipher::{self, Secret};
use crate::record::end::EndOfSession;
use crate::record::keys::SessionList;
use crate::store::{Change, Findings, Key, ListPath, Result, Store, StoreError};

/// Number of items that are removed in one commit.
const BATCH: usize = 100;

/// Result of [`tidy`].
#[derive(Debug, Default)]
pub struct Tidied {
    /// One finding for each list that items were removed from.
    pub removed: Findings,
    /// Number of items whose session cannot be read. They were not removed.
    pub unreadable: u64,
}

/// Removes the items of session lists whose session or account is gone. Blocks.
pub fn tidy(store: &Store, secret: Option<&Secret>) -> Result<Tidied> {
    let mut tidied = Tidied::default();
    let mut after: Option<(ListPath, u64)> = None;
    loop {
        // Damage is skipped here; `verify` reports it.
        let page = store.parts_after(after.as_ref().map(|(path, last)| (path, *last)))?;
        after = page.parts.last().map(|end| (ListPath::new(&end.path), end.last));
        for part in page.parts {
            let Some(list) = SessionList::of(&part.path) else { continue };
            let path = ListPath::new(&part.path);
            let mut gone = Vec::new();
            for item in part.items {
                match is_gone(store, &list, &item, secret) {
                    Ok(Some(true)) => {
                        gone.push(Change::ListRemove { path: path.clone(), item: item.to_vec() });
                    }
                    Ok(Some(false)) => {}
                    Ok(None) | Err(StoreError::Damaged { .. }) => tidied.unreadable += 1,
                    Err(error) => return Err(error),
                }
            }
            if gone.is_empty() {
                continue;
            }
            let what = "sessions that are gone, or whose account is, were removed";
            tidied.removed.add_of_list(&path, gone.len() as u64, what);
            while !gone.is_empty() {
                let rest = gone.split_off(gone.len().min(BATCH));
                wait_for(store, std::mem::replace(&mut gone, rest))?;
            }
        }
        if page.is_end {
            break;
        }
    }
    Ok(tidied)
}

/// Returns `None` if the session cannot be read.
fn is_gone(
    store: &Store,
    list: &SessionList,
    id: &[u8],
    secret: Option<&Secret>,
) -> Result<Option<bool>> {
    let is_there =
        |name: Vec<u8>| store.read(&Key::record(&name)).map(|contents| contents.is_some());
    let Some(contents) = store.read(&Key::record(&list.session(id)))? else {
        return Ok(Some(true));
    };
    if let Some(account) = list.account() {
        if !is_there(account)? {
            return Ok(Some(true));
        }
    }
    let session = EndOfSession::read(&cipher::decrypt_record(&contents, secret));
    match session {
        Some(session) => Ok(Some(!is_there(list.account_of(&session.accountid))?)),
        None => Ok(None),
    }
}
