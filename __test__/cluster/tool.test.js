/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const { loadEntries, makeFolder, readEntries, runTool } = require('../helper.js')
const { ACCOUNT, makeAccount, makeSession, startNode, startNodes } = require('./nodes.js')
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
    assert.deepStrictEqual([result.records, result.lists, result.items, result.problems], [1501, 1, 3000, 0])
    assert.strictEqual((await tool('stats', '--store', url)).code, 0)
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
