/* eslint-env mocha */
const assert = require('assert')
const addon = require('../index.js')
const { rejection, useStore } = require('./helper.js')

// `<appid>/session/<id>` has to be a key of one application, whatever a request contains.
describe('applications beside each other', () => {
  const store = useStore()
  const applications = ['one', 'one/session/two', 'one/account/two', 'one/session', 'one/account']

  beforeEach(async () => {
    for (const appid of applications) {
      await write(`${appid}/account/account_1`, { object: 'account', accountid: 'account_1', sessionKey: 'k1', sessionKeyNumber: 1, appid })
      await write(`${appid}/session/session_1`, { object: 'session', sessionid: 'session_1', accountid: 'account_1', sessionKeyNumber: 1, expires: 4e9, appid })
    }
  })

  describe('exceptions', () => {
    for (const appid of applications.slice(1)) {
      it(`a hostile appid: ${appid}`, async () => {
        await nothing(appid, 'session_1', 'account_1')
      })
    }
    for (const folder of ['session', 'account']) {
      for (const start of ['', 'two/']) {
        it(`a hostile id: ${start}${folder}/`, async () => {
          await nothing('one', `${start}${folder}/session_1`, `${start}${folder}/account_1`)
        })
      }
    }
    it('a hostile id of an account in a session', async () => {
      await write('one/session/session_2', { object: 'session', accountid: 'two/account/account_1', sessionKeyNumber: 1, expires: 4e9 })
      const req = { appid: 'one', query: { sessionid: 'session_2' } }
      assert.strictEqual((await rejection(addon.Session.get(req))).message, 'invalid-accountid')
      assert.strictEqual((await rejection(addon.Session.get({ ...req, cacheData: {} }))).message, 'invalid-accountid')
    })
  })

  describe('returns', () => {
    for (const [appid, id] of [['one', '1'], ['an/app', '1'], ['account', '1'], ['session/s', '1'], ['one', 'a/b'], ['one/accounts', '../1'], ['one', 'session']]) {
      it(`an appid ${appid} and an id ${id}`, async () => {
        await write(`${appid}/account/${id}`, { object: 'account', sessionKey: 'k1', sessionKeyNumber: 1, appid })
        await write(`${appid}/session/${id}`, { object: 'session', accountid: id, sessionKeyNumber: 1, expires: 4e9, appid })
        for (const cacheData of [undefined, {}]) {
          assert.strictEqual((await addon.Session.get({ appid, query: { sessionid: id }, cacheData })).appid, appid)
          assert.strictEqual((await addon.Account.get({ appid, query: { accountid: id }, cacheData })).appid, appid)
        }
        assert.strictEqual((await addon.ResetSessionKey.patch({ appid, query: { accountid: id } })).sessionKeyNumber, 2)
      })
    }
  })

  async function nothing (appid, sessionid, accountid) {
    for (const cacheData of [undefined, {}]) {
      // Twice, because the second request may be answered by the cache.
      for (let i = 0; i < 2; i++) {
        assert.strictEqual((await rejection(addon.Session.get({ appid, query: { sessionid }, cacheData }))).message, 'invalid-sessionid')
        assert.strictEqual((await rejection(addon.Account.get({ appid, query: { accountid }, cacheData }))).message, 'invalid-accountid')
      }
    }
    assert.strictEqual((await rejection(addon.ResetSessionKey.patch({ appid, query: { accountid } }))).message, 'invalid-accountid')
    for (const owner of applications) {
      assert.strictEqual(JSON.parse(await store.storage.read(`${owner}/account/account_1`)).sessionKeyNumber, 1)
    }
  }

  async function write (key, object) {
    return store.storage.write(key, JSON.stringify(object))
  }
})
