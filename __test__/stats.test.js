/* eslint-env mocha */
const assert = require('assert')
const addon = require('../index.js')
const { runTool, useStore, withStore } = require('./helper.js')

describe('stats', function () {
  this.timeout(60000)
  const store = useStore()

  describe('of a running store', () => {
    it('are zero, or null where nothing was measured yet', async () => {
      const { waiting, commits, cache, signIn } = await store.storage.stats()
      assert.deepStrictEqual([waiting, commits.total, commits.milliseconds.p50, cache.hitRate, signIn], [0, 0, null, null, null])
    })
    it('count commits, and how long they took', async () => {
      for (let i = 0; i < 20; i++) {
        await store.storage.write(`file/${i}`, 'contents')
      }
      const { commits, cache, diskBytes, openSeconds } = await store.storage.stats()
      assert.strictEqual(commits.total, 20)
      assert(commits.perSecond > 0 && commits.perSecond <= 20)
      const { p50, p90, p99, max } = commits.milliseconds
      assert(p50 > 0 && p50 <= p90 && p90 <= p99 && p99 <= max && max < 10000)
      assert.deepStrictEqual(commits.recentMilliseconds, commits.milliseconds)
      assert(diskBytes > 1000 && openSeconds > 0 && cache.bytes > 20 * 8)
    })
    it('count writes of which a part was stale', async () => {
      const write = (sessionKeyNumber) => store.storage.write('dashboard/account/account_1', JSON.stringify({ object: 'account', sessionKeyNumber }))
      const counts = []
      for (const number of [1, 2, 1, 2, 1]) {
        await write(number)
        counts.push((await store.storage.stats()).commits.staleWrites)
      }
      assert.deepStrictEqual(counts, [0, 0, 1, 1, 2])
    })
    it('count the changes that wait for the writer', async () => {
      const writing = []
      let waiting = 0
      // The writer may be done with the first ones before the numbers are asked for.
      for (let turn = 0; turn < 20 && !waiting; turn++) {
        writing.push(...Array.from({ length: 2000 }, (_, i) => store.storage.write(`many/${i}`, 'x'.repeat(1000))))
        waiting = (await store.storage.stats()).waiting
      }
      assert(waiting > 0)
      await Promise.all(writing)
      assert.strictEqual((await store.storage.stats()).waiting, 0)
    })
    it('have the same keys from a store alone, which makes no sign-ins', async () => {
      const expected = Object.keys(await store.storage.stats())
      await store.storage.close()
      const found = await withStore(process.env.SLED_PATH, (alone) => alone.stats())
      await store.open()
      assert.deepStrictEqual(Object.keys(found), expected)
      assert.strictEqual(found.signIn, null)
    })
    it('count each look-up once, by where it was answered', async () => {
      await store.storage.write('file', 'contents')
      await store.reopen()
      const lookups = async () => {
        const { hits, misses, hitRate } = (await store.storage.stats()).cache
        return [hits, misses, hitRate]
      }
      assert.deepStrictEqual(await lookups(), [0, 0, null])
      await store.storage.read('file')
      assert.deepStrictEqual(await lookups(), [0, 1, 0])
      for (let i = 0; i < 3; i++) {
        await store.storage.read('file')
      }
      assert.deepStrictEqual(await lookups(), [3, 1, 0.75])
    })
  })
  describe('of what a store holds, by application and kind', () => {
    const expected = {
      records: 6,
      bytes: 9012,
      lists: 2,
      items: 3,
      damaged: 0,
      described: [],
      kinds: [
        { appid: '', kind: '', records: 1, bytes: 1 },
        { appid: 'dashboard', kind: 'account', records: 2, bytes: 6 },
        { appid: 'dashboard', kind: 'map/account/resetCodes', records: 1, bytes: 3 },
        { appid: 'dashboard', kind: 'map/usernames', records: 1, bytes: 2 },
        { appid: 'other', kind: 'session', records: 1, bytes: 9000 }
      ]
    }
    beforeEach(() => Promise.all([
      store.storage.write('dashboard/account/account_1', '12345'),
      store.storage.write('dashboard/account/account_2', '1'),
      store.storage.write('dashboard/map/usernames/hash', '12'),
      store.storage.write('dashboard/map/account/resetCodes/account_1/hash', '123'),
      store.storage.writeBinary('other/session/session_1', Buffer.alloc(9000)),
      store.storage.write('without', '1'),
      store.storageList.addMany({ a: 1, b: 2 }),
      store.storageList.add('a', 2)
    ]))

    it('are given by usage', async () => {
      assert.deepStrictEqual(await withStore(process.env.SLED_PATH, (opened) => opened.usage()), expected)
    })
    it('are printed as JSON', async () => {
      await store.storage.close()
      const json = JSON.parse((await runTool(['stats', '--json'])).stdout)
      await store.open()
      assert(json.diskBytes > 9000)
      assert.deepStrictEqual(json, { store: process.env.SLED_PATH, ...expected, diskBytes: json.diskBytes, replacedBytes: 0 })
    })
    it('are printed as a table', async () => {
      await store.storage.close()
      const { code, stdout, stderr } = await runTool(['stats'])
      await store.open()
      assert.deepStrictEqual([code, stdout.split('\n').slice(0, 4)], [0, [
        'application  kind                    records     size',
        '-            -                             1  1 bytes',
        'dashboard    account                       2  6 bytes',
        'dashboard    map/account/resetCodes        1  3 bytes'
      ]])
      assert.match(stderr, /^store: .*\n6 records of 9 kB, 2 lists with 3 items, \d+\.\d MB on the disk\n$/)
    })
  })
  it('of more than a thousand kinds put the rest into one row', async () => {
    const opened = await addon.open({ path: process.env.SLED_PATH })
    await opened.load(Array.from({ length: 1500 }, (_, i) => ({ record: `app${i}/kind/id`, contents: Buffer.from('1') })))
    const { kinds, records } = await opened.usage()
    await opened.close()
    assert.strictEqual(records, 1500)
    assert.strictEqual(kinds.length, 1001)
    assert.deepStrictEqual(kinds[0], { appid: '', kind: '', records: 500, bytes: 500 })
  })
})
