/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const addon = require('../index.js')
const { makeFolder, rejection } = require('./helper.js')

describe('open', () => {
  let folder, store
  beforeEach(() => {
    folder = makeFolder()
    store = path.join(folder, 'store')
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  it('shares the store of the process', async () => {
    const [a, b] = [await addon.open({ path: store }), await addon.open({ path: store, cacheMB: 1, commitSeconds: 1 })]
    await a.storage.write('a', 'contents')
    assert.strictEqual(await b.storage.read('a'), 'contents')
    await a.close()
    assert.strictEqual(await b.lists.count('a'), 0)
    assert.strictEqual(a.path, b.path || fs.realpathSync(store))
    await b.close()
    assert.strictEqual((await rejection(b.storage.read('a'))).code, 'ERR_STORE_CLOSED')
  })
  it('refuses an option that it does not know, by name', async () => {
    const { message, code, detail } = await rejection(addon.open({ path: store, cachMB: 5 }))
    assert.deepStrictEqual([message, code, detail], ['invalid-option', 'ERR_INVALID', 'there is no option cachMB; the options are path, url, durability, cacheMB, commitSeconds, create'])
    assert.strictEqual(fs.existsSync(store), false)
  })
  it('says what is wrong with a setting', async () => {
    for (const [options, slug] of [[undefined, 'invalid-path'], [{ path: '' }, 'invalid-path'], [{ path: store, cacheMB: 0 }, 'invalid-setting'], [{ path: store, commitSeconds: '1' }, 'invalid-setting']]) {
      assert.strictEqual((await rejection(addon.open(options))).message, slug)
    }
  })
})
