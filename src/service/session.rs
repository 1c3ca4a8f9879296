//! Dashboard's `global.api.administrator.Session`.

use super::lookup::Source;
use super::record_key;
use crate::record::account::Account;
use crate::record::cipher::{self, Secret};
use crate::record::session::Session;
use crate::record::{keys, Kind};
use crate::store::Follow;

/// A session for a caller. It stays the same while both versions are current and it has not expired.
#[derive(Debug)]
pub struct Found {
    /// The session as JSON, without `tokenHash`, and with `ended` if it is no longer valid.
    pub json: String,
    /// Version of the session's record.
    pub session_version: u64,
    /// Version of its account's record.
    pub account_version: u64,
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
    let json = account.and_then(|account| session.at(now, &account));
    Ok(json.map(|json| Found { json, session_version, account_version }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Contents, Key};

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
        let records = [(NAME, session), ("app/account/account_1", account)];
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
