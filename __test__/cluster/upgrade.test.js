/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const addon = require('../../index.js')
const { startNodes } = require('./nodes.js')
const { Resets } = require('./resets.js')
const { Cluster } = require('./servers.js')
const { pause, shortest } = require('../helpers/times.js')

const tables = `
  CREATE TABLE objects (path VARCHAR(255) PRIMARY KEY, contents BYTEA, created TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
  CREATE TABLE lists (listid BIGSERIAL PRIMARY KEY, path VARCHAR(255), objectid VARCHAR(255), created TIMESTAMP DEFAULT CURRENT_TIMESTAMP)`
const columns = "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"
const others = "SELECT indexname AS name FROM pg_indexes WHERE schemaname = 'public' UNION SELECT tgname::text FROM pg_trigger WHERE NOT tgisinternal UNION SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1"

// The statements in docs/cluster.md that begin with a word.
function documented (word) {
  const page = fs.readFileSync(path.join(__dirname, '..', '..', 'docs', 'cluster.md'), 'utf8')
  return new RegExp(`\`\`\`sql\n(${word}[^\`]*)\`\`\``).exec(page)[1]
}

describe('a database of Dashboard\'s own engine', () => {
  const cluster = new Cluster({ standbys: 1 })
  const database = 'old'
  let url
  before(() => cluster.start())
  after(() => cluster.stop())
  beforeEach(async () => {
    url = await cluster.database(database)
  })
  const query = (sql, values) => cluster.query(sql, { database, values })
  const shape = async () => [await query(columns), await query(others)]

  it('is taken over with its data, while the other engine goes on, and given back by the documented statements', async () => {
    await query(tables)
    await query("INSERT INTO objects (path, contents) VALUES ('a/b', 'text'), ('empty', NULL)")
    await query("INSERT INTO lists (path, objectid) SELECT 'l', 'i' || n % 500 FROM generate_series(1, 1000) n")
    const before = await shape()
    const store = await addon.open({ url })
    assert.strictEqual(await store.storage.read('a/b'), 'text')
    assert.strictEqual(await store.storage.read('empty'), '')
    const items = await store.lists.listAll('l')
    assert.deepStrictEqual([items.length, items[0], items[499]], [500, 'i0', 'i1'])
    // The statements of the other engine.
    await query("INSERT INTO objects (path, contents) VALUES ('new', 'x') ON CONFLICT (path) DO UPDATE SET contents = EXCLUDED.contents")
    await query("INSERT INTO lists (path, objectid) VALUES ('l', 'new')")
    await query("DELETE FROM lists WHERE path = 'l' AND objectid = 'i1'")
    assert.strictEqual(await store.storage.read('new'), 'x')
    assert.strictEqual((await store.lists.list('l', 0, 1))[0], 'new')
    await store.storage.write('a/b', 'changed')
    await store.storage.write('empty', 'full')
    await store.close()
    await query(documented('DROP'))
    assert.deepStrictEqual(await shape(), before)
    const rows = await query("SELECT convert_from(contents, 'UTF8') AS text FROM objects ORDER BY path")
    assert.deepStrictEqual(rows.map(({ text }) => text), ['changed', 'full', 'x'])
    // And back again.
    const again = await addon.open({ url })
    assert.strictEqual(await again.storage.read('a/b'), 'changed')
    await again.close()
  }).timeout(30000)
  it('that the documented statements make holds a store', async () => {
    await cluster.query('DROP DATABASE dashboard', { database: 'postgres' })
    // Each by itself, because a database is not created in a transaction.
    for (const statement of documented('CREATE').trim().split('\n')) {
      await cluster.query(statement, { database: 'postgres' })
    }
    const store = await addon.open({ url: cluster.url({ user: 'dashboard' }) })
    await store.storage.write('a', 'b')
    await store.close()
  }).timeout(30000)
  it('is migrated once by nodes that start together', async () => {
    await query(tables)
    await query("INSERT INTO lists (path, objectid) SELECT 'l', 'i' || n % 5000 FROM generate_series(1, 10000) n")
    const nodes = await startNodes(4, url)
    assert.deepStrictEqual((await Promise.all(nodes.map((node) => node.listAll('l')))).map((items) => items.length), [5000, 5000, 5000, 5000])
    await Promise.all(nodes.map((node) => node.end()))
  }).timeout(60000)
  it('whose nodes are replaced one after the other goes on meanwhile', async () => {
    const resets = await Resets.begin(url)
    const nodes = await startNodes(2, url)
    try {
      for (let i = 0; i < nodes.length; i++) {
        await nodes[i].write(`file/${i}`, 'x')
        await nodes[i].close()
        await nodes[i].end()
        nodes[i] = (await startNodes(1, url))[0]
        await resets.more(20)
      }
      await resets.stop()
      assert.deepStrictEqual(await Promise.all(nodes.map((node, i) => node.read(`file/${1 - i}`))), ['x', 'x'])
      assert.deepStrictEqual([await resets.countLost((sql) => query(sql)), await resets.countAlive()], [0, 0])
      const left = await query('SELECT id FROM ds_node')
      assert.strictEqual(left.length, 5)
    } finally {
      await resets.end()
      await Promise.all(nodes.map((node) => node.end()))
    }
  }).timeout(60000)
  it('of which a node that was killed left its row keeps no change waiting for long', async () => {
    const [first, second] = await startNodes(2, url)
    await first.write('a', '1')
    await second.read('a')
    await pause(700)
    await second.end()
    const timed = async (text) => {
      const begun = Date.now()
      await first.write('a', text)
      return Date.now() - begun
    }
    const waited = await timed('2')
    const next = await shortest((i) => timed(`next ${i}`))
    assert(waited < 10000 && next < 1000, `${waited} ms, ${next} ms`)
    await first.end()
  }).timeout(30000)
})
