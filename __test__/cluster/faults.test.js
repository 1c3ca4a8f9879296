/* eslint-env mocha */
const assert = require('assert')
const { Client } = require('pg')
const { ACCOUNT, makeAccount, startNode, startNodes } = require('./nodes.js')
const { startProxy } = require('./proxy.js')
const { Cluster } = require('./servers.js')
const { pause, until } = require('../helpers/times.js')

const record = `dashboard/account/${ACCOUNT}`

describe('faults of servers and networks', function () {
  this.timeout(180000)
  let cluster
  let nodes = []
  beforeEach(async () => {
    cluster = await new Cluster().start()
  })
  afterEach(async () => {
    await Promise.all(nodes.map((node) => node.end()))
    nodes = []
    await cluster.stop()
  })
  const begin = async (url, env) => {
    nodes = await startNodes(1, url, env)
    return nodes
  }
  const stored = async (server = cluster.servers[0]) => JSON.parse((await cluster.query('SELECT contents FROM objects WHERE path = $1', { server, values: [record] }))[0].contents)

  for (const loses of ['request', 'answer']) {
    it(`a change whose ${loses} is lost is made exactly once`, async () => {
      const proxy = await startProxy(cluster.servers[0].port)
      const [node] = await begin(cluster.url({ servers: [proxy] }))
      await makeAccount(node)
      const count = 60
      for (let i = 0; i < count; i++) {
        proxy.loses = loses
        await Promise.all([node.reset(ACCOUNT), node.reset(ACCOUNT), node.write(`other/${i}`, 'x')])
      }
      proxy.loses = undefined
      assert(proxy.cuts >= count / 2, `only ${proxy.cuts} connections were cut`)
      assert.strictEqual((await stored()).sessionKeyNumber, 1 + 2 * count)
      await node.end()
      await proxy.stop()
    })
  }
  it('control: a client that repeats a change whose answer is lost makes it twice', async () => {
    const proxy = await startProxy(cluster.servers[0].port)
    await cluster.query('CREATE TABLE counter AS SELECT 0 AS number')
    const connect = async () => {
      const client = new Client({ host: '127.0.0.1', port: proxy.port, user: 'postgres', database: 'dashboard' })
      client.on('error', () => {})
      await client.connect()
      return client
    }
    let client = await connect()
    const sql = 'UPDATE counter SET number = number + 1 /* sessionKeyNumber */'
    for (let i = 0; i < 20; i++) {
      proxy.loses = 'answer'
      await client.query(sql).catch(async () => {
        client = await connect()
        return client.query(sql)
      })
    }
    await client.end()
    const [{ number }] = await cluster.query('SELECT number FROM counter')
    assert(number > 20, `${number}`)
    await proxy.stop()
  })

  it('a commit whose wait is cancelled is acknowledged only when the standbys have it', async () => {
    const [primary, ...standbys] = cluster.servers
    const [node] = await begin(cluster.url({ servers: [primary] }), { SLED_COMMIT_SECONDS: '60' })
    await makeAccount(node)
    await Promise.all(standbys.map((standby) => cluster.kill(standby, 'SIGSTOP')))
    let answer
    const reset = node.reset(ACCOUNT).then((number) => { answer = { number } }, (error) => { answer = { error } })
    // The one of the change. The renewal of the lease waits as well.
    const waits = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query LIKE '%puts AS MATERIALIZED%' AND pid <> pg_backend_pid()"
    await until(async () => (await cluster.query(waits)).length > 0, { seconds: 60 })
    const [{ pid }] = await cluster.query(waits)
    await cluster.query('SELECT pg_cancel_backend($1)', { values: [pid] })
    await pause(1500)
    assert.strictEqual(answer, undefined)
    // It is visible on the primary, and would be lost with it.
    assert.strictEqual((await stored()).sessionKeyNumber, 2)
    await Promise.all(standbys.map((standby) => cluster.kill(standby, 'SIGCONT')))
    await reset
    assert.deepStrictEqual(answer, { number: 2 })
    assert.strictEqual((await stored()).sessionKeyNumber, 2)
  })

  it('an old primary that is cut off from its standbys acknowledges nothing', async () => {
    nodes = [startNode(cluster.url({ servers: [cluster.servers[0]] }), { SLED_COMMIT_SECONDS: '2' })]
    await nodes[0].open()
    await makeAccount(nodes[0])
    nodes.push(...await startNodes(1, cluster.url({ servers: [await cluster.replacePrimary()] })))
    const begun = Date.now()
    const error = await nodes[0].reset(ACCOUNT).then(() => undefined, (error) => error)
    assert(error && error.code === 'ERR_STORE_UNAVAILABLE', String(error))
    assert(Date.now() - begun < 10000, `${Date.now() - begun} ms`)
    assert.strictEqual(await nodes[1].reset(ACCOUNT), 2)
  })

  it('a primary that hangs is replaced, and changes go on', async () => {
    const [node] = await begin(cluster.url(), { SLED_COMMIT_SECONDS: '3' })
    await makeAccount(node)
    await cluster.kill(cluster.servers[0], 'SIGSTOP')
    const next = await cluster.replacePrimary()
    await until(async () => (await node.reset(ACCOUNT).catch(() => 0)) > 1, { seconds: 30 })
    assert((await stored(next)).sessionKeyNumber > 1)
  })

  it('calls fail within their time while all servers are down, and succeed when one is back', async () => {
    const [node] = await begin(cluster.url(), { SLED_COMMIT_SECONDS: '2' })
    await makeAccount(node)
    await Promise.all(cluster.servers.map((server) => cluster.kill(server)))
    const begun = Date.now()
    const errors = await Promise.all([node.reset(ACCOUNT), node.read(record), node.session('session_1')].map((call) => call.then(() => undefined, (error) => error)))
    assert.deepStrictEqual(errors.map((error) => error && error.code), Array(3).fill('ERR_STORE_UNAVAILABLE'))
    assert(Date.now() - begun < 10000, `${Date.now() - begun} ms`)
    await Promise.all(cluster.servers.map((server) => cluster.launch(server)))
    await until(async () => (await node.reset(ACCOUNT).catch(() => 0)) > 1, { seconds: 60 })
    assert.strictEqual(await node.session('session_1'), false)
  })

  it('connections that an administrator ends are opened again', async () => {
    const [node] = await begin(cluster.url())
    await makeAccount(node)
    let number = 1
    for (let i = 0; i < 10; i++) {
      await cluster.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dashboard-sled'")
      assert.strictEqual(await node.reset(ACCOUNT), ++number)
      assert.strictEqual(await node.session('session_1'), false)
    }
    assert.strictEqual((await stored()).sessionKeyNumber, number)
  })
})
