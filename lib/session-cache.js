// The cache of parsed sessions. Parsing takes longer than all the rest of a Session.get.
//
// A session is cached with the versions of its record, of its account's record and of the one about the ends of its application,
// which the store read before the records. It is returned only while the store says that all still have these versions. Only the native side computes when a
// session has expired, therefore a session whose time is over is not returned.

const native = require('./native.js')
const { hostSecret, now } = require('./host.js')

// Heap that a session takes besides its text, in bytes, measured. Sessions with Dashboard's own properties share one hidden
// class; one with other properties may need names and a class of its own.
const ENTRY_BYTES = 150
const USUAL_PROPERTIES = 10
const PROPERTY_BYTES = 100
// A full cache takes one in so many of the sessions that are offered. One that is used often is soon among them. Where more
// sessions are used than there is room for, most would be dropped again before their next use, and each costs as much as it saves.
const TAKES_ONE_IN = 8
// V8 stores a string with such a character in two bytes for each character.
const TWO_BYTES = /[^\0-\xff]/

module.exports = class SessionCache {
  // `bytes` limits both generations together. When the young one is full, the old one is dropped with all sessions that
  // were not used lately.
  constructor (storeNumber, bytes) {
    this.storeNumber = storeNumber
    this.limit = bytes / 2
    this.young = new Map()
    this.youngBytes = 0
    this.old = new Map()
    this.isFull = false
    this.offered = 0
  }

  // Returns a copy for the caller, or undefined if the session is not cached or may have changed.
  get (appid, sessionid) {
    const session = this.peek(appid, sessionid)
    return session && { ...session }
  }

  // Returns the same session to every caller, who must not change it.
  peek (appid, sessionid) {
    const entry = this.find(sessionid)
    if (entry !== undefined && entry.session.expires > now() && entry.appid === appid && entry.secret === hostSecret() &&
      native.isCurrent(this.storeNumber, entry.sessionVersion, entry.accountVersion, entry.applicationVersion)) {
      return entry.session
    }
  }

  // `text` is the JSON that `session` was parsed from, under `secret`. A session with nested values is not cached, because its
  // callers would share them.
  add (appid, sessionid, session, { text, versions: [sessionVersion, accountVersion, applicationVersion], secret, isFromMemory }) {
    if (this.isFull && !this.takes(sessionid, isFromMemory)) {
      return
    }
    const values = Object.values(session)
    if (session.expires > now() && !values.some((value) => typeof value === 'object')) {
      const bytes = ENTRY_BYTES + text.length * (TWO_BYTES.test(text) ? 2 : 1) + PROPERTY_BYTES * Math.max(0, values.length - USUAL_PROPERTIES)
      this.put(sessionid, { session: { ...session }, bytes, sessionVersion, accountVersion, applicationVersion, appid, secret })
    }
  }

  // One that was read from the disk may be needed only once. One that is there already is replaced, because its record has changed.
  takes (sessionid, isFromMemory) {
    return this.young.has(sessionid) || this.old.has(sessionid) || (isFromMemory && ++this.offered % TAKES_ONE_IN === 0)
  }

  find (sessionid) {
    const entry = this.young.get(sessionid)
    if (entry !== undefined) {
      return entry
    }
    const oldEntry = this.old.get(sessionid)
    if (oldEntry !== undefined) {
      this.put(sessionid, oldEntry)
    }
    return oldEntry
  }

  put (sessionid, entry) {
    if (entry.bytes > this.limit) {
      return
    }
    if (this.youngBytes + entry.bytes > this.limit) {
      this.isFull = this.old.size > 0
      this.old = this.young
      this.young = new Map()
      this.youngBytes = 0
    }
    const previous = this.young.get(sessionid)
    this.youngBytes += entry.bytes - (previous === undefined ? 0 : previous.bytes)
    this.young.set(sessionid, entry)
  }
}
