// The actor of a change: the user of the request that a write belongs to, a policy of this module, or the command line. The store
// adds it to the entry about what the change ends. Nothing is recorded before `activate`: with STORAGE alone this module is not active.
const { AsyncLocalStorage } = require('async_hooks')
const { isRecordKey } = require('./host-keys.js')
const { now } = require('./host.js')

const running = new AsyncLocalStorage()
// Longest text that is kept of a header or of a reason, in characters.
const LONGEST = 500
// Time that a handler may take after its request was answered or given up, in milliseconds.
const HANDLER_MS = 10 * 1000
let client
// While a context is followed, every promise of the process costs more: a fifth of a request in Node 20. So only requests that may end
// something have one, and nothing is followed while there is no context.
let contexts = 0

module.exports = { activate, attribution, attributionOf, enter, shorten, withAttribution }

// `clientOf(req)` returns the address and the user agent of a request as they are kept.
function activate (clientOf) {
  client = clientOf
}

// Everything that runs from here on, in this turn and in those that follow from it, belongs to `req`, until it is answered. Call it
// synchronously.
function enter (req, res) {
  if (client && mayEndSessions(req) && running.getStore()?.req !== req) {
    contexts++
    // The handler may go on for a while after the client has gone.
    res.once('close', () => setTimeout(leave, HANDLER_MS).unref())
    running.enterWith({ req })
  }
}

// Dashboard's links read, except for the one to sign out.
function mayEndSessions ({ method, urlPath }) {
  return (method !== 'GET' && method !== 'HEAD') || urlPath === '/account/signout'
}

function leave () {
  if (--contexts === 0) {
    running.disable()
  }
}

// Runs `work` for another actor than the user of the request, or with a cause or a reason.
async function withAttribution (context, work) {
  contexts++
  try {
    return await running.run({ ...running.getStore(), ...context }, work)
  } finally {
    leave()
  }
}

// Returns a JSON object: see src/record/ending.rs. Undefined if nothing is recorded.
function attribution () {
  if (!client) {
    return
  }
  const context = running.getStore()
  if (context === undefined) {
    return `{"time":${now()},"actor":{"type":"system"}}`
  }
  const { req, actor, cause, reason } = context
  return JSON.stringify({ time: now(), actor: actor || actorOf(req), ...(req && client(req)), cause, reason: reason && shorten(reason) })
}

// The same for a write of the record `file`: only accounts and sessions end.
function attributionOf (file) {
  return client && isRecordKey(file) ? attribution() : undefined
}

function actorOf (req) {
  if (!req) {
    return { type: 'system' }
  }
  const { account, session } = req
  if (!account && !req.socket && !req.urlPath) {
    return { type: 'system' }
  }
  if (!account) {
    // A password is reset, or an account is restored, by a code.
    return { type: 'visitor' }
  }
  const type = /^\/(api\/)?administrator(\/|$)/.test(req.urlPath) ? 'administrator' : 'user'
  return { type, accountid: account.accountid, sessionid: session?.sessionid }
}

function shorten (text) {
  return String(text).slice(0, LONGEST)
}
