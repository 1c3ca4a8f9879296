const { Account, ResetSessionKey, Session } = require('./lib/administrator.js')
const { place } = require('./lib/gate.js')
const { findHost } = require('./lib/host.js')
const { progress, recover, restore } = require('./lib/maintenance.js')
const { open } = require('./lib/open.js')
const { atomic } = require('./lib/storage-object.js')
const { openStore } = require('./lib/stores.js')
const Storage = require('./lib/storage.js')
const StorageList = require('./lib/storage-list.js')

module.exports = { Account, open, progress, recover, ResetSessionKey, restore, Session, setup, Storage, StorageList }

// Called by the host for a module, after its storage is set up.
async function setup () {
  if (process.env.STORAGE !== 'dashboard-sled') {
    return
  }
  place(global.packageJSON.dashboard.server)
  try {
    const dashboard = findHost()
    const store = await openStore()
    Object.assign(dashboard.StorageObject, atomic(store, dashboard.Storage))
    Object.assign(dashboard.StorageList, StorageList.additions(store))
  } catch (error) {
    // The host only logs it, and its log is silent by default.
    process.emitWarning(`dashboard-sled could not put atomic changes in place: ${error.message}`, { code: 'DASHBOARD_SLED_SETUP' })
    throw error
  }
}
