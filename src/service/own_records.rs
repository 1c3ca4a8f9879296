//! Records of this package (`lib/audit`), written together if those that they depend on are still as they were read.

use crate::record::cipher::{self, Secret};
use crate::store::{Change, Contents, Key, Record, Result, Store, StoreError};

/// Number of new entries from which on no more are returned at once, and largest number of receipts.
const PAGE: usize = 128;

/// A kind of records: the keys are this text, and so many hexadecimal digits.
struct Folder(&'static str, usize);

const NEW_ENTRIES: Folder = Folder("dashboard-sled/new-entry/", 32);
const RECEIPTS: Folder = Folder("dashboard-sled/receipt/", 40);

/// Returns the changes that write or remove `records`, if each of the `guards` has the text that is expected, or does not
/// exist.
#[must_use]
pub fn changes(
    guards: Vec<(Record, Option<String>)>,
    records: Vec<(Record, Option<String>)>,
    secret: Option<&Secret>,
) -> Vec<Change> {
    let is_expected = |(guard, expected): (Record, Option<String>)| {
        let opened_with = secret.cloned();
        let size = expected.as_ref().map_or(0, String::len);
        Change::update(guard, secret.cloned(), size, move |stored| {
            let text = stored.map(|stored| cipher::decrypt_record(stored, opened_with.as_ref()));
            if text.as_deref() == expected.as_deref() {
                Ok(None)
            } else {
                Err(StoreError::Refused("record-changed"))
            }
        })
    };
    let write = |(record, text): (Record, Option<String>)| match text {
        Some(text) => {
            let contents = cipher::encrypt_record(text, secret).into();
            Change::Write { record, contents, secret: secret.cloned() }
        }
        None => Change::Remove { record },
    };
    guards.into_iter().map(is_expected).chain(records.into_iter().map(write)).collect()
}

/// Returns the oldest records with new entries about sessions that ended, as names and the texts of their entries. Blocks.
pub fn new_entries(store: &Store, secret: Option<&Secret>) -> Result<Vec<(String, Vec<String>)>> {
    // Mostly there is none, and this is asked all the time: no more than one other record is read for it.
    let Some((_, first)) = NEW_ENTRIES.page(store, None, 1)?.pop() else {
        return Ok(Vec::new());
    };
    let in_first = first.split(|byte| *byte == b'\n').count();
    let count = (2 * PAGE / in_first).clamp(1, PAGE);
    let mut found = 0;
    let records =
        NEW_ENTRIES.page(store, None, count)?.into_iter().map_while(|(name, contents)| {
            if found >= PAGE {
                return None;
            }
            let lines = contents.split(|byte| *byte == b'\n');
            let texts: Vec<_> =
                lines.map(|line| cipher::decrypt_record(line, secret).into_owned()).collect();
            found += texts.len();
            Some((name, texts))
        });
    Ok(records.collect())
}

/// Returns a page of receipts (`lib/sessions/receipts.js`) after the name `after`, as names and texts. Blocks.
pub fn receipts(
    store: &Store,
    after: Option<&str>,
    secret: Option<&Secret>,
) -> Result<Vec<(String, String)>> {
    let page = RECEIPTS.page(store, after, PAGE)?.into_iter();
    Ok(page
        .map(|(name, contents)| (name, cipher::decrypt_record(&contents, secret).into_owned()))
        .collect())
}

impl Folder {
    /// Returns at most `count` records after the name `after`, in the order of their names.
    fn page(
        &self,
        store: &Store,
        after: Option<&str>,
        count: usize,
    ) -> Result<Vec<(String, Contents)>> {
        let Self(folder, digits) = *self;
        // Names of one length are sorted as text, and `/` is before the digits.
        let before_all = format!("{folder}{}", "/".repeat(digits));
        let after = Key::record(after.unwrap_or(&before_all).as_bytes());
        let page = store.records_after(Some(&after), count, |_| true)?;
        let records = page.records.into_iter().map_while(|(key, contents)| {
            let name = std::str::from_utf8(key.name()?).ok()?;
            let is_here = name.len() == before_all.len() && name.starts_with(folder);
            is_here.then(|| (name.to_owned(), contents))
        });
        Ok(records.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::keys;
    use crate::service::wait_for;
    use crate::store::{self, Settings};

    #[test]
    fn records_are_written_only_if_the_guard_is_as_expected() {
        let (_folder, store) = open();
        let secret = Secret::new(&[7; 32], &[7; 16]);
        let record = |name: &[u8]| Record::new(name);
        let write = |expected: Option<&str>, new: &str| {
            let names = [keys::new_entry(256), keys::new_entry(2), b"head".to_vec()];
            let records = names.iter().map(|name| (record(name), Some(new.into()))).collect();
            let guards = vec![(record(b"head"), expected.map(Into::into)), (record(b"none"), None)];
            wait_for(&store, changes(guards, records, secret.as_ref()))
        };
        assert!(new_entries(&store, secret.as_ref()).unwrap().is_empty());
        write(None, "one").unwrap();
        assert_eq!(write(None, "two").unwrap_err().slug(), "record-changed");
        assert_eq!(write(Some("two"), "two").unwrap_err().slug(), "record-changed");
        write(Some("one"), "two").unwrap();
        let found = new_entries(&store, secret.as_ref()).unwrap();
        assert!(receipts(&store, None, secret.as_ref()).unwrap().is_empty());
        let texts: Vec<_> = found.iter().map(|(_, texts)| texts.join("|")).collect();
        assert_eq!(texts, ["two", "two"]);
        assert!(found[0].0 < found[1].0);
        let removed: Vec<_> =
            found.iter().map(|(name, _)| (record(name.as_bytes()), None)).collect();
        let guards = |of_none: Option<&str>| {
            vec![
                (record(b"head"), Some("two".into())),
                (record(b"none"), of_none.map(str::to_owned)),
            ]
        };
        let wrong = changes(guards(Some("text")), Vec::clone(&removed), secret.as_ref());
        assert_eq!(wait_for(&store, wrong).unwrap_err().slug(), "record-changed");
        wait_for(&store, changes(guards(None), removed, secret.as_ref())).unwrap();
        assert!(new_entries(&store, secret.as_ref()).unwrap().is_empty());
        store.close().unwrap();
    }

    #[test]
    fn entries_of_one_commit_come_in_order_in_a_few_records() {
        let (_folder, store) = open();
        let secret = Secret::new(&[7; 32], &[7; 16]);
        for secret in [None, secret.as_ref()] {
            let texts: Vec<_> =
                (0..100).map(|n| format!("{n}: {} \u{e9}", "x".repeat(n * 3))).collect();
            let append = |text: &String| Change::Append {
                entry: cipher::encrypt_record(text.clone(), secret).into(),
            };
            wait_for(&store, texts.iter().map(append).collect()).unwrap();
            let mut found = Vec::new();
            let mut names = Vec::new();
            loop {
                let records = new_entries(&store, secret).unwrap();
                if records.is_empty() {
                    break;
                }
                let removed = records.iter().map(|(name, _)| {
                    let record = Record::new(name.as_bytes());
                    Change::Remove { record }
                });
                wait_for(&store, removed.collect()).unwrap();
                found.extend(records.iter().flat_map(|(_, texts)| texts.clone()));
                names.extend(records.into_iter().map(|(name, _)| name));
            }
            assert_eq!(found, texts);
            assert!((2..=20).contains(&names.len()), "{}", names.len());
        }
        store.close().unwrap();
    }

    #[test]
    fn receipts_come_in_pages_without_their_neighbours() {
        let (_folder, store) = open();
        let names = |folder: &str, digits: usize| -> Vec<String> {
            (0..300).map(|n| format!("dashboard-sled/{folder}/{n:0digits$x}")).collect()
        };
        let all = [names("entry", 16), names("receipt", 40), names("seen", 40)].concat();
        let write = |name: &String| Change::Write {
            record: Record::new(name.as_bytes()),
            contents: name.as_bytes().into(),
            secret: None,
        };
        wait_for(&store, all.iter().map(write).collect()).unwrap();
        let mut found = Vec::new();
        loop {
            let after = found.last().map(|(name, _): &(String, String)| name.as_str());
            let page = receipts(&store, after, None).unwrap();
            if page.is_empty() {
                break;
            }
            found.extend(page);
        }
        let names: Vec<_> = names("receipt", 40).into_iter().map(|n| (n.clone(), n)).collect();
        assert_eq!(found, names);
        store.close().unwrap();
    }

    #[test]
    fn a_request_that_fails_leaves_no_entry_in_the_record_of_the_others() {
        let (_folder, store) = open();
        let append = |text: &str| Change::Append { entry: text.as_bytes().into() };
        let fails = || {
            Change::update(Record::new(b"a"), None, 0, |_| {
                Err(StoreError::Refused("record-changed"))
            })
        };
        let (sender, answers) = std::sync::mpsc::channel();
        // The first one keeps the writer busy, so that the others share a commit.
        let slow = Change::update(Record::new(b"b"), None, 0, |_| {
            std::thread::sleep(std::time::Duration::from_millis(100));
            Ok(None)
        });
        let requests = vec![
            vec![slow],
            vec![append("1"), fails()],
            vec![append("2")],
            vec![append("3"), fails()],
            vec![append("4"), append("5")],
        ];
        let count = requests.len();
        for request in requests {
            let sender = sender.clone();
            store.submit(request, Box::new(move |result| sender.send(result.is_ok()).unwrap()));
        }
        let answered: Vec<bool> = answers.iter().take(count).collect();
        assert_eq!(answered.iter().filter(|is_ok| **is_ok).count(), 3);
        let found = new_entries(&store, None).unwrap();
        let texts: Vec<_> = found.iter().flat_map(|(_, texts)| texts.clone()).collect();
        assert_eq!((texts.join(" ").as_str(), found.len()), ("2 4 5", 1));
        store.close().unwrap();
    }

    fn open() -> (tempfile::TempDir, store::Lease) {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { creates: true, ..Settings::new(folder.path().join("store")) };
        let store = store::open_exclusive(&settings).unwrap();
        (folder, store)
    }
}
