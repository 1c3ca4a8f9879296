// The sessions of an application or an account, with their state, and when and from where they were last seen.
const { invalid } = require('../errors.js')
const { now } = require('../host.js')
const { Session } = require('../administrator.js')
const { readId, readLimit, readText, value } = require('./arguments.js')

const MOST = 500
// Pages that one call looks at: a state may fit few sessions. The next call goes on from there.
const MOST_PAGES = 20
const STATES = ['live', 'ended']

module.exports = { allOf, describe, eachIds, eachPage, eachSequence, leaveMissing, list, readSessions, stateCounts }

// Returns a page of sessions, newest first. `sessions` are live or have ended.
async function list (module, req) {
  const accountid = readId(req, 'accountid')
  const state = readText(req, 'state')
  if (state !== undefined && !STATES.includes(state)) {
    throw invalid('invalid-state', `the states are ${STATES.join(' and ')}`)
  }
  const limit = readLimit(req, MOST, 100)
  let cursor = readCursor(req)
  let isEnd = false
  const sessions = []
  for (let pages = 0; pages < MOST_PAGES && sessions.length < limit && !isEnd; pages++) {
    const page = await pageBefore(module.store, path(req.appid, accountid), cursor, limit)
    const found = await readSessions(req.appid, page.map(([, sessionid]) => sessionid))
    isEnd = page.length < limit
    for (const [index, session] of found.entries()) {
      if (sessions.length === limit) {
        isEnd = false
        break
      }
      cursor = page[index][0]
      if (session && (state === undefined || state === stateOf(session))) {
        sessions.push(session)
      }
    }
  }
  const seen = await module.lastSeen.of(req.appid, sessions.map(({ sessionid }) => sessionid))
  return {
    sessions: sessions.map((session, index) => describe(session, seen[index])),
    cursor: isEnd ? undefined : String(cursor)
  }
}

function describe (session, seen) {
  return {
    ...session,
    state: stateOf(session),
    age: now() - session.created,
    lastSeen: seen?.time ?? session.created,
    address: seen?.address,
    agent: seen?.agent
  }
}

function stateOf (session) {
  return 'ended' in session ? 'ended' : 'live'
}

// Returns sessions as `Session.get` has them, undefined for those that are gone or whose account is.
async function readSessions (appid, sessionids) {
  return Promise.all(sessionids.map((sessionid) => Session.get({ appid, query: { sessionid } }).catch(leaveMissing)))
}

// For a session or an account that is gone. Throws any other error.
function leaveMissing (error) {
  if (!['invalid-sessionid', 'invalid-accountid'].includes(error.message)) {
    throw error
  }
}

// Calls `each` with the sequence numbers and ids of all sessions of an application or of an account, newest first, a page at a time,
// until it returns false.
async function eachSequence (store, appid, accountid, each) {
  const size = 500
  let cursor
  for (;;) {
    const page = await pageBefore(store, path(appid, accountid), cursor, size)
    if (page.length) {
      if (await each(page) === false) {
        return
      }
      cursor = page[page.length - 1][0]
    }
    if (page.length < size) {
      return
    }
  }
}

// The same with the ids alone.
function eachIds (store, appid, accountid, each) {
  return eachSequence(store, appid, accountid, async (page) => { await each(page.map(([, sessionid]) => sessionid)) })
}

// The same with the sessions, without those that are gone or whose account is.
function eachPage (store, appid, accountid, each) {
  return eachIds(store, appid, accountid, async (sessionids) => each((await readSessions(appid, sessionids)).filter(Boolean)))
}

// Returns all sessions of an account.
async function allOf (store, appid, accountid) {
  const sessions = []
  await eachPage(store, appid, accountid, (page) => sessions.push(...page))
  return sessions
}

// Returns the number of sessions by state.
async function stateCounts (store, appid, accountid) {
  const counts = { live: 0, ended: 0 }
  await eachPage(store, appid, accountid, (page) => {
    for (const session of page) {
      counts[stateOf(session)]++
    }
  })
  return counts
}

// Returns sequence numbers and ids, newest first.
async function pageBefore (store, path, cursor, size) {
  return JSON.parse(await store.pageBefore(path, cursor, size))
}

function path (appid, accountid) {
  return accountid === undefined ? `${appid}/sessions` : `${appid}/account/sessions/${accountid}`
}

function readCursor (req) {
  const text = value(req, 'cursor')
  if (text === undefined) {
    return
  }
  if (typeof text !== 'string' || !/^\d{1,15}$/.test(text)) {
    throw invalid('invalid-cursor')
  }
  return Number(text)
}
