/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const addon = require('../index.js')
const { atomic } = require('../lib/storage-object.js')
const { openStore } = require('../lib/open-stores.js')
const { makeFolder, rejection } = require('./helper.js')
const { mount, skipIf, unmount } = require('./helpers/mount.js')

const account = 'dashboard/account/account_1'
const session = 'dashboard/session/session_1'
const long = { long: 'x'.repeat(5000) }

// One store on a disk of 12 MB, on which the tests follow each other: at first there is no room for a large record, after the
// resets for a small one neither, and the last test makes room.
describe('a full disk', function () {
  this.timeout(60000)
  const written = []
  let folder, mounted, storage, storageList, refused
  before(async function () {
    folder = makeFolder()
    skipIf(this, mount('-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', folder))
    mounted = folder
    process.env.SLED_PATH = path.join(folder, 'store')
    storage = await addon.Storage.setup()
    storageList = await addon.StorageList.setup(storage)
    await storage.write(account, '{"object":"account","sessionKey":"k","sessionKeyNumber":1}')
    await storage.write(session, '{"object":"session","accountid":"account_1"}')
    while (!refused) {
      const key = `file/${written.length}`
      await storage.write(key, contentsOf(key)).then(() => written.push(key), (error) => { refused = error })
    }
  })
  after(async () => {
    delete process.env.SLED_PATH
    if (storage) {
      await storage.close()
      assert.deepStrictEqual(fs.readdirSync(path.join(folder, 'store', 'sled', 'blobs')), [])
    }
    mounted && unmount(mounted)
    fs.rmSync(folder, { recursive: true })
  })

  describe('at first', () => {
    it('refuses a write for which there is no room', () => {
      assertFull(refused)
      assert(written.length > 20, `${written.length} records`)
    })
  })

  describe('goes on with', () => {
    it('reading every record that was acknowledged', async () => {
      for (const key of written) {
        assert.strictEqual(await storage.read(key), contentsOf(key))
      }
    })
    it('resetting a session key, 998 times', async () => {
      for (let i = 2; i < 1000; i++) {
        const { sessionKeyNumber } = await addon.ResetSessionKey.patch({ appid: 'dashboard', query: { accountid: 'account_1' } })
        assert.strictEqual(sessionKeyNumber, i)
      }
    })
    it('ending a session', async () => {
      const object = await objects()
      await storage.write(session, '{"object":"session","accountid":"account_1","ended":5}')
      await object.setProperty(session, 'ended', 6)
      await object.removeProperty(session, 'accountid')
      assert.strictEqual(await storage.read(session), '{"object":"session","ended":6}')
    })
  })

  describe('then refuses small changes as well:', () => {
    it('a new session', async () => {
      assertFull(await rejection(storage.write('dashboard/session/session_2', '{"object":"session"}')))
    })
    it('an item of a list', async () => {
      assertFull(await rejection(storageList.add('list', 'item')))
    })
    for (const id of ['new', 'dashboard/account/account_2', account, session]) {
      it(`a long property of ${id}`, async () => {
        assertFull(await rejection((await objects()).setProperties(id, long)))
      })
    }
    it('a session that grows', async () => {
      assertFull(await rejection(storage.write(session, JSON.stringify(long))))
    })
  })

  describe('with room again', () => {
    it('a record is deleted', async () => {
      await storage.delete(written[0])
      assert.strictEqual(await storage.exists(written[0]), false)
    })
    it('a write is made', async function () {
      skipIf(this, mount('-o', 'remount,size=24m', folder))
      await storage.write('file', 'contents')
      assert.strictEqual(await storage.read('file'), 'contents')
    })
  })

  async function objects () {
    return atomic(await openStore(), storage)
  }

  function contentsOf (key) {
    return key.repeat(5000)
  }

  function assertFull ({ message, code, detail }) {
    assert.strictEqual(message, 'store-full')
    assert.strictEqual(code, 'ERR_STORE_FULL')
    assert(detail.includes('free some space'), detail)
    assert(!/["\\]/.test(message))
  }
})
