/* eslint-env mocha */
const assert = require('assert')
const crypto = require('crypto')
const { once } = require('events')
const { Worker } = require('worker_threads')
const addon = require('../index.js')
const { NativeStore } = require('../native.js')
const { rejection, useStore } = require('./helper.js')

const appid = 'dashboard'
const key = '0123456789abcdef0123456789abcdef'
const iv = '0123456789abcdef'

// Whatever the copies answer has to be what the store would: every case looks twice before the change, so
// that a copy is there, and is then compared with a request that no copy serves.
describe('session cache', () => {
  const store = useStore()
  const native = NativeStore.prototype.session
  const globals = {}
  let looks

  beforeEach(async () => {
    for (const name of ['applicationPath', 'encryptionSecret', 'encryptionSecretIV']) {
      globals[name] = global[name]
      delete global[name]
    }
    looks = 0
    NativeStore.prototype.session = function (...args) {
      looks++
      return native.apply(this, args)
    }
    await write('account', { object: 'account', accountid: 'account_1', sessionKey: 'old', sessionKeyNumber: 1 })
    await write('session', session())
  })
  afterEach(() => {
    Object.assign(global, globals)
    NativeStore.prototype.session = native
  })

  it('answers the second request and all that follow', async () => {
    const first = await look()
    for (let i = 0; i < 5; i++) {
      const again = await look()
      assert.deepStrictEqual(again, first)
      assert.strictEqual(JSON.stringify(again), JSON.stringify(first))
    }
    assert.strictEqual(looks, 1)
  })
  it('gives each caller its own object', async () => {
    await seen()
    const first = await look()
    first.expires = 0
    first.added = true
    delete first.accountid
    assert.deepStrictEqual(await look(), session())
  })
  it('sets accountid in the request', async () => {
    await seen()
    const req = request()
    await addon.Session.get(req)
    assert.strictEqual(req.query.accountid, 'account_1')
  })
  it('does not keep a session with nested values', async () => {
    await write('session', { ...session(), nested: { list: [1] } })
    const first = await look()
    first.nested.list.push(2)
    assert.deepStrictEqual((await look()).nested, { list: [1] })
    assert.strictEqual(looks, 2)
  })
  it('keeps applications apart', async () => {
    await seen()
    assert.strictEqual((await rejection(addon.Session.get({ appid: 'other', query: { sessionid: 'session_1' } }))).message, 'invalid-sessionid')
    await store.storage.write('other/account/account_1', JSON.stringify({ object: 'account', sessionKeyNumber: 5, sessionKeyLastReset: 7 }))
    await store.storage.write('other/session/session_1', JSON.stringify({ ...session(), name: 'theirs' }))
    for (let i = 0; i < 3; i++) {
      const theirs = await addon.Session.get({ appid: 'other', query: { sessionid: 'session_1' } })
      assert.deepStrictEqual([theirs.name, theirs.ended], ['theirs', 7])
      assert.deepStrictEqual(await look(), await fresh())
    }
  })

  describe('does not answer from before', () => {
    const changes = {
      'a write of the session': () => write('session', { ...session(), lastVerified: 9 }),
      'a write of the account': () => write('account', { object: 'account', accountid: 'account_1', sessionKeyNumber: 2, sessionKeyLastReset: 8 }),
      'a reset': () => addon.ResetSessionKey.patch({ appid, query: { accountid: 'account_1' } }),
      'the deletion of the session': () => store.storage.delete(`${appid}/session/session_1`),
      'the deletion of the account': () => store.storage.delete(`${appid}/account/account_1`),
      'a wipe of the store': () => store.storage.flush(),
      'the store was closed and opened again': () => store.reopen(),
      'a reset in another thread': async () => {
        const worker = new Worker('const addon = require(process.cwd() + "/index.js"); addon.Storage.setup().then(() => addon.ResetSessionKey.patch({ appid: "dashboard", query: { accountid: "account_1" } }))', { eval: true })
        await once(worker, 'exit')
      }
    }
    for (const [title, change] of Object.entries(changes)) {
      it(title, async () => {
        await seen()
        await change()
        const before = looks
        const [ours, expected] = [await outcome(look()), await outcome(fresh())]
        assert.deepStrictEqual(ours, expected)
        assert.notStrictEqual(looks, before)
      })
    }
    it('their time', async () => {
      const now = Date.now
      await write('session', { ...session(), expires: Math.floor(now() / 1000) + 100 })
      await seen()
      try {
        Date.now = () => now() + 100000
        assert.strictEqual((await look()).ended, (await fresh()).expires)
      } finally {
        Date.now = now
      }
      assert.strictEqual('ended' in await look(), false)
    })
    it('the secret changed', async () => {
      await seen()
      global.encryptionSecret = key
      global.encryptionSecretIV = iv
      assert.strictEqual((await rejection(look())).message, 'invalid-sessionid')
      await write('account', { object: 'account', accountid: 'account_1', sessionKeyNumber: 1 })
      await write('session', { ...session(), name: 'encrypted' })
      await seen()
      assert.strictEqual((await look()).name, 'encrypted')
      delete global.encryptionSecret
      assert.strictEqual((await rejection(look())).message, 'invalid-sessionid')
    })
  })

  it('never shows a session as it was before a reset that has resolved, in 2,000 races', async () => {
    let number = 1
    for (let round = 0; round < 2000; round++) {
      const looking = [look(), look()]
      const reset = addon.ResetSessionKey.patch({ appid, query: { accountid: 'account_1' } })
      looking.push(look())
      await reset
      const after = await look()
      assert.strictEqual(typeof after.ended, 'number')
      await Promise.all(looking)
      await write('session', { ...session(), sessionKeyNumber: ++number })
      assert.strictEqual((await look()).ended, undefined)
    }
  }).timeout(60000)

  describe('is bounded in bytes, and keeps what is used:', () => {
    const SessionCache = require('../lib/session-cache.js')
    const { mainStore } = require('../lib/open-stores.js')
    const budget = 1024 * 1024

    // Title, properties that are added to a session, and most sessions of that kind that fit.
    for (const [title, more, most] of [
      ['of Dashboard', () => ({}), budget / 250],
      ['of 3 KB', () => ({ data: 'a'.repeat(3000) }), budget / 3000],
      ['of 3 KB in UTF-16', () => ({ data: 'ā'.repeat(1500) }), budget / 3000],
      ['with many properties', (i) => Object.fromEntries(Array.from({ length: 50 }, (_, j) => [`${i} ${j}`, 1])), budget / 4000]
    ]) {
      it(title, async () => {
        const cache = new SessionCache(mainStore().number, budget)
        const [, ...versions] = await mainStore().session(appid, 'session_1', 1)
        for (let i = 0; i < 2 * most; i++) {
          const added = { ...session(), ...more(i) }
          cache.add(appid, `session_${i}`, added, { text: JSON.stringify(added), versions, isFromMemory: true })
          assert(cache.get(appid, 'session_0'))
        }
        assert(cache.young.size + cache.old.size <= most, `${cache.young.size} and ${cache.old.size}`)
        assert(cache.old.size > most / 4, `${cache.young.size} and ${cache.old.size}`)
        assert.strictEqual(cache.get(appid, 'session_1'), undefined)
      })
    }
    it('does not keep a session that is larger than its budget', () => {
      const cache = new SessionCache(mainStore().number, 1000)
      const large = { ...session(), data: 'a'.repeat(1000) }
      cache.add(appid, 'session_1', large, { text: JSON.stringify(large), versions: [1, 1, 1], isFromMemory: true })
      assert.strictEqual(cache.young.size, 0)
    })
  })

  function session () {
    return { object: 'session', sessionid: 'session_1', accountid: 'account_1', expires: 4e9, sessionKeyNumber: 1 }
  }

  function request () {
    return { appid, query: { sessionid: 'session_1' } }
  }

  async function look () {
    return addon.Session.get(request())
  }

  // Computed by Dashboard's statements, because the request has cacheData.
  async function fresh () {
    return addon.Session.get({ ...request(), cacheData: {} })
  }

  async function seen () {
    await look()
    const before = looks
    await look()
    assert.strictEqual(looks, before)
  }

  async function outcome (promise) {
    try {
      return await promise
    } catch (error) {
      return error.message
    }
  }

  async function write (folder, object) {
    const text = JSON.stringify(object)
    const contents = global.encryptionSecret ? crypto.createCipheriv('aes-256-ctr', key, iv).update(text, 'utf-8', 'hex') : text
    await store.storage.write(`${appid}/${folder}/${object[`${folder}id`]}`, contents)
  }
})
