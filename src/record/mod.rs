//! What an account and a session are, as Dashboard writes them. Pure functions: no input or output;
//! time, randomness and secrets are passed in.

pub mod account;
pub mod cipher;
pub mod end;
pub mod import;
pub mod json;
pub mod keys;
pub mod overwrite;
pub mod properties;
pub mod reset;
pub mod session;
pub mod stale;
#[cfg(test)]
mod stale_tests;

/// The records that have rules of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `<appid>/account/<id>`
    Account,
    /// `<appid>/session/<id>`
    Session,
}

impl Kind {
    /// What a record of the host is by its key.
    #[must_use]
    pub fn of(name: &[u8]) -> Option<Self> {
        let mut segments = name.rsplitn(3, |byte| *byte == b'/');
        let id = segments.next()?;
        let folder = segments.next()?;
        segments.next()?;
        match folder {
            _ if id.is_empty() => None,
            b"account" => Some(Self::Account),
            b"session" => Some(Self::Session),
            _ => None,
        }
    }

    /// The `object` of such a record.
    #[must_use]
    pub fn object(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Session => "session",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_tells_the_kind() {
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
    }
}
