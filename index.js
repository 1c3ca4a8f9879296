const { Account, ResetSessionKey, Session } = require('./src/facade/administrator.js')
const { findHost } = require('./src/facade/host.js')
const { atomic } = require('./src/facade/storage-object.js')
const { openStore } = require('./src/facade/stores.js')
const Storage = require('./src/facade/storage.js')
const StorageList = require('./src/facade/storage-list.js')

module.exports = { Account, ResetSessionKey, Session, setup, Storage, StorageList }

// Called by the host for a module, after its storage is set up.
async function setup () {
  if (process.env.STORAGE !== 'dashboard-sled') {
    return
  }
  const dashboard = findHost()
  Object.assign(dashboard.StorageObject, atomic(await openStore(), dashboard.Storage))
}
