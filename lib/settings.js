// Settings of the stores. They come from the environment, or as options from `open`. README describes the same settings; a test
// compares the two.
const os = require('os')
const path = require('path')
const { readAge } = require('./age.js')
const { failure, invalid } = require('./errors.js')

// A number has the option of `open` with the same name.
const settings = {
  folder: { variable: 'SLED_PATH', slug: 'invalid-sled-path', code: 'ERR_SLED_PATH', byDefault: path.join('data', 'dashboard.sled') },
  url: { variable: 'SLED_DATABASE_URL', slug: 'invalid-sled-database-url', code: 'ERR_SLED_DATABASE_URL' },
  durability: { variable: 'SLED_DURABILITY', slug: 'invalid-sled-durability', code: 'ERR_SLED_DURABILITY' },
  cacheMB: { variable: 'SLED_CACHE_MB', slug: 'invalid-sled-cache-mb', code: 'ERR_SLED_CACHE_MB', byDefault: 64, least: 1, most: 1024 * 1024, unit: 'MiB' },
  commitSeconds: { variable: 'SLED_COMMIT_SECONDS', slug: 'invalid-sled-commit-seconds', code: 'ERR_SLED_COMMIT_SECONDS', byDefault: 10, least: 1, most: 3600, unit: 'seconds' },
  purgeAfter: { variable: 'SLED_PURGE_AFTER', slug: 'invalid-sled-purge-after', code: 'ERR_SLED_PURGE_AFTER', unit: 's, m, h, d or w' },
  cache: { variable: 'CACHE', slug: 'invalid-cache', code: 'ERR_CACHE' }
}

const MEBIBYTE = 1024 * 1024
// Memory of a dashboard without a cache, in MiB: 90 with an empty store, the rest for its requests and sled.
const PROCESS_MB = 192
// Limits of the main store's cache by default. The smaller one leaves a process of 256 MiB enough for its other work with 20,000
// sessions, but not with 200,000; the larger one holds about two million sessions.
const LEAST_CACHE_MB = 32
const MOST_CACHE_MB = 1024

module.exports = { bothSet, checkDurability, checkNumbers, defaultCacheMB, notOffered, readSettings, settings, sharedPlaceError }

// Returns the settings of Dashboard's store, or of the store of the module with this prefix. `memoryLimit` is that of the process in
// bytes, or null.
function readSettings (prefix, memoryLimit) {
  if (prefix !== undefined && !/^[A-Za-z0-9_]+$/.test(prefix)) {
    throw invalid('invalid-prefix')
  }
  refuseHostCache()
  return {
    ...readPlace(prefix),
    cacheMB: readNumber('cacheMB', defaultCacheMB(prefix, memoryLimit)),
    commitSeconds: readNumber('commitSeconds'),
    purgeAfter: readPurgeAfter()
  }
}

// Returns the size of a store's cache if none is set. The main store gets a quarter of the memory that the process may use beyond
// what it needs without a cache; the store of a module gets no more than the fixed default.
function defaultCacheMB (prefix, memoryLimit) {
  const memory = Math.min(os.totalmem(), memoryLimit ?? Infinity)
  const quarter = Math.floor((memory / MEBIBYTE - PROCESS_MB) / 4)
  const main = Math.min(Math.max(quarter, LEAST_CACHE_MB), MOST_CACHE_MB)
  return prefix === undefined ? main : Math.min(main, settings.cacheMB.byDefault)
}

// Returns options of `open`, with the defaults for those that are not given.
function checkNumbers ({ cacheMB = settings.cacheMB.byDefault, commitSeconds = settings.commitSeconds.byDefault }) {
  for (const [name, number] of Object.entries({ cacheMB, commitSeconds })) {
    requireNumber(number, settings[name], { slug: 'invalid-setting', code: 'ERR_INVALID', text: `${name}: ${number}` })
  }
  return { cacheMB, commitSeconds }
}

// Returns whether the option of `open` says that the provider of the database makes commits durable.
function checkDurability ({ durability }) {
  if (durability !== undefined && durability !== 'external') {
    throw failure('invalid-setting', 'ERR_INVALID', `durability: ${durability} is not external, the only value that it can have`)
  }
  return durability === 'external'
}

// Returns the error of work that a store in a database does not have. src/binding/advice.rs is the twin.
function notOffered (what) {
  return failure('store-not-offered', 'ERR_STORE_NOT_OFFERED', `this store has no ${what}; PostgreSQL has programs for that: pg_dump or pg_basebackup for copies, point-in-time recovery to go back, VACUUM and REINDEX for maintenance`)
}

// Returns the error of two parts of a dashboard that have the same folder, or the same database.
function sharedPlaceError (prefix, { folder, url }, path) {
  const { slug, code } = settings[url ? 'url' : 'folder']
  const variable = placeVariable(url ? 'url' : 'folder', prefix)
  return failure(slug, code, `${variable}: ${url ? path : folder} is the store of another part of this dashboard, and a flush of one would empty the other; give each part its own ${url ? 'database' : 'folder'}`)
}

function refuseHostCache () {
  const { variable, slug, code } = settings.cache
  if (process.env[variable]) {
    throw failure(slug, code, `${variable}: the dashboard's cache can return an account from before its sessions were ended; unset ${variable}, the store has its own cache`)
  }
}

function bothSet (url, folder) {
  const { slug, code } = settings.url
  return failure(slug, code, `${url} and ${folder} are both set, and a store is in one of them; unset one`)
}

// Returns the folder of a store, or the URL of its database.
function readPlace (prefix) {
  const { slug, code } = settings.url
  const [url, folder] = [placeVariable('url', prefix), placeVariable('folder', prefix)]
  if (process.env[url] && process.env[folder]) {
    throw bothSet(url, folder)
  }
  if (process.env[url]) {
    return { url: process.env[url], isExternal: readDurability() }
  }
  // Two parts of a dashboard never share a database, and a folder would not reach the other processes.
  if (prefix && process.env[settings.url.variable] && !process.env[folder]) {
    throw failure(slug, code, `${settings.url.variable} is set and ${url} is not; set ${url} to another database, or ${folder} to a folder`)
  }
  return { folder: readFolder(prefix) }
}

function readFolder (prefix) {
  const { variable, byDefault } = settings.folder
  const main = process.env[variable] || path.join(global.applicationPath || process.cwd(), byDefault)
  return path.resolve(prefix ? process.env[placeVariable('folder', prefix)] || `${main}-${prefix.toLowerCase()}` : main)
}

function placeVariable (name, prefix) {
  const { variable } = settings[name]
  return prefix ? `${prefix}_${variable}` : variable
}

// Returns whether the provider of the database makes commits durable, so that its server need not wait for others.
function readDurability () {
  const { variable, slug, code } = settings.durability
  const text = process.env[variable]
  if (text && text !== 'external') {
    throw failure(slug, code, `${variable}: ${text} is not external, the only value that it can have; unset it if the database has synchronous standbys`)
  }
  return text === 'external'
}

function readNumber (name, byDefault = settings[name].byDefault) {
  const { variable, slug, code } = settings[name]
  const text = process.env[variable]
  const number = text ? Number(text) : byDefault
  requireNumber(number, settings[name], { slug, code, text: `${variable}: ${text}` })
  return number
}

function requireNumber (number, { least, most, unit }, { slug, code, text }) {
  if (!Number.isInteger(number) || number < least || number > most) {
    throw failure(slug, code, `${text} is not a whole number of ${unit} from ${least} to ${most}`)
  }
}

function readPurgeAfter () {
  const { variable, slug, code } = settings.purgeAfter
  const age = process.env[variable]
  if (age) {
    readAge(age, { slug, code, variable })
  }
  return age
}
