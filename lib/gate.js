// The gate: handlers that take sessions that have ended out of requests. Dashboard alone would let them in: for a cookie it reads
// the stored `ended` and never `expires`, and it accepts any session that an application server names (src/server.js).
//
// A session is removed from the request before Dashboard looks for it. Dashboard does the rest: to pages, to the API and to every
// later handler, the request is then one without a session.
const { Session } = require('./administrator.js')
const { enter } = require('./attribution.js')
const { now } = require('./host.js')
const { answerMetrics, isForMetrics } = require('./metrics-route.js')
const { mainSessions } = require('./open-stores.js')
const { peekModule } = require('./sessions/module.js')
const { endByPolicy, policyThatEnds } = require('./sessions/policies.js')

// Runs before all other handlers. One of them may change `req.appid`, therefore a session that is not found is left.
const early = { before: (req, res) => check(req, res, false) }
// Runs after all other `before` handlers, immediately before Dashboard looks for the session: only a session that is alive is
// left. Then, once Dashboard has signed in, the session is noted as seen.
const gate = { before: (req, res) => check(req, res, true), after: noteSeen }

module.exports = { gate, installGate }

// Puts the gate around the other handlers, which have the order of the application's list of modules. Dashboard runs each
// `before`, then signs in, then runs each `after`.
function installGate (handlers) {
  const others = handlers.filter((handler) => handler !== early && handler !== gate)
  handlers.splice(0, handlers.length, ...(others.length ? [early, ...others] : []), gate)
}

// The session of nearly every request is cached and alive: that takes no promise.
function check (req, res, removeUnknown) {
  if (isForMetrics(req)) {
    return answerMetrics(req, res)
  }
  enter(req, res)
  const { appid, headers } = req
  const sessionid = findSessionId(headers.cookie)
  const named = headers['x-sessionid']
  if ((sessionid && !isKnownAlive(appid, sessionid)) || (named && !isKnownAlive(appid, named))) {
    return removeEnded(req, res, sessionid, named, removeUnknown)
  }
}

async function removeEnded ({ appid, headers }, res, sessionid, named, removeUnknown) {
  const isRemoved = (state) => state === 'ended' || (removeUnknown && state !== 'live')
  if (sessionid) {
    const state = await stateOf(appid, sessionid)
    if (isRemoved(state)) {
      headers.cookie = headers.cookie.split(';').filter((segment) => !isSessionId(segment)).join(';')
    }
    if (state === 'ended') {
      clearCookies(res)
    }
  }
  if (named && isRemoved(await stateOf(appid, named))) {
    delete headers['x-sessionid']
  }
}

function noteSeen (req) {
  const module = peekModule()
  if (module && req.session && !req.applicationServer) {
    module.lastSeen.note(req)
  }
}

function isKnownAlive (appid, sessionid) {
  try {
    const session = mainSessions().peek(appid, sessionid)
    return session !== undefined && !('ended' in session) && isWithinPolicies(appid, session)
  } catch (error) {
    return false
  }
}

// Only from memory: a session that was not seen lately is looked up.
function isWithinPolicies (appid, session) {
  const { settings, lastSeen } = peekModule() || {}
  if (!settings || (settings.idleAfter === undefined && settings.absoluteAfter === undefined)) {
    return true
  }
  const seen = lastSeen.find(appid, session.sessionid)
  return seen !== undefined && policyThatEnds(session, seen.time, settings, now()) === undefined
}

// Returns `live`, `ended`, or `unknown` if that cannot be told.
async function stateOf (appid, sessionid) {
  try {
    // A request of its own, because `Session.get` writes into the query.
    const session = await Session.get({ appid, query: { sessionid } })
    // `ended` is undefined if a reset has left no time in the account.
    const hasEnded = 'ended' in session && (session.ended === undefined || Boolean(session.ended))
    return hasEnded || await endsNow(appid, session) ? 'ended' : 'live'
  } catch (error) {
    return 'unknown'
  }
}

// Ends a session that a policy ends, before it is answered.
async function endsNow (appid, session) {
  const module = peekModule()
  if (!module) {
    return false
  }
  const { idleAfter } = module.settings
  const [seen] = idleAfter === undefined ? [] : await module.lastSeen.of(appid, [session.sessionid])
  const cause = policyThatEnds(session, seen?.time, module.settings, now())
  if (cause !== undefined) {
    await endByPolicy(module, appid, [session.sessionid], cause)
  }
  return cause !== undefined
}

// As Dashboard's signout.js. A page that signs in sets its own afterwards.
function clearCookies (res) {
  if (!res || res.headersSent) {
    return
  }
  const domain = global.domain && global.domain !== 'localhost' ? `; domain=${global.domain}` : ''
  const expired = `x; httponly; path=/${domain}; expires=${new Date(0).toUTCString()}`
  res.setHeader('set-cookie', [`sessionid=${expired}`, `token=${expired}`])
}

// Returns the session that Dashboard's authenticateRequest would find: the last one in the cookie counts, and a value that cannot
// be decoded signs nobody in. Every request comes through here, so the cookie is searched and not split.
function findSessionId (cookie) {
  if (!cookie || !cookie.includes('sessionid')) {
    return
  }
  let end = cookie.length
  while (end !== -1) {
    const semicolon = end === 0 ? -1 : cookie.lastIndexOf(';', end - 1)
    const segment = cookie.substring(semicolon + 1, end)
    if (isSessionId(segment)) {
      return decode(segment.substring(segment.indexOf('=') + 1))
    }
    end = semicolon
  }
}

function decode (value) {
  try {
    return value.includes('%') ? decodeURI(value) : value
  } catch (error) {
  }
}

function isSessionId (segment) {
  const equals = segment.indexOf('=')
  return equals !== -1 && segment.substring(0, equals).trim() === 'sessionid'
}
