// Sessions that were parsed before. Parsing takes longer than all the rest of a Session.get.
//
// A copy is handed out only while the store says that neither the session nor its account can have changed: it is
// kept with their versions, which the store took before it read them. What expires is computed by the native side
// alone, so a copy whose time is over is not used.

const native = require('./native.js')

// Heap that a copy takes besides its text, in bytes, measured. Dashboard's sessions share their hidden class; one with more
// properties than those of Dashboard, and perhaps one of our modules' own, may need names and a class of its own.
const COPY_BYTES = 150
const USUAL_PROPERTIES = 10
const PROPERTY_BYTES = 100
// V8 keeps a string with such a character in two bytes for each.
const TWO_BYTES = /[^\0-\xff]/

module.exports = class SessionCopies {
  // `bytes` is the most that two generations take together: when the young one is full the old one goes, with all that
  // was not used lately.
  constructor (number, bytes) {
    this.number = number
    this.most = bytes / 2
    this.young = new Map()
    this.youngBytes = 0
    this.old = new Map()
  }

  // A session of the caller's own; undefined if there is none that is certain.
  get (appid, sessionid, now, secret, iv) {
    const session = this.peek(appid, sessionid, now, secret, iv)
    return session && { ...session }
  }

  // The same to be looked at only: it is everybody's.
  peek (appid, sessionid, now, secret, iv) {
    const copy = this.find(sessionid)
    if (copy !== undefined && copy.session.expires > now && copy.appid === appid && copy.secret === secret && copy.iv === iv &&
      native.isCurrent(this.number, copy.sessionVersion, copy.accountVersion)) {
      return copy.session
    }
  }

  // `text` is the JSON that `session` was parsed from. Nested values would be shared between callers, so a session that has
  // some is not kept.
  keep (session, text, sessionVersion, accountVersion, appid, sessionid, now, secret, iv) {
    const values = Object.values(session)
    if (session.expires > now && !values.some((value) => typeof value === 'object')) {
      const bytes = COPY_BYTES + text.length * (TWO_BYTES.test(text) ? 2 : 1) + PROPERTY_BYTES * Math.max(0, values.length - USUAL_PROPERTIES)
      this.put(sessionid, { session: { ...session }, bytes, sessionVersion, accountVersion, appid, secret, iv })
    }
  }

  find (sessionid) {
    const copy = this.young.get(sessionid)
    if (copy !== undefined) {
      return copy
    }
    const aged = this.old.get(sessionid)
    if (aged !== undefined) {
      this.put(sessionid, aged)
    }
    return aged
  }

  put (sessionid, copy) {
    if (copy.bytes > this.most) {
      return
    }
    if (this.youngBytes + copy.bytes > this.most) {
      this.old = this.young
      this.young = new Map()
      this.youngBytes = 0
    }
    const before = this.young.get(sessionid)
    this.youngBytes += copy.bytes - (before === undefined ? 0 : before.bytes)
    this.young.set(sessionid, copy)
  }
}
