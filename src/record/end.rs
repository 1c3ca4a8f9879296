//! When a session has ended: the host's rule, and sessions as those read them who look at many.

use super::account::Account;
use super::json::{self, Object};

/// What has ended a session whose end is not stored.
#[derive(Debug, PartialEq)]
pub enum End {
    /// A reset of the account's session key.
    Reset,
    /// Its time is over.
    Expiry,
}

/// What has ended a session at `now`, by the numbers of its key and of its account's: a reset does before its expiry
/// (the host's `administrator/session.js`).
#[must_use]
pub fn end(key_number: f64, account_key_number: f64, expires: f64, now: f64) -> Option<End> {
    if key_number < account_key_number {
        Some(End::Reset)
    } else {
        (expires <= now).then_some(End::Expiry)
    }
}

/// What a session says about its end.
#[derive(Debug, PartialEq)]
pub struct Session {
    /// Whose it is.
    pub accountid: String,
    stored: Option<f64>,
    key_number: f64,
    expires: f64,
}

impl Session {
    /// Reads the text of a session; `None` if it is none, or not as the host writes it.
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

    /// When it ended, in seconds; `None` if it lives at `now`, or if only JavaScript's own rules can tell. An
    /// account that is gone ends nothing.
    #[must_use]
    pub fn ended(&self, now: f64, account: Option<&Account>) -> Option<f64> {
        if self.stored.is_some() {
            return self.stored;
        }
        // No number is above NaN.
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
            Session::read(&text).unwrap()
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
    fn what_is_not_as_the_host_writes_it_is_none() {
        for text in [
            "session_1",
            r#"{"object":"account","accountid":"a","expires":1,"sessionKeyNumber":1}"#,
            r#"{"object":"session","accountid":1,"expires":1,"sessionKeyNumber":1}"#,
            r#"{"object":"session","accountid":"a","expires":"1","sessionKeyNumber":1}"#,
            r#"{"object":"session","accountid":"a","expires":1,"sessionKeyNumber":null}"#,
            r#"{"object":"session","accountid":"a","expires":1,"sessionKeyNumber":1,"ended":"yes"}"#,
        ] {
            assert_eq!(Session::read(text), None, "{text}");
        }
    }
}
