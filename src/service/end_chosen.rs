//! Ends the sessions that an administrator, a user or a policy has chosen, in one commit: single sessions, all of some
//! accounts, all of an application that were created before a time.

use super::new_session_key;
use super::session::ended_before;
use crate::record::cipher::{self, Secret};
use crate::record::end::EndedBefore;
use crate::record::json::{self, Object};
use crate::record::properties::{self, Edit};
use crate::record::{ending, keys, reset, Kind};
use crate::store::{Change, Contents, Record, Result, Store, StoreError};
use std::sync::{Arc, Mutex, PoisonError};

/// The sessions to end.
pub struct Chosen {
    /// Ids of single sessions.
    pub sessions: Vec<Vec<u8>>,
    /// Ids of accounts, all of whose sessions end.
    pub accounts: Vec<Vec<u8>>,
    /// All sessions of the application that were created before this time end, in seconds.
    pub before: Option<f64>,
}

/// A request to end sessions.
pub struct End {
    /// The application.
    pub appid: Vec<u8>,
    /// The sessions to end.
    pub chosen: Chosen,
    /// When they end, in seconds.
    pub now: f64,
    /// Who asked for it, as a JSON object: see [`ending::entry`].
    pub attribution: Arc<str>,
    /// A record to write in the same commit, which must not exist before, and its text.
    pub receipt: Option<(Record, String)>,
    /// Dashboard's secret, if it has one.
    pub secret: Option<Secret>,
}

/// One flag for each chosen session, and then for each chosen account: whether it was there to end.
type Flags = Arc<Mutex<Vec<bool>>>;

impl End {
    /// Ends the sessions. `completion` gets one flag for each chosen session, and then for each chosen account, once all
    /// is durable: whether this has ended it. A session that is gone or has ended, and an account that is gone, is left.
    pub fn begin(self, store: &Store, completion: impl FnOnce(Result<Vec<bool>>) + Send + 'static) {
        let number = self.chosen.sessions.len() + self.chosen.accounts.len();
        let flags: Flags = Arc::new(Mutex::new(vec![false; number]));
        let done = Arc::clone(&flags);
        match self.changes(&flags) {
            Some(changes) => store.submit(
                changes,
                Box::new(move |result| {
                    let flags = done.lock().unwrap_or_else(PoisonError::into_inner).clone();
                    completion(result.map(|()| flags));
                }),
            ),
            None => completion(Err(StoreError::Refused("invalid-attribution"))),
        }
    }

    /// Returns `None` if the attribution is not an object.
    fn changes(self, flags: &Flags) -> Option<Vec<Change>> {
        let Self { appid, chosen, now, attribution, receipt, secret } = self;
        let attributed =
            |change: Change| change.attributed(Some(Arc::clone(&attribution)), secret.clone());
        let mut changes = Vec::new();
        // First: without it nothing may happen.
        if let Some((record, text)) = receipt {
            changes.push(create(record, text, secret.clone()));
        }
        for (index, id) in chosen.sessions.iter().enumerate() {
            let record = Record::new(&keys::record(&appid, Kind::Session, id));
            changes.push(attributed(end_session(record, now, secret.clone(), flag(flags, index))));
        }
        for (index, id) in (chosen.sessions.len()..).zip(&chosen.accounts) {
            let record = Record::new(&keys::record(&appid, Kind::Account, id));
            changes.push(attributed(end_account(record, now, secret.clone(), flag(flags, index))));
        }
        if let Some(before) = chosen.before {
            let entry = ending::entry_of_application(&attribution, &appid, before)?;
            let entry = cipher::encrypt_record(entry, secret.as_ref()).into();
            changes.push(end_application(&appid, before, now));
            changes.push(Change::Append { entry });
        }
        Some(changes)
    }
}

/// Returns a function that sets one of `flags`. An engine may compute a change again.
fn flag(flags: &Flags, index: usize) -> impl Fn(bool) + Send + 'static {
    let flags = Arc::clone(flags);
    move |value| {
        if let Some(flag) = flags.lock().unwrap_or_else(PoisonError::into_inner).get_mut(index) {
            *flag = value;
        }
    }
}

fn create(record: Record, text: String, secret: Option<Secret>) -> Change {
    let size = text.len();
    let contents = cipher::encrypt_record(text, secret.as_ref());
    Change::update(record, secret, size, move |stored| match stored {
        Some(_) => Err(StoreError::Refused("receipt-exists")),
        None => Ok(Some(Contents::from(contents.clone()).into())),
    })
}

fn end_session(
    record: Record,
    now: f64,
    secret: Option<Secret>,
    set_flag: impl Fn(bool) + Send + 'static,
) -> Change {
    let opened_with = secret.clone();
    let edit =
        Edit { set: format!(r#"{{"ended":{}}}"#, json::print_number(now)), remove: Vec::new() };
    Change::update(record, secret, 0, move |stored| {
        let secret = opened_with.as_ref();
        let text = stored.map(|stored| cipher::decrypt_record(stored, secret));
        let text = text.filter(|text| is_open(text));
        let text = text.and_then(|text| properties::apply(&text, &edit));
        set_flag(text.is_some());
        Ok(text.map(|text| Contents::from(cipher::encrypt_record(text, secret)).into()))
    })
}

/// Returns whether a text is a session whose end is not stored.
fn is_open(text: &str) -> bool {
    Object::pick(text, &["object", "ended"])
        .filter(|session| session.is_a("session"))
        .is_some_and(|session| !session.get("ended").is_some_and(json::is_truthy))
}

fn end_account(
    record: Record,
    now: f64,
    secret: Option<Secret>,
    set_flag: impl Fn(bool) + Send + 'static,
) -> Change {
    let session_key = new_session_key();
    let opened_with = secret.clone();
    Change::update(record, secret, 0, move |stored| {
        let secret = opened_with.as_ref();
        let text = stored.map(|stored| cipher::decrypt_record(stored, secret));
        let text = text.and_then(|text| reset::renew(&text, &session_key, now));
        set_flag(text.is_some());
        Ok(text.map(|text| Contents::from(cipher::encrypt_record(text, secret)).into()))
    })
}

/// An end never moves back, or sessions that have ended would be let in again.
fn end_application(appid: &[u8], before: f64, now: f64) -> Change {
    let record = Record::new(&keys::ended_before(appid));
    Change::update(record, None, 0, move |stored| {
        let ended = json::print_number(now);
        let is_later = |stored: &EndedBefore| stored.before >= before;
        if ended_before(stored).as_ref().is_some_and(is_later) {
            return Ok(None);
        }
        let text = EndedBefore { before, ended }.text();
        Ok(Some(Contents::from(text.into_bytes()).into()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::own_records;
    use crate::service::wait_for;
    use crate::store::{self, Key, Settings};
    use std::sync::mpsc;

    const SESSION: &str =
        r#"{"object":"session","accountid":"a","created":5,"expires":99,"sessionKeyNumber":1}"#;
    const ACCOUNT: &str =
        r#"{"object":"account","accountid":"a","sessionKey":"k","sessionKeyNumber":1}"#;

    fn end(store: &Store, chosen: Chosen, receipt: Option<&str>) -> Result<Vec<bool>> {
        let (sender, answers) = mpsc::channel();
        let receipt = receipt.map(|name| (Record::new(name.as_bytes()), "receipt".into()));
        let (appid, attribution) = (b"app".to_vec(), Arc::from(r#"{"actor":{},"time":7}"#));
        let end = End { appid, chosen, now: 9.0, attribution, receipt, secret: None };
        end.begin(store, move |answer| sender.send(answer).unwrap());
        answers.recv().unwrap()
    }

    fn entries(store: &Store) -> Vec<String> {
        let records = own_records::new_entries(store, None).unwrap();
        records.into_iter().flat_map(|(_, texts)| texts).collect()
    }

    #[test]
    fn what_ends_gets_an_entry_in_the_same_commit() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { creates: true, ..Settings::new(folder.path().join("store")) };
        let store = store::open_exclusive(&settings).unwrap();
        let write = |name: &str, text: &str| {
            let record = Record::new(name.as_bytes());
            let contents = text.as_bytes().into();
            wait_for(&store, vec![Change::Write { record, contents, secret: None }]).unwrap();
        };
        write("app/session/1", SESSION);
        write("app/session/2", &SESSION.replace('}', r#","ended":3}"#));
        write("app/account/a", ACCOUNT);
        let ids = |ids: &[&str]| ids.iter().map(|id| id.as_bytes().to_vec()).collect::<Vec<_>>();
        let chosen = || Chosen {
            sessions: ids(&["1", "2", "3"]),
            accounts: ids(&["a", "b"]),
            before: Some(50.0),
        };
        let flags = end(&store, chosen(), Some("receipt")).unwrap();
        assert_eq!(flags, [true, false, false, true, false]);
        let found = entries(&store);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].contains(r#""cause":"ended-by-administrator""#), "{found:?}");
        assert!(found[1].contains(r#""sessionKeyNumber":2"#), "{found:?}");
        assert!(found[2].contains(r#""cause":"application-wide""#), "{found:?}");
        let read = |name: &str| store.read(&Key::record(name.as_bytes())).unwrap().unwrap();
        assert_eq!(&*read("app/ended/before"), br#"{"before":50,"ended":9}"#);
        assert!(String::from_utf8_lossy(&read("app/session/1")).contains(r#""ended":9"#));
        // Once more: the receipt is there, so nothing happens.
        assert_eq!(end(&store, chosen(), Some("receipt")).unwrap_err().slug(), "receipt-exists");
        assert_eq!(entries(&store).len(), 3);
        // An end of the application never moves back.
        let earlier = Chosen { sessions: Vec::new(), accounts: Vec::new(), before: Some(40.0) };
        end(&store, earlier, None).unwrap();
        assert_eq!(&*read("app/ended/before"), br#"{"before":50,"ended":9}"#);
        store.close().unwrap();
    }
}
