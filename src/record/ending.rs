//! Tells which sessions a write of an account or a session ends, and makes the entry about it: why, by whom, and when.

use super::cipher::Secret;
use super::json::{self, Object};
use super::write_over::Reading;
use super::{keys, Kind};

/// The sessions that a write ends.
#[derive(Debug, PartialEq)]
pub enum Ending {
    /// One session, of this account.
    Session {
        /// Id of the account, as JSON.
        accountid: String,
    },
    /// All sessions of an account with a smaller session key number than this one, as JSON.
    SessionKey {
        /// The new session key number, as JSON.
        number: String,
        /// Whether the same write changes the password.
        changes_password: bool,
    },
    /// All sessions of an account that is removed. One that is marked as deleted may be restored, and its sessions with it.
    Account,
}

/// Returns what ends when the record with the bytes `stored` gets the bytes `new`, or is removed. Bytes that are not a
/// record of its kind under Dashboard's secret end nothing.
#[must_use]
pub fn ending(
    kind: Kind,
    stored: &[u8],
    new: Option<&[u8]>,
    secret: Option<&Secret>,
) -> Option<Ending> {
    let read = |bytes| match Reading::new(kind, bytes, secret) {
        Reading::Record(text) => Some(text),
        Reading::Locked | Reading::Other => None,
    };
    let stored = read(stored)?;
    let new = match new {
        Some(new) => Some(read(new)?),
        None => None,
    };
    match kind {
        Kind::Session => ending_of_session(&stored, new.as_deref()),
        Kind::Account => ending_of_account(&stored, new.as_deref()),
    }
}

fn ending_of_session(stored: &str, new: Option<&str>) -> Option<Ending> {
    let names = ["object", "accountid", "ended"];
    let has_ended = |session: &Object| session.get("ended").is_some_and(json::is_truthy);
    let stored = Object::pick(stored, &names).filter(|stored| stored.is_a("session"))?;
    if has_ended(&stored) {
        return None;
    }
    let ends = match new {
        Some(new) => has_ended(&Object::pick(new, &names)?),
        None => true,
    };
    let accountid = stored.get("accountid")?.to_owned();
    ends.then_some(Ending::Session { accountid })
}

fn ending_of_account(stored: &str, new: Option<&str>) -> Option<Ending> {
    let names = ["object", "passwordHash", "sessionKeyNumber"];
    let stored = Object::pick(stored, &names).filter(|stored| stored.is_a("account"))?;
    let Some(new) = new else { return Some(Ending::Account) };
    let new = Object::pick(new, &names)?;
    let number = |account: &Object| account.get("sessionKeyNumber").and_then(json::number);
    // A number that is missing is below every other one, as for JavaScript `undefined + 1` is no number.
    let is_raised = number(&new)? > number(&stored).unwrap_or(f64::NEG_INFINITY);
    is_raised.then(|| Ending::SessionKey {
        number: new.get("sessionKeyNumber").unwrap_or_default().to_owned(),
        changes_password: new.get("passwordHash") != stored.get("passwordHash"),
    })
}

/// Returns the entry, as a line of JSON, about an `ending` that a write of the record `name` causes. `attribution` is a
/// JSON object that says who asked for it; its `cause`, if it has one, counts. `None` if `name` is not the key of an
/// account or a session, or `attribution` is not an object.
#[must_use]
pub fn entry(attribution: &str, name: &[u8], ending: &Ending) -> Option<String> {
    let (appid, id) = keys::application_and_id(name)?;
    let said = Object::pick(attribution, &["actor", "cause"])?;
    let rest = attribution.trim_start().strip_prefix('{')?;
    let json = |text| serde_json::to_string(&String::from_utf8_lossy(text)).ok();
    let (appid, id) = (json(appid)?, json(id)?);
    let subject = match ending {
        Ending::Session { accountid } => {
            format!(r#""accountid":{accountid},"sessionid":{id}"#)
        }
        Ending::SessionKey { number, .. } => {
            format!(r#""accountid":{id},"sessionKeyNumber":{number}"#)
        }
        Ending::Account => format!(r#""accountid":{id}"#),
    };
    let cause = match said.get("cause") {
        Some(_) => String::new(),
        None => format!(r#","cause":"{}""#, cause(&said, ending, &id)),
    };
    let comma = if rest.trim_start().starts_with('}') { "" } else { "," };
    // Within a text of JSON a line break is escaped; between two values it may be one, from whoever wrote the record.
    let entry = format!(r#"{{"appid":{appid},{subject}{cause}{comma}{rest}"#);
    Some(if entry.contains(['\n', '\r']) { entry.replace(['\n', '\r'], " ") } else { entry })
}

/// Returns the entry, as JSON, about the end of all sessions of an application that were created before `before`.
#[must_use]
pub fn entry_of_application(attribution: &str, appid: &[u8], before: f64) -> Option<String> {
    let mut entry = Object::parse(attribution)?;
    entry.set("cause", "\"application-wide\"");
    entry.set("appid", serde_json::to_string(&String::from_utf8_lossy(appid)).ok()?);
    entry.set("before", json::print_number(before));
    Some(entry.text())
}

/// Returns why something ended, where the caller does not say it. `id` is that of the record, as JSON.
fn cause(attribution: &Object, ending: &Ending, id: &str) -> &'static str {
    match ending {
        Ending::Account => "account-deleted",
        Ending::SessionKey { changes_password: true, .. } => "password-changed",
        Ending::SessionKey { .. } => "session-key-reset",
        Ending::Session { accountid } => {
            let actor = attribution.get("actor").and_then(Object::parse);
            let actor = |name| actor.as_ref().and_then(|actor| actor.get(name));
            if actor("sessionid") == Some(id) {
                // One's own session: that is how Dashboard signs out.
                "signed-out"
            } else if actor("accountid") == Some(accountid) {
                "ended-by-user"
            } else {
                "ended-by-administrator"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_when_its_end_is_stored_or_its_record_is_removed() {
        let live = r#"{"object":"session","accountid":"a"}"#;
        let ended = r#"{"object":"session","accountid":"a","ended":5}"#;
        let end = || Some(Ending::Session { accountid: "\"a\"".into() });
        for (stored, new, expected) in [
            (live, Some(ended), end()),
            (live, None, end()),
            (live, Some(live), None),
            (ended, Some(ended), None),
            (ended, Some(live), None),
            (ended, None, None),
            ("{}", Some(ended), None),
            (live, Some("text"), None),
        ] {
            let new_bytes = new.map(str::as_bytes);
            let found = ending(Kind::Session, stored.as_bytes(), new_bytes, None);
            assert_eq!(found, expected, "{stored} {new:?}");
        }
    }

    #[test]
    fn the_sessions_of_an_account_end_by_its_key_number_or_its_deletion() {
        let account = |more: &str| format!(r#"{{"object":"account"{more}}}"#);
        let key = |number: &str, changes_password| {
            Some(Ending::SessionKey { number: number.into(), changes_password })
        };
        let one = r#","passwordHash":"p","sessionKeyNumber":1"#;
        for (stored, new, expected) in [
            (one, Some(r#","passwordHash":"p","sessionKeyNumber":2"#), key("2", false)),
            (one, Some(r#","passwordHash":"q","sessionKeyNumber":2"#), key("2", true)),
            (one, Some(r#","passwordHash":"q","sessionKeyNumber":1"#), None),
            ("", Some(r#","sessionKeyNumber":1"#), key("1", false)),
            (one, Some(r#","sessionKeyNumber":1,"deleted":9"#), None),
            (one, None, Some(Ending::Account)),
        ] {
            let new = new.map(account);
            let new_bytes = new.as_deref().map(str::as_bytes);
            let found = ending(Kind::Account, account(stored).as_bytes(), new_bytes, None);
            assert_eq!(found, expected, "{stored} {new:?}");
            let secret = Secret::new(&[7; 32], &[7; 16]).unwrap();
            let [stored, new] =
                [Some(account(stored)), new].map(|text| text.map(|text| secret.encrypt(&text)));
            let found = ending(Kind::Account, &stored.unwrap(), new.as_deref(), Some(&secret));
            assert_eq!(found, expected);
        }
        assert_eq!(ending(Kind::Account, b"{}", None, None), None);
    }

    #[test]
    fn an_entry_says_whose_sessions_ended_and_why() {
        let session = || Ending::Session { accountid: "\"a\"".into() };
        let by = |actor: &str| format!(r#"{{"time":7,"actor":{{{actor}}}}}"#);
        for (attribution, name, ending, expected) in [
            (
                by(r#""accountid":"a","sessionid":"s""#),
                "app/session/s",
                session(),
                r#"{"appid":"app","accountid":"a","sessionid":"s","cause":"signed-out","time":7,"#,
            ),
            (
                by(r#""accountid":"a","sessionid":"t""#),
                "app/session/s",
                session(),
                r#"{"appid":"app","accountid":"a","sessionid":"s","cause":"ended-by-user","time":7,"#,
            ),
            (
                by(r#""accountid":"b""#),
                "app/session/s",
                session(),
                r#"{"appid":"app","accountid":"a","sessionid":"s","cause":"ended-by-administrator","#,
            ),
            (
                r#"{"cause":"idle"}"#.into(),
                "app/session/s",
                session(),
                r#"{"appid":"app","accountid":"a","sessionid":"s","cause":"idle"}"#,
            ),
            (
                "{}".into(),
                "an/app/account/b",
                Ending::SessionKey { number: "2".into(), changes_password: true },
                r#"{"appid":"an/app","accountid":"b","sessionKeyNumber":2,"cause":"password-changed"}"#,
            ),
            (
                "{}".into(),
                "app/account/b",
                Ending::Account,
                r#"{"appid":"app","accountid":"b","cause":"account-deleted"}"#,
            ),
        ] {
            let entry = entry(&attribution, name.as_bytes(), &ending).unwrap();
            assert!(entry.starts_with(expected), "{entry}");
            assert!(Object::parse(&entry).is_some(), "{entry}");
        }
        let lines = Ending::Session { accountid: "{\n\"a\":\r\n1}".into() };
        let entry_of_lines = entry("{}", b"app/session/s", &lines).unwrap();
        assert!(!entry_of_lines.contains(['\n', '\r']) && Object::parse(&entry_of_lines).is_some());
        assert_eq!(entry("{}", b"app/sessions", &Ending::Account), None);
        assert_eq!(entry("text", b"app/account/b", &Ending::Account), None);
    }
}
