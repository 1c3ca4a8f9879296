// Reads everything in a store as a stream of entries, and loads such a stream into a store. An entry is a record with its bytes,
// or a part of a list with its items, oldest first.
const { asItem, requireText } = require('./arguments.js')
const { HEAD, NEW_ENTRY, OWN, isOfAudit } = require('./own-records.js')
const EntryCounts = require('./entry-counts.js')
const { failure, invalid } = require('./errors.js')
const Findings = require('./findings.js')
const { configuredSecret, now } = require('./host.js')
const { LARGEST_CONTENTS, LONGEST_NAME, nameBytes, shorten } = require('./limits.js')

module.exports = { entries, load }

// Limits of a batch. The sync is then a small part of the time, and no other call waits long; a batch below this size fits into
// the journal.
const BATCH_CHANGES = 1000
const BATCH_BYTES = 1024 * 1024

// `onDamage` is called with the number of records, lists and items that were left out, and with descriptions of the first of them.
// Without it damage is an error, because an incomplete copy should not pass for a whole one.
async function * entries (store, { onDamage = refuseDamage } = {}) {
  let page
  do {
    page = await store.records(page && page.next)
    reportDamage(page, onDamage)
    yield * page.records
  } while (page.next)
  let last = {}
  do {
    page = await store.parts(last.list, last.last)
    reportDamage(page, onDamage)
    for (const part of page.parts) {
      last = part
      yield { list: part.list, items: part.items }
    }
  } while (!page.isEnd)
}

function reportDamage ({ damaged }, onDamage) {
  if (damaged.number) {
    onDamage(damaged)
  }
}

function refuseDamage ({ described }) {
  throw failure('store-damaged', 'ERR_STORE_DAMAGED', `${described[0]}; restore a backup`)
}

// Returns how batches are written, and what follows the last one. An overwrite bypasses the rules for imports, therefore it ends
// every session; an empty store has no sessions to end.
async function writerOf (store, { overwrite, dryRun }) {
  if (dryRun) {
    return { write: async ({ records, contents }) => JSON.parse(await store.wouldKeep(records, contents, configuredSecret())) }
  }
  if (!overwrite || await isEmpty(store)) {
    return { write: async ({ records, contents, lists, items }) => JSON.parse(await store.load(records, contents, lists, items, configuredSecret())) }
  }
  return {
    write: async ({ records, contents, lists, items }) => store.overwrite(records, contents, lists, items),
    end: async () => ({ ended: JSON.parse(await store.endSessions(now(), configuredSecret())) })
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
  requireBooleans(options)
  const counts = new EntryCounts()
  const { write, end = async () => {} } = await writerOf(store, options)
  const batches = new Batches(write)
  const audit = { isKept: !options.overwrite && await hasAudit(store), isLeftOut: false }
  try {
    await gather(wholeAudit(audit, entries), counts, batches)
    await batches.end()
  } catch (error) {
    // No write continues after this call has ended; the first error is the one that is thrown.
    await batches.written.catch(() => {})
    await end().catch(() => {})
    throw error
  }
  return { ...counts, kept: batches.kept.number, keptRecords: batches.kept.described, keptAudit: audit.isLeftOut, ...await end() }
}

function requireBooleans (options) {
  for (const name in options) {
    if (!['overwrite', 'dryRun'].includes(name) || ![undefined, true, false].includes(options[name])) {
      throw invalid('invalid-setting', `${name}: the options of load are overwrite and dryRun, each true or false`)
    }
  }
}

// New entries may have no head yet.
async function hasAudit (store) {
  return await store.exists(HEAD) || JSON.parse(await store.newEntries()).length > 0
}

// The audit of a store comes whole or not at all: beside another one its numbers would be those of other entries. The head and the new
// entries are the last to be written, so that an import that is interrupted can be run again.
async function * wholeAudit (audit, entries) {
  const last = []
  for await (const entry of entries) {
    if (!entry?.record?.startsWith?.(OWN)) {
      yield entry
    } else if (audit.isKept) {
      audit.isLeftOut = audit.isLeftOut || isOfAudit(entry.record)
    } else if (entry.record === HEAD || entry.record.startsWith(NEW_ENTRY)) {
      last.push(entry)
    } else {
      yield entry
    }
  }
  yield * last
}

async function gather (entries, counts, batches) {
  for await (const entry of entries) {
    if (!isEntry(entry)) {
      throw invalid('invalid-entry', 'an entry has either record (a string) and contents (bytes), or list (a string) and items (an array)')
    }
    counts.add(entry)
    if (entry.record !== undefined) {
      requireText(entry.record, 'invalid-file')
      requireName(entry.record, 'invalid-file', `the key ${shorten(entry.record)}`)
      requireBytes(entry.contents.length, LARGEST_CONTENTS, 'invalid-contents', `the record ${shorten(entry.record)}`)
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

function requireName (name, slug, what) {
  requireBytes(nameBytes(name), LONGEST_NAME, slug, what)
}

function requireBytes (bytes, most, slug, what) {
  if (bytes > most) {
    throw failure(slug, 'ERR_TOO_LARGE', `${what} has ${bytes} bytes, and a store accepts at most ${most}`)
  }
}

// Writes entries in batches: one batch is written while the next one is gathered.
class Batches {
  constructor (write) {
    this.writeBatch = write
    this.kept = new Findings()
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
    return this.writeIfFull(record.length + contents.length)
  }

  async addItem (list, item) {
    const { lists, items } = this.batch
    if (lists[lists.length - 1] !== list) {
      lists.push(list)
      items.push([])
    }
    items[items.length - 1].push(item)
    return this.writeIfFull(item.length)
  }

  async writeIfFull (bytes) {
    this.changes++
    this.bytes += bytes
    if (this.changes < BATCH_CHANGES && this.bytes < BATCH_BYTES) {
      return
    }
    await this.written
    this.written = this.write()
    // Its error is thrown where it is awaited, before the next batch.
    this.written.catch(() => {})
  }

  async write () {
    const batch = this.batch
    this.begin()
    const { kept, described } = await this.writeBatch(batch) || { kept: 0, described: [] }
    this.kept.add(kept, described)
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
