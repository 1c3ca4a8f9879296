// Compares a source with a store after an import, in both directions. A record that differs because an import keeps something of
// the stored account or session is not a difference. Of the records of this package only the audit comes from the source, whole or
// not at all.
const Findings = require('../findings.js')
const { OWN, isOfAudit } = require('../own-records.js')

// Number of records that are read together.
const RECORDS_AT_ONCE = 200

module.exports = { compare }

// Returns the number of differences, descriptions of the first of them, and the number of records of which something was kept.
async function compare (entries, store, { keptAudit } = {}) {
  const comparison = new Comparison(store, keptAudit)
  for await (const entry of entries) {
    await comparison.addFromSource(entry)
  }
  await comparison.endSource()
  for await (const entry of store.entries()) {
    comparison.addFromStore(entry)
  }
  const { number, described } = comparison.differences
  return { number, described, kept: comparison.kept }
}

class Comparison {
  differences = new Findings()
  kept = 0
  #store
  #records = new Set()
  #lists = new Set()
  #waiting = []
  #list
  #isCompared

  constructor (store, keptAudit) {
    this.#store = store
    this.#isCompared = (record) => !record.startsWith(OWN) || (!keptAudit && isOfAudit(record))
  }

  async addFromSource (entry) {
    if (entry.record !== undefined) {
      if (!this.#isCompared(entry.record)) {
        return
      }
      this.#records.add(entry.record)
      this.#waiting.push(entry)
      if (this.#waiting.length === RECORDS_AT_ONCE) {
        await this.#compareRecords()
      }
      return
    }
    if (!this.#list || this.#list.path !== entry.list) {
      await this.#compareList()
      // A store has an item once, at its first place; a source may have it twice.
      this.#list = { path: entry.list, items: new Set() }
      this.#lists.add(entry.list)
    }
    entry.items.forEach((item) => this.#list.items.add(String(item)))
  }

  async endSource () {
    await this.#compareRecords()
    await this.#compareList()
  }

  addFromStore ({ record, list }) {
    if (record !== undefined && this.#isCompared(record) && !this.#records.has(record)) {
      this.#differs(`only in the store: the record ${record}`)
    }
    if (list !== undefined && !this.#lists.has(list)) {
      this.#differs(`only in the store: the list ${list}`)
      // A long list comes in several parts.
      this.#lists.add(list)
    }
  }

  async #compareRecords () {
    const entries = this.#waiting
    this.#waiting = []
    const found = await Promise.all(entries.map(({ record }) => this.#store.storage.readBinary(record)))
    for (const [i, { record, contents }] of entries.entries()) {
      if (!found[i]) {
        this.#differs(`only in the source: the record ${record}`)
      } else if (!found[i].equals(contents)) {
        await this.#compareKept(record, contents)
      }
    }
  }

  async #compareKept (record, contents) {
    const { kept } = await this.#store.load([{ record, contents }], { dryRun: true })
    if (kept) {
      this.kept++
    } else {
      this.#differs(`not as in the source: the record ${record}`)
    }
  }

  async #compareList () {
    if (!this.#list) {
      return
    }
    const { path, items } = this.#list
    const found = await this.#store.lists.listAll(path)
    if (!found) {
      this.#differs(`only in the source: the list ${path}`)
    } else if (!isSame([...items], found.reverse())) {
      this.#differs(`not as in the source: the items of the list ${path}, or their order`)
    }
  }

  #differs (difference) {
    this.differences.add(1, [difference])
  }
}

function isSame (expected, items) {
  return expected.length === items.length && expected.every((item, i) => item === items[i])
}
