//! An account, as the administrator's `account.js` of Dashboard reads it.

use super::json::{self, Object};

/// The parts of an account that look-ups of its sessions need.
#[derive(Debug, PartialEq)]
pub struct Account {
    /// `sessionKeyNumber`, if it is a number.
    pub session_key_number: Option<f64>,
    /// `sessionKeyLastReset` as JSON.
    pub session_key_last_reset: Option<String>,
}

impl Account {
    /// Reads the text of an account. Returns `None` unless the text is an account as Dashboard writes it.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let object = Object::pick(text, &["object", "sessionKeyNumber", "sessionKeyLastReset"])?;
        object.is_a("account").then(|| Self {
            session_key_number: object.get("sessionKeyNumber").and_then(json::number),
            session_key_last_reset: object.get("sessionKeyLastReset").map(Into::into),
        })
    }
}

/// Returns an account without its secrets, as JSON. Returns `None` unless the text is an account.
#[must_use]
pub fn redacted(text: &str) -> Option<String> {
    let mut object = Object::parse(text)?;
    if !object.is_a("account") {
        return None;
    }
    redact(&mut object);
    Some(object.text())
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
        let expected = r#"{"object":"account","a":1.50,"sessionKeyNumber":3}"#;
        assert_eq!(redacted(text).as_deref(), Some(expected));
        assert_eq!(Account::read(text).unwrap().session_key_number, Some(3.0));
    }

    #[test]
    fn text_that_is_not_an_account_is_not_read() {
        for text in ["{}", "[]", "account", r#"{"object":"session"}"#, r#"{"object":"account"#] {
            assert_eq!(Account::read(text), None, "{text}");
            assert_eq!(redacted(text), None, "{text}");
        }
    }
}
