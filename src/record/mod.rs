//! The rules of accounts and sessions, as Dashboard writes them. Pure functions: no input or output; time, randomness
//! and secrets are arguments.
//!
//! - [`json`]: reads and changes a JSON object and leaves the rest of its text untouched. `compact`: the same
//!   for the usual form of a record, faster. [`cipher`]: Dashboard's encryption.
//! - [`keys`]: the keys of records and lists: made, and read for what they say.
//! - [`account`], [`session`]: records as the administrator's API returns them. [`end`]: when a session ended.
//! - [`ending`]: what a write ends, and the entry about it.
//! - [`reset`], [`properties`]: the changes that a caller asks for.
//! - [`write_over`], [`stale`], [`import`]: what a write or an import must not undo.
//!
//! Stored bytes are decrypted to text, the text is cut into members, a rule reads or replaces some of them, and the new
//! text is encrypted again.

pub mod account;
pub mod cipher;
mod compact;
pub mod end;
pub mod ending;
pub mod import;
pub mod json;
pub mod keys;
pub mod properties;
pub mod reset;
pub mod session;
pub mod stale;
#[cfg(test)]
mod stale_tests;
pub mod write_over;

/// The records that have rules of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An account.
    Account,
    /// A session.
    Session,
}

impl Kind {
    /// Returns the `object` property of such a record.
    #[must_use]
    pub fn object(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Session => "session",
        }
    }
}
