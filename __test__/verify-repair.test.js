/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const addon = require('../index.js')
const { makeFolder, rejection, runTool } = require('./helper.js')

// How stores with damaged places, counters and pieces are repaired is tested where they can be damaged: in
// src/store/sled/maintenance/repair_tests.rs. Lists of sessions that the real Dashboard has broken: in dashboard.test.js.
describe('verify --repair', function () {
  this.timeout(60000)
  let folder
  beforeEach(() => {
    folder = makeFolder()
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  it('removes from the lists of sessions what is gone, and leaves all else', async () => {
    const session = (accountid, properties) => JSON.stringify({ object: 'session', accountid, expires: 1, sessionKeyNumber: 1, ...properties })
    const records = {
      'a/account/here': '{"object":"account"}',
      'a/session/good': session('here'),
      'a/session/ended': session('gone', { ended: 5 }),
      'a/session/orphan': session('gone'),
      'a/session/odd': 'no session',
      // An account of another application does not count.
      'b/account/gone': '{"object":"account"}',
      'b/session/orphan': session('gone')
    }
    const lists = {
      'a/sessions': ['good', 'gone', 'ended', 'orphan', 'odd'],
      'a/account/sessions/here': ['good', 'gone'],
      'a/account/sessions/gone': ['orphan', 'odd'],
      'a/accounts': ['here', 'gone'],
      'a/resetCodes': ['gone'],
      'b/sessions': ['orphan']
    }
    const left = { ...lists, 'a/sessions': ['good', 'odd'], 'a/account/sessions/here': ['good'], 'a/account/sessions/gone': undefined }
    const store = await addon.open({ path: folder })
    await store.load(Object.entries(records).map(([record, text]) => ({ record, contents: Buffer.from(text) })))
    await store.load(Object.entries(lists).map(([list, items]) => ({ list, items })))
    const report = await store.repair()
    assert.deepStrictEqual([report.repairs, report.unreadable, report.left.problems], [3, 1, 0])
    assert.deepStrictEqual(report.repaired.sort(), [
      'the list a/account/sessions/gone: sessions that are gone, or whose account is, were removed (2 times)',
      'the list a/account/sessions/here: sessions that are gone, or whose account is, were removed',
      'the list a/sessions: sessions that are gone, or whose account is, were removed (3 times)'
    ])
    for (const path in left) {
      assert.deepStrictEqual(((await store.lists.listAll(path)) || []).reverse(), left[path] || [], path)
    }
    for (const record in records) {
      assert.strictEqual(await store.storage.read(record), records[record])
    }
    assert.strictEqual((await store.repair()).repairs, 0)
    await store.close()
  })
  it('prints each repair, and what could not be repaired', async () => {
    const store = await addon.open({ path: folder })
    await store.load([{ list: 'a/sessions', items: ['gone', 'odd'] }, { record: 'a/session/odd', contents: Buffer.from('00ff') }])
    await store.close()
    const { code, stdout } = await runTool(['verify', '--repair', '--store', folder])
    assert.strictEqual(code, 0)
    assert.deepStrictEqual(stdout.split('\n').slice(1), [
      'the list a/sessions: sessions that are gone, or whose account is, were removed',
      '1 repair',
      '1 item of a session list could not be judged, and was left: if its session is encrypted, set ENCRYPTION_SECRET and ENCRYPTION_SECRET_IV as the dashboard has them',
      'nothing is wrong',
      ''
    ])
    const again = await runTool(['verify', '--repair', '--store', folder, '--json'])
    assert.deepStrictEqual([again.code, JSON.parse(again.stdout).repairs], [0, 0])
  })
  it('store-locked while it is open elsewhere', async () => {
    const [first, second] = [await addon.open({ path: folder }), await addon.open({ path: folder })]
    assert.strictEqual((await rejection(first.repair())).code, 'ERR_STORE_LOCKED')
    assert.strictEqual((await runTool(['verify', '--repair', '--store', folder])).code, 5)
    await first.close()
    await second.close()
  })
  it('store-missing where there is none', async () => {
    const missing = path.join(folder, 'missing')
    assert.strictEqual((await runTool(['verify', '--repair', '--store', missing])).code, 4)
    assert.strictEqual(fs.existsSync(missing), false)
  })
})
