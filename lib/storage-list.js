// The engine of lists for the host's src/storage-list.js.
const { asItem, invalid, requireText } = require('./arguments.js')
const { attentively } = require('./spin.js')
const { openStore } = require('./stores.js')

module.exports = { additions, listsOf, setup }

async function setup (_, prefix) {
  const store = await openStore(prefix)
  const container = listsOf(store)
  if (process.env.NODE_ENV === 'testing') {
    container.flush = async () => store.wipe()
  }
  return container
}

// The calls about lists.
function listsOf (store) {
  return {
    add: async (path, itemid) => {
      requireText(path, 'invalid-path')
      return attentively(store.add([path], [asItem(itemid, 'invalid-itemid')]))
    },
    addMany: async (items) => {
      if (!items || typeof items !== 'object' || Array.isArray(items)) {
        throw invalid('invalid-items')
      }
      const paths = Object.keys(items)
      paths.forEach((path) => requireText(path, 'invalid-path'))
      const itemids = paths.map((path) => asItem(items[path], 'invalid-itemid'))
      if (paths.length) {
        await attentively(store.add(paths, itemids))
      }
    },
    count: async (path) => {
      requireText(path, 'invalid-path')
      return store.count(path)
    },
    exists: async (path, itemid) => {
      requireText(path, 'invalid-path')
      // The host asks before it adds, so mostly for what memory does not know.
      const answer = store.has(path, asItem(itemid, 'invalid-itemid'))
      return typeof answer === 'boolean' ? answer : attentively(answer)
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
      return attentively(store.discard(path, asItem(itemid, 'invalid-itemid')))
    }
  }
}

// The host's own ask for each item whether it is there, and then add it (src/storage-list.js). Ours see to that themselves, in
// the one change.
function additions (store) {
  const { add, addMany } = listsOf(store)
  return { add, addMany }
}

function itemsOrNothing (items) {
  return items.length ? items : undefined
}
