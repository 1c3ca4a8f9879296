// What the host finds in src/www and lib/server.js: our modules and the gate, if the data is in our store.
const { ResetSessionKey, Session } = require('./administrator.js')
const { gate } = require('./gate.js')

const isActive = process.env.STORAGE === 'dashboard-sled'

// A look-up in an empty store would answer that nobody is signed in. The host's log is silent by
// default, so this is a warning of the process.
if (!isActive) {
  process.emitWarning(
    `dashboard-sled is listed under dashboard.modules, but STORAGE is ${process.env.STORAGE || 'not set'}: the host keeps its own routes. Set STORAGE=dashboard-sled, or take the module off the list.`,
    { code: 'DASHBOARD_SLED_INACTIVE' })
}

module.exports = isActive ? { gate, ResetSessionKey, Session } : { gate: {}, ResetSessionKey: {}, Session: {} }
