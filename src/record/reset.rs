//! The reset of a session key, as in the administrator's `reset-session-key.js` of Dashboard.

use super::account;
use super::json::{self, Object};
use super::properties;
use super::stale::{self, Fingerprint};

/// Why an account cannot be reset, by Dashboard's own slugs.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such account.
    InvalidAccountid,
    /// The account is deleted.
    InvalidAccount,
}

/// An account after a reset.
#[derive(Debug, PartialEq, Eq)]
pub struct Reset {
    /// The text to store.
    pub text: String,
    /// The text without the secrets of the account.
    pub redacted: String,
    /// The old session key, which a stale write must not bring back. A reset needs no other part of that rule, because
    /// the new key is random and the number rises.
    pub retires: Vec<Fingerprint>,
    /// The new session key number, as JSON.
    pub number: String,
}

/// Resets the account in `text` at `now` in seconds, with `key` as its new session key.
pub fn reset(text: &str, key: &str, now: f64) -> Result<Reset, Refusal> {
    let mut account = Object::parse(text).ok_or(Refusal::InvalidAccountid)?;
    if !account.is_a("account") {
        return Err(Refusal::InvalidAccountid);
    }
    if account.get("deleted").is_some_and(json::is_truthy) {
        return Err(Refusal::InvalidAccount);
    }
    let retires = stale::fingerprint(&account, "sessionKey").into_iter().collect();
    let number = set(&mut account, key, now);
    let text = account.text();
    account::redact(&mut account);
    Ok(Reset { text, redacted: account.text(), retires, number })
}

/// As [`reset`], for any account including deleted ones. Returns `None` if the text is not an account.
#[must_use]
pub fn renew(text: &str, key: &str, now: f64) -> Option<String> {
    let mut account = Object::parse(text).filter(|account| account.is_a("account"))?;
    set(&mut account, key, now);
    Some(account.text())
}

/// Returns the new session key number, as JSON.
fn set(account: &mut Object, key: &str, now: f64) -> String {
    let number = properties::plus_one(account.get("sessionKeyNumber"));
    account.set("sessionKey", format!("\"{key}\""));
    account.set("sessionKeyLastReset", json::print_number(now));
    account.set("sessionKeyNumber", number.clone());
    number
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Kind;

    #[test]
    fn a_reset_changes_three_properties() {
        let text = r#"{"7":1,"object":"account","sessionKey":"old","a":1.50,"sessionKeyNumber":4}"#;
        let expected = r#"{"7":1,"object":"account","sessionKey":"new","a":1.50,"sessionKeyNumber":5,"sessionKeyLastReset":99}"#;
        let redacted = expected.replace(r#""sessionKey":"new","#, "");
        let reset = reset(text, "new", 99.0).unwrap();
        assert_eq!((reset.text.as_str(), reset.redacted), (expected, redacted));
        // The rule about stale writes has the same outcome for this write.
        let outcome = stale::reconcile(Kind::Account, text, expected, &[]).unwrap();
        assert_eq!((outcome.text, outcome.retires), (None, reset.retires));
    }

    #[test]
    fn missing_and_deleted_accounts_are_refused() {
        let cases = [
            ("text", Refusal::InvalidAccountid),
            ("[]", Refusal::InvalidAccountid),
            (r#"{"object":"session"}"#, Refusal::InvalidAccountid),
            (r#"{"object":"account","deleted":5}"#, Refusal::InvalidAccount),
            (r#"{"object":"account","deleted":"x"}"#, Refusal::InvalidAccount),
        ];
        for (text, refusal) in cases {
            assert_eq!(reset(text, "new", 99.0), Err(refusal), "{text}");
        }
        assert!(reset(r#"{"object":"account","deleted":0}"#, "new", 99.0).is_ok());
    }
}
