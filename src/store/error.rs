//! All errors of the store, with the stable code and slug that JavaScript sees.

use crate::store::problem::Problem;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Result of an operation of the store.
pub type Result<T> = std::result::Result<T, StoreError>;

/// An error of the store. It is cheap to clone: one failed commit is reported to every call that was part of it.
///
/// `Display` gives a sentence for people: what happened, and to what. What to do about it depends on the program around
/// the store, which adds it. The sentence never shows contents of a record, which may be secret.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process, or another worker of a cluster, has the folder open.
    #[error("the store at {} is open elsewhere{holder}, and only one process can open a store", path.display())]
    Locked {
        /// The store's folder.
        path: PathBuf,
        /// Process that wrote itself into the lock file, as ` (process 123)`, or an empty string.
        holder: String,
    },
    /// The folder was written by a later version.
    #[error("the store at {} has format {found}, and this version of dashboard-sled reads up to {supported}", path.display())]
    NewerFormat {
        /// The store's folder.
        path: PathBuf,
        /// The format found in the folder.
        found: u32,
        /// The newest format that this version reads.
        supported: u32,
    },
    /// The folder contains files that do not belong to a store.
    #[error("{} is not empty and holds no store (found {found})", path.display())]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// One of the files found.
        found: String,
    },
    /// The store lacks changes that were acknowledged.
    #[error("the store at {} has gone back in time: commit {guarded} was acknowledged, the store ends at {applied}", path.display())]
    RolledBack {
        /// The store's folder.
        path: PathBuf,
        /// Number of the last acknowledged commit, according to the guard.
        guarded: u64,
        /// Number of the last commit in the store.
        applied: u64,
    },
    /// The store is in quarantine: see [`crate::store::Change::Quarantine`].
    #[error("the store at {} is in quarantine", path.display())]
    Quarantined {
        /// The store's folder.
        path: PathBuf,
    },
    /// The folder should contain a store, but does not.
    #[error("there is no store in {}", path.display())]
    NoStore {
        /// The folder.
        path: PathBuf,
    },
    /// A backup was cut short before it was verified.
    #[error("the backup in {} was cut short, so it is not complete", path.display())]
    Unfinished {
        /// The folder of the backup.
        path: PathBuf,
    },
    /// A restore was cut short in a folder that had no store.
    #[error("a restore into {} was cut short, so there is no store yet", path.display())]
    RestoreUnfinished {
        /// The folder of the restore.
        path: PathBuf,
    },
    /// A swap was interrupted, and its plan is damaged, so nothing says how far it came.
    #[error("a restore or a compaction of the store at {} was interrupted, and its file swap, which says how far it came, is damaged", path.display())]
    DamagedPlan {
        /// The store's folder.
        path: PathBuf,
    },
    /// A file of the store is a link, or is not a regular file.
    #[error("{} is {found}, and a store never follows that", path.display())]
    Irregular {
        /// The file.
        path: PathBuf,
        /// Description of the thing found in its place.
        found: &'static str,
    },
    /// Root was asked to work in a folder of another user, who has no store there.
    #[error("{} belongs to user {owner} and holds no store of that user, so root does not touch it", path.display())]
    Stranger {
        /// The folder.
        path: PathBuf,
        /// User ID of the owner.
        owner: u32,
    },
    /// The store cannot be written in its current place.
    #[error("the store at {} can only be read: its folder is on a read-only medium, or this user may not write there", path.display())]
    ReadOnly {
        /// The folder.
        path: PathBuf,
    },
    /// The operating system denies this user an action.
    #[error("not permitted to {action} {}: {found}, and this process runs as user {user}", path.display())]
    NotPermitted {
        /// The action that was tried.
        action: &'static str,
        /// The file or folder of that action.
        path: PathBuf,
        /// The file or folder that denies it, with its owner and mode.
        found: String,
        /// ID of the user that this process runs as.
        user: u32,
    },
    /// The guard and the data do not belong together, or one of them is missing.
    #[error("the guard and the data of the store at {} do not belong together ({found})", path.display())]
    GuardMismatch {
        /// The store's folder.
        path: PathBuf,
        /// Description of the mismatch.
        found: &'static str,
    },
    /// A part of the store is damaged.
    #[error("{what} is damaged")]
    Damaged {
        /// Name of the damaged part.
        what: String,
    },
    /// A write, a flush or a sync failed. Reads continue; writes are refused until the store is reopened.
    #[error(
        "writing failed ({cause}), so the store takes no more changes until it is opened again"
    )]
    Poisoned {
        /// The first error.
        cause: Arc<StoreError>,
    },
    /// A commit took longer than the limit.
    #[error("the disk has not taken a change within {seconds} s")]
    Stuck {
        /// The limit, in seconds.
        seconds: u64,
    },
    /// The disk is full.
    #[error("the disk that holds {} is full", path.display())]
    Full {
        /// The store's folder.
        path: PathBuf,
    },
    /// An operation needs more space than the disk has, and was not started.
    #[error("it needs {needed} bytes beside the store at {}, and {free} are free", path.display())]
    NotEnoughSpace {
        /// The store's folder.
        path: PathBuf,
        /// Space that it needs, in bytes, roughly.
        needed: u64,
        /// Free space, in bytes.
        free: u64,
    },
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
    /// The store was asked to close, and is still in use after the time limit.
    #[error("the store at {} could not be closed within {seconds} s: {holder}", path.display())]
    StillOpen {
        /// The store's folder.
        path: PathBuf,
        /// The limit, in seconds.
        seconds: u64,
        /// The user of the store.
        holder: String,
    },
    /// Another backup of this store is running.
    #[error("a backup of this store is still running")]
    BackupRunning,
    /// Another process purges this store.
    #[error("another process purges this store")]
    PurgeRunning,
    /// Too many changes are waiting.
    #[error("too many changes wait to be written ({waiting})")]
    Busy {
        /// Number of waiting changes.
        waiting: usize,
    },
    /// Too many reads are waiting.
    #[error("too many reads wait ({waiting})")]
    BusyReading {
        /// Number of waiting reads.
        waiting: usize,
    },
    /// The operating system refused to start a thread. A later try can succeed.
    #[error("the system started no thread ({source})")]
    NoThread {
        /// Error of the operating system.
        source: Arc<io::Error>,
    },
    /// The operating system refused an action.
    #[error("could not {action} {}: {source}", path.display())]
    Io {
        /// The action that was tried.
        action: &'static str,
        /// The file or folder of that action.
        path: PathBuf,
        /// Error of the operating system.
        source: Arc<io::Error>,
    },
    /// sled reported an error that is neither damage nor a refusal of the operating system.
    #[error("sled failed while it should {action}: {cause}")]
    Sled {
        /// The action that was tried.
        action: &'static str,
        /// Error message of sled, or the error of the operating system in a panic of sled.
        cause: String,
    },
    /// The database did not answer, or lost the connection, for as long as a call waits for it.
    #[error("the database {name} cannot be reached ({cause})")]
    Unavailable {
        /// Address of the database, without a password.
        name: Arc<str>,
        /// The last error.
        cause: String,
    },
    /// A change was sent to the database, and no answer came for as long as a call waits for it.
    #[error("the database {name} did not confirm a change in time, so it may have been made or not ({cause})")]
    Unconfirmed {
        /// Address of the database, without a password.
        name: Arc<str>,
        /// The reason, as far as it is known.
        cause: String,
    },
    /// An import needs the database alone, and others use it.
    #[error("an import needs the database {name} alone, and {what}")]
    InUse {
        /// Address of the database, without a password.
        name: Arc<str>,
        /// The other use.
        what: &'static str,
    },
    /// The database cannot hold a store.
    #[error("the database {name} cannot be used: {problem}")]
    Unsuitable {
        /// Address of the database, without a password.
        name: Arc<str>,
        /// The reason.
        problem: Problem,
    },
    /// The address of a database is invalid.
    #[error("invalid address of a database: {reason}")]
    InvalidUrl {
        /// The reason. Quotes no password.
        reason: String,
    },
    /// PostgreSQL refused a statement.
    #[error("PostgreSQL failed while it should {action}: {cause}")]
    Postgres {
        /// The action that was tried.
        action: &'static str,
        /// The code of the error, and its message if that cannot quote a record.
        cause: String,
    },
    /// The engine of this store does not have what was asked for.
    #[error("this store has no {what}")]
    NotOffered {
        /// The thing that was asked for.
        what: &'static str,
    },
    /// A bug: a panic was caught.
    #[error("a bug in dashboard-sled was caught while it should {action}: {cause}")]
    Panicked {
        /// The action that was tried.
        action: &'static str,
        /// The reason that can be shown. Never the message of a panic, which may quote a record.
        cause: String,
    },
    /// A name or contents are larger than the limit. The slug is the one for an invalid argument of that kind.
    #[error("{found} bytes are more than the limit of {limit}")]
    TooLarge {
        /// `invalid-file`, `invalid-contents`, …
        slug: &'static str,
        /// Size of the argument, in bytes.
        found: usize,
        /// The largest size allowed, in bytes.
        limit: usize,
    },
    /// The host's secret does not fit its cipher.
    #[error("the encryption secret does not fit the cipher")]
    InvalidSecret,
    /// The stored record or the new one is encrypted with another secret than the host's, so the rule about stale writes
    /// cannot be applied.
    #[error("the stored record or the new one is encrypted under another secret, so nothing tells what the write would undo")]
    OtherSecret,
    /// A record is imported over an existing one, and one of them is encrypted with another secret than the host's.
    #[error("{name} is in the store already, and cannot be compared with the one that is imported, since one of them is encrypted under another secret")]
    OtherSecretOfImport {
        /// Name of the record, for people.
        name: String,
    },
    /// A service refused the change. The slug is one of the host's.
    #[error("{0}")]
    Refused(&'static str),
    /// A service could not do its work, for a reason that the store knows nothing of.
    #[error("{reason}")]
    Service {
        /// The code for programs.
        code: &'static str,
        /// The slug for JavaScript.
        slug: &'static str,
        /// The sentence for people.
        reason: String,
    },
}

impl StoreError {
    /// Returns the stable code that programs compare: `ERR_STORE_…`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Locked { .. } | Self::InUse { .. } => "ERR_STORE_LOCKED",
            Self::NewerFormat { .. } => "ERR_STORE_NEWER_FORMAT",
            Self::Foreign { .. } | Self::Irregular { .. } => "ERR_STORE_FOREIGN",
            Self::RolledBack { .. } | Self::Quarantined { .. } => "ERR_STORE_ROLLED_BACK",
            Self::NoStore { .. } => "ERR_STORE_MISSING",
            Self::Unfinished { .. } | Self::RestoreUnfinished { .. } => "ERR_STORE_UNFINISHED",
            Self::NotPermitted { .. } | Self::Stranger { .. } => "ERR_STORE_PERMISSION",
            Self::ReadOnly { .. } => "ERR_STORE_READ_ONLY",
            Self::GuardMismatch { .. } => "ERR_STORE_GUARD",
            Self::Damaged { .. } | Self::DamagedPlan { .. } => "ERR_STORE_DAMAGED",
            Self::Poisoned { .. } => "ERR_STORE_POISONED",
            Self::Stuck { .. } => "ERR_STORE_STUCK",
            Self::Full { .. } | Self::NotEnoughSpace { .. } => "ERR_STORE_FULL",
            Self::StillOpen { .. } => "ERR_STORE_STILL_OPEN",
            Self::Closed => "ERR_STORE_CLOSED",
            Self::BackupRunning => "ERR_BACKUP_RUNNING",
            Self::PurgeRunning => "ERR_PURGE_RUNNING",
            Self::Busy { .. } | Self::BusyReading { .. } => "ERR_STORE_BUSY",
            Self::NoThread { .. } => "ERR_STORE_NO_THREAD",
            Self::Io { .. } => "ERR_STORE_IO",
            Self::Sled { .. } => "ERR_STORE_SLED",
            Self::Unavailable { .. } | Self::Unconfirmed { .. } => "ERR_STORE_UNAVAILABLE",
            Self::Unsuitable { problem, .. } => problem.code(),
            Self::InvalidUrl { .. } => "ERR_DATABASE_URL",
            Self::Postgres { .. } => "ERR_STORE_POSTGRES",
            Self::NotOffered { .. } => "ERR_STORE_NOT_OFFERED",
            Self::Panicked { .. } => "ERR_STORE_PANIC",
            Self::TooLarge { .. } => "ERR_TOO_LARGE",
            Self::InvalidSecret | Self::OtherSecret | Self::OtherSecretOfImport { .. } => {
                "ERR_ENCRYPTION_SECRET"
            }
            Self::Refused(_) => "ERR_INVALID",
            Self::Service { code, .. } => code,
        }
    }

    /// Returns the `message` for JavaScript. It is a kebab-case slug, because the host prints messages into JSON
    /// without escaping them.
    #[must_use]
    pub fn slug(&self) -> &'static str {
        match self {
            Self::Locked { .. } | Self::InUse { .. } => "store-locked",
            Self::NewerFormat { .. } => "store-newer-format",
            Self::Foreign { .. } | Self::Irregular { .. } => "store-foreign-folder",
            Self::RolledBack { .. } | Self::Quarantined { .. } => "store-rolled-back",
            Self::NoStore { .. } => "store-missing",
            Self::Unfinished { .. } | Self::RestoreUnfinished { .. } => "store-unfinished-copy",
            Self::NotPermitted { .. } | Self::Stranger { .. } => "store-not-permitted",
            Self::ReadOnly { .. } => "store-read-only",
            Self::GuardMismatch { .. } => "store-guard-mismatch",
            Self::Damaged { .. } | Self::DamagedPlan { .. } => "store-damaged",
            Self::Poisoned { .. } => "store-poisoned",
            Self::Stuck { .. } => "store-stuck",
            Self::Full { .. } | Self::NotEnoughSpace { .. } => "store-full",
            Self::StillOpen { .. } => "store-still-open",
            Self::Closed => "store-closed",
            Self::BackupRunning => "backup-running",
            Self::PurgeRunning => "purge-running",
            Self::Busy { .. } | Self::BusyReading { .. } => "store-busy",
            Self::NoThread { .. } => "store-no-thread",
            Self::Io { .. } => "store-io-failed",
            Self::Sled { .. } => "store-sled-failed",
            Self::Unavailable { .. } | Self::Unconfirmed { .. } => "store-unavailable",
            Self::Unsuitable { problem, .. } => problem.slug(),
            Self::InvalidUrl { .. } => "invalid-database-url",
            Self::Postgres { .. } => "store-postgres-failed",
            Self::NotOffered { .. } => "store-not-offered",
            Self::Panicked { .. } => "store-panicked",
            Self::InvalidSecret | Self::OtherSecret | Self::OtherSecretOfImport { .. } => {
                "invalid-encryption-secret"
            }
            Self::TooLarge { slug, .. } | Self::Refused(slug) | Self::Service { slug, .. } => slug,
        }
    }
}
