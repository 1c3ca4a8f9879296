//! A session, as the administrator's `session.js` of Dashboard reads it.

use super::account::Account;
use super::end::{end, End, EndedBefore, Times};
use super::json::{self, Object};

/// A session as Dashboard writes it, whose end is not stored.
#[derive(Debug)]
pub struct Session<'a> {
    /// The session without `tokenHash`.
    object: Object<'a>,
    times: Times,
}

impl<'a> Session<'a> {
    /// Reads the text of a session. Returns `None` if it is not a session, if its end is stored, or if it is not
    /// exactly as Dashboard writes it: JavaScript's many coercions apply then.
    #[must_use]
    pub fn read(text: &'a str) -> Option<Self> {
        let names = ["object", "accountid", "created", "ended", "expires", "sessionKeyNumber"];
        let mut object = Object::parse(text)?;
        if !object.is_a("session") || object.get("ended").is_some() || object.repeats(&names) {
            return None;
        }
        object.remove("tokenHash");
        let accountid = object.get("accountid").and_then(json::plain_text)?;
        // JavaScript refuses an id that could name an account of another application.
        if accountid.is_empty() || accountid.contains('/') {
            return None;
        }
        let number = |name| object.get(name).and_then(json::number);
        let times = Times {
            created: number("created").unwrap_or(f64::NAN),
            expires: number("expires")?,
            key_number: number("sessionKeyNumber")?,
        };
        Some(Self { object, times })
    }

    /// Returns the ID of the account that the session belongs to.
    #[must_use]
    pub fn accountid(&self) -> &str {
        self.object.get("accountid").and_then(json::plain_text).unwrap_or_default()
    }

    /// Returns the session as JSON at `now` in seconds, with `ended` if it is no longer valid. Returns `None` where
    /// JavaScript's coercions decide.
    #[must_use]
    pub fn at(&self, now: f64, account: &Account, before: Option<&EndedBefore>) -> Option<String> {
        let ended = match end(self.times, account.session_key_number?, before, now) {
            Some(End::Reset) => account.session_key_last_reset.as_deref()?,
            Some(End::Application) => before.map(|before| &*before.ended)?,
            Some(End::Expiry) => self.object.get("expires")?,
            None => return Some(self.object.text()),
        };
        let text = self.object.text();
        Some([text.strip_suffix('}')?, ",\"ended\":", ended, "}"].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(number: &str) -> Account {
        let text = format!(
            r#"{{"object":"account","sessionKeyLastReset":500,"sessionKeyNumber":{number}}}"#
        );
        Account::read(&text).unwrap()
    }

    fn session(number: &str, expires: &str) -> String {
        format!(
            r#"{{"object":"session","accountid":"a","tokenHash":"t","expires":{expires},"sessionKeyNumber":{number}}}"#
        )
    }

    #[test]
    fn when_a_session_has_ended() {
        // session's number, expires, now, account's number, ended
        let cases = [
            ("1", "100", 99.0, "1", None),
            ("1", "100", 100.0, "1", Some("100")),
            ("1", "100", 101.0, "1", Some("100")),
            ("1", "100", 50.0, "2", Some("500")),
            ("1", "100", 200.0, "2", Some("500")),
            ("2", "100", 50.0, "1", None),
            ("1", "1e2", 100.0, "1", Some("1e2")),
            ("-1", "100", 50.0, "0", Some("500")),
            ("1", "100", f64::NAN, "1", None),
        ];
        for (number, expires, now, account_number, ended) in cases {
            let text = session(number, expires);
            let (session, account) = (Session::read(&text).unwrap(), account(account_number));
            let answer = session.at(now, &account, None).unwrap();
            let answer = Object::parse(&answer).unwrap();
            assert_eq!(answer.get("ended"), ended, "{text} at {now} with {account_number}");
            assert_eq!(answer.get("tokenHash"), None);
        }
    }

    #[test]
    fn unusual_numbers_and_times_are_left_to_javascript() {
        for (number, expires) in
            [("null", "1"), ("\"1\"", "1"), ("1", "null"), ("[1]", "1"), ("1", "\"9\"")]
        {
            assert!(Session::read(&session(number, expires)).is_none());
        }
        for text in [
            r#"{"object":"session","accountid":"a","expires":1,"sessionKeyNumber":1,"ended":5}"#,
            r#"{"object":"session","accountid":"a","expires":1,"sessionKeyNumber":1,"ended":null}"#,
            r#"{"object":"session","accountid":"\u0061","expires":1,"sessionKeyNumber":1}"#,
            r#"{"object":"session","accountid":"","expires":1,"sessionKeyNumber":1}"#,
            r#"{"object":"session","accountid":"b/account/c","expires":1,"sessionKeyNumber":1}"#,
            r#"{"object":"session","accountid":1,"expires":1,"sessionKeyNumber":1}"#,
            r#"{"object":"session","accountid":"a","expires":1,"expires":2,"sessionKeyNumber":1}"#,
            r#"{"object":"account","accountid":"a","expires":1,"sessionKeyNumber":1}"#,
        ] {
            assert!(Session::read(text).is_none(), "{text}");
        }
        let text = session("1", "1");
        let read = Session::read(&text).unwrap();
        assert_eq!(read.at(0.0, &account("null"), None), None);
    }
}
