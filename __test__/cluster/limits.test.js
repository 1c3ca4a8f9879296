/* eslint-env mocha */
const assert = require('assert')
const { Cluster } = require('./servers.js')
const { ACCOUNT, makeAccount, startNode } = require('./nodes.js')
const { pause, shortest } = require('../helpers/times.js')

// A lease lasts 2 s; a node that follows takes some milliseconds.
const LEAST_LEASE_MS = 1500

describe('the limits of waiting and following', function () {
  this.timeout(120000)
  let cluster
  const nodes = []
  beforeEach(async () => {
    cluster = await new Cluster().start()
  })
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map((node) => node.end()))
    await cluster.stop()
  })

  async function begin (url = cluster.url()) {
    const node = startNode(url)
    nodes.push(node)
    await node.open()
    return node
  }

  it('a node does not take the changes of another schema for those of its own', async () => {
    const [one, other] = [await begin(), await begin()]
    await makeAccount(one)
    await cluster.query('CREATE ROLE other LOGIN SUPERUSER')
    await cluster.query('CREATE SCHEMA other AUTHORIZATION other')
    const foreign = await begin(cluster.url({ user: 'other' }))
    await makeAccount(foreign)
    // Its epoch becomes higher than that of the first schema.
    await foreign.resets(ACCOUNT, 20)
    for (let i = 0; i < 20; i++) {
      await foreign.reset(ACCOUNT)
    }
    await pause(1000)
    other.child.kill('SIGSTOP')
    const { took } = await one.resetAt(ACCOUNT)
    other.child.kill('SIGCONT')
    assert(took > LEAST_LEASE_MS, `${took} ms`)
  })

  it('a session whose key is too long for the table is not answered from memory after a reset', async () => {
    const [one, other] = [await begin(), await begin()]
    const [accountid, sessionid] = ['account_'.padEnd(260, 'a'), 'session_'.padEnd(260, 's')]
    await makeAccount(one, { accountid, sessionid })
    for (let i = 0; i < 3; i++) {
      assert.strictEqual(await other.session(sessionid), true)
    }
    await one.reset(accountid)
    assert.strictEqual(await other.session(sessionid), false)
  })

  it('nodes that reach a server by different addresses follow each other', async () => {
    const [{ port }] = cluster.servers
    const one = await begin()
    await begin(`postgres://postgres@/dashboard?host=${encodeURIComponent(cluster.folder)}&port=${port}`)
    await makeAccount(one)
    await pause(1000)
    const took = await shortest(async () => (await one.resetAt(ACCOUNT)).took)
    assert(took < LEAST_LEASE_MS, `${took} ms`)
  })

  it('only the first reset after the end of a node waits for its lease', async () => {
    const [one, other] = [await begin(), await begin()]
    await makeAccount(one)
    await pause(1000)
    await other.end()
    const { took: first } = await one.resetAt(ACCOUNT)
    const next = await shortest(async () => (await one.resetAt(ACCOUNT)).took)
    assert(first > LEAST_LEASE_MS && next < LEAST_LEASE_MS, `${first} ms, ${next} ms`)
  })

  it('a primary that was replaced and is the first in the URL is left', async () => {
    const node = await begin()
    await node.write('file', '1')
    const next = await cluster.replacePrimary()
    // The first one may fail, since the old primary takes it and nothing confirms it.
    await node.write('file', '2').catch(({ code }) => assert.strictEqual(code, 'ERR_STORE_UNAVAILABLE'))
    await node.write('file', '3')
    const rows = await cluster.query("SELECT contents FROM objects WHERE path = 'file'", { server: next })
    assert.strictEqual(String(rows[0].contents), '3')
  })

  it('an open fails in time while no standby confirms it', async () => {
    const [, ...standbys] = cluster.servers
    await Promise.all(standbys.map((standby) => cluster.kill(standby, 'SIGSTOP')))
    const begun = Date.now()
    await assert.rejects(begin(), { code: 'ERR_STORE_UNAVAILABLE' })
    assert(Date.now() - begun < 30000)
    await Promise.all(standbys.map((standby) => cluster.kill(standby, 'SIGCONT')))
  })
})
