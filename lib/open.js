// `open`: a store by its folder or database, without Dashboard. The command-line tool is written over it.
const native = require('./native.js')
const { requireOptions, requireText } = require('./arguments.js')
const { backup } = require('./backup.js')
const { entries, load } = require('./entries.js')
const { invalid } = require('./errors.js')
const { configuredSecret } = require('./host.js')
const { purge } = require('./purge.js')
const { checkDurability, checkNumbers, notOffered } = require('./settings.js')
const { recordsOf } = require('./storage.js')
const { listsOf } = require('./storage-list.js')
const { openDatabase, openFolder } = require('./open-stores.js')

module.exports = { open, openForImport }

async function open (options) {
  return (await openBoth(options)).store
}

// Opens a store that an import fills, also after one that was interrupted. From `begin` to `finish`, no other process can open a
// store in a database; a folder is locked anyway.
async function openForImport (options) {
  const { share, store } = await openBoth(options, true)
  return { store, begin: () => share.beginImport(), finish: () => share.finishImport() }
}

// Returns the share in the store, and the calls of the store.
async function openBoth (options = {}, isImport = false) {
  requireOptions(options, ['path', 'url', 'durability', 'cacheMB', 'commitSeconds', 'create'])
  const { path, url, create = true } = options
  if (url !== undefined && path !== undefined) {
    throw invalid('invalid-setting', 'path and url: a store is in one of them; leave one out')
  }
  requireText(url === undefined ? path : url, url === undefined ? 'invalid-path' : 'invalid-url')
  if (typeof create !== 'boolean') {
    throw invalid('invalid-setting', `create: ${create} is not true or false`)
  }
  const { cacheMB, commitSeconds } = checkNumbers(options)
  const isExternal = checkDurability(options)
  const store = url === undefined
    ? await openFolder(path, { cacheMB, commitSeconds, create })
    : await openDatabase(url, { cacheMB, commitSeconds, isExternal, create, isImport })
  return { share: store, store: callsOf(store, url === undefined && { cacheMB, commitSeconds }) }
}

// Returns the calls of a store. `folderSettings` are those of a store in a folder, which can be closed and opened again.
function callsOf (store, folderSettings) {
  const folder = store.path
  let closedWork = Promise.resolve()

  // Closes the store for work that needs a closed store, and opens it again. Other calls fail with `store-closed` meanwhile.
  function whileClosed (what, work) {
    if (!folderSettings) {
      throw notOffered(what)
    }
    const result = closedWork.then(async () => {
      try {
        await store.close()
        return JSON.parse(await work(folder))
      } finally {
        store.adopt(await openFolder(folder, { ...folderSettings, create: false }))
      }
    })
    closedWork = result.catch(() => {})
    return result
  }

  return {
    path: folder,
    storage: recordsOf(store),
    lists: listsOf(store),
    entries: (options) => entries(store, options),
    load: async (entries, options) => load(store, entries, options),
    purge: async (options) => purge(store, options),
    stats: async () => ({ ...JSON.parse(await store.stats()), signIn: null }),
    removeReplaced: async () => JSON.parse(await store.removeReplaced()),
    usage: async () => JSON.parse(await store.usage()),
    verify: async () => JSON.parse(await store.verify()),
    repair: async () => whileClosed('repair', (folder) => native.repairStore(folder, configuredSecret())),
    compact: async () => whileClosed('compaction', native.compactStore),
    backup: (folder, options) => backup(store, folder, options),
    close: async () => {
      await closedWork
      return store.close()
    }
  }
}
