// The engine of lists for Dashboard's src/storage-list.js.
const { asItem, requireText } = require('./arguments.js')
const { invalid } = require('./errors.js')
const { spinFor } = require('./spin.js')
const { openStore } = require('./open-stores.js')

module.exports = { additions, listsOf, setup }

async function setup (_, prefix) {
  const store = await openStore(prefix)
  const container = listsOf(store)
  if (process.env.NODE_ENV === 'testing') {
    container.flush = async () => store.wipe()
  }
  return container
}

// Returns the calls about the lists of a store.
function listsOf (store) {
  return {
    add: async (path, itemid) => {
      requireText(path, 'invalid-path')
      return spinFor(store.add([path], [asItem(itemid, 'invalid-itemid')]))
    },
    addMany: async (items) => {
      if (!items || typeof items !== 'object' || Array.isArray(items)) {
        throw invalid('invalid-items')
      }
      const paths = Object.keys(items)
      paths.forEach((path) => requireText(path, 'invalid-path'))
      const itemids = paths.map((path) => asItem(items[path], 'invalid-itemid'))
      if (paths.length) {
        await spinFor(store.add(paths, itemids))
      }
    },
    count: async (path) => {
      requireText(path, 'invalid-path')
      return store.count(path)
    },
    exists: async (path, itemid) => {
      requireText(path, 'invalid-path')
      // Dashboard asks this before it adds an item, so most items are not in memory, and a change follows.
      const answer = store.has(path, asItem(itemid, 'invalid-itemid'))
      return typeof answer === 'boolean' ? answer : spinFor(answer)
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
      return spinFor(store.discard(path, asItem(itemid, 'invalid-itemid')))
    }
  }
}

// Returns replacements for two methods of Dashboard (src/storage-list.js), which ask for each item whether it is in the list and
// then add it. These do both in one change.
function additions (store) {
  const { add, addMany } = listsOf(store)
  return { add, addMany }
}

function itemsOrNothing (items) {
  return items.length ? items : undefined
}
