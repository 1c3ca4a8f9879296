// The store of a stopped dashboard, or one in a database, for the operations of the command line: this process opens it, and does
// what the module of a dashboard does for them. Nothing runs by itself.
const { standInForHost } = require('../host.js')
const { checkDurability, checkNumbers, settings } = require('../settings.js')
const { closeStore, openAlone } = require('../open-stores.js')
const { activateAlone, deactivate } = require('../sessions/module.js')
const { progress } = require('../native.js')

module.exports = { withAlone }

// Calls `work` with a context of operations.js.
async function withAlone ({ folder, url }, work) {
  const durability = process.env[settings.durability.variable] || undefined
  const appid = standInForHost()
  const store = await openAlone({ folder, url, ...checkNumbers({}), isExternal: checkDurability({ durability }) })
  try {
    return await work({ module: activateAlone(store), appid, isRunning: false, done: progress })
  } finally {
    await deactivate()
    await closeStore(store)
  }
}
