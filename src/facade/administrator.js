// The host's administrator modules (src/www/api/administrator/*.js), native where Dashboard wrote the
// records itself. What is odd, and what a request brings along in cacheData, follows the host's
// own statements here: their coercions are JavaScript's.
const crypto = require('crypto')
const { invalid } = require('./arguments.js')
const { now, secrets } = require('./host.js')
const { openMainStore } = require('./stores.js')

const Account = {
  get: async (req) => {
    const accountid = requireId(req, 'accountid', 'invalid-accountid')
    if (!req.cacheData) {
      const store = await openMainStore()
      const text = await store.account(req.appid, accountid, ...secrets())
      if (text) {
        return JSON.parse(text)
      }
    }
    const account = await find(req, 'account', accountid)
    if (!account || account.object !== 'account') {
      throw invalid('invalid-accountid')
    }
    delete account.sessionKey
    delete account.usernameHash
    delete account.passwordHash
    return account
  }
}

const Session = {
  get: async (req) => {
    const sessionid = requireId(req, 'sessionid', 'invalid-sessionid')
    if (!req.cacheData) {
      const store = await openMainStore()
      const text = await store.session(req.appid, sessionid, now(), ...secrets())
      if (text) {
        const session = JSON.parse(text)
        req.query.accountid = session.accountid
        return session
      }
    }
    const session = await find(req, 'session', sessionid)
    if (!session || session.object !== 'session') {
      throw invalid('invalid-sessionid')
    }
    delete session.tokenHash
    if (!session.ended) {
      // The host leaves it there as well.
      req.query.accountid = session.accountid
      const account = await Account.get(req)
      if (session.sessionKeyNumber < account.sessionKeyNumber) {
        session.ended = account.sessionKeyLastReset
      } else if (session.expires <= now()) {
        session.ended = session.expires
      }
    }
    return session
  }
}

const ResetSessionKey = {
  patch: async (req) => {
    const accountid = requireId(req, 'accountid', 'invalid-accountid')
    const store = await openMainStore()
    return JSON.parse(await store.resetSessionKey(req.appid, accountid, now(), ...secrets()))
  }
}

module.exports = { Account, ResetSessionKey, Session }

// Without an appid the host would look for `undefined/session/…`, and find nothing.
function requireId (req, name, slug) {
  const id = req && req.query && req.query[name]
  if (typeof id !== 'string' || !id || typeof req.appid !== 'string') {
    throw invalid(slug)
  }
  return id
}

// What the request brings along wins, as text or as an object, which is then changed in place.
async function find (req, folder, id) {
  let found = req.cacheData && req.cacheData[id]
  if (!found) {
    const store = await openMainStore()
    found = decrypt(await store.read(`${req.appid}/${folder}/${id}`))
  }
  try {
    return JSON.parse(found)
  } catch (error) {
    return found
  }
}

// As the host's src/storage.js does it.
function decrypt (text) {
  const [secret, iv] = secrets()
  if (!text || !secret) {
    return text
  }
  try {
    return crypto.createDecipheriv('aes-256-ctr', secret, Buffer.from(iv)).update(text, 'hex', 'utf-8')
  } catch (error) {
    return text
  }
}
