/* eslint-env mocha */
const assert = require('assert')
const { open } = require('../index.js')
const { useStore } = require('./helper.js')

const COUNT = 10000

describe('long-reads', () => {
  const store = useStore()
  const newestFirst = Array.from({ length: COUNT }, (_, i) => `item ${COUNT - 1 - i}`)

  beforeEach(async () => {
    const folder = await open({ path: process.env.SLED_PATH })
    await folder.load([{ list: 'list', items: [...newestFirst].reverse() }])
    await folder.close()
  })

  it('do not delay a look-up', async () => {
    let ended = 0
    const reads = Array.from({ length: 8 }, async () => {
      await store.storageList.listAll('list')
      ended++
    })
    assert.strictEqual(await store.storage.exists('never asked for before'), false)
    // With one pool of four threads for everything at least five would have ended.
    assert(ended < 5, `${ended} long reads ended before the look-up`)
    await Promise.all(reads)
  }).timeout(60000)

  it('find what a list was at one moment, and let it change meanwhile', async () => {
    const reads = Array.from({ length: 8 }, () => store.storageList.listAll('list'))
    // Each commit removes an item and adds one, so the length of the list stays the same.
    for (let i = 0; i < 100; i++) {
      await Promise.all([store.storageList.remove('list', `item ${i * 90}`), store.storageList.add('list', `new ${i}`)])
    }
    for (const items of await Promise.all(reads)) {
      const added = items.findIndex((item) => item.startsWith('item'))
      const isLeft = (item) => item % 90 !== 0 || item / 90 >= added || item / 90 >= 100
      const left = newestFirst.filter((item) => isLeft(Number(item.substring(5))))
      assert.deepStrictEqual(items.slice(0, added), Array.from({ length: added }, (_, i) => `new ${added - 1 - i}`))
      // The two changes may be two commits.
      assert(Math.abs(items.length - COUNT) <= 1, `${items.length} items`)
      assert(items.length - added - left.length <= 1)
    }
  }).timeout(60000)
})
