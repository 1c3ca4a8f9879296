// The audit. A commit that ends sessions has new entries about them (src/record/ending.rs). Here new entries get their number, their
// hash, and what finds them, a moment later and together: a reset does not pay for that. Any process may do it, because all of it
// is one change that is made only if the head, and the last entries of the chains, are as they were read.
const EventEmitter = require('events')
const { hostSecret } = require('../host.js')
const { changeRecords } = require('./change-records.js')
const { seal, unsealed } = require('./chain.js')
const { HEAD, chainsOf, endNames, entryName } = require('./names.js')
const { parseHead } = require('./read.js')

// One batch is appended so often, in milliseconds, unless somebody asks for the audit. More would take from the changes themselves: an
// entry takes as long as two resets. A dashboard ends few sessions a second, and what waits is on the disk.
const EVERY_MS = 500

module.exports = class Ledger extends EventEmitter {
  constructor (store) {
    super()
    this.setMaxListeners(0)
    this.store = store
    this.appending = Promise.resolve()
  }

  // Appends regularly. It does not keep the process alive.
  start () {
    this.timer = setInterval(() => this.appendOnce().catch((error) => this.warn(error)), EVERY_MS)
    this.timer.unref()
  }

  stop () {
    clearInterval(this.timer)
  }

  // Appends the new entries. Those of all changes that were acknowledged before are there when the promise resolves.
  append () {
    return this.queue(Infinity)
  }

  appendOnce () {
    return this.queue(1)
  }

  queue (batches) {
    const appending = this.appending.then(() => this.appendBatches(batches))
    this.appending = appending.catch(() => {})
    return appending
  }

  async appendBatches (batches) {
    for (let appended = true; appended && batches > 0; batches--) {
      appended = await changeRecords(this.store, (read) => this.place(read))
      if (appended) {
        this.emit('appended', appended.number, appended.entries)
      }
    }
  }

  async place (read) {
    // Before the new entries: whoever appends them meanwhile changes the head.
    const [headText] = await read([HEAD])
    const found = JSON.parse(await this.store.newEntries(hostSecret()))
    if (!found.length) {
      return
    }
    let head = parseHead(headText)
    const entries = found.flatMap(([name, texts]) => texts.map((text) => unsealed(readEntry(name, text))))
    const chains = entries.map(chainsOf)
    const names = [...new Set(chains.flatMap(Object.values).filter(Boolean))]
    const lasts = new Map((await read(names)).map((text, index) => [names[index], Number(text || 0)]))
    const written = new Map(found.map(([name]) => [name, '']))
    for (const [index, entry] of entries.entries()) {
      const previous = {}
      for (const [kind, name] of Object.entries(chains[index])) {
        previous[kind] = name ? lasts.get(name) : 0
      }
      const sealed = seal(head, entry, previous)
      head = { ...head, number: sealed.number, hash: sealed.hash, time: sealed.time }
      for (const name of Object.values(chains[index]).filter(Boolean)) {
        lasts.set(name, sealed.number)
        written.set(name, String(sealed.number))
      }
      for (const name of endNames(entry)) {
        written.set(name, String(sealed.number))
      }
      written.set(entryName(sealed.number), JSON.stringify(sealed))
    }
    written.set(HEAD, JSON.stringify(head))
    return { records: written, result: { number: head.number, entries } }
  }

  warn (error) {
    if (error.code !== 'ERR_STORE_CLOSED') {
      process.emitWarning(`dashboard-sled could not add entries to the audit: ${error.detail || error.message}`, { code: 'DASHBOARD_SLED_AUDIT' })
    }
  }
}

// An entry that is encrypted under another secret than Dashboard's is kept as it is.
function readEntry (name, text) {
  try {
    return JSON.parse(text)
  } catch (error) {
    return { time: 0, cause: 'unreadable', appid: '', name, text }
  }
}
