/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const { loadEntries, makeFolder, readEntries, withStore } = require('./helper.js')
const { byName, entries } = require('./import/entries.js')

describe('export of the entries of a store', function () {
  this.timeout(60000)
  let folder, from
  beforeEach(() => {
    folder = makeFolder()
    from = path.join(folder, 'from')
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  it('gives everything, in a stable order, a long list in consecutive parts', async () => {
    await loadEntries(from, entries)
    const found = await readEntries(from)
    assert.deepStrictEqual(byName(found), byName(entries))
    assert.deepStrictEqual(await readEntries(from), found)
    const paths = found.filter(({ list }) => list).map(({ list }) => list)
    assert(paths.filter((list) => list === 'list').length > 1)
    assert.strictEqual(paths.lastIndexOf('list') - paths.indexOf('list'), paths.filter((list) => list === 'list').length - 1)
  })
  it('gives nothing of an empty store', async () => {
    assert.deepStrictEqual(await readEntries(from), [])
  })
  it('gives what does not change exactly once, while everything else changes', async () => {
    const stable = Array.from({ length: 2000 }, (_, i) => ({ record: `stable/${i}`, contents: Buffer.from('s') }))
    await withStore(from, async (store) => {
      await store.load([...stable, ...[0, 1, 2].map((i) => ({ record: `large/${i}`, contents: Buffer.alloc(9000) }))])
      const state = { reading: true, writes: 0 }
      const writer = (async () => {
        while (state.reading) {
          await Promise.all([
            store.storage.writeBinary(`large/${state.writes % 3}`, Buffer.alloc(9000, ++state.writes)),
            store.storage.delete(`stable/${state.writes}/gone`),
            store.lists.add(`list/${state.writes}`, 'item')
          ])
        }
      })()
      const found = new Map()
      let large = 0
      let rounds = 0
      for (; rounds < 5 || state.writes < 50; rounds++) {
        for await (const { record } of store.entries()) {
          found.set(record, (found.get(record) || 0) + 1)
          large += record && record.startsWith('large') ? 1 : 0
        }
      }
      state.reading = false
      await writer
      // A record that is replaced again and again is never missed.
      assert.strictEqual(large, 3 * rounds)
      assert(stable.every(({ record }) => found.get(record) === rounds))
    })
  }).timeout(60000)
})
