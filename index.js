const { Account, ResetSessionKey, Session } = require('./src/facade/administrator.js')
const { place } = require('./src/facade/gate.js')
const { findHost } = require('./src/facade/host.js')
const { progress, recover, restore } = require('./src/facade/maintenance.js')
const { open } = require('./src/facade/open.js')
const { atomic } = require('./src/facade/storage-object.js')
const { openStore } = require('./src/facade/stores.js')
const Storage = require('./src/facade/storage.js')
const StorageList = require('./src/facade/storage-list.js')

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
