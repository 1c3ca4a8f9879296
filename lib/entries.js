// Everything in a store out, and in again. An entry is a record with its bytes, or a part of a list with its items,
// oldest first.
const { asItem, invalid, requireText } = require('./arguments.js')
const EntryCounts = require('./entry-counts.js')
const { now, secrets } = require('./host.js')

module.exports = { entries, load }

// So much is written at once: the sync is then a small part of the time, and no other call waits long.
const BATCH_CHANGES = 1000
// What is less fits into the journal.
const BATCH_BYTES = 1024 * 1024
// The longest name and contents that a store takes, in bytes.
const LONGEST_NAME = 64 * 1024
const LONGEST_CONTENTS = 64 * 1024 * 1024
// Number of kept records that are named.
const NAMED = 100

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

// How batches are written. An overwrite goes around the rule for imports, so it ends every session; an empty store has none to end.
async function waysOf (store, { overwrite, dryRun }) {
  if (dryRun) {
    return { write: async ({ records, contents }) => JSON.parse(await store.wouldKeep(records, contents, ...secrets())) }
  }
  if (!overwrite || await isEmpty(store)) {
    return { write: async ({ records, contents, lists, items }) => JSON.parse(await store.load(records, contents, lists, items, ...secrets())) }
  }
  return {
    write: async ({ records, contents, lists, items }) => store.overwrite(records, contents, lists, items),
    end: async () => ({ ended: JSON.parse(await store.endSessions(now(), ...secrets())) })
  }
}

async function isEmpty (store) {
  const { records, damaged, next } = await store.records()
  if (records.length || damaged.number || next) {
    return false
  }
  const { parts, damaged: damagedLists, isEnd } = await store.parts()
  return !parts.length && !damagedLists.number && isEnd
}

async function load (store, entries, options = {}) {
  if (!entries || !(entries[Symbol.asyncIterator] || entries[Symbol.iterator])) {
    throw invalid('invalid-entries')
  }
  requireOptions(options)
  const counts = new EntryCounts()
  const { write, end = async () => {} } = await waysOf(store, options)
  const batches = new Batches(write)
  try {
    await gather(entries, counts, batches)
    await batches.end()
  } catch (error) {
    // Nothing is under way any more when this call ends; the first error is the one that is told.
    await batches.written.catch(() => {})
    await end().catch(() => {})
    throw error
  }
  return { ...counts, kept: batches.kept, keptRecords: batches.keptRecords, ...await end() }
}

function requireOptions (options) {
  for (const name in options) {
    if (!['overwrite', 'dryRun'].includes(name) || ![undefined, true, false].includes(options[name])) {
      throw invalid('invalid-setting', 'ERR_INVALID', `${name}: load takes overwrite and dryRun, each true or false`)
    }
  }
}

async function gather (entries, counts, batches) {
  for await (const entry of entries) {
    if (!isEntry(entry)) {
      throw invalid('invalid-entry', 'ERR_INVALID', 'an entry has either record (a string) and contents (bytes), or list (a string) and items (an array)')
    }
    counts.add(entry)
    if (entry.record !== undefined) {
      requireText(entry.record, 'invalid-file')
      requireName(entry.record, 'invalid-file', `the key ${shorten(entry.record)}`)
      requireBytes(entry.contents.length, LONGEST_CONTENTS, 'invalid-contents', `the record ${shorten(entry.record)}`)
      await batches.addRecord(entry)
      continue
    }
    requireText(entry.list, 'invalid-path')
    requireName(entry.list, 'invalid-path', `the list ${shorten(entry.list)}`)
    for (const item of entry.items) {
      const text = asItem(item, 'invalid-itemid')
      requireName(text, 'invalid-itemid', `an item of the list ${shorten(entry.list)}`)
      await batches.addItem(entry.list, text)
    }
  }
}

// A unit of a string takes at most three bytes, so most names need not be counted.
function requireName (name, slug, what) {
  requireBytes(name.length > LONGEST_NAME / 3 ? Buffer.byteLength(name) : 0, LONGEST_NAME, slug, what)
}

function requireBytes (bytes, most, slug, what) {
  if (bytes > most) {
    throw invalid(slug, 'ERR_TOO_LARGE', `${what} has ${bytes} bytes, and a store takes ${most}`)
  }
}

function shorten (name) {
  return name.length > 100 ? `${name.substring(0, 100)}…` : name
}

// One batch is written while the next one is gathered.
class Batches {
  constructor (write) {
    this.writeBatch = write
    this.kept = 0
    this.keptRecords = []
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
    const batch = this.batch
    this.begin()
    const { kept, described } = await this.writeBatch(batch) || { kept: 0, described: [] }
    this.kept += kept
    this.keptRecords.push(...described.slice(0, NAMED - this.keptRecords.length))
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
