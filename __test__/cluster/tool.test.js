/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const { loadEntries, makeFolder, readEntries, runTool } = require('../helper.js')
const { ACCOUNT, makeAccount, makeSession, startNode, startNodes } = require('./nodes.js')
const { serve } = require('../helpers/serve.js')
const { Cluster } = require('./servers.js')

describe('the tool on a database', () => {
  const cluster = new Cluster({ standbys: 1 })
  let folder, url
  before(async () => {
    await cluster.start()
    folder = makeFolder()
    url = cluster.url().replace('postgres@', 'postgres:a-secret@')
  })
  after(async () => {
    await cluster.stop()
    fs.rmSync(folder, { recursive: true })
  })
  const tool = async (...args) => {
    const { code, stdout, stderr } = await runTool([...args, '--json'])
    assert(!(stdout + stderr).includes('a-secret'), stdout + stderr)
    return { code, result: JSON.parse(stdout || stderr.trim().split('\n').pop()) }
  }

  it('brings a store in a folder over, and back', async () => {
    const [first, second] = ['first', 'second'].map((name) => path.join(folder, name))
    const items = Array.from({ length: 3000 }, (_, i) => `item ${i}`)
    const long = 'k'.repeat(1000)
    await loadEntries(first, [
      ...Array.from({ length: 1500 }, (_, i) => ({ record: `dashboard/account/account_${i}`, contents: Buffer.from(`{"object":"account","accountid":"account_${i}"}`) })),
      { record: long, contents: Buffer.from('x') },
      { list: 'l', items }
    ])
    const { code, result } = await tool('import', '--from', 'sled', first, '--store', url, '--verify')
    assert.deepStrictEqual([code, result.records, result.items, result.differences], [0, 1501, 3000, 0])
    assert.strictEqual(result.store, cluster.url())
    const exported = path.join(folder, 'export.jsonl')
    assert.strictEqual((await tool('export', '--output', exported, '--store', url)).code, 0)
    assert.strictEqual((await tool('import', '--from', 'jsonl', exported, '--store', second, '--verify')).result.differences, 0)
    const sorted = async (store) => (await readEntries(store)).map((entry) => JSON.stringify(entry)).sort()
    assert.deepStrictEqual(await sorted(second), await sorted(first))
  }).timeout(60000)
  it('ends sessions beside a running dashboard, which then lets them in no more', async () => {
    const { child, ended, step } = await serve(path.join(folder, 'none'), { env: { SLED_PATH: '', SLED_DATABASE_URL: url, APPID: 'an-app' } })
    const { session } = await step('signUp', { username: 'the-owner' })
    const other = await step('signIn', { username: 'the-owner' })
    assert.deepStrictEqual([await step('isLetIn', { session }), await step('isLetIn', { session: other })], [true, true])
    const at = ['--appid', 'an-app', '--store', url]
    const { result } = await tool('sessions', 'end', '--session', other.sessionid, '--yes', ...at)
    assert.deepStrictEqual([result.ended, result.sessionids], [1, [other.sessionid]])
    assert.deepStrictEqual([await step('isLetIn', { session }), await step('isLetIn', { session: other })], [true, false])
    const { result: shown } = await tool('sessions', 'show', other.sessionid, ...at)
    assert.deepStrictEqual([shown.end.cause, shown.end.actor.type], ['ended-by-administrator', 'command-line'])
    assert.strictEqual((await tool('audit', ...at)).result.number, 1)
    assert.strictEqual((await tool('audit', 'verify', '--store', url)).result.break, null)
    child.kill('SIGKILL')
    await ended
  }).timeout(60000)
  it('moves sessions from a folder to nodes, which let them in and end them', async () => {
    const store = path.join(folder, 'one-machine')
    const old = startNode(undefined, { SLED_PATH: store })
    await old.open()
    await makeAccount(old)
    await old.reset(ACCOUNT)
    await makeSession(old, { sessionid: 'session_2', number: 2 })
    await old.close()
    await old.end()
    const moved = await cluster.database('moved')
    assert.strictEqual((await tool('import', '--from', 'sled', store, '--store', moved, '--verify')).result.differences, 0)
    const nodes = await startNodes(2, moved)
    const answers = (sessionid) => Promise.all(nodes.map((node) => node.session(sessionid)))
    assert.deepStrictEqual([await answers('session_1'), await answers('session_2')], [[false, false], [true, true]])
    assert.strictEqual(await nodes[0].reset(ACCOUNT), 3)
    assert.deepStrictEqual(await answers('session_2'), [false, false])
    await Promise.all(nodes.map((node) => node.end()))
  }).timeout(60000)
  it('reads and counts', async () => {
    const { result } = await tool('verify', '--store', url)
    // With those of the dashboard.
    assert.deepStrictEqual([result.records > 1501, result.lists > 1, result.items > 3000, result.problems], [true, true, true, 0])
    const { code, result: { diskBytes } } = await tool('stats', '--store', url)
    const [{ bytes }] = await cluster.query("SELECT pg_total_relation_size('objects') + pg_total_relation_size('lists') AS bytes")
    assert.strictEqual(code, 0)
    assert(diskBytes >= Number(bytes) && diskBytes < Number(bytes) + 500000, `${diskBytes} of ${bytes}`)
    const { result: list } = await tool('list', 'l', '--limit', '2', '--store', url)
    assert(JSON.stringify(list).includes('item 2999'), JSON.stringify(list))
  })
  it('says what to use instead of commands on files', async () => {
    for (const args of [['compact'], ['backup', path.join(folder, 'b')], ['restore', folder, '--yes'], ['verify', '--repair']]) {
      const { code, result } = await tool(...args, '--store', url)
      assert(code > 0)
      assert.strictEqual(result.error.message, 'store-not-offered', args[0])
      assert(result.error.detail.includes('pg_dump'), result.error.detail)
    }
  })
})
