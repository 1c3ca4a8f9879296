//! When a session ended: Dashboard's rule, for callers that look at many sessions.

use super::account::Account;
use super::json::{self, Object};

/// Cause of the end of a session whose end is not stored.
#[derive(Debug, PartialEq)]
pub enum End {
    /// A reset of the account's session key.
    Reset,
    /// An administrator ended the sessions of the whole application.
    Application,
    /// The session expired.
    Expiry,
}

/// The sessions of an application that an administrator ended together.
#[derive(Clone, Debug, PartialEq)]
pub struct EndedBefore {
    /// Sessions that were created before this time have ended, in seconds.
    pub before: f64,
    /// When they ended, in seconds, as JSON.
    pub ended: String,
}

impl EndedBefore {
    /// Reads the text of the record at [`super::keys::ended_before`].
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let object = Object::pick(text, &["before", "ended"])?;
        let before = object.get("before").and_then(json::number)?;
        Some(Self { before, ended: object.get("ended")?.to_owned() })
    }

    /// Returns the text of the record.
    #[must_use]
    pub fn text(&self) -> String {
        format!(r#"{{"before":{},"ended":{}}}"#, json::print_number(self.before), self.ended)
    }

    /// Returns whether it ends a session that was created at `created`. A session of which that is not known has ended.
    #[must_use]
    pub fn ends(&self, created: f64) -> bool {
        created.is_nan() || created < self.before
    }
}

/// When a session was created and when it expires, in seconds, and its session key number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Times {
    /// `created`; NaN if it is not a number.
    pub created: f64,
    /// `expires`.
    pub expires: f64,
    /// `sessionKeyNumber`.
    pub key_number: f64,
}

/// Returns what has ended a session at `now`. `account_key_number` is the session key number of its account, and `before`
/// what was ended in its application. A reset counts before the expiry, as in Dashboard's `administrator/session.js`.
///
/// This is the one place in Rust that decides it. `Session.get` in `lib/administrator.js` decides it by the same
/// statements for sessions that only JavaScript's coercions can judge. `__test__/differential.test.js` compares both
/// with Dashboard.
#[must_use]
pub fn end(
    session: Times,
    account_key_number: f64,
    before: Option<&EndedBefore>,
    now: f64,
) -> Option<End> {
    if session.key_number < account_key_number {
        Some(End::Reset)
    } else if before.is_some_and(|before| before.ends(session.created)) {
        Some(End::Application)
    } else {
        (session.expires <= now).then_some(End::Expiry)
    }
}

/// The properties of a session that say when it ends.
#[derive(Debug, PartialEq)]
pub struct EndOfSession {
    /// Id of the account that the session belongs to.
    pub accountid: String,
    stored: Option<f64>,
    times: Times,
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
            times: Times {
                created: number("created").unwrap_or(f64::NAN),
                expires: number("expires")?,
                key_number: number("sessionKeyNumber")?,
            },
        })
    }

    /// Returns when the session ended, in seconds. Returns `None` if it is valid at `now`, or if only JavaScript's
    /// coercions could tell. A session whose account is gone has not ended for that reason.
    #[must_use]
    pub fn ended(
        &self,
        now: f64,
        account: Option<&Account>,
        before: Option<&EndedBefore>,
    ) -> Option<f64> {
        if self.stored.is_some() {
            return self.stored;
        }
        // Comparisons with NaN are false, so a missing number never ends a session.
        let account_key_number =
            account.map_or(Some(f64::NAN), |account| account.session_key_number)?;
        match end(self.times, account_key_number, before, now)? {
            End::Reset => account?.session_key_last_reset.as_deref().and_then(json::number),
            End::Application => before.and_then(|before| json::number(&before.ended)),
            End::Expiry => Some(self.times.expires),
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
                session(stored).ended(now, account.as_ref(), None),
                ended,
                "{stored} {number:?} {now}"
            );
        }
    }

    #[test]
    fn an_end_of_an_application_ends_what_was_created_before() {
        let before = EndedBefore { before: 100.0, ended: "150".into() };
        assert_eq!(EndedBefore::read(&before.text()).as_ref(), Some(&before));
        for (created, now, ended) in [
            ("99", 200.0, Some(150.0)),
            ("100", 200.0, None),
            ("100", 300.0, Some(300.0)),
            ("\"99\"", 200.0, Some(150.0)),
            ("null", 200.0, Some(150.0)),
        ] {
            let text = format!(
                r#"{{"object":"session","accountid":"a","created":{created},"expires":300,"sessionKeyNumber":1}}"#
            );
            let session = EndOfSession::read(&text).unwrap();
            assert_eq!(session.ended(now, None, Some(&before)), ended, "{created} {now}");
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
