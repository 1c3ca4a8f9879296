//! Dashboard's `global.api.administrator.Session`.

use super::lookup::Source;
use super::record_key;
use crate::record::account::Account;
use crate::record::cipher::{self, Secret};
use crate::record::end::EndedBefore;
use crate::record::session::Session;
use crate::record::{keys, Kind};
use crate::store::{Follow, Key};

/// A session for a caller. It stays the same while the versions are current and it has not expired.
#[derive(Debug)]
pub struct Found {
    /// The session as JSON, without `tokenHash`, and with `ended` if it is no longer valid.
    pub json: String,
    /// Version of the session's record.
    pub session_version: u64,
    /// Version of its account's record.
    pub account_version: u64,
    /// Version of the record that says which sessions of its application were ended together.
    pub application_version: u64,
}

/// Returns the session at `now` in seconds. Returns `None` where JavaScript has to compute the answer.
pub fn get<S: Source>(
    source: &S,
    appid: &[u8],
    sessionid: &[u8],
    now: f64,
    secret: Option<&Secret>,
) -> Result<Option<Found>, S::Failure> {
    let key = record_key(appid, Kind::Session, sessionid);
    let session_version = source.version(&key);
    let follow =
        || Follow { prefix: keys::record(appid, Kind::Account, b""), property: "accountid" };
    let Some(contents) = source.read_first(&key, follow)? else {
        return Ok(None);
    };
    let text = cipher::decrypt_record(&contents, secret);
    let Some(session) = Session::read(&text) else {
        return Ok(None);
    };
    let key = record_key(appid, Kind::Account, session.accountid().as_bytes());
    let account_version = source.version(&key);
    let Some(contents) = source.read(&key)? else {
        return Ok(None);
    };
    let account = Account::read(&cipher::decrypt_record(&contents, secret));
    let key = Key::record(&keys::ended_before(appid));
    let application_version = source.version(&key);
    let before = ended_before(source.read(&key)?.as_deref());
    let json = account.and_then(|account| session.at(now, &account, before.as_ref()));
    Ok(json.map(|json| Found { json, session_version, account_version, application_version }))
}

/// Reads what was ended in an application, from the record at [`keys::ended_before`]. It is not encrypted: it tells
/// nothing of anybody.
#[must_use]
pub fn ended_before(contents: Option<&[u8]>) -> Option<EndedBefore> {
    contents.and_then(|contents| EndedBefore::read(&String::from_utf8_lossy(contents)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Contents;

    /// Records by name. A name that is missing here cannot be read.
    struct Records<'a>(&'a [(&'a str, Option<&'a str>)]);

    impl Source for Records<'_> {
        type Failure = String;

        fn read(&self, key: &Key) -> Result<Option<Contents>, String> {
            let name = String::from_utf8(key.name().unwrap().to_vec()).unwrap();
            let found = self.0.iter().find(|(other, _)| *other == name).ok_or(name)?;
            Ok(found.1.map(|text| text.as_bytes().into()))
        }

        fn version(&self, _: &Key) -> u64 {
            1
        }
    }

    const NAME: &str = "app/session/session_1";
    const SESSION: &str = r#"{"object":"session","accountid":"account_1","tokenHash":"t","expires":100,"sessionKeyNumber":1}"#;

    /// Returns the session at `now`, from the text of its record and of its account's.
    fn session_at(now: f64, session: Option<&str>, account: Option<&str>) -> Option<String> {
        let records =
            [(NAME, session), ("app/account/account_1", account), ("app/ended/before", None)];
        let found = get(&Records(&records), b"app", b"session_1", now, None).unwrap();
        found.map(|found| found.json)
    }

    #[test]
    fn a_session_is_valid_until_a_reset_or_its_expiry() {
        let valid = SESSION.replace(r#""tokenHash":"t","#, "");
        let ended = |at: u8| valid.replace('}', &format!(r#","ended":{at}}}"#));
        for (now, number, expected) in
            [(99.0, 1, valid.clone()), (100.0, 1, ended(100)), (99.0, 2, ended(50))]
        {
            let account = format!(
                r#"{{"object":"account","sessionKeyLastReset":50,"sessionKeyNumber":{number}}}"#
            );
            let found = session_at(now, Some(SESSION), Some(&account));
            assert_eq!(found, Some(expected), "{now} {number}");
        }
    }

    #[test]
    fn a_session_ends_with_all_of_its_application() {
        let session = SESSION.replace(r#""expires":100"#, r#""created":9,"expires":100"#);
        let account = r#"{"object":"account","sessionKeyNumber":1}"#;
        for (before, has_ended) in [(9, false), (10, true)] {
            let before = format!(r#"{{"before":{before},"ended":12}}"#);
            let records = [
                (NAME, Some(session.as_str())),
                ("app/account/account_1", Some(account)),
                ("app/ended/before", Some(before.as_str())),
            ];
            let found = get(&Records(&records), b"app", b"session_1", 20.0, None).unwrap();
            let json = found.unwrap().json;
            assert_eq!(json.contains(r#","ended":12}"#), has_ended, "{json}");
        }
    }

    #[test]
    fn javascript_answers_for_records_that_are_missing_or_not_as_dashboard_writes_them() {
        for (session, account) in
            [(None, None), (Some("{}"), None), (Some(SESSION), None), (Some(SESSION), Some("{}"))]
        {
            assert_eq!(session_at(1.0, session, account), None);
        }
    }

    #[test]
    fn a_record_that_cannot_be_read_ends_the_look_up() {
        let failure =
            |records: &[_]| get(&Records(records), b"app", b"session_1", 1.0, None).unwrap_err();
        assert_eq!(failure(&[]), NAME);
        assert_eq!(failure(&[(NAME, Some(SESSION))]), "app/account/account_1");
    }
}
