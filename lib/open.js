// `open`: a store by its folder, without Dashboard. The command-line tool is written over it.
const native = require('./native.js')
const { requireOptions, requireText } = require('./arguments.js')
const { backup } = require('./backup.js')
const { entries, load } = require('./entries.js')
const { invalid } = require('./errors.js')
const { configuredSecret } = require('./host.js')
const { purge } = require('./purge.js')
const { checkNumbers } = require('./settings.js')
const { recordsOf } = require('./storage.js')
const { listsOf } = require('./storage-list.js')
const { openFolder } = require('./open-stores.js')

module.exports = { open }

async function open (options = {}) {
  requireOptions(options, ['path', 'cacheMB', 'commitSeconds', 'create'])
  const { path, create = true } = options
  requireText(path, 'invalid-path')
  if (typeof create !== 'boolean') {
    throw invalid('invalid-setting', `create: ${create} is not true or false`)
  }
  const { cacheMB, commitSeconds } = checkNumbers(options)
  const store = await openFolder(path, { cacheMB, commitSeconds, create })
  const folder = store.path
  let closedWork = Promise.resolve()

  // Closes the store for work that needs a closed store, and opens it again. Other calls fail with `store-closed` meanwhile.
  function whileClosed (work) {
    const result = closedWork.then(async () => {
      try {
        await store.close()
        return JSON.parse(await work(folder))
      } finally {
        store.adopt(await openFolder(folder, { cacheMB, commitSeconds, create: false }))
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
    repair: async () => whileClosed((folder) => native.repairStore(folder, configuredSecret())),
    compact: async () => whileClosed(native.compactStore),
    backup: (folder, options) => backup(store, folder, options),
    close: async () => {
      await closedWork
      return store.close()
    }
  }
}
