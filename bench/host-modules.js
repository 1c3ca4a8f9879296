// Dashboard's own Session.get and ResetSessionKey.patch over one of its engines, in this process.
const path = require('path')
const { host } = require('../__test__/contract/make-application.js')
const { applicationOf } = require('../__test__/import/dashboard.js')

const appid = 'dashboard'

class HostModules {
  // `settings` choose the engine as they do for a Dashboard.
  static async load (folder, settings) {
    global.applicationPath = applicationOf(folder, 'postgresql')
    Object.assign(process.env, settings)
    const part = (...names) => require(path.join(host, ...names))
    const dashboard = part('index.js')
    clearInterval(dashboard.Timestamp.interval)
    const module = (name) => part('src', 'www', 'api', 'administrator', `${name}.js`)
    global.api = { administrator: { Account: module('account'), Session: module('session'), ResetSessionKey: module('reset-session-key') } }
    dashboard.Storage = await part('src', 'storage.js').setup()
    dashboard.StorageObject = await part('src', 'storage-object.js').setup(dashboard.Storage)
    const modules = new HostModules()
    modules.dashboard = dashboard
    return modules
  }

  write (file, text) {
    return this.dashboard.Storage.write(file, text)
  }

  session (i) {
    return global.api.administrator.Session.get({ appid, query: { sessionid: `session_${i}` } })
  }

  reset (i) {
    return global.api.administrator.ResetSessionKey.patch({ appid, query: { accountid: `account_${i}` } })
  }
}

module.exports = { HostModules, account, appid, records }

function account (i) {
  return JSON.stringify({ object: 'account', accountid: `account_${i}`, sessionKey: 'k'.repeat(64), sessionKeyNumber: 1, passwordHash: 'p'.repeat(60), usernameHash: 'u'.repeat(128), createdAt: 1 })
}

// Writes `count` accounts with a session each.
async function records (count, write) {
  await Promise.all(Array.from({ length: count }, (_, i) => i).flatMap((i) => [
    write(`${appid}/account/account_${i}`, account(i)),
    write(`${appid}/session/session_${i}`, JSON.stringify({ object: 'session', sessionid: `session_${i}`, accountid: `account_${i}`, tokenHash: 't'.repeat(128), expires: 4102444800, sessionKeyNumber: 1, createdAt: 1 }))
  ]))
}
