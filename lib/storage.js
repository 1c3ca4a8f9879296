// The engine of records for Dashboard's src/storage.js.
const { asItem, requireText } = require('./arguments.js')
const { attributionOf } = require('./attribution.js')
const { backup } = require('./backup.js')
const { invalid } = require('./errors.js')
const { decrypt, hostSecret } = require('./host.js')
const { readModuleSettings } = require('./module-settings.js')
const { OWN } = require('./own-records.js')
const { stateOf } = require('./sign-in.js')
const { spinFor } = require('./spin.js')
const { closeStore, openStore, readText } = require('./open-stores.js')

module.exports = { reads, recordsOf, setup }

let hasWarned = false

async function setup (prefix) {
  const store = await openChecked(prefix).catch((error) => { throw inOneLine(error) })
  warnIfNotListed()
  const container = {
    ...recordsOf(store),
    backup: (folder, options) => backup(store, folder, options),
    stats: async () => ({ ...JSON.parse(await store.stats()), signIn: stateOf(store) }),
    close: async () => closeStore(store)
  }
  if (process.env.NODE_ENV === 'testing') {
    container.flush = async () => store.wipe()
  }
  return container
}

async function openChecked (prefix) {
  refuseOwnName(global.appid)
  if (isListed()) {
    // An error of a module's setup would not stop the start.
    readModuleSettings()
  }
  return openStore(prefix)
}

// Keys of an application begin with its name, and so do those of this package.
function refuseOwnName (appid) {
  if (`${appid}/`.startsWith(OWN)) {
    throw invalid('invalid-appid', `APPID is ${appid}: the records that dashboard-sled keeps of its own have that name; choose another one`)
  }
}

// The store works without it, so nobody would notice that it is missing.
function warnIfNotListed () {
  if (isListed() === false && !hasWarned) {
    hasWarned = true
    process.emitWarning('dashboard-sled is not listed under dashboard.modules in package.json: requests over HTTP get Dashboard\'s own Session.get and ResetSessionKey.patch, and sessions that have expired are accepted', { code: 'DASHBOARD_SLED_MODULE' })
  }
}

// Returns undefined without a dashboard.
function isListed () {
  return global.packageJSON?.dashboard?.modules?.includes('dashboard-sled')
}

// Dashboard does not catch an error that prevents its start, so Node prints the error with all its properties. The sentence that
// helps would be below the stack, therefore it replaces the stack.
function inOneLine (error) {
  if (error.detail) {
    error.stack = `${error.message}: ${error.detail}`
    for (const name of ['code', 'detail']) {
      Object.defineProperty(error, name, { value: error[name], enumerable: false })
    }
  }
  return error
}

// Returns the calls about the records of a store.
function recordsOf (store) {
  const { number } = store
  return {
    exists: async (file) => {
      requireText(file, 'invalid-file')
      return store.exists(file)
    },
    read: async (file) => {
      requireText(file, 'invalid-file')
      return readText(store, number, file)
    },
    readMany: async (prefix, files) => {
      requireText(prefix, 'invalid-prefix')
      if (!Array.isArray(files) || !files.length) {
        throw invalid('invalid-files')
      }
      const ids = files.map((file) => asItem(file, 'invalid-files'))
      const contents = await store.readMany(ids.map((id) => `${prefix}/${id}`))
      const found = {}
      for (const i in ids) {
        // A missing record with a name that every object inherits is defined as undefined, or the inherited value would be found.
        if (contents[i] !== undefined || ids[i] in Object.prototype) {
          Object.defineProperty(found, ids[i], { value: contents[i], configurable: true, enumerable: true, writable: true })
        }
      }
      return found
    },
    readBinary: async (file) => {
      requireText(file, 'invalid-file')
      return store.readBinary(file)
    },
    write: async (file, contents) => {
      requireText(file, 'invalid-file')
      return writeContents(store, file, contents, 'invalid-contents')
    },
    writeBinary: async (file, buffer) => {
      requireText(file, 'invalid-file')
      return writeContents(store, file, buffer, 'invalid-buffer')
    },
    delete: async (file) => {
      requireText(file, 'invalid-file')
      return spinFor(store.remove(file, hostSecret(), attributionOf(file)))
    }
  }
}

// Returns a replacement for a method of Dashboard (src/storage.js), which asks whether there is a record and then reads it. This
// only reads it.
function reads (store) {
  const { number } = store
  return {
    read: async (file) => {
      requireText(file, 'invalid-file')
      const found = readText(store, number, file)
      // Awaiting what is not a promise would cost a turn of the queue of promises.
      const contents = typeof found === 'object' ? await found : found
      // As Dashboard's, null for an empty record.
      return contents === '' ? null : decrypt(contents, hostSecret())
    }
  }
}

function writeContents (store, file, contents, slug) {
  if (typeof contents === 'string') {
    return spinFor(store.write(file, contents, hostSecret(), attributionOf(file)))
  }
  if (contents instanceof Uint8Array) {
    return spinFor(store.writeBinary(file, contents, hostSecret(), attributionOf(file)))
  }
  throw invalid(slug)
}
