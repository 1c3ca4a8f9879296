/* eslint-env mocha */
const assert = require('assert')
const { once } = require('events')
const fs = require('fs')
const path = require('path')
const addon = require('../index.js')
const { makeFolder, rejection, runAsNobody, useStore } = require('./helper.js')

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
      const newer = Buffer.from(whole)
      for (const slot of [0, 4096]) {
        newer.writeUInt32BE(2, slot + 8)
        newer.writeUInt32BE(crc32(newer.subarray(slot, slot + 45)), slot + 45)
      }
      fs.writeFileSync(guard, newer)
      assertError(await rejection(addon.Storage.setup()), 'store-newer-format', 'ERR_STORE_NEWER_FORMAT', 'install the version that wrote it')
      assert.deepStrictEqual(fs.readFileSync(guard), newer)
      fs.writeFileSync(guard, whole)
      await store.open()
    })
    it('store-guard-mismatch', async () => {
      const folder = process.env.SLED_PATH
      await store.storage.close()
      for (const missing of ['guard', 'sled']) {
        fs.renameSync(path.join(folder, missing), path.join(store.folder, 'aside'))
        assertError(await rejection(addon.Storage.setup()), 'store-guard-mismatch', 'ERR_STORE_GUARD', 'put both back')
        fs.renameSync(path.join(store.folder, 'aside'), path.join(folder, missing))
      }
      const other = path.join(store.folder, 'other')
      process.env.SLED_PATH = other
      const storage = await addon.Storage.setup()
      await storage.close()
      process.env.SLED_PATH = folder
      fs.renameSync(path.join(folder, 'guard'), path.join(store.folder, 'aside'))
      fs.copyFileSync(path.join(other, 'guard'), path.join(folder, 'guard'))
      assertError(await rejection(addon.Storage.setup()), 'store-guard-mismatch', 'ERR_STORE_GUARD', 'different ids')
      fs.renameSync(path.join(store.folder, 'aside'), path.join(folder, 'guard'))
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

  it('is made anew after a creation that was cut short', async () => {
    await store.storage.close()
    const folder = process.env.SLED_PATH
    const guard = fs.readFileSync(path.join(folder, 'guard'))
    for (const slot of [0, 4096]) {
      guard.writeUInt8(1, slot + 12)
      guard.writeUInt32BE(crc32(guard.subarray(slot, slot + 45)), slot + 45)
    }
    const leftovers = [
      () => fs.rmSync(path.join(folder, 'guard')) || fs.rmSync(path.join(folder, 'sled'), { recursive: true }),
      () => fs.writeFileSync(path.join(folder, 'guard'), guard),
      () => fs.writeFileSync(path.join(folder, 'guard'), guard) || fs.rmSync(path.join(folder, 'sled', 'conf')),
      () => fs.writeFileSync(path.join(folder, 'guard'), guard) || fs.rmSync(path.join(folder, 'sled'), { recursive: true })
    ]
    for (const leave of leftovers) {
      leave()
      await store.open()
      assert.strictEqual(await store.storage.exists('file'), false)
      await store.storage.write('file', 'contents')
      await store.reopen()
      assert.strictEqual(await store.storage.read('file'), 'contents')
      await store.storage.close()
    }
    await store.open()
  })

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

// The checksum of a slot of the guard.
function crc32 (bytes) {
  let checksum = ~0
  for (const byte of bytes) {
    checksum ^= byte
    for (let bit = 0; bit < 8; bit++) {
      checksum = (checksum >>> 1) ^ (checksum & 1 ? 0xedb88320 : 0)
    }
  }
  return ~checksum >>> 0
}
