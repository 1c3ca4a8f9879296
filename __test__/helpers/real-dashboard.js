// The real Dashboard in a process of its own: its environment, and steps that a fixture does in it.
const assert = require('assert')
const { once } = require('events')
const { freePort } = require('../contract/free-port.js')
const { runNode, settingsOf } = require('../helper.js')

module.exports = { environmentOf, runStep }

// The environment of the Dashboard in the folder `application`, with the store in the folder `store`.
async function environmentOf (application, store) {
  return {
    ALLOW_PUBLIC_API: 'true',
    APPLICATION: application,
    BCRYPT_WORKLOAD_FACTOR: '4',
    GENERATE_API_TXT: 'false',
    GENERATE_ENV_TXT: 'false',
    GENERATE_SITEMAP_TXT: 'false',
    PORT: String(await freePort()),
    ...settingsOf(store),
    STORAGE: 'dashboard-sled'
  }
}

// Runs the step `name` of a fixture with `argument`, and returns its result.
async function runStep (fixture, name, argument, { application, store, env = {} }) {
  const args = [name, JSON.stringify(argument)].filter((text) => text !== undefined)
  const { child, ended } = runNode(fixture, { args, env: { ...await environmentOf(application, store), ...env } })
  ended.then(({ code, stderr }) => code && child.emit('error', new Error(stderr)))
  const [result] = await once(child, 'message')
  assert.strictEqual((await ended).code, 0)
  return result
}
