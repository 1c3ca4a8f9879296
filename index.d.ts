/// <reference types="node" />

/**
 * What every error of this package has besides its message.
 *
 * The message is a slug in kebab case without quotes, because Dashboard prints messages into JSON
 * without escaping them (`src/server.js`, executeAPIRequest).
 *
 * | code | message | when |
 * |---|---|---|
 * | `ERR_INVALID` | `invalid-…` | an argument is wrong; the slug is the host's own where it has one |
 * | `ERR_TOO_LARGE` | `invalid-…` | a key, path or item over 64 KiB, an account or a session over 1 MiB, other contents over 64 MiB |
 * | `ERR_ENCRYPTION_SECRET` | `invalid-encryption-secret` | the host's secret has a wrong length, or is not that of the stored account or session |
 * | `ERR_CACHE` | `invalid-cache` | the host's `CACHE` is set |
 * | `ERR_SLED_PATH` | `invalid-sled-path` | two parts of the dashboard would share a folder |
 * | `ERR_SLED_CACHE_MB` | `invalid-sled-cache-mb` | `SLED_CACHE_MB` is no whole number of megabytes |
 * | `ERR_SLED_COMMIT_SECONDS` | `invalid-sled-commit-seconds` | `SLED_COMMIT_SECONDS` is no whole number of seconds |
 * | `ERR_SLED_PURGE_AFTER` | `invalid-sled-purge-after` | `SLED_PURGE_AFTER` is no age like `30d` |
 * | `ERR_STORE_LOCKED` | `store-locked` | another process, or a forked worker of a cluster, has the folder |
 * | `ERR_STORE_NEWER_FORMAT` | `store-newer-format` | a later version wrote the folder |
 * | `ERR_STORE_FOREIGN` | `store-foreign-folder` | the folder holds other files |
 * | `ERR_STORE_ROLLED_BACK` | `store-rolled-back` | the store holds less than was acknowledged |
 * | `ERR_STORE_GUARD` | `store-guard-mismatch` | the guard and the data do not belong together |
 * | `ERR_STORE_DAMAGED` | `store-damaged` | something on the disk is damaged; `detail` names it |
 * | `ERR_STORE_POISONED` | `store-poisoned` | a write failed before; `cause` says which way |
 * | `ERR_STORE_STUCK` | `store-stuck` | a commit did not move for `SLED_COMMIT_SECONDS`; the cause of `store-poisoned` |
 * | `ERR_STORE_MISSING` | `store-missing` | a folder that should hold a store or a backup holds none |
 * | `ERR_STORE_UNFINISHED` | `store-unfinished-copy` | the folder holds a backup that was cut short, or a restore was cut short where there was no store |
 * | `ERR_OLD_BACKUP` | `old-backup-not-removed` | a new backup is whole, and an old one could not be removed; `detail` names both |
 * | `ERR_STORE_READ_ONLY` | `store-read-only` | the folder cannot be written; reads work with `create: false` |
 * | `ERR_STORE_PERMISSION` | `store-not-permitted` | the system does not permit it to this user; `detail` has the file, its owner and mode |
 * | `ERR_EXPORT_DAMAGED` | `export-damaged` | a line of an export is not as it was written; `detail` has its number and the reason |
 * | `ERR_STORE_WHOLE` | `store-whole` | a recovery of a store that has not gone back in time |
 * | `ERR_ACCOUNTS_UNREADABLE` | `accounts-unreadable` | sessions cannot be ended: accounts are encrypted under another secret |
 * | `ERR_STORE_FULL` | `store-full` | the disk is full, or has no room for what was asked |
 * | `ERR_STORE_BUSY` | `store-busy` | over 65,536 changes or 256 MiB of them wait to be written, or too many reads wait |
 * | `ERR_STORE_NO_THREAD` | `store-no-thread` | the system started no thread; try again when the limit is higher |
 * | `ERR_STORE_STILL_OPEN` | `store-still-open` | `close` waited for `SLED_COMMIT_SECONDS`, and something still uses the store; its folder becomes free when that has ended |
 * | `ERR_STORE_CLOSED` | `store-closed` | the store was closed |
 * | `ERR_STORE_IO` | `store-io-failed` | the system refused something; `detail` says what |
 * | `ERR_STORE_SLED` | `store-sled-failed` | sled failed otherwise |
 * | `ERR_SOURCE` | `source-invalid` | the url of an import is none, or its options are wrong |
 * | `ERR_SOURCE` | `source-client-missing` | the package that reads such a server is not installed, or too old |
 * | `ERR_SOURCE` | `source-unreachable` | there is no such folder, or no server answers there |
 * | `ERR_SOURCE` | `source-refused` | the server refuses: the user, the password, the database, or what the user may read |
 * | `ERR_SOURCE` | `source-not-dashboard` | no dashboard kept its data there |
 * | `ERR_SOURCE` | `source-changed` | something vanished while it was read: the dashboard still runs |
 * | `ERR_SOURCE` | `source-too-large` | it has something that a store cannot take |
 * | `ERR_SOURCE` | `source-unreadable` | a key or an item in a table is not UTF-8 |
 * | `ERR_SOURCE` | `source-interrupted` | the source went away or failed in the middle |
 * | `ERR_STORE_PANIC` | `store-panicked` | a bug of this package was caught |
 * | `ERR_BINARY_MISMATCH` | `binary-mismatch` | `require` finds the binary of another version; `detail` says of which, and what to do |
 * | `ERR_PLATFORM_UNSUPPORTED` | `platform-unsupported` | `require` finds no binary for this platform; `detail` says for which there are, and how to build one |
 */
export interface StoreError extends Error {
  code: ErrorCode
  /** For people: what happened, to what, and what to do. Never holds the contents of a record. */
  detail?: string
  cause?: StoreError
}

/** Every {@link StoreError.code}. */
export type ErrorCode =
  | 'ERR_INVALID'
  | 'ERR_TOO_LARGE'
  | 'ERR_ENCRYPTION_SECRET'
  | 'ERR_CACHE'
  | 'ERR_SLED_PATH'
  | 'ERR_SLED_CACHE_MB'
  | 'ERR_SLED_COMMIT_SECONDS'
  | 'ERR_SLED_PURGE_AFTER'
  | 'ERR_STORE_LOCKED'
  | 'ERR_STORE_NEWER_FORMAT'
  | 'ERR_STORE_FOREIGN'
  | 'ERR_STORE_ROLLED_BACK'
  | 'ERR_STORE_GUARD'
  | 'ERR_STORE_DAMAGED'
  | 'ERR_STORE_POISONED'
  | 'ERR_STORE_STUCK'
  | 'ERR_STORE_MISSING'
  | 'ERR_STORE_UNFINISHED'
  | 'ERR_OLD_BACKUP'
  | 'ERR_STORE_READ_ONLY'
  | 'ERR_STORE_PERMISSION'
  | 'ERR_EXPORT_DAMAGED'
  | 'ERR_STORE_WHOLE'
  | 'ERR_ACCOUNTS_UNREADABLE'
  | 'ERR_STORE_FULL'
  | 'ERR_STORE_BUSY'
  | 'ERR_STORE_NO_THREAD'
  | 'ERR_STORE_STILL_OPEN'
  | 'ERR_STORE_CLOSED'
  | 'ERR_STORE_IO'
  | 'ERR_STORE_SLED'
  | 'ERR_SOURCE'
  | 'ERR_STORE_PANIC'
  | 'ERR_BINARY_MISMATCH'
  | 'ERR_PLATFORM_UNSUPPORTED'

/**
 * Records by key, as `src/storage.js` of the host wants them from an engine.
 *
 * A key is any string up to 64 KiB, compared unit by unit; it is never a path on the disk. A write
 * that has resolved survives a crash and a power cut. Every method rejects with a {@link StoreError}.
 */
export interface Records {
  /** Whether there is a record. `invalid-file` unless `file` is a string that is not empty. */
  exists (file: string): Promise<boolean>
  /** A record as text, undefined if there is none. `invalid-file`. */
  read (file: string): Promise<string | undefined>
  /** The records at `<prefix>/<id>` by id, without the missing ones. `invalid-prefix`, `invalid-files`. */
  readMany (prefix: string, ids: Array<string | number>): Promise<{ [id: string]: string }>
  /** A record as bytes of the caller's own, undefined if there is none. `invalid-file`. */
  readBinary (file: string): Promise<Buffer | undefined>
  /** Writes up to 64 MiB. `invalid-file`, `invalid-contents`. */
  write (file: string, contents: string | Uint8Array): Promise<void>
  /** Writes up to 64 MiB. `invalid-file`, `invalid-buffer`. */
  writeBinary (file: string, buffer: Uint8Array | string): Promise<void>
  /** Removes a record; a missing one is no error. `invalid-file`. */
  delete (file: string): Promise<void>
}

/** The records of the dashboard's store, and the store itself. */
export interface StorageContainer extends Records {
  /** Removes every record and every list. There with `NODE_ENV=testing` alone. */
  flush? (): Promise<void>
  /**
   * Copies the store as it is at one moment into a new or an empty folder, while it goes on working, and reads the copy
   * before it resolves. `invalid-folder`, also for the folder of the store or one within it, and with `keep` for a folder that
   * holds a store or a backup itself; `store-foreign-folder` if the folder is not empty.
   *
   * With `keep` the copy gets a folder with the date within `folder`. When it is whole, the oldest of these are removed, so
   * that `keep` of them are left; what holds no whole store is not counted, and not touched. If anything fails, none is removed. `invalid-keep`;
   * `old-backup-not-removed` if the new backup is whole and an old one could not be removed.
   */
  backup (folder: string, options?: { keep?: number }): Promise<Backup>
  /** Numbers to watch. They cost nothing but the question for the sizes of a few files. */
  stats (): Promise<Stats>
  /** Finishes what was asked for and lets go of the folder; later calls get `store-closed`. */
  close (): Promise<void>
}

/** An item of a list: kept as text, so that 3 and '3' are one item. */
export type ItemId = string | number | boolean

/**
 * Lists by path, newest first, as `src/storage-list.js` of the host wants them from an engine.
 *
 * Paths and items are any strings up to 64 KiB that are not empty: else `invalid-path` and
 * `invalid-itemid`.
 */
export interface Lists {
  /** Adds an item as the newest; one that is there keeps its place. */
  add (path: string, itemid: ItemId): Promise<void>
  /** Adds one item to each of several lists, all of them or none. `invalid-items`. */
  addMany (items: { [path: string]: ItemId }): Promise<void>
  /** How many items there are; 0 for a missing list. */
  count (path: string): Promise<number>
  /** Whether a list has an item. */
  exists (path: string, itemid: ItemId): Promise<boolean>
  /**
   * The items behind the `offset` newest ones, undefined if there are none. `invalid-offset` for a
   * negative one. `pageSize` defaults to the host's `PAGE_SIZE`; all items for 0, negative and NaN.
   */
  list (path: string, offset?: number, pageSize?: number): Promise<string[] | undefined>
  /** All items, undefined if there are none. */
  listAll (path: string): Promise<string[] | undefined>
  /** Removes an item; a missing one is no error. */
  remove (path: string, itemid: ItemId): Promise<void>
}

/** The lists of the dashboard's store. */
export interface StorageListContainer extends Lists {
  /** Removes every record and every list. There with `NODE_ENV=testing` alone. */
  flush? (): Promise<void>
}

/** The engine of `STORAGE=dashboard-sled`. */
export const Storage: {
  /**
   * Opens the store in `SLED_PATH`, or with a prefix in `<PREFIX>_SLED_PATH`. Within a process a
   * folder is opened once, for the main thread and all worker threads.
   */
  setup (prefix?: string): Promise<StorageContainer>
}

/** The engine of lists that belongs to it. */
export const StorageList: {
  /** Opens the lists of the same store; the first argument is not looked at. */
  setup (storage?: unknown, prefix?: string): Promise<StorageListContainer>
}

/** What the host hands to its modules. Anything else in it is left alone. */
export interface Request {
  /** The tenant: records of another one are never seen. */
  appid: string
  query: { [name: string]: any }
  /** Records by id that win over the store, as text or as objects. `ResetSessionKey` does not look at them. */
  cacheData?: { [id: string]: any }
}

/** A session as the host keeps it, without its `tokenHash`; times in seconds. What modules add, an application declares. */
export interface Session {
  object: 'session'
  sessionid: string
  accountid: string
  created: number
  expires: number
  sessionKeyNumber: number
  lastVerified?: number
  /** When it ended: stored, or by the account's reset, or by its expiry, in this order. */
  ended?: number
}

/**
 * An account as the host keeps it, without `sessionKey`, `usernameHash` and `passwordHash`; times in seconds. What modules
 * add, an application declares: `declare module 'dashboard-sled' { interface Account { … } }`.
 */
export interface Account {
  object: 'account'
  accountid: string
  created: number
  sessionKeyNumber: number
  sessionKeyLastReset?: number
  /** Since when it may administrate. */
  administrator?: number
  /** Since when it owns the dashboard. */
  owner?: number
  deleted?: number
  lastSignedIn?: number
  passwordLastChanged?: number
  usernameLastChanged?: number
  profileLastDeleted?: number
  resetCodeLastCreated?: number
  resetCodeLastDeleted?: number
  resetCodeLastUsed?: number
  /** The default profile, of which the account has a copy: the properties below. */
  profileid?: string
  firstName?: string
  lastName?: string
  contactEmail?: string
  displayEmail?: string
  displayName?: string
  companyName?: string
  dob?: string
  location?: string
  occupation?: string
  phone?: string
  website?: string
}

/** The host's `src/www/api/administrator/session.js`. */
export const Session: {
  /**
   * The session `req.query.sessionid`. If its end is not stored, `req.query.accountid` is its account afterwards,
   * as the host leaves it. Times are compared with the host's clock where the host is loaded.
   *
   * `invalid-sessionid` if it is missing, no string or unknown; `invalid-accountid` if its account is gone.
   */
  get (req: Request): Promise<Session>
}

/** The host's `src/www/api/administrator/reset-session-key.js`. */
export const ResetSessionKey: {
  /**
   * Ends all sessions of `req.query.accountid`: a new `sessionKey` of 64 hexadecimal characters, `sessionKeyLastReset`
   * now, `sessionKeyNumber` one higher, as one change. Resolves when that is on the disk.
   *
   * `invalid-accountid` if it is missing, no string or unknown; `invalid-account` if the account is deleted;
   * `invalid-encryption-secret` if the host's secret is not 32 bytes or its IV not 16.
   */
  patch (req: Request): Promise<Account>
}

/** The host's `src/www/api/administrator/account.js`. */
export const Account: {
  /** The account `req.query.accountid`. `invalid-accountid` if it is missing, no string or unknown. */
  get (req: Request): Promise<Account>
}

/**
 * Called by the host when `dashboard-sled` is listed under `dashboard.modules`: puts atomic changes in place of
 * those of `dashboard.StorageObject`, and additions in one step in place of those of `dashboard.StorageList`,
 * and the gate around the handlers of all modules. Does nothing unless `STORAGE=dashboard-sled`.
 */
export function setup (): Promise<void>

/** What was read in a store. */
export interface Report {
  records: number
  lists: number
  /** The items of all lists. */
  items: number
  /** The bytes of all keys and values. */
  bytes: number
  /** How many things are wrong. */
  problems: number
  /** The first hundred of them, for people; they name keys, and show no contents. */
  described: string[]
}

/** A backup that was made, as it was read. */
export interface Backup extends Report {
  /** Where it is. */
  folder: string
  /** The folders of the old backups that were removed. */
  removed: string[]
}

/** What an end of all sessions has done. */
export interface Ended {
  /** Accounts that have a new session key. */
  accounts: number
  /** Records under an account's key that are none, and were left. */
  others: number
}

/** A record, by any string. */
export interface RecordEntry {
  record: string
  /** The bytes as they are stored: encrypted where the host encrypts. */
  contents: Uint8Array
}

/** A part of a list, by any string. */
export interface ListEntry {
  list: string
  /** The oldest items behind the part before, oldest first. */
  items: string[]
}

/** A store, without Dashboard around it. Every method rejects with a {@link StoreError}. */
export interface Store {
  /** The store's folder, as the system names it. */
  readonly path: string
  /** Records by key. */
  storage: Records
  /** Lists by path. */
  lists: Lists
  /**
   * Everything: records, then lists, each in an order that is always the same; a long list in several parts that
   * follow each other. What changes meanwhile is met as it was or as it is, all else once. What is damaged is left out and
   * told to `onDamage`, a page at a time; without that it is an error, `store-damaged`.
   */
  entries (options?: { onDamage?: (damaged: { number: number, described: string[] }) => void }): AsyncGenerator<{ record: string, contents: Buffer, list?: undefined, items?: undefined } | ListEntry & { record?: undefined, contents?: undefined }, void, undefined>
  /**
   * Writes entries, in atomic batches of up to 1,000 changes that never leave more than two in memory. Records replace
   * what is there, but an account or a session that is there is not set back: a session that has ended stays so, the number of
   * a session key never falls, a key or a password that was replaced stays replaced, and a deletion stays
   * ([why](decisions/imports.md)). `kept` counts the records of which something was kept. Encrypted ones can only be
   * compared under the host's `ENCRYPTION_SECRET` and `ENCRYPTION_SECRET_IV`; else `invalid-encryption-secret`. Items are
   * added as the newest in the order given; those that are there keep their place. After an error part of the entries
   * may be there; loading all of them again is harmless.
   *
   * With `overwrite` records replace what is there whatever it is, and then every session of every account is ended, as by
   * `restore`; write nothing else meanwhile. If the process ends before that is done, the store is not opened
   * again until `recover` has ended the sessions. An empty store is filled as without it. With `dryRun` nothing is
   * changed, and the entries are only counted.
   *
   * `invalid-entries`, `invalid-entry`, `invalid-file`, `invalid-path`, `invalid-itemid`, `invalid-contents`,
   * `invalid-setting`.
   */
  load (entries: Iterable<RecordEntry | ListEntry> | AsyncIterable<RecordEntry | ListEntry>, options?: { overwrite?: boolean, dryRun?: boolean }): Promise<Loaded>
  /**
   * Removes the sessions that ended longer ago than `olderThan` (`30d`; s, m, h, d or w): by what is stored, by a reset
   * of their account, or by their expiry, as `Session.get` says; with their records, their maps and what their lists
   * have of them, of every application. In small batches, while the store goes on working. With `dryRun` it only counts.
   * Encrypted sessions need the host's `ENCRYPTION_SECRET` and `ENCRYPTION_SECRET_IV`. `invalid-age`.
   */
  purge (options: { olderThan: string, dryRun?: boolean }): Promise<Purged>
  /** {@link StorageContainer.stats}. */
  stats (): Promise<Stats>
  /** What there is, by application and kind. Reads every record. */
  usage (): Promise<Usage>
  /**
   * Reads everything; write nothing meanwhile. Problems are in the report. `store-locked` while someone else in the
   * process has the store open as well.
   */
  verify (): Promise<Report>
  /**
   * Repairs what can be repaired without guessing: places and counters of lists are written again, pieces of values
   * that nothing points to are removed, and so are the items of session lists whose session or account is gone (the
   * host's own deletion of an account leaves them, and its administrator's list of sessions then fails). The store is
   * closed meanwhile (`store-closed`), and open again when this resolves or rejects. `store-locked` as for `verify`.
   */
  repair (): Promise<Repaired>
  /**
   * Rewrites the store into fresh files, since they never shrink, and swaps. A crash at any step leaves it whole. The
   * store is closed meanwhile, as for `repair`. `store-full` if there is no room for both beside each other, and
   * `store-damaged` if something is damaged: then nothing was changed.
   */
  compact (): Promise<Compacted>
  /** {@link StorageContainer.backup}. */
  backup (folder: string, options?: { keep?: number }): Promise<Backup>
  /** Removes the stores that restores have replaced, and says which folders they were and how many bytes they had. */
  removeReplaced (): Promise<{ removed: string[], bytes: number }>
  /** Gives this share of the store back. With the last one of the process it lets go of the folder. */
  close (): Promise<void>
}

/** What a purge has done. */
export interface Purged {
  /** The sessions that were looked at. */
  sessions: number
  /** Those of them that are gone, or would be. */
  removed: number
  /** Those that are encrypted under another secret. They were left. */
  unreadable: number
  /** Records under keys of sessions that are none. They were left. */
  others: number
  /** Damaged records and lists. They were left, with the sessions that belong to them. */
  damaged: number
  /** The first hundred of them by name, for people. */
  described: string[]
}

/** What a repair has done. */
export interface Repaired {
  /** How many things were done. */
  repairs: number
  /** The first hundred of each kind, for people; they name lists, and show no contents. */
  repaired: string[]
  /** Items of session lists that were left because their sessions could not be read. */
  unreadable: number
  /** What is there now, and what could not be repaired. */
  left: Report
}

/** The bytes of the data's files. */
export interface Compacted {
  before: number
  /** As before, if the fresh files would not have been smaller: then nothing was changed. */
  after: number
}

/** What a store holds. */
export interface Usage {
  records: number
  /** The bytes of their contents. */
  bytes: number
  lists: number
  /** The items of all lists. */
  items: number
  /** By the words of their keys; both are empty for keys without them, and for what is of more than a thousand kinds. */
  kinds: Array<{ appid: string, kind: string, records: number, bytes: number }>
}

/** Numbers of an open store, since it was opened. */
export interface Stats {
  openSeconds: number
  /** Changes that wait to be written. */
  waiting: number
  commits: {
    /** Many changes may share one. */
    total: number
    /** On average of the last minute. */
    perSecond: number
    /** How long a commit took to be on the disk: for 50, 90, 99 and 100 in a hundred. Null before the first. */
    milliseconds: { p50: number | null, p90: number | null, p99: number | null, max: number | null }
  }
  /** Look-ups of the store; sessions that are kept parsed are none. */
  cache: {
    hits: number
    /** Those that were read from the disk. */
    misses: number
    /** From 0 to 1; null before the first look-up. */
    hitRate: number | null
    bytes: number
  }
  /** The data's files. */
  diskBytes: number
  /** The files of the stores that restores have replaced ({@link Store.removeReplaced}). */
  replacedBytes: number
}

/** What was loaded: as many as there were in the entries. */
export interface Loaded {
  records: number
  lists: number
  /** The items of all lists. */
  items: number
  /** The bytes of all records. */
  bytes: number
  /** Accounts and sessions that were there, of which something was kept. */
  kept: number
  /** The first hundred of them by key. */
  keptRecords: string[]
  /** What the end of all sessions has done, where data was overwritten. */
  ended?: Ended
}

/**
 * Opens the store in `path`, or makes one there. Within a process a folder is opened once: this shares the one that
 * the dashboard or a worker thread has. `cacheMB` (64) and `commitSeconds` (10) count for who opens it first. With
 * `create: false` a folder that holds no store is refused (`store-missing`) and stays as it is, and a store that cannot be
 * written is opened by a private copy in the folder of temporary files: changes of it are refused (`store-read-only`).
 *
 * `invalid-path`, `invalid-option`, `invalid-setting`, and `store-…` where it cannot be opened.
 */
export function open (options: { path: string, cacheMB?: number, commitSeconds?: number, create?: boolean }): Promise<Store>

/**
 * Puts the backup in `folder` in place of the store in `path`, which is kept in a folder within `path`. It is the whole
 * old store or the whole new one, however it is interrupted: the next open finishes or undoes it. `store-full` if there is
 * no room for the new store beside the old one: then nothing was changed. Every session of every
 * account is ended, since the backup is older than what was acknowledged, unless `keepSessions` is true: then sessions
 * that were ended since live again. Encrypted accounts need the host's `ENCRYPTION_SECRET` and
 * `ENCRYPTION_SECRET_IV`: else `accounts-unreadable`, and nothing is replaced. `invalid-folder`, also if both are the same
 * folder.
 */
export function restore (options: { path: string, folder: string, keepSessions?: boolean }): Promise<{
  backup: Report
  /** The bytes of the new store's files. */
  diskBytes: number
  /** Where the store that was there is kept; null if there was none. */
  replaced: string | null
  /** The bytes of its files. */
  replacedBytes: number
  /** Null if sessions were kept. */
  ended: Ended | null
}>

/**
 * Accepts a store that has gone back in time (`store-rolled-back`), and ends every session of every account, which has
 * to be asked for with `invalidateSessions`: else `invalid-recovery`. Until that is done the store stays refused. A store that
 * has not gone back in time is left as it is (`store-whole`) unless `evenIfWhole` is true. `accounts-unreadable` and
 * `store-damaged` if an account could not be given a new session key; all others have one then.
 */
export function recover (options: { path: string, invalidateSessions: true, evenIfWhole?: boolean }): Promise<Ended>

/** The bytes that a long call has read or copied so far, or the sessions that a purge has looked at, for a progress bar. */
export function progress (): number
