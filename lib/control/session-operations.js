// The operations about sessions and their audit: the calls of lib/sessions, for the system's user who types a command.
const { withAttribution } = require('../attribution.js')
const { failure, invalid } = require('../errors.js')
const { isUnambiguous, recordKey } = require('../host-keys.js')
const { Session } = require('../administrator.js')
const { Audit, SessionEnd, Sessions } = require('../sessions/calls.js')
const { describe, stateCounts } = require('../sessions/list.js')
const { HEAD } = require('../audit/names.js')
const { readTexts } = require('../audit/read-texts.js')
const { toCsv, toEvent } = require('../audit/view.js')
const { printable, toJson } = require('../printable.js')
const { redact } = require('../redact.js')

const LONGEST_USER = 200
const forms = {
  csv: (entries, isFirst) => toCsv(entries.map(clean), isFirst),
  json: (entries) => entries.map((entry) => `${toJson(toEvent(entry))}\n`).join('')
}

const operations = {
  'sessions-list': listSessions,
  'sessions-count': async (context, params) => stateCounts(context.module.store, appidOf(context, params), params.accountid),
  'sessions-show': showSession,
  'sessions-end': endSessions,
  'audit-list': listAudit,
  'audit-verify': verifyAudit,
  'audit-erase': async (context, params) => asCommandLine(params, () => Audit.erase({ appid: appidOf(context, params), query: params }))
}

module.exports = Object.fromEntries(Object.entries(operations).map(([name, operation]) => [name, async (context, params) => {
  if (!context.isRunning) {
    await requireSecret(context.module.store, appidOf(context, params))
  }
  try {
    return await operation(context, params)
  } catch (error) {
    throw await withSentence(context, error, params)
  }
}]))

// Without the secret of the dashboard, sessions would seem to be missing, and entries would be written that it cannot read.
async function requireSecret (store, appid) {
  const sessionids = await store.page(`${appid}/sessions`, 0, 1)
  for (const text of await readTexts(store, [HEAD, ...sessionids.map((sessionid) => recordKey(appid, 'session', sessionid))])) {
    if (text !== undefined && !isJson(text)) {
      throw failure('record-unreadable', 'ERR_RECORD_UNREADABLE', 'the sessions or their audit seem to be encrypted, and could not be decrypted; set ENCRYPTION_SECRET and ENCRYPTION_SECRET_IV as the dashboard has them')
    }
  }
}

function isJson (text) {
  try {
    return Boolean(JSON.parse(text))
  } catch (error) {
    return false
  }
}

async function listSessions (context, params) {
  const page = await Sessions.list({ appid: appidOf(context, params), query: params })
  return { ...page, sessions: page.sessions.map(show) }
}

async function showSession (context, params) {
  const appid = appidOf(context, params)
  const session = await findSession(appid, params.sessionid)
  const [seen] = await context.module.lastSeen.of(appid, [session.sessionid])
  const end = await SessionEnd.get({ appid, query: { sessionid: session.sessionid } })
  return { session: show(describe(session, seen)), end }
}

// Other modules may keep secrets in a session.
function show (session) {
  const { state, age, lastSeen, address, agent } = session
  return { ...redact(session), state, age, lastSeen, address, agent }
}

async function endSessions (context, params) {
  const appid = appidOf(context, params)
  const { appid: named, user, ...query } = params
  const { except, accountid } = query
  if (except !== undefined) {
    const session = await findSession(appid, except)
    query.accountid = accountid ?? session.accountid
  }
  if (query.all && !await context.module.store.count(`${appid}/sessions`)) {
    throw invalid('invalid-appid', `the store has no session of the application ${appid}; name another one with --appid`)
  }
  const receipt = await asCommandLine(params, () => Sessions.end({ appid, query: withoutUndefined(query) }))
  const { object, ...report } = receipt
  return report
}

async function findSession (appid, sessionid) {
  if (typeof sessionid !== 'string' || !sessionid || !isUnambiguous(appid, sessionid)) {
    throw invalid('invalid-sessionid')
  }
  return Session.get({ appid, query: { sessionid } })
}

// A page of the audit, newest first; as text with `format`.
async function listAudit (context, params) {
  const { entries, ...page } = await Audit.list({ appid: appidOf(context, params), query: params })
  const { format } = params
  return format ? { text: formOf(format)(entries, params.cursor === undefined), number: entries.length, ...page } : { entries, ...page }
}

// Returns the same without what a terminal would obey.
function clean (value) {
  if (typeof value === 'string') {
    return printable(value)
  }
  return value && typeof value === 'object' ? Object.fromEntries(Object.entries(value).map(([name, property]) => [name, clean(property)])) : value
}

function formOf (format) {
  if (!Object.hasOwn(forms, format)) {
    throw invalid('invalid-format')
  }
  return forms[format]
}

async function verifyAudit (context) {
  let checked = 0
  context.done = () => checked
  return Audit.verify({ progress: (number) => { checked = number } })
}

// The tool says who it is: nobody but the owner of the store can write to the socket.
function asCommandLine ({ user }, work) {
  if (typeof user !== 'string' || !user || user.length > LONGEST_USER) {
    throw invalid('invalid-user')
  }
  return withAttribution({ actor: { type: 'command-line', user } }, work)
}

function appidOf (context, { appid = context.appid }) {
  if (!appid || !isUnambiguous(appid, '')) {
    throw invalid('invalid-appid')
  }
  return appid
}

function withoutUndefined (query) {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined))
}

// Dashboard's errors are slugs alone, which say little to people.
async function withSentence (context, error, params) {
  error.detail = await explainId(context, error.message, params) ?? error.detail
  return error
}

async function explainId (context, slug, params) {
  const sessionid = params.sessionid ?? params.except
  const ids = [params.accountid ?? params.accountids].flat()
  const application = `in the application ${params.appid ?? context.appid}; --appid names another one`
  if (slug === 'invalid-sessionid') {
    return sessionid ? `there is no session ${sessionid} ${application}` : 'the name of the session is empty; give its id'
  }
  if (!['invalid-accountid', 'invalid-accountids'].includes(slug)) {
    return
  }
  if (ids.includes('')) {
    return 'the name of the account is empty; give its id'
  }
  if (ids[0] === undefined) {
    return `the account${await accountOf(context, params, sessionid)} of the session ${sessionid} is gone, so nobody gets in with this session`
  }
  return ids.length > 1 ? `not all of the accounts ${ids.join(', ')} are ${application}` : `there is no account ${ids[0]} ${application}`
}

// Returns the account that a session names, with a space before it; an empty text if it names none.
async function accountOf (context, params, sessionid) {
  try {
    const [text] = await readTexts(context.module.store, [recordKey(appidOf(context, params), 'session', sessionid)])
    const { accountid } = JSON.parse(text)
    return typeof accountid === 'string' ? ` ${accountid}` : ''
  } catch (error) {
    return ''
  }
}
