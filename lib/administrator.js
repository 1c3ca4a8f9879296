// Dashboard's administrator modules (its src/www/api/administrator/*.js). A call asks the cache of parsed sessions, then the
// store. If the store cannot answer, the call follows Dashboard's own statements: for records that Dashboard did not write, and
// for requests with cacheData, because their coercions are JavaScript's.
const { attribution } = require('./attribution.js')
const { invalid } = require('./errors.js')
const { isUnambiguous, recordKey } = require('./host-keys.js')
const { decrypt, hostSecret, now } = require('./host.js')
const { noteReset } = require('./reset-times.js')
const { spinFor } = require('./spin.js')
const { mainSessions, mainStore, readText } = require('./open-stores.js')
const { listsOf } = require('./storage-list.js')

const Account = {
  get: async (req) => getAccount(req, requireId(req, 'accountid', 'invalid-accountid'))
}

const Session = {
  get: async (req) => {
    const sessionid = requireId(req, 'sessionid', 'invalid-sessionid')
    if (isAnsweredByStore(req)) {
      const cached = mainSessions().get(req.appid, sessionid)
      const session = cached === undefined ? await readSession(req.appid, sessionid) : cached
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
    // When a session has ended is also computed in src/record/session.rs; __test__/differential.test.js compares both with
    // Dashboard.
    if (!session.ended) {
      // Dashboard leaves it there as well.
      req.query.accountid = session.accountid
      const account = await getAccount(req, session.accountid)
      const application = await readEndOfApplication(req.appid)
      if (session.sessionKeyNumber < account.sessionKeyNumber) {
        session.ended = account.sessionKeyLastReset
      } else if (application && !(session.created >= application.before)) {
        session.ended = application.ended
      } else if (session.expires <= now()) {
        session.ended = session.expires
      }
    }
    return session
  }
}

// Dashboard's list (sessions.js) reads every session and every account again; here each is as `Session.get` has it in memory.
const Sessions = {
  get: async (req) => {
    req.query = req.query || {}
    const { accountid, all, limit, offset } = req.query
    const index = accountid ? `${req.appid}/account/sessions/${accountid}` : `${req.appid}/sessions`
    const lists = listsOf(mainStore())
    const sessionids = all
      ? await lists.listAll(index)
      : await lists.list(index, offset ? parseInt(offset, 10) : 0, limit ? parseInt(limit, 10) : global.pageSize)
    if (!sessionids || !sessionids.length) {
      return null
    }
    const queries = sessionids.map((sessionid) => ({ sessionid }))
    const sessions = await Promise.all(queries.map((query) => Session.get({ appid: req.appid, query })))
    // Dashboard leaves those of the last session there.
    Object.assign(req.query, ...queries)
    return sessions
  }
}

const ResetSessionKey = {
  patch: async (req) => {
    const accountid = requireId(req, 'accountid', 'invalid-accountid')
    if (!isUnambiguous(req.appid, accountid)) {
      throw invalid('invalid-accountid')
    }
    const store = mainStore()
    const begun = performance.now()
    const text = await spinFor(store.resetSessionKey(req.appid, accountid, now(), hostSecret(), attribution()))
    noteReset(begun)
    return JSON.parse(text)
  }
}

module.exports = { Account, readEndOfApplication, ResetSessionKey, Session, Sessions }

// Returns undefined if Dashboard's own statements have to decide.
async function readSession (appid, sessionid) {
  if (!isUnambiguous(appid, sessionid)) {
    return
  }
  // They may be others when the answer comes.
  const [store, sessions, secret] = [mainStore(), mainSessions(), hostSecret()]
  const result = store.session(appid, sessionid, now(), secret)
  const isFromMemory = Array.isArray(result)
  const answer = isFromMemory ? result : await spinFor(result)
  if (answer === false) {
    return
  }
  const [text, sessionVersion, accountVersion, applicationVersion] = answer
  const session = JSON.parse(text)
  sessions.add(appid, sessionid, session, { text, versions: [sessionVersion, accountVersion, applicationVersion], secret, isFromMemory })
  return session
}

// Returns which sessions of an application were ended together: see src/record/end.rs.
async function readEndOfApplication (appid) {
  if (!isUnambiguous(appid, '')) {
    return
  }
  const store = mainStore()
  const text = await readText(store, store.number, `${appid}/ended/before`)
  return text && JSON.parse(text)
}

// `accountid` may come from a stored session, therefore it may be any value.
async function getAccount (req, accountid) {
  if (!accountid) {
    throw invalid('invalid-accountid')
  }
  if (isAnsweredByStore(req) && typeof accountid === 'string' && isUnambiguous(req.appid, accountid)) {
    const store = mainStore()
    const answer = store.account(req.appid, accountid, hostSecret())
    const text = typeof answer === 'object' ? await spinFor(answer) : answer
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

function isAnsweredByStore (req) {
  return !req.cacheData && typeof req.appid === 'string'
}

// A record in cacheData comes first. It is text or an object, which the caller then changes in place.
async function find (req, kind, id) {
  const found = (req.cacheData && req.cacheData[id]) || await read(req, kind, id)
  try {
    return JSON.parse(found)
  } catch (error) {
    return found
  }
}

// Without an appid Dashboard would read the key `undefined/session/…`, and find nothing.
async function read (req, kind, id) {
  if (!isUnambiguous(req.appid, id)) {
    return
  }
  const store = mainStore()
  try {
    return decrypt(await readText(store, store.number, recordKey(req.appid, kind, id)), hostSecret())
  } catch (error) {
    if (error.code !== 'ERR_TOO_LARGE') {
      throw error
    }
    // No record can have a name of this length.
  }
}
