/* eslint-env mocha */
const assert = require('assert')
const fc = require('fast-check')
const { useStore } = require('./helper.js')

// The public API against maps in memory: random calls, some at once, with restarts between them.
describe('random calls', () => {
  const store = useStore()

  const key = fc.oneof(fc.constantFrom('a', 'a/b', '\ud800', 'k'.repeat(500), 'dashboard/session/session_1'), fc.string({ minLength: 1, maxLength: 5, unit: 'binary' }))
  const item = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.boolean(), fc.constantFrom('x', '9', 'true', 'i'.repeat(300)))
  const call = fc.oneof(
    fc.record({ call: fc.constant('write'), key, text: fc.oneof(fc.string({ unit: 'binary' }), fc.constant('t'.repeat(9000))) }),
    fc.record({ call: fc.constant('writeBinary'), key, bytes: fc.uint8Array() }),
    fc.record({ call: fc.constant('delete'), key }),
    fc.record({ call: fc.constant('add'), key, item }),
    fc.record({ call: fc.constant('addMany'), items: fc.dictionary(fc.constantFrom('a', 'b', 'c'), item) }),
    fc.record({ call: fc.constant('remove'), key, item }),
    fc.record({ call: fc.constant('flush') }),
    fc.record({ call: fc.constant('reopen') })
  )

  it('find the same as in maps in memory', async () => {
    await fc.assert(fc.asyncProperty(fc.array(call, { maxLength: 60 }), async (calls) => {
      await store.storage.flush()
      const records = new Map()
      const lists = new Map()
      let pending = []
      for (const step of calls) {
        if (step.call === 'reopen') {
          await Promise.all(pending)
          pending = []
          await store.reopen()
          continue
        }
        // Not awaited, because calls take effect in the order in which they were made.
        pending.push(perform(step))
        model(step, records, lists)
      }
      await Promise.all(pending)
      for (const reopen of [() => {}, store.reopen]) {
        await reopen()
        await check(records, lists)
      }
    }), { numRuns: Number(process.env.RUNS || 150) })
  }).timeout(120000)

  function perform (step) {
    switch (step.call) {
      case 'write': return store.storage.write(step.key, step.text)
      case 'writeBinary': return store.storage.writeBinary(step.key, step.bytes)
      case 'delete': return store.storage.delete(step.key)
      case 'flush': return store.storage.flush()
      case 'add': return store.storageList.add(step.key, step.item)
      case 'addMany': return store.storageList.addMany(step.items)
      case 'remove': return store.storageList.remove(step.key, step.item)
    }
  }

  function model (step, records, lists) {
    const add = (path, item) => lists.set(path, [...new Set([...(lists.get(path) || []), String(item)])])
    switch (step.call) {
      case 'write': return records.set(step.key, Buffer.from(step.text))
      case 'writeBinary': return records.set(step.key, Buffer.from(step.bytes))
      case 'delete': return records.delete(step.key)
      case 'flush': return records.clear() || lists.clear()
      case 'add': return add(step.key, step.item)
      case 'addMany': return Object.entries(step.items).forEach(([path, item]) => add(path, item))
      case 'remove': return lists.set(step.key, (lists.get(step.key) || []).filter((found) => found !== String(step.item)))
    }
  }

  async function check (records, lists) {
    for (const key of [...records.keys(), 'missing']) {
      const bytes = records.get(key)
      assert.strictEqual(await store.storage.exists(key), Boolean(bytes))
      assert.deepStrictEqual(await store.storage.readBinary(key), bytes)
      assert.strictEqual(await store.storage.read(key), bytes && bytes.toString())
    }
    for (const [path, items] of lists) {
      const newest = [...items].reverse()
      assert.strictEqual(await store.storageList.count(path), items.length)
      assert.deepStrictEqual(await store.storageList.listAll(path) || [], newest)
      assert.deepStrictEqual(await store.storageList.list(path, 1, 2) || [], newest.slice(1, 3))
    }
  }
})
