// Accounts and sessions that end, in a store without Dashboard.
const Ledger = require('../../lib/audit/ledger.js')
const { openStore } = require('../../lib/open-stores.js')

module.exports = { makeEnds }

let sessions = 0

// Returns calls that end sessions, over the store that is open.
async function makeEnds () {
  const store = await openStore()
  const ledger = new Ledger(store)
  const now = () => Math.floor(Date.now() / 1000)
  const attribution = (time) => JSON.stringify({ time, actor: { type: 'administrator', accountid: 'the-owner' }, address: '127.0.0.1', agent: 'a-browser', reason: 'a lost phone' })
  const makeAccount = async (accountid, appid) => {
    const name = `${appid}/account/${accountid}`
    if (!await store.exists(name)) {
      await store.write(name, JSON.stringify({ object: 'account', accountid, sessionKey: 'the-session-key', passwordHash: 'the-hash', sessionKeyNumber: 1 }))
    }
  }
  return {
    store,
    ledger,
    // Ends a session, each time another one.
    async end (accountid, { appid = 'app', time = now(), appends = true } = {}) {
      await makeAccount(accountid, appid)
      const sessionid = `session_${process.pid}_${++sessions}`
      await store.write(`${appid}/session/${sessionid}`, JSON.stringify({ object: 'session', sessionid, accountid, tokenHash: 'the-token-hash', sessionKeyNumber: 1, created: 1, expires: 4e9 }))
      await store.end(appid, [sessionid], [], undefined, time, attribution(time), undefined, undefined, undefined)
      if (appends) {
        await ledger.append()
      }
      return sessionid
    },
    async reset (accountid, appid = 'app') {
      await makeAccount(accountid, appid)
      await store.resetSessionKey(appid, accountid, now(), undefined, attribution(now()))
      await ledger.append()
    },
    async endAll (appid = 'app') {
      await store.end(appid, [], [], now() + 1, now(), attribution(now()), undefined, undefined, undefined)
      await ledger.append()
    }
  }
}
