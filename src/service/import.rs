//! Brings records and lists from elsewhere into a store.

use super::session::ended_before;
use crate::record::cipher::Secret;
use crate::record::keys;
use crate::store::{
    Change, Contents, Findings, ListPath, Record, Result, Store, MAX_CONTENTS_BYTES,
};
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

/// Largest contents of an imported record, in bytes. An account over the size limit of its rule is imported as well: it
/// stays as the store has it, or is written as it is.
pub const MAX_BYTES: usize = MAX_CONTENTS_BYTES;

/// Records and items of lists that are imported together or not at all.
pub struct Batch {
    /// Records with their contents.
    pub records: Vec<(Record, Contents)>,
    /// Items with their lists, oldest items first.
    pub items: Vec<(ListPath, Vec<u8>)>,
}

/// Writes the records of `batch` as far as that undoes no security change, and adds its items. `secret` is Dashboard's,
/// for the records that are already stored. `completion` gets the names of those that were kept in whole or in part.
pub fn load(
    store: &Store,
    batch: Batch,
    secret: Option<&Secret>,
    completion: impl FnOnce(Result<Findings>) + Send + 'static,
) {
    let kept = Arc::new(Mutex::new(Findings::default()));
    let written = batch.records.into_iter().map(|(record, contents)| match record.kind {
        Some(_) => {
            let (secret, kept) = (secret.cloned(), Arc::clone(&kept));
            Change::Import { record, contents, secret, kept }
        }
        None => import_other(record, contents),
    });
    let changes = written.chain(additions(batch.items)).collect();
    let done = move |result: Result<()>| {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        completion(result.map(|()| mem::take(&mut *kept)));
    };
    store.submit(changes, Box::new(done));
}

/// An end of an application never moves back. `lib/entries.js` leaves out an audit beside another one.
fn import_other(record: Record, contents: Contents) -> Change {
    if !keys::is_ended_before(record.key.name().unwrap_or_default()) {
        return Change::Write { record, contents, secret: None };
    }
    let size = contents.len();
    Change::update(record, None, size, move |stored| {
        let before = |contents| ended_before(contents).map(|end| end.before);
        let is_kept = match stored {
            None => false,
            // A missing time is below every other one.
            stored => before(stored) >= before(Some(&*contents)),
        };
        Ok((!is_kept).then(|| contents.clone().into()))
    })
}

/// Returns the names of the records that [`load`] would keep in whole or in part. Changes nothing. Blocks.
pub fn would_keep(
    store: &Store,
    records: Vec<(Record, Contents)>,
    secret: Option<&Secret>,
) -> Result<Findings> {
    let mut kept = Findings::default();
    for (record, contents) in records {
        if store.would_keep(&record, contents, secret)? {
            kept.add(record.key.display());
        }
    }
    Ok(kept)
}

/// Writes the records of `batch` whatever is stored there, and adds its items. Until
/// [`super::recovery::end_and_release`] has ended every session, the store cannot be opened again.
pub fn overwrite(
    store: &Store,
    batch: Batch,
    completion: impl FnOnce(Result<()>) + Send + 'static,
) {
    let written = batch.records.into_iter().map(|(record, contents)| {
        // Without a kind the rule about stale writes does not apply, and its fingerprints are removed.
        Change::Write { record: Record { kind: None, ..record }, contents, secret: None }
    });
    let changes =
        std::iter::once(Change::Quarantine).chain(written).chain(additions(batch.items)).collect();
    store.submit(changes, Box::new(completion));
}

fn additions(items: Vec<(ListPath, Vec<u8>)>) -> impl Iterator<Item = Change> {
    items.into_iter().map(|(path, item)| Change::ListAdd { path, item })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::recovery;
    use crate::store::test_store::temporary;
    use crate::store::{self, Key, Settings, StoreError};
    use std::sync::mpsc;

    const ACCOUNT: &[u8] = b"d/account/a";

    fn account(key: &str, number: u32) -> Batch {
        let text =
            format!(r#"{{"object":"account","sessionKey":"{key}","sessionKeyNumber":{number}}}"#);
        Batch {
            records: vec![(Record::new(ACCOUNT), text.into_bytes().into())],
            items: vec![(ListPath::new(b"d/accounts"), b"a".to_vec())],
        }
    }

    #[test]
    fn a_load_moves_no_end_of_an_application_back() {
        let (_folder, store) = temporary();
        let load_one = |name: &str, text: &str| {
            let (sender, result) = mpsc::channel();
            let record = Record::new(name.as_bytes());
            let records = vec![(record, text.as_bytes().into())];
            let batch = Batch { records, items: Vec::new() };
            load(&store, batch, None, move |kept| sender.send(kept).unwrap());
            result.recv().unwrap().unwrap();
            store.read(&Key::record(name.as_bytes())).unwrap().unwrap().to_vec()
        };
        let end = |before: u32| format!(r#"{{"before":{before},"ended":9}}"#);
        for (before, expected) in [(50, 50), (40, 50), (60, 60)] {
            assert_eq!(load_one("app/ended/before", &end(before)), end(expected).into_bytes());
        }
        store.close().unwrap();
    }

    #[test]
    fn a_load_keeps_a_newer_session_key_and_an_overwrite_quarantines_the_store() {
        let (folder, store) = temporary();
        let settings = Settings::new(folder.path().into());
        let open = || store::open_exclusive(&settings);
        let loaded = |batch| {
            let (sender, result) = mpsc::channel();
            load(&store, batch, None, move |kept| sender.send(kept).unwrap());
            result.recv().unwrap().unwrap().number
        };
        assert_eq!(loaded(account("new", 2)), 0);
        let older = account("old", 1);
        assert_eq!(would_keep(&store, older.records.clone(), None).unwrap().number, 1);
        assert_eq!(loaded(older), 1);
        let (sender, result) = mpsc::channel();
        overwrite(&store, account("old", 1), move |done| sender.send(done).unwrap());
        result.recv().unwrap().unwrap();
        let stored = store.read(&Key::record(ACCOUNT)).unwrap().unwrap();
        assert!(String::from_utf8_lossy(&stored).contains(r#""sessionKey":"old""#));
        store.close().unwrap();
        assert!(matches!(open(), Err(StoreError::Quarantined { .. })));
        assert_eq!(recovery::recover(&settings, false, 9.0, None).unwrap().accounts, 1);
        open().unwrap().close().unwrap();
    }
}
