const path = require('path')
const native = require('./native.js')

const MEBIBYTE = 1024 * 1024
const DEFAULT_CACHE_MB = 64
const LARGEST_CACHE_MB = 1024 * 1024

module.exports.Storage = { setup: setupStorage }
module.exports.StorageList = { setup: setupStorageList }

// What this thread has open: promises of handles, by prefix and folder.
const handles = new Map()
// The prefix that each folder belongs to, by its real path.
const owners = new Map()
let settlesAtExit = false

async function setupStorage (prefix) {
  const store = await openStore(prefix)
  const container = {
    exists: async (file) => {
      requireText(file, 'invalid-file')
      return store.exists(file)
    },
    read: async (file) => {
      requireText(file, 'invalid-file')
      return store.read(file)
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
        if (contents[i] !== undefined) {
          found[ids[i]] = contents[i]
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
      return store.remove(file)
    },
    close: async () => closeStore(store)
  }
  if (process.env.NODE_ENV === 'testing') {
    container.flush = async () => store.wipe()
  }
  return container
}

async function setupStorageList (_, prefix) {
  const store = await openStore(prefix)
  const container = {
    add: async (path, itemid) => {
      requireText(path, 'invalid-path')
      return store.add([path], [asItem(itemid, 'invalid-itemid')])
    },
    addMany: async (items) => {
      if (!items || typeof items !== 'object' || Array.isArray(items)) {
        throw invalid('invalid-items')
      }
      const paths = Object.keys(items)
      paths.forEach((path) => requireText(path, 'invalid-path'))
      const itemids = paths.map((path) => asItem(items[path], 'invalid-itemid'))
      if (paths.length) {
        await store.add(paths, itemids)
      }
    },
    count: async (path) => {
      requireText(path, 'invalid-path')
      return store.count(path)
    },
    exists: async (path, itemid) => {
      requireText(path, 'invalid-path')
      return store.has(path, asItem(itemid, 'invalid-itemid'))
    },
    list: async (path, offset, pageSize) => {
      requireText(path, 'invalid-path')
      const skipped = Number(offset) || 0
      if (skipped < 0) {
        throw invalid('invalid-offset')
      }
      if (pageSize === null || pageSize === undefined) {
        pageSize = global.pageSize
      }
      const size = Number(pageSize)
      return itemsOrNothing(await store.page(path, skipped, size >= 1 ? size : Infinity))
    },
    listAll: async (path) => {
      requireText(path, 'invalid-path')
      return itemsOrNothing(await store.page(path, 0, Infinity))
    },
    remove: async (path, itemid) => {
      requireText(path, 'invalid-path')
      return store.discard(path, asItem(itemid, 'invalid-itemid'))
    }
  }
  if (process.env.NODE_ENV === 'testing') {
    container.flush = async () => store.wipe()
  }
  return container
}

async function openStore (prefix) {
  const { folder, cacheBytes } = readSettings(prefix)
  if (!settlesAtExit) {
    settlesAtExit = true
    process.on('exit', settle)
  }
  const name = `${prefix || ''}:${folder}`
  if (!handles.has(name)) {
    const opening = native.openStore(folder, cacheBytes)
    handles.set(name, opening)
    opening.catch(() => handles.delete(name))
  }
  const store = await handles.get(name)
  // By the real path, since two names may lead to one folder.
  if (!owners.has(store.path)) {
    owners.set(store.path, prefix)
  }
  if (owners.get(store.path) !== prefix) {
    handles.delete(name)
    await store.close()
    throw invalid('invalid-sled-path', 'ERR_SLED_PATH',
      `${settingName('SLED_PATH', prefix)}: ${folder} is the store of another part of this dashboard, and a flush of one would empty the other; give each a folder of its own`)
  }
  return store
}

async function closeStore (store) {
  owners.delete(store.path)
  for (const [name, handle] of handles) {
    if (await handle === store) {
      handles.delete(name)
    }
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
  return { folder: readFolder(prefix), cacheBytes: readCacheBytes() }
}

function readFolder (prefix) {
  const main = process.env.SLED_PATH || path.join(global.applicationPath || process.cwd(), 'data', 'dashboard.sled')
  const own = prefix && (process.env[settingName('SLED_PATH', prefix)] || `${main}-${prefix.toLowerCase()}`)
  return path.resolve(own || main)
}

function readCacheBytes () {
  const text = process.env.SLED_CACHE_MB
  const megabytes = text ? Number(text) : DEFAULT_CACHE_MB
  if (!Number.isInteger(megabytes) || megabytes < 1 || megabytes > LARGEST_CACHE_MB) {
    throw invalid('invalid-sled-cache-mb', 'ERR_SLED_CACHE_MB',
      `SLED_CACHE_MB: ${text} is not a whole number of megabytes from 1 to ${LARGEST_CACHE_MB}`)
  }
  return megabytes * MEBIBYTE
}

function settingName (name, prefix) {
  return prefix ? `${prefix}_${name}` : name
}

function writeContents (store, file, contents, slug) {
  if (typeof contents === 'string') {
    return store.write(file, contents)
  }
  if (contents instanceof Uint8Array) {
    return store.writeBinary(file, contents)
  }
  throw invalid(slug)
}

function requireText (value, slug) {
  if (typeof value !== 'string' || !value) {
    throw invalid(slug)
  }
}

// Items arrive as text, numbers or booleans, and are kept as text: 3 and '3' are one item.
function asItem (value, slug) {
  const isItem = typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)
  const item = isItem ? String(value) : ''
  requireText(item, slug)
  return item
}

function itemsOrNothing (items) {
  return items.length ? items : undefined
}

// The message is a slug, because the host prints it into JSON without escaping it.
function invalid (slug, code = 'ERR_INVALID', detail) {
  const error = new Error(slug)
  error.code = code
  if (detail) {
    error.detail = detail
  }
  return error
}
