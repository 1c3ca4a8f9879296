// The gate: handlers that take sessions that have ended out of requests. Dashboard alone would let them in: for a cookie it reads
// the stored `ended` and never `expires`, and it accepts any session that an application server names (src/server.js).
//
// A session is removed from the request before Dashboard looks for it. Dashboard does the rest: to pages, to the API and to every
// later handler, the request is then one without a session.
const { Session } = require('./administrator.js')
const { mainSessions } = require('./open-stores.js')

// Runs before all other handlers. One of them may change `req.appid`, therefore a session that is not found is left.
const early = { before: (req) => check(req, false) }
// Runs after all other `before` handlers, immediately before Dashboard looks for the session: only a session that is alive is
// left.
const gate = { before: (req) => check(req, true) }

module.exports = { gate, installGate }

// Puts the gate around the other handlers, which have the order of the application's list of modules. Dashboard runs each
// `before`, then signs in, then runs each `after`.
function installGate (handlers) {
  const others = handlers.filter((handler) => handler !== early && handler !== gate)
  handlers.splice(0, handlers.length, ...(others.length ? [early, ...others] : []), gate)
}

// The session of nearly every request is cached and alive: that takes no promise.
function check ({ appid, headers }, removeUnknown) {
  const sessionid = findSessionId(headers.cookie)
  const named = headers['x-sessionid']
  if ((sessionid && !isKnownAlive(appid, sessionid)) || (named && !isKnownAlive(appid, named))) {
    return removeEnded(appid, headers, sessionid, named, removeUnknown)
  }
}

async function removeEnded (appid, headers, sessionid, named, removeUnknown) {
  if (sessionid && await hasEnded(appid, sessionid, removeUnknown)) {
    headers.cookie = headers.cookie.split(';').filter((segment) => !isSessionId(segment)).join(';')
  }
  if (named && await hasEnded(appid, named, removeUnknown)) {
    delete headers['x-sessionid']
  }
}

function isKnownAlive (appid, sessionid) {
  try {
    const session = mainSessions().peek(appid, sessionid)
    return session !== undefined && !('ended' in session)
  } catch (error) {
    return false
  }
}

async function hasEnded (appid, sessionid, removeUnknown) {
  try {
    // A request of its own, because `Session.get` writes into the query.
    const session = await Session.get({ appid, query: { sessionid } })
    // `ended` is undefined if a reset has left no time in the account.
    return 'ended' in session && (session.ended === undefined || Boolean(session.ended))
  } catch (error) {
    return removeUnknown
  }
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
