//! The advice for each error of the store, in one table. It names the tool's commands, settings and Dashboard's
//! sessions, of which the store knows nothing.
//!
//! The table is here and not in `lib`, because one code covers several errors with different advice, and because every
//! error passes here, while `lib` passes the promises of the addon on as they are.

use crate::store::{Problem, StoreError};

const LOOK_AT_DISK: &str = "look at the disk, then restart";
const DAMAGED: &str =
    "restore a backup, or save what can be read (npx dashboard-sled recover --salvage <folder>)";

/// Returns the sentence for people: what happened, to what, and what to do. Returns `None` for an error that is only one
/// of Dashboard's slugs.
pub fn sentence(error: &StoreError) -> Option<String> {
    match (error, advice(error)) {
        (StoreError::Refused(_), _) => None,
        (_, Some(advice)) => Some(format!("{error}; {advice}")),
        (_, None) => Some(error.to_string()),
    }
}

fn advice(error: &StoreError) -> Option<&'static str> {
    Some(match error {
        StoreError::InUse { .. } => "stop the dashboards and other programs that use it",
        StoreError::Locked { .. } => "stop that process, or use another folder",
        StoreError::NewerFormat { .. } => "install the version that wrote it, or a later one",
        StoreError::Foreign { .. } => "choose an empty or a new folder",
        StoreError::RolledBack { .. } => "put the newer data back, or restore a backup (npx dashboard-sled restore), or accept this state and end every session (npx dashboard-sled recover --invalidate-sessions)",
        StoreError::Quarantined { .. } => "an import that overwrites, or a recovery, was interrupted; end every session, as some may have ended before (npx dashboard-sled recover --invalidate-sessions), then run it again",
        StoreError::NoStore { .. } => "name the folder that holds the files guard and sled (--store or SLED_PATH)",
        StoreError::Unfinished { .. } => "remove that folder and make another backup",
        StoreError::RestoreUnfinished { .. } => "run it again (npx dashboard-sled restore), or remove that folder to begin without it",
        StoreError::DamagedPlan { .. } => "rename that folder and restore a backup in its place, or put the store together from what is in it, as docs/operations.md says",
        StoreError::Irregular { .. } => "remove it if you did not put it there, and use another folder if you do not know who did",
        StoreError::Stranger { .. } => "run this as that user (sudo -u), or give the folder to root (chown)",
        StoreError::ReadOnly { .. } => "copy it to another folder to change it",
        StoreError::NotPermitted { .. } => "run it as the owner, or give the folder to this user (chown)",
        StoreError::GuardMismatch { .. } => "put both back as they were, or restore a backup",
        StoreError::Damaged { .. } => DAMAGED,
        StoreError::Poisoned { cause } => match &**cause {
            StoreError::Full { .. } => "free some space, then restart",
            _ => LOOK_AT_DISK,
        },
        StoreError::Stuck { .. } => LOOK_AT_DISK,
        StoreError::Full { .. } => "free some space",
        StoreError::NotEnoughSpace { .. } => "free some space, or restore a backup of it on a larger disk",
        StoreError::BackupRunning => "wait for it, then make another one",
        StoreError::PurgeRunning => "wait for it; one process at a time is enough",
        StoreError::Closed => "open it again",
        StoreError::StillOpen { .. } => "its folder becomes free when that has ended",
        StoreError::Busy { .. } => "slow down, or look at why the disk is slow",
        StoreError::BusyReading { .. } => "make fewer calls at a time, or look at why the disk is slow",
        StoreError::NoThread { .. } => "raise the limit of threads for this user, service or container (ulimit -u, TasksMax, pids.max), then try again",
        StoreError::Unavailable { .. } => "look at the servers and the network; the store connects again by itself",
        StoreError::Unconfirmed { .. } => "look at the servers and their synchronous standbys, and read the record before you repeat the change",
        StoreError::Unsuitable { problem, .. } => return Some(about_database(problem)),
        StoreError::InvalidUrl { .. } => "write it as postgres://user:password@host:5432/database?sslmode=verify-full",
        StoreError::NotOffered { .. } => "PostgreSQL has programs for that: pg_dump or pg_basebackup for copies, point-in-time recovery to go back, VACUUM and REINDEX for maintenance",
        StoreError::Panicked { .. } => "please report it",
        StoreError::InvalidSecret => "ENCRYPTION_SECRET has to be 32 bytes and ENCRYPTION_SECRET_IV 16; set both as they were when the records were written",
        StoreError::OtherSecret => "set ENCRYPTION_SECRET and ENCRYPTION_SECRET_IV as they were, or delete the record first",
        StoreError::OtherSecretOfImport { .. } => "set ENCRYPTION_SECRET and ENCRYPTION_SECRET_IV as the dashboard has them",
        StoreError::Service { slug, .. } => match *slug {
            "accounts-unreadable" => "set ENCRYPTION_SECRET and ENCRYPTION_SECRET_IV as the dashboard has them, and try again",
            "store-damaged" => DAMAGED,
            "store-whole" => "to end every session of every account all the same, set evenIfWhole (--even-if-whole)",
            _ => return None,
        },
        StoreError::Io { .. } | StoreError::Sled { .. } | StoreError::Postgres { .. } | StoreError::TooLarge { .. } | StoreError::Refused(_) => return None,
    })
}

fn about_database(problem: &Problem) -> &'static str {
    match problem {
        Problem::OtherServer(_) => "name a server of PostgreSQL 13 or later in SLED_DATABASE_URL",
        Problem::TooOld(_) => "upgrade the server to PostgreSQL 13 or later",
        Problem::ReadOnly => "name the primary server in SLED_DATABASE_URL, or all servers of the cluster with commas between them",
        Problem::NotSynchronous => "set it on the server, for example to ANY 1 (*) with two standbys; if the provider of the database makes every commit survive by other means, set SLED_DURABILITY=external",
        Problem::Encoding(_) => "create a database with ENCODING UTF8",
        Problem::NoStore => "start the dashboard with this database, or import into it (dashboard-sled import), which creates the store",
        Problem::NoRight(_) => "let an administrator of the database grant it (GRANT), or make this user the owner of the tables",
        Problem::OtherTable(_) => "use another database, or rename that table",
        Problem::NewerTables { .. } => "install the version that wrote them, or a later one",
        Problem::Refused(_) => "check user, password and database in SLED_DATABASE_URL, PGPASSWORD or the password file, and pg_hba.conf on the server",
        Problem::Untrusted(_) => "name the certificate of your authority by sslrootcert=<file> in the URL, and the server as its certificate does",
        Problem::Quarantined => "an import that overwrites was interrupted; end every session, as some may have ended before (npx dashboard-sled recover --invalidate-sessions), then run it again",
        Problem::UnfinishedImport => "wait for it; if it was interrupted, run it again from its beginning",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_sentence_says_what_happened_and_then_what_to_do() {
        let full = StoreError::Full { path: "/s".into() };
        let poisoned = StoreError::Poisoned { cause: Arc::new(full.clone()) };
        for (error, expected) in [
            (full, "the disk that holds /s is full; free some space"),
            (poisoned, "writing failed (the disk that holds /s is full), so the store takes no more changes until it is opened again; free some space, then restart"),
        ] {
            assert_eq!(sentence(&error).as_deref(), Some(expected));
        }
        assert_eq!(sentence(&StoreError::Refused("invalid-account")), None);
    }
}
