/* eslint-env mocha */
const assert = require('assert')
const { Client } = require('pg')
const addon = require('../../index.js')
const { runNode } = require('../helper.js')
const { Cluster } = require('./servers.js')

describe('maintenance of a database', function () {
  this.timeout(60000)
  const cluster = new Cluster({ standbys: 1 })
  const database = 'maintenance'
  const otherUrl = () => `postgres://postgres@/${database}?host=${encodeURIComponent(cluster.folder)}&port=${cluster.servers[0].port}`
  let url, store, other
  before(() => cluster.start())
  after(() => cluster.stop())
  beforeEach(async () => {
    url = await cluster.database(database)
    store = await addon.open({ url })
    // By another address it is a store of its own, as in another process.
    other = await addon.open({ url: otherUrl() })
  })
  afterEach(() => Promise.all([store.close(), other.close()]))

  describe('purge', () => {
    const fill = () => store.load(Array.from({ length: 3000 }, (_, i) => ({ record: `dashboard/session/session_${i}`, contents: Buffer.from(JSON.stringify({ object: 'session', sessionid: `session_${i}`, accountid: 'account_1', tokenHash: 't', sessionKeyNumber: 1, expires: 1000 })) })))

    it('runs in one process at a time, and the other one says so', async () => {
      await fill()
      const purges = await Promise.allSettled([store, other].map((one) => one.purge({ olderThan: '30d' })))
      const done = purges.filter(({ value }) => value)
      const [{ reason }] = purges.filter(({ reason }) => reason)
      assert.deepStrictEqual([done.length, done[0].value.removed], [1, 3000])
      assert.deepStrictEqual([reason.message, reason.code], ['purge-running', 'ERR_PURGE_RUNNING'])
      assert(/another process purges this store/.test(reason.detail), reason.detail)
      // Each has its turn afterwards.
      assert.strictEqual((await other.purge({ olderThan: '30d' })).sessions, 0)
      assert.strictEqual((await store.purge({ olderThan: '30d' })).sessions, 0)
    })
    it('is free again when the process that had begun it is gone', async () => {
      await fill()
      const client = new Client({ connectionString: cluster.url({ servers: [cluster.servers[0]], database }) })
      client.on('error', () => {})
      await client.connect()
      await client.query("SELECT pg_advisory_lock(1685286765, (SELECT oid FROM pg_namespace WHERE nspname = 'public')::int)")
      await assert.rejects(store.purge({ olderThan: '30d' }), { code: 'ERR_PURGE_RUNNING' })
      assert.strictEqual((await store.purge({ olderThan: '30d', dryRun: true })).removed, 3000)
      await client.end()
      assert.strictEqual((await store.purge({ olderThan: '30d' })).removed, 3000)
    })
  })

  it('a scan of large records takes little memory', async () => {
    const count = 300
    await cluster.query("INSERT INTO objects (path, contents) SELECT 'file/' || n, convert_to(repeat(n::text || ' ', 200000), 'UTF8') FROM generate_series(1, $1::int) n", { database, values: [count] })
    const [{ bytes }] = await cluster.query('SELECT sum(octet_length(contents)) AS bytes FROM objects', { database })
    const { code, stdout, stderr } = await runNode('count-entries.js', { env: { URL: url } }).ended
    assert.strictEqual(code, 0, stderr)
    const read = JSON.parse(stdout)
    assert.deepStrictEqual([read.records, read.bytes], [count, Number(bytes)])
    assert(read.memory < 200e6, `${read.memory} bytes for ${bytes} bytes of contents`)
  })

  describe('a sequence that is behind the rows of the lists', () => {
    // More rows than an addition could pass by attempts in vain.
    const setBack = () => cluster.query("SELECT setval('lists_listid_seq', 1)", { database })
    beforeEach(() => cluster.query("INSERT INTO lists (path, objectid) SELECT 'l', 'i' || n FROM generate_series(1, 5000) n", { database }))

    it('is advanced when an item is added', async () => {
      await setBack()
      await store.lists.add('l', 'new')
      assert.deepStrictEqual(await store.lists.list('l', 0, 2), ['new', 'i5000'])
    })
    it('is advanced when a store is opened', async () => {
      await other.close()
      await setBack()
      other = await addon.open({ url: otherUrl() })
      await cluster.query("INSERT INTO lists (path, objectid) VALUES ('l', 'old')", { database })
      assert.deepStrictEqual(await store.lists.list('l', 0, 1), ['old'])
    })
  })
})
