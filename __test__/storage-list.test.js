/* eslint-env mocha */
const assert = require('assert')
const path = require('path')
const { additions } = require('../lib/storage-list.js')
const { openStore } = require('../lib/open-stores.js')
const { host } = require('./contract/make-application.js')
const { rejection, useStore } = require('./helper.js')

const notText = [undefined, null, 0, 1, NaN, true, [], ['a'], {}, '', Symbol('a'), 'k'.repeat(1 << 20)]
const notItems = [undefined, null, NaN, Infinity, [], ['a'], {}, '', Symbol('a'), 'k'.repeat(1 << 20)]

describe('storage-list', () => {
  const store = useStore()

  describe('exceptions', () => {
    it('invalid-path', async () => {
      for (const path of notText) {
        for (const method of ['add', 'count', 'exists', 'list', 'listAll', 'remove']) {
          const error = await rejection(store.storageList[method](path, 'item'))
          assert.strictEqual(error.message, 'invalid-path', method)
        }
      }
      const error = await rejection(store.storageList.addMany({ '': 'item' }))
      assert.strictEqual(error.message, 'invalid-path')
    })
    it('invalid-itemid', async () => {
      for (const itemid of notItems) {
        for (const method of ['add', 'exists', 'remove']) {
          const error = await rejection(store.storageList[method]('path', itemid))
          assert.strictEqual(error.message, 'invalid-itemid', method)
        }
        const error = await rejection(store.storageList.addMany({ good: 'item', bad: itemid }))
        assert.strictEqual(error.message, 'invalid-itemid')
      }
      assert.strictEqual(await store.storageList.count('good'), 0)
    })
    it('invalid-items', async () => {
      for (const items of [undefined, null, 1, 'text', []]) {
        const error = await rejection(store.storageList.addMany(items))
        assert.strictEqual(error.message, 'invalid-items')
      }
    })
    it('invalid-offset', async () => {
      for (const offset of [-1, -Infinity, '-1']) {
        const error = await rejection(store.storageList.list('path', offset, 1))
        assert.strictEqual(error.message, 'invalid-offset')
      }
    })
  })

  describe('StorageList#add', () => {
    it('puts the newest first', async () => {
      await add('path', ['a', 'b', 'c'])
      await bothWays(async () => assert.deepStrictEqual(await store.storageList.listAll('path'), ['c', 'b', 'a']))
    })
    it('keeps the first position of an item that is there', async () => {
      await add('path', ['a', 'b', 'a'])
      await bothWays(async () => {
        assert.deepStrictEqual(await store.storageList.listAll('path'), ['b', 'a'])
        assert.strictEqual(await store.storageList.count('path'), 2)
      })
    })
    it('keeps the order of adding within one instant', async () => {
      await Promise.all(Array.from({ length: 300 }, (_, i) => store.storageList.add('path', i)))
      const expected = Array.from({ length: 300 }, (_, i) => String(299 - i))
      assert.deepStrictEqual(await store.storageList.listAll('path'), expected)
    })
    it('takes text, numbers and booleans as one item each', async () => {
      await add('path', [3, '3', true, 'true', 1.5, -0])
      assert.deepStrictEqual(await store.storageList.listAll('path'), ['0', '1.5', 'true', '3'])
      assert.strictEqual(await store.storageList.exists('path', 3), true)
      assert.strictEqual(await store.storageList.exists('path', '3'), true)
    })
    it('takes any path and any item', async () => {
      const names = ['a', 'a/b', '../a', '\0', '"', '\ud800', '\udc00', 'Müller', '__proto__']
      for (const length of [189, 190, 191, 4000, 5000, 64 * 1024]) {
        names.push('k'.repeat(length))
      }
      for (const path of names) {
        await add(path, names)
      }
      await store.reopen()
      for (const path of names) {
        assert.deepStrictEqual(await store.storageList.listAll(path), [...names].reverse())
        for (const item of names) {
          assert.strictEqual(await store.storageList.exists(path, item), true)
        }
      }
    }).timeout(60000)
    it('adds an item again that was removed', async () => {
      await add('path', ['a', 'b'])
      await store.storageList.remove('path', 'a')
      await store.storageList.add('path', 'a')
      assert.deepStrictEqual(await store.storageList.listAll('path'), ['a', 'b'])
    })
  })

  describe('StorageList#addMany', () => {
    it('adds one item to each of several lists', async () => {
      await store.storageList.addMany({ one: 'a', two: 2 })
      await bothWays(async () => {
        assert.deepStrictEqual(await store.storageList.listAll('one'), ['a'])
        assert.deepStrictEqual(await store.storageList.listAll('two'), ['2'])
      })
    })
    it('does nothing for an empty object', async () => {
      assert.strictEqual(await store.storageList.addMany({}), undefined)
    })
  })

  describe('StorageList#count', () => {
    it('number', async () => {
      assert.strictEqual(await store.storageList.count('missing'), 0)
      await add('path', ['a', 'b'])
      await bothWays(async () => assert.strictEqual(await store.storageList.count('path'), 2))
    })
  })

  describe('StorageList#exists', () => {
    it('boolean', async () => {
      await add('path', ['a'])
      await bothWays(async () => {
        assert.strictEqual(await store.storageList.exists('path', 'a'), true)
        assert.strictEqual(await store.storageList.exists('path', 'b'), false)
        assert.strictEqual(await store.storageList.exists('missing', 'a'), false)
      })
    })
  })

  describe('StorageList#list', () => {
    it('undefined for a missing list, and behind its end', async () => {
      assert.strictEqual(await store.storageList.list('missing', 0, 10), undefined)
      await add('path', ['a'])
      for (const offset of [1, 1e9, Infinity, Number.MAX_SAFE_INTEGER]) {
        assert.strictEqual(await store.storageList.list('path', offset, 10), undefined)
      }
    })
    it('optional querystring offset and pageSize', async () => {
      await add('path', ['a', 'b', 'c', 'd'])
      await bothWays(async () => {
        assert.deepStrictEqual(await store.storageList.list('path', 1, 2), ['c', 'b'])
        assert.deepStrictEqual(await store.storageList.list('path', '1', '2'), ['c', 'b'])
        assert.deepStrictEqual(await store.storageList.list('path', 3, 9), ['a'])
      })
      for (const offset of [undefined, null, NaN, 0, 0.5, 'text']) {
        assert.deepStrictEqual(await store.storageList.list('path', offset, 1), ['d'])
      }
    })
    it('all items for a page size of 0, a negative one and NaN', async () => {
      await add('path', ['a', 'b', 'c', 'd'])
      for (const pageSize of [0, -1, NaN, Infinity, 1e300, 'text']) {
        assert.deepStrictEqual(await store.storageList.list('path', 1, pageSize), ['c', 'b', 'a'])
      }
    })
    it('environment PAGE_SIZE', async () => {
      await add('path', ['a', 'b', 'c', 'd'])
      const pageSize = global.pageSize
      global.pageSize = 3
      assert.deepStrictEqual(await store.storageList.list('path'), ['d', 'c', 'b'])
      global.pageSize = pageSize
    })
    it('every page of a list with holes over many blocks', async () => {
      const items = []
      for (let i = 0; i < 1500; i++) {
        items.unshift(String(i))
      }
      await Promise.all([...items].reverse().map((item) => store.storageList.add('path', item)))
      const removed = items.filter((item) => item % 7 === 0 || (item >= 300 && item < 900) || item >= 1490)
      await Promise.all(removed.map((item) => store.storageList.remove('path', item)))
      const left = items.filter((item) => !removed.includes(item))
      await store.reopen()
      assert.strictEqual(await store.storageList.count('path'), left.length)
      for (let offset = 0; offset <= left.length; offset++) {
        const page = await store.storageList.list('path', offset, 3)
        assert.deepStrictEqual(page || [], left.slice(offset, offset + 3))
      }
    }).timeout(60000)
    it('the list of one moment while it changes', async () => {
      await add('path', ['a', 'b'])
      const state = { changing: true }
      const changes = (async () => {
        for (let i = 0; i < 300; i++) {
          // Both calls are made together, so there are two items at any moment.
          await Promise.all([store.storageList.remove('path', i % 2 ? 'a' : 'b'), store.storageList.add('path', 'c')])
          await Promise.all([store.storageList.add('path', i % 2 ? 'a' : 'b'), store.storageList.remove('path', 'c')])
        }
        state.changing = false
      })()
      while (state.changing) {
        const items = await store.storageList.listAll('path')
        assert(items.length >= 1 && items.length <= 3)
        assert.strictEqual(new Set(items).size, items.length)
      }
      await changes
    }).timeout(60000)
  })

  describe('StorageList#listAll', () => {
    it('undefined for a missing list', async () => {
      assert.strictEqual(await store.storageList.listAll('missing'), undefined)
    })
  })

  describe('StorageList#remove', () => {
    it('is no error for a missing item', async () => {
      assert.strictEqual(await store.storageList.remove('missing', 'a'), undefined)
      await add('path', ['a'])
      assert.strictEqual(await store.storageList.remove('path', 'b'), undefined)
      assert.strictEqual(await store.storageList.count('path'), 1)
    })
    it('leaves an empty list after its last item', async () => {
      await add('path', ['a'])
      await store.storageList.remove('path', 'a')
      await bothWays(async () => {
        assert.strictEqual(await store.storageList.count('path'), 0)
        assert.strictEqual(await store.storageList.listAll('path'), undefined)
      })
    })
  })

  // The module replaces Dashboard's own calls, which look for an item before they add it.
  describe('additions', () => {
    it('leave what the host\'s own leave', async () => {
      const own = await hostsOwn()
      const ours = { ...own, ...additions(await openStore()) }
      for (const [path, list] of [['theirs', own], ['ours', ours]]) {
        await list.add(path, 'a')
        await list.add(path, 'b')
        await list.add(path, 'a')
        await list.addMany({ [path]: 3, [`${path}/other`]: 'a' })
        await list.addMany({ [path]: 'b', [`${path}/other`]: true })
        await list.addMany({ [path]: '3' })
        await list.addMany({})
        assert.deepStrictEqual(await list.listAll(path), [3, 'b', 'a'])
        assert.deepStrictEqual(await list.listAll(`${path}/other`), [true, 'a'])
        assert.strictEqual(await list.count(path), 3)
      }
    })
    it('refuse what the host\'s own refuse', async () => {
      const own = await hostsOwn()
      const ours = additions(await openStore())
      for (const itemid of notItems) {
        for (const [method, ...args] of [['add', 'path', itemid], ['addMany', { good: 'item', bad: itemid }]]) {
          const [theirs, error] = [await rejection(own[method](...args)), await rejection(ours[method](...args))]
          assert.deepStrictEqual([error.message, error.code], [theirs.message, theirs.code], method)
        }
      }
      assert.strictEqual(await own.count('good'), 0)
    })
    it('leave the caller\'s items alone', async () => {
      const ours = additions(await openStore())
      const items = { path: 'a', other: 'b' }
      await ours.addMany({ path: 'a' })
      await ours.addMany(items)
      assert.deepStrictEqual(items, { path: 'a', other: 'b' })
    })

    async function hostsOwn () {
      const { applicationPath } = global
      process.env.STORAGE = 'dashboard-sled'
      global.applicationPath = path.join(host, '..', '..', '..')
      try {
        return await require(path.join(host, 'src', 'storage-list.js')).setup()
      } finally {
        delete process.env.STORAGE
        global.applicationPath = applicationPath
      }
    }
  })

  async function add (path, items) {
    for (const item of items) {
      await store.storageList.add(path, item)
    }
  }

  // The cache and the disk have to give the same answers.
  async function bothWays (check) {
    await check()
    await store.reopen()
    await check()
    await check()
  }
})
