/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const addon = require('../index.js')
const { makeFolder, readEntries, rejection, runTool } = require('./helper.js')
const { mount, onOverlay, skipIf, unmount } = require('./helpers/mount.js')

describe('compact', function () {
  this.timeout(120000)
  let folder, store, entries
  beforeEach(async () => {
    folder = makeFolder()
    store = path.join(folder, 'store')
    await fill(store)
    entries = await readEntries(store)
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  it('makes the files smaller, and keeps everything', async () => {
    const opened = await addon.open({ path: store })
    // How much deleted data sled still has on the disk depends on when it flushed, therefore more is deleted.
    const more = Array.from({ length: 300 }, (_, i) => ({ record: `gone/more/${i}`, contents: Buffer.alloc(20000, i) }))
    await opened.load(more)
    await Promise.all(more.map(({ record }) => opened.storage.delete(record)))
    const { before, after } = await opened.compact()
    // The journal of 2 MiB and a segment of sled's.
    assert(after < before / 2 && after < 3e6, `${before} ${after}`)
    // sled has written a new snapshot since.
    assert(Math.abs(after / size(path.join(store, 'sled')) - 1) < 0.05)
    // The same object goes on.
    assert.strictEqual(await opened.storage.read('kept/1'), 'contents 1')
    await opened.storage.write('later', 'contents')
    assert.strictEqual((await opened.verify()).problems, 0)
    await opened.storage.delete('later')
    await opened.close()
    assert.deepStrictEqual(await readEntries(store), entries)
    assert.deepStrictEqual(fs.readdirSync(store).sort(), ['guard', 'lock', 'sled'])
  }).timeout(60000)
  it('works on the command line, a second time as well', async () => {
    const first = await runTool(['compact', '--store', store, '--json'])
    const { before, after } = JSON.parse(first.stdout)
    assert.deepStrictEqual([first.code, after < before], [0, true])
    const again = await runTool(['compact', '--store', store])
    assert.match(again.stdout, /^\d+(\.\d)? [kM]B → \d+(\.\d)? [kM]B\n$/)
    assert.deepStrictEqual(await readEntries(store), entries)
  }).timeout(60000)
  it('store-closed for calls meanwhile; a close waits for its end', async () => {
    const opened = await addon.open({ path: store })
    const compacted = opened.compact()
    await new Promise(setImmediate)
    assert.strictEqual((await rejection(opened.lists.list('list'))).code, 'ERR_STORE_CLOSED')
    await opened.close()
    assert((await compacted).after > 0)
    assert.strictEqual((await rejection(opened.storage.read('kept/1'))).code, 'ERR_STORE_CLOSED')
    // The folder is free.
    assert.strictEqual((await runTool(['verify', '--store', store])).code, 0)
  }).timeout(60000)
  it('store-locked while it is open elsewhere, and the store goes on', async () => {
    const [first, second] = [await addon.open({ path: store }), await addon.open({ path: store })]
    assert.strictEqual((await rejection(first.compact())).code, 'ERR_STORE_LOCKED')
    assert.strictEqual(await first.storage.read('kept/1'), 'contents 1')
    const { code, stderr } = await runTool(['compact', '--store', store])
    assert.deepStrictEqual([code, stderr.startsWith('store-locked: ')], [5, true])
    await first.close()
    await second.close()
  })
  it('leaves a store that is not rolled back, and in which the data from before is refused', async () => {
    fs.cpSync(path.join(store, 'sled'), path.join(folder, 'before'), { recursive: true })
    const opened = await addon.open({ path: store })
    await opened.compact()
    await opened.storage.write('later', 'contents')
    await opened.close()
    fs.rmSync(path.join(store, 'sled'), { recursive: true })
    fs.renameSync(path.join(folder, 'before'), path.join(store, 'sled'))
    assert.strictEqual((await rejection(addon.open({ path: store }))).code, 'ERR_STORE_ROLLED_BACK')
  }).timeout(60000)
  it('is refused before it begins where there is no room', async function () {
    const small = path.join(folder, 'small')
    fs.mkdirSync(small)
    skipIf(this, mount('-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', small))
    try {
      const inSmall = path.join(small, 'store')
      fs.cpSync(store, inSmall, { recursive: true })
      const { bavail, bsize } = fs.statfsSync(small)
      fs.writeFileSync(path.join(small, 'ballast'), Buffer.alloc(bavail * bsize - 4.2e6))
      const { code, stderr } = await runTool(['compact', '--store', inSmall])
      assert.deepStrictEqual([code, /^store-full: it needs \d+ bytes beside the store at .*, and \d+ are free; /.test(stderr)], [1, true], stderr)
      assert.deepStrictEqual(fs.readdirSync(inSmall).sort(), ['guard', 'lock', 'sled'])
      fs.rmSync(path.join(small, 'ballast'))
      const compacted = await runTool(['compact', '--store', inSmall])
      assert.strictEqual(compacted.code, 0, compacted.stderr)
      assert.deepStrictEqual(await readEntries(inSmall), entries)
    } finally {
      unmount(small)
    }
  }).timeout(60000)
  it('works where a folder cannot be renamed', async function () {
    const skipped = await onOverlay(folder, async (merged) => {
      const inMerged = path.join(merged, 'store')
      assert.throws(() => fs.renameSync(path.join(inMerged, 'sled'), path.join(inMerged, 'other')), { code: 'EXDEV' })
      assert.strictEqual((await runTool(['compact', '--store', inMerged])).code, 0)
      assert.deepStrictEqual(await readEntries(inMerged), entries)
      assert.deepStrictEqual(fs.readdirSync(inMerged).sort(), ['guard', 'lock', 'sled'])
    })
    skipIf(this, skipped)
  }).timeout(60000)
  it('store-missing where there is none', async () => {
    const { code, stderr } = await runTool(['compact', '--store', path.join(folder, 'missing')])
    assert.deepStrictEqual([code, stderr.startsWith('store-missing: ')], [4, true])
    assert.strictEqual(fs.existsSync(path.join(folder, 'missing')), false)
  })

  describe('cut short', () => {
    const at = (name) => path.join(store, name)
    // Leaves a new store without a plan that says that it is complete.
    const leave = () => fs.cpSync(store, path.join(folder, 'part'), { recursive: true }) || fs.renameSync(path.join(folder, 'part'), at('compacting'))
    it('while the new store is made leaves a folder that the next open removes', async () => {
      leave()
      assert.deepStrictEqual(await readEntries(store), entries)
      assert.deepStrictEqual(fs.readdirSync(store).sort(), ['guard', 'lock', 'sled'])
    })
    it('does not let the unfinished store replace a later change', async () => {
      leave()
      const opened = await addon.open({ path: store })
      await opened.storage.write('later', 'contents')
      await opened.close()
      assert.strictEqual((await readEntries(store)).length, entries.length + 1)
    })
    // faults/swap.fault.js kills at each call.
    it('by kill -9 at any time leaves a whole store', async () => {
      for (let delay = 100; delay < 900; delay += 80) {
        const { code } = await runTool(['compact', '--store', store], { meanwhile: (child) => setTimeout(() => child.kill('SIGKILL'), delay) })
        assert.deepStrictEqual(await readEntries(store), entries, `${delay} ${code}`)
        assert.deepStrictEqual(fs.readdirSync(store).sort(), ['guard', 'lock', 'sled'])
      }
      assert.strictEqual((await runTool(['verify', '--store', store])).code, 0)
    }).timeout(60000)
  })

  // A store in which most data was deleted.
  async function fill (folder) {
    const store = await addon.open({ path: folder })
    const many = Array.from({ length: 200 }, (_, i) => ({ record: `gone/${i}`, contents: Buffer.alloc(20000, i) }))
    await store.load(many)
    await Promise.all(many.map(({ record }) => store.storage.delete(record)))
    await store.load(Array.from({ length: 300 }, (_, i) => ({ record: `kept/${i}`, contents: Buffer.from(`contents ${i}`) })))
    await store.load([{ record: 'large', contents: Buffer.alloc(20000, 7) }, { list: 'list', items: ['a', 'b', 'c'] }, { list: 'p'.repeat(5000), items: ['q'.repeat(5000)] }])
    await store.lists.remove('list', 'b')
    await store.close()
  }

  function size (folder) {
    return fs.readdirSync(folder, { withFileTypes: true }).reduce((bytes, entry) => bytes + (entry.isFile() ? fs.statSync(path.join(folder, entry.name)).size : 0), 0)
  }
})
