/* eslint-env mocha */
const assert = require('assert')
const { Cluster } = require('./servers.js')
const { makeAccount, makeSession, startNode, startNodes, watch } = require('./nodes.js')
const { pause, until } = require('../helpers/times.js')

const rounds = process.env.CLUSTER === 'long' ? 1000 : 100
const leastAnswers = 500000

// Nodes ask for a session from memory while another one resets its account. An answer that was asked for after the reset was
// acknowledged must not let the session in.
describe('sessions in the memory of nodes', function () {
  this.timeout(300000)
  const cluster = new Cluster()
  let nodes
  before(() => cluster.start())
  after(() => cluster.stop())
  afterEach(() => Promise.all(nodes.map((node) => node.end())))

  // The first node resets, the others are watched.
  async function race (prefix, count) {
    let asked = 0
    let stale = 0
    const times = []
    for (let round = 0; round < count; round++) {
      const [accountid, sessionid] = [`account_${prefix}${round}`, `session_${prefix}${round}`]
      await makeAccount(nodes[0], { accountid, sessionid })
      const watched = await Promise.all(nodes.slice(1).map((node) => watch(node, sessionid)))
      const { at, took } = await nodes[0].resetAt(accountid)
      times.push(took)
      await pause(20)
      for (const result of await Promise.all(watched.map((stop) => stop()))) {
        asked += result.asked
        stale += result.lastAlive > at ? 1 : 0
      }
    }
    times.sort((a, b) => a - b)
    console.log(`      ${asked} answers, ${stale} of ${count * (nodes.length - 1)} watches saw a stale one; a reset took ${times[count >> 1].toFixed(1)} ms, at most ${times[count - 1].toFixed(1)}`)
    return { asked, stale, median: times[count >> 1] }
  }

  describe('are not stale after a reset', () => {
    it('that was acknowledged', async () => {
      nodes = await startNodes(3, cluster.url())
      const { asked, stale, median } = await race('a', rounds)
      const missed = (await Promise.all(nodes.slice(1).map((node) => node.hits()))).reduce((sum, { misses }) => sum + misses, 0)
      assert.strictEqual(stale, 0)
      assert(asked - missed > leastAnswers, `${asked} answers, ${missed} of them not from memory`)
      // Nodes that work are not waited for until their leases have run out.
      assert(median < 1500, `${median} ms`)
    })
    it('control: without the wait for the other nodes some are', async () => {
      // No node is seen to have a lease, so nobody waits for one.
      await cluster.query(`CREATE FUNCTION hide() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.leased := false; RETURN NEW; END';
        CREATE TRIGGER hide BEFORE INSERT OR UPDATE ON ds_node FOR EACH ROW EXECUTE FUNCTION hide()`)
      try {
        nodes = await startNodes(3, cluster.url())
        const { stale } = await race('c', rounds)
        assert(stale > 0)
      } finally {
        await cluster.query('DROP TRIGGER hide ON ds_node; DROP FUNCTION hide')
      }
    })
  })

  // A node listens to the channel of its own schema. So one whose schema has views of the tables hears nothing of the changes that nodes
  // of the tables' schema make, as if each notification were lost on its way.
  describe('of a node that no notification reaches', () => {
    const viewed = ['objects', 'lists', 'ds_meta', 'ds_node']
    const startDeaf = async (role, sql) => {
      const first = await startNodes(1, cluster.url())
      await cluster.query(`CREATE ROLE ${role} LOGIN SUPERUSER; CREATE SCHEMA ${role} AUTHORIZATION ${role}; ALTER ROLE ${role} SET search_path = ${role}, public`)
      for (const table of viewed) {
        await cluster.query(`CREATE VIEW ${role}.${table} AS SELECT * FROM public.${table}`)
      }
      await cluster.query(sql)
      nodes = [...first, ...await startNodes(1, cluster.url({ user: role }))]
    }

    it('are not stale, because it sees in its next renewal that one is missing', async () => {
      await startDeaf('deaf', 'CREATE VIEW deaf.ds_epoch AS SELECT * FROM public.ds_epoch')
      const { stale } = await race('d', 3)
      assert.strictEqual(stale, 0)
    })
    it('control: without the number of the last change in a renewal they are', async () => {
      await startDeaf('blind', 'CREATE TABLE blind.ds_epoch AS SELECT * FROM public.ds_epoch')
      const { stale } = await race('b', 3)
      assert(stale > 0)
    })
  })

  it('a node that is stopped delays one reset by its lease, and answers nothing stale afterwards', async () => {
    nodes = await startNodes(2, cluster.url())
    const [first, next] = [[], []]
    for (const [round, stoppedMs] of [1000, 1000, 10000].entries()) {
      const [accountid, sessionid] = [`account_s${round}`, `session_s${round}`]
      await makeAccount(nodes[0], { accountid, sessionid })
      const stop = await watch(nodes[1], sessionid)
      const stopped = Date.now()
      nodes[1].child.kill('SIGSTOP')
      const { at, took } = await nodes[0].resetAt(accountid)
      first.push(took)
      next.push((await nodes[0].resetAt(accountid)).took)
      await pause(stopped + stoppedMs - Date.now())
      nodes[1].child.kill('SIGCONT')
      await pause(300)
      const { lastAlive } = await stop()
      // One answer may have been computed before the stop, and be counted after it; it was asked for before the reset.
      assert(lastAlive < at, `${lastAlive - at} ms after the acknowledgement`)
      assert.strictEqual(await nodes[1].session(sessionid), false)
    }
    // A lease is 2 s. A busy machine adds to it, and may not mark the node in time for the next reset.
    assert(first.every((took) => took > 1500) && Math.min(...first) < 2800, first.join())
    assert(Math.min(...next) < 1000, next.join())
  })
  it('a node that reads from a primary that was replaced answers nothing', async () => {
    const old = await new Cluster().start()
    try {
      nodes = [startNode(old.url({ servers: [old.servers[0]] }), { SLED_COMMIT_SECONDS: '3' })]
      await nodes[0].open()
      await makeAccount(nodes[0], { accountid: 'account_o', sessionid: 'session_o' })
      const stop = await watch(nodes[0], 'session_o')
      nodes.push(...await startNodes(1, old.url({ servers: [await old.replacePrimary()] })))
      const { at } = await nodes[1].resetAt('account_o')
      await pause(2000)
      const { lastAlive } = await stop()
      assert(lastAlive < at, `${lastAlive - at} ms after the acknowledgement`)
      const error = await nodes[0].session('session_o').then(() => undefined, (error) => error)
      assert.strictEqual(error && error.code, 'ERR_STORE_UNAVAILABLE')
    } finally {
      await old.stop()
    }
  })
  it('an end of the whole application is in force on each node when it is acknowledged, the first one as well', async () => {
    nodes = await startNodes(3, cluster.url())
    await makeAccount(nodes[0], { accountid: 'account_e', sessionid: 'session_e' })
    for (const time of [1000, 2000, 3000]) {
      const sessionid = `session_e${time}`
      await makeSession(nodes[0], { accountid: 'account_e', sessionid, created: time })
      const stops = []
      for (const node of nodes.slice(1)) {
        assert.deepStrictEqual([await node.session(sessionid), await node.session(sessionid)], [true, true])
        stops.push(await watch(node, sessionid))
      }
      const { at } = await nodes[0].endBeforeAt(time + 1)
      for (const stop of stops) {
        const { lastAlive } = await stop()
        assert(lastAlive < at, `before ${time}: ${lastAlive - at} ms after the acknowledgement`)
      }
      for (const node of nodes) {
        assert.strictEqual(await node.session(sessionid), false)
      }
    }
  })
  it('a program that knows nothing of us ends what nodes have in memory', async () => {
    nodes = await startNodes(2, cluster.url())
    await makeAccount(nodes[0], { accountid: 'account_p', sessionid: 'session_p' })
    assert.strictEqual(await nodes[1].session('session_p'), true)
    await cluster.query("UPDATE objects SET contents = convert_to(replace(convert_from(contents, 'UTF8'), '\"sessionKeyNumber\":1', '\"sessionKeyNumber\":2,\"sessionKeyLastReset\":5'), 'UTF8') WHERE path = 'dashboard/account/account_p'")
    await until(async () => !(await nodes[1].session('session_p')), { seconds: 10 })
  })
})
