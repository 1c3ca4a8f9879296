// The calls about sessions that Dashboard does not have, for administrators and for users about themselves.
const { Account, Session } = require('../administrator.js')
const { withAttribution } = require('../attribution.js')
const { readTexts } = require('../audit/read-texts.js')
const { explain, explainOrphan } = require('../audit/session-end.js')
const { erase } = require('../audit/erase.js')
const { list: listEntries, parseCursor, printCursor } = require('../audit/read.js')
const { verify } = require('../audit/verify.js')
const { entryView } = require('../audit/view.js')
const { invalid } = require('../errors.js')
const { recordKey } = require('../host-keys.js')
const { readFlag, readId, readLimit, readNumber, readText, requireApplication, value } = require('./arguments.js')
const { end } = require('./end.js')
const { eachIds, leaveMissing, list } = require('./list.js')
const { current } = require('./module.js')

const CAUSES = ['signed-out', 'ended-by-user', 'ended-by-administrator', 'session-key-reset', 'password-changed', 'account-deleted', 'expired', 'idle', 'limit', 'restore', 'application-wide', 'unreadable']
const MOST_ENTRIES = 500

const Sessions = {
  end: async (req) => withAttribution(asker(req), () => end(current(), req)),
  list: async (req) => {
    requireApplication(req)
    return list(current(), req)
  }
}

const SessionEnd = {
  get: async (req) => explainSession(req)
}

const Audit = {
  list: async (req) => listAudit(req),
  verify: async (options) => {
    const { ledger, store } = current()
    await ledger.append()
    return verify(store, options?.progress)
  },
  erase: async (req) => {
    requireApplication(req)
    const { lastSeen, ledger, store } = current()
    const accountid = required(readId(req, 'accountid'), 'invalid-accountid')
    await ledger.append()
    const entries = await erase(store, req.appid, accountid)
    await eachIds(store, req.appid, accountid, (sessionids) => lastSeen.forget(req.appid, sessionids))
    return { object: 'erasure', accountid, entries }
  }
}

const user = {
  EndSessions: { patch: async (req) => withAttribution(asker(req), () => end(current(), withOwnSelection(req), ownerOf(req))) },
  SessionEnd: { get: async (req) => explainSession(req, ownerOf(req)) },
  SessionList: { get: async (req) => list(current(), withOwner(req)) }
}

module.exports = { Audit, CAUSES, SessionEnd, Sessions, user }

async function explainSession (req, owner) {
  requireApplication(req)
  const { ledger, store } = current()
  const sessionid = required(readId(req, 'sessionid'), 'invalid-sessionid')
  const { appid } = req
  const session = await Session.get({ appid, query: { sessionid } }).catch((error) => readOrphan(store, appid, sessionid, error))
  if (owner && session.accountid !== owner) {
    throw invalid('invalid-account')
  }
  const account = await Account.get({ appid, query: { accountid: session.accountid } }).catch(leaveMissing)
  await ledger.append()
  return account ? explain(store, appid, session, account.sessionKeyNumber) : explainOrphan(store, appid, session)
}

// Returns a session whose account is gone, as it is stored.
async function readOrphan (store, appid, sessionid, error) {
  if (error.message !== 'invalid-accountid') {
    throw error
  }
  const [text] = await readTexts(store, [recordKey(appid, 'session', sessionid)])
  const { accountid, created, ended } = JSON.parse(text)
  return { sessionid, accountid, created, ended }
}

async function listAudit (req) {
  requireApplication(req)
  const { ledger, store } = current()
  const filter = {
    accountid: readId(req, 'accountid'),
    actor: readText(req, 'actor'),
    cause: readText(req, 'cause'),
    since: readNumber(req, 'since'),
    until: readNumber(req, 'until')
  }
  if (filter.cause !== undefined && !CAUSES.includes(filter.cause)) {
    throw invalid('invalid-cause', `the causes are ${CAUSES.join(', ')}`)
  }
  const limit = readLimit(req, MOST_ENTRIES, 100)
  const from = value(req, 'cursor')
  const cursor = from === undefined ? undefined : parseCursor(from)
  await ledger.append()
  const page = await listEntries(store, req.appid, filter, cursor, limit)
  return { entries: page.entries.map(entryView), cursor: printCursor(page.cursor), missing: page.missing }
}

// The request that names the actor. One that a handler has made for this call alone does not; the one that is being answered does.
function asker (req) {
  requireApplication(req)
  return req.account || req.socket ? { req } : {}
}

function ownerOf (req) {
  return required(req.account?.accountid, 'invalid-account')
}

// A selection of nothing is one's own account.
function withOwner (req) {
  requireApplication(req)
  const accountid = ownerOf(req)
  const given = readId(req, 'accountid')
  if (given !== undefined && given !== accountid) {
    throw invalid('invalid-account')
  }
  if (value(req, 'sessionid') !== undefined) {
    return req
  }
  return { appid: req.appid, body: req.body, query: { ...req.query, accountid } }
}

// Of one's own sessions, all are a selection only where that is said.
function withOwnSelection (req) {
  const isOne = value(req, 'sessionid') !== undefined
  if (!isOne && !readFlag(req, 'all') && !['accountid', 'except', 'before', 'idleSince'].some((name) => value(req, name) !== undefined)) {
    throw invalid('invalid-selection', 'give sessionid, except, before, idleSince, or all=true for all of your own sessions')
  }
  const own = withOwner(req)
  return isOne ? own : { ...own, body: withoutAll(own.body), query: withoutAll(own.query) }
}

function withoutAll (parameters) {
  const { all, ...rest } = parameters || {}
  return rest
}

function required (value, slug) {
  if (!value) {
    throw invalid(slug)
  }
  return value
}
