/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const addon = require('../../index.js')
const { loadEntries, makeFolder, runTool } = require('../helper.js')
const { openForImport } = require('../../lib/open.js')
const { Cluster } = require('./servers.js')

describe('an import into a database', function () {
  this.timeout(60000)
  const cluster = new Cluster({ standbys: 1 })
  const database = 'import'
  let folder, source, url
  before(async () => {
    await cluster.start()
    folder = makeFolder()
    source = path.join(folder, 'source')
    await loadEntries(source, [
      ...Array.from({ length: 50 }, (_, i) => ({ record: `dashboard/account/account_${i}`, contents: Buffer.from(JSON.stringify({ object: 'account', accountid: `account_${i}`, sessionKey: 'k', sessionKeyNumber: 1 })) })),
      { list: 'dashboard/accounts', items: Array.from({ length: 50 }, (_, i) => `account_${i}`) }
    ])
  })
  after(async () => {
    await cluster.stop()
    fs.rmSync(folder, { recursive: true })
  })
  beforeEach(async () => {
    url = await cluster.database(database)
  })
  const tool = async (...args) => {
    const { code, stdout, stderr } = await runTool([...args, '--store', url, '--json'])
    return { code, result: JSON.parse(stdout || stderr.trim().split('\n').pop()) }
  }
  const importAll = (...args) => tool('import', '--from', 'sled', source, '--yes', ...args)
  const refusedAsUnfinished = { message: 'store-unfinished-copy', code: 'ERR_STORE_UNFINISHED', detail: /an import into it is running, or was interrupted; wait for it/ }

  it('keeps other processes from opening the store until it is complete', async () => {
    const target = await openForImport({ url })
    await target.begin()
    await target.store.load([{ record: 'a', contents: Buffer.from('1') }])
    const { code, result } = await tool('stats')
    assert(code > 0)
    assert.deepStrictEqual([result.error.message, refusedAsUnfinished.detail.test(result.error.detail)], ['store-unfinished-copy', true], result.error.detail)
    const again = await importAll()
    assert.deepStrictEqual([again.result.error.message, /another import runs/.test(again.result.error.detail)], ['store-locked', true])
    await target.finish()
    assert.strictEqual((await tool('stats')).code, 0)
    await target.store.close()
  })
  it('that was interrupted keeps the store closed until it is run again', async () => {
    const target = await openForImport({ url })
    await target.begin()
    await target.store.load([{ record: 'a', contents: Buffer.from('1') }])
    await target.store.close()
    await assert.rejects(addon.open({ url }), refusedAsUnfinished)
    // A refused open leaves no row that an import would wait for.
    const { code, result } = await importAll('--verify')
    assert.deepStrictEqual([code, result.records, result.described], [3, 50, ['only in the store: the record a']])
    const store = await addon.open({ url })
    assert.strictEqual(await store.lists.count('dashboard/accounts'), 50)
    await store.close()
  })
  it('is refused while another process has the store open, and leaves no mark', async () => {
    const store = await addon.open({ url })
    const { code, result } = await importAll()
    assert(code > 0)
    assert.deepStrictEqual([result.error.message, result.error.code], ['store-locked', 'ERR_STORE_LOCKED'])
    assert(/other processes have it open; stop the dashboards/.test(result.error.detail), result.error.detail)
    assert.strictEqual(await store.storage.read('dashboard/account/account_1'), undefined)
    await store.close()
    assert.strictEqual((await importAll()).code, 0)
  })
  it('that fails before it has begun leaves the store open', async () => {
    assert((await tool('import', '--from', 'sled', path.join(folder, 'missing'))).code > 0)
    const store = await addon.open({ url })
    await store.close()
  })
  it('that overwrites and was interrupted is refused until every session was ended, and then run again', async () => {
    assert.strictEqual((await importAll()).code, 0)
    const target = await openForImport({ url })
    await target.begin()
    await cluster.query("INSERT INTO ds_meta VALUES ('quarantine', '')", { database })
    await target.store.close()
    const { result: refused } = await importAll('--overwrite')
    assert.deepStrictEqual([refused.error.message, refused.error.code], ['store-rolled-back', 'ERR_STORE_ROLLED_BACK'])
    const { code, result } = await tool('recover', '--invalidate-sessions', '--yes')
    assert.deepStrictEqual([code, result.accounts, result.others], [0, 50, 0])
    assert.strictEqual((await importAll('--overwrite')).code, 0)
  })
})

describe('a database that went back in time', function () {
  this.timeout(60000)
  const cluster = new Cluster({ standbys: 1 })
  before(() => cluster.start())
  after(() => cluster.stop())

  it('has every session ended by one command, also while nodes have it open', async () => {
    const url = cluster.url()
    const store = await addon.open({ url })
    await store.load([1, 2, 3].flatMap((i) => [
      { record: `dashboard/account/account_${i}`, contents: Buffer.from(JSON.stringify({ object: 'account', accountid: `account_${i}`, sessionKey: `k${i}`, sessionKeyNumber: i })) }
    ]))
    const tool = async (...args) => runTool(['recover', ...args, '--store', url, '--json'])
    const { stdout } = await tool('--invalidate-sessions', '--dry-run')
    assert.deepStrictEqual([JSON.parse(stdout).accounts, JSON.parse(stdout).wentBack], [3, null])
    assert.strictEqual(JSON.parse(await store.storage.read('dashboard/account/account_2')).sessionKeyNumber, 2)
    const { code, stderr } = await tool()
    assert(code > 0 && stderr.includes('invalid-recovery'), stderr)
    assert.strictEqual(JSON.parse((await tool('--invalidate-sessions', '--yes')).stdout).accounts, 3)
    for (const i of [1, 2, 3]) {
      const account = JSON.parse(await store.storage.read(`dashboard/account/account_${i}`))
      assert.strictEqual(account.sessionKeyNumber, i + 1)
      assert.notStrictEqual(account.sessionKey, `k${i}`)
    }
    await store.close()
  })
})
