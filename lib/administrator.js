// The host's administrator modules (src/www/api/administrator/*.js), native where Dashboard wrote the
// records itself. What is odd, and what a request brings along in cacheData, follows the host's
// own statements here: their coercions are JavaScript's.
const { invalid } = require('./arguments.js')
const { attentively } = require('./spin.js')
const { decrypt, iv, now, secret } = require('./host.js')
const { mainSessions, mainStore, readText } = require('./stores.js')

// A key is read from its end, `<appid>/account/<id>`. With one of these words elsewhere it could be the key of another
// application: `a/session/b` of the application `c` is `b` of the application `c/session/a`.
const WORD_IN_APPID = /\/(account|session)(\/|$)/
const WORD_IN_ID = /(^|\/)(account|session)\//

const Account = {
  get: async (req) => getAccount(req, requireId(req, 'accountid', 'invalid-accountid'))
}

const Session = {
  get: async (req) => {
    const sessionid = requireId(req, 'sessionid', 'invalid-sessionid')
    if (isPlain(req)) {
      const copy = mainSessions().get(req.appid, sessionid, now(), secret(), iv())
      const session = copy === undefined ? await readSession(req.appid, sessionid) : copy
      if (session !== undefined) {
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
      const account = await getAccount(req, session.accountid)
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
    if (!isOwn(req.appid, accountid)) {
      throw invalid('invalid-accountid')
    }
    const store = mainStore()
    return JSON.parse(await attentively(store.resetSessionKey(req.appid, accountid, now(), secret(), iv())))
  }
}

module.exports = { Account, ResetSessionKey, Session }

// Undefined where the host's own statements decide.
async function readSession (appid, sessionid) {
  if (!isOwn(appid, sessionid)) {
    return
  }
  const at = now()
  const known = mainStore().session(appid, sessionid, at, secret(), iv())
  const answer = Array.isArray(known) ? known : await known
  if (answer === false) {
    return
  }
  const [text, sessionVersion, accountVersion] = answer
  const session = JSON.parse(text)
  // One that was read from the disk may be needed only once.
  if (answer === known) {
    mainSessions().keep(session, text, sessionVersion, accountVersion, appid, sessionid, at, secret(), iv())
  }
  return session
}

// The id of an account that a session names is whatever stands there.
async function getAccount (req, accountid) {
  if (!accountid) {
    throw invalid('invalid-accountid')
  }
  if (isPlain(req) && typeof accountid === 'string' && isOwn(req.appid, accountid)) {
    const store = mainStore()
    const known = store.account(req.appid, accountid, secret(), iv())
    const text = typeof known === 'string' ? known : await known
    if (text !== false) {
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

function requireId (req, name, slug) {
  const id = req && req.query && req.query[name]
  if (typeof id !== 'string' || !id) {
    throw invalid(slug)
  }
  return id
}

// Whether a record of `id` in the application `appid` can be nobody else's.
function isOwn (appid, id) {
  return typeof appid === 'string' && !WORD_IN_APPID.test(appid) && !WORD_IN_ID.test(id)
}

// Whether the store alone knows the answer.
function isPlain (req) {
  return !req.cacheData && typeof req.appid === 'string'
}

// What the request brings along wins, as text or as an object, which is then changed in place.
async function find (req, folder, id) {
  const found = (req.cacheData && req.cacheData[id]) || await read(req, folder, id)
  try {
    return JSON.parse(found)
  } catch (error) {
    return found
  }
}

// Without an appid the host would look for `undefined/session/…`, and find nothing.
async function read (req, folder, id) {
  if (!isOwn(req.appid, id)) {
    return
  }
  const store = mainStore()
  try {
    return decrypt(await readText(store, store.number, `${req.appid}/${folder}/${id}`), secret(), iv())
  } catch (error) {
    if (error.code !== 'ERR_TOO_LARGE') {
      throw error
    }
    // Nothing has so long a name.
  }
}
