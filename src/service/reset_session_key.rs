//! Dashboard's `global.api.administrator.ResetSessionKey`.

use super::new_session_key;
use crate::record::cipher::{self, Secret};
use crate::record::ending::Ending;
use crate::record::reset::{self, Refusal, Reset};
use crate::record::{keys, Kind};
use crate::store::{Edited, Outcome, Record, Result, Store, StoreError};
use std::sync::Arc;

/// Ends all sessions of an account at `now` in seconds, as one atomic change, with an entry about it if there is an
/// `attribution`. `completion` gets the account as JSON
/// without its secrets once the change is durable.
pub fn patch(
    store: &Store,
    appid: &[u8],
    accountid: &[u8],
    now: f64,
    secret: Option<Secret>,
    attribution: Option<Arc<str>>,
    completion: impl FnOnce(Result<String>) + Send + 'static,
) {
    let record = Record::new(&keys::record(appid, Kind::Account, accountid));
    let session_key = new_session_key();
    let opened_with = secret.clone();
    let edit = move |stored: Option<&[u8]>| {
        let secret = opened_with.as_ref();
        let text = stored.map(|stored| cipher::decrypt_record(stored, secret));
        let text = text.ok_or(StoreError::Refused("invalid-accountid"))?;
        let Reset { text, redacted, retires, number } = reset::reset(&text, &session_key, now)?;
        let contents = cipher::encrypt_record(text, secret).into();
        let ends = Some(Ending::SessionKey { number, changes_password: false });
        let edited = Some(Edited { contents, retires: Some(retires), ends });
        Ok(Outcome { edited, value: redacted })
    };
    store.update(record, secret, 0, attribution, edit, completion);
}

impl From<Refusal> for StoreError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(match refusal {
            Refusal::InvalidAccountid => "invalid-accountid",
            Refusal::InvalidAccount => "invalid-account",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::json::Object;
    use crate::service::wait_for;
    use crate::store::{self, Change, Settings};
    use std::sync::mpsc;

    #[test]
    fn a_reset_stores_a_new_key_and_returns_the_account_without_it() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { creates: true, ..Settings::new(folder.path().join("store")) };
        let store = store::open_exclusive(&settings).unwrap();
        let account = |id: &str| Record::new(&keys::record(b"app", Kind::Account, id.as_bytes()));
        let reset = |id: &str| {
            let (sender, answers) = mpsc::channel();
            patch(&store, b"app", id.as_bytes(), 9.0, None, None, move |answer| {
                sender.send(answer).unwrap();
            });
            answers.recv().unwrap()
        };
        assert_eq!(reset("a").unwrap_err().slug(), "invalid-accountid");
        let text = r#"{"object":"account","sessionKey":"old","sessionKeyNumber":1}"#;
        let contents = text.as_bytes().into();
        let change = Change::Write { record: account("a"), contents, secret: None };
        wait_for(&store, vec![change]).unwrap();
        let expected = r#"{"object":"account","sessionKeyNumber":2,"sessionKeyLastReset":9}"#;
        assert_eq!(reset("a").unwrap(), expected);
        let stored = store.read(&account("a").key).unwrap().unwrap();
        let stored = Object::parse(std::str::from_utf8(&stored).unwrap()).unwrap();
        // 64 digits within quotation marks.
        assert_eq!(stored.get("sessionKey").map(str::len), Some(66));
        store.close().unwrap();
    }
}
