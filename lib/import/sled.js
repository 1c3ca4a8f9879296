// Another store of dashboard-sled, which has to be closed. It is opened as any store is, and nothing is changed in it.
const addon = require('../../index.js')
const { isSame } = require('../folders.js')
const { sourceError } = require('./source.js')

module.exports = { open }

async function open (folder, { target } = {}) {
  if (target && await isSame(folder, target)) {
    throw sourceError('source-invalid', `${folder} is the store itself: give the folder of another one, or name the store to fill with --store`)
  }
  const store = await addon.open({ path: folder, create: false })
  return {
    entries: () => store.entries(),
    survey: async () => {
      const { records, items } = await store.usage()
      return { total: records + items, tooLarge: [] }
    },
    close: () => store.close()
  }
}
