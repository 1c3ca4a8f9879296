// The exports of src/www and lib/server.js, where Dashboard finds the routes and the handler of a module. They are empty if
// Dashboard's data is not in a store of this package: a look-up in an empty store would answer that nobody is signed in.
const administrator = require('./administrator.js')
const { gate } = require('./gate.js')
const pages = require('./pages/index.js')
const { Audit, SessionEnd, Sessions, user } = require('./sessions/calls.js')
const { Webhooks } = require('./sessions/event-calls.js')

const isActive = process.env.STORAGE === 'dashboard-sled'

// A warning of the process, because Dashboard's log is silent by default.
if (!isActive) {
  process.emitWarning(
    `dashboard-sled is listed under dashboard.modules, but STORAGE is ${process.env.STORAGE || 'not set'}: Dashboard uses its own routes. Set STORAGE=dashboard-sled, or remove the module from the list.`,
    { code: 'DASHBOARD_SLED_INACTIVE' })
}

const whenActive = (routes) => isActive ? routes : Object.fromEntries(Object.keys(routes).map((name) => [name, {}]))

module.exports = {
  ...whenActive({ gate }),
  administrator: whenActive({
    Audit: { get: Audit.list, delete: Audit.erase },
    EndSessions: { patch: Sessions.end },
    ResetSessionKey: administrator.ResetSessionKey,
    Session: administrator.Session,
    SessionEnd,
    SessionList: { get: Sessions.list },
    Sessions: administrator.Sessions,
    Webhooks: { get: Webhooks.undelivered, patch: Webhooks.retry },
    ...pages.administrator
  }),
  user: whenActive({ ...user, ...pages.user })
}
