//! Dashboard's keys of records and lists, and what they say. No other file spells them. Names are
//! [WTF-8](crate::store::wtf8) bytes.

use super::Kind;
use sha2::{Digest, Sha256};

const ACCOUNT: &[u8] = b"account";
const SESSION: &[u8] = b"session";

impl Kind {
    /// Returns the kind of a record by its key.
    #[must_use]
    pub fn of(name: &[u8]) -> Option<Self> {
        let mut segments = name.rsplitn(3, |byte| *byte == b'/');
        let id = segments.next()?;
        let folder = segments.next()?;
        segments.next()?;
        match folder {
            _ if id.is_empty() => None,
            ACCOUNT => Some(Self::Account),
            SESSION => Some(Self::Session),
            _ => None,
        }
    }
}

/// Returns the key of a record: `<appid>/account/<id>` or `<appid>/session/<id>`.
#[must_use]
pub fn record(appid: &[u8], kind: Kind, id: &[u8]) -> Vec<u8> {
    let folder = match kind {
        Kind::Account => ACCOUNT,
        Kind::Session => SESSION,
    };
    [appid, b"/", folder, b"/", id].concat()
}

/// Returns the application and the id of an account or a session by its key.
#[must_use]
pub fn application_and_id(name: &[u8]) -> Option<(&[u8], &[u8])> {
    split(name, b"/account/").or_else(|| split(name, b"/session/"))
}

/// Returns the key of the record that says which sessions of an application an administrator has ended together. It is
/// not one of Dashboard's keys.
#[must_use]
pub fn ended_before(appid: &[u8]) -> Vec<u8> {
    [appid, b"/ended/before"].concat()
}

/// Returns the key of a record with new entries about sessions that ended, a line for each. Records are read in the order
/// of `order`. It is not one of Dashboard's keys; `lib/audit` moves the entries to their places.
#[must_use]
pub fn new_entry(order: u128) -> Vec<u8> {
    format!("dashboard-sled/new-entry/{order:032x}").into_bytes()
}

/// Returns whether `name` is a key of [`ended_before`].
#[must_use]
pub fn is_ended_before(name: &[u8]) -> bool {
    name.ends_with(b"/ended/before")
}

/// Key of the record with the last entry of the audit. It is there once something was recorded.
pub const AUDIT_HEAD: &[u8] = b"dashboard-sled/head";

/// The keys of a session, of its map, and of the lists that hold it (`src/www/api/user/create-session.js`).
#[derive(Debug, PartialEq)]
pub struct SessionKeys<'a> {
    appid: &'a [u8],
    id: &'a [u8],
}

impl<'a> SessionKeys<'a> {
    /// Reads the key `<appid>/session/<id>`.
    #[must_use]
    pub fn of(name: &'a [u8]) -> Option<Self> {
        let (appid, id) = split(name, b"/session/")?;
        Some(Self { appid, id })
    }

    /// Returns the session's id, which its lists hold.
    #[must_use]
    pub fn id(&self) -> &'a [u8] {
        self.id
    }

    /// Returns the key of the record that maps the session to its account.
    #[must_use]
    pub fn map(&self) -> Vec<u8> {
        [self.appid, b"/map/sessionids/", self.id].concat()
    }

    /// Returns the path of the list of all sessions.
    #[must_use]
    pub fn list(&self) -> Vec<u8> {
        [self.appid, b"/sessions"].concat()
    }

    /// Returns the path of the list of the sessions of `accountid`.
    #[must_use]
    pub fn account_list(&self, accountid: &str) -> Vec<u8> {
        [self.appid, b"/account/sessions/", accountid.as_bytes()].concat()
    }

    /// Returns the key of the record that says when the session was last seen, as `lib/sessions/last-seen.js` makes it.
    #[must_use]
    pub fn seen(&self) -> Vec<u8> {
        let texts = [self.appid, self.id].map(String::from_utf8_lossy);
        let digest = Sha256::digest(serde_json::to_string(&texts).unwrap_or_default());
        let name = String::from("dashboard-sled/seen/");
        let digits = digest.iter().take(20);
        digits.fold(name, |name, byte| format!("{name}{byte:02x}")).into_bytes()
    }

    /// Returns the key of [`ended_before`] for its application.
    #[must_use]
    pub fn ended_before(&self) -> Vec<u8> {
        ended_before(self.appid)
    }

    /// Returns the key of the account `accountid`.
    #[must_use]
    pub fn account(&self, accountid: &str) -> Vec<u8> {
        record(self.appid, Kind::Account, accountid.as_bytes())
    }
}

/// A list of sessions: of all sessions, or of one account.
#[derive(Debug, PartialEq)]
pub struct SessionList<'a> {
    appid: &'a [u8],
    accountid: Option<&'a [u8]>,
}

impl<'a> SessionList<'a> {
    /// Reads the path `<appid>/sessions` or `<appid>/account/sessions/<accountid>`.
    #[must_use]
    pub fn of(path: &'a [u8]) -> Option<Self> {
        if let Some((appid, accountid)) = split(path, b"/account/sessions/") {
            return Some(Self { appid, accountid: Some(accountid) });
        }
        let appid = path.strip_suffix(b"/sessions").filter(|appid| !appid.is_empty())?;
        // The list of an account whose id is missing.
        if appid.ends_with(b"/account") {
            None
        } else {
            Some(Self { appid, accountid: None })
        }
    }

    /// Returns the key of the account whose list this is.
    #[must_use]
    pub fn account(&self) -> Option<Vec<u8>> {
        self.accountid.map(|accountid| record(self.appid, Kind::Account, accountid))
    }

    /// Returns the key of the session at an item of the list.
    #[must_use]
    pub fn session(&self, id: &[u8]) -> Vec<u8> {
        record(self.appid, Kind::Session, id)
    }

    /// Returns the key of the account of a session in the list.
    #[must_use]
    pub fn account_of(&self, accountid: &str) -> Vec<u8> {
        record(self.appid, Kind::Account, accountid.as_bytes())
    }
}

/// Returns the application and the kind of a record by its key, for example `dashboard` and `map/usernames`. Returns
/// `None` for a key without an application.
#[must_use]
pub fn application_and_kind(name: &str) -> Option<(&str, &str)> {
    let (appid, rest) = name.split_once('/')?;
    let (kind, _) = rest.rsplit_once('/')?;
    // An id within the key (`map/account/resetCodes/account_1/<hash>`) is not part of the kind.
    let mut end = 0;
    for word in kind.split_inclusive('/') {
        if word.contains('_') {
            break;
        }
        end += word.len();
    }
    Some((appid, kind.get(..end)?.trim_end_matches('/')))
}

/// Splits at the last `middle`. Both parts have to be non-empty.
fn split<'a>(name: &'a [u8], middle: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = name.windows(middle.len()).rposition(|window| window == middle)?;
    let (before, rest) = name.split_at(at);
    let behind = rest.get(middle.len()..)?;
    (!before.is_empty() && !behind.is_empty() && !behind.contains(&b'/'))
        .then_some((before, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> &str {
        std::str::from_utf8(bytes).unwrap()
    }

    #[test]
    fn the_key_of_a_record_says_its_kind() {
        let cases = [
            ("dashboard/account/account_1", Some(Kind::Account)),
            ("dashboard/session/session_1", Some(Kind::Session)),
            ("an/appid/with/slashes/account/account_1", Some(Kind::Account)),
            ("dashboard/account/", None),
            ("account/account_1", None),
            ("dashboard/accounts/account_1", None),
            ("dashboard/map/account/resetCodes/account_1", None),
            ("dashboard/account/resetCodes/account_1/hash", None),
            ("dashboard/map/sessionids/session_1", None),
            ("", None),
            ("/", None),
            ("//", None),
        ];
        for (name, kind) in cases {
            assert_eq!(Kind::of(name.as_bytes()), kind, "{name}");
        }
        for kind in [Kind::Account, Kind::Session] {
            assert_eq!(Kind::of(&record(b"an/app", kind, b"id")), Some(kind));
        }
    }

    #[test]
    fn the_keys_of_a_session_and_of_its_map_and_lists() {
        let keys = SessionKeys::of(b"an/app/session/session_1").unwrap();
        assert_eq!(text(keys.id()), "session_1");
        assert_eq!(text(&keys.map()), "an/app/map/sessionids/session_1");
        assert_eq!(text(&keys.list()), "an/app/sessions");
        // By Node: createHash('sha256').update(JSON.stringify(['an/app', 'session_1'])).digest('hex').slice(0, 40)
        assert_eq!(
            text(&keys.seen()),
            "dashboard-sled/seen/1578f0667dc542696c0eaf81a40f27aee6fae0a9"
        );
        assert_eq!(text(&keys.account_list("account_1")), "an/app/account/sessions/account_1");
        assert_eq!(text(&keys.account("account_1")), "an/app/account/account_1");
        for name in
            ["session/session_1", "/session/a", "a/session/", "a/session/b/c", "a/sessions/b"]
        {
            assert_eq!(SessionKeys::of(name.as_bytes()), None, "{name}");
        }
    }

    #[test]
    fn the_keys_that_are_not_dashboards_are_no_accounts_and_no_sessions() {
        for name in [ended_before(b"app/account"), ended_before(b"session"), new_entry(1)] {
            assert_eq!(Kind::of(&name), None, "{}", text(&name));
        }
        assert!(new_entry(255) < new_entry(256));
        assert_eq!(application_and_id(b"an/app/account/a"), Some((&b"an/app"[..], &b"a"[..])));
        assert_eq!(application_and_id(b"an/app/session/a"), Some((&b"an/app"[..], &b"a"[..])));
        assert_eq!(application_and_id(b"an/app/sessions"), None);
    }

    #[test]
    fn the_two_kinds_of_lists_of_sessions() {
        let all = SessionList::of(b"an/app/sessions").unwrap();
        assert_eq!(all.account(), None);
        assert_eq!(text(&all.session(b"session_1")), "an/app/session/session_1");
        let one = SessionList::of(b"an/app/account/sessions/account_1").unwrap();
        assert_eq!(text(&one.account().unwrap()), "an/app/account/account_1");
        assert_eq!(text(&one.session(b"session_1")), "an/app/session/session_1");
        for path in
            ["/sessions", "sessions", "a/account/sessions", "a/account/sessions/b/c", "a/accounts"]
        {
            assert_eq!(SessionList::of(path.as_bytes()), None, "{path}");
        }
    }

    #[test]
    fn the_application_and_the_kind_of_a_record() {
        for (name, expected) in [
            ("dashboard/account/account_1", Some(("dashboard", "account"))),
            ("dashboard/map/usernames/hash", Some(("dashboard", "map/usernames"))),
            ("d/map/account/resetCodes/account_1/hash", Some(("d", "map/account/resetCodes"))),
            ("d/account_1/x", Some(("d", ""))),
            ("d/x", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(application_and_kind(name), expected, "{name}");
        }
    }
}
