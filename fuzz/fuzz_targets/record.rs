//! Feeds arbitrary text to every function that reads a record: slicing, accounts, sessions, resets, stale writes, the
//! cipher.
#![no_main]

use dashboard_sled::record::account::Account;
use dashboard_sled::record::cipher::{self, Secret};
use dashboard_sled::record::json::Object;
use dashboard_sled::record::properties::{self, Edit};
use dashboard_sled::record::session::Session;
use dashboard_sled::record::{reset, stale, Kind};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let secret = Secret::new(&[7; 32], &[7; 16]);
    let _ = cipher::decrypt_record(bytes, secret.as_ref());
    let _ = Kind::of(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (one, other) = text.split_once('\n').unwrap_or((text, ""));
    // Parsing an object and printing it again does not change it.
    if let Some(object) = Object::parse(one) {
        let again = object.text();
        assert_eq!(Object::parse(&again).map(|object| object.text()), Some(again));
    }
    let account = Account::read(other);
    if let (Some(session), Some(account)) = (Session::read(one), &account) {
        if let Some(text) = session.at(5.0, account, None) {
            assert!(Object::parse(&text).is_some_and(|session| session.get("tokenHash").is_none()));
        }
    }
    if let Ok(reset) = reset::reset(one, "key", 5.0) {
        let account = Object::parse(&reset.text).unwrap();
        assert_eq!(account.get("sessionKey"), Some("\"key\""));
    }
    let _ = reset::renew(one, "key", 5.0);
    for kind in [Kind::Account, Kind::Session] {
        if let Some(text) = stale::reconcile(kind, one, other, &[]).and_then(|outcome| outcome.text) {
            assert!(Object::parse(&text).is_some());
        }
    }
    let edit = Edit { set: other.into(), remove: vec!["\"a\"".into()] };
    if let Some(text) = properties::apply(one, &edit) {
        assert!(Object::parse(&text).is_some());
    }
});
