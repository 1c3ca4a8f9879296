/* eslint-env mocha */
const assert = require('assert')
const { Client } = require('pg')
const addon = require('../../index.js')
const { seeded } = require('../helpers/random.js')
const { Cluster } = require('./servers.js')
const { until } = require('../helpers/times.js')

// Longer than a list without a directory, and several blocks of 4096 numbers.
const LENGTH = 15000

describe('long lists', () => {
  const cluster = new Cluster({ standbys: 1 })
  const database = 'lists'
  const query = (sql, values) => cluster.query(sql, { database, values })
  const directories = () => query('SELECT path FROM ds_list WHERE is_counted')
  let store, url
  before(() => cluster.start())
  after(() => cluster.stop())
  beforeEach(async () => {
    url = await cluster.database(database)
    store = await addon.open({ url })
  })
  afterEach(() => store.close())

  // The statements of Dashboard's own engine.
  const old = {
    add: (path, item) => query('INSERT INTO lists (path, objectid) SELECT $1::text, $2::text WHERE NOT EXISTS (SELECT FROM lists WHERE path = $1::text AND objectid = $2::text)', [path, item]),
    remove: (path, item) => query('DELETE FROM lists WHERE path = $1 AND objectid = $2', [path, item])
  }
  const fill = (path, count) => query("INSERT INTO lists (path, objectid) SELECT $1, 'first ' || n FROM generate_series(1, $2::int) n", [path, count])
  const makeDirectory = async (path) => {
    await store.lists.count(path)
    await until(async () => (await directories()).some((list) => list.path === path), { seconds: 60 })
  }
  // Compares the length, pages at many offsets, and the directory with the rows of the table.
  async function check (path, random) {
    const rows = await query('SELECT objectid FROM lists WHERE path = $1 ORDER BY listid DESC', [path])
    const items = rows.map(({ objectid }) => objectid)
    assert.strictEqual(await store.lists.count(path), items.length)
    const offsets = [0, 99, 100, 101, 4095, 4096, 4097, items.length - 1, items.length, items.length + 5000, ...Array.from({ length: 30 }, () => random.below(items.length))]
    for (const offset of offsets) {
      assert.deepStrictEqual(await store.lists.list(path, offset, 20) || [], items.slice(offset, offset + 20), `offset ${offset} of ${items.length}`)
    }
    const wrong = await query(`SELECT block FROM (SELECT listid >> 12 AS block, count(*) AS items FROM lists WHERE path = $1 GROUP BY 1) a
      FULL JOIN (SELECT block, sum(items) AS items FROM ds_block WHERE path = $1 GROUP BY 1) b USING (block) WHERE coalesce(a.items, 0) <> coalesce(b.items, 0)`, [path])
    assert.deepStrictEqual(wrong, [])
    return items
  }

  it('have a directory that stays right while this and the other engine add and remove at random', async () => {
    const random = seeded(1)
    await fill('short', 100)
    await fill('l', LENGTH)
    await fill('other', 3000)
    await store.lists.count('short')
    await makeDirectory('l')
    let number = 0
    let items = await check('l', random)
    for (let round = 0; round < 6; round++) {
      const any = () => items[random.below(items.length)]
      await Promise.all(Array.from({ length: 150 }, () => [
        () => store.lists.add('l', `new ${++number}`),
        () => store.lists.add('l', any()),
        () => store.lists.remove('l', any()),
        // Removed and added in one batch: it becomes the newest.
        () => { const item = any(); return Promise.all([store.lists.remove('l', item), store.lists.add('l', item)]) },
        () => old.add('l', `old ${++number}`),
        () => old.remove('l', any()),
        () => store.lists.add('other', `new ${++number}`)
      ][random.below(7)]()))
      items = await check('l', random)
    }
    // A range that is gone leaves blocks without items.
    await query("DELETE FROM lists WHERE path = 'l' AND listid BETWEEN 3000 AND 9500")
    await query("UPDATE lists SET listid = listid + 100000 WHERE path = 'l' AND listid < 500")
    await check('l', random)
    assert.deepStrictEqual((await directories()).map(({ path }) => path), ['l'])
  }).timeout(60000)

  it('get a directory that counts what other nodes and the other engine change meanwhile', async () => {
    const random = seeded(2)
    // By another address it is a store of its own, as in another process.
    const other = await addon.open({ url: `postgres://postgres@/${database}?host=${encodeURIComponent(cluster.folder)}&port=${cluster.servers[0].port}` })
    for (let round = 0; round < 5; round++) {
      const path = `l${round}`
      await fill(path, LENGTH)
      const state = { isDone: false }
      const changing = Promise.all([0, 1, 2, 3].map(async (changer) => {
        for (let i = 0; !state.isDone; i++) {
          const lists = changer % 2 ? store.lists : other.lists
          await (changer < 2 ? lists.add(path, `${changer} ${i}`) : old.add(path, `${changer} ${i}`))
          await (changer < 2 ? lists.remove(path, `first ${changer * 3000 + i}`) : old.remove(path, `first ${changer * 3000 + i}`))
        }
      }))
      await makeDirectory(path)
      state.isDone = true
      await changing
      await check(path, random)
    }
    await other.close()
  }).timeout(60000)

  it('wait with a directory for a transaction of another program that has begun before', async () => {
    await fill('l', LENGTH)
    const client = new Client({ connectionString: cluster.url({ servers: [cluster.servers[0]], database }) })
    client.on('error', () => {})
    await client.connect()
    await client.query('BEGIN')
    await client.query("INSERT INTO lists (path, objectid) VALUES ('l', 'late')")
    assert.strictEqual(await store.lists.count('l'), LENGTH)
    await new Promise((resolve) => setTimeout(resolve, 500))
    assert.deepStrictEqual(await directories(), [])
    await client.query('COMMIT')
    await client.end()
    await makeDirectory('l')
    assert.strictEqual((await check('l', seeded(3))).length, LENGTH + 1)
  }).timeout(30000)

  it('keep few rows in their directory, and none of items that are gone', async () => {
    await fill('l', LENGTH)
    await makeDirectory('l')
    const rows = async () => Number((await query('SELECT count(*) FROM ds_block'))[0].count)
    const before = await rows()
    for (let i = 0; i < 50; i++) {
      await store.lists.add('l', `new ${i}`)
    }
    assert(await rows() >= before + 40)
    await until(async () => await rows() <= before + 1, { seconds: 60 })
    await check('l', seeded(4))
    await query('TRUNCATE lists')
    assert.deepStrictEqual([await store.lists.count('l'), await rows()], [0, 0])
  }).timeout(30000)
})
