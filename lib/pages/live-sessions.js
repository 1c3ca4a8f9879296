// The live sessions: a page for administrators, with a search, and one for users about themselves.
const { Account, Session } = require('../administrator.js')
const { now } = require('../host.js')
const { SessionEnd, Sessions, user } = require('../sessions/calls.js')
const { leaveMissing } = require('../sessions/list.js')
const { current } = require('../sessions/module.js')
const { describeEnd } = require('./audit-texts.js')
const { deviceName } = require('./device.js')
const { render, url } = require('./render.js')
const { ago, moment } = require('./times.js')

// Calls for one page: each of them looks at so many sessions only, and most may have ended.
const MOST_CALLS = 5

module.exports = { administrator: { get: showAll }, user: { get: showOwn } }

async function showAll (req, res) {
  const { appid } = req
  const { search, cursor } = readQuery(req)
  const view = { search, ...readMessage(req) }
  if (search === undefined) {
    const { sessions, next } = await collect((query) => Sessions.list({ appid, query }), cursor)
    return render(req, res, { ...view, ...await list(req, sessions), ...pages('/administrator/live-sessions', { cursor }, next) })
  }
  const session = await Session.get({ appid, query: { sessionid: search } }).catch(leaveMissing)
  if (session) {
    return render(req, res, { ...view, ...await showOne(req, session) })
  }
  const account = await Account.get({ appid, query: { accountid: search } }).catch(leaveMissing)
  if (!account) {
    return render(req, res, { ...view, isUnknown: true })
  }
  const { sessions, next } = await collect((query) => Sessions.list({ appid, query: { ...query, accountid: search } }), cursor)
  return render(req, res, {
    ...view,
    ...await list(req, sessions),
    ...pages('/administrator/live-sessions', { search, cursor }, next),
    account: sessions.length && { accountid: search, endUrl: url('/administrator/end-sessions', { accountid: search }) }
  })
}

async function showOwn (req, res) {
  const { appid, account } = req
  const { cursor } = readQuery(req)
  const { sessions, next } = await collect((query) => user.SessionList.get({ appid, account, query }), cursor)
  const rows = sessions.map((session) => ({ ...describe(req, session), endUrl: url('/account/end-sessions', { sessionid: session.sessionid }) }))
  return render(req, res, {
    ...readMessage(req),
    sessions: rows,
    hasSessions: rows.length > 0,
    hasOthers: rows.some(({ isThis }) => !isThis) || next !== undefined,
    ...pages('/account/live-sessions', { cursor }, next)
  })
}

async function showOne (req, session) {
  const { appid } = req
  const { sessionid } = session
  if (!('ended' in session)) {
    const [seen] = await current().lastSeen.of(appid, [sessionid])
    return list(req, [{ ...session, lastSeen: seen?.time ?? session.created, address: seen?.address, agent: seen?.agent }])
  }
  const end = await SessionEnd.get({ appid, query: { sessionid } })
  return { ended: { sessionid, accountid: session.accountid, ...describeEnd(end) } }
}

async function list (req, sessions) {
  const accountids = [...new Set(sessions.map(({ accountid }) => accountid))]
  const accounts = await Promise.all(accountids.map((accountid) => Account.get({ appid: req.appid, query: { accountid } }).catch(leaveMissing)))
  const names = new Map(accounts.map((account, index) => [accountids[index], nameOf(account)]))
  const rows = sessions.map((session) => ({
    ...describe(req, session),
    name: names.get(session.accountid),
    accountUrl: url('/administrator/live-sessions', { search: session.accountid }),
    endUrl: url('/administrator/end-sessions', { sessionid: session.sessionid }),
    othersUrl: url('/administrator/end-sessions', { accountid: session.accountid, except: session.sessionid })
  }))
  return { sessions: rows, hasSessions: rows.length > 0 }
}

function nameOf (account) {
  const { firstName, lastName, email } = account || {}
  return [firstName, lastName].filter(Boolean).join(' ') || email
}

function describe (req, { sessionid, accountid, agent, address, created, lastSeen }) {
  return {
    sessionid,
    accountid,
    agent,
    device: deviceName(agent),
    address: address || 'unknown',
    created: moment(created),
    seen: ago(lastSeen, now()),
    isThis: sessionid === req.session.sessionid
  }
}

// Returns the live sessions of a page, and the cursor of the next page.
async function collect (listPage, cursor) {
  const sessions = []
  let next = cursor
  for (let calls = 0; calls < MOST_CALLS && sessions.length < global.pageSize; calls++) {
    const page = await listPage({ state: 'live', limit: global.pageSize - sessions.length, ...(next && { cursor: next }) })
    sessions.push(...page.sessions)
    next = page.cursor
    if (next === undefined) {
      break
    }
  }
  return { sessions, next }
}

function pages (path, { cursor, ...query }, next) {
  return {
    firstUrl: cursor && url(path, query),
    nextUrl: next && url(path, { ...query, cursor: next })
  }
}

// Anybody can write into the address: an invalid search or cursor is left out.
function readQuery ({ query = {} }) {
  const { search, cursor } = query
  return {
    search: typeof search === 'string' ? search.trim() || undefined : undefined,
    cursor: /^\d{1,15}$/.test(cursor) ? String(cursor) : undefined
  }
}

function readMessage ({ query = {} }) {
  const [ended, planned] = [query.ended, query.planned].map((text) => /^\d{1,9}$/.test(text) ? Number(text) : undefined)
  if (query.message !== 'ended' || ended === undefined) {
    return {}
  }
  return {
    success: ended > 0 && { text: ended === 1 ? '1 session was ended' : `${ended} sessions were ended` },
    info: planned !== undefined && planned !== ended && { text: `The page before this one named ${planned}; the others began or ended meanwhile` }
  }
}
