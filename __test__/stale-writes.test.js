/* eslint-env mocha */
const assert = require('assert')
const addon = require('../index.js')
const { rejection, useStore } = require('./helper.js')
const { decrypt, encrypt, otherSecrets, secrets, useSecret } = require('./helpers/secret.js')

const appid = 'dashboard'

// Writes of records that were read before a change, through the engine alone: no module, no atomic changes.
describe('stale writes', () => {
  const store = useStore()
  afterEach(() => useSecret())

  for (const title of ['plain', 'encrypted']) {
    describe(title, () => {
      beforeEach(() => title === 'encrypted' && useSecret(secrets))

      it('a sign-in that read the account before a reset does not bring the old session key back', async () => {
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
      it('a profile update that read the account before a new password does not bring the old one back', async () => {
        await write(account())
        await write(account({ passwordHash: 'p2' }))
        await write(account({ passwordHash: 'p2', passwordLastChanged: 9 }))
        await write(account({ profileid: 'profile_2' }))
        assert.deepStrictEqual(await read(), account({ passwordHash: 'p2', passwordLastChanged: 9, profileid: 'profile_2' }))
      })
      it('none of 39 retired session keys comes back, also after a restart', async () => {
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
      it('a write from before 70 resets ends all sessions, only the first time', async () => {
        await write(account())
        for (let i = 0; i < 70; i++) {
          await addon.ResetSessionKey.patch({ appid, query: { accountid: 'account_1' } })
        }
        for (let i = 0; i < 3; i++) {
          await write(account({ lastSignedIn: i }))
          const { sessionKey, sessionKeyNumber, lastSignedIn } = await read()
          // It cannot be told from a reset that crossed another one, therefore it ends all sessions, once.
          assert.match(sessionKey, /^[0-9a-f]{64}$/)
          assert.deepStrictEqual([sessionKeyNumber, lastSignedIn], [72, i])
        }
      })
      it('a write from before a new password and 70 resets does not bring the old password back', async () => {
        await write(account())
        await write(account({ passwordHash: 'p2' }))
        await write(account({ passwordHash: 'p2', passwordLastChanged: 9 }))
        for (let i = 0; i < 70; i++) {
          await addon.ResetSessionKey.patch({ appid, query: { accountid: 'account_1' } })
        }
        await write(account({ lastSignedIn: 5 }))
        const { passwordHash, passwordLastChanged, lastSignedIn } = await read()
        assert.deepStrictEqual([passwordHash, passwordLastChanged, lastSignedIn], ['p2', 9, 5])
      })
      it('the host undoes neither a reset nor a new password in 200 races', async () => {
        const set = async (changes) => write({ ...await read(), ...changes })
        for (let race = 0; race < 200; race++) {
          await store.storage.delete(`${appid}/account/account_1`)
          await write(account())
          const [key, hash] = [`k2 of ${race}`, `p2 of ${race}`]
          await Promise.all([
            set({ sessionKey: key }).then(() => set({ sessionKeyLastReset: 9 })).then(() => set({ sessionKeyNumber: 2 })),
            set({ passwordHash: hash }).then(() => set({ passwordLastChanged: 9 })),
            ...Array.from({ length: race % 4 }, () => addon.ResetSessionKey.patch({ appid, query: { accountid: 'account_1' } })),
            ...Array.from({ length: 5 }, async (_, i) => {
              await new Promise((resolve) => setImmediate(resolve))
              await set({ lastSignedIn: i })
            })
          ])
          const { sessionKey, sessionKeyNumber, passwordHash } = await read()
          assert.notStrictEqual(sessionKey, 'k1')
          assert(sessionKeyNumber > race % 4)
          assert.strictEqual(passwordHash, hash)
        }
      })
      it('a lower sessionKeyNumber has no effect in any call', async () => {
        await write(account({ sessionKeyNumber: 5, sessionKeyLastReset: 9 }))
        const lower = account({ sessionKeyNumber: 4, sessionKeyLastReset: 8, administrator: 7 })
        await write(lower)
        await store.storage.writeBinary(`${appid}/account/account_1`, Buffer.from(encrypt(JSON.stringify(lower))))
        assert.deepStrictEqual(await read(), account({ sessionKeyNumber: 5, sessionKeyLastReset: 9 }))
      })
      it('a session that has ended stays ended', async () => {
        const session = { object: 'session', sessionid: 'session_1', ended: 5 }
        await write(session, 'session')
        await write({ object: 'session', sessionid: 'session_1', lastVerified: 9 }, 'session')
        assert.deepStrictEqual(await read('session'), { object: 'session', sessionid: 'session_1', lastVerified: 9, ended: 5 })
      })
      it('an account that was deleted and made again may have any key', async () => {
        await write(account({ sessionKeyNumber: 5, sessionKey: 'k2' }))
        await write(account({ sessionKeyNumber: 5, sessionKey: 'k3' }))
        await store.storage.delete(`${appid}/account/account_1`)
        await write(account({ sessionKey: 'k2' }))
        assert.deepStrictEqual(await read(), account({ sessionKey: 'k2' }))
        await write(account({ sessionKey: 'k3' }))
        assert.strictEqual((await read()).sessionKey, 'k3')
      })
      it('text that is not an account is written as it is', async () => {
        await write(account({ sessionKeyNumber: 5 }))
        for (const text of ['text', '{"object":"profile"}', '[]', '{"object":"account"']) {
          await store.storage.write(`${appid}/account/account_1`, text)
          assert.strictEqual(await store.storage.read(`${appid}/account/account_1`), text)
        }
      })
      it('accounts of the same id in two applications are judged separately', async () => {
        await write(account({ sessionKeyNumber: 5 }))
        await store.storage.write('other/account/account_1', encrypt(JSON.stringify(account())))
        await store.storage.write('other/account/account_1', encrypt(JSON.stringify(account({ sessionKeyNumber: 2 }))))
        assert.strictEqual((await read()).sessionKeyNumber, 5)
      })
      it('a write loses only its stale properties: an old password beside a new key, an old number beside a new password', async () => {
        await write(account())
        await write(account({ passwordHash: 'p2' }))
        await write(account({ sessionKey: 'k2' }))
        assert.deepStrictEqual(await read(), account({ passwordHash: 'p2', sessionKey: 'k2' }))
        const reset = await addon.ResetSessionKey.patch({ appid, query: { accountid: 'account_1' } })
        await write(account({ passwordHash: 'p3', sessionKey: 'k3' }))
        const { sessionKey, ...rest } = await read()
        assert(/^[0-9a-f]{64}$/.test(sessionKey), sessionKey)
        assert.deepStrictEqual({ ...rest, sessionKey: 'k1' }, account({ passwordHash: 'p3', sessionKeyNumber: 3, sessionKeyLastReset: reset.sessionKeyLastReset }))
      })
      it('a reset answers with what is stored, whatever was stored before', async () => {
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
      it('20 resets among 200 stale writes all count', async () => {
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

  describe('invalid-encryption-secret', () => {
    const path = `${appid}/account/account_1`
    const text = JSON.stringify(account())

    for (const [title, secret] of Object.entries({
      'a secret that is too short': { ...secrets, ENCRYPTION_SECRET: 'short' },
      'an IV that is too long': { ...secrets, ENCRYPTION_SECRET_IV: `${secrets.ENCRYPTION_SECRET_IV}0` },
      'no IV': { ENCRYPTION_SECRET: secrets.ENCRYPTION_SECRET }
    })) {
      it(title, async () => {
        await write(account({ sessionKeyNumber: 5 }))
        useSecret(secret)
        await refused(store.storage.write(path, text))
        await refused(store.storage.writeBinary(path, Buffer.from(text)))
        useSecret()
        assert.deepStrictEqual(await read(), account({ sessionKeyNumber: 5 }))
      })
    }
    for (const [title, secret] of Object.entries({ 'a missing secret': {}, 'another secret': otherSecrets })) {
      it(title, async () => {
        useSecret(secrets)
        const old = encrypt(text)
        await store.storage.write(path, old)
        const { sessionKeyLastReset } = await addon.ResetSessionKey.patch({ appid, query: { accountid: 'account_1' } })
        useSecret(secret)
        await refused(write(account()))
        await refused(store.storage.writeBinary(path, Buffer.from(old)))
        // Text that is not an account lets nobody in.
        await store.storage.write('dashboard/account/account_2', old)
        await store.storage.write('dashboard/account/account_2', encrypt('text'))
        useSecret(secrets)
        const { sessionKey, ...rest } = await read()
        assert.notStrictEqual(sessionKey, 'k1')
        assert.deepStrictEqual({ ...rest, sessionKey: 'k1' }, account({ sessionKeyNumber: 2, sessionKeyLastReset }))
      })
    }
    it('a secret over what was written without one is read as plain text', async () => {
      for (const name of ['a', 'an']) {
        useSecret()
        await write(account({ sessionKey: 'k2', sessionKeyNumber: 5, name }))
        useSecret(secrets)
        await write(account({ name: 'new' }))
        const { sessionKeyNumber, name: written } = await read()
        assert.deepStrictEqual([sessionKeyNumber, written], [6, 'new'])
        await store.storage.delete(path)
      }
    })
    it('other records are written under any secret that has the right form', async () => {
      for (const secret of [{}, secrets, otherSecrets]) {
        useSecret(secret)
        await store.storage.write('dashboard/profile/profile_1', encrypt('{"object":"profile"}'))
        await store.storage.write('dashboard/account/account_3', 'aa'.repeat(10))
      }
    })

    async function refused (promise) {
      const { code, message, detail } = await rejection(promise)
      assert.deepStrictEqual([message, code], ['invalid-encryption-secret', 'ERR_ENCRYPTION_SECRET'])
      assert(detail.includes('ENCRYPTION_SECRET_IV'), detail)
    }
  })

  function account (more) {
    return { object: 'account', accountid: 'account_1', sessionKey: 'k1', sessionKeyNumber: 1, passwordHash: 'p1', ...more }
  }

  async function write (contents, folder = 'account') {
    return store.storage.write(`${appid}/${folder}/${folder}_1`, encrypt(JSON.stringify(contents)))
  }

  async function read (folder = 'account') {
    const text = await store.storage.read(`${appid}/${folder}/${folder}_1`)
    return JSON.parse(decrypt(text))
  }
})
