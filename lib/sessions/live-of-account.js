// The live sessions of accounts, for the policy that limits them. An account keeps its ended sessions until the purge, so only the first
// sign-in after a start looks at all of them; from then on a sign-in looks at those that are new, and at those that were live.
const { eachSequence, readSessions } = require('./list.js')

// Accounts in memory. The one that signed in longest ago is dropped.
const MOST_ACCOUNTS = 10000
// Sessions before the newest known one that are looked at again: those of several processes may come into a list a little out of order.
const OVERLAP = 64

module.exports = class LiveOfAccount {
  constructor (store) {
    this.store = store
    this.accounts = new Map()
  }

  // Returns the live sessions of an account, newest first.
  async list (appid, accountid) {
    const key = JSON.stringify([appid, accountid])
    const known = this.accounts.get(key)
    const looked = new Set()
    const live = []
    const look = async (sessionids) => {
      const others = sessionids.filter((sessionid) => !looked.has(sessionid))
      others.forEach((sessionid) => looked.add(sessionid))
      for (const session of await readSessions(appid, others)) {
        if (session && !('ended' in session)) {
          live.push(session)
        }
      }
    }
    let newest = known ? known.newest : 0
    let overlap = 0
    // A page at a time: there may be very many.
    await eachSequence(this.store, appid, accountid, async (page) => {
      const recent = page.filter(([sequence]) => !known || sequence > known.newest || ++overlap <= OVERLAP)
      newest = Math.max(newest, ...recent.map(([sequence]) => sequence))
      await look(recent.map(([, sessionid]) => sessionid))
      return recent.length === page.length
    })
    await look(known?.sessionids || [])
    this.accounts.delete(key)
    this.accounts.set(key, { newest, sessionids: live.map(({ sessionid }) => sessionid) })
    if (this.accounts.size > MOST_ACCOUNTS) {
      this.accounts.delete(this.accounts.keys().next().value)
    }
    return live
  }
}
