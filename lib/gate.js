// Keeps sessions that have ended out of the host. On its own the host lets them in: for a cookie it looks at the stored `ended`
// and never at `expires`, and it takes any session that an application server names (src/server.js).
//
// A session is taken out of the request before the host looks for one. The rest is the host's: such a request is one without a
// session, for pages, for the API, and for every handler behind this one.
const { Session } = require('./administrator.js')
const { iv, now, secret } = require('./host.js')
const { mainSessions } = require('./stores.js')

// Before all other handlers. One of them may change `req.appid`, so a session that is not known yet stays.
const early = { before: (req) => check(req, false) }
// After all other `before` handlers, immediately before the host looks for the session: only a session that is alive stays.
const gate = { before: (req) => check(req, true) }

module.exports = { gate, place }

// Puts the gate around the other handlers. They are in the order of the application's list of modules, and the host runs each
// `before`, then signs in, then runs each `after`.
function place (handlers) {
  const others = handlers.filter((handler) => handler !== early && handler !== gate)
  handlers.splice(0, handlers.length, ...(others.length ? [early, ...others] : []), gate)
}

// Nearly every request has a session that was parsed before and is alive: that takes no promise.
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
    const session = mainSessions().peek(appid, sessionid, now(), secret(), iv())
    return session !== undefined && !('ended' in session)
  } catch (error) {
    return false
  }
}

async function hasEnded (appid, sessionid, ifUnknown) {
  try {
    // A request of its own, since `Session.get` writes into its query.
    const session = await Session.get({ appid, query: { sessionid } })
    // Undefined when a reset has left no time in the account.
    return 'ended' in session && (session.ended === undefined || Boolean(session.ended))
  } catch (error) {
    return ifUnknown
  }
}

// Has to find what the host's authenticateRequest finds: the last one counts, and what cannot be decoded signs nobody in.
// Each request comes by here, so the cookie is not taken apart.
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
