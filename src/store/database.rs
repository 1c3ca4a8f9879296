//! Settings of a store in a database.

use std::time::Duration;

/// Settings of a store in a database.
#[derive(Clone)]
pub struct DatabaseSettings {
    /// URL of the database, with the password if it has one.
    pub url: String,
    /// Size of the cache of records, in bytes.
    pub cache_bytes: u64,
    /// Whether an open creates a missing store.
    pub creates: bool,
    /// The reason of the open.
    pub purpose: Purpose,
    /// Longest time that a change waits for the database.
    pub commit_limit: Duration,
    /// Whether the operator of the database takes care that a commit survives the loss of a server, although the server
    /// itself waits for no other.
    pub is_durable_by_itself: bool,
}

/// The reason for which a store is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// To use it.
    #[default]
    Use,
    /// To import into it, also after an import that was interrupted.
    Import,
    /// To end every session, also in quarantine or after an import that was interrupted.
    Recovery,
}
