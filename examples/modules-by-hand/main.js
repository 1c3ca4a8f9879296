// Puts the two modules into a running Dashboard by hand, without the entry dashboard.modules in package.json.
//
//     cd examples/modules-by-hand
//     npm install
//     STORAGE=dashboard-sled PORT=8002 node main.js
//
// From then on, calls of global.api use ours. Requests over HTTP still use Dashboard's own modules, which are fixed when it starts;
// for those you need the entry in package.json (see examples/dashboard).
const dashboard = require('@userdashboard/dashboard')
const { ResetSessionKey, Session } = require('dashboard-sled')

async function main () {
  await dashboard.start(__dirname)
  console.log(`Session.get and ResetSessionKey.patch are ${whose()}`)
  Object.assign(global.api.administrator, { ResetSessionKey, Session })
  console.log(`now they are ${whose()}`)

  const credentials = { username: `user-${Date.now()}`, password: 'a-password' }
  const account = await call('user', 'CreateAccount', 'post', {}, credentials)
  const { sessionid } = await call('user', 'CreateSession', 'post', {}, credentials)
  const before = await call('administrator', 'Session', 'get', { sessionid })
  console.log(`signed in, the session ${before.ended ? 'has ended' : 'lives'}`)

  const { sessionKeyNumber } = await call('administrator', 'ResetSessionKey', 'patch', { accountid: account.accountid })
  console.log(`reset, the session key has number ${sessionKeyNumber}`)

  const after = await call('administrator', 'Session', 'get', { sessionid })
  console.log(`the session ${after.ended ? 'has ended' : 'lives'}`)

  dashboard.stop()
  await dashboard.Storage.close()
}

function whose () {
  const { administrator } = global.api
  return administrator.Session === Session && administrator.ResetSessionKey === ResetSessionKey ? 'ours' : 'Dashboard\'s own'
}

function call (part, module, method, query, body) {
  return global.api[part][module][method]({ appid: global.appid, query, body })
}

main().then(() => process.exit(), (error) => {
  console.error(error.detail || error)
  process.exit(1)
})
