//! Ends every session of every account, for a store that may have lost acknowledged writes.

use super::{new_session_key, wait_for, RECORDS_PER_PAGE};
use crate::record::cipher::{self, Secret};
use crate::record::json::{self, Object};
use crate::record::{account, keys, reset, Kind};
use crate::store::{Change, Contents, Findings, Key, Record, Result, Store, StoreError};
use std::sync::Arc;

/// Result of [`end_all`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Number of accounts that got a new session key.
    pub accounts: u64,
    /// Number of records under the key of an account that are not accounts.
    pub others: u64,
}

/// Gives every account, including deleted ones, a new session key at `now` in seconds, with an entry about it if the
/// store has an audit. Nothing else may change the store meanwhile. Fails at the end if some record may be an account but could not be changed: its sessions would stay
/// valid.
pub fn end_all(store: &Store, now: f64, secret: Option<&Secret>) -> Result<Ended> {
    let mut ended = Ended::default();
    let (mut unreadable, mut damaged) = (Findings::default(), Findings::default());
    let mut after: Option<Key> = None;
    let has_audit = store.read(&Key::record(keys::AUDIT_HEAD))?.is_some();
    let attribution: Option<Arc<str>> = has_audit.then(|| {
        let time = json::print_number(now);
        format!(r#"{{"time":{time},"actor":{{"type":"command-line"}},"cause":"restore"}}"#).into()
    });
    loop {
        let is_account = |name: &[u8]| Kind::of(name) == Some(Kind::Account);
        // The accounts of a page are changed together.
        let page = store.records_after(after.as_ref(), RECORDS_PER_PAGE, is_account)?;
        damaged.append(page.damaged);
        let mut changes = Vec::new();
        for (key, contents) in page.records {
            match renew(&contents, now, secret, new_session_key) {
                Renewal::Account { contents, secret } => {
                    let record = Record::new(key.name().unwrap_or_default());
                    let change = Change::Write { record, contents, secret: secret.clone() };
                    changes.push(change.attributed(attribution.clone(), secret));
                }
                Renewal::Unreadable => unreadable.add(key.display()),
                Renewal::Other => ended.others += 1,
            }
        }
        ended.accounts += changes.len() as u64;
        wait_for(store, changes)?;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    if damaged.number > 0 {
        return Err(damaged_accounts(&damaged));
    }
    if unreadable.number > 0 {
        return Err(unreadable_accounts(&unreadable));
    }
    Ok(ended)
}

fn damaged_accounts(damaged: &Findings) -> StoreError {
    StoreError::Service {
        code: "ERR_STORE_DAMAGED",
        slug: "store-damaged",
        reason: format!(
            "{} records that are accounts, or may be, are damaged, so their sessions cannot be ended; every other account has a new session key ({})",
            damaged.number,
            damaged.first(),
        ),
    }
}

fn unreadable_accounts(accounts: &Findings) -> StoreError {
    StoreError::Service {
        code: "ERR_ACCOUNTS_UNREADABLE",
        slug: "accounts-unreadable",
        reason: format!(
            "{} accounts could not be read, so their sessions would stay valid ({})",
            accounts.number,
            accounts.first(),
        ),
    }
}

/// Outcome for one record under the key of an account.
enum Renewal {
    /// An account with its new session key, to be stored under this secret.
    Account { contents: Contents, secret: Option<Secret> },
    /// Possibly an account that is encrypted under another secret.
    Unreadable,
    /// Not an account under any secret.
    Other,
}

/// Renews an account in the form in which it is stored: plain or encrypted. With a secret set, an account may still be
/// plain text from before the secret was set. Dashboard reads such a text if its length is odd.
fn renew(
    stored: &[u8],
    now: f64,
    secret: Option<&Secret>,
    session_key: impl Fn() -> String,
) -> Renewal {
    let mut is_object = false;
    // Encrypted text never parses as a plain account, but decryption leaves plain text of odd length unchanged.
    // Therefore plain text is tried first.
    for form in [None, secret] {
        let text = cipher::decrypt_record(stored, form);
        if let Some(mut text) = reset::renew(&text, &session_key(), now) {
            if form.is_none() && secret.is_some() && text.encode_utf16().count() % 2 == 0 {
                // Makes the length odd, so that Dashboard can read the text with and without the secret.
                text.push(' ');
            }
            let contents = cipher::encrypt_record(text, form).into();
            return Renewal::Account { contents, secret: form.cloned() };
        }
        is_object |= Object::parse(&text).is_some();
    }
    if !is_object && account::may_be_one(stored) {
        Renewal::Unreadable
    } else {
        Renewal::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ACCOUNT: &str = r#"{"object":"account","sessionKey":"old","sessionKeyNumber":1}"#;

    fn secret(byte: u8) -> Secret {
        Secret::new(&[byte; 32], &[byte; 16]).unwrap()
    }

    fn renewed(stored: &[u8], secret: Option<&Secret>) -> Renewal {
        renew(stored, 99.0, secret, || "new".into())
    }

    proptest! {
        /// For text of any length, plain or encrypted: an account is renewed in its form, or reported.
        #[test]
        fn no_account_keeps_its_key(pad in ".{0,20}", is_plain: bool, has_secret: bool, is_right: bool) {
            let text = ACCOUNT.replace(r#""old""#, &format!(r#""old","pad":{}"#, serde_json::json!(pad)));
            let (right, other) = (secret(1), secret(2));
            let stored = if is_plain { text.clone().into_bytes() } else { right.encrypt(&text) };
            let given = has_secret.then_some(if is_right { &right } else { &other });
            match renewed(&stored, given) {
                Renewal::Account { contents, secret } => {
                    prop_assert!(is_plain || (has_secret && is_right));
                    let form = if is_plain { None } else { Some(&right) };
                    prop_assert_eq!(secret.as_ref(), form);
                    let text = cipher::decrypt_record(&contents, form);
                    let key = Object::parse(&text).unwrap().get("sessionKey").map(String::from);
                    prop_assert_eq!(key.as_deref(), Some(r#""new""#));
                    // Dashboard can read it under its secret.
                    let read = cipher::decrypt_record(&contents, given);
                    prop_assert_eq!(is_plain || is_right, Object::parse(&read).is_some());
                }
                Renewal::Unreadable => prop_assert!(!is_plain && given != Some(&right)),
                Renewal::Other => prop_assert!(false),
            }
        }
    }

    #[test]
    fn records_that_are_not_accounts_under_any_secret_stay_unchanged() {
        let hex = |text: &str| secret(3).encrypt(text);
        for (stored, is_other) in [
            (b"no account".to_vec(), true),
            (b"".to_vec(), true),
            (b"{}".to_vec(), true),
            (br#"{"object":"session"}"#.to_vec(), true),
            (hex("short"), true),
            (hex(ACCOUNT), false),
            // Dashboard reads up to the first byte that is not hexadecimal.
            ([hex(ACCOUNT), b"zz".to_vec()].concat(), false),
            (ACCOUNT.as_bytes()[..30].to_vec(), false),
            (b"\xff\xfe\x00".to_vec(), false),
        ] {
            for secret in [None, Some(&secret(1))] {
                let renewal = renewed(&stored, secret);
                assert_eq!(matches!(renewal, Renewal::Other), is_other, "{stored:?}");
                assert!(!matches!(renewal, Renewal::Account { .. }));
            }
        }
        // Readable under the secret, but not an account.
        let session = secret(1).encrypt(r#"{"object":"session","id":12345678}"#);
        assert!(matches!(renewed(&session, Some(&secret(1))), Renewal::Other));
    }
}
