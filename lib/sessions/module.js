// Everything that runs while the module is active on Dashboard's store: the audit, when sessions were last seen, the policies, and
// the webhook.
const { setMaxListeners } = require('events')
const { activate: activateAttribution } = require('../attribution.js')
const Ledger = require('../audit/ledger.js')
const { prune } = require('../audit/prune.js')
const { clientReader } = require('../client.js')
const { failure } = require('../errors.js')
const { findHost } = require('../host.js')
const { readModuleSettings } = require('../module-settings.js')
const { settings: storeSettings } = require('../settings.js')
const LastSeen = require('./last-seen.js')
const LiveOfAccount = require('./live-of-account.js')
const { endOverLimit } = require('./policies.js')
const { pruneReceipts } = require('./receipts.js')
const Samples = require('./samples.js')

const PRUNE_FIRST_MS = 60 * 1000
const PRUNE_EVERY_MS = 60 * 60 * 1000
let active

module.exports = { activate, activateAlone, current, deactivate, peekModule }

// Returns the active module. Fails if Dashboard does not run it.
function current () {
  if (!active) {
    throw failure('module-inactive', 'ERR_MODULE_INACTIVE', 'the dashboard does not run dashboard-sled as a module: list it under dashboard.modules, and set STORAGE=dashboard-sled')
  }
  return active
}

// Returns undefined if the module is not active.
function peekModule () {
  return active
}

function activate (store) {
  deactivate()
  const module = make(store, readModuleSettings())
  const { settings } = module
  // A store in a database may be open in other processes.
  module.isShared = Boolean(process.env[storeSettings.url.variable])
  module.ledger.on('appended', (number, entries) => countEnds(module.ends, entries))
  module.ledger.start()
  module.lastSeen.start()
  module.samples = new Samples(module)
  module.samples.start()
  if (settings.webhook) {
    // Nobody else needs the libraries that it needs.
    const Webhooks = require('../events/webhooks.js')
    module.webhooks = new Webhooks({ store, ledger: module.ledger, appid: global.appid, webhook: settings.webhook, isShared: module.isShared })
    module.webhooks.start()
  }
  module.pruning = removeOldRegularly(module)
  active = module
  followSignIns()
  return module
}

// The same for a store that no dashboard has open: what is asked for is answered, and nothing runs.
function activateAlone (store) {
  active = make(store, { keepsClients: false })
  return active
}

function make (store, settings) {
  const clientOf = clientReader(settings.proxies, settings.keepsClients)
  activateAttribution(clientOf)
  const closing = new AbortController()
  setMaxListeners(0, closing.signal)
  return {
    store,
    settings,
    ledger: new Ledger(store),
    lastSeen: new LastSeen(store, clientOf),
    liveOfAccount: new LiveOfAccount(store),
    signIns: 0,
    ends: new Map(),
    watchers: 0,
    closing: closing.signal,
    close: () => closing.abort()
  }
}

// Resolves when nothing of the module needs the store any more.
async function deactivate () {
  if (active) {
    const { close, lastSeen, ledger, pruning, samples, webhooks } = active
    active = undefined
    close()
    ledger.stop()
    await lastSeen.write().catch((error) => lastSeen.warn(error))
    lastSeen.stop()
    pruning?.()
    await samples?.stop()
    await webhooks?.stop()
    if (!active) {
      activateAttribution(undefined)
    }
  }
}

// Returns a function that ends it. A process that runs for less than an hour does it as well.
function removeOldRegularly (module) {
  const remove = () => removeOld(module).catch((error) => module.ledger.warn(error))
  const timers = [setTimeout(remove, PRUNE_FIRST_MS), setInterval(remove, PRUNE_EVERY_MS)]
  timers.forEach((timer) => timer.unref())
  return () => timers.forEach(clearTimeout)
}

// An entry that still has to be delivered is kept.
async function removeOld ({ store, settings, webhooks }) {
  await pruneReceipts(store)
  await prune(store, settings.auditKeep, webhooks && await webhooks.oldest())
}

function countEnds (ends, entries) {
  for (const { cause } of entries) {
    ends.set(cause, (ends.get(cause) || 0) + 1)
  }
}

const followed = new WeakSet()

// After each sign-in: where it came from is kept, and the oldest sessions end if the account has too many.
function followSignIns () {
  const createSession = findHost('src/www/api/user/create-session.js')
  if (followed.has(createSession)) {
    return
  }
  followed.add(createSession)
  const { post } = createSession
  createSession.post = async (req) => {
    const session = await post(req)
    if (active && session) {
      active.signIns++
      active.lastSeen.note({ appid: req.appid, session, socket: req.socket, headers: req.headers })
      if (active.settings.perAccount) {
        await endOverLimit(active, req.appid, session.accountid, active.settings.perAccount)
      }
    }
    return session
  }
}
