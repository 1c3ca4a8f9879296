//! The rule against stale writes: which stored values a write of an account or a session must keep.
//!
//! Dashboard changes a record by reading it, changing it and writing all of it. A write may therefore carry a value
//! that another call has replaced meanwhile: a session key from before "end all sessions", or a password. Each value is
//! judged separately: a retired value is replaced by the stored one, and a new value is accepted. A write that is stale
//! in one value and new in another loses only the stale one.
//!
//! Only the latest retired values are remembered. An older one is recognised by a number or a time that only rises.

use super::json::{self, Object};
use super::{cipher, properties, Kind};
use sha2::{Digest, Sha256};

/// A hash by which a retired session key or password hash is recognised, without storing it.
pub type Fingerprint = [u8; 8];

/// Number of retired session keys, and of retired password hashes, that are remembered for an account: the latest ones.
pub const REMEMBERED: usize = 64;

// The properties that this rule and the one about imports are about.
pub(super) const ENDED: &str = "ended";
pub(super) const KEY: &str = "sessionKey";
pub(super) const KEY_NUMBER: &str = "sessionKeyNumber";
pub(super) const KEY_TIME: &str = "sessionKeyLastReset";
pub(super) const PASSWORD: &str = "passwordHash";
pub(super) const PASSWORD_TIME: &str = "passwordLastChanged";
/// Properties that keep their stored value if anything in the write is stale, because nothing says whether their value
/// is old.
pub(super) const RIGHTS: [&str; 3] = ["administrator", "owner", "deleted"];
/// All properties of a stored record that the rule reads. A kept property that is not among them would be removed from
/// the record instead: see [`keep_all`].
const ASKED: [&str; 10] = {
    let [administrator, owner, deleted] = RIGHTS;
    [
        "object",
        ENDED,
        KEY,
        KEY_NUMBER,
        KEY_TIME,
        PASSWORD,
        PASSWORD_TIME,
        administrator,
        owner,
        deleted,
    ]
};

/// Start of a session's text as Dashboard writes it.
const SESSION_START: &str = r#"{"object":"session","#;

/// Outcome of a write.
#[derive(Debug, Default, PartialEq)]
pub struct Outcome {
    /// The text to write, if it differs from the text of the caller.
    pub text: Option<String>,
    /// Session keys and password hashes that the write retires.
    pub retires: Vec<Fingerprint>,
}

/// Returns the outcome of writing `new` over `stored`, whose retired values are `retired`. Returns `None` if one of the
/// texts is not the record that the key says. Such a write is stored as it is, and the retired values are forgotten.
#[must_use]
pub fn reconcile(kind: Kind, stored: &str, new: &str, retired: &[Fingerprint]) -> Option<Outcome> {
    // Most writes are of sessions that have not ended. This check recognises them without parsing.
    if kind == Kind::Session && stored.starts_with(SESSION_START) && !may_name(stored, ENDED) {
        return Some(Outcome::default());
    }
    let stored = Object::pick(stored, &ASKED).filter(|object| object.is_a(kind.object()))?;
    let new = Object::parse(new).filter(|object| object.is_a(kind.object()))?;
    Some(match kind {
        Kind::Session => reconcile_session(&stored, new),
        Kind::Account => reconcile_account(&stored, new, retired),
    })
}

/// Returns whether the JSON text may have a property `name`, however it is escaped.
fn may_name(text: &str, name: &str) -> bool {
    text.contains(name) || text.contains('\\')
}

/// A stored `ended` is kept.
fn reconcile_session(stored: &Object, mut new: Object) -> Outcome {
    let is_ended = |session: &Object| session.get(ENDED).is_some_and(json::is_truthy);
    if is_ended(&new) || !is_ended(stored) {
        return Outcome::default();
    }
    keep_all(stored, &mut new, &[ENDED]);
    Outcome { text: Some(new.text()), retires: Vec::new() }
}

fn reconcile_account(stored: &Object, mut new: Object, retired: &[Fingerprint]) -> Outcome {
    let number_falls = falls(stored, &new, KEY_NUMBER);
    let mut replaced = Vec::new();
    let mut is_stale = number_falls;
    match compare(stored, &new, PASSWORD, retired) {
        Value::Same => {}
        Value::New { .. }
            if count(retired, PASSWORD) >= REMEMBERED && falls(stored, &new, PASSWORD_TIME) =>
        {
            is_stale = true;
            keep_all(stored, &mut new, &[PASSWORD, PASSWORD_TIME]);
        }
        Value::New { before, .. } => replaced.extend(before),
        Value::Retired => {
            is_stale = true;
            keep_all(stored, &mut new, &[PASSWORD, PASSWORD_TIME]);
        }
    }
    match compare(stored, &new, KEY, retired) {
        // Either a reset that crossed another one, or a key that is older than every remembered one. Nothing tells
        // which. A third key ends every session, as the reset would, and revives none, as the old key would.
        Value::New { before, after } if number_falls => {
            replaced.extend(before);
            replaced.extend(after);
            let key = third_key(stored, &new);
            new.set(KEY, key);
            new.set(KEY_NUMBER, properties::plus_one(stored.get(KEY_NUMBER)));
            if !rises(stored, &new, KEY_TIME) {
                keep_all(stored, &mut new, &[KEY_TIME]);
            }
        }
        Value::New { before, .. } => replaced.extend(before),
        Value::Retired => {
            is_stale = true;
            keep_all(stored, &mut new, &[KEY, KEY_TIME]);
            if number_falls {
                keep_all(stored, &mut new, &[KEY_NUMBER]);
            }
        }
        Value::Same if number_falls => keep_all(stored, &mut new, &[KEY_NUMBER, KEY_TIME]),
        Value::Same => {}
    }
    if !is_stale {
        return Outcome { text: None, retires: replaced };
    }
    keep_all(stored, &mut new, &RIGHTS);
    Outcome { text: Some(new.text()), retires: replaced }
}

/// Outcome for a session key or a password hash in a write.
pub(super) enum Value {
    Same,
    /// It was replaced before.
    Retired,
    New {
        before: Option<Fingerprint>,
        after: Option<Fingerprint>,
    },
}

pub(super) fn compare(stored: &Object, new: &Object, name: &str, retired: &[Fingerprint]) -> Value {
    if stored.get(name) == new.get(name) {
        return Value::Same;
    }
    let (before, after) = (fingerprint(stored, name), fingerprint(new, name));
    if before == after {
        Value::Same
    } else if after.is_some_and(|after| retired.contains(&after)) {
        Value::Retired
    } else {
        Value::New { before, after }
    }
}

/// Returns whether the number `name` would become lower, or stop being a number.
pub(super) fn falls(stored: &Object, new: &Object, name: &str) -> bool {
    let number = |account: &Object| account.get(name).and_then(json::number);
    let number_stored = number(stored).filter(|number| number.is_finite());
    number_stored.is_some_and(|stored| number(new).is_none_or(|new| new < stored))
}

/// Returns whether the number `name` would become higher.
pub(super) fn rises(stored: &Object, new: &Object, name: &str) -> bool {
    let number = |account: &Object| account.get(name).and_then(json::number);
    number(new).is_some_and(|new| number(stored).is_none_or(|stored| new > stored))
}

/// Returns a session key that was never used, as JSON. It is computed from the stored key and the one in the write.
fn third_key(stored: &Object, new: &Object) -> String {
    let mut hasher = Sha256::new();
    for account in [stored, new] {
        hasher.update(json::unescaped(account.get(KEY).unwrap_or_default()).as_bytes());
        hasher.update([0]);
    }
    let digits = cipher::hexadecimal(&hasher.finalize());
    format!("\"{}\"", String::from_utf8_lossy(&digits))
}

/// Returns the fingerprint of the value `name` of an account, if it has one.
pub(super) fn fingerprint(account: &Object, name: &str) -> Option<Fingerprint> {
    let value = account.get(name).filter(|value| json::is_truthy(value))?;
    let mut hasher = Sha256::new();
    hasher.update(name);
    hasher.update(json::unescaped(value).as_bytes());
    let mut fingerprint: Fingerprint = hasher.finalize().first_chunk().copied()?;
    if let Some(last) = fingerprint.last_mut() {
        *last = *last & !1 | mark(name);
    }
    Some(fingerprint)
}

/// Returns the last bit of a fingerprint. It says which value the fingerprint is of, so that keys and password hashes
/// are counted separately.
fn mark(name: &str) -> u8 {
    u8::from(name == PASSWORD)
}

fn is_of(fingerprint: Fingerprint, name: &str) -> bool {
    fingerprint.last().is_some_and(|last| last & 1 == mark(name))
}

fn count(retired: &[Fingerprint], name: &str) -> usize {
    retired.iter().filter(|fingerprint| is_of(**fingerprint, name)).count()
}

/// Adds the newly retired values to the earlier ones. If there are too many of one kind, keeps the latest.
#[must_use]
pub fn remember(before: &[Fingerprint], now: &[Fingerprint]) -> Vec<Fingerprint> {
    let mut retired = [before, now].concat();
    if retired.len() <= REMEMBERED {
        return retired;
    }
    for name in [KEY, PASSWORD] {
        let mut forgotten = count(&retired, name).saturating_sub(REMEMBERED);
        retired.retain(|fingerprint| {
            let goes = forgotten > 0 && is_of(*fingerprint, name);
            forgotten -= usize::from(goes);
            !goes
        });
    }
    retired
}

/// Gives `new` the stored properties `names`, and removes those that are not stored.
pub(super) fn keep_all(stored: &Object, new: &mut Object, names: &[&str]) {
    for name in names {
        debug_assert!(ASKED.contains(name), "{name} was not read from the stored record");
        match stored.get(name) {
            Some(value) => new.set(name, value.to_string()),
            None => new.remove(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(properties: &str) -> String {
        format!(r#"{{"object":"account",{properties}}}"#)
    }

    fn parsed(text: &str) -> Object<'_> {
        Object::parse(text).unwrap()
    }

    /// Writes the texts one after the other. Returns the text that is stored in the end.
    fn written(kind: Kind, texts: &[String]) -> String {
        let mut stored = texts[0].clone();
        let mut retired = Vec::new();
        for text in &texts[1..] {
            let outcome = reconcile(kind, &stored, text, &retired).unwrap_or_default();
            retired = remember(&retired, &outcome.retires);
            stored = outcome.text.unwrap_or_else(|| text.clone());
        }
        stored
    }

    #[test]
    fn changes_that_a_write_of_an_account_must_not_undo() {
        let before =
            account(r#""sessionKey":"k1","sessionKeyNumber":1,"passwordHash":"p1","name":"a""#);
        let reset = account(
            r#""sessionKey":"k2","sessionKeyNumber":2,"sessionKeyLastReset":9,"passwordHash":"p1","name":"a""#,
        );
        let key_alone =
            account(r#""sessionKey":"k2","sessionKeyNumber":1,"passwordHash":"p1","name":"a""#);
        let password =
            account(r#""sessionKey":"k1","sessionKeyNumber":1,"passwordHash":"p2","name":"a""#);
        let cases = [
            (
                "a sign-in that read before a reset keeps its own change and the reset",
                vec![before.clone(), reset.clone(), before.replace(r#""a""#, r#""b""#)],
                account(
                    r#""sessionKey":"k2","sessionKeyNumber":2,"passwordHash":"p1","name":"b","sessionKeyLastReset":9"#,
                ),
            ),
            (
                "so does a sign-in between the first and the second write of the user's own reset",
                vec![before.clone(), key_alone.clone(), before.replace(r#""a""#, r#""b""#)],
                key_alone.replace(r#""a""#, r#""b""#),
            ),
            (
                "a stale write does not undo a change of the password",
                vec![before.clone(), password.clone(), before.replace(r#""a""#, r#""b""#)],
                password.replace(r#""a""#, r#""b""#),
            ),
            (
                "a new key is accepted although the password is an old one",
                vec![before.clone(), password.clone(), key_alone.clone()],
                password.replace("k1", "k2"),
            ),
            (
                "a new password is accepted although the number is an old one, and a third key ends all sessions",
                vec![before.clone(), reset.clone(), password.replace("k1", "k3")],
                account(&format!(
                    r#""sessionKey":{},"sessionKeyNumber":3,"passwordHash":"p2","name":"a","sessionKeyLastReset":9"#,
                    third_key(&parsed(&reset), &parsed(&password.replace("k1", "k3")))
                )),
            ),
            (
                "a retired key is recognised however it is escaped",
                vec![before.clone(), key_alone.clone(), before.replace("k1", r"\u006b1")],
                key_alone.clone(),
            ),
            (
                "the number never falls, even with the current key",
                vec![reset.clone(), reset.replace(r#"Number":2"#, r#"Number":1"#)],
                reset.clone(),
            ),
            (
                "the number cannot be removed",
                vec![reset.clone(), reset.replace(r#""sessionKeyNumber":2,"#, "")],
                account(
                    r#""sessionKey":"k2","sessionKeyLastReset":9,"passwordHash":"p1","name":"a","sessionKeyNumber":2"#,
                ),
            ),
            (
                "a stale write does not bring back rights that were removed",
                vec![
                    account(
                        r#""sessionKey":"k1","sessionKeyNumber":1,"administrator":5,"owner":5"#,
                    ),
                    account(r#""sessionKey":"k2","sessionKeyNumber":2,"deleted":7"#),
                    account(
                        r#""sessionKey":"k1","sessionKeyNumber":1,"administrator":5,"owner":5"#,
                    ),
                ],
                account(r#""sessionKey":"k2","sessionKeyNumber":2,"deleted":7"#),
            ),
            (
                "a write that is not stale is stored as it is",
                vec![reset.clone(), reset.replace(r#""a""#, r#" "b""#)],
                reset.replace(r#""a""#, r#" "b""#),
            ),
            (
                "text that is not an account is stored as it is",
                vec![reset.clone(), "arbitrary".into()],
                "arbitrary".into(),
            ),
            (
                "an object of another kind is stored as it is",
                vec![reset.clone(), before.replace("account", "profile")],
                before.replace("account", "profile"),
            ),
        ];
        for (title, texts, expected) in cases {
            assert_eq!(written(Kind::Account, &texts), expected, "{title}");
        }
    }

    #[test]
    fn an_ended_session_stays_ended() {
        let session = |properties: &str| format!(r#"{{"object":"session"{properties}}}"#);
        let cases = [
            (r#","ended":5"#, r#","lastVerified":9"#, r#","lastVerified":9,"ended":5"#),
            (r#","ended":5"#, r#","ended":null"#, r#","ended":5"#),
            (r#","ended":5"#, r#","ended":6"#, r#","ended":6"#),
            (r"", r#","lastVerified":9"#, r#","lastVerified":9"#),
            (r#","ended":0"#, r"", r""),
            (r#","\u0065nded":5"#, r"", r#","ended":5"#),
        ];
        for (stored, new, expected) in cases {
            let texts = [session(stored), session(new)];
            assert_eq!(written(Kind::Session, &texts), session(expected), "{stored} {new}");
        }
    }

    #[test]
    fn a_fingerprint_depends_on_the_value_and_its_name() {
        let text = account(r#""sessionKey":"x","passwordHash":"x","a":"","b":null"#);
        let object = Object::parse(&text).unwrap();
        assert_ne!(fingerprint(&object, "sessionKey"), fingerprint(&object, "passwordHash"));
        for nothing in ["a", "b", "missing"] {
            assert_eq!(fingerprint(&object, nothing), None);
        }
    }
}
