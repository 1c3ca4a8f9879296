// Keeps sessions that have ended out of the host. On its own the host lets them in: for a cookie it looks at the stored `ended`
// and never at `expires`, and it takes any session that an application server names (src/server.js).
//
// A session is taken out of the request before the host looks for one. The rest is the host's: such a request is one without a
// session, for pages, for the API, and for every handler behind this one.
const { Session } = require('./administrator.js')

// Before all other handlers. One of them may change `req.appid`, so a session that is not known yet stays.
const early = { before: (req) => removeEnded(req, false) }
// After all other `before` handlers, immediately before the host looks for the session: only a session that is alive stays.
const gate = { before: (req) => removeEnded(req, true) }

module.exports = { gate, place }

// Puts the gate around the other handlers. They are in the order of the application's list of modules, and the host runs each
// `before`, then signs in, then runs each `after`.
function place (handlers) {
  const others = handlers.filter((handler) => handler !== early && handler !== gate)
  handlers.splice(0, handlers.length, ...(others.length ? [early, ...others] : []), gate)
}

async function removeEnded ({ appid, headers }, removeUnknown) {
  const sessionid = findSessionId(headers.cookie)
  if (sessionid && await hasEnded(appid, sessionid, removeUnknown)) {
    headers.cookie = headers.cookie.split(';').filter((segment) => !isSessionId(segment)).join(';')
  }
  const named = headers['x-sessionid']
  if (named && await hasEnded(appid, named, removeUnknown)) {
    delete headers['x-sessionid']
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
function findSessionId (cookie) {
  const found = cookie && cookie.includes('sessionid') && cookie.split(';').findLast(isSessionId)
  try {
    return found && decodeURI(found.substring(found.indexOf('=') + 1))
  } catch (error) {
  }
}

function isSessionId (segment) {
  const equals = segment.indexOf('=')
  return equals !== -1 && segment.substring(0, equals).trim() === 'sessionid'
}
