// Delivers the entries of the audit to SLED_WEBHOOK_URL, each at least once, in order for each account. The position and what waits
// are in a record of the store (webhook-state.js). It is written after the deliveries that it tells of, so a process that is killed
// delivers some entries again and leaves none out. Of several processes one delivers: the one that the record names, until it
// has not written for a while.
const { createHash, randomUUID } = require('crypto')
const { setTimeout: sleep } = require('timers/promises')
const { leaveChanged } = require('../errors.js')
const { readEntries, readEntry, readHead } = require('../audit/read.js')
const Lanes = require('./lanes.js')
const Sender = require('./send.js')
const { NONE_UNDELIVERED, addUndelivered, isAgain, readState, write } = require('./webhook-state.js')

const AT_ONCE = 16
const PAGE = 100
// Entries in memory that wait for their first attempt, and lanes that have failed; then no more entries are read.
const MOST_HEALTHY = 256
const MOST_FAILING = 1000
// Longest time until new entries of another process are seen, shortest time between two writes of the record, in milliseconds.
const EVERY_MS = 1000
const SAVE_EVERY_MS = 250
// The process that delivers writes the record this often where there may be others, and stops delivering when it could not for
// this long; then another one begins. Each counts by its own clock.
const BEAT_MS = 10 * 1000
const LOST_AFTER_MS = 20 * 1000
const TAKEN_AFTER_MS = 30 * 1000
const WARN_EVERY_MS = 60 * 1000
// Deliveries that are on their way get this long when the store closes, in milliseconds.
const GRACE_MS = 1000

module.exports = class Webhooks {
  // `isShared` says that other processes may have the store open.
  constructor ({ store, ledger, appid, webhook, isShared, times = {} }) {
    Object.assign(this, { store, ledger, appid, isShared })
    this.times = { beat: BEAT_MS, lostAfter: LOST_AFTER_MS, takenAfter: TAKEN_AFTER_MS, ...times }
    this.sender = new Sender(webhook, this.times.limit)
    this.me = randomUUID()
    this.delivered = 0
    this.failed = 0
    this.warned = new Map()
    this.underway = new Set()
    this.onAppended = () => this.wake()
  }

  // From the end of `ready` on, no entry is left out, whatever happens to this process.
  start () {
    this.ledger.on('appended', this.onAppended)
    this.timer = setInterval(() => this.checkRecord(), EVERY_MS)
    this.timer.unref()
    this.ready = this.begin().catch((error) => this.warn(error))
    this.ready.then(() => this.wake())
  }

  // Lets another process begin at once. A delivery that takes too long counts as not made.
  async stop () {
    this.isStopped = true
    this.ledger.off('appended', this.onAppended)
    clearInterval(this.timer)
    clearTimeout(this.soon)
    await this.running
    if (this.underway.size) {
      await Promise.race([Promise.all(this.underway), sleep(GRACE_MS, undefined, { ref: false })])
    }
    if (this.lanes) {
      await this.save(true).catch(() => {})
    }
    this.sender.close()
  }

  wake () {
    this.isWoken = true
    if (!this.running && !this.isStopped) {
      this.running = this.run().finally(() => { this.running = undefined })
    }
  }

  // Looks whether another process has changed the record.
  checkRecord () {
    this.hasToLook = true
    this.wake()
  }

  async run () {
    try {
      while (this.isWoken && !this.isStopped) {
        this.isWoken = false
        await this.step()
      }
    } catch (error) {
      this.warn(error)
    }
  }

  async step () {
    if (this.hasToLook && this.lanes) {
      await this.look()
    }
    this.hasToLook = false
    if (!this.lanes && !await this.acquire()) {
      return
    }
    await this.fill()
    this.deliverSome()
    const now = performance.now()
    if (this.isShared && now - this.savedAt >= this.times.beat) {
      this.isDirty = true
    }
    if (this.isDirty && (!this.busy || now - this.savedAt >= SAVE_EVERY_MS)) {
      await this.save()
    }
    const canDeliver = this.lanes && this.busy < AT_ONCE && this.isInCharge()
    this.wakeIn(Math.min(this.isDirty ? SAVE_EVERY_MS : Infinity, canDeliver ? this.lanes.nextDue() - Date.now() : Infinity))
  }

  wakeIn (milliseconds) {
    if (milliseconds < EVERY_MS && !this.isStopped) {
      clearTimeout(this.soon)
      this.soon = setTimeout(() => this.wake(), Math.max(1, milliseconds))
      this.soon.unref()
    }
  }

  // The position of a new webhook is the end of the audit.
  async begin () {
    const { text } = await readState(this.store, this.appid)
    if (text !== undefined) {
      return
    }
    const { number } = await readHead(this.store)
    // Another process may have begun.
    await write(this.store, this.appid, undefined, { next: number + 1, owner: null, beat: 0, undelivered: NONE_UNDELIVERED, lanes: [] }).catch(leaveChanged)
  }

  // Becomes the process that delivers, unless another one is.
  async acquire () {
    const { text, state } = await readState(this.store, this.appid)
    if (!state) {
      await this.begin()
      this.isWoken = true
      return false
    }
    if ((this.isShared || this.hasLost) && state.owner && state.owner !== this.me && !this.isLost(text)) {
      return false
    }
    this.text = await write(this.store, this.appid, text, { ...state, owner: this.me, beat: state.beat + 1 }).catch(leaveChanged)
    if (this.text === undefined) {
      return false
    }
    this.savedAt = performance.now()
    this.beat = state.beat + 1
    this.undelivered = state.undelivered
    this.given = []
    this.next = state.next
    this.busy = 0
    this.isDirty = false
    const lanes = new Lanes(this.times)
    lanes.restore(state.lanes, Date.now())
    await this.findBetween(lanes, state.lanes)
    this.lanes = lanes
    return true
  }

  // Returns whether the record has not changed for long enough. Only this process's own clock counts.
  isLost (text) {
    const now = performance.now()
    if (this.seen?.text !== text) {
      this.seen = { text, at: now }
    }
    return now - this.seen.at >= this.times.takenAfter
  }

  // Adds the entries between the first and the last one of each lane.
  async findBetween (lanes, snapshot) {
    const ranges = new Map(snapshot.filter(([, first, last]) => first < last).map(([key, first, last]) => [key, { first, last }]))
    const all = [...ranges.values()]
    const last = all.reduce((most, range) => Math.max(most, range.last), 0)
    for (let from = all.reduce((least, range) => Math.min(least, range.first), Infinity); from <= last; from += PAGE) {
      for (const entry of await readEntries(this.store, from, Math.min(last, from + PAGE - 1))) {
        const range = ranges.get(keyOf(entry))
        if (entry.appid === this.appid && range && entry.number > range.first && entry.number <= range.last) {
          lanes.add(keyOf(entry), entry.number)
        }
      }
    }
  }

  // Reads entries into their lanes.
  async fill () {
    const { lanes } = this
    while (lanes.healthy < MOST_HEALTHY && lanes.failing < MOST_FAILING) {
      const head = await readHead(this.store)
      const from = Math.max(this.next, head.first)
      if (from > this.next) {
        this.warn(Object.assign(new Error('entries-pruned'), { detail: `the entries ${this.next} to ${from - 1} were removed by SLED_AUDIT_KEEP before they were delivered` }))
      }
      const to = Math.min(head.number, from + PAGE - 1)
      if (to < from) {
        return
      }
      for (const entry of await readEntries(this.store, from, to)) {
        if (entry.appid === this.appid) {
          lanes.add(keyOf(entry), entry.number)
        }
      }
      this.next = to + 1
      this.isDirty = true
    }
  }

  deliverSome () {
    const lanes = this.isInCharge() ? this.lanes.take(Date.now(), AT_ONCE - this.busy) : []
    for (const lane of lanes) {
      this.busy++
      const delivery = this.deliver(lane, this.lanes).finally(() => {
        this.underway.delete(delivery)
        this.wake()
      })
      this.underway.add(delivery)
    }
  }

  // Returns false if another process may deliver by now.
  isInCharge () {
    return !this.isShared || performance.now() - this.savedAt < this.times.lostAfter
  }

  async deliver (lane, lanes) {
    const [number] = lane.numbers
    let entry, outcome
    try {
      entry = await readEntry(this.store, number)
      outcome = entry ? await this.sender.send(entry) : { delivered: false, reason: 'pruned' }
    } catch (error) {
      this.warn(error)
    }
    if (this.lanes !== lanes) {
      return
    }
    this.busy--
    const now = Date.now()
    if (!outcome) {
      return lanes.putBack(lane, now + EVERY_MS)
    }
    this.isDirty = true
    if (outcome.delivered) {
      this.delivered++
      return lanes.succeeded(lane, now)
    }
    this.failed++
    if (outcome.isRefused) {
      this.warn(Object.assign(new Error('address-refused'), { detail: 'the address of SLED_WEBHOOK_URL is private or reserved; set SLED_WEBHOOK_PRIVATE=allow if that is meant' }))
    }
    const attempts = entry ? lanes.failed(lane, now, outcome) : lane.attempts
    if (!entry) {
      lanes.leave(lane)
    }
    if (attempts !== undefined) {
      this.given.push({ number, attempts, time: Math.floor(now / 1000), reason: outcome.reason })
    }
  }

  // Writes the record. Another process may have begun, or one may have asked to try events again.
  async save (isLast = false) {
    const { given, lanes } = this
    const state = { next: this.next, owner: isLast ? null : this.me, beat: this.beat + 1, lanes: lanes.snapshot() }
    this.given = []
    this.isDirty = false
    try {
      const { undelivered, records } = given.length
        ? await addUndelivered(this.store, this.appid, this.undelivered, given)
        : { undelivered: this.undelivered }
      this.text = await write(this.store, this.appid, this.text, { ...state, undelivered }, records)
      Object.assign(this, { undelivered, beat: state.beat, savedAt: performance.now() })
    } catch (error) {
      this.given = [...given, ...this.given]
      this.isDirty = true
      if (error.message !== 'record-changed') {
        throw error
      }
      await this.look()
    }
  }

  // Takes what another process has changed. The record may also be one that was written without an answer.
  async look () {
    const { text, state } = await readState(this.store, this.appid)
    if (text === this.text) {
      return
    }
    if (state?.owner !== this.me) {
      this.lanes = undefined
      this.hasLost = true
      return
    }
    this.text = text
    this.beat = state.beat
    this.undelivered = state.undelivered
    for (const [key, number] of state.lanes) {
      if (isAgain(key)) {
        this.lanes.addOnce(key, number)
      }
    }
    this.isDirty = this.isWoken = true
  }

  // Returns the number of the oldest entry that is still needed.
  async oldest () {
    if (this.lanes) {
      return Math.min(this.next, this.lanes.oldest())
    }
    const { state } = await readState(this.store, this.appid)
    return state ? state.lanes.reduce((least, [, first]) => Math.min(least, first), state.next) : Infinity
  }

  // Returns numbers for metrics. `lag` is the age of the oldest entry that waits, in seconds.
  async status () {
    const { state } = this.lanes ? {} : await readState(this.store, this.appid)
    const head = await readHead(this.store)
    const oldest = await this.oldest()
    const entry = oldest <= head.number ? await readEntry(this.store, oldest) : undefined
    return {
      delivers: Boolean(this.lanes),
      delivered: this.delivered,
      failed: this.failed,
      failing: this.lanes ? this.lanes.failing : (state?.lanes || []).filter(([, , , attempts]) => attempts).length,
      lag: entry ? Math.max(0, Date.now() / 1000 - entry.time) : 0,
      undelivered: (this.lanes ? this : state)?.undelivered.count ?? 0
    }
  }

  // Says each kind of problem at most once a minute. No message has the URL or the secret.
  warn (error) {
    const kind = error.code || error.message
    const now = performance.now()
    if (error.code === 'ERR_STORE_CLOSED' || now - (this.warned.get(kind) ?? -Infinity) < WARN_EVERY_MS) {
      return
    }
    this.warned.set(kind, now)
    process.emitWarning(`dashboard-sled, webhooks: ${error.detail || error.message}`, { code: 'DASHBOARD_SLED_WEBHOOK' })
  }
}

// Entries about no account, or about one that was erased, have a lane together.
function keyOf ({ details }) {
  const accountid = details?.accountid
  return accountid === undefined ? '' : createHash('sha256').update(accountid).digest('hex').slice(0, 16)
}
