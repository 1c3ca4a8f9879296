/* eslint-env mocha */
const assert = require('assert')
const path = require('path')
const addon = require('../index.js')
const { rejection, useStore } = require('./helper.js')

const MEBIBYTE = 1024 * 1024
const req = { appid: 'dashboard', query: { accountid: 'account_1' } }

// All other changes wait while the rule about stale writes reads a record, therefore the size of these records has a limit.
describe('large accounts and sessions', () => {
  const store = useStore()
  const file = 'dashboard/account/account_1'

  describe('exceptions', () => {
    for (const key of ['dashboard/account/account_1', 'dashboard/session/session_1']) {
      it(`a write over 1 MiB: ${key}`, async () => {
        await store.storage.write(key, 'a'.repeat(MEBIBYTE))
        await store.storage.writeBinary(key, Buffer.alloc(MEBIBYTE))
        await tooLarge(store.storage.write(key, 'a'.repeat(MEBIBYTE + 1)), 'invalid-contents')
        await tooLarge(store.storage.writeBinary(key, Buffer.alloc(MEBIBYTE + 1)), 'invalid-buffer')
        assert.deepStrictEqual(await store.storage.readBinary(key), Buffer.alloc(MEBIBYTE))
      })
    }
    it('invalid-value for a property that makes a record too large', async () => {
      const object = await atomic()
      await store.storage.write(file, account())
      await tooLarge(object.setProperty(file, 'name', 'a'.repeat(MEBIBYTE)), 'invalid-value')
      await tooLarge(object.setProperty('dashboard/account/account_2', 'name', 'a'.repeat(MEBIBYTE)), 'invalid-value')
      assert.strictEqual(await store.storage.read(file), account())
      assert.strictEqual(await store.storage.exists('dashboard/account/account_2'), false)
    })
  })

  describe('returns', () => {
    it('other records may be larger', async () => {
      await store.storage.write('dashboard/profile/profile_1', 'a'.repeat(MEBIBYTE + 1))
      await store.storage.write('dashboard/account/account_1/picture', 'a'.repeat(MEBIBYTE + 1))
    })
    it('a stale write of an account with the most escaped names is recognised', async () => {
      const names = ',"\\n":0'.repeat(MEBIBYTE / 7 - 50)
      const large = (number) => `{"object":"account","sessionKey":"k${number}","sessionKeyNumber":${number}${names}}`
      await store.storage.write(file, large(2))
      await store.storage.write(file, large(2))
      await store.storage.write(file, large(1))
      assert.strictEqual(JSON.parse(await store.storage.read(file)).sessionKeyNumber, 3)
    })
    it('an account that is already larger can be imported, read and reset, but cannot grow', async () => {
      const object = await atomic()
      const large = JSON.stringify({ ...JSON.parse(account()), sessionKeyLastReset: 1000000000, picture: 'a'.repeat(MEBIBYTE) })
      const loaded = await addon.open({ path: process.env.SLED_PATH })
      await loaded.load([{ record: file, contents: Buffer.from(large) }])
      await loaded.close()
      assert.strictEqual(await store.storage.read(file), large)
      const { sessionKeyNumber } = await addon.ResetSessionKey.patch(req)
      assert.strictEqual(sessionKeyNumber, 2)
      await object.setProperty(file, 'sessionKeyNumber', 3)
      await tooLarge(object.setProperty(file, 'name', 'a'), 'invalid-value')
      await store.storage.write(file, account())
      const { sessionKey, sessionKeyNumber: number } = JSON.parse(await store.storage.read(file))
      assert.notStrictEqual(sessionKey, 'k1')
      assert.strictEqual(number, 3)
    }).timeout(60000)
  })

  async function atomic () {
    const { atomic } = require('../lib/storage-object.js')
    const { mainStore } = require('../lib/open-stores.js')
    return atomic(mainStore(), store.storage)
  }

  async function tooLarge (promise, slug) {
    const { code, message, detail } = await rejection(promise)
    assert.deepStrictEqual([message, code], [slug, 'ERR_TOO_LARGE'])
    assert.match(detail, /bytes are more than the limit of \d+$/)
  }

  function account () {
    return JSON.stringify({ object: 'account', accountid: path.basename(file), sessionKey: 'k1', sessionKeyNumber: 1 })
  }
})
