/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const { loadEntries, makeFolder, readEntries, rejection, withStore } = require('./helper.js')
const { entries } = require('./import/entries.js')

describe('import by load', function () {
  this.timeout(60000)
  let folder, from
  beforeEach(() => {
    folder = makeFolder()
    from = path.join(folder, 'from')
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  it('leaves the same store the second time', async () => {
    await loadEntries(from, entries)
    const once = await readEntries(from)
    await loadEntries(from, entries)
    assert.deepStrictEqual(await readEntries(from), once)
  })
  it('adds items behind those of a list, which keep their place', async () => {
    await loadEntries(from, [{ list: 'a', items: ['1', '2'] }])
    await loadEntries(from, [{ list: 'a', items: ['3', '2', '4'] }, { list: 'a', items: ['0'] }])
    assert.deepStrictEqual(await readEntries(from), [{ list: 'a', items: ['1', '2', '3', '4', '0'] }])
  })
  it('returns counts', async () => {
    await withStore(from, async (store) => {
      async function * parts () {
        yield * [{ record: 'a', contents: Buffer.from('abc') }, { list: 'l', items: ['1'] }, { list: 'l', items: ['2', 3] }, { list: 'm', items: [] }]
      }
      assert.deepStrictEqual(await store.load(parts()), { records: 1, lists: 2, items: 3, bytes: 3, kept: 0, keptRecords: [], keptAudit: false })
      assert.deepStrictEqual(await store.load([]), { records: 0, lists: 0, items: 0, bytes: 0, kept: 0, keptRecords: [], keptAudit: false })
    })
  })
  for (const [title, entry, slug] of [
    ['a record without a name', { record: '', contents: Buffer.alloc(1) }, 'invalid-file'],
    ['text in place of bytes', { record: 'a', contents: 'text' }, 'invalid-entry'],
    ['a record that is a list as well', { record: 'a', contents: Buffer.alloc(1), list: 'b', items: [] }, 'invalid-entry'],
    ['a list without items', { list: 'a' }, 'invalid-entry'],
    ['an object as an item', { list: 'a', items: [{}] }, 'invalid-itemid'],
    ['an empty object', {}, 'invalid-entry'],
    ['null', null, 'invalid-entry'],
    ['a name that is too long', { record: 'r'.repeat(70000), contents: Buffer.alloc(1) }, 'invalid-file']
  ]) {
    it(`${slug} for ${title}`, () => withStore(from, async (store) => {
      assert.strictEqual((await rejection(store.load([entry]))).message, slug)
    }))
  }
  for (const [slug, detail, makeEntry] of [
    ['invalid-file', `the key ${'r'.repeat(100)}… has 70000 bytes, and a store accepts at most 65536`, () => ({ record: 'r'.repeat(70000), contents: Buffer.alloc(1) })],
    ['invalid-contents', 'the record a-record has 67108865 bytes, and a store accepts at most 67108864', () => ({ record: 'a-record', contents: Buffer.alloc(64 * 1024 * 1024 + 1) })],
    ['invalid-path', `the list ${'ä'.repeat(100)}… has 80000 bytes, and a store accepts at most 65536`, () => ({ list: 'ä'.repeat(40000), items: ['1'] })],
    ['invalid-itemid', 'an item of the list a-list has 70000 bytes, and a store accepts at most 65536', () => ({ list: 'a-list', items: ['1', 'i'.repeat(70000)] })]
  ]) {
    it(`${slug} names what is too large`, () => withStore(from, async (store) => {
      const error = await rejection(store.load([makeEntry()]))
      assert.deepStrictEqual([error.message, error.code, error.detail], [slug, 'ERR_TOO_LARGE', detail])
    }))
  }
  it('invalid-entries for a number', () => withStore(from, async (store) => {
    assert.strictEqual((await rejection(store.load(7))).message, 'invalid-entries')
  }))
  for (const options of [{ overwrite: 1 }, { overwrit: true }]) {
    it(`invalid-setting for ${JSON.stringify(options)}`, () => withStore(from, async (store) => {
      assert.strictEqual((await rejection(store.load([], options))).message, 'invalid-setting')
    }))
  }
  it('passes on the error of a source that breaks off, and writes nothing of its batch', () => withStore(from, async (store) => {
    async function * broken () {
      yield { record: 'before', contents: Buffer.alloc(1) }
      throw new Error('the source is gone')
    }
    assert.strictEqual((await rejection(store.load(broken()))).message, 'the source is gone')
    assert.strictEqual(await store.storage.exists('before'), false)
  }))
  it('holds only a few entries at a time', async () => {
    await withStore(from, async (store) => {
      let before = process.memoryUsage().rss
      let most = 0
      async function * many () {
        for (let i = 0; i < 180; i++) {
          // By then the reader, the writer and the allocator have the memory that they need.
          before = i === 60 ? process.memoryUsage().rss : before
          most = Math.max(most, process.memoryUsage().rss)
          yield { record: `a/${i % 7}`, contents: Buffer.alloc(1024 * 1024, i) }
        }
      }
      await store.load(many())
      assert(most - before < 60e6, most - before)
    })
  }).timeout(60000)
})
