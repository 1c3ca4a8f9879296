// When each session was last seen, and from where. Kept beside the session, in a record of its own: the host's record stays as it is.
// A request costs an entry in memory; what has changed is written together, at most once a minute.
const { hostSecret, now } = require('../host.js')
const { hashed } = require('../audit/names.js')
const { readTexts } = require('../audit/read-texts.js')

const EVERY_MS = 60 * 1000
// Records in one commit.
const BATCH = 500
// Sessions in each of the two generations in memory; the older one is dropped when the younger one is full.
const GENERATION = 20000

module.exports = class LastSeen {
  constructor (store, clientOf) {
    this.store = store
    this.clientOf = clientOf
    this.young = new Map()
    this.old = new Map()
    this.unwritten = new Map()
  }

  start () {
    this.timer = setInterval(() => this.write().catch((error) => this.warn(error)), EVERY_MS)
    this.timer.unref()
  }

  stop () {
    clearInterval(this.timer)
  }

  // Notes a request of a signed-in session.
  note (req) {
    const { appid, session: { sessionid } } = req
    const known = this.find(appid, sessionid)
    const time = now()
    const client = this.clientOf(req)
    // Within a minute the same is not worth to be written again.
    if (known !== undefined && time - known.since < EVERY_MS / 1000 && known.address === client?.address && known.agent === client?.agent) {
      known.time = time
    } else {
      this.put(appid, sessionid, { time, since: time, ...client })
    }
  }

  // An entry has when the session was last seen, and since when it waits to be written or is.
  put (appid, sessionid, entry) {
    const name = seenName(appid, sessionid)
    if (this.young.size >= GENERATION) {
      this.old = this.young
      this.young = new Map()
    }
    this.young.set(`${appid}/${sessionid}`, entry)
    this.unwritten.set(name, entry)
  }

  find (appid, sessionid) {
    const key = `${appid}/${sessionid}`
    return this.young.get(key) || this.old.get(key)
  }

  // Returns the number of sessions in memory that were seen within `seconds`.
  countSince (seconds) {
    const since = now() - seconds
    const isRecent = ({ time }) => time >= since
    let count = 0
    for (const entry of this.young.values()) {
      count += isRecent(entry)
    }
    for (const [key, entry] of this.old) {
      count += isRecent(entry) && !this.young.has(key)
    }
    return count
  }

  // Returns what is known of each session, undefined if nothing is: `time` in seconds, `address` and `agent`.
  async of (appid, sessionids) {
    const names = sessionids.map((sessionid) => seenName(appid, sessionid))
    const texts = await readTexts(this.store, names)
    return texts.map((text, index) => {
      const known = this.find(appid, sessionids[index])
      const stored = text === undefined ? undefined : JSON.parse(text)
      const newest = known && (!stored || known.time >= stored.time) ? known : stored
      return newest && { time: newest.time, address: newest.address, agent: newest.agent }
    })
  }

  // Removes what is known of sessions. Another process may still write what it has seen in the last minute.
  async forget (appid, sessionids) {
    const names = sessionids.map((sessionid) => seenName(appid, sessionid))
    for (const [index, sessionid] of sessionids.entries()) {
      this.young.delete(`${appid}/${sessionid}`)
      this.old.delete(`${appid}/${sessionid}`)
      this.unwritten.delete(names[index])
    }
    await this.store.replace([], [], names, names.map(() => ''), hostSecret())
  }

  async write () {
    const entries = [...this.unwritten]
    this.unwritten.clear()
    for (let index = 0; index < entries.length; index += BATCH) {
      const batch = entries.slice(index, index + BATCH)
      const texts = batch.map(([, { time, address, agent }]) => JSON.stringify({ time, address, agent }))
      try {
        await this.store.replace([], [], batch.map(([name]) => name), texts, hostSecret())
      } catch (error) {
        // For the next time, unless it is newer by now.
        this.unwritten = new Map([...entries.slice(index), ...this.unwritten])
        throw error
      }
    }
  }

  warn (error) {
    if (error.code !== 'ERR_STORE_CLOSED') {
      process.emitWarning(`dashboard-sled could not write when sessions were last seen: ${error.detail || error.message}`, { code: 'DASHBOARD_SLED_LAST_SEEN' })
    }
  }
}

module.exports.seenName = seenName

function seenName (appid, sessionid) {
  return hashed('seen', appid, sessionid)
}
