//! Reasons why a database cannot hold a store.

/// Why a database cannot hold a store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The server is not PostgreSQL.
    #[error("the server is not PostgreSQL ({0})")]
    OtherServer(String),
    /// The server is too old.
    #[error("the server is PostgreSQL {0}, and the oldest that works is 13")]
    TooOld(String),
    /// The server does not take changes.
    #[error("it is a read-only replica, or takes no changes")]
    ReadOnly,
    /// A commit does not wait for another server.
    #[error("synchronous_standby_names is empty, so the loss of one server may lose acknowledged changes")]
    NotSynchronous,
    /// The text of the database is not Unicode.
    #[error("its encoding is {0}, and a store needs UTF8")]
    Encoding(String),
    /// The database has no store.
    #[error("there is no store in it")]
    NoStore,
    /// The user lacks a right.
    #[error("its user lacks a right: {0}")]
    NoRight(String),
    /// A table that a store uses has other columns.
    #[error("it has a table of another kind: {0}")]
    OtherTable(String),
    /// A later version has written the tables.
    #[error("its tables have version {found}, and this version of dashboard-sled knows up to {supported}")]
    NewerTables {
        /// The version found.
        found: i32,
        /// The newest version that is known.
        supported: i32,
    },
    /// The server refuses the user.
    #[error("the server refuses the user ({0})")]
    Refused(String),
    /// The connection cannot be trusted.
    #[error("no trusted connection: {0}")]
    Untrusted(String),
    /// The store is in quarantine: see [`crate::store::Change::Quarantine`].
    #[error("it is in quarantine")]
    Quarantined,
    /// An import has begun, and is not finished.
    #[error("an import into it is running, or was interrupted")]
    UnfinishedImport,
}

impl Problem {
    /// Returns the code of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoStore => "ERR_STORE_MISSING",
            Self::Quarantined => "ERR_STORE_ROLLED_BACK",
            Self::UnfinishedImport => "ERR_STORE_UNFINISHED",
            _ => "ERR_STORE_DATABASE",
        }
    }

    /// Returns the slug of the error.
    #[must_use]
    pub fn slug(&self) -> &'static str {
        match self {
            Self::NoStore => "store-missing",
            Self::Quarantined => "store-rolled-back",
            Self::UnfinishedImport => "store-unfinished-copy",
            _ => "store-unsuitable-database",
        }
    }
}
