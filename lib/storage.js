// The engine of records for the host's src/storage.js.
const { asItem, invalid, requireText } = require('./arguments.js')
const { attentively } = require('./spin.js')
const { backup } = require('./backups.js')
const { iv, secret } = require('./host.js')
const { closeStore, openStore, readText } = require('./stores.js')

module.exports = { recordsOf, setup }

let warned = false

async function setup (prefix) {
  const store = await openStore(prefix).catch((error) => { throw inOneLine(error) })
  warnIfNotListed()
  const container = {
    ...recordsOf(store),
    backup: (folder, options) => backup(store, folder, options),
    stats: async () => JSON.parse(await store.stats()),
    close: async () => closeStore(store)
  }
  if (process.env.NODE_ENV === 'testing') {
    container.flush = async () => store.wipe()
  }
  return container
}

// The store works without, so nobody would notice.
function warnIfNotListed () {
  const { modules } = global.packageJSON?.dashboard || {}
  if (modules && !modules.includes('dashboard-sled') && !warned) {
    warned = true
    process.emitWarning('dashboard-sled is not listed under dashboard.modules in package.json: requests over HTTP get Dashboard\'s own Session.get and ResetSessionKey.patch, and sessions that have expired are let in', { code: 'DASHBOARD_SLED_MODULE' })
  }
}

// Dashboard does not catch what keeps it from starting, so Node prints the error with all that it has, and the sentence
// that helps would stand below the stack.
function inOneLine (error) {
  if (error.detail) {
    error.stack = `${error.message}: ${error.detail}`
    for (const name of ['code', 'detail']) {
      Object.defineProperty(error, name, { value: error[name], enumerable: false })
    }
  }
  return error
}

// The calls about records.
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
        // A name that every object has needs a value of its own, or the inherited one is found.
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
      return attentively(store.remove(file))
    }
  }
}

function writeContents (store, file, contents, slug) {
  if (typeof contents === 'string') {
    return attentively(store.write(file, contents, secret(), iv()))
  }
  if (contents instanceof Uint8Array) {
    return attentively(store.writeBinary(file, contents, secret(), iv()))
  }
  throw invalid(slug)
}
