//! Work on a whole store for its operator: verification, repair and backup.

use super::session_lists::{self, Tidied};
use crate::record::cipher::Secret;
use crate::store::{self, Findings, Report, Result, Settings, Store};
use std::path::Path;
use uuid::Uuid;

/// Result of [`repair`].
pub struct Repaired {
    /// The counters and indexes that were rebuilt, and the pieces of values that were removed.
    pub rebuilt: Findings,
    /// The items of session lists that were removed.
    pub tidied: Tidied,
    /// Content of the store, and the damage that is left.
    pub left: Report,
}

impl Repaired {
    /// Returns the number of repairs.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.rebuilt.number + self.tidied.removed.number
    }
}

/// Reads the whole `store` in the folder `path`. Fails if another thread has it open, because nothing may be written
/// meanwhile. Blocks.
pub fn verify(store: &Store, path: &Path, progress: &dyn Fn(u64)) -> Result<Report> {
    store.refuse_shared(path)?;
    store.verify(progress)
}

/// Repairs a store where that needs no guessing, then reads all of it. Blocks.
pub fn repair(
    settings: &Settings,
    secret: Option<&Secret>,
    progress: &dyn Fn(u64),
) -> Result<Repaired> {
    // The session lists are read by their counters and indexes, so these come first.
    let rebuilt = store::repair(settings, progress)?;
    let store = store::open_exclusive(settings)?;
    let tidied = session_lists::tidy(&store, secret)?;
    let left = store.verify(progress)?;
    Ok(Repaired { rebuilt, tidied, left })
}

/// Copies the store as it is at one moment into the empty folder `folder`, and verifies the copy, which is a store of
/// its own. Blocks.
pub fn backup(store: &Store, folder: &Path, progress: &dyn Fn(u64)) -> Result<Report> {
    store.copy(folder, Uuid::new_v4().into_bytes(), progress)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::test_store::{make, temporary};
    use crate::store::{Change, ListPath, Record};

    #[test]
    fn a_repair_removes_items_whose_session_is_gone_and_then_verifies() {
        let (folder, store) = temporary();
        let list = ListPath::new(b"d/sessions");
        let session = |accountid: &str| {
            format!(
                r#"{{"object":"session","accountid":"{accountid}","expires":9,"sessionKeyNumber":1}}"#
            )
        };
        let account = r#"{"object":"account"}"#;
        let mut changes: Vec<_> = ["here", "gone", "orphan"]
            .map(|id| Change::ListAdd { path: list.clone(), item: id.into() })
            .into();
        // An account of another application does not count.
        for (name, text) in [
            ("d/account/a", account.into()),
            ("e/account/b", account.into()),
            ("d/session/here", session("a")),
            ("d/session/orphan", session("b")),
        ] {
            let record = Record::new(name.as_bytes());
            let contents = text.into_bytes().into();
            changes.push(Change::Write { record, contents, secret: None });
        }
        make(&store, changes);
        store.close().unwrap();
        let repaired = repair(&Settings::new(folder.path().into()), None, &|_| ()).unwrap();
        assert_eq!((repaired.rebuilt.number, repaired.left.problems.number), (0, 0));
        assert_eq!((repaired.tidied.removed.number, repaired.left.items), (1, 1));
    }

    #[test]
    fn a_backup_is_a_store_that_verifies() {
        let (_folder, store) = temporary();
        let target = tempfile::tempdir().unwrap();
        let change = Change::ListAdd { path: ListPath::new(b"list"), item: b"item".to_vec() };
        make(&store, vec![change]);
        let copy = target.path().to_path_buf();
        let report = backup(&store, &copy, &|_| ()).unwrap();
        assert_eq!((report.lists, report.items, report.problems.number), (1, 1, 0));
        let copied = store::open_exclusive(&Settings::new(copy.clone())).unwrap();
        assert_eq!(verify(&copied, &copy, &|_| ()).unwrap().items, 1);
        copied.close().unwrap();
        store.close().unwrap();
    }
}
