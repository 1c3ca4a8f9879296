//! An account, as the administrator's `account.js` of Dashboard reads it.

use super::json::{self, Object};
use std::sync::Arc;

/// The parts of an account that look-ups of it and of its sessions need.
#[derive(Debug, PartialEq)]
pub struct Account {
    /// The account as JSON, without `sessionKey`, `usernameHash` and `passwordHash`.
    pub redacted: Arc<str>,
    /// `sessionKeyNumber`, if it is a number.
    pub session_key_number: Option<f64>,
    /// `sessionKeyLastReset` as JSON.
    pub session_key_last_reset: Option<String>,
    /// Whether `deleted` is set.
    pub deleted: bool,
}

impl Account {
    /// Reads the text of an account. Returns `None` unless the text is an account as Dashboard writes it.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut object = Object::parse(text)?;
        if !object.is_a("account") {
            return None;
        }
        redact(&mut object);
        Some(Self {
            session_key_number: object.get("sessionKeyNumber").and_then(json::number),
            session_key_last_reset: object.get("sessionKeyLastReset").map(Into::into),
            deleted: object.get("deleted").is_some_and(json::is_truthy),
            redacted: object.text().into(),
        })
    }
}

/// Removes the secrets of an account.
pub fn redact(account: &mut Object) {
    for name in ["sessionKey", "usernameHash", "passwordHash"] {
        account.remove(name);
    }
}

/// Returns whether unreadable bytes at the key of an account may be an account under some secret, or damaged text of
/// one. Dashboard decrypts up to the first character that is not hexadecimal. Therefore bytes that begin with fewer
/// digits than the smallest account has are not an account under any secret.
#[must_use]
pub fn may_be_one(stored: &[u8]) -> bool {
    const LEAST_DIGITS: usize = 2 * r#"{"object":"account"}"#.len();
    let digits = stored.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let text = std::str::from_utf8(stored);
    digits >= LEAST_DIGITS || text.map_or(true, |text| text.trim_start().starts_with('{'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_removed_and_the_rest_stays() {
        let text = r#"{"object":"account","sessionKey":"k","a":1.50,"\u0070asswordHash":"p","usernameHash":"u","sessionKeyNumber":3}"#;
        let account = Account::read(text).unwrap();
        assert_eq!(&*account.redacted, r#"{"object":"account","a":1.50,"sessionKeyNumber":3}"#);
        assert_eq!(account.session_key_number, Some(3.0));
        assert!(!account.deleted);
    }

    #[test]
    fn text_that_is_not_an_account_is_not_read() {
        for text in ["{}", "[]", "account", r#"{"object":"session"}"#, r#"{"object":"account"#] {
            assert_eq!(Account::read(text), None, "{text}");
        }
    }
}
