/* eslint-env mocha */
const assert = require('assert')
const path = require('path')
const util = require('util')
const addon = require('../index.js')
const { useStore } = require('./helper.js')
const { seeded } = require('./helpers/random.js')
const { secrets, useSecret } = require('./helpers/secret.js')
const { randomState } = require('./differential/states.js')

const application = path.join(__dirname, 'contract', 'application')
const host = path.join(application, 'node_modules', '@userdashboard', 'dashboard')
const states = Number(process.env.STATES || 20000)
const seed = Number(process.env.SEED || 20261122)
const width = 100

// Our modules against the host's own two over the same store. Where they may differ is written in
// docs/differences.md; `isExpected` is that list.
describe('differential', () => {
  const store = useStore()
  const globals = {}
  let dashboard, storage, theirs

  before(() => {
    for (const name of ['applicationPath', 'api', 'encryptionSecret', 'encryptionSecretIV']) {
      globals[name] = global[name]
    }
    global.applicationPath = application
    dashboard = require(path.join(host, 'index.js'))
    clearInterval(dashboard.Timestamp.interval)
    const modules = ['account', 'session', 'reset-session-key'].map((name) => require(path.join(host, 'src', 'www', 'api', 'administrator', `${name}.js`)))
    theirs = { Account: modules[0], Session: modules[1], ResetSessionKey: modules[2] }
    global.api = { administrator: theirs }
  })
  after(() => Object.assign(global, globals))

  it(`${states} random states have no difference but the documented ones`, async () => {
    process.env.STORAGE = 'dashboard-sled'
    dashboard.Storage = await require(path.join(host, 'src', 'storage.js')).setup()
    dashboard.StorageObject = await require(path.join(host, 'src', 'storage-object.js')).setup(dashboard.Storage)
    storage = store.storage
    const random = seeded(seed)
    const tally = { result: 0, error: 0, expected: {} }
    for (let first = 0; first < states; first += width) {
      const encrypted = random() < 0.4
      useSecret(encrypted ? secrets : { ENCRYPTION_SECRET: '', ENCRYPTION_SECRET_IV: '' })
      const batch = []
      for (let number = first; number < first + width; number++) {
        batch.push({ ...randomState(random, number), appid: { ours: `ours ${number}`, theirs: `theirs ${number}` }, sealed: random() < 0.95 })
      }
      dashboard.Timestamp.now = batch[0].now
      await Promise.all(batch.map(save))
      if (random() < 0.1) {
        // Records that are not in memory are read by worker threads.
        await store.reopen()
        storage = store.storage
        dashboard.Storage = await require(path.join(host, 'src', 'storage.js')).setup()
        dashboard.StorageObject = await require(path.join(host, 'src', 'storage-object.js')).setup(dashboard.Storage)
      }
      await Promise.all(batch.map((state) => compare(state, tally, 'Session', 'get')))
      await Promise.all(batch.map((state) => compare(state, tally, 'ResetSessionKey', 'patch')))
      await Promise.all(batch.map((state) => compare(state, tally, 'Account', 'get')))
      await Promise.all(batch.map((state) => compare(state, tally, 'Session', 'get')))
    }
    console.log(`      seed ${seed}: ${tally.result} results, ${tally.error} errors, documented differences`, tally.expected)
    assert(tally.result > states && tally.error > states / 20)
  }).timeout(600000)

  async function save ({ account, accountid, appid, sealed, session, sessionid }) {
    const { encrypt } = require(path.join(host, 'src', 'storage.js'))
    for (const prefix of Object.values(appid)) {
      for (const [folder, id, text] of [['account', accountid, account], ['session', sessionid, session]]) {
        if (text !== undefined) {
          await storage.write(`${prefix}/${folder}/${id}`, sealed ? encrypt(text) : text)
        }
      }
    }
  }

  async function compare (state, tally, module, method) {
    if (state.hasParted) {
      return
    }
    const [ours, their] = await Promise.all([
      outcome(addon[module][method], state, state.appid.ours),
      outcome(theirs[module][method], state, state.appid.theirs)
    ])
    tally[ours.error ? 'error' : 'result']++
    const reason = isExpected(module, state, ours, their)
    if (reason) {
      tally.expected[reason] = (tally.expected[reason] || 0) + 1
      // After this the two stores differ.
      state.hasParted = true
      return
    }
    for (const name in ours) {
      if (!util.isDeepStrictEqual(ours[name], their[name])) {
        assert.fail(`${module}.${method}, seed ${seed}, ${name}: ours ${util.inspect(ours[name])}, the host's ${util.inspect(their[name])} for ${JSON.stringify({ ...state, cacheData: state.cacheData(), secret: Boolean(global.encryptionSecret) }).substring(0, 1500)}`)
      }
    }
  }

  async function outcome (method, state, appid) {
    const req = { appid, query: { sessionid: state.sessionid, accountid: state.accountid }, cacheData: state.cacheData() }
    const { cacheData, query } = req
    let result, error
    try {
      result = await method(req)
    } catch (thrown) {
      error = thrown.message
    }
    const stored = await dashboard.Storage.read(`${appid}/account/${state.accountid}`)
    return {
      error,
      result,
      order: JSON.stringify(result),
      identity: Object.values(cacheData || {}).map((cached) => cached === result),
      // Whether it is the same object, and its contents.
      query: req.query === query && query,
      cacheData: req.cacheData === cacheData && JSON.stringify(cacheData),
      stored: withoutKey(stored)
    }
  }

  // The new key is random, therefore only its form is compared.
  function withoutKey (stored) {
    return stored && stored.replace(/("sessionKey":")[0-9a-f]{64}"/, '$1new"')
  }

  function isExpected (module, state, ours, their) {
    if (module !== 'ResetSessionKey') {
      return false
    }
    if (state.cacheData() && state.cacheData()[state.accountid]) {
      return 'patch looks at the store, never at cacheData'
    }
    let number
    try {
      number = JSON.parse(state.account).sessionKeyNumber
    } catch (error) {
    }
    if (number && typeof number === 'object') {
      return 'a sessionKeyNumber that is an array or an object counts as missing'
    }
    if (ours.stored !== their.stored && isSameJson(ours, their)) {
      return 'what a reset leaves stays to the byte, where the host prints it anew'
    }
    return false
  }

  // Printed anew, as the host does, ours is the same in everything and in the same order. Only text that
  // JavaScript did not write can differ before that.
  function isSameJson (ours, their) {
    const printed = ({ stored, result, ...rest }) => [rest, JSON.stringify(JSON.parse(stored)), JSON.stringify(result)]
    try {
      return util.isDeepStrictEqual(printed(ours), printed(their)) && printed(ours)[1] !== ours.stored
    } catch (error) {
      return false
    }
  }
})
