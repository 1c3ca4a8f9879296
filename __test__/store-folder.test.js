/* eslint-env mocha */
const assert = require('assert')
const { once } = require('events')
const fs = require('fs')
const path = require('path')
const addon = require('../index.js')
const { makeFolder, rejection, runAsNobody, useStore, withStore } = require('./helper.js')
const { changeGuard } = require('./helpers/damage.js')

describe('the folder of a store', () => {
  const store = useStore()

  describe('exceptions', () => {
    it('store-foreign-folder', async () => {
      process.env.SLED_PATH = makeFolder()
      fs.writeFileSync(path.join(process.env.SLED_PATH, 'photo.jpg'), 'mine')
      const error = await rejection(addon.Storage.setup())
      assertError(error, 'store-foreign-folder', 'ERR_STORE_FOREIGN', 'choose an empty or a new folder')
      assert(error.detail.includes('photo.jpg'))
      assert.deepStrictEqual(fs.readdirSync(process.env.SLED_PATH), ['photo.jpg'])
    })
    it('store-newer-format', async () => {
      await store.storage.close()
      const guard = path.join(process.env.SLED_PATH, 'guard')
      const whole = fs.readFileSync(guard)
      const newer = changeGuard(guard, (slot) => slot.writeUInt32BE(2, 8))
      assertError(await rejection(addon.Storage.setup()), 'store-newer-format', 'ERR_STORE_NEWER_FORMAT', 'install the version that wrote it')
      assert.deepStrictEqual(fs.readFileSync(guard), newer)
      fs.writeFileSync(guard, whole)
      await store.open()
    })
    for (const missing of ['guard', 'sled']) {
      it(`store-guard-mismatch without ${missing}`, async () => {
        const [place, aside] = [path.join(process.env.SLED_PATH, missing), path.join(store.folder, 'aside')]
        await store.storage.close()
        fs.renameSync(place, aside)
        assertError(await rejection(addon.Storage.setup()), 'store-guard-mismatch', 'ERR_STORE_GUARD', 'put both back')
        fs.renameSync(aside, place)
        await store.open()
      })
    }
    it('store-guard-mismatch with the guard of another store', async () => {
      const guard = path.join(process.env.SLED_PATH, 'guard')
      const whole = fs.readFileSync(guard)
      const other = path.join(store.folder, 'other')
      await store.storage.close()
      await withStore(other, () => {})
      fs.copyFileSync(path.join(other, 'guard'), guard)
      assertError(await rejection(addon.Storage.setup()), 'store-guard-mismatch', 'ERR_STORE_GUARD', 'different ids')
      fs.writeFileSync(guard, whole)
      await store.open()
    })
    it('store-rolled-back', async () => {
      const sled = path.join(process.env.SLED_PATH, 'sled')
      const old = path.join(store.folder, 'old')
      await store.storage.write('file', 'old')
      await store.storage.close()
      fs.cpSync(sled, old, { recursive: true })
      await store.open()
      await store.storage.write('file', 'new')
      await store.storage.close()
      fs.renameSync(sled, path.join(store.folder, 'new'))
      fs.renameSync(old, sled)
      assertError(await rejection(addon.Storage.setup()), 'store-rolled-back', 'ERR_STORE_ROLLED_BACK', 'restore a backup')
      fs.rmSync(sled, { recursive: true })
      fs.renameSync(path.join(store.folder, 'new'), sled)
      await store.open()
      assert.strictEqual(await store.storage.read('file'), 'new')
    })
    it('store-damaged', async () => {
      const guard = path.join(process.env.SLED_PATH, 'guard')
      await store.storage.close()
      const whole = fs.readFileSync(guard)
      fs.writeFileSync(guard, 'damaged')
      assertError(await rejection(addon.Storage.setup()), 'store-damaged', 'ERR_STORE_DAMAGED', 'guard')
      fs.writeFileSync(guard, whole)
      await store.open()
    })
    it('store-io-failed', async () => {
      const file = path.join(store.folder, 'file')
      fs.writeFileSync(file, 'no folder')
      process.env.SLED_PATH = path.join(file, 'store')
      assertError(await rejection(addon.Storage.setup()), 'store-io-failed', 'ERR_STORE_IO', file)
    })
    it('store-not-permitted for a folder that may not be written', async function () {
      if (!process.getuid || process.getuid() !== 0) {
        return this.skip()
      }
      const folder = makeFolder()
      const { child, ended } = runAsNobody('hold.js', { env: { SLED_PATH: path.join(folder, 'store') } })
      const [error] = await once(child, 'message')
      assertError(error, 'store-not-permitted', 'ERR_STORE_PERMISSION', `the folder ${folder} belongs to user 0 and has mode 700, and this process runs as user 65534`)
      child.send('go')
      await ended
    })
  })

  // A creation that is cut short leaves first no guard, and later one with its mark.
  for (const [title, isMarked, removed] of [
    ['before there was a guard', false, ['guard', 'sled']],
    ['with all its files', true, []],
    ['before sled wrote its settings', true, ['sled/conf']],
    ['before there was a folder of sled', true, ['sled']]
  ]) {
    it(`is made anew after a creation that was cut short ${title}`, async () => {
      await store.storage.write('file', 'contents')
      await store.storage.close()
      isMarked && changeGuard(path.join(process.env.SLED_PATH, 'guard'), (slot) => slot.writeUInt8(1, 12))
      removed.forEach((name) => fs.rmSync(path.join(process.env.SLED_PATH, name), { recursive: true }))
      await store.open()
      assert.strictEqual(await store.storage.exists('file'), false)
      await store.storage.write('file', 'contents')
      await store.reopen()
      assert.strictEqual(await store.storage.read('file'), 'contents')
    })
  }

  it('opens with a snapshot of sled that was cut short, and with a damaged one', async () => {
    const sled = path.join(process.env.SLED_PATH, 'sled')
    await store.storage.write('file', 'contents')
    await store.reopen()
    await store.storage.close()
    const snapshot = fs.readdirSync(sled).find((name) => name.startsWith('snap.'))
    fs.writeFileSync(path.join(sled, 'snap.00000000FFFFFFFF.generating'), 'half')
    await store.open()
    assert.strictEqual(await store.storage.read('file'), 'contents')
    await store.storage.close()
    assert(snapshot)
    for (const name of fs.readdirSync(sled).filter((name) => name.startsWith('snap.'))) {
      const file = path.join(sled, name)
      const bytes = fs.readFileSync(file)
      bytes[bytes.length >> 1] ^= 1
      fs.writeFileSync(file, bytes)
    }
    await store.open()
    assert.strictEqual(await store.storage.read('file'), 'contents')
  })

  function assertError (error, message, code, detail) {
    assert.strictEqual(error.message, message)
    assert.strictEqual(error.code, code)
    assert(error.detail.includes(detail), error.detail)
    assert(!/["\\]/.test(error.message))
  }
})
