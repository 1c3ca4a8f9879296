/* eslint-env mocha */
const assert = require('assert')
const path = require('path')
const util = require('util')
const { atomic } = require('../lib/storage-object.js')
const { openStore } = require('../lib/open-stores.js')
const { host } = require('./contract/make-application.js')
const { rejection, useStore } = require('./helper.js')
const { secrets, useSecret } = require('./helpers/secret.js')

// Our module and Dashboard's own on the same store.
describe('storage-object', () => {
  const store = useStore()
  let applicationPath, ours, theirs, storage
  beforeEach(async () => {
    process.env.STORAGE = 'dashboard-sled'
    applicationPath = global.applicationPath
    global.applicationPath = path.join(host, '..', '..', '..')
    storage = await require(path.join(host, 'src', 'storage.js')).setup()
    theirs = await require(path.join(host, 'src', 'storage-object.js')).setup(storage)
    ours = atomic(await openStore(), storage)
  })
  afterEach(() => {
    delete process.env.STORAGE
    global.applicationPath = applicationPath
  })

  const values = ['text', '', 0, 5, -0, 1e21, NaN, true, false, [1, '2'], { a: { b: null } }, new Date(5), null, undefined, () => {}, Symbol('a'), 'ü\ud800"\\']
  const records = [undefined, '', '{}', '{"a":1,"b":2}', '{"5":1,"b":"\\ud800","a":1.5}', '{"a":null,"b":""}', '{"b":{"a":1}}']
  const names = ['a', 'b', 'new', '3', '10', '', 5, undefined, null, [], ['a'], 'with "quotes"']

  describe('gives what the host\'s own gives', () => {
    for (const method of ['getProperty', 'removeProperty', 'setProperty']) {
      it(`StorageObject#${method}`, async () => {
        for (const record of records) {
          for (const name of names) {
            for (const value of method === 'setProperty' ? values : [undefined]) {
              await assertSame(record, method, name, value)
            }
          }
        }
      }).timeout(60000)
    }
    for (const method of ['getProperties', 'removeProperties']) {
      it(`StorageObject#${method}`, async () => {
        for (const record of records) {
          for (const array of [['a'], ['a', 'b'], ['new', 'a'], ['5'], [], undefined, null]) {
            await assertSame(record, method, array)
          }
        }
      })
    }
    it('StorageObject#setProperties', async () => {
      for (const record of records) {
        for (const value of values) {
          for (const properties of [{ a: value }, { a: 'first', new: value }, { new: value, b: 'last' }, { 3: value, 10: 'x' }]) {
            await assertSame(record, 'setProperties', properties)
          }
        }
        for (const properties of [undefined, null, {}]) {
          await assertSame(record, 'setProperties', properties)
        }
      }
    }).timeout(60000)
    it('an error for an objectid that is none', async () => {
      for (const method in theirs) {
        for (const objectid of [undefined, null, '', []]) {
          const [mine, its] = await Promise.all([ours, theirs].map((object) => rejection(object[method](objectid, 'a', 'b'))))
          assert.strictEqual(mine.message, its.message)
        }
      }
    })
  })

  it('takes thousands of properties at once', async () => {
    const many = (value) => Object.fromEntries(Array.from({ length: 20000 }, (_, i) => [i % 2 ? `"p${i}"` : i, value]))
    await ours.setProperties('record', many(1))
    await ours.setProperties('record', many(2))
    assert.strictEqual(await storage.read('record'), JSON.stringify(many(2)))
  })
  it('removes the property that is named, unpaired surrogates included', async () => {
    await storage.write('record', '{"\\ud800":1,"\ufffd":2}')
    await ours.removeProperty('record', '\ud800')
    assert.strictEqual(await storage.read('record'), '{"\ufffd":2}')
  })
  it('gives what is stored, and nothing that objects inherit or have for a prototype', async () => {
    await storage.write('record', '{"__proto__":{"a":1},"constructor":5,"toString":null}')
    const object = await ours.getProperties('record', ['__proto__', 'constructor'])
    assert.strictEqual(Object.getPrototypeOf(object), Object.prototype)
    assert.strictEqual(JSON.stringify(object), '{"__proto__":{"a":1},"constructor":5}')
    assert.deepStrictEqual(await ours.getProperty('record', '__proto__'), { a: 1 })
    assert.strictEqual(await ours.getProperty('record', 'constructor'), 5)
    await storage.write('record', '{}')
    for (const name of ['__proto__', 'constructor', 'toString']) {
      assert.strictEqual(await ours.getProperty('record', name), undefined)
    }
    assert.deepStrictEqual(await ours.getProperties('record', ['__proto__', 'constructor']), {})
  })
  it('invalid-value over 64 MiB', async () => {
    const half = 'x'.repeat(33 << 20)
    await ours.setProperty('record', 'a', half)
    const error = await rejection(ours.setProperty('record', 'b', half))
    assert.deepStrictEqual([error.message, error.code], ['invalid-value', 'ERR_TOO_LARGE'])
    assert.strictEqual(await ours.getProperty('record', 'b'), undefined)
  }).timeout(60000)
  it('invalid-object when a record that is none is read, without showing it', async () => {
    await storage.write('record', 'secret "text"')
    for (const reading of [ours.getProperty('record', 'a'), ours.getProperties('record', ['a'])]) {
      assert.strictEqual((await rejection(reading)).message, 'invalid-object')
    }
  })
  it('invalid-object for a record that is none, and leaves it as it is', async () => {
    for (const text of ['text', '[]', '5', 'null', '"text"']) {
      await storage.write('record', text)
      for (const change of [ours.setProperty('record', 'a', 1), ours.setProperties('record', { a: 1 }), ours.removeProperty('record', 'a')]) {
        assert.strictEqual((await rejection(change)).message, 'invalid-object')
      }
      assert.strictEqual(await storage.read('record'), text)
    }
  })

  for (const title of ['plain', 'encrypted']) {
    it(`loses none of many changes at once, ${title}`, async () => {
      if (title === 'encrypted') {
        useSecret(secrets)
      }
      await Promise.all(Array.from({ length: 100 }, (_, i) => ours.setProperty('record', `p${i}`, i)))
      await Promise.all(Array.from({ length: 50 }, (_, i) => i % 2 ? ours.removeProperty('record', `p${i}`) : ours.setProperties('record', { [`p${i}`]: null, [`q${i}`]: i })))
      await store.reopen()
      const expected = {}
      for (let i = 0; i < 100; i++) {
        if (i >= 50) {
          expected[`p${i}`] = i
        } else if (i % 2 === 0) {
          expected[`q${i}`] = i
        }
      }
      const text = await (await require(path.join(host, 'src', 'storage.js')).setup()).read('record')
      assert.deepStrictEqual(JSON.parse(text), expected)
      useSecret()
    })
  }

  async function assertSame (record, method, ...args) {
    const outcomes = await Promise.all([['ours', ours], ['theirs', theirs]].map(async ([key, object]) => {
      await (record === undefined ? storage.delete(key) : storage.write(key, record))
      const outcome = {}
      try {
        outcome.result = await object[method](key, ...args)
      } catch (error) {
        outcome.error = error.message
      }
      outcome.text = await storage.read(key)
      return outcome
    }))
    assert.deepStrictEqual(outcomes[0], outcomes[1], `${method} of ${util.inspect(args)} on ${record}`)
  }
})
