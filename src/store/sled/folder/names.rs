//! Names of the files and folders of a store. No other file spells them.

/// The lock file.
pub const LOCK: &str = "lock";
/// The rollback guard.
pub const GUARD: &str = "guard";
/// A new guard that is not in its place yet.
pub const NEW_GUARD: &str = "guard.new";
/// The plan of an unfinished swap.
pub const SWAP: &str = "swap";
/// A new plan that is not in its place yet.
pub const NEW_SWAP: &str = "swap.new";
/// Folder in which a restore makes the new parts.
pub const RESTORING: &str = "restoring";
/// Folder in which a compaction makes the new parts.
pub const COMPACTING: &str = "compacting";
/// Folder of the old parts, in that of a compaction.
pub const BEFORE: &str = "before";
/// A part whose copy is in progress, in the folder of the new parts.
pub const PART: &str = "part";
/// Prefix of the folders that keep replaced stores: `replaced-1`, `replaced-2`, …
pub const REPLACED: &str = "replaced-";

/// sled's folder, which also holds the journal.
pub const SLED: &str = "sled";
/// In sled's folder: the journal.
pub const JOURNAL: &str = "journal";
/// In sled's folder: sled's log.
pub const LOG: &str = "db";
/// In sled's folder: sled's settings.
pub const CONF: &str = "conf";
/// In sled's folder: the folder of values that sled keeps outside of its log. It stays empty.
pub const BLOBS: &str = "blobs";
/// In sled's folder: prefix of sled's snapshots.
pub const SNAPSHOT: &str = "snap.";
/// In sled's folder: end of the name of a snapshot that is being written.
pub const SNAPSHOT_CUT_SHORT: &str = ".generating";
/// The files that sled's folder always has.
pub const IN_SLED: [&str; 3] = [CONF, LOG, JOURNAL];
