/* eslint-env mocha */
const assert = require('assert')
const { getEventListeners } = require('events')
const fs = require('fs')
const path = require('path')
const { restore } = require('../index.js')
const { erase } = require('../lib/audit/erase.js')
const { prune } = require('../lib/audit/prune.js')
const { watch } = require('../lib/events/watch.js')
const { makeEnds } = require('./helpers/ends.js')
const { makeFolder, rejection, useStore } = require('./helper.js')
const { until } = require('./helpers/times.js')

describe('watch', () => {
  const store = useStore()
  let ends, module, closing
  beforeEach(async () => {
    ends = await makeEnds()
    closing = new AbortController()
    module = { store: ends.store, ledger: ends.ledger, closing: closing.signal, watchers: 0 }
  })
  afterEach(() => {
    closing.abort()
    assert.strictEqual(ends.ledger.listenerCount('appended'), 0)
  })

  describe('exceptions', () => {
    for (const after of [-1, 1.5, NaN, '1', null, 2 ** 53, '', '1-0123', `1-${'A'.repeat(16)}`, `01-${'0'.repeat(16)}`, `1-${'0'.repeat(17)}`, `9999999999999999-${'0'.repeat(16)}`]) {
      it(`invalid-position: ${after}`, () => assert.throws(() => open({ after }), { message: 'invalid-position', code: 'ERR_INVALID' }))
    }
    it('invalid-option', () => assert.throws(() => open({ before: 1 }), { message: 'invalid-option' }))
    for (const appid of ['', 1]) {
      it(`invalid-appid: ${JSON.stringify(appid)}`, () => assert.throws(() => open({ appid }), { message: 'invalid-appid' }))
    }
    for (const signal of [1, 0, null, 'signal', {}, new AbortController()]) {
      it(`invalid-signal: ${JSON.stringify(signal)}`, () => assert.throws(() => open({ signal }), { message: 'invalid-signal', code: 'ERR_INVALID' }))
    }
    it('invalid-position', async () => {
      await ends.end('a')
      const { message, detail } = await rejection(open({ after: 2 }).next())
      assert.deepStrictEqual([message, /the position 2 is after the last entry, 1/.test(detail)], ['invalid-position', true])
    })
    it('position-pruned', async () => {
      await endMany(5, { time: 1 })
      await endMany(5)
      await prune(ends.store, 1000)
      const { message, code, detail } = await rejection(open({ after: 4 }).next())
      const [, position] = /go on with after: '([^']+)'$/.exec(detail)
      assert.deepStrictEqual([message, code, position.split('-')[0]], ['position-pruned', 'ERR_POSITION_PRUNED', '5'])
      for (const after of [5, position]) {
        assert.deepStrictEqual(await take(open({ after }), 2), [6, 7])
      }
    })
    it('position-pruned, of a text', async () => {
      await endMany(5, { time: 1 })
      const [, second] = await positions(5)
      await prune(ends.store, 1000)
      assert.strictEqual((await rejection(open({ after: second }).next())).message, 'position-pruned')
    })
    it('invalid-position, after a backup was restored and new entries got the old numbers', async () => {
      await endMany(3)
      const folder = makeFolder()
      await store.storage.backup(path.join(folder, 'backup'))
      await endMany(2)
      const old = await positions(5)
      await store.storage.close()
      await restore({ path: process.env.SLED_PATH, folder: path.join(folder, 'backup'), keepSessions: true })
      await store.open()
      ends = await makeEnds()
      module = { ...module, store: ends.store, ledger: ends.ledger }
      await endMany(1)
      assert.match((await rejection(open({ after: old[4] }).next())).detail, /^the position 5 is after the last entry, 4: the store was restored/)
      await endMany(4)
      // By its number alone, a consumer would miss the new entries 4 and 5.
      assert.deepStrictEqual(await take(open({ after: 5 }), 1), [6])
      for (const after of [old[3], old[4]]) {
        const { message, code, detail } = await rejection(open({ after }).next())
        assert.deepStrictEqual([message, code], ['invalid-position', 'ERR_INVALID'])
        assert.match(detail, /^entry [45] is not the one of the position: the store was restored from a backup, or it is another one\. Go on without after, and compare/)
      }
      assert.deepStrictEqual(await take(open({ after: old[2] }), 5), [4, 5, 6, 7, 8])
      fs.rmSync(folder, { recursive: true })
    }).timeout(60000)
    for (const number of [0, 2]) {
      it(`invalid-position, of another store, at the anchor ${number}`, async () => {
        await endMany(2, { time: 1 })
        await endMany(2)
        await prune(ends.store, number ? 1000 : 1e10)
        const { detail } = await rejection(open({ after: `${number}-0123456789abcdef` }).next())
        assert(detail.startsWith(`entry ${number} is not the one of the position: `), detail)
      })
    }
    it('position-pruned, of a consumer that was too slow', async () => {
      const events = open({ after: 0 })
      await endMany(250, { time: 1 })
      assert.deepStrictEqual(await take(events, 2), [1, 2])
      await prune(ends.store, 1000)
      // The page that it has, and then the error.
      assert.strictEqual((await take(events, 98)).pop(), 100)
      assert.strictEqual((await rejection(events.next())).message, 'position-pruned')
      assert.deepStrictEqual(await events.next(), { done: true, value: undefined })
    }).timeout(60000)
    it('store-damaged, where an entry is missing', async () => {
      await endMany(3)
      await ends.store.remove('dashboard-sled/entry/0000000000000002')
      const events = open({ after: 0 })
      assert.deepStrictEqual(await take(events, 1), [1])
      assert.strictEqual((await rejection(events.next())).message, 'store-damaged')
    })
    it('store-damaged, where the entry of the position is missing', async () => {
      await endMany(3)
      const [, second] = await positions(3)
      await ends.store.remove('dashboard-sled/entry/0000000000000002')
      assert.strictEqual((await rejection(open({ after: second }).next())).message, 'store-damaged')
    })
  })

  describe('returns', () => {
    it('ends and resets in the order of the audit', async () => {
      const events = open({ after: 0 })
      const sessionid = await ends.end('a')
      await ends.reset('b')
      await ends.endAll()
      const found = await collect(events, 3)
      assert.deepStrictEqual(found.map(({ number, cause, accountid }) => [number, cause, accountid]), [
        [1, 'ended-by-administrator', 'a'], [2, 'session-key-reset', 'b'], [3, 'application-wide', undefined]
      ])
      assert.deepStrictEqual([found[0].sessionid, found[0].initiating_entity, found[0].reason_admin, found[0].object], [sessionid, 'admin', 'a lost phone', 'audit-entry'])
      assert(!JSON.stringify(found).includes('salt'))
    })
    it('those from now on without a position', async () => {
      await ends.end('a')
      const events = open({})
      const next = events.next()
      await until(() => ends.ledger.listenerCount('appended'))
      await ends.end('a')
      assert.strictEqual((await next).value.number, 2)
    })
    it('the same to several consumers, each at its own pace', async () => {
      const consumers = [open({ after: 0 }), open({ after: 0 }), open({ after: 150 })]
      await endMany(300)
      assert.deepStrictEqual((await take(consumers[0], 300)).length, 300)
      assert.deepStrictEqual(await take(consumers[2], 150), Array.from({ length: 150 }, (_, index) => 151 + index))
      assert.deepStrictEqual(await take(consumers[1], 3), [1, 2, 3])
      assert.strictEqual(module.watchers, 3)
      await Promise.all(consumers.map((events) => events.return()))
      assert.strictEqual(module.watchers, 0)
    }).timeout(60000)
    it('those after a position, after a restart', async () => {
      await endMany(3)
      assert.deepStrictEqual(await take(open({ after: 0 }), 2), [1, 2])
      await store.reopen()
      ends = await makeEnds()
      module = { ...module, store: ends.store, ledger: ends.ledger }
      await ends.end('after')
      assert.deepStrictEqual(await take(open({ after: 2 }), 2), [3, 4])
    })
    it('those after a position as text, also of an entry that was erased or pruned', async () => {
      await endMany(6, { time: 1 })
      assert.deepStrictEqual(await take(open({ after: `0-${'0'.repeat(16)}` }), 1), [1])
      const [first, second, third] = await positions(3)
      assert.match(first, /^1-[0-9a-f]{16}$/)
      assert.deepStrictEqual(await take(open({ after: first }), 5), [2, 3, 4, 5, 6])
      assert.strictEqual(await erase(ends.store, 'app', 'a1'), 1)
      assert.deepStrictEqual(await take(open({ after: second }), 4), [3, 4, 5, 6])
      await prune(ends.store, 1000, 4)
      assert.deepStrictEqual(await take(open({ after: third }), 3), [4, 5, 6])
    })
    it('only those of one application', async () => {
      await ends.end('a', { appid: 'another' })
      await ends.end('a')
      await ends.end('a', { appid: 'another' })
      await ends.end('a')
      assert.deepStrictEqual(await take(open({ after: 0 }), 2), [2, 4])
      assert.deepStrictEqual(await take(open({ after: 0, appid: 'another' }), 2), [1, 3])
    })
    it('reads only what is asked for', async () => {
      await endMany(250)
      let read = 0
      const { readMany } = ends.store
      const counting = Object.create(ends.store, { readMany: { value: (names) => { read += names.length; return readMany.call(ends.store, names) } } })
      const events = watch({ ...module, store: counting }, { after: 0, appid: 'app' })
      assert.strictEqual(read, 0)
      await take(events, 1)
      const first = read
      assert(first <= 102, String(first))
      await take(events, 99)
      assert.strictEqual(read, first)
      await take(events, 1)
      assert(read > first && read <= 2 * first)
    }).timeout(60000)
    it('entries that another process has added, within a second or so', async () => {
      const events = open({ after: 0 })
      const next = events.next()
      await until(() => ends.ledger.listenerCount('appended'))
      const other = await makeEnds()
      await other.end('a')
      assert.strictEqual((await next).value.number, 1)
    })
    it('the end, with return, a signal, or the store', async () => {
      const controller = new AbortController()
      const consumers = [open({}), open({ signal: controller.signal }), open({}), open({ signal: AbortSignal.abort() })]
      const waiting = consumers.map((events) => events.next())
      await until(() => ends.ledger.listenerCount('appended') === 3)
      const done = { done: true, value: undefined }
      assert.deepStrictEqual(await waiting[3], done)
      const begun = Date.now()
      assert.deepStrictEqual(await consumers[0].return(), done)
      controller.abort()
      assert.deepStrictEqual(await waiting[1], done)
      closing.abort()
      assert.deepStrictEqual(await Promise.all(waiting), [done, done, done, done])
      // Not at the next look for entries, which is once a second.
      assert(Date.now() - begun < 500)
      assert.deepStrictEqual(await Promise.all(consumers.map((events) => events.next())), [done, done, done, done])
      assert.deepStrictEqual([module.watchers, getEventListeners(closing.signal, 'abort').length, getEventListeners(controller.signal, 'abort').length], [0, 0, 0])
    })
    it('the end of a loop that breaks', async () => {
      await endMany(3)
      for await (const { number } of open({ after: 0 })) {
        if (number === 2) {
          break
        }
      }
      assert.deepStrictEqual([module.watchers, getEventListeners(closing.signal, 'abort').length], [0, 0])
    })
    it('the end, if the store was closed meanwhile', async () => {
      const events = open({})
      const next = events.next()
      await until(() => ends.ledger.listenerCount('appended'))
      await store.storage.close()
      assert.deepStrictEqual(await next, { done: true, value: undefined })
      await store.open()
    })
  })

  function open (options) {
    return watch(module, { appid: 'app', ...options })
  }

  async function endMany (count, options) {
    for (let i = 0; i < count; i++) {
      await ends.end(`a${i % 9}`, options)
    }
  }

  async function collect (events, count) {
    const found = []
    while (found.length < count) {
      found.push((await events.next()).value)
    }
    return found
  }

  async function positions (count) {
    return (await collect(open({ after: 0 }), count)).map(({ position }) => position)
  }

  async function take (events, count) {
    return (await collect(events, count)).map(({ number }) => number)
  }
})
