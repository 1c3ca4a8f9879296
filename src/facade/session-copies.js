// Sessions that were parsed before. Parsing takes longer than all the rest of a Session.get.
//
// A copy is handed out only while the store says that neither the session nor its account can have changed: it is
// kept with their stamps, which the store took before it read them. What expires is computed by the native side
// alone, so a copy whose time is over is not used.

const native = require('./native.js')

// What a copy takes twice, in either generation, measured as heap.
const COPY_BYTES = 600

module.exports = class SessionCopies {
  // So many bytes in two generations: when the young one is full the old one goes, with all that was not used lately.
  constructor (number, bytes) {
    this.number = number
    this.most = Math.floor(bytes / COPY_BYTES)
    this.young = new Map()
    this.old = new Map()
  }

  // A session of the caller's own; undefined if there is none that is certain.
  get (appid, sessionid, now, secret, iv) {
    const copy = this.find(sessionid)
    if (copy !== undefined && copy.session.expires > now && copy.appid === appid && copy.secret === secret && copy.iv === iv &&
      native.isCurrent(this.number, copy.sessionStamp, copy.accountStamp)) {
      return { ...copy.session }
    }
  }

  // Nested values would be shared between callers, so what has some is not kept.
  keep (session, sessionStamp, accountStamp, appid, sessionid, now, secret, iv) {
    if (session.expires > now && !Object.values(session).some((value) => typeof value === 'object')) {
      this.put(sessionid, { session: { ...session }, sessionStamp, accountStamp, appid, secret, iv })
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
    if (this.young.size >= this.most) {
      this.old = this.young
      this.young = new Map()
    }
    this.young.set(sessionid, copy)
  }
}
