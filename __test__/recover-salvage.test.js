/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const addon = require('../index.js')
const { makeFolder, rejection, runTool } = require('./helper.js')

const ACCOUNTS = 1000
const APPID = 'd'

// One flipped bit in sled's data makes a page unreadable, which holds about sixteen records.
describe('recover --salvage', function () {
  this.timeout(60000)
  let folder, original, store, target
  before(async () => {
    folder = makeFolder()
    original = path.join(folder, 'original')
    const opened = await addon.open({ path: original })
    await opened.load([
      ...Array.from({ length: ACCOUNTS }, (_, i) => ({ record: `${APPID}/account/${i}`, contents: Buffer.from(account(i)) })),
      { list: `${APPID}/accounts`, items: Array.from({ length: ACCOUNTS }, (_, i) => String(i)) }
    ])
    await opened.close()
    // An open writes a snapshot, and sled trusts the data before it.
    await (await addon.open({ path: original })).close()
  })
  beforeEach(() => {
    store = path.join(folder, 'store')
    target = path.join(folder, 'target')
    fs.cpSync(original, store, { recursive: true })
  })
  afterEach(() => [store, target].forEach((path) => fs.rmSync(path, { recursive: true, force: true })))
  after(() => fs.rmSync(folder, { recursive: true }))

  for (const places of [[500], [123], [100, 300, 700]]) {
    it(`of a store in which the data of the accounts ${places.join(', ')} is damaged`, async () => {
      places.forEach(flip)
      const lost = await unreadable()
      assert(lost.length >= places.length && lost.length <= 40 * places.length, lost)
      const { code, stdout, stderr } = await runTool(['recover', '--salvage', target, '--store', store, '--json'])
      assert.deepStrictEqual([code, stderr], [3, ''])
      const { records, ended, damaged, described } = JSON.parse(stdout)
      assert.deepStrictEqual([records, ended.accounts, damaged], [ACCOUNTS - lost.length, ACCOUNTS - lost.length, described.length], JSON.stringify({ records, ended, lost, described }))
      // Each names a range of keys. The number of keys in a range depends on sled's pages.
      assert(damaged >= 1 && damaged <= lost.length, damaged)
      described.forEach((text) => assert.match(text, /between ".*d\/account.*" and "/))
      const saved = await addon.open({ path: target })
      assert.strictEqual((await saved.verify()).problems, 0)
      for (let i = 0; i < ACCOUNTS; i++) {
        const text = await saved.storage.read(`${APPID}/account/${i}`)
        assert.strictEqual(text === undefined, lost.includes(i), i)
        assert(!text || JSON.parse(text).sessionKeyNumber === 2)
      }
      assert.strictEqual(await saved.lists.count(`${APPID}/accounts`), ACCOUNTS)
      await saved.close()
    })
  }
  it('saves everything of a store in which nothing is damaged', async () => {
    const { code, stdout } = await runTool(['recover', '--salvage', target, '--store', store])
    assert.deepStrictEqual([code, stdout.split('\n').at(-2)], [0, 'nothing was lost'])
    assert.strictEqual((await runTool(['recover', '--salvage', target, '--store', store])).code, 1)
  })
  it('verify names what cannot be read, and goes on', async () => {
    flip(100)
    flip(700)
    const { code, stdout, stderr } = await runTool(['verify', '--store', store, '--json'])
    const { described, records } = JSON.parse(stdout)
    const lost = await unreadable()
    assert.deepStrictEqual([code, stderr, records], [3, '', ACCOUNTS - lost.length])
    assert.strictEqual(described.filter((text) => text.startsWith('some of the data of sled, between ')).length, 2)
  })
  it('inspect names a record that cannot be read, and reads others', async () => {
    flip(123)
    const one = await runTool(['inspect', `${APPID}/account/123`, '--store', store])
    assert(one.stderr.startsWith(`store-damaged: the value of ${APPID}/account/123 is damaged`), one.stderr)
    assert.strictEqual((await runTool(['inspect', `${APPID}/account/7`, '--store', store])).code, 0)
  })
  it('a backup and a compaction of the damaged store are refused', async () => {
    flip(123)
    const opened = await addon.open({ path: store })
    assert.strictEqual((await rejection(opened.backup(target))).code, 'ERR_STORE_DAMAGED')
    assert.strictEqual((await rejection(opened.compact())).code, 'ERR_STORE_DAMAGED')
    await opened.close()
  })

  it('saves nothing without the first page, which holds the name of the store', async () => {
    flip(0)
    const { code, stderr } = await runTool(['recover', '--salvage', target, '--store', store])
    assert.deepStrictEqual([code, stderr.split(': ')[0], stderr.split('\n').length], [6, 'store-damaged', 2])
    assert.strictEqual(fs.existsSync(target), false)
  })

  async function unreadable () {
    const opened = await addon.open({ path: store })
    const lost = []
    for (let i = 0; i < ACCOUNTS; i++) {
      await opened.storage.read(`${APPID}/account/${i}`).catch((error) => {
        assert.strictEqual(error.code, 'ERR_STORE_DAMAGED', error.stack)
        lost.push(i)
      })
    }
    await opened.close()
    return lost
  }

  // One bit of every copy of the account that sled's log has.
  function flip (i) {
    const file = path.join(store, 'sled', 'db')
    const bytes = fs.readFileSync(file)
    for (let at = bytes.indexOf(mark(i)); at >= 0; at = bytes.indexOf(mark(i), at + 1)) {
      bytes[at] ^= 1
    }
    fs.writeFileSync(file, bytes)
  }

  function mark (i) {
    return `mark ${i} of the account`
  }

  function account (i) {
    return JSON.stringify({ object: 'account', sessionKey: 'k', sessionKeyNumber: 1, mark: mark(i), pad: 'x'.repeat(200) })
  }
})
