/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const { damage } = require('./helpers/damage.js')
const { makeFolder, rejection, runTool, withStore } = require('./helper.js')

const SESSIONS = 60

// Values with a wrong checksum, in data that sled can read.
describe('damaged records', function () {
  this.timeout(60000)
  let folder, store
  beforeEach(async () => {
    folder = makeFolder()
    store = path.join(folder, 'store')
    await withStore(store, async ({ load }) => load([
      ...['one', 'two', 'three'].map((id) => record(`d/account/${id}`, { object: 'account', sessionKey: 'old', sessionKeyNumber: 1 })),
      ...Array.from({ length: SESSIONS }, (_, i) => record(`d/session/${i}`, { object: 'session', accountid: i % 2 ? 'one' : 'two', expires: 5, sessionKeyNumber: 1 })),
      { list: 'd/sessions', items: Array.from({ length: SESSIONS }, (_, i) => String(i)) },
      { list: 'd/account/sessions/one', items: Array.from({ length: SESSIONS / 2 }, (_, i) => String(2 * i + 1)) }
    ]))
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  describe('purge', () => {
    it('goes on past a damaged session and a damaged account, and names both', async () => {
      damage(store, { records: ['d/session/7', 'd/account/two'] })
      const report = await withStore(store, (store) => store.purge({ olderThan: '1s' }))
      assert.deepStrictEqual([report.sessions, report.removed, report.damaged], [SESSIONS - 1, SESSIONS / 2 - 1, 1 + SESSIONS / 2])
      assert(report.described.includes('the value of d/session/7 is damaged'))
      assert(report.described.includes('the value of d/account/two is damaged'))
    })
    it('goes on past a damaged list, by the tool, which ends with 3', async () => {
      damage(store, { heads: ['d/account/sessions/one'] })
      const { code, stdout } = await tool('purge', '--older-than', '1s', '--json')
      const { removed, damaged: left, described } = JSON.parse(stdout)
      assert.deepStrictEqual([code, removed, left], [3, SESSIONS / 2, SESSIONS / 2])
      assert(described[0].includes('d/account/sessions/one'))
      const again = await tool('purge', '--older-than', '1s')
      assert(again.stdout.includes(`${SESSIONS / 2} damaged, and left as they are`))
    })
  })

  describe('export', () => {
    it('writes everything else, names what is left out, and ends with 3', async () => {
      damage(store, { records: ['d/session/7', 'd/account/two'], entries: [['d/sessions', 5]] })
      const file = path.join(folder, 'all.jsonl')
      const { code, stdout } = await tool('export', '--output', file, '--json')
      const { records, items, damaged: left, described } = JSON.parse(stdout)
      assert.deepStrictEqual([code, records, items, left, described.length], [3, SESSIONS + 1, SESSIONS * 1.5 - 1, 3, 3])
      const copy = path.join(folder, 'copy')
      const { stderr } = await runTool(['import', '--from', 'jsonl', file, '--store', copy])
      assert.strictEqual(stderr, '')
    })
    it('entries() without onDamage refuses to pass for whole', async () => {
      damage(store, { records: ['d/session/7'] })
      await withStore(store, async (store) => {
        const read = async () => { for await (const entry of store.entries()) { assert(entry) } }
        const { code, detail } = await rejection(read())
        assert.deepStrictEqual([code, detail.includes('d/session/7')], ['ERR_STORE_DAMAGED', true])
      })
    })
  })

  it('stats counts the rest, and ends with 3', async () => {
    damage(store, { records: ['d/session/7'], heads: ['d/sessions'] })
    const { code, stdout } = await tool('stats', '--json')
    const { records, lists, damaged: left, described } = JSON.parse(stdout)
    assert.deepStrictEqual([code, records, lists, left, described.length], [3, SESSIONS + 2, 1, 2, 2])
  })

  describe('recover', () => {
    it('ends all other sessions, and names the account that it cannot read', async () => {
      damage(store, { records: ['d/account/two'] })
      const { code, stderr } = await tool('recover', '--invalidate-sessions', '--even-if-whole', '--yes')
      assert.strictEqual(code, 6)
      assert(/^store-damaged: 1 records .*d\/account\/two/.test(stderr), stderr)
      await withStore(store, async ({ storage }) => {
        for (const id of ['one', 'three']) {
          assert.strictEqual(JSON.parse(await storage.read(`d/account/${id}`)).sessionKeyNumber, 2)
        }
      })
    })
    it('does not look at records of other kinds', async () => {
      damage(store, { records: ['d/session/7', 'd/anything'] })
      const { code } = await tool('recover', '--invalidate-sessions', '--even-if-whole', '--yes')
      assert.strictEqual(code, 0)
    })
  })

  it('a backup of the store and a restore from it are refused, and name the damaged record', async () => {
    const whole = path.join(folder, 'backup')
    fs.cpSync(store, whole, { recursive: true })
    damage(whole, { records: ['d/session/7'] })
    for (const args of [['backup', path.join(folder, 'another'), '--store', whole], ['restore', whole, '--yes', '--store', store]]) {
      const { code, stderr } = await runTool(args)
      assert.strictEqual(code, 6)
      assert(/^store-damaged: .*d\/session\/7/.test(stderr), stderr)
    }
  })

  it('verify --repair repairs everything but damaged records, which verify names', async () => {
    damage(store, { records: ['d/session/7', 'd/account/two'] })
    const { code, stdout } = await tool('verify', '--repair', '--json')
    const { left } = JSON.parse(stdout)
    assert.deepStrictEqual([code, left.problems], [3, 2])
    assert.strictEqual((await tool('verify')).code, 3)
  })

  function record (name, object) {
    return { record: name, contents: Buffer.from(JSON.stringify(object)) }
  }

  function tool (...args) {
    return runTool([...args, '--store', store])
  }
})
