//! All errors of the store, with the stable code and slug that JavaScript sees.

use crate::store::findings::Findings;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Result of an operation of the store.
pub type Result<T> = std::result::Result<T, StoreError>;

/// An error of the store. It is cheap to clone: one failed commit is reported to every call that was part of it.
///
/// `Display` gives a sentence for people: what happened, to what, and what to do. It never shows contents of a record,
/// which may be secret.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process, or another worker of a cluster, has the folder open.
    #[error("the store at {} is open elsewhere{holder}; a store belongs to one process at a time, so stop that one or give this one a folder of its own", path.display())]
    Locked {
        /// The store's folder.
        path: PathBuf,
        /// Process that wrote itself into the lock file, as ` (process 123)`, or an empty string.
        holder: String,
    },
    /// The folder was written by a later version.
    #[error("the store at {} has format {found}, and this version of dashboard-sled reads up to {supported}; install the version that wrote it, or a later one", path.display())]
    NewerFormat {
        /// The store's folder.
        path: PathBuf,
        /// The format found in the folder.
        found: u32,
        /// The newest format that this version reads.
        supported: u32,
    },
    /// The folder contains files that do not belong to a store.
    #[error("{} is not empty and holds no store (found {found}); choose an empty or a new folder", path.display())]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// One of the files found.
        found: String,
    },
    /// The store lacks changes that were acknowledged.
    #[error("the store at {} {}", path.display(), rolled_back(*guarded, *applied))]
    RolledBack {
        /// The store's folder.
        path: PathBuf,
        /// Number of the last acknowledged change, according to the guard.
        guarded: u64,
        /// Number of the last change in the store.
        applied: u64,
    },
    /// The folder should contain a store, but does not.
    #[error("there is no store in {}; name the folder that holds the files guard and sled (--store or SLED_PATH)", path.display())]
    NoStore {
        /// The folder.
        path: PathBuf,
    },
    /// A backup was cut short before it was verified.
    #[error("the backup in {} was cut short, so it is not complete; remove that folder and make another backup", path.display())]
    Unfinished {
        /// The folder of the backup.
        path: PathBuf,
    },
    /// A restore was cut short in a folder that had no store.
    #[error("a restore into {} was cut short, so there is no store yet; run it again (npx dashboard-sled restore), or remove that folder to begin without it", path.display())]
    RestoreUnfinished {
        /// The folder of the restore.
        path: PathBuf,
    },
    /// A swap was interrupted, and its plan is damaged, so nobody can tell how far it came.
    #[error("a restore or a compaction of the store at {} was interrupted, and its file swap, which says how far it came, is damaged; rename that folder and restore a backup in its place, or put the store together from what is in it, as docs/operations.md says", path.display())]
    DamagedPlan {
        /// The store's folder.
        path: PathBuf,
    },
    /// A file of the store is a link, or is not a regular file.
    #[error("{} is {found}, and a store never follows that; remove it if you did not put it there, and use another folder if you do not know who did", path.display())]
    Irregular {
        /// The file.
        path: PathBuf,
        /// Description of the thing found in its place.
        found: &'static str,
    },
    /// Root was asked to work in a folder of another user, who has no store there.
    #[error("{} belongs to user {owner} and holds no store of that user, so root does not touch it; run this as that user (sudo -u), or give the folder to root (chown)", path.display())]
    Stranger {
        /// The folder.
        path: PathBuf,
        /// User ID of the owner.
        owner: u32,
    },
    /// The store cannot be written in its current place.
    #[error("the store at {} can only be read: its folder is on a read-only medium, or this user may not write there; copy it to another folder to change it", path.display())]
    ReadOnly {
        /// The folder.
        path: PathBuf,
    },
    /// The operating system denies this user an action.
    #[error("not permitted to {action} {}: {found}, and this process runs as user {user}; run it as the owner, or give the folder to this user (chown)", path.display())]
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
    /// Accounts could not be read, so their sessions cannot be ended.
    #[error("{} accounts could not be read, so their sessions would live on; set ENCRYPTION_SECRET and ENCRYPTION_SECRET_IV as the dashboard has them, and try again ({})", accounts.number, accounts.first())]
    Unreadable {
        /// Keys of these accounts.
        accounts: Findings,
    },
    /// Records that are accounts, or may be, are damaged, so their sessions cannot be ended.
    #[error("{} records that are accounts, or may be, are damaged, so their sessions cannot be ended; every other account has a new session key. Restore a backup, or save what can be read with recover --salvage ({})", damaged.number, damaged.first())]
    DamagedAccounts {
        /// These records.
        damaged: Findings,
    },
    /// A recovery was requested for a store that lacks nothing.
    #[error("the store at {} has not gone back in time, so there is nothing to recover from; to end every session of every account all the same, say so twice: evenIfWhole (--even-if-whole)", path.display())]
    Whole {
        /// The store's folder.
        path: PathBuf,
    },
    /// The guard and the data do not belong together, or one of them is missing.
    #[error("the guard and the data of the store at {} do not belong together ({found}); put both back as they were, or restore a backup", path.display())]
    GuardMismatch {
        /// The store's folder.
        path: PathBuf,
        /// Description of the mismatch.
        found: &'static str,
    },
    /// A part of the store is damaged.
    #[error(
        "{what} is damaged; restore a backup, or save what can be read (npx dashboard-sled recover --salvage <folder>)"
    )]
    Damaged {
        /// Name of the damaged part.
        what: String,
    },
    /// A write, a flush or a sync failed. Reads continue; writes are refused until the store is reopened.
    #[error("writing failed, so the store takes no more changes until it is opened again; look at the disk, then restart ({cause})")]
    Poisoned {
        /// The first error.
        cause: Arc<StoreError>,
    },
    /// A commit took longer than the limit.
    #[error("the disk has not taken a change within {seconds} s; look at the disk, then restart")]
    Stuck {
        /// The limit, in seconds.
        seconds: u64,
    },
    /// The disk is full.
    #[error("the disk that holds {} is full; make room, then restart", path.display())]
    Full {
        /// The store's folder.
        path: PathBuf,
    },
    /// An operation needs more space than the disk has, and was not started.
    #[error("it needs {needed} bytes beside the store at {}, and {room} are free; make room, or restore a backup of it on a larger disk", path.display())]
    NoRoom {
        /// The store's folder.
        path: PathBuf,
        /// Space that it needs, in bytes, roughly.
        needed: u64,
        /// Free space, in bytes.
        room: u64,
    },
    /// The store is closed.
    #[error("the store is closed; open it again")]
    Closed,
    /// The store was told to close, and is still in use after the time limit.
    #[error("the store at {} could not be closed within {seconds} s: {holder}; its folder becomes free when that has ended", path.display())]
    StillOpen {
        /// The store's folder.
        path: PathBuf,
        /// The limit, in seconds.
        seconds: u64,
        /// The user of the store.
        holder: String,
    },
    /// Too many changes are waiting.
    #[error("too many changes wait to be written ({waiting}); slow down, or look at why the disk is slow")]
    Busy {
        /// Number of waiting changes.
        waiting: usize,
    },
    /// Too many reads are waiting.
    #[error(
        "too many reads wait ({waiting}); ask for fewer at a time, or look at why the disk is slow"
    )]
    BusyReading {
        /// Number of waiting reads.
        waiting: usize,
    },
    /// The operating system refused to start a thread. A later try can succeed.
    #[error("the system started no thread ({source}); raise the limit of threads for this user, service or container (ulimit -u, TasksMax, pids.max), then try again")]
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
        /// Error message of sled.
        cause: String,
    },
    /// A bug: a panic was caught.
    #[error(
        "a bug in dashboard-sled was caught while it should {action}: {cause}; please report it"
    )]
    Panicked {
        /// The action that was tried.
        action: &'static str,
        /// Message of the panic.
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
    #[error("ENCRYPTION_SECRET has to be 32 bytes and ENCRYPTION_SECRET_IV 16; set both as they were when the records were written")]
    InvalidSecret,
    /// An account or a session is encrypted with another secret than the host's. The store cannot tell what a write of
    /// it would undo.
    #[error("the account or the session is encrypted under another secret, so that it cannot be told what the write would undo; set ENCRYPTION_SECRET and ENCRYPTION_SECRET_IV as they were, or delete the record first")]
    OtherSecret,
    /// A record is imported over an existing one, and one of them is encrypted with another secret than the host's.
    #[error("{name} is in the store already, and cannot be compared with the one that is imported, since one of them is encrypted under another secret; set ENCRYPTION_SECRET and ENCRYPTION_SECRET_IV as the dashboard has them")]
    OtherSecretOfImport {
        /// Name of the record, for people.
        name: String,
    },
    /// A service refused the change. The slug is one of the host's.
    #[error("{0}")]
    Refused(&'static str),
}

/// Returns the reason for refusing a store that ends at change `applied`, while `guarded` is the last acknowledged one.
/// A store without a gap is in quarantine.
fn rolled_back(guarded: u64, applied: u64) -> String {
    const RECOVER: &str = "npx dashboard-sled recover --invalidate-sessions";
    if applied < guarded {
        format!("has gone back in time: change {guarded} was acknowledged, the store ends at {applied}; put the newer data back, or restore a backup (npx dashboard-sled restore), or accept this state and end every session ({RECOVER})")
    } else {
        format!("has sessions that may have ended before: an import that overwrites, or a recovery, was interrupted; end every session ({RECOVER}), then run it again")
    }
}

impl StoreError {
    /// Returns the stable code that programs compare: `ERR_STORE_…`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "ERR_STORE_LOCKED",
            Self::NewerFormat { .. } => "ERR_STORE_NEWER_FORMAT",
            Self::Foreign { .. } | Self::Irregular { .. } => "ERR_STORE_FOREIGN",
            Self::RolledBack { .. } => "ERR_STORE_ROLLED_BACK",
            Self::NoStore { .. } => "ERR_STORE_MISSING",
            Self::Unfinished { .. } | Self::RestoreUnfinished { .. } => "ERR_STORE_UNFINISHED",
            Self::NotPermitted { .. } | Self::Stranger { .. } => "ERR_STORE_PERMISSION",
            Self::ReadOnly { .. } => "ERR_STORE_READ_ONLY",
            Self::Unreadable { .. } => "ERR_ACCOUNTS_UNREADABLE",
            Self::GuardMismatch { .. } => "ERR_STORE_GUARD",
            Self::Damaged { .. } | Self::DamagedAccounts { .. } | Self::DamagedPlan { .. } => {
                "ERR_STORE_DAMAGED"
            }
            Self::Whole { .. } => "ERR_STORE_WHOLE",
            Self::Poisoned { .. } => "ERR_STORE_POISONED",
            Self::Stuck { .. } => "ERR_STORE_STUCK",
            Self::Full { .. } | Self::NoRoom { .. } => "ERR_STORE_FULL",
            Self::StillOpen { .. } => "ERR_STORE_STILL_OPEN",
            Self::Closed => "ERR_STORE_CLOSED",
            Self::Busy { .. } | Self::BusyReading { .. } => "ERR_STORE_BUSY",
            Self::NoThread { .. } => "ERR_STORE_NO_THREAD",
            Self::Io { .. } => "ERR_STORE_IO",
            Self::Sled { .. } => "ERR_STORE_SLED",
            Self::Panicked { .. } => "ERR_STORE_PANIC",
            Self::TooLarge { .. } => "ERR_TOO_LARGE",
            Self::InvalidSecret | Self::OtherSecret | Self::OtherSecretOfImport { .. } => {
                "ERR_ENCRYPTION_SECRET"
            }
            Self::Refused(_) => "ERR_INVALID",
        }
    }

    /// Returns the `message` for JavaScript. It is a kebab-case slug, because the host prints messages into JSON
    /// without escaping them.
    #[must_use]
    pub fn slug(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "store-locked",
            Self::NewerFormat { .. } => "store-newer-format",
            Self::Foreign { .. } | Self::Irregular { .. } => "store-foreign-folder",
            Self::RolledBack { .. } => "store-rolled-back",
            Self::NoStore { .. } => "store-missing",
            Self::Unfinished { .. } | Self::RestoreUnfinished { .. } => "store-unfinished-copy",
            Self::NotPermitted { .. } | Self::Stranger { .. } => "store-not-permitted",
            Self::ReadOnly { .. } => "store-read-only",
            Self::Unreadable { .. } => "accounts-unreadable",
            Self::GuardMismatch { .. } => "store-guard-mismatch",
            Self::Damaged { .. } | Self::DamagedAccounts { .. } | Self::DamagedPlan { .. } => {
                "store-damaged"
            }
            Self::Whole { .. } => "store-whole",
            Self::Poisoned { .. } => "store-poisoned",
            Self::Stuck { .. } => "store-stuck",
            Self::Full { .. } | Self::NoRoom { .. } => "store-full",
            Self::StillOpen { .. } => "store-still-open",
            Self::Closed => "store-closed",
            Self::Busy { .. } | Self::BusyReading { .. } => "store-busy",
            Self::NoThread { .. } => "store-no-thread",
            Self::Io { .. } => "store-io-failed",
            Self::Sled { .. } => "store-sled-failed",
            Self::Panicked { .. } => "store-panicked",
            Self::InvalidSecret | Self::OtherSecret | Self::OtherSecretOfImport { .. } => {
                "invalid-encryption-secret"
            }
            Self::TooLarge { slug, .. } | Self::Refused(slug) => slug,
        }
    }

    /// Returns the error for a caught panic of `action`.
    #[must_use]
    pub fn panicked(action: &'static str, payload: &(dyn std::any::Any + Send)) -> Self {
        let cause = payload
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no message".into());
        Self::Panicked { action, cause }
    }
}

impl Findings {
    /// Turns damage into a finding, and returns `None` for it. Returns other results unchanged.
    pub fn damage<T>(&mut self, result: Result<Option<T>>) -> Result<Option<T>> {
        match result {
            Err(StoreError::Damaged { what }) => {
                self.tell(format!("{what} is damaged"));
                Ok(None)
            }
            other => other,
        }
    }
}
