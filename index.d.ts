/// <reference types="node" />

/**
 * An error of this package. Every rejected promise of the package has one.
 *
 * `message` is a slug in kebab case without quotes, because Dashboard prints messages into JSON without escaping them
 * (`executeAPIRequest` in its `src/server.js`). Programs compare `code`; people read `detail`.
 *
 * | code | message | when |
 * |---|---|---|
 * | `ERR_INVALID` | `invalid-…` | an argument is wrong; the slug is Dashboard's own where it has one |
 * | `ERR_TOO_LARGE` | `invalid-…` | a key, path or item is over 64 KiB, an account or a session over 1 MiB, or other contents over 64 MiB |
 * | `ERR_ENCRYPTION_SECRET` | `invalid-encryption-secret` | Dashboard's secret has a wrong length, or is not the one of the stored account or session |
 * | `ERR_CACHE` | `invalid-cache` | Dashboard's setting `CACHE` is set |
 * | `ERR_SLED_PATH` | `invalid-sled-path` | two parts of the dashboard would share a folder |
 * | `ERR_SLED_DATABASE_URL` | `invalid-sled-database-url` | `SLED_DATABASE_URL` and `SLED_PATH` are both set, or two parts of the dashboard would share a database |
 * | `ERR_SLED_DURABILITY` | `invalid-sled-durability` | `SLED_DURABILITY` is not `external` |
 * | `ERR_SLED_CACHE_MB` | `invalid-sled-cache-mb` | `SLED_CACHE_MB` is not a whole number from 1 to 1048576 |
 * | `ERR_SLED_COMMIT_SECONDS` | `invalid-sled-commit-seconds` | `SLED_COMMIT_SECONDS` is not a whole number from 1 to 3600 |
 * | `ERR_SLED_PURGE_AFTER` | `invalid-sled-purge-after` | `SLED_PURGE_AFTER` is not an age such as `30d` |
 * | `ERR_MODULE_SETTING` | `invalid-…` | a setting of the module is wrong; the slug is the name of the setting, and `detail` says what it can be |
 * | `ERR_MODULE_INACTIVE` | `module-inactive` | `dashboard-sled` is not listed under `dashboard.modules`, or `STORAGE` is another one |
 * | `ERR_POSITION_PRUNED` | `position-pruned` | the next entries of the audit were removed, as `SLED_AUDIT_KEEP` says |
 * | `ERR_STORE_LOCKED` | `store-locked` | another process, or a forked worker of a cluster, has the store open |
 * | `ERR_STORE_NEWER_FORMAT` | `store-newer-format` | a later version wrote the store |
 * | `ERR_STORE_FOREIGN` | `store-foreign-folder` | the folder holds other files |
 * | `ERR_STORE_ROLLED_BACK` | `store-rolled-back` | the store lacks acknowledged changes |
 * | `ERR_STORE_GUARD` | `store-guard-mismatch` | the rollback guard and the data do not belong together |
 * | `ERR_STORE_DAMAGED` | `store-damaged` | something on the disk is damaged; `detail` names it |
 * | `ERR_STORE_POISONED` | `store-poisoned` | an earlier write failed; `cause` says why |
 * | `ERR_STORE_STUCK` | `store-stuck` | a commit made no progress for `SLED_COMMIT_SECONDS`; also the cause of `store-poisoned` |
 * | `ERR_STORE_MISSING` | `store-missing` | the folder holds neither a store nor a backup |
 * | `ERR_STORE_UNFINISHED` | `store-unfinished-copy` | the folder holds a backup that was interrupted, a restore into an empty folder was interrupted, or an import into the database was interrupted or is running |
 * | `ERR_OLD_BACKUP` | `old-backup-not-removed` | the new backup is complete, but an old one could not be removed; `detail` names both |
 * | `ERR_BACKUP_RUNNING` | `backup-running` | another backup of this store is still running |
 * | `ERR_PURGE_RUNNING` | `purge-running` | another process removes old sessions of the same store in a database |
 * | `ERR_STORE_READ_ONLY` | `store-read-only` | the folder cannot be written; reads work with `create: false` |
 * | `ERR_STORE_PERMISSION` | `store-not-permitted` | this user lacks a permission; `detail` has the file, its owner and mode |
 * | `ERR_EXPORT_DAMAGED` | `export-damaged` | a line of an export was changed; `detail` has its number and the reason |
 * | `ERR_STORE_WHOLE` | `store-whole` | `recover` was called for a store that lacks nothing |
 * | `ERR_ACCOUNTS_UNREADABLE` | `accounts-unreadable` | sessions cannot be ended, because accounts are encrypted under another secret |
 * | `ERR_STORE_FULL` | `store-full` | the disk is full, or has too little space for this call |
 * | `ERR_STORE_BUSY` | `store-busy` | over 65,536 changes or 256 MiB of contents wait to be written, or too many reads wait |
 * | `ERR_STORE_NO_THREAD` | `store-no-thread` | the system refused to start a thread; try again once its limit is higher |
 * | `ERR_STORE_STILL_OPEN` | `store-still-open` | `close` waited for `SLED_COMMIT_SECONDS`, and a call still uses the store; the folder becomes free when that call ends |
 * | `ERR_STORE_CLOSED` | `store-closed` | the store is closed |
 * | `ERR_STORE_IO` | `store-io-failed` | a call of the system failed; `detail` says which |
 * | `ERR_STORE_SLED` | `store-sled-failed` | sled failed for another reason |
 * | `ERR_SOURCE` | `source-invalid` | the URL of an import, or one of its options, is invalid |
 * | `ERR_SOURCE` | `source-client-missing` | the npm package that reads this kind of server is missing or too old |
 * | `ERR_SOURCE` | `source-unreachable` | the folder does not exist, or no server answers |
 * | `ERR_SOURCE` | `source-refused` | the server refused the user, the password, the database or a read |
 * | `ERR_SOURCE` | `source-not-dashboard` | the source holds no data of a dashboard |
 * | `ERR_SOURCE` | `source-changed` | something disappeared while it was read, because the dashboard still runs |
 * | `ERR_SOURCE` | `source-too-large` | the source holds something that is too large for a store |
 * | `ERR_SOURCE` | `source-unreadable` | a key or an item in a table is not UTF-8 |
 * | `ERR_SOURCE` | `source-interrupted` | the source failed or disconnected during the import |
 * | `ERR_STORE_UNAVAILABLE` | `store-unavailable` | the database did not answer, or did not confirm a change, within the time limit of a change |
 * | `ERR_STORE_DATABASE` | `store-unsuitable-database` | the database cannot hold a store: `detail` says why |
 * | `ERR_DATABASE_URL` | `invalid-database-url` | the URL of the database is invalid |
 * | `ERR_STORE_POSTGRES` | `store-postgres-failed` | PostgreSQL refused a statement |
 * | `ERR_STORE_NOT_OFFERED` | `store-not-offered` | a store in a database has no backup, compaction, repair or replaced stores |
 * | `ERR_STORE_PANIC` | `store-panicked` | a bug of this package was caught |
 * | `ERR_BINARY_MISMATCH` | `binary-mismatch` | `require` found the binary of another version; `detail` says which, and what to do |
 * | `ERR_PLATFORM_UNSUPPORTED` | `platform-unsupported` | `require` found no binary for this platform; `detail` lists the platforms, and how to build one |
 *
 * @example
 * ```js
 * try {
 *   await open({ path: 'data/no-such.sled', create: false })
 * } catch (error) {
 *   error.message // 'store-missing'
 *   error.code // 'ERR_STORE_MISSING'
 * }
 * ```
 */
export interface StoreError extends Error {
  /** A stable name for programs. The same code may come with several messages. */
  code: ErrorCode
  /** A sentence for people: what happened, to what, and what to do. It never quotes the contents of a record. */
  detail?: string
  /** The first failure, if this call was refused because of it. */
  cause?: StoreError
}

/** The value of {@link StoreError.code}. */
export type ErrorCode =
  | 'ERR_INVALID'
  | 'ERR_TOO_LARGE'
  | 'ERR_ENCRYPTION_SECRET'
  | 'ERR_CACHE'
  | 'ERR_SLED_PATH'
  | 'ERR_SLED_DATABASE_URL'
  | 'ERR_SLED_DURABILITY'
  | 'ERR_SLED_CACHE_MB'
  | 'ERR_SLED_COMMIT_SECONDS'
  | 'ERR_SLED_PURGE_AFTER'
  | 'ERR_MODULE_SETTING'
  | 'ERR_MODULE_INACTIVE'
  | 'ERR_POSITION_PRUNED'
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
  | 'ERR_BACKUP_RUNNING'
  | 'ERR_PURGE_RUNNING'
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
  | 'ERR_STORE_UNAVAILABLE'
  | 'ERR_STORE_DATABASE'
  | 'ERR_DATABASE_URL'
  | 'ERR_STORE_POSTGRES'
  | 'ERR_STORE_NOT_OFFERED'
  | 'ERR_STORE_PANIC'
  | 'ERR_BINARY_MISMATCH'
  | 'ERR_PLATFORM_UNSUPPORTED'

/**
 * Records by key, as Dashboard's `src/storage.js` expects them of a storage engine.
 *
 * A key is any string of 1 byte to 64 KiB in UTF-8. Keys are compared code unit by code unit, and are never paths on the
 * disk. Accounts and sessions (`<appid>/account/<id>`, `<appid>/session/<id>`) have at most 1 MiB, other contents 64 MiB.
 * Whatever is larger is refused with `ERR_TOO_LARGE`.
 *
 * A change resolves when it is synced to the disk. It can be refused with `store-poisoned`, `store-full`,
 * `store-read-only` or `store-busy`. A read can fail with `store-damaged`, `store-io-failed` or `store-busy`. After
 * `close` every call rejects with `store-closed`.
 */
export interface Records {
  /**
   * Returns whether there is a record.
   *
   * @throws `invalid-file` (`ERR_INVALID`) if `file` is not a string or is empty
   * @example
   * ```js
   * await storage.write('note/1', 'text')
   * await storage.exists('note/1') // true
   * await storage.exists('note/2') // false
   * ```
   */
  exists (file: string): Promise<boolean>
  /**
   * Returns a record as text, or undefined if there is none.
   *
   * @throws `invalid-file` (`ERR_INVALID`) if `file` is not a string or is empty
   * @example
   * ```js
   * await storage.write('note/1', 'text')
   * await storage.read('note/1') // 'text'
   * await storage.read('note/2') // undefined
   * ```
   */
  read (file: string): Promise<string | undefined>
  /**
   * Returns the records at `<prefix>/<id>`, by id. Ids without a record are left out.
   *
   * @throws `invalid-prefix` (`ERR_INVALID`) if `prefix` is not a string or is empty
   * @throws `invalid-files` (`ERR_INVALID`) if `ids` is not an array, is empty, or has something else than strings and numbers
   * @example
   * ```js
   * await storage.write('note/1', 'text')
   * await storage.readMany('note', [1, 2]) // { 1: 'text' }
   * ```
   */
  readMany (prefix: string, ids: Array<string | number>): Promise<{ [id: string]: string }>
  /**
   * Returns a record as bytes, or undefined if there is none. The buffer belongs to the caller.
   *
   * @throws `invalid-file` (`ERR_INVALID`) if `file` is not a string or is empty
   * @example
   * ```js
   * await storage.writeBinary('picture', new Uint8Array([137, 80]))
   * await storage.readBinary('picture') // Buffer.from([137, 80])
   * ```
   */
  readBinary (file: string): Promise<Buffer | undefined>
  /**
   * Writes a record, and replaces the one that is there. A write of an account or a session that was read before another
   * call changed it cannot undo a reset, a new password or an end ([stale writes](decisions/stale-writes.md)).
   *
   * @throws `invalid-file` (`ERR_INVALID`) if `file` is not a string or is empty; (`ERR_TOO_LARGE`) if it is over 64 KiB
   * @throws `invalid-contents` (`ERR_INVALID`) if `contents` is neither text nor bytes; (`ERR_TOO_LARGE`) if they are over 64 MiB
   * @throws `invalid-encryption-secret` (`ERR_ENCRYPTION_SECRET`) if the stored account or session was encrypted under another secret
   * @example
   * ```js
   * await storage.write('note/1', JSON.stringify({ text: 'on the disk once this resolves' }))
   * ```
   */
  write (file: string, contents: string | Uint8Array): Promise<void>
  /**
   * Writes a record from bytes, as `write` does.
   *
   * @throws `invalid-file` (`ERR_INVALID`) if `file` is not a string or is empty; (`ERR_TOO_LARGE`) if it is over 64 KiB
   * @throws `invalid-buffer` (`ERR_INVALID`) if `buffer` is neither bytes nor text; `invalid-contents` (`ERR_TOO_LARGE`) if it is over 64 MiB
   * @throws `invalid-encryption-secret` (`ERR_ENCRYPTION_SECRET`) as for `write`
   * @example
   * ```js
   * await storage.writeBinary('picture', await readFile('picture.png'))
   * ```
   */
  writeBinary (file: string, buffer: Uint8Array | string): Promise<void>
  /**
   * Removes a record. A missing record is not an error.
   *
   * @throws `invalid-file` (`ERR_INVALID`) if `file` is not a string or is empty
   * @example
   * ```js
   * await storage.write('note/1', 'text')
   * await storage.delete('note/1')
   * await storage.exists('note/1') // false
   * ```
   */
  delete (file: string): Promise<void>
}

/** The records of the dashboard's store, and the store itself. Dashboard gives it to its code as `dashboard.Storage`. */
export interface StorageContainer extends Records {
  /** Removes every record and every list. Exists only with `NODE_ENV=testing`, as in Dashboard's `src/storage-fs.js`. */
  flush? (): Promise<void>
  /**
   * Copies the store, as it is at one moment, into a folder that is new or empty, and verifies the copy before it resolves.
   * The store goes on working meanwhile. One backup of a store is made at a time. Of different
   * stores, two are made at a time, and others wait.
   *
   * With `keep`, a whole number from 1 on, the copy gets a folder within `folder`, named by the date in UTC. Once it is
   * complete, the oldest of these folders are removed until `keep` are left. A folder without a complete store is neither
   * counted nor removed. If anything fails, no backup is removed.
   *
   * @throws `invalid-folder` (`ERR_INVALID`) if `folder` is empty, is the store or lies within it; with `keep`, if it is a store or a backup itself
   * @throws `invalid-keep` (`ERR_INVALID`) if `keep` is not a whole number from 1 on
   * @throws `invalid-option` (`ERR_INVALID`) if there is an option with another name
   * @throws `backup-running` (`ERR_BACKUP_RUNNING`) if another backup of this store is still running
   * @throws `store-foreign-folder` (`ERR_STORE_FOREIGN`) if the folder is not empty
   * @throws `store-damaged` (`ERR_STORE_DAMAGED`) if something in the store is damaged
   * @throws `store-full` (`ERR_STORE_FULL`) if the disk has too little space
   * @throws `store-not-permitted` (`ERR_STORE_PERMISSION`) if this user may not write there
   * @throws `old-backup-not-removed` (`ERR_OLD_BACKUP`) if the new backup is complete, but an old one could not be removed
   * @example
   * ```js
   * const { folder, records, problems } = await storage.backup('backups', { keep: 14 })
   * console.log(`${records} records were copied to ${folder}`)
   * problems // 0
   * ```
   */
  backup (folder: string, options?: { keep?: number }): Promise<Backup>
  /**
   * Returns numbers to watch. It reads no data, only the sizes of a few files.
   *
   * @throws `store-closed` (`ERR_STORE_CLOSED`) after `close`
   * @example
   * ```js
   * const { waiting, commits, cache } = await storage.stats()
   * console.log(`${waiting} changes wait, ${commits.perSecond} commits per second, hit rate ${cache.hitRate}`)
   * ```
   */
  stats (): Promise<Stats>
  /**
   * Closes the store. Calls made before are still answered; later ones reject with `store-closed`. Resolves when the folder is
   * free, unless another thread of the process still uses the store.
   *
   * @throws `store-still-open` (`ERR_STORE_STILL_OPEN`) if a call still uses the store after `SLED_COMMIT_SECONDS`
   * @example
   * ```js
   * await storage.close()
   * ```
   */
  close (): Promise<void>
}

/** An item of a list. It is stored as text, so 3 and '3' are the same item. */
export type ItemId = string | number | boolean

/**
 * Lists by path, newest item first, as Dashboard's `src/storage-list.js` expects them of an engine.
 *
 * Paths and items are any strings of 1 byte to 64 KiB in UTF-8; whatever is larger is refused with `ERR_TOO_LARGE`. Numbers
 * must be finite. Changes and reads fail for the same reasons as in {@link Records}.
 */
export interface Lists {
  /**
   * Adds an item as the newest one. An item that is already in the list keeps its place.
   *
   * @throws `invalid-path` (`ERR_INVALID`) if `path` is not a string or is empty; (`ERR_TOO_LARGE`) if it is over 64 KiB
   * @throws `invalid-itemid` (`ERR_INVALID`) if `itemid` is empty or of another type; (`ERR_TOO_LARGE`) if it is over 64 KiB
   * @example
   * ```js
   * await lists.add('notes', 1)
   * await lists.add('notes', 2)
   * await lists.add('notes', 1)
   * await lists.listAll('notes') // ['2', '1']
   * ```
   */
  add (path: string, itemid: ItemId): Promise<void>
  /**
   * Adds one item to each of several lists, as one change: to all of them or to none.
   *
   * @throws `invalid-items` (`ERR_INVALID`) if `items` is not an object
   * @throws `invalid-path` (`ERR_INVALID`) if a path is empty; (`ERR_TOO_LARGE`) if it is over 64 KiB
   * @throws `invalid-itemid` (`ERR_INVALID`) if an item is empty or of another type; (`ERR_TOO_LARGE`) if it is over 64 KiB
   * @example
   * ```js
   * await lists.addMany({ 'dashboard/sessions': 'session_1', 'dashboard/account/sessions/account_1': 'session_1' })
   * await lists.count('dashboard/sessions') // 1
   * ```
   */
  addMany (items: { [path: string]: ItemId }): Promise<void>
  /**
   * Returns the number of items, 0 for a missing list. It takes one read, however long the list is.
   *
   * @throws `invalid-path` (`ERR_INVALID`) if `path` is not a string or is empty
   * @example
   * ```js
   * await lists.add('notes', 1)
   * await lists.count('notes') // 1
   * await lists.count('others') // 0
   * ```
   */
  count (path: string): Promise<number>
  /**
   * Returns whether a list has an item.
   *
   * @throws `invalid-path` (`ERR_INVALID`) if `path` is not a string or is empty
   * @throws `invalid-itemid` (`ERR_INVALID`) if `itemid` is empty or of another type
   * @example
   * ```js
   * await lists.add('notes', 1)
   * await lists.exists('notes', '1') // true
   * ```
   */
  exists (path: string, itemid: ItemId): Promise<boolean>
  /**
   * Returns a page of a list, newest items first, or undefined if the page is empty. The page is of one moment.
   *
   * `offset` (default 0) is the number of newest items to skip. `pageSize` is the largest number of items to return, by
   * default Dashboard's setting `PAGE_SIZE`; 0, a negative number or NaN returns all of them.
   *
   * @throws `invalid-path` (`ERR_INVALID`) if `path` is not a string or is empty
   * @throws `invalid-offset` (`ERR_INVALID`) if `offset` is negative
   * @throws `store-poisoned` (`ERR_STORE_POISONED`) if a failed commit would have changed this list
   * @example
   * ```js
   * await lists.add('notes', 1)
   * await lists.add('notes', 2)
   * await lists.add('notes', 3)
   * await lists.list('notes', 1, 10) // ['2', '1']
   * await lists.list('notes', 3, 10) // undefined
   * ```
   */
  list (path: string, offset?: number, pageSize?: number): Promise<string[] | undefined>
  /**
   * Returns all items, newest first, or undefined if there are none. They are of one moment.
   *
   * @throws `invalid-path` (`ERR_INVALID`) if `path` is not a string or is empty
   * @throws `store-poisoned` (`ERR_STORE_POISONED`) as for `list`
   * @example
   * ```js
   * await lists.add('notes', 1)
   * await lists.listAll('notes') // ['1']
   * ```
   */
  listAll (path: string): Promise<string[] | undefined>
  /**
   * Removes an item. A missing item is not an error.
   *
   * @throws `invalid-path` (`ERR_INVALID`) if `path` is not a string or is empty
   * @throws `invalid-itemid` (`ERR_INVALID`) if `itemid` is empty or of another type
   * @example
   * ```js
   * await lists.add('notes', 1)
   * await lists.remove('notes', 1)
   * await lists.listAll('notes') // undefined
   * ```
   */
  remove (path: string, itemid: ItemId): Promise<void>
}

/** The lists of the dashboard's store. Dashboard gives it to its code as `dashboard.StorageList`. */
export interface StorageListContainer extends Lists {
  /** Removes every record and every list. Exists only with `NODE_ENV=testing`. */
  flush? (): Promise<void>
}

/** The storage engine that Dashboard's `src/storage.js` loads with `STORAGE=dashboard-sled`. */
export const Storage: {
  /**
   * Opens the dashboard's store in `SLED_PATH`, and creates it if the folder is missing or empty. With a `prefix`, opens the
   * store of a module of Dashboard in `<PREFIX>_SLED_PATH`. With `SLED_DATABASE_URL` or `<PREFIX>_SLED_DATABASE_URL`, the store is in that
   * PostgreSQL database. A folder is opened once in a process, for all of its threads.
   *
   * @throws `invalid-prefix` (`ERR_INVALID`) if `prefix` has other characters than letters, digits and underscores
   * @throws `invalid-cache` (`ERR_CACHE`) if `CACHE` is set
   * @throws `invalid-appid` (`ERR_INVALID`) if `APPID` is `dashboard-sled`, the name of records that this package keeps of its own
   * @throws `invalid-sled-path` (`ERR_SLED_PATH`) if another part of the dashboard has this folder
   * @throws `invalid-sled-database-url` (`ERR_SLED_DATABASE_URL`) if a folder and a database are both set, or another part of the dashboard has this database
   * @throws `invalid-sled-durability` (`ERR_SLED_DURABILITY`) if that setting is not `external`
   * @throws `invalid-sled-cache-mb` (`ERR_SLED_CACHE_MB`) if that setting is not a whole number from 1 to 1048576
   * @throws `invalid-sled-commit-seconds` (`ERR_SLED_COMMIT_SECONDS`) if that setting is not a whole number from 1 to 3600
   * @throws `invalid-sled-purge-after` (`ERR_SLED_PURGE_AFTER`) if that setting is not an age such as `30d`
   * @throws `store-locked` (`ERR_STORE_LOCKED`) and the other errors of {@link open}
   * @example
   * ```js
   * const storage = await Storage.setup()
   * await storage.write('note/1', 'text')
   * await storage.close()
   * ```
   */
  setup (prefix?: string): Promise<StorageContainer>
}

/** The engine of lists that belongs to `Storage`. Dashboard's `src/storage-list.js` loads it. */
export const StorageList: {
  /**
   * Opens the lists of the store that `Storage.setup(prefix)` opens. `storage` is ignored; Dashboard passes it.
   *
   * @throws `store-locked` (`ERR_STORE_LOCKED`) and the other errors of `Storage.setup`
   * @example
   * ```js
   * const storage = await Storage.setup()
   * const lists = await StorageList.setup(storage)
   * await lists.add('notes', 1)
   * ```
   */
  setup (storage?: unknown, prefix?: string): Promise<StorageListContainer>
}

/** The request that Dashboard passes to its modules. Other properties are ignored and left unchanged. */
export interface Request {
  /** The application (tenant). Records of another application are never returned. */
  appid: string
  /** The parameters of the request, such as `sessionid` and `accountid`. */
  query: { [name: string]: any }
  /** Records by id that take precedence over the store, as text or as objects. `ResetSessionKey` ignores them. */
  cacheData?: { [id: string]: any }
}

/**
 * A session as Dashboard's `create-session.js` writes it, without its `tokenHash`. All times are in whole seconds since 1970.
 * An application declares the properties that its modules add.
 */
export interface Session {
  object: 'session'
  /** Begins with `session_`. */
  sessionid: string
  accountid: string
  /** Time of the sign-in. */
  created: number
  /** Time from which on it is no longer valid: 20 minutes, 8 hours or 30 days after `created`. */
  expires: number
  /** The account's number at the sign-in. A higher number of the account ends the session. */
  sessionKeyNumber: number
  /** Time at which the password was last confirmed. */
  lastVerified?: number
  /** Time at which it ended: the stored one, else the account's last reset, else `expires`. Missing while it is valid. */
  ended?: number
}

/**
 * An account as Dashboard writes it, without `sessionKey`, `usernameHash` and `passwordHash`. All times are in whole seconds
 * since 1970. An application declares the properties that its modules add:
 * `declare module 'dashboard-sled' { interface Account { … } }`.
 */
export interface Account {
  object: 'account'
  /** Begins with `account_`. */
  accountid: string
  /** Time of the registration. */
  created: number
  /** Number of resets of the session key so far, plus 1 (`create-account.js`). */
  sessionKeyNumber: number
  /** Time of the last reset of the session key. */
  sessionKeyLastReset?: number
  /** Time from which on it is an administrator. */
  administrator?: number
  /** Time from which on it owns the dashboard. */
  owner?: number
  /** Time at which it will be deleted, or was. */
  deleted?: number
  lastSignedIn?: number
  passwordLastChanged?: number
  usernameLastChanged?: number
  profileLastDeleted?: number
  resetCodeLastCreated?: number
  resetCodeLastDeleted?: number
  resetCodeLastUsed?: number
  /** The default profile. The account has a copy of its properties, which follow (`create-profile.js`). */
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

/** Replaces Dashboard's `src/www/api/administrator/session.js`. */
export const Session: {
  /**
   * Returns the session `req.query.sessionid`, as Dashboard's own module does. A session that is no longer valid has `ended`.
   * If its end is not stored, `req.query.accountid` is set to its account, as Dashboard's module leaves it. Times are compared
   * with Dashboard's clock, or with the system's where Dashboard is not loaded.
   *
   * @throws `invalid-sessionid` (`ERR_INVALID`) if the id is missing, not a string or unknown
   * @throws `invalid-accountid` (`ERR_INVALID`) if the account of the session is missing
   * @throws `store-closed` (`ERR_STORE_CLOSED`) if the dashboard's store is not open
   * @throws `store-damaged` (`ERR_STORE_DAMAGED`) if a record is damaged
   * @example
   * ```js
   * const session = await Session.get({ appid: 'dashboard', query: { sessionid: 'session_1' } })
   * session.accountid // 'account_1'
   * session.ended // undefined
   * ```
   */
  get (req: Request): Promise<Session>
}

/** Replaces Dashboard's `src/www/api/administrator/reset-session-key.js`. */
export const ResetSessionKey: {
  /**
   * Ends all sessions of the account `req.query.accountid`, and returns the account. It gets a random `sessionKey` of 64
   * hexadecimal characters, the present time as `sessionKeyLastReset`, and a `sessionKeyNumber` that is one higher, as one
   * change. Resolves when the change is on the disk.
   *
   * @throws `invalid-accountid` (`ERR_INVALID`) if the id is missing, not a string or unknown
   * @throws `invalid-account` (`ERR_INVALID`) if the account is deleted
   * @throws `invalid-encryption-secret` (`ERR_ENCRYPTION_SECRET`) if Dashboard's secret does not have 32 bytes, or its IV 16
   * @throws `store-poisoned` (`ERR_STORE_POISONED`), `store-full` (`ERR_STORE_FULL`) or `store-busy` (`ERR_STORE_BUSY`) if the store accepts no change
   * @example
   * ```js
   * const account = await ResetSessionKey.patch({ appid: 'dashboard', query: { accountid: 'account_1' } })
   * account.sessionKeyNumber // 2
   * const session = await Session.get({ appid: 'dashboard', query: { sessionid: 'session_1' } })
   * session.ended === account.sessionKeyLastReset // true
   * ```
   */
  patch (req: Request): Promise<Account>
}

/** Does what Dashboard's `src/www/api/administrator/account.js` does. The two calls above use it. */
export const Account: {
  /**
   * Returns the account `req.query.accountid` without its secrets.
   *
   * @throws `invalid-accountid` (`ERR_INVALID`) if the id is missing, not a string or unknown
   * @throws `store-closed` (`ERR_STORE_CLOSED`) if the dashboard's store is not open
   * @example
   * ```js
   * const account = await Account.get({ appid: 'dashboard', query: { accountid: 'account_1' } })
   * account.sessionKeyNumber // 1
   * ```
   */
  get (req: Request): Promise<Account>
}

/** Why sessions ended. `unreadable` is an entry under another secret, `unknown` an end from before the module was listed. */
export type Cause =
  | 'signed-out'
  | 'ended-by-user'
  | 'ended-by-administrator'
  | 'session-key-reset'
  | 'password-changed'
  | 'account-deleted'
  | 'expired'
  | 'idle'
  | 'limit'
  | 'restore'
  | 'application-wide'
  | 'unreadable'
  | 'unknown'

/** Whoever ended sessions. */
export interface Actor {
  /** `visitor` has no session: somebody with a reset code. `system` is a call without a request, `erased` an account after `Audit.erase`. */
  type: 'administrator' | 'user' | 'visitor' | 'policy' | 'command-line' | 'system' | 'erased'
  accountid?: string
  sessionid?: string
  /** The user of the operating system, of the command line. */
  user?: string
}

/** A request to end or to list sessions. Over HTTP every value is text, and `body` counts before `query`. */
export interface SessionsRequest {
  /** The application (tenant). */
  appid: string
  query: { [name: string]: any }
  body?: { [name: string]: any }
  account?: { accountid: string }
}

/** What an end has done, or would do. */
export interface Receipt {
  object: 'receipt'
  dryRun: boolean
  /** Number of sessions. Missing for all of an application, which only a dry run counts. */
  ended?: number
  /** The first hundred of them. */
  sessionids: string[]
  /** Accounts all of whose sessions ended, by a new session key. */
  accountids: string[]
  /** Sessions of the application that were created before this time ended, in seconds. */
  createdBefore?: number
  /** When the end is in force, in seconds: before the promise resolves, for every thread, process and machine. */
  time: number
  /** Numbers of the entries in the audit. Missing in a dry run. */
  entries?: number[]
}

/** A session with its state. */
export interface ListedSession extends Session {
  state: 'live' | 'ended'
  /** Seconds since the sign-in. */
  age: number
  /** Last request, in seconds; up to a minute old after a crash. */
  lastSeen: number
  /** Of the last request. Missing with `SLED_AUDIT_CLIENTS=off`. */
  address?: string
  agent?: string
}

/**
 * An entry of the audit. Where the account was erased, only `number`, `time`, `cause`, `appid`, `hash` and `erased` are left; where the
 * actor was, `actor` has the type `erased`.
 */
export interface AuditEntry {
  object: 'audit-entry'
  /** Entries of all applications of a store are one sequence, from 1. */
  number: number
  /** In seconds. Never before that of the entry before. */
  time: number
  cause: Cause
  appid: string
  accountid?: string
  /** The session, if it is about a single one. */
  sessionid?: string
  /** All sessions of the account with a smaller number ended. */
  sessionKeyNumber?: number
  /** All sessions of the application that were created before ended, in seconds. */
  before?: number
  actor?: Actor
  address?: string
  agent?: string
  /** Text of the administrator, at most 500 characters. */
  reason?: string
  erased?: true
  /** SHA-256 over this entry and the hash of the one before, in hexadecimal. */
  hash: string
}

/** Calls about many sessions. `get` replaces Dashboard's `src/www/api/administrator/sessions.js`; the others are new. */
export const Sessions: {
  /**
   * Returns a page of sessions, newest first, as Dashboard's own module does: of `req.query.accountid` or of the application;
   * `null` if there are none.
   *
   * @throws `invalid-offset` (`ERR_INVALID`) and the other errors of `StorageList.list`, and of {@link Session.get}
   * @example
   * ```js
   * await Sessions.get({ appid: 'dashboard', query: { all: true } })
   * ```
   */
  get (req: Request): Promise<Session[] | null>
  /**
   * Returns a page of sessions with their state, newest first. Pages do not shift while sessions come and go.
   * `query` has `accountid`, `state` (`live` or `ended`), `limit` (1 to 500, by default 100) and the `cursor` of the page before. A
   * page may have fewer sessions than its limit; the last one has no cursor.
   *
   * @throws `invalid-accountid`, `invalid-state`, `invalid-limit` or `invalid-cursor` (`ERR_INVALID`)
   * @throws `module-inactive` (`ERR_MODULE_INACTIVE`)
   * @example
   * ```js
   * const { sessions, cursor } = await Sessions.list({ appid: 'dashboard', query: { state: 'live' } })
   * ```
   */
  list (req: SessionsRequest): Promise<{ sessions: ListedSession[], cursor?: string }>
  /**
   * Ends sessions, and returns a receipt once that is on the disk and in force. Give exactly one of
   *
   * - `sessionid`: one session
   * - `accountid`: all of an account, or with `except` all but this one
   * - `accountids`: all of up to 1,000 accounts, as an array or separated by commas
   * - `all`: all of the application, as one write however many there are. Those that are created in the same second have ended as well
   *
   * `before` and `idleSince` choose, in seconds, those that were created or last seen before. A time in the future is refused; one that Dashboard's clock has not reached counts as the next second.
   * `dryRun` ends nothing. `reason` is kept in the audit. With an `idempotencyKey` a second call within a day returns the receipt
   * of the first one, and ends nothing. Up to 1,000 single sessions end in one commit.
   *
   * @throws `invalid-selection` (`ERR_INVALID`) if nothing is chosen, or more than one thing
   * @throws `invalid-parameter` (`ERR_INVALID`) if a name is unknown, or is in the body and the query with two values: nothing ends then
   * @throws `invalid-sessionid`, `invalid-accountid`, `invalid-accountids`, `invalid-before` and so on (`ERR_INVALID`) if a value is empty,
   * wrong or unknown in this application
   * @throws `module-inactive` (`ERR_MODULE_INACTIVE`)
   * @example
   * ```js
   * const req = { appid: 'dashboard', query: { sessionid: 'session_1' }, body: { reason: 'a lost phone' } }
   * const receipt = await Sessions.end(req)
   * receipt.ended // 1
   * ```
   */
  end (req: SessionsRequest): Promise<Receipt>
}

/** Explains ends of sessions. */
export const SessionEnd: {
  /**
   * Returns why the session `sessionid` ended, by whom and when; `null` while it is live.
   *
   * @throws `invalid-sessionid` or `invalid-accountid` (`ERR_INVALID`) as {@link Session.get}
   * @throws `module-inactive` (`ERR_MODULE_INACTIVE`)
   * @example
   * ```js
   * const req = { appid: 'dashboard', query: { sessionid: 'session_1' } }
   * await Sessions.end(req)
   * const end = await SessionEnd.get(req)
   * end?.cause // 'ended-by-administrator'
   * ```
   */
  get (req: SessionsRequest): Promise<(Partial<Omit<AuditEntry, 'object'>> & { object: 'session-end', sessionid: string, accountid: string, cause: Cause, ended?: number }) | null>
}

/** The record of what ended: each entry is written in the commit that ends the sessions. */
export const Audit: {
  /**
   * Returns a page of entries, newest first. `query` has `accountid`, `actor` (an account or a type), `cause`, `since` and `until` (in
   * seconds), `limit` (1 to 500, by default 100) and `cursor`. `missing` is the number of entries of the store that the page came upon and that
   * are missing, though they were not removed because of their age: the store is damaged, and `Audit.verify` says more.
   *
   * @throws `invalid-cause`, `invalid-cursor`, `invalid-limit`, `invalid-accountid`, `invalid-actor`, `invalid-since` or `invalid-until` (`ERR_INVALID`)
   * @throws `module-inactive` (`ERR_MODULE_INACTIVE`)
   * @example
   * ```js
   * const { entries } = await Audit.list({ appid: 'dashboard', query: { cause: 'idle' } })
   * ```
   */
  list (req: SessionsRequest): Promise<{ entries: AuditEntry[], cursor?: string, missing: number }>
  /**
   * Checks the chain of all entries of the store. Returns their number, and a sentence about the first break with its number.
   *
   * @throws `module-inactive` (`ERR_MODULE_INACTIVE`)
   * @example
   * ```js
   * const found = await Audit.verify()
   * found.break // null
   * ```
   */
  verify (options?: { progress?: (number: number) => void }): Promise<{ entries: number, break: string | null, number: number | null }>
  /**
   * Removes what the audit tells of `accountid`: all details where its sessions ended, and the actor, address and user agent where
   * it ended those of others; also from where its sessions were last seen. The entries keep their places in the chain, which still
   * holds. Returns the number of entries from which something was removed.
   *
   * @throws `invalid-accountid` (`ERR_INVALID`)
   * @throws `module-inactive` (`ERR_MODULE_INACTIVE`)
   * @example
   * ```js
   * await Audit.erase({ appid: 'dashboard', query: { accountid: 'account_1' } })
   * ```
   */
  erase (req: SessionsRequest): Promise<{ object: 'erasure', accountid: string, entries: number }>
}

/** An entry of the audit with the words of OpenID CAEP (`session-revoked`). */
export interface SessionEvent extends AuditEntry {
  /** Where `watch` goes on: the number, and the first 16 digits of the hash. Unlike the number, it is never given out again. */
  position: string
  event: string
  /** Missing if the actor was erased. */
  initiating_entity?: 'admin' | 'user' | 'policy' | 'system'
  event_timestamp: number
  reason_admin: string
  reason_user: string
}

/**
 * Returns ends and resets of an application in the order of the audit, after `after`: the `position` of the last event that was
 * handled, 0 for all. Without it they begin now. A number is accepted as well, but after a restore of a backup it may name another event.
 * It ends with `return()`, with `signal`, and when the store closes.
 *
 * @throws `invalid-position`, `invalid-appid`, `invalid-signal` or `invalid-option` (`ERR_INVALID`) at once
 * @throws `module-inactive` (`ERR_MODULE_INACTIVE`)
 * @throws `position-pruned` (`ERR_POSITION_PRUNED`) from `next()`, if the next entries were removed
 * @throws `invalid-position` (`ERR_INVALID`) from `next()`, if the store does not have this entry: a backup was restored, or it is another one
 * @throws `store-damaged` (`ERR_STORE_DAMAGED`) from `next()`, if an entry is missing
 * @example
 * ```js
 * await Sessions.end({ appid: 'dashboard', query: { sessionid: 'session_1' } })
 * for await (const event of watch({ after: 0, appid: 'dashboard' })) {
 *   event.sessionid // 'session_1'
 *   break
 * }
 * ```
 */
export function watch (options?: { after?: number | string, appid?: string, signal?: AbortSignal }): AsyncIterableIterator<SessionEvent>

/** An event that the webhook could not deliver for three days. */
export interface UndeliveredEvent {
  object: 'undelivered-event'
  number: number
  /** Of this event alone, from its own first one on. */
  attempts: number
  /** When it was given up, in seconds. */
  time: number
  reason: string
  /** Missing if its entry was pruned. */
  event: SessionEvent | null
}

/** Events that the webhook could not deliver. */
export const Webhooks: {
  /**
   * Returns a page, newest first, and the number of all. `query` may have the `cursor` of the page before.
   *
   * @throws `invalid-appid` or `invalid-cursor` (`ERR_INVALID`)
   * @throws `module-inactive` (`ERR_MODULE_INACTIVE`)
   * @example
   * ```js
   * const found = await Webhooks.undelivered({ appid: 'dashboard', query: {} })
   * found.count // 0
   * ```
   */
  undelivered (req: SessionsRequest): Promise<{ count: number, events: UndeliveredEvent[], cursor?: string }>
  /**
   * Takes the event `number`, or with `all` up to a hundred, from the list, and tries each in the background for three days again. Does not wait
   * for the receiver: an event that it does not accept comes back into the list. Returns how many are tried, and how many are left.
   *
   * @throws `invalid-appid`, `invalid-number` or `invalid-all` (`ERR_INVALID`): give either the number of a listed event, or `all`
   * @throws `store-busy` (`ERR_STORE_BUSY`) if the webhook writes its record all the time
   * @throws `module-inactive` (`ERR_MODULE_INACTIVE`)
   * @example
   * ```js
   * await Webhooks.retry({ appid: 'dashboard', query: { all: true } })
   * ```
   */
  retry (req: SessionsRequest): Promise<{ retried: number, left: number }>
}

/**
 * Prepares a running Dashboard. Dashboard calls it, after its storage is set up, if `dashboard-sled` is listed under
 * `dashboard.modules` (`index.js` of Dashboard). It does nothing unless `STORAGE` is `dashboard-sled`. Otherwise it
 * - replaces `read` of `dashboard.Storage` (`src/storage.js`) by one that asks the store once;
 * - replaces the methods of `dashboard.StorageObject` (`src/storage-object.js`) by atomic ones;
 * - replaces `add` and `addMany` of `dashboard.StorageList` (`src/storage-list.js`) by ones that take a single step;
 * - makes the changes of `CreateSession.post` (`src/www/api/user/create-session.js`) together, in one commit;
 * - puts the [gate](decisions/gate.md) around the handlers of all modules;
 * - starts the audit, the policies, and the note of when sessions were last seen ([sessions](sessions.md)).
 *
 * @throws `store-locked` (`ERR_STORE_LOCKED`) and the other errors of `Storage.setup`
 */
export function setup (): Promise<void>

/** The result of reading a whole store. */
export interface Report {
  /** Number of records. */
  records: number
  /** Number of lists. */
  lists: number
  /** Number of items in all lists. */
  items: number
  /** Size of all keys and values, in bytes. */
  bytes: number
  /** Number of problems; 0 if the store is whole. */
  problems: number
  /** The first hundred problems, a sentence each. They name keys, and show no contents. */
  described: string[]
}

/** A backup that was made and verified. */
export interface Backup extends Report {
  /** The absolute path of the backup. */
  folder: string
  /** The folders of the old backups that were removed. Empty without `keep`. */
  removed: string[]
}

/** The result of ending all sessions. */
export interface Ended {
  /** Number of accounts that got a new session key. */
  accounts: number
  /** Number of records with the key of an account that are not accounts. They are unchanged. */
  others: number
}

/** A record of {@link Store.load}. */
export interface RecordEntry {
  /** The key: any string of 1 byte to 64 KiB. */
  record: string
  /** The bytes as they are stored, encrypted if Dashboard encrypts them; at most 64 MiB. */
  contents: Uint8Array
}

/** A list, or a part of one, of {@link Store.load}. */
export interface ListEntry {
  /** The path: any string of 1 byte to 64 KiB. */
  list: string
  /** Items, oldest first. The parts of a list follow each other. */
  items: string[]
}

/** An open store without Dashboard around it. {@link open} returns it; the command-line tool is written over it. */
export interface Store {
  /** The absolute path of the store's folder, without links. */
  readonly path: string
  /** The records by key. */
  storage: Records
  /** The lists by path. */
  lists: Lists
  /**
   * Returns everything in the store: records, then lists, each in a fixed order. A long list comes in several parts that
   * follow each other. Something that changes meanwhile appears in its old or its new state, everything else exactly once.
   *
   * Damaged records, lists and items are left out. `onDamage` is called with their number and the names of the first ones,
   * once for each page of data; without `onDamage` the first damage is an error.
   *
   * @throws `store-damaged` (`ERR_STORE_DAMAGED`) if something is damaged and there is no `onDamage`
   * @throws `store-poisoned` (`ERR_STORE_POISONED`) after a failed commit, because the data lacks its changes
   * @example
   * ```js
   * await store.storage.write('note/1', 'text')
   * for await (const entry of store.entries()) {
   *   if (entry.record !== undefined) {
   *     console.log(entry.record, entry.contents.toString())
   *   } else {
   *     console.log(entry.list, entry.items)
   *   }
   * }
   * ```
   */
  entries (options?: { onDamage?: (damaged: { number: number, described: string[] }) => void }): AsyncGenerator<{ record: string, contents: Buffer, list?: undefined, items?: undefined } | ListEntry & { record?: undefined, contents?: undefined }, void, undefined>
  /**
   * Writes entries in atomic batches of up to 1,000 changes or 1 MiB. At most two batches are in memory. After an error some of
   * the entries may be written; loading all of them again is harmless.
   *
   * Records replace the stored ones, except where an account or a session would go back: an ended session stays ended, the
   * number of a session key never falls, a replaced key or password stays replaced, and a deletion stays
   * ([why](decisions/imports.md)). `kept` counts these records. Items are added as the newest ones, in their order; items
   * that are already in the list keep their place.
   *
   * With `overwrite`, records replace whatever is stored, and every session of every account is ended afterwards, as by
   * {@link restore}. Write nothing else meanwhile. If the process ends before that, the store opens again only after
   * {@link recover}. In an empty store `overwrite` makes no difference. With `dryRun` nothing is changed, and the entries
   * are only counted.
   *
   * @throws `invalid-entries` (`ERR_INVALID`) if `entries` cannot be iterated
   * @throws `invalid-entry` (`ERR_INVALID`) if an entry is neither a record nor a list
   * @throws `invalid-file`, `invalid-path`, `invalid-itemid` or `invalid-contents` (`ERR_INVALID`, `ERR_TOO_LARGE`) if a part of an entry is empty or too large
   * @throws `invalid-setting` (`ERR_INVALID`) if there is another option, or one that is not true or false
   * @throws `invalid-encryption-secret` (`ERR_ENCRYPTION_SECRET`) if a stored account or session cannot be compared without Dashboard's `ENCRYPTION_SECRET` and `ENCRYPTION_SECRET_IV`
   * @example
   * ```js
   * const { records, items } = await store.load([
   *   { record: 'note/1', contents: Buffer.from('text') },
   *   { list: 'notes', items: ['1'] }
   * ])
   * records // 1
   * items // 1
   * ```
   */
  load (entries: Iterable<RecordEntry | ListEntry> | AsyncIterable<RecordEntry | ListEntry>, options?: { overwrite?: boolean, dryRun?: boolean }): Promise<Loaded>
  /**
   * Removes the sessions of every application that ended longer ago than `olderThan`, in small batches, while the store goes on
   * working. `olderThan` is a whole number from 1 on with a unit: `s`, `m`, `h`, `d` or `w`. A session has ended as
   * `Session.get` says: by its stored end, a reset of its account, or its expiry. Its map and its items in lists are removed
   * with it. With `dryRun` the sessions are only counted.
   *
   * Encrypted sessions need Dashboard's `ENCRYPTION_SECRET` and `ENCRYPTION_SECRET_IV`; without them they stay and are counted.
   *
   * @throws `invalid-age` (`ERR_INVALID`) if `olderThan` is not such an age
   * @throws `store-poisoned` (`ERR_STORE_POISONED`) after a failed commit
   * @example
   * ```js
   * const { sessions, removed } = await store.purge({ olderThan: '30d', dryRun: true })
   * console.log(`${removed} of ${sessions} sessions would be removed`)
   * ```
   */
  purge (options: { olderThan: string, dryRun?: boolean }): Promise<Purged>
  /**
   * Returns the same as {@link StorageContainer.stats}, with null for `signIn`.
   *
   * @example
   * ```js
   * const { diskBytes } = await store.stats()
   * ```
   */
  stats (): Promise<Stats>
  /**
   * Returns the contents of the store by application and kind. It reads every record.
   *
   * @throws `store-poisoned` (`ERR_STORE_POISONED`) after a failed commit
   * @example
   * ```js
   * await store.storage.write('dashboard/account/account_1', '{}')
   * const { kinds } = await store.usage()
   * kinds // [{ appid: 'dashboard', kind: 'account', records: 1, bytes: 2 }]
   * ```
   */
  usage (): Promise<Usage>
  /**
   * Reads everything, and returns what is wrong. Write nothing meanwhile.
   *
   * @throws `store-locked` (`ERR_STORE_LOCKED`) if something else in this process has the store open
   * @example
   * ```js
   * const { problems, described } = await store.verify()
   * problems // 0
   * described // []
   * ```
   */
  verify (): Promise<Report>
  /**
   * Rebuilds counters and indexes of lists from the records, removes chunks of values that nothing points to, and removes items of
   * session lists whose session or account is gone. (Dashboard's `delete-account.js` leaves such items, and then its
   * administrator's list of sessions fails.) It never guesses: damaged records stay as they are. The store is closed
   * meanwhile (`store-closed`), and open again when this resolves or rejects.
   *
   * @throws `store-locked` (`ERR_STORE_LOCKED`) if something else in this process has the store open
   * @example
   * ```js
   * const { repairs, left } = await store.repair()
   * repairs // 0
   * left.problems // 0
   * ```
   */
  repair (): Promise<Repaired>
  /**
   * Rewrites the store into new files, because the old ones never shrink, and swaps them in. The store is whole after a crash
   * at any step. It is closed meanwhile, as for `repair`.
   *
   * @throws `store-full` (`ERR_STORE_FULL`) if the disk has no space for both; nothing was changed
   * @throws `store-damaged` (`ERR_STORE_DAMAGED`) if something is damaged; nothing was changed
   * @throws `store-locked` (`ERR_STORE_LOCKED`) if something else in this process has the store open
   * @example
   * ```js
   * const { before, after } = await store.compact()
   * console.log(`${before} bytes became ${after}`)
   * ```
   */
  compact (): Promise<Compacted>
  /**
   * Does the same as {@link StorageContainer.backup}.
   *
   * @throws `invalid-folder` (`ERR_INVALID`) and the other errors of that method
   * @example
   * ```js
   * const { problems } = await store.backup('backups/today')
   * problems // 0
   * ```
   */
  backup (folder: string, options?: { keep?: number }): Promise<Backup>
  /**
   * Removes the stores that were replaced by restores, and returns their folders and their size in bytes.
   *
   * @example
   * ```js
   * await store.removeReplaced() // { removed: [], bytes: 0 }
   * ```
   */
  removeReplaced (): Promise<{ removed: string[], bytes: number }>
  /**
   * Closes this use of the store. The last one in the process frees the folder.
   *
   * @throws `store-still-open` (`ERR_STORE_STILL_OPEN`) if a call still uses the store after `commitSeconds`
   * @example
   * ```js
   * await store.close()
   * ```
   */
  close (): Promise<void>
}

/** The result of {@link Store.purge}, in numbers. */
export interface Purged {
  /** Sessions that were examined. */
  sessions: number
  /** Sessions that were removed, or would be with `dryRun`. */
  removed: number
  /** Sessions that are encrypted under another secret. They are unchanged. */
  unreadable: number
  /** Records with the key of a session that are not sessions. They are unchanged. */
  others: number
  /** Damaged records and lists. They are unchanged, as are the sessions that belong to them. */
  damaged: number
  /** The first hundred damaged records and lists, a sentence each. */
  described: string[]
}

/** The result of {@link Store.repair}. */
export interface Repaired {
  /** Number of repairs. */
  repairs: number
  /** The first hundred repairs of each kind, a sentence each. They name lists, and show no contents. */
  repaired: string[]
  /** Number of items in session lists that were left, because their sessions could not be read. */
  unreadable: number
  /** The state afterwards, with the problems that could not be repaired. */
  left: Report
}

/** The result of {@link Store.compact}: sizes of the data's files. */
export interface Compacted {
  /** In bytes. */
  before: number
  /** In bytes. Equal to `before` if new files would not be smaller; then nothing was changed. */
  after: number
}

/** The contents of a store. */
export interface Usage {
  /** Number of records. */
  records: number
  /** Size of their contents, in bytes. */
  bytes: number
  /** Number of lists. */
  lists: number
  /** Number of items in all lists. */
  items: number
  /**
   * Records and bytes by application and kind, as their keys say (`<appid>/<kind>/<id>`). Both are empty for other keys, and for
   * everything after a thousand kinds.
   */
  kinds: Array<{ appid: string, kind: string, records: number, bytes: number }>
}

/** Numbers of a store since it was opened. */
export interface Stats {
  /** Seconds since the store was opened. */
  openSeconds: number
  /** Number of changes that wait to be written, from 0 to 65,536. */
  waiting: number
  commits: {
    /** Number of commits. Several changes may share one. */
    total: number
    /** Average of the last minute. */
    perSecond: number
    /** Milliseconds until a commit is on the disk: percentiles and the longest time. Null before the first commit. */
    milliseconds: { p50: number | null, p90: number | null, p99: number | null, max: number | null }
    /** The same for the commits of this minute and of the one before. Null while there are none. */
    recentMilliseconds: { p50: number | null, p90: number | null, p99: number | null, max: number | null }
    /** Number of writes of accounts and sessions of which a part was stale, and therefore refused: docs/migration.md. */
    staleWrites: number
  }
  /** Look-ups of records and list items. `Session.get` of a parsed session is not counted. */
  cache: {
    /** Look-ups answered from memory. */
    hits: number
    /** Look-ups answered from the disk. */
    misses: number
    /** `hits` divided by all look-ups, from 0 to 1. Null before the first one. */
    hitRate: number | null
    /** Size of the cache in memory, in bytes. */
    bytes: number
  }
  /** Size of the data's files, in bytes. */
  diskBytes: number
  /** Size of the stores that were replaced by restores ({@link Store.removeReplaced}), in bytes. */
  replacedBytes: number
  /**
   * How this dashboard makes sign-ins. `one-commit`: natively, so a sign-in waits for the disk once. With the other values
   * Dashboard's own function makes them, in four commits: `other-version`, because its file is not of a version that was tested;
   * `replaced`, because another module has replaced it or a call that it makes. Null for a store that is not the one of a
   * dashboard with this module.
   */
  signIn: 'one-commit' | 'other-version' | 'replaced' | null
}

/** The result of {@link Store.load}. It counts the entries, including those that changed nothing. */
export interface Loaded {
  /** Number of records. */
  records: number
  /** Number of lists. */
  lists: number
  /** Number of items in all lists. */
  items: number
  /** Size of the records' contents, in bytes. */
  bytes: number
  /** Number of accounts and sessions of which something stored was kept. */
  kept: number
  /** The keys of the first hundred of them. */
  keptRecords: string[]
  /** Whether the audit among the entries was left out, because the store has one of its own. */
  keptAudit: boolean
  /** The result of ending all sessions, if data was overwritten. */
  ended?: Ended
}

/**
 * Opens the store in the folder `path`, or in the PostgreSQL database at `url`. By default it is created if the folder is missing or empty. A folder is opened once in
 * a process: this call shares a store that the dashboard or another thread has open.
 *
 * `cacheMB` is the size of the cache of records in MiB, a whole number from 1 to 1048576 (default 64). `commitSeconds` is
 * the time after which a commit without progress fails, a whole number from 1 to 3600 (default 10). Both count only for the
 * first to open the store. With `create: false`, a folder without a store is left as it is, and a store that cannot
 * be written is opened through a private copy in the system's folder for temporary files; changes are then refused with
 * `store-read-only`.
 *
 * Several processes can have the store in a database open. Its tables are created if they are missing, unless `create` is `false`.
 * `commitSeconds` is the time after which a call fails if the database does not answer. `durability: 'external'` says that the
 * provider of the database makes every commit survive the loss of a server, although `synchronous_standby_names` is empty there.
 *
 * @throws `invalid-path` or `invalid-url` (`ERR_INVALID`) if `path` or `url` is not a string or is empty
 * @throws `invalid-option` (`ERR_INVALID`) if there is an option with another name
 * @throws `invalid-setting` (`ERR_INVALID`) if an option has a wrong type or is out of its bounds, or if there are both `path` and `url`
 * @throws `invalid-database-url` (`ERR_DATABASE_URL`) if `url` cannot be read, or has a parameter that is not known
 * @throws `store-unavailable` (`ERR_STORE_UNAVAILABLE`) if the database does not answer
 * @throws `store-unsuitable-database` (`ERR_STORE_DATABASE`) if the database cannot hold a store
 * @throws `store-missing` (`ERR_STORE_MISSING`) with `create: false`, if the folder or the database holds no store
 * @throws `store-locked` (`ERR_STORE_LOCKED`) if another process has the store open
 * @throws `store-foreign-folder` (`ERR_STORE_FOREIGN`) if the folder holds other files
 * @throws `store-unfinished-copy` (`ERR_STORE_UNFINISHED`) if the folder holds an interrupted backup or restore
 * @throws `store-rolled-back` (`ERR_STORE_ROLLED_BACK`) or `store-guard-mismatch` (`ERR_STORE_GUARD`) if the store lacks acknowledged changes
 * @throws `store-damaged` (`ERR_STORE_DAMAGED`) if it cannot be read
 * @throws `store-newer-format` (`ERR_STORE_NEWER_FORMAT`) if a later version wrote it
 * @throws `store-not-permitted` (`ERR_STORE_PERMISSION`) or `store-read-only` (`ERR_STORE_READ_ONLY`) if this user may not read or write it
 * @throws `store-no-thread` (`ERR_STORE_NO_THREAD`), `store-full` (`ERR_STORE_FULL`) or `store-io-failed` (`ERR_STORE_IO`) if the system refuses a thread, space or a call
 * @example
 * ```js
 * const store = await open({ path: 'data/notes.sled' })
 * await store.storage.write('note/1', 'text')
 * await store.lists.add('notes', 1)
 * await store.lists.list('notes', 0, 10) // ['1']
 * await store.close()
 * ```
 */
export function open (options: { path: string, cacheMB?: number, commitSeconds?: number, create?: boolean } | { url: string, durability?: 'external', cacheMB?: number, commitSeconds?: number, create?: boolean }): Promise<Store>

/**
 * Replaces the store in the folder `path` by the backup in `folder`. The old store is kept in a folder within `path`.
 * However it is interrupted, you have the complete old store or the complete new one; the next open finishes or undoes
 * the change.
 *
 * Every session of every account is ended, because the backup is older than what was acknowledged. With `keepSessions`, sessions
 * stay valid, including those that were ended since the backup. If accounts are encrypted, ending sessions needs Dashboard's
 * `ENCRYPTION_SECRET` and `ENCRYPTION_SECRET_IV`.
 *
 * @throws `invalid-folder` (`ERR_INVALID`) if `folder` is empty, or is the same folder as `path`
 * @throws `invalid-path` (`ERR_INVALID`) if `path` is not a string or is empty
 * @throws `store-missing` (`ERR_STORE_MISSING`) if `folder` holds no backup
 * @throws `store-locked` (`ERR_STORE_LOCKED`) if one of the folders is open
 * @throws `store-damaged` (`ERR_STORE_DAMAGED`) if the backup is damaged; nothing was changed
 * @throws `store-full` (`ERR_STORE_FULL`) if the disk has no space for both; nothing was changed
 * @throws `accounts-unreadable` (`ERR_ACCOUNTS_UNREADABLE`) if an account cannot be decrypted; nothing was changed
 * @example
 * ```js
 * const { backup, replaced } = await restore({ path: 'data/notes.sled', folder: 'backups/by-hand' })
 * backup.problems // 0
 * console.log(`the old store is kept in ${replaced}`)
 * ```
 */
export function restore (options: { path: string, folder: string, keepSessions?: boolean }): Promise<{
  /** The result of reading the backup. */
  backup: Report
  /** Size of the new store's files, in bytes. */
  diskBytes: number
  /** The folder of the old store, or null if there was none. */
  replaced: string | null
  /** Size of the old store's files, in bytes. */
  replacedBytes: number
  /** The result of ending all sessions, or null with `keepSessions`. */
  ended: Ended | null
}>

/**
 * Reopens a store that lost acknowledged changes (`store-rolled-back`), and ends every session of every account. Until this has
 * succeeded, the store cannot be opened. `invalidateSessions: true` confirms that sessions end. A store that lacks nothing
 * is left as it is, unless `evenIfWhole` is true. A database does not say whether it has gone back, so its sessions are always
 * ended; other processes may have it open.
 *
 * @throws `invalid-path` (`ERR_INVALID`) if `path` is not a string or is empty
 * @throws `invalid-recovery` (`ERR_INVALID`) without `invalidateSessions: true`
 * @throws `store-whole` (`ERR_STORE_WHOLE`) if the store lacks nothing
 * @throws `accounts-unreadable` (`ERR_ACCOUNTS_UNREADABLE`) or `store-damaged` (`ERR_STORE_DAMAGED`) if an account could not get a new key; all others have one
 * @throws `store-locked` (`ERR_STORE_LOCKED`) if the store is open
 * @example
 * ```js
 * await recover({ path: 'data/notes.sled', invalidateSessions: true, evenIfWhole: true }) // { accounts: 0, others: 0 }
 * ```
 */
export function recover (options: { path: string, invalidateSessions: true, evenIfWhole?: boolean } | { url: string, durability?: 'external', invalidateSessions: true }): Promise<Ended>

/**
 * Returns the progress of the long call that runs in this process: the bytes read or copied so far, or the sessions that a purge
 * has examined. Use it for a progress bar.
 *
 * @example
 * ```js
 * const timer = setInterval(() => console.log(`${progress()} bytes`), 1000)
 * await store.verify()
 * clearInterval(timer)
 * ```
 */
export function progress (): number
