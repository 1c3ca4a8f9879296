/* eslint-env mocha */
const assert = require('assert')
const crypto = require('crypto')
const addon = require('../index.js')
const { useStore } = require('./helper.js')

const appid = 'dashboard'
const secret = ['0123456789abcdef0123456789abcdef', '0123456789abcdef']
const otherSecret = ['fedcba9876543210fedcba9876543210', 'fedcba9876543210']

// What a write from before may not undo, through the engine alone: no module, no atomic changes.
describe('stale writes', () => {
  const store = useStore()
  afterEach(() => useSecret())

  for (const title of ['plain', 'encrypted']) {
    describe(title, () => {
      beforeEach(() => title === 'encrypted' && useSecret(secret))

      it('a sign-in that read before the user ended all sessions', async () => {
        await write(account())
        // The host's user/reset-session-key.js: key first, number last.
        const steps = [{ sessionKey: 'k2' }, { sessionKeyLastReset: 9 }, { sessionKeyNumber: 2 }]
        for (const step of steps) {
          await write({ ...await read(), ...step })
          await write(account({ lastSignedIn: 5 }))
          const { sessionKey, lastSignedIn } = await read()
          assert.deepStrictEqual([sessionKey, lastSignedIn], ['k2', 5])
        }
        assert.deepStrictEqual(await read(), account({ sessionKey: 'k2', sessionKeyNumber: 2, lastSignedIn: 5, sessionKeyLastReset: 9 }))
      })
      it('a profile update that read before the password was changed', async () => {
        await write(account())
        await write(account({ passwordHash: 'p2' }))
        await write(account({ passwordHash: 'p2', passwordLastChanged: 9 }))
        await write(account({ profileid: 'profile_2' }))
        assert.deepStrictEqual(await read(), account({ passwordHash: 'p2', passwordLastChanged: 9, profileid: 'profile_2' }))
      })
      it('one from long before, and one after a restart', async () => {
        await write(account())
        for (let i = 2; i <= 40; i++) {
          await write(account({ sessionKey: `k${i}` }))
        }
        await store.reopen()
        for (const key of ['k1', 'k20', 'k39']) {
          await write(account({ sessionKey: key }))
          assert.strictEqual((await read()).sessionKey, 'k40')
        }
      })
      it('a lower number, by any call', async () => {
        await write(account({ sessionKeyNumber: 5, sessionKeyLastReset: 9 }))
        const lower = account({ sessionKeyNumber: 4, sessionKeyLastReset: 8, administrator: 7 })
        await write(lower)
        await store.storage.writeBinary(`${appid}/account/account_1`, Buffer.from(seal(JSON.stringify(lower))))
        assert.deepStrictEqual(await read(), account({ sessionKeyNumber: 5, sessionKeyLastReset: 9 }))
      })
      it('a session that has ended', async () => {
        const session = { object: 'session', sessionid: 'session_1', ended: 5 }
        await write(session, 'session')
        await write({ object: 'session', sessionid: 'session_1', lastVerified: 9 }, 'session')
        assert.deepStrictEqual(await read('session'), { object: 'session', sessionid: 'session_1', lastVerified: 9, ended: 5 })
      })
      it('an account that was deleted and made again is a new one', async () => {
        await write(account({ sessionKeyNumber: 5, sessionKey: 'k2' }))
        await write(account({ sessionKeyNumber: 5, sessionKey: 'k3' }))
        await store.storage.delete(`${appid}/account/account_1`)
        await write(account({ sessionKey: 'k2' }))
        assert.deepStrictEqual(await read(), account({ sessionKey: 'k2' }))
        await write(account({ sessionKey: 'k3' }))
        assert.strictEqual((await read()).sessionKey, 'k3')
      })
      it('arbitrary text under an account\'s key is written word for word', async () => {
        await write(account({ sessionKeyNumber: 5 }))
        for (const text of ['text', '{"object":"profile"}', '[]', '{"object":"account"']) {
          await store.storage.write(`${appid}/account/account_1`, text)
          assert.strictEqual(await store.storage.read(`${appid}/account/account_1`), text)
        }
      })
      it('another tenant\'s account of the same id is another one', async () => {
        await write(account({ sessionKeyNumber: 5 }))
        await store.storage.write('other/account/account_1', seal(JSON.stringify(account())))
        await store.storage.write('other/account/account_1', seal(JSON.stringify(account({ sessionKeyNumber: 2 }))))
        assert.strictEqual((await read()).sessionKeyNumber, 5)
      })
      it('loses only what is stale: a new key beside an old password, a new password beside an old number', async () => {
        await write(account())
        await write(account({ passwordHash: 'p2' }))
        await write(account({ sessionKey: 'k2' }))
        assert.deepStrictEqual(await read(), account({ passwordHash: 'p2', sessionKey: 'k2' }))
        const reset = await addon.ResetSessionKey.patch({ appid, query: { accountid: 'account_1' } })
        await write(account({ passwordHash: 'p3', sessionKey: 'k3' }))
        assert.deepStrictEqual(await read(), account({ passwordHash: 'p3', sessionKey: 'k3', sessionKeyNumber: 2, sessionKeyLastReset: reset.sessionKeyLastReset }))
      })
      it('a reset answers what is stored, whatever was there before', async () => {
        await write(account())
        await write(account({ passwordHash: 'p2' }))
        await store.storage.write(`${appid}/account/account_1`, 'text')
        await write(account())
        for (let i = 2; i < 5; i++) {
          const { sessionKey } = await read()
          const answer = await addon.ResetSessionKey.patch({ appid, query: { accountid: 'account_1' } })
          const stored = await read()
          assert.strictEqual(answer.sessionKeyNumber, i)
          assert.strictEqual(stored.sessionKeyNumber, i)
          assert.notStrictEqual(stored.sessionKey, sessionKey)
        }
      })
      it('a reset at the same time as many stale writes', async () => {
        await write(account())
        const stale = Array.from({ length: 100 }, (_, i) => write(account({ lastSignedIn: i })))
        const resets = Array.from({ length: 20 }, () => addon.ResetSessionKey.patch({ appid, query: { accountid: 'account_1' } }))
        const more = Array.from({ length: 100 }, (_, i) => write(account({ lastSignedIn: 100 + i })))
        await Promise.all([...stale, ...resets, ...more])
        const { sessionKey, sessionKeyNumber, lastSignedIn } = await read()
        assert.notStrictEqual(sessionKey, 'k1')
        assert.deepStrictEqual([sessionKeyNumber, lastSignedIn], [21, 199])
      })
    })
  }

  it('under a secret that was changed the write is word for word', async () => {
    useSecret(secret)
    await write(account({ sessionKeyNumber: 5 }))
    useSecret(otherSecret)
    await write(account())
    assert.deepStrictEqual(await read(), account())
  })

  function account (more) {
    return { object: 'account', accountid: 'account_1', sessionKey: 'k1', sessionKeyNumber: 1, passwordHash: 'p1', ...more }
  }

  async function write (contents, folder = 'account') {
    return store.storage.write(`${appid}/${folder}/${folder}_1`, seal(JSON.stringify(contents)))
  }

  async function read (folder = 'account') {
    const text = await store.storage.read(`${appid}/${folder}/${folder}_1`)
    return JSON.parse(global.encryptionSecret ? cipher('createDecipheriv').update(text, 'hex', 'utf-8') : text)
  }

  function seal (text) {
    return global.encryptionSecret ? cipher('createCipheriv').update(text, 'utf-8', 'hex') : text
  }

  function cipher (create) {
    return crypto[create]('aes-256-ctr', global.encryptionSecret, Buffer.from(global.encryptionSecretIV))
  }

  function useSecret (pair = []) {
    [global.encryptionSecret, global.encryptionSecretIV] = pair
  }
})
