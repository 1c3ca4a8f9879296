// Ends sessions by choice. The page says what will happen, from a dry run; its form does it.
const { Session } = require('../administrator.js')
const { Sessions, user } = require('../sessions/calls.js')
const { current } = require('../sessions/module.js')
const { now } = require('../host.js')
const { deviceName } = require('./device.js')
const { makeFormToken, readFormToken } = require('./form-token.js')
const { render } = require('./render.js')
const { ago } = require('./times.js')

// Devices that the page names.
const MOST_NAMED = 10
const MESSAGES = {
  'invalid-sessionid': 'There is no such session.',
  'invalid-accountid': 'There is no such account.',
  'invalid-account': 'There is no such session.',
  'invalid-except': 'There is no such session.',
  'invalid-selection': 'Nothing was chosen. Go back to the list and choose a session.',
  'invalid-reason': 'The reason is too long: 500 characters are kept.',
  'invalid-form': 'The form was not from this session. Look at it again, then send it.'
}
const administrator = { end: (req) => Sessions.end(req), list: '/administrator/live-sessions', select: selectAny }
const owner = { end: (req) => user.EndSessions.patch(req), list: '/account/live-sessions', select: selectOwn }

module.exports = {
  administrator: { get: (req, res) => show(administrator, req, res), post: (req, res) => end(administrator, req, res) },
  user: { get: (req, res) => show(owner, req, res), post: (req, res) => end(owner, req, res) }
}

async function show (kind, req, res, slug) {
  const listUrl = kind.list
  try {
    const selection = kind.select(req)
    const planned = selection.all ? describeAll(req) : await describePlan(kind, req, selection)
    return render(req, res, {
      listUrl,
      error: slug && { text: MESSAGES[slug] },
      reason: slug && req.body?.reason,
      action: `${req.urlPath}?${new URLSearchParams(req.query)}`,
      ...planned
    })
  } catch (error) {
    return refuse(req, res, listUrl, error)
  }
}

async function end (kind, req, res) {
  const id = readFormToken(req)
  if (!id) {
    return show(kind, req, res, 'invalid-form')
  }
  const reason = typeof req.body.reason === 'string' ? req.body.reason.trim() : ''
  const selection = kind.select(req)
  try {
    const { ended } = await kind.end(request(req, selection, { idempotencyKey: `page ${id}`, ...(reason && { reason }) }))
    const query = { message: 'ended', ...(ended !== undefined && { ended }), ...(/^\d{1,9}$/.test(req.body.planned) && { planned: req.body.planned }) }
    const search = kind === administrator && selection.accountid ? { search: selection.accountid } : {}
    // 303, so that the browser asks for the list with GET, and a reload does not send the form again.
    res.writeHead(303, { location: `${kind.list}?${new URLSearchParams({ ...search, ...query })}` })
    return res.end()
  } catch (error) {
    return error.message === 'invalid-reason' ? show(kind, req, res, error.message) : refuse(req, res, kind.list, error)
  }
}

// Nothing is counted: there may be a million sessions, and one write ends them.
function describeAll (req) {
  return { isAll: true, form: { token: makeFormToken(req) }, hasThis: true }
}

async function describePlan (kind, req, selection) {
  const { sessionids, ended: count } = await kind.end(request(req, { ...selection, dryRun: 'true' }, {}))
  const { appid, session } = req
  const seen = await current().lastSeen.of(appid, sessionids.slice(0, MOST_NAMED))
  const named = seen.map((found, index) => ({
    sessionid: sessionids[index],
    device: deviceName(found?.agent),
    address: found?.address,
    seen: found && ago(found.time, now()),
    isThis: sessionids[index] === session.sessionid
  }))
  const hasThis = sessionids.includes(session.sessionid)
  return {
    accountid: selection.accountid || (await Session.get({ appid, query: { sessionid: selection.sessionid } })).accountid,
    except: selection.except === session.sessionid ? 'this one' : selection.except,
    count,
    isNone: count === 0,
    form: count > 0 && { token: makeFormToken(req), planned: count },
    isOne: count === 1,
    sessions: named,
    rest: count > named.length && count - named.length,
    hasThis
  }
}

// Returns the request for a call: the selection comes from the address, and the rest from the form.
function request ({ appid, urlPath, account, session, headers, socket }, query, body) {
  return { appid, urlPath, account, session, headers, socket, query, body }
}

function selectAny ({ query = {} }) {
  const selection = {}
  for (const name of ['sessionid', 'accountid', 'except', 'all']) {
    if (query[name] !== undefined) {
      selection[name] = query[name]
    }
  }
  return selection
}

// Without a session it is all but this one.
function selectOwn ({ query = {}, account, session }) {
  return query.sessionid === undefined ? { accountid: account.accountid, except: session.sessionid } : { sessionid: query.sessionid }
}

function refuse (req, res, listUrl, error) {
  const text = MESSAGES[error.message]
  if (!text) {
    throw error
  }
  return render(req, res, { listUrl, error: { text }, isRefused: true })
}
