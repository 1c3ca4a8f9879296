/* eslint-env mocha */
const assert = require('assert')
const { once } = require('events')
const fs = require('fs')
const path = require('path')
const addon = require('../index.js')
const { compile } = require('./faults/shim.js')
const { makeFolder, runNode } = require('./helper.js')

// Reads see the changes of a failed commit as long as the process lives.
describe('a commit that failed', () => {
  let folder, store, answer
  before(async function () {
    folder = makeFolder()
    store = path.join(folder, 'store')
    const library = compile('failing', folder)
    if (!library) {
      console.warn('SKIPPED: a commit that failed, because it needs gcc on Linux')
      return this.skip()
    }
    const control = path.join(folder, 'control')
    fs.writeFileSync(control, Buffer.alloc(24))
    const { child, ended } = runNode('failed-commit.js', { env: { LD_PRELOAD: library, FAIL_CONTROL: control, FAIL_FOLDER: store } })
    ;[answer] = await once(child, 'message')
    const { code, stderr } = await ended
    assert.deepStrictEqual([code, stderr], [0, ''])
  })
  after(() => fs.rmSync(folder, { recursive: true }))

  it('is refused', () => {
    assert.strictEqual(answer.failed, 'ERR_STORE_POISONED')
  })
  it('is what look-ups find', () => {
    const { count, has } = answer.found
    assert.deepStrictEqual({ count, has }, { count: answer.added.length, has: true })
  })
  for (const read of ['list', 'listAll', 'entries', 'usage', 'purge']) {
    it(`shows nothing else by ${read}, which is refused as a change is`, () => {
      assert.strictEqual(answer.found[read], 'ERR_STORE_POISONED')
    })
  }
  it('leaves other records and lists as they are', () => {
    const { record, other } = answer.found
    assert.deepStrictEqual({ record, other }, { record: 'contents', other: ['first'] })
  })
  it('does not come back when the store is opened again, or comes back whole', async () => {
    const opened = await addon.open({ path: store })
    const items = await opened.lists.listAll('list')
    assert.strictEqual(await opened.lists.count('list'), items.length)
    assert.strictEqual((await opened.verify()).problems, 0)
    await opened.close()
    assert([answer.added, answer.added.slice(1)].some((may) => String(may) === String(items)), items)
  })
})
