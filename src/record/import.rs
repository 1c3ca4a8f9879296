//! The rule for imports into a store that has data: which stored values an import must keep.
//!
//! Imported data is an older state, or the state of a dashboard that ran on elsewhere; it is not a write that crossed
//! another one. Therefore this rule is stricter than the one about stale writes. That rule accepts a session key or
//! password that it does not know. This one accepts it only if its number or time says that it is newer.
//!
//! | stored | imported | |
//! |---|---|---|
//! | nothing, or not an account or a session | anything | the imported record is stored as it is |
//! | a session with `ended` | a session without it | `ended` stays |
//! | an account | an account | see [`over_account`] |
//! | an account or a session | something else, or a record over the limit | the stored record stays |
//! | an account or a session | encrypted under another secret | refused, unless both have the same bytes |

use super::cipher::Secret;
use super::json::{self, Object};
use super::stale::{
    self, Fingerprint, Value, ENDED, KEY, KEY_NUMBER, KEY_TIME, PASSWORD, PASSWORD_TIME, RIGHTS,
};
use super::write_over::{Locked, Reading};
use super::Kind;

/// Outcome for an imported record.
#[derive(Debug, PartialEq)]
pub enum Import {
    /// The imported record is written as it is.
    Taken {
        /// Session keys and password hashes that it replaces.
        retires: Vec<Fingerprint>,
    },
    /// This text is written, which keeps some of the stored values.
    Merged {
        /// The text to write.
        text: String,
        /// Session keys and password hashes that it replaces.
        retires: Vec<Fingerprint>,
    },
    /// The stored record stays as it is.
    Kept,
}

/// Returns the outcome of importing `new` over `stored`, whose retired values are `retired`. Does not parse a text of
/// more than `most` bytes.
pub fn import(
    kind: Kind,
    stored: &[u8],
    new: &[u8],
    retired: &[Fingerprint],
    secret: Option<&Secret>,
    most: usize,
) -> Result<Import, Locked> {
    let taken = Import::Taken { retires: Vec::new() };
    if stored == new {
        return Ok(taken);
    }
    let before = Reading::new(kind, stored, secret);
    if before == Reading::Other {
        return Ok(taken);
    }
    if new.len() > most || stored.len() > most {
        return Ok(Import::Kept);
    }
    let (before, after) = match (&before, Reading::new(kind, new, secret)) {
        (_, Reading::Other) => return Ok(Import::Kept),
        (Reading::Record(before), Reading::Record(after)) => (before.to_string(), after),
        _ => return Err(Locked),
    };
    let (Some(before), Some(after)) = (Object::parse(&before), Object::parse(&after)) else {
        return Ok(Import::Kept);
    };
    Ok(match kind {
        Kind::Session => over_session(&before, after),
        Kind::Account => over_account(&before, after, retired),
    })
}

/// A stored `ended` is kept.
fn over_session(stored: &Object, mut new: Object) -> Import {
    let is_ended = |session: &Object| session.get(ENDED).is_some_and(json::is_truthy);
    if is_ended(&new) || !is_ended(stored) {
        return Import::Taken { retires: Vec::new() };
    }
    stale::keep_all(stored, &mut new, &[ENDED]);
    Import::Merged { text: new.text(), retires: Vec::new() }
}

/// The session key number never falls. A different session key is accepted if its number is higher, or if the number is
/// equal and its reset is later. A different password hash is accepted if its change is later. Neither is accepted if
/// it is known to be retired. A scheduled deletion is kept, and if any stored value is kept, so are the stored rights.
fn over_account(stored: &Object, mut new: Object, retired: &[Fingerprint]) -> Import {
    let falls = |name| stale::falls(stored, &new, name);
    let rises = |name| stale::rises(stored, &new, name);
    let is_later_key = rises(KEY_NUMBER) || rises(KEY_TIME);
    let keeps_number = falls(KEY_NUMBER);
    let mut replaced = Vec::new();
    let mut keeps = |name, is_later: bool, has_earlier_time: bool| match stale::compare(
        stored, &new, name, retired,
    ) {
        Value::Same => has_earlier_time,
        Value::New { before, .. } if is_later => {
            replaced.extend(before);
            false
        }
        Value::Retired | Value::New { .. } => true,
    };
    let keeps_key =
        keeps(KEY, is_later_key && !keeps_number, !rises(KEY_NUMBER) && falls(KEY_TIME))
            || keeps_number;
    let keeps_password = keeps(PASSWORD, rises(PASSWORD_TIME), falls(PASSWORD_TIME));
    let is_deleted = |account: &Object| account.get("deleted").is_some_and(json::is_truthy);
    let keeps_deleted = is_deleted(stored) && !is_deleted(&new);
    if !(keeps_key || keeps_password || keeps_deleted) {
        return Import::Taken { retires: replaced };
    }
    if keeps_key {
        stale::keep_all(stored, &mut new, &[KEY, KEY_TIME]);
    }
    if keeps_number {
        stale::keep_all(stored, &mut new, &[KEY_NUMBER]);
    }
    if keeps_password {
        stale::keep_all(stored, &mut new, &[PASSWORD, PASSWORD_TIME]);
    }
    stale::keep_all(stored, &mut new, &RIGHTS);
    Import::Merged { text: new.text(), retires: replaced }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::cipher;

    const MOST: usize = 1 << 20;

    fn account(properties: &str) -> String {
        format!(r#"{{"object":"account",{properties}}}"#)
    }

    /// Returns the properties of an account after importing `new` over `stored`, or `None` if nothing stored was kept.
    fn imported(stored: &str, new: &str, retired: &[Fingerprint]) -> Option<String> {
        let texts = [account(stored), account(new)];
        let [stored, new] = texts.each_ref().map(String::as_bytes);
        match import(Kind::Account, stored, new, retired, None, MOST).unwrap() {
            Import::Taken { .. } => None,
            Import::Merged { text, .. } => {
                let text = text.strip_prefix(r#"{"object":"account","#).unwrap();
                Some(text.strip_suffix('}').unwrap().into())
            }
            Import::Kept => panic!("nothing was taken"),
        }
    }

    #[test]
    fn an_older_state_does_not_bring_back_a_key_or_a_password() {
        let first = r#""sessionKey":"k1","sessionKeyNumber":1,"passwordHash":"p1""#;
        let reset =
            r#""sessionKey":"k2","sessionKeyNumber":2,"passwordHash":"p1","sessionKeyLastReset":9"#;
        let password =
            r#""sessionKey":"k1","sessionKeyNumber":1,"passwordHash":"p2","passwordLastChanged":9"#;
        let half = r#""sessionKey":"k2","sessionKeyNumber":1,"passwordHash":"p1""#;
        for (stored, new, expected) in [
            (first, first, None),
            // A newer state is accepted.
            (first, reset, None),
            (first, password, None),
            // An older state is not.
            (reset, first, Some(reset)),
            (password, first, Some(password)),
            // Where nothing tells which one is newer, the stored state is kept.
            (half, first, Some(half)),
            (first, half, Some(first)),
            (half, reset, None),
            // Key and password are judged separately.
            (
                password,
                reset,
                Some(
                    r#""sessionKey":"k2","sessionKeyNumber":2,"passwordHash":"p2","sessionKeyLastReset":9,"passwordLastChanged":9"#,
                ),
            ),
            // An import without a number keeps the stored one.
            (
                reset,
                r#""sessionKey":"k2","passwordHash":"p1","sessionKeyLastReset":9"#,
                Some(
                    r#""sessionKey":"k2","passwordHash":"p1","sessionKeyLastReset":9,"sessionKeyNumber":2"#,
                ),
            ),
        ] {
            assert_eq!(imported(stored, new, &[]).as_deref(), expected, "{stored} {new}");
        }
    }

    #[test]
    fn a_retired_value_is_refused_whatever_its_number_and_time() {
        let stored = r#""sessionKey":"k2","sessionKeyNumber":1,"passwordHash":"p2""#;
        let new = r#""sessionKey":"k1","sessionKeyNumber":1,"passwordHash":"p1","sessionKeyLastReset":9,"passwordLastChanged":9"#;
        let object = account(new);
        let object = Object::parse(&object).unwrap();
        let retired =
            ["sessionKey", "passwordHash"].map(|name| stale::fingerprint(&object, name).unwrap());
        let expected = r#""sessionKey":"k2","sessionKeyNumber":1,"passwordHash":"p2""#;
        assert_eq!(imported(stored, new, &retired).as_deref(), Some(expected));
        assert_eq!(imported(stored, new, &[]), None);
    }

    #[test]
    fn stored_rights_are_kept_with_any_other_value_and_a_deletion_always() {
        let with = |more: &str| format!(r#""sessionKey":"k","sessionKeyNumber":1{more}"#);
        for (stored, new, expected) in [
            ("", r#","administrator":1"#, None),
            (r#","deleted":5"#, r#","administrator":1"#, Some(r#","deleted":5"#)),
            (r#","deleted":5"#, r#","deleted":6"#, None),
        ] {
            let expected = expected.map(with);
            assert_eq!(imported(&with(stored), &with(new), &[]), expected, "{stored} {new}");
        }
        let older = r#""sessionKey":"k","sessionKeyNumber":0,"administrator":1"#;
        assert_eq!(imported(&with(""), older, &[]), Some(with("")));
    }

    #[test]
    fn an_ended_session_stays_ended() {
        let session = |more: &str| format!(r#"{{"object":"session"{more}}}"#);
        for (stored, new, expected) in [
            ("", "", None),
            ("", r#","ended":5"#, None),
            (r#","ended":5"#, r#","ended":6"#, None),
            (r#","ended":5"#, r#","ended":null"#, Some(r#","ended":5"#)),
            (r#","ended":5"#, r#","a":1"#, Some(r#","a":1,"ended":5"#)),
        ] {
            let texts = [session(stored), session(new)];
            let [stored, new] = texts.each_ref().map(String::as_bytes);
            let expected = match expected {
                Some(text) => Import::Merged { text: session(text), retires: Vec::new() },
                None => Import::Taken { retires: Vec::new() },
            };
            let found = import(Kind::Session, stored, new, &[], None, MOST);
            assert_eq!(found, Ok(expected), "{texts:?}");
        }
    }

    #[test]
    fn records_that_cannot_be_compared_are_refused_or_kept() {
        let secret = Secret::new(&[7; 32], &[7; 16]);
        let other = Secret::new(&[8; 32], &[7; 16]);
        let stored = account(r#""sessionKey":"k2","sessionKeyNumber":2"#);
        let older = account(r#""sessionKey":"k1","sessionKeyNumber":1"#);
        let encrypt = |text: &str, secret: &Option<Secret>| {
            cipher::encrypt_record(text.into(), secret.as_ref())
        };
        let over = |stored: &[u8], new: &[u8], secret: &Option<Secret>| {
            import(Kind::Account, stored, new, &[], secret.as_ref(), MOST)
        };
        let taken = Ok(Import::Taken { retires: Vec::new() });
        let merged = Ok(Import::Merged { text: stored.clone(), retires: Vec::new() });
        let encrypted = encrypt(&stored, &secret);
        assert_eq!(over(&encrypted, &encrypt(&older, &secret), &secret), merged);
        assert_eq!(over(&encrypted, older.as_bytes(), &secret), merged);
        assert_eq!(over(&encrypted, &encrypt(&older, &other), &secret), Err(Locked));
        assert_eq!(over(&encrypted, &encrypt(&older, &secret), &None), Err(Locked));
        assert_eq!(over(&encrypted, &encrypted, &None), taken);
        assert_eq!(over(&encrypted, b"text", &secret), Ok(Import::Kept));
        assert_eq!(over(b"text", older.as_bytes(), &secret), taken);
        let large = import(Kind::Account, stored.as_bytes(), older.as_bytes(), &[], None, 40);
        assert_eq!(large, Ok(Import::Kept));
    }
}
