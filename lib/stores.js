// The stores that this thread has open, and the settings that say where they are.
const path = require('path')
const { isMainThread } = require('worker_threads')
const native = require('./native.js')
const { readAge } = require('./age.js')
const { invalid } = require('./arguments.js')
const { withSentence } = require('./folders.js')
const { purgeRegularly } = require('./purge.js')
const SessionCopies = require('./session-cache.js')

const MEBIBYTE = 1024 * 1024
const DEFAULT_CACHE_MB = 64
const LARGEST_CACHE_MB = 1024 * 1024
const DEFAULT_COMMIT_SECONDS = 10
const LARGEST_COMMIT_SECONDS = 3600

// The part of the cache that the main store's parsed sessions get.
const COPIES_SHARE = 1 / 4

module.exports = { closeStore, mainSessions, mainStore, openFolder, openStore, readText }

// Promises of handles, by prefix and folder; and the name of each one that is open.
const handles = new Map()
const names = new Map()
// The prefix that each folder belongs to, by its real path.
const owners = new Map()
let main
let sessions
// Ends the regular purge of the main store.
let endPurge
let settlesAtExit = false

async function openStore (prefix) {
  // The host hands over null as well.
  prefix = prefix === null ? undefined : prefix
  const settings = readSettings(prefix)
  const name = `${prefix || ''}:${settings.folder}`
  if (!handles.has(name)) {
    handles.set(name, openHandle(name, prefix, settings))
  }
  return handles.get(name)
}

// The store in a folder, without Dashboard around it.
async function openFolder (folder, { cacheMB = DEFAULT_CACHE_MB, commitSeconds = DEFAULT_COMMIT_SECONDS, create }) {
  requireNumber(cacheMB, LARGEST_CACHE_MB, 'invalid-setting', 'ERR_INVALID', `cacheMB: ${cacheMB}`)
  requireNumber(commitSeconds, LARGEST_COMMIT_SECONDS, 'invalid-setting', 'ERR_INVALID', `commitSeconds: ${commitSeconds}`)
  return openNative(folder, cacheMB * MEBIBYTE, commitSeconds, create)
}

async function openNative (folder, cacheBytes, commitSeconds, create) {
  if (!settlesAtExit) {
    settlesAtExit = true
    process.on('exit', settle)
  }
  const store = await withSentence([folder], () => native.openStore(folder, cacheBytes, commitSeconds, create))
  for (const { code, text } of store.notices) {
    process.emitWarning(`dashboard-sled: ${text}`, { code })
  }
  return store
}

async function openHandle (name, prefix, { folder, cacheBytes, commitSeconds, purgeAfter }) {
  try {
    const copiesBytes = prefix === undefined ? cacheBytes * COPIES_SHARE : 0
    const store = await openNative(folder, cacheBytes - copiesBytes, commitSeconds, true)
    // By the real path, since two names may lead to one folder.
    if (owners.has(store.path) && owners.get(store.path) !== prefix) {
      await store.close()
      throw invalid('invalid-sled-path', 'ERR_SLED_PATH',
        `${settingName('SLED_PATH', prefix)}: ${folder} is the store of another part of this dashboard, and a flush of one would empty the other; give each a folder of its own`)
    }
    owners.set(store.path, prefix)
    names.set(store, name)
    if (prefix === undefined) {
      main = store
      sessions = new SessionCopies(store.number, copiesBytes)
      // One thread is enough.
      endPurge = purgeAfter && isMainThread ? purgeRegularly(store, purgeAfter) : () => {}
    }
    return store
  } catch (error) {
    handles.delete(name)
    throw error
  }
}

// The dashboard's own store. It is never opened here: a look-up in a store that the dashboard does not use would
// answer that nobody is signed in.
function mainStore () {
  if (!main) {
    throw invalid('store-closed', 'ERR_STORE_CLOSED', 'the dashboard has no store of dashboard-sled open: start it with STORAGE=dashboard-sled, or call Storage.setup()')
  }
  return main
}

// The parsed sessions of that store.
function mainSessions () {
  mainStore()
  return sessions
}

// A record of the store with that number, as text or undefined: at once from memory, else by a promise.
function readText (store, number, file) {
  const known = native.peek(number, file)
  return known === null ? store.read(file) : known
}

async function closeStore (store) {
  handles.delete(names.get(store))
  names.delete(store)
  owners.delete(store.path)
  if (main === store) {
    main = sessions = undefined
    endPurge()
  }
  return store.close()
}

// What was asked for and not awaited is still finished when the process ends.
function settle () {
  try {
    native.settle()
  } catch (error) {
    console.error('dashboard-sled: not everything could be written at exit', error)
  }
}

function readSettings (prefix) {
  if (prefix !== undefined && !/^[A-Za-z0-9_]+$/.test(prefix)) {
    throw invalid('invalid-prefix')
  }
  if (process.env.CACHE) {
    throw invalid('invalid-cache', 'ERR_CACHE',
      'CACHE: the cache of the dashboard can hand out an account from before its sessions were ended; unset CACHE, the store has a cache of its own')
  }
  return {
    folder: readFolder(prefix),
    cacheBytes: readNumber('SLED_CACHE_MB', 'invalid-sled-cache-mb', LARGEST_CACHE_MB, DEFAULT_CACHE_MB) * MEBIBYTE,
    commitSeconds: readNumber('SLED_COMMIT_SECONDS', 'invalid-sled-commit-seconds', LARGEST_COMMIT_SECONDS, DEFAULT_COMMIT_SECONDS),
    purgeAfter: readPurgeAfter()
  }
}

function readFolder (prefix) {
  const main = process.env.SLED_PATH || path.join(global.applicationPath || process.cwd(), 'data', 'dashboard.sled')
  const own = prefix && (process.env[settingName('SLED_PATH', prefix)] || `${main}-${prefix.toLowerCase()}`)
  return path.resolve(own || main)
}

function readNumber (name, slug, largest, byDefault) {
  const text = process.env[name]
  const number = text ? Number(text) : byDefault
  return requireNumber(number, largest, slug, `ERR_${name}`, `${name}: ${text}`)
}

function readPurgeAfter () {
  const age = process.env.SLED_PURGE_AFTER
  if (age) {
    readAge(age, 'invalid-sled-purge-after', 'ERR_SLED_PURGE_AFTER', 'SLED_PURGE_AFTER')
  }
  return age
}

// A whole number from 1 to `largest`.
function requireNumber (number, largest, slug, code, what) {
  if (!Number.isInteger(number) || number < 1 || number > largest) {
    throw invalid(slug, code, `${what} is not a whole number from 1 to ${largest}`)
  }
  return number
}

function settingName (name, prefix) {
  return prefix ? `${prefix}_${name}` : name
}
