//! When a session ended: Dashboard's rule, for callers that look at many sessions.

use super::account::Account;
use super::json::{self, Object};

/// Cause of the end of a session whose end is not stored.
#[derive(Debug, PartialEq)]
pub enum End {
    /// A reset of the account's session key.
    Reset,
    /// The session expired.
    Expiry,
}

/// Returns what has ended a session at `now`, from the session key numbers of the session and of its account. A reset
/// counts before the expiry, as in Dashboard's `administrator/session.js`.
///
/// This is the one place in Rust that decides it. `Session.get` in `lib/administrator.js` decides it by the same
/// statements for sessions that only JavaScript's coercions can judge. `__test__/differential.test.js` compares both
/// with Dashboard.
#[must_use]
pub fn end(key_number: f64, account_key_number: f64, expires: f64, now: f64) -> Option<End> {
    if key_number < account_key_number {
        Some(End::Reset)
    } else {
        (expires <= now).then_some(End::Expiry)
    }
}

/// The properties of a session that say when it ends.
#[derive(Debug, PartialEq)]
pub struct EndOfSession {
    /// Id of the account that the session belongs to.
    pub accountid: String,
    stored: Option<f64>,
    key_number: f64,
    expires: f64,
}

impl EndOfSession {
    /// Reads the text of a session. Returns `None` if it is not a session as Dashboard writes it.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let object = Object::parse(text)?;
        if !object.is_a("session") {
            return None;
        }
        let number = |name| object.get(name).and_then(json::number);
        let accountid = object.get("accountid").and_then(json::plain_text)?;
        let stored = match object.get("ended") {
            Some(ended) if json::is_truthy(ended) => Some(json::number(ended)?),
            _ => None,
        };
        Some(Self {
            accountid: accountid.into(),
            stored,
            key_number: number("sessionKeyNumber")?,
            expires: number("expires")?,
        })
    }

    /// Returns when the session ended, in seconds. Returns `None` if it is valid at `now`, or if only JavaScript's
    /// coercions could tell. A session whose account is gone has not ended for that reason.
    #[must_use]
    pub fn ended(&self, now: f64, account: Option<&Account>) -> Option<f64> {
        if self.stored.is_some() {
            return self.stored;
        }
        // Comparisons with NaN are false, so a missing number never ends a session.
        let account_key_number =
            account.map_or(Some(f64::NAN), |account| account.session_key_number)?;
        match end(self.key_number, account_key_number, self.expires, now)? {
            End::Reset => account?.session_key_last_reset.as_deref().and_then(json::number),
            End::Expiry => Some(self.expires),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_end_beats_a_reset_beats_the_expiry() {
        let account = |number| {
            let text = format!(
                r#"{{"object":"account","sessionKeyLastReset":500,"sessionKeyNumber":{number}}}"#
            );
            Account::read(&text).unwrap()
        };
        let session = |ended: &str| {
            let text = format!(
                r#"{{"object":"session","accountid":"a","expires":300,"sessionKeyNumber":1{ended}}}"#
            );
            EndOfSession::read(&text).unwrap()
        };
        // stored, the account's number, now, ended
        for (stored, number, now, ended) in [
            (",\"ended\":100", Some("2"), 900.0, Some(100.0)),
            (",\"ended\":100", None, 50.0, Some(100.0)),
            (",\"ended\":0", Some("1"), 299.0, None),
            (",\"ended\":null", Some("1"), 300.0, Some(300.0)),
            ("", Some("2"), 250.0, Some(500.0)),
            ("", Some("2"), 900.0, Some(500.0)),
            ("", Some("1"), 299.0, None),
            ("", Some("1"), 301.0, Some(300.0)),
            ("", None, 301.0, Some(300.0)),
            ("", None, 299.0, None),
            ("", Some("null"), 900.0, None),
        ] {
            let account = number.map(account);
            assert_eq!(
                session(stored).ended(now, account.as_ref()),
                ended,
                "{stored} {number:?} {now}"
            );
        }
    }

    #[test]
    fn text_that_dashboard_does_not_write_is_not_read() {
        for text in [
            "session_1",
            r#"{"object":"account","accountid":"a","expires":1,"sessionKeyNumber":1}"#,
            r#"{"object":"session","accountid":1,"expires":1,"sessionKeyNumber":1}"#,
            r#"{"object":"session","accountid":"a","expires":"1","sessionKeyNumber":1}"#,
            r#"{"object":"session","accountid":"a","expires":1,"sessionKeyNumber":null}"#,
            r#"{"object":"session","accountid":"a","expires":1,"sessionKeyNumber":1,"ended":"yes"}"#,
        ] {
            assert_eq!(EndOfSession::read(text), None, "{text}");
        }
    }
}
