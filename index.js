// The exports of the package, and the setup of its module in Dashboard. The parts of lib:
//
//   what Dashboard calls    storage, storage-list, storage-object; administrator (Session.get, ResetSessionKey.patch, Account.get);
//                           sign-in; routes and server, by which Dashboard finds the module; gate, which removes ended sessions
//   what an operator calls  open, with entries, purge and backup (dated-backups); recovery (restore, recover)
//   sessions, audit         ends by choice and by policy, who is signed in, and the record of what ended; attribution and client say by
//                           whom; module-settings
//   control                 what a running dashboard answers to the command line
//   events, metrics         watch and webhooks, over the audit; metrics, with reset-times, and metrics-route
//   how a call is answered  open-stores (of this thread), session-cache, spin, native (the binary)
//   shared                  settings, arguments, errors, host (the running Dashboard), host-keys, folders, store-files, control-socket, limits, age,
//                           findings, entry-counts, export-format, printable
//   cli, import             the command-line tool, and the sources of its imports
const { Account, ResetSessionKey, Session, ...administrator } = require('./lib/administrator.js')
const { startControl } = require('./lib/control/server.js')
const { installGate } = require('./lib/gate.js')
const { findHost } = require('./lib/host.js')
const { progress } = require('./lib/native.js')
const { open } = require('./lib/open.js')
const { recover, restore } = require('./lib/recovery.js')
const { addMenus } = require('./lib/pages/menus.js')
const { makeSignInOneChange } = require('./lib/sign-in.js')
const { atomic } = require('./lib/storage-object.js')
const Storage = require('./lib/storage.js')
const StorageList = require('./lib/storage-list.js')
const { openStore, whenMainCloses } = require('./lib/open-stores.js')
const { Audit, SessionEnd, ...sessions } = require('./lib/sessions/calls.js')
const { Webhooks, watch } = require('./lib/sessions/event-calls.js')
const { activate, deactivate } = require('./lib/sessions/module.js')

const Sessions = { ...administrator.Sessions, ...sessions.Sessions }

module.exports = { Account, Audit, open, progress, recover, ResetSessionKey, restore, Session, SessionEnd, Sessions, setup, Storage, StorageList, watch, Webhooks }

// Dashboard calls this for a module, after the setup of its storage.
async function setup () {
  if (process.env.STORAGE !== 'dashboard-sled') {
    return
  }
  installGate(global.packageJSON.dashboard.server)
  try {
    const dashboard = findHost()
    const store = await openStore()
    Object.assign(dashboard.Storage, Storage.reads(store))
    Object.assign(dashboard.StorageObject, atomic(store, dashboard.Storage))
    Object.assign(dashboard.StorageList, StorageList.additions(store))
    makeSignInOneChange(store, dashboard)
    const module = activate(store)
    const endControl = startControl(module)
    addMenus(global.packageJSON.dashboard.menus)
    whenMainCloses(() => {
      endControl()
      return deactivate()
    })
    await module.webhooks?.ready
  } catch (error) {
    // Dashboard only logs the error, and its log is silent by default.
    process.emitWarning(`dashboard-sled could not be set up as a module: ${error.message}`, { code: 'DASHBOARD_SLED_SETUP' })
    throw error
  }
}
