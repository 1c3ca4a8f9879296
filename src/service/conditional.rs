//! Records of this package (`lib/audit`), written together if one of them is still as it was read.

use crate::record::cipher::{self, Secret};
use crate::store::{Change, Key, Record, Result, Store, StoreError};

/// Number of new entries that are returned at once.
const ENTRIES: usize = 128;
/// The keys of new entries begin with this, and 32 hexadecimal digits follow.
const NEW_ENTRIES: &[u8] = b"dashboard-sled/new-entry/";

/// Returns the changes that write or remove `records`, if the record `guard` has the text `expected`, or does not exist.
#[must_use]
pub fn changes(
    guard: Record,
    expected: Option<String>,
    records: Vec<(Record, Option<String>)>,
    secret: Option<&Secret>,
) -> Vec<Change> {
    let opened_with = secret.cloned();
    let size = expected.as_ref().map_or(0, String::len);
    let is_expected = Change::update(guard, secret.cloned(), size, move |stored| {
        let text = stored.map(|stored| cipher::decrypt_record(stored, opened_with.as_ref()));
        if text.as_deref() == expected.as_deref() {
            Ok(None)
        } else {
            Err(StoreError::Refused("record-changed"))
        }
    });
    let write = |(record, text): (Record, Option<String>)| match text {
        Some(text) => {
            let contents = cipher::encrypt_record(text, secret).into();
            Change::Write { record, contents, secret: secret.cloned() }
        }
        None => Change::Remove { record },
    };
    std::iter::once(is_expected).chain(records.into_iter().map(write)).collect()
}

/// Returns the oldest new entries about sessions that ended, as names and texts. Blocks.
pub fn new_entries(store: &Store, secret: Option<&Secret>) -> Result<Vec<(String, String)>> {
    // Names of one length are sorted as text, and `/` is before the digits.
    let before_all = [NEW_ENTRIES, &[b'/'; 32]].concat();
    let is_new = |name: &[u8]| name.len() == before_all.len() && name.starts_with(NEW_ENTRIES);
    let before_all = Key::record(&before_all);
    // Mostly there is none, and this is asked all the time: no more than one other record is read for it.
    let first = store.records_after(Some(&before_all), 1, |_| true)?;
    if !first.records.iter().any(|(key, _)| key.name().is_some_and(is_new)) {
        return Ok(Vec::new());
    }
    let page = store.records_after(Some(&before_all), ENTRIES, |_| true)?;
    let entries = page.records.iter().map_while(|(key, contents)| {
        let name = key.name().filter(|name| is_new(name))?;
        let text = cipher::decrypt_record(contents, secret).into_owned();
        Some((String::from_utf8_lossy(name).into_owned(), text))
    });
    Ok(entries.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::keys;
    use crate::service::wait_for;
    use crate::store::{self, Settings};

    #[test]
    fn records_are_written_only_if_the_guard_is_as_expected() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { creates: true, ..Settings::new(folder.path().join("store")) };
        let store = store::open_exclusive(&settings).unwrap();
        let secret = Secret::new(&[7; 32], &[7; 16]);
        let record = |name: &[u8]| Record::new(name);
        let write = |expected: Option<&str>, new: &str| {
            let names = [keys::new_entry(256), keys::new_entry(2), b"head".to_vec()];
            let records = names.iter().map(|name| (record(name), Some(new.into()))).collect();
            let guard = record(b"head");
            wait_for(&store, changes(guard, expected.map(Into::into), records, secret.as_ref()))
        };
        assert!(new_entries(&store, secret.as_ref()).unwrap().is_empty());
        write(None, "one").unwrap();
        assert_eq!(write(None, "two").unwrap_err().slug(), "record-changed");
        assert_eq!(write(Some("two"), "two").unwrap_err().slug(), "record-changed");
        write(Some("one"), "two").unwrap();
        let found = new_entries(&store, secret.as_ref()).unwrap();
        let texts: Vec<_> = found.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["two", "two"]);
        assert!(found[0].0 < found[1].0);
        let removed = found.iter().map(|(name, _)| (record(name.as_bytes()), None)).collect();
        let guard = record(b"head");
        wait_for(&store, changes(guard, Some("two".into()), removed, secret.as_ref())).unwrap();
        assert!(new_entries(&store, secret.as_ref()).unwrap().is_empty());
        store.close().unwrap();
    }
}
