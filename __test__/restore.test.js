/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const addon = require('../index.js')
const { makeFolder } = require('./helper.js')
const { onOverlay, skipIf } = require('./overlay.js')

// What a folder of a store has when nothing is left of any work.
const FILES = ['guard', 'lock', 'sled']

describe('restore', () => {
  let folder, store, backup
  beforeEach(async () => {
    folder = makeFolder()
    store = path.join(folder, 'store')
    backup = path.join(folder, 'backup')
    await write(backup, 'a', 'the backup')
    await write(store, 'a', 'the store')
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  describe('where a folder cannot be renamed', () => {
    it('the store is replaced, kept and opened', async function () {
      const skipped = await onOverlay(folder, async (merged) => {
        const at = (name) => path.join(merged, name)
        assert.throws(() => fs.renameSync(at('store/sled'), at('store/other')), { code: 'EXDEV' })
        const { replaced } = await addon.restore({ path: at('store'), folder: at('backup') })
        assert.strictEqual(await read(at('store')), 'the backup')
        assert.strictEqual(await read(replaced), 'the store')
        assert.deepStrictEqual(fs.readdirSync(at('store')).sort(), [...FILES, 'replaced-1'].sort())
        // And once more, over what is no longer in the lower layer.
        await addon.restore({ path: at('store'), folder: replaced })
        assert.strictEqual(await read(at('store')), 'the store')
      })
      skipIf(this, skipped)
    })
  })

  async function write (folder, record, contents) {
    const store = await addon.open({ path: folder })
    await store.storage.write(record, contents)
    await store.close()
  }

  async function read (folder) {
    const store = await addon.open({ path: folder })
    const contents = await store.storage.read('a')
    await store.close()
    return contents
  }
}).timeout(20000)
