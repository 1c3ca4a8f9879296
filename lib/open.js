// A store by its folder, without Dashboard: what the command-line tool is written over.
const native = require('./native.js')
const { invalid, requireOptions, requireText } = require('./arguments.js')
const { backup } = require('./backups.js')
const { entries, load } = require('./entries.js')
const { secrets } = require('./host.js')
const { purge } = require('./purge.js')
const { recordsOf } = require('./storage.js')
const { listsOf } = require('./storage-list.js')
const { openFolder } = require('./stores.js')

module.exports = { open }

async function open (options = {}) {
  requireOptions(options, ['path', 'cacheMB', 'commitSeconds', 'create'])
  const { path, cacheMB, commitSeconds, create = true } = options
  requireText(path, 'invalid-path')
  if (typeof create !== 'boolean') {
    throw invalid('invalid-setting', 'ERR_INVALID', `create: ${create} is not true or false`)
  }
  const store = await openFolder(path, { cacheMB, commitSeconds, create })
  const folder = store.path
  let isAlone = Promise.resolve()

  // Does what needs a store that nobody has open, and opens this one again. Calls get `store-closed` meanwhile.
  function alone (work) {
    const result = isAlone.then(async () => {
      try {
        await store.close()
        return JSON.parse(await work(folder))
      } finally {
        store.adopt(await openFolder(folder, { cacheMB, commitSeconds, create: false }))
      }
    })
    isAlone = result.catch(() => {})
    return result
  }

  return {
    path: folder,
    storage: recordsOf(store),
    lists: listsOf(store),
    entries: (options) => entries(store, options),
    load: async (entries, options) => load(store, entries, options),
    purge: async (options) => purge(store, options),
    stats: async () => JSON.parse(await store.stats()),
    removeReplaced: async () => JSON.parse(await store.removeReplaced()),
    usage: async () => JSON.parse(await store.usage()),
    verify: async () => JSON.parse(await store.verify()),
    repair: async () => alone((folder) => native.repairStore(folder, ...secrets())),
    compact: async () => alone(native.compactStore),
    backup: (folder, options) => backup(store, folder, options),
    close: async () => {
      await isAlone
      return store.close()
    }
  }
}
