/* eslint-env mocha */
const assert = require('assert')
const addon = require('../index.js')
const { rejection, useStore } = require('./helper.js')
const { decrypt, encrypt, secrets, useSecret } = require('./helpers/secret.js')

const appid = 'dashboard'
const longest = 1 << 20
const strange = [undefined, null, 0, 5, true, ['session_1'], {}, '', 'x'.repeat(longest), '\0', '../session_1', '"', '__proto__', '\ud800', 'missing']
const keys = { sessionKey: 'old', usernameHash: 'u', passwordHash: 'p' }

describe('administrator', () => {
  const store = useStore()
  const globals = {}

  beforeEach(() => {
    for (const name of ['applicationPath', 'encryptionSecret', 'encryptionSecretIV']) {
      globals[name] = global[name]
      delete global[name]
    }
  })
  afterEach(() => Object.assign(global, globals))

  describe('Session#get', () => {
    describe('exceptions', () => {
      it('invalid-sessionid', async () => {
        await save('session', 'broken', '{"object":"session"')
        await save('session', 'other', { object: 'account' })
        for (const sessionid of [...strange, 'broken', 'other']) {
          await assertRefused(addon.Session.get({ appid, query: { sessionid } }), 'invalid-sessionid')
        }
        for (const req of [undefined, null, {}, { appid }, { appid, query: null }, { appid, query: 5 }, { appid, query: 'text' }]) {
          await assertRefused(addon.Session.get(req), 'invalid-sessionid')
        }
      })
      it('invalid-sessionid without the appid that the session is of', async () => {
        await saveSession()
        for (const other of [undefined, null, 5, {}, '', 'other', 'dashboard/session']) {
          await assertRefused(addon.Session.get({ appid: other, query: { sessionid: 'session_1' } }), 'invalid-sessionid')
        }
      })
      it('invalid-accountid', async () => {
        await save('session', 'session_1', session())
        const req = request()
        await assertRefused(addon.Session.get(req), 'invalid-accountid')
        assert.strictEqual(req.query.accountid, 'account_1')
      })
    })

    describe('returns', () => {
      it('object', async () => {
        await saveSession()
        await fromMemoryAndFromDisk(async () => {
          const req = request()
          const result = await addon.Session.get(req)
          assert.deepStrictEqual(result, { object: 'session', sessionid: 'session_1', accountid: 'account_1', expires: 4e9, sessionKeyNumber: 1 })
          assert.strictEqual(req.query.accountid, 'account_1')
        })
      })
      it('an object that is the caller\'s own', async () => {
        await saveSession()
        const first = await addon.Session.get(request())
        first.expires = 0
        assert.strictEqual((await addon.Session.get(request())).expires, 4e9)
      })
      it('ended by a reset, before its expiry', async () => {
        await saveSession({ expires: 5 }, { sessionKeyNumber: 2, sessionKeyLastReset: 700 })
        await fromMemoryAndFromDisk(async () => assert.strictEqual((await addon.Session.get(request())).ended, 700))
      })
      it('ended by its expiry', async () => {
        await saveSession({ expires: 5 })
        await fromMemoryAndFromDisk(async () => assert.strictEqual((await addon.Session.get(request())).ended, 5))
      })
      it('ended as it is stored, without a look at the account', async () => {
        await save('session', 'session_1', session({ ended: 9, expires: 5 }))
        const req = request()
        assert.strictEqual((await addon.Session.get(req)).ended, 9)
        assert.strictEqual('accountid' in req.query, false)
      })
      it('a session of a deleted account, not ended', async () => {
        await saveSession({}, { deleted: 5 })
        assert.strictEqual((await addon.Session.get(request())).ended, undefined)
      })
      it('the state after each acknowledged write', async () => {
        await saveSession()
        for (let i = 2; i < 200; i++) {
          await save('account', 'account_1', account({ sessionKeyNumber: i, sessionKeyLastReset: i }))
          assert.strictEqual((await addon.Session.get(request())).ended, i)
        }
        await store.storage.delete(`${appid}/session/session_1`)
        await assertRefused(addon.Session.get(request()), 'invalid-sessionid')
      })
    })

    describe('redacted tokenHash', () => {
      it('wherever the session comes from', async () => {
        await saveSession()
        const cached = session()
        for (const cacheData of [undefined, {}, { session_1: JSON.stringify(cached) }, { session_1: cached }]) {
          assert.strictEqual((await addon.Session.get({ ...request(), cacheData })).tokenHash, undefined)
        }
      })
    })

    describe('cacheData', () => {
      it('wins over the store, and an object is changed in place', async () => {
        await saveSession()
        const cached = session({ expires: 7 })
        const cacheData = { session_1: cached, account_1: JSON.stringify(account()) }
        const result = await addon.Session.get({ ...request(), cacheData })
        assert.strictEqual(result, cached)
        assert.strictEqual(cached.ended, 7)
      })
      it('gives the account as well', async () => {
        await saveSession()
        const cacheData = { account_1: account({ sessionKeyNumber: 3, sessionKeyLastReset: 8 }) }
        assert.strictEqual((await addon.Session.get({ ...request(), cacheData })).ended, 8)
      })
    })

    it('uses the clock of the system without Dashboard', async () => {
      const now = Math.floor(Date.now() / 1000)
      await saveSession({ expires: now + 60 })
      assert.strictEqual((await addon.Session.get(request())).ended, undefined)
      await save('session', 'session_1', session({ expires: now - 1 }))
      assert.strictEqual((await addon.Session.get(request())).ended, now - 1)
    })

    it('follows a secret that is set and cleared', async () => {
      await saveSession()
      await addon.Session.get(request())
      useSecret(secrets)
      // Under a secret, plain text of that length is neither a session for Dashboard nor for us.
      const even = JSON.stringify(session({ filler: '' })).length % 2 ? { filler: 'x' } : { filler: '' }
      await save('session', 'session_2', JSON.stringify(session(even)))
      await assertRefused(addon.Session.get(request('session_2')), 'invalid-sessionid')
      await saveSession({ expires: 3e9 })
      assert.strictEqual((await addon.Session.get(request())).expires, 3e9)
      delete global.encryptionSecret
      await assertRefused(addon.Session.get(request()), 'invalid-sessionid')
      useSecret(secrets)
      assert.strictEqual((await addon.Session.get(request())).expires, 3e9)
    })
  })

  describe('ResetSessionKey#patch', () => {
    describe('exceptions', () => {
      it('invalid-accountid', async () => {
        await save('account', 'broken', '{"object":"account"')
        await save('account', 'other', { object: 'session' })
        for (const accountid of [...strange, 'broken', 'other']) {
          await assertRefused(addon.ResetSessionKey.patch({ appid, query: { accountid } }), 'invalid-accountid')
        }
        for (const req of [undefined, null, {}, { appid }, { appid, query: null }, { appid, query: 5 }]) {
          await assertRefused(addon.ResetSessionKey.patch(req), 'invalid-accountid')
        }
      })
      it('invalid-accountid without the appid that the account is of', async () => {
        await save('account', 'account_1', account())
        for (const other of [undefined, null, 5, {}, '', 'other']) {
          await assertRefused(addon.ResetSessionKey.patch({ appid: other, query: { accountid: 'account_1' } }), 'invalid-accountid')
        }
        assert.strictEqual((await load('account', 'account_1')).sessionKeyNumber, 1)
      })
      it('invalid-account', async () => {
        await save('account', 'account_1', account({ deleted: 5 }))
        await assertRefused(addon.ResetSessionKey.patch(accountRequest()), 'invalid-account')
      })
      it('invalid-encryption-secret', async () => {
        await save('account', 'account_1', account())
        global.encryptionSecret = 'too short'
        await assertRefused(addon.ResetSessionKey.patch(accountRequest()), 'invalid-encryption-secret')
      })
    })

    for (const title of ['plain', 'encrypted']) {
      it(`changes three properties and leaves the rest to the byte, ${title}`, async () => {
        if (title === 'encrypted') {
          useSecret(secrets)
        }
        const rest = '"7":1,"object":"account","a":1e21,"b":-0,"c":1.50,"d":"\\ud800","e":{"f" : [1]}'
        await save('account', 'account_1', `{${rest},"sessionKey":"old","passwordHash":"p","sessionKeyNumber":4}`)
        const before = Math.floor(Date.now() / 1000)
        const result = await addon.ResetSessionKey.patch(accountRequest())
        const text = await load('account', 'account_1', String)
        const [, key, reset] = /^.*"sessionKey":"([0-9a-f]{64})".*"sessionKeyLastReset":(\d+)}$/.exec(text)
        assert.strictEqual(text, `{${rest},"sessionKey":"${key}","passwordHash":"p","sessionKeyNumber":5,"sessionKeyLastReset":${reset}}`)
        assert(reset >= before && reset <= Math.floor(Date.now() / 1000))
        assert.deepStrictEqual(Object.keys(result), ['7', 'object', 'a', 'b', 'c', 'd', 'e', 'sessionKeyNumber', 'sessionKeyLastReset'])
        await store.reopen()
        assert.strictEqual(await load('account', 'account_1', String), text)
      })
    }
    it('makes a new key each time', async () => {
      await save('account', 'account_1', account())
      const found = new Set()
      for (let i = 0; i < 50; i++) {
        await addon.ResetSessionKey.patch(accountRequest())
        found.add((await load('account', 'account_1')).sessionKey)
      }
      assert.strictEqual(found.size, 50)
    })
    it('looks at the store, not at cacheData', async () => {
      await save('account', 'account_1', account({ deleted: 5 }))
      const cacheData = { account_1: account() }
      await assertRefused(addon.ResetSessionKey.patch({ ...accountRequest(), cacheData }), 'invalid-account')
    })

    describe('redacted', () => {
      it('sessionKey, usernameHash, passwordHash', async () => {
        await save('account', 'account_1', account())
        const result = await addon.ResetSessionKey.patch(accountRequest())
        assert.deepStrictEqual(Object.keys(result), ['object', 'accountid', 'sessionKeyNumber', 'sessionKeyLastReset'])
      })
    })
  })

  it('store-closed without an open store, which is not opened by a look-up', async () => {
    await store.storage.close()
    const calls = [() => addon.Session.get(request()), () => addon.Account.get(accountRequest()), () => addon.ResetSessionKey.patch(accountRequest())]
    for (const call of calls) {
      const error = await rejection(call())
      assert.deepStrictEqual([error.message, error.code], ['store-closed', 'ERR_STORE_CLOSED'])
    }
    await store.open()
  })

  describe('Account#get', () => {
    describe('exceptions', () => {
      it('invalid-accountid', async () => {
        for (const accountid of strange) {
          await assertRefused(addon.Account.get({ appid, query: { accountid } }), 'invalid-accountid')
        }
      })
    })
    describe('returns', () => {
      it('object', async () => {
        await save('account', 'account_1', account())
        await fromMemoryAndFromDisk(async () => {
          assert.deepStrictEqual(await addon.Account.get(accountRequest()), { object: 'account', accountid: 'account_1', sessionKeyNumber: 1 })
        })
      })
    })
  })

  function session (more) {
    return { object: 'session', sessionid: 'session_1', accountid: 'account_1', tokenHash: 't', expires: 4e9, sessionKeyNumber: 1, ...more }
  }

  function account (more) {
    return { object: 'account', accountid: 'account_1', ...keys, sessionKeyNumber: 1, ...more }
  }

  function request (sessionid = 'session_1') {
    return { appid, query: { sessionid } }
  }

  function accountRequest () {
    return { appid, query: { accountid: 'account_1' } }
  }

  async function saveSession (ofSession, ofAccount) {
    await save('session', 'session_1', session(ofSession))
    await save('account', 'account_1', account(ofAccount))
  }

  // As Dashboard stores them: objects as JSON, encrypted under the secret.
  async function save (folder, id, contents) {
    const isText = typeof contents === 'string'
    const text = isText ? contents : JSON.stringify(contents)
    await store.storage.write(`${appid}/${folder}/${id}`, isText && id === 'session_2' ? text : encrypt(text))
  }

  async function load (folder, id, read = JSON.parse) {
    const text = await store.storage.read(`${appid}/${folder}/${id}`)
    return read(decrypt(text))
  }

  async function fromMemoryAndFromDisk (check) {
    await check()
    await store.reopen()
    await check()
    await check()
  }

  async function assertRefused (promise, slug) {
    const error = await rejection(promise)
    assert.strictEqual(error.message, slug)
    assert(error instanceof Error)
    assert(/^ERR_(ENCRYPTION_SECRET|INVALID|TOO_LARGE)$/.test(error.code))
  }
})
