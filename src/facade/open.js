// A store by its folder, without Dashboard: what the command-line tool is written over.
const { requireText } = require('./arguments.js')
const { entries, load } = require('./entries.js')
const { purge } = require('./purge.js')
const { recordsOf } = require('./storage.js')
const { listsOf } = require('./storage-list.js')
const { openFolder } = require('./stores.js')

module.exports = { open }

async function open ({ path, cacheMB, commitSeconds } = {}) {
  requireText(path, 'invalid-path')
  const store = await openFolder(path, cacheMB, commitSeconds)
  return {
    path: store.path,
    storage: recordsOf(store),
    lists: listsOf(store),
    entries: () => entries(store),
    load: async (entries) => load(store, entries),
    backup: async (folder) => {
      requireText(folder, 'invalid-folder')
      return JSON.parse(await store.backup(folder))
    },
    purge: async (options) => purge(store, options),
    stats: async () => JSON.parse(await store.stats()),
    usage: async () => JSON.parse(await store.usage()),
    verify: async () => JSON.parse(await store.verify()),
    close: async () => store.close()
  }
}
