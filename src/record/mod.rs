//! The rules of accounts and sessions, as Dashboard writes them. Pure functions: no input or output; time, randomness
//! and secrets are arguments.
//!
//! - [`json`]: reads and changes a JSON object and leaves the rest of its text untouched. [`cipher`]: Dashboard's
//!   encryption.
//! - [`keys`]: what the key of a record or list says.
//! - [`account`], [`session`]: records as the administrator's API returns them. [`end`]: when a session ended.
//! - [`reset`], [`properties`]: the changes that a caller asks for.
//! - [`overwrite`], [`stale`], [`import`]: what a write or an import must not undo.
//!
//! Stored bytes are decrypted to text, the text is cut into members, a rule reads or replaces some of them, and the new
//! text is encrypted again.

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
    /// Returns the kind of a record by its key.
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

    /// Returns the `object` property of such a record.
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
    }
}
