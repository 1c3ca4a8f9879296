// Everything in a store out, and in again. An entry is a record with its bytes, or a part of a list with its items,
// oldest first.
const { asItem, invalid, requireText } = require('./arguments.js')

module.exports = { entries, load }

// So much is written at once: the sync is then a small part of the time, and no other call waits long.
const BATCH_CHANGES = 1000
const BATCH_BYTES = 4 * 1024 * 1024

// `onDamage` is told how many records, lists and items were left out, and the first of them by name. Without it damage is an
// error: a copy that lacks something should not pass for whole.
async function * entries (store, { onDamage = refuseDamage } = {}) {
  let page
  do {
    page = await store.records(page && page.next)
    tellDamage(page, onDamage)
    yield * page.records
  } while (page.next)
  let last = {}
  do {
    page = await store.parts(last.list, last.last)
    tellDamage(page, onDamage)
    for (last of page.parts) {
      yield { list: last.list, items: last.items }
    }
  } while (!page.isEnd)
}

function tellDamage ({ damaged }, onDamage) {
  if (damaged.number) {
    onDamage(damaged)
  }
}

function refuseDamage ({ described }) {
  throw invalid('store-damaged', 'ERR_STORE_DAMAGED', `${described[0]}; restore a backup`)
}

async function load (store, entries) {
  if (!entries || !(entries[Symbol.asyncIterator] || entries[Symbol.iterator])) {
    throw invalid('invalid-entries')
  }
  const counts = { records: 0, lists: 0, items: 0, bytes: 0 }
  const batches = new Batches(store)
  let path
  try {
    for await (const entry of entries) {
      if (!isEntry(entry)) {
        throw invalid('invalid-entry', 'ERR_INVALID', 'an entry has either record (a string) and contents (bytes), or list (a string) and items (an array)')
      }
      if (entry.record !== undefined) {
        requireText(entry.record, 'invalid-file')
        counts.records++
        counts.bytes += entry.contents.length
        await batches.addRecord(entry)
        continue
      }
      requireText(entry.list, 'invalid-path')
      // The parts of a list follow each other.
      counts.lists += path === entry.list ? 0 : 1
      path = entry.list
      counts.items += entry.items.length
      for (const item of entry.items) {
        await batches.addItem(path, asItem(item, 'invalid-itemid'))
      }
    }
    await batches.end()
    return counts
  } catch (error) {
    // Nothing is under way any more when this call ends; the first error is the one that is told.
    await batches.written.catch(() => {})
    throw error
  }
}

// One batch is written while the next one is gathered.
class Batches {
  constructor (store) {
    this.store = store
    this.written = Promise.resolve()
    this.begin()
  }

  begin () {
    this.batch = { records: [], contents: [], lists: [], items: [] }
    this.changes = 0
    this.bytes = 0
  }

  async addRecord ({ record, contents }) {
    this.batch.records.push(record)
    this.batch.contents.push(contents)
    return this.added(record.length + contents.length)
  }

  async addItem (list, item) {
    const { lists, items } = this.batch
    if (lists[lists.length - 1] !== list) {
      lists.push(list)
      items.push([])
    }
    items[items.length - 1].push(item)
    return this.added(item.length)
  }

  async added (bytes) {
    this.changes++
    this.bytes += bytes
    if (this.changes < BATCH_CHANGES && this.bytes < BATCH_BYTES) {
      return
    }
    await this.written
    this.written = this.write()
    // It is awaited before the next one.
    this.written.catch(() => {})
  }

  async write () {
    const { records, contents, lists, items } = this.batch
    this.begin()
    return this.store.load(records, contents, lists, items)
  }

  async end () {
    await this.written
    await this.write()
  }
}

function isEntry (entry) {
  const { record, contents, list, items } = entry || {}
  return record === undefined ? list !== undefined && Array.isArray(items) : list === undefined && contents instanceof Uint8Array
}
