/* eslint-env mocha */
const assert = require('assert')
const crypto = require('crypto')
const fs = require('fs')
const path = require('path')
const { rejection, useStore } = require('./helper.js')

const notText = [undefined, null, 0, 1, NaN, true, [], ['a'], {}, '', Symbol('a'), Buffer.from('a')]
const longest = 64 * 1024
const keys = {
  'of 399 bytes': 'k'.repeat(399),
  'of 400 bytes': 'k'.repeat(400),
  'of 401 bytes': 'k'.repeat(401),
  'of 64 KiB': 'k'.repeat(longest),
  'with NUL': 'a\0b',
  'that leads up': '../../etc/passwd',
  'that is absolute': '/etc/passwd',
  'with quotes': '"\'\\',
  'named __proto__': '__proto__',
  'with an umlaut': 'Müller/日本/🚀',
  'with an unpaired high surrogate': 'a\ud800b',
  'with an unpaired low surrogate': 'a\udc00b',
  'with surrogates in the wrong order': '\udc00\ud800'
}

describe('storage', () => {
  const store = useStore()

  describe('Storage#exists', () => {
    describe('exceptions', () => {
      requiresFile(() => store.storage.exists)
    })
    describe('returns', () => {
      it('boolean', async () => {
        await store.storage.write('there', 'text')
        assert.strictEqual(await store.storage.exists('there'), true)
        assert.strictEqual(await store.storage.exists('missing'), false)
        await store.reopen()
        assert.strictEqual(await store.storage.exists('there'), true)
        assert.strictEqual(await store.storage.exists('missing'), false)
        assert.strictEqual(await store.storage.exists('missing'), false)
      })
    })
  })

  describe('Storage#read', () => {
    describe('exceptions', () => {
      requiresFile(() => store.storage.read)
    })
    describe('returns', () => {
      it('undefined for a missing file', async () => {
        assert.strictEqual(await store.storage.read('missing'), undefined)
        assert.strictEqual(await store.storage.read('missing'), undefined)
      })
      it('text as it was written, never parsed', async () => {
        for (const text of ['{"a":1}', '17', 'true', ' \n', 'Müller 日本 🚀 \0', '']) {
          await store.storage.write('text', text)
          assert.strictEqual(await store.storage.read('text'), text)
          await store.reopen()
          assert.strictEqual(await store.storage.read('text'), text)
        }
      })
      it('bytes that are no text as Buffer#toString would', async () => {
        const bytes = Buffer.from([0x61, 0xff, 0xf0, 0x9f, 0x62, 0xed, 0xa0, 0x80])
        await store.storage.writeBinary('bytes', bytes)
        assert.strictEqual(await store.storage.read('bytes'), bytes.toString())
      })
      it('unpaired surrogates as Buffer#from would write them', async () => {
        await store.storage.write('text', 'a\ud800b')
        assert.strictEqual(await store.storage.read('text'), Buffer.from('a\ud800b').toString())
      })
    })
  })

  describe('Storage#readMany', () => {
    describe('exceptions', () => {
      it('invalid-files', async () => {
        for (const files of [undefined, null, [], 'ab', {}, [null], [''], [[]], [{}]]) {
          const error = await rejection(store.storage.readMany('prefix', files))
          assert.strictEqual(error.message, 'invalid-files')
        }
      })
      it('invalid-prefix', async () => {
        for (const prefix of notText) {
          const error = await rejection(store.storage.readMany(prefix, ['a']))
          assert.strictEqual(error.message, 'invalid-prefix')
        }
      })
    })
    describe('returns', () => {
      it('an object by id without the missing ones', async () => {
        await store.storage.write('prefix/a', '1')
        await store.storage.write('prefix/2', '')
        const expected = { a: '1', 2: '' }
        assert.deepStrictEqual(await store.storage.readMany('prefix', ['a', 2, 'missing']), expected)
        await store.reopen()
        assert.deepStrictEqual(await store.storage.readMany('prefix', ['a', 2, 'missing']), expected)
      })
      it('an empty object when none is found', async () => {
        assert.deepStrictEqual(await store.storage.readMany('prefix', ['a', 'b']), {})
      })
      it('the same one twice', async () => {
        await store.storage.write('prefix/a', '1')
        await store.reopen()
        assert.deepStrictEqual(await store.storage.readMany('prefix', ['a', 'b', 'a']), { a: '1' })
      })
      it('nothing inherited for a name that every object has', async () => {
        await store.storage.write('prefix/__proto__', 'contents')
        const found = await store.storage.readMany('prefix', ['__proto__', 'constructor'])
        assert.strictEqual(found.constructor, undefined)
        assert.strictEqual(Object.getOwnPropertyDescriptor(found, '__proto__').value, 'contents')
        assert.strictEqual(Object.getPrototypeOf(found), Object.prototype)
      })
    })
  })

  describe('Storage#readBinary', () => {
    describe('exceptions', () => {
      requiresFile(() => store.storage.readBinary)
    })
    describe('returns', () => {
      it('undefined for a missing file', async () => {
        assert.strictEqual(await store.storage.readBinary('missing'), undefined)
      })
      it('a Buffer that is the caller\'s own', async () => {
        await store.storage.writeBinary('bytes', Buffer.from([0, 255, 128]))
        const first = await store.storage.readBinary('bytes')
        assert(Buffer.isBuffer(first))
        first.fill(7)
        assert.deepStrictEqual(await store.storage.readBinary('bytes'), Buffer.from([0, 255, 128]))
      })
    })
  })

  describe('Storage#write', () => {
    describe('exceptions', () => {
      requiresFile((...args) => store.storage.write, 'contents')
      it('invalid-contents', async () => {
        for (const contents of [undefined, null, 0, 1, true, [], {}, Symbol('a'), () => {}]) {
          const error = await rejection(store.storage.write('file', contents))
          assert.strictEqual(error.message, 'invalid-contents')
        }
        assert.strictEqual(await store.storage.exists('file'), false)
      })
      it('invalid-contents over 64 MiB', async () => {
        const limit = 64 * 1024 * 1024
        const tooLarge = { 'invalid-contents': store.storage.write('file', 'x'.repeat(limit + 1)), 'invalid-buffer': store.storage.writeBinary('file', Buffer.alloc(limit + 1)) }
        for (const [slug, writing] of Object.entries(tooLarge)) {
          const error = await rejection(writing)
          assert.strictEqual(error.message, slug)
          assert.strictEqual(error.code, 'ERR_TOO_LARGE')
          assert(error.detail.includes(String(limit)))
        }
      })
    })
    for (const [title, key] of Object.entries(keys)) {
      it(`a key ${title}`, async () => {
        await store.storage.write(key, 'contents')
        const other = 'o' + key.substring(1)
        await store.storage.write(other, 'other')
        assert.strictEqual(await store.storage.read(key), 'contents')
        await store.reopen()
        assert.strictEqual(await store.storage.exists(key), true)
        assert.strictEqual(await store.storage.read(key), 'contents')
        await store.storage.delete(key)
        await store.reopen()
        assert.strictEqual(await store.storage.exists(key), false)
        assert.strictEqual(await store.storage.read(other), 'other')
      }).timeout(60000)
    }
    it('keeps all those keys apart', async () => {
      for (const [title, key] of Object.entries(keys)) {
        await store.storage.write(key, title)
      }
      await store.reopen()
      for (const [title, key] of Object.entries(keys)) {
        assert.strictEqual(await store.storage.read(key), title)
      }
    })
    it('leaves no folder behind for a key that is a path', async () => {
      await store.storage.write('../../escaped', 'contents')
      assert.strictEqual(fs.existsSync(path.join(store.folder, 'escaped')), false)
    })
    it('store-busy when too much waits, and goes on afterwards', async () => {
      // Over 256 MiB, which are written faster than any disk takes them.
      const bytes = Buffer.alloc(48 << 20)
      const outcomes = await Promise.allSettled(Array.from({ length: 12 }, (_, i) => store.storage.writeBinary(`file/${i}`, bytes)))
      const refused = outcomes.filter(({ reason }) => reason)
      assert(refused.length && refused.length < outcomes.length)
      refused.forEach(({ reason }) => assert.deepStrictEqual([reason.message, reason.code], ['store-busy', 'ERR_STORE_BUSY']))
      for (const [i, { reason }] of outcomes.entries()) {
        assert.strictEqual(await store.storage.exists(`file/${i}`), !reason)
      }
      await store.storage.write('file', 'contents')
      assert.strictEqual(await store.storage.read('file'), 'contents')
    }).timeout(60000)
    it('keeps the order of writes that are not awaited', async () => {
      await Promise.all(Array.from({ length: 500 }, (_, i) => store.storage.write('file', String(i))))
      assert.strictEqual(await store.storage.read('file'), '499')
      await store.reopen()
      assert.strictEqual(await store.storage.read('file'), '499')
    })
  })

  describe('Storage#writeBinary', () => {
    describe('exceptions', () => {
      requiresFile((...args) => store.storage.writeBinary, Buffer.from('contents'))
      it('invalid-buffer', async () => {
        for (const buffer of [undefined, null, 0, 1, true, [], {}]) {
          const error = await rejection(store.storage.writeBinary('file', buffer))
          assert.strictEqual(error.message, 'invalid-buffer')
        }
      })
    })
    const sizes = [0, 1, 4095, 4096, 4097, 8191, 8192, 8193, 65536, 65537, 1 << 20, 32 << 20]
    for (const size of sizes) {
      it(`keeps ${size} bytes as they are`, async () => {
        const bytes = crypto.randomBytes(size)
        await store.storage.writeBinary('bytes', bytes)
        assert((await store.storage.readBinary('bytes')).equals(bytes))
        await store.reopen()
        assert((await store.storage.readBinary('bytes')).equals(bytes))
        await store.storage.writeBinary('bytes', Buffer.from('short'))
        await store.reopen()
        assert.strictEqual(await store.storage.read('bytes'), 'short')
      }).timeout(60000)
    }
    it('keeps a value of many sizes under a long key', async () => {
      const key = 'k'.repeat(longest)
      for (const size of [0, 4096, 100000]) {
        const bytes = crypto.randomBytes(size)
        await store.storage.writeBinary(key, bytes)
        await store.reopen()
        assert((await store.storage.readBinary(key)).equals(bytes))
      }
    })
    it('lets readers of a large value see one moment', async () => {
      const versions = [1, 2, 3].map((fill) => Buffer.alloc(300000, fill))
      await store.storage.writeBinary('bytes', versions[0])
      const state = { writing: true }
      const writer = (async () => {
        for (let i = 0; i < 100; i++) {
          await store.storage.writeBinary('bytes', versions[i % 3])
        }
        state.writing = false
      })()
      let reads = 0
      while (state.writing) {
        const bytes = await store.storage.readBinary('bytes')
        assert(versions.some((version) => version.equals(bytes)))
        reads++
      }
      await writer
      assert(reads > 10)
    })
  })

  describe('Storage#delete', () => {
    describe('exceptions', () => {
      requiresFile(() => store.storage.delete)
    })
    it('removes the file', async () => {
      await store.storage.write('file', 'contents')
      await store.storage.delete('file')
      assert.strictEqual(await store.storage.exists('file'), false)
      await store.reopen()
      assert.strictEqual(await store.storage.exists('file'), false)
    })
    it('is no error for a missing file', async () => {
      assert.strictEqual(await store.storage.delete('missing'), undefined)
    })
  })

  describe('Storage#flush', () => {
    it('is there in testing alone', async () => {
      assert.strictEqual(typeof store.storage.flush, 'function')
      assert.strictEqual(typeof store.storageList.flush, 'function')
      process.env.NODE_ENV = 'production'
      await store.reopen()
      assert.strictEqual('flush' in store.storage, false)
      assert.strictEqual('flush' in store.storageList, false)
    })
    for (const engine of ['storage', 'storageList']) {
      it(`of ${engine} removes every record and every list`, async () => {
        await store.storage.writeBinary('large', Buffer.alloc(100000))
        await store.storage.write('k'.repeat(1000), 'contents')
        await store.storageList.add('list', 'item')
        await store[engine].flush()
        for (const open of [() => {}, store.reopen]) {
          await open()
          assert.strictEqual(await store.storage.exists('large'), false)
          assert.strictEqual(await store.storage.exists('k'.repeat(1000)), false)
          assert.strictEqual(await store.storageList.count('list'), 0)
          assert.strictEqual(await store.storageList.exists('list', 'item'), false)
        }
      })
    }
  })

  describe('Storage#close', () => {
    it('finishes what was asked and lets nothing through afterwards', async () => {
      const writes = Array.from({ length: 100 }, (_, i) => store.storage.write(`file/${i}`, 'contents'))
      await store.storage.close()
      await Promise.all(writes)
      for (const call of [() => store.storage.read('file/1'), () => store.storage.write('a', 'b'), () => store.storageList.count('a')]) {
        const error = await rejection(call())
        assert.strictEqual(error.message, 'store-closed')
        assert.strictEqual(error.code, 'ERR_STORE_CLOSED')
      }
      await store.open()
      assert.strictEqual(await store.storage.read('file/99'), 'contents')
    })
  })

  function requiresFile (method, ...rest) {
    it('invalid-file', async () => {
      for (const file of notText) {
        const error = await rejection(method()(file, ...rest))
        assert.strictEqual(error.message, 'invalid-file')
        assert.strictEqual(error.code, 'ERR_INVALID')
      }
    })
    it('invalid-file over 64 KiB', async () => {
      for (const length of [longest + 1, 1 << 20]) {
        const error = await rejection(method()('k'.repeat(length), ...rest))
        assert.strictEqual(error.message, 'invalid-file')
        assert.strictEqual(error.code, 'ERR_TOO_LARGE')
      }
    })
  }
})
