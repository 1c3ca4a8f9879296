// The stores that this thread has open. The main store is Dashboard's own; a module of Dashboard with a prefix has its own.
const { isMainThread } = require('worker_threads')
const native = require('./native.js')
const { failure } = require('./errors.js')
const { withSentence } = require('./folders.js')
const { purgeRegularly } = require('./purge.js')
const SessionCache = require('./session-cache.js')
const { readSettings, sharedPlaceError } = require('./settings.js')

const MEBIBYTE = 1024 * 1024
// Part of the main store's cache that parsed sessions get, and the most that they get, in bytes. Each of them takes more memory
// than a record and its key, and each thread has its own.
const SESSIONS_SHARE = 1 / 4
const MOST_SESSIONS_BYTES = 16 * MEBIBYTE

module.exports = { closeStore, mainSessions, mainStore, openAlone, openDatabase, openFolder, openStore, readText, whenMainCloses }

// Promises of stores by their name, which is made of prefix and folder; and the name of each open store.
const stores = new Map()
const names = new Map()
// The prefix that each folder or database belongs to, by the name of its store.
const owners = new Map()
let main
let sessions
let endPurge = () => {}
let endModule = () => {}
let settlesAtExit = false

// Returns the store of Dashboard, or of one of its modules.
async function openStore (prefix) {
  // Dashboard passes null as well.
  prefix = prefix === null ? undefined : prefix
  const settings = readSettings(prefix, native.memoryLimit())
  const name = `${prefix || ''}:${settings.url || settings.folder}`
  if (!stores.has(name)) {
    stores.set(name, openOnce(name, prefix, settings))
  }
  return stores.get(name)
}

async function openOnce (name, prefix, { cacheMB, commitSeconds, purgeAfter, ...place }) {
  try {
    const cacheBytes = cacheMB * MEBIBYTE
    const sessionsBytes = prefix === undefined ? Math.min(cacheBytes * SESSIONS_SHARE, MOST_SESSIONS_BYTES) : 0
    const store = await openNative({ ...place, cacheBytes: cacheBytes - sessionsBytes, commitSeconds, create: true })
    // Compared by the real path, because two names may lead to one folder.
    if (owners.has(store.path) && owners.get(store.path) !== prefix) {
      await store.close()
      throw sharedPlaceError(prefix, place, store.path)
    }
    owners.set(store.path, prefix)
    names.set(store, name)
    if (prefix === undefined) {
      main = store
      sessions = new SessionCache(store.number, sessionsBytes)
      // One thread of the process is enough.
      endPurge = purgeAfter && isMainThread ? purgeRegularly(store, purgeAfter) : () => {}
    }
    return store
  } catch (error) {
    stores.delete(name)
    throw error
  }
}

// Opens the store in a folder, without Dashboard.
async function openFolder (folder, { cacheMB, commitSeconds, create }) {
  return openNative({ folder, cacheBytes: cacheMB * MEBIBYTE, commitSeconds, create })
}

// Opens the store in a database, without Dashboard.
async function openDatabase (url, { cacheMB, commitSeconds, isExternal, create, isImport }) {
  return openNative({ url, isExternal, isImport, cacheBytes: cacheMB * MEBIBYTE, commitSeconds, create })
}

// Opens the store of a dashboard that does not run, as the main store of this process.
async function openAlone ({ folder, url, cacheMB, commitSeconds, isExternal }) {
  const store = await openNative({ folder, url, isExternal, cacheBytes: cacheMB * MEBIBYTE, commitSeconds, create: false })
  main = store
  sessions = new SessionCache(store.number, 0)
  return store
}

async function openNative ({ folder, url, isExternal, isImport = false, cacheBytes, commitSeconds, create }) {
  if (!settlesAtExit) {
    settlesAtExit = true
    process.on('exit', settle)
  }
  const store = url
    ? await native.openDatabase(url, cacheBytes, commitSeconds, isExternal, create, isImport)
    : await withSentence([folder], () => native.openStore(folder, cacheBytes, commitSeconds, create))
  for (const { code, text } of store.notices) {
    process.emitWarning(`dashboard-sled: ${text}`, { code })
  }
  return store
}

// Returns the main store. It is never opened here: a look-up in a store that the dashboard does not use would answer that nobody
// is signed in.
function mainStore () {
  if (!main) {
    throw failure('store-closed', 'ERR_STORE_CLOSED', 'the dashboard has no store of dashboard-sled open: start it with STORAGE=dashboard-sled, or call Storage.setup()')
  }
  return main
}

// Returns the cache of the main store's parsed sessions.
function mainSessions () {
  mainStore()
  return sessions
}

// Returns a record of the store with this number as text: at once if it is cached, else as a promise.
function readText (store, number, file) {
  const cached = native.peek(number, file)
  return cached === null ? store.read(file) : cached
}

async function closeStore (store) {
  stores.delete(names.get(store))
  names.delete(store)
  owners.delete(store.path)
  if (main === store) {
    main = sessions = undefined
    endPurge()
    await endModule()
  }
  return store.close()
}

// Calls `end` when the main store closes, which waits for it.
function whenMainCloses (end) {
  endModule = end
}

// Finishes the changes that were requested and not awaited, when the process ends.
function settle () {
  try {
    native.settle()
  } catch (error) {
    console.error('dashboard-sled: some changes could not be written when the process ended', error)
  }
}
