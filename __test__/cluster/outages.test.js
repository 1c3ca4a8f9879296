/* eslint-env mocha */
const assert = require('assert')
const crypto = require('crypto')
const fs = require('fs')
const os = require('os')
const path = require('path')
const { Client } = require('pg')
const { mount, skipIf, unmount } = require('../helpers/mount.js')
const { ACCOUNT, makeAccount, startNode, startNodes } = require('./nodes.js')
const { Resets } = require('./resets.js')
const { Cluster } = require('./servers.js')
const { until } = require('../helpers/times.js')

// Troubles that an operator meets. Calls fail with an error that names the reason, and go on by themselves when it is gone.
describe('a server that cannot work for a while', function () {
  this.timeout(180000)
  let cluster
  let nodes = []
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map((node) => node.end()))
    await cluster?.stop()
    cluster = undefined
  })
  const failure = (call) => call.then((result) => assert.fail(`it succeeded: ${result}`), (error) => error)
  const fails = async (call, code, words) => {
    const error = await failure(call)
    assert.strictEqual(error.code, code, error.detail)
    assert.match(error.detail, words)
    assert(!error.detail.includes('a-secret'), error.detail)
  }
  const goesOn = (node) => until(async () => (await node.reset(ACCOUNT).catch(() => 0)) > 1, { seconds: 60 })

  it('because its disk is full', async function () {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dashboard-sled-full-'))
    try {
      cluster = new Cluster({ primaryData: folder, settings: ['wal_keep_size = 64MB', 'min_wal_size = 32MB', 'max_wal_size = 64MB'] })
      const { uid = process.getuid(), gid = process.getgid() } = cluster.owner
      skipIf(this, mount('-t', 'tmpfs', '-o', `size=240m,uid=${uid},gid=${gid},mode=700`, 'tmpfs', folder))
      await cluster.start()
      nodes = await startNodes(1, cluster.url())
      const [node] = nodes
      await makeAccount(node)
      const written = []
      let refused
      while (!refused) {
        assert(written.length < 240)
        const text = crypto.randomBytes(500000).toString('hex')
        await node.write(`file/${written.length}`, text).then(() => written.push(text), (error) => { refused = error })
      }
      console.log(`      ${written.length} MB written, then ${refused.detail}`)
      await fails(Promise.reject(refused), 'ERR_STORE_POSTGRES', /No space left on device/)
      // The lease is a change as well. It may still find room.
      await node.session('session_1').then((isIn) => assert.strictEqual(isIn, true), (error) => assert.match(error.detail, /No space left on device|cannot be reached/))
      skipIf(this, mount('-o', 'remount,size=480m', folder))
      const [primary] = cluster.servers
      await until(async () => {
        // A server without room for its journal ends.
        primary.child.exitCode !== null && await cluster.launch(primary)
        return await node.reset(ACCOUNT).catch(() => 0) > 1
      }, { seconds: 60 })
      await node.write('file/after', 'x')
      for (const [i, text] of written.entries()) {
        assert.strictEqual(await node.read(`file/${i}`), text)
      }
    } finally {
      await Promise.all(nodes.splice(0).map((node) => node.end()))
      await cluster.stop()
      cluster = undefined
      unmount(folder)
      fs.rmdirSync(folder)
    }
  })
  it('because all connections are in use', async () => {
    cluster = await new Cluster({ standbys: 1, settings: ['max_connections = 14'] }).start()
    await addUser('trust')
    const url = cluster.url({ servers: [cluster.servers[0]], user: 'app' })
    const node = startNode(url, { SLED_COMMIT_SECONDS: '2' })
    nodes.push(node)
    await node.open()
    await makeAccount(node)
    const held = []
    const holdAll = async () => {
      for (;;) {
        const client = new Client({ connectionString: url })
        client.on('error', () => {})
        try {
          await client.connect()
        } catch (error) {
          return
        }
        held.push(client)
      }
    }
    await holdAll()
    // It has its own.
    assert.strictEqual(await node.reset(ACCOUNT), 2)
    node.child.kill('SIGSTOP')
    await cluster.query("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'dashboard-sled'")
    await holdAll()
    node.child.kill('SIGCONT')
    const late = startNode(url)
    nodes.push(late)
    const calls = [node.reset(ACCOUNT), node.session('session_1'), node.read('x'), late.open()]
    await Promise.all(calls.map((call) => fails(call, 'ERR_STORE_UNAVAILABLE', /connection slots|too many clients/)))
    await Promise.all(held.map((client) => client.end()))
    await goesOn(node)
    assert.strictEqual(await node.session('session_1'), false)
  })
  it('because the password was changed', async () => {
    cluster = await new Cluster({ standbys: 1 }).start()
    await addUser('scram-sha-256')
    nodes = await startNodes(1, cluster.url({ user: 'app:a-secret' }), { SLED_COMMIT_SECONDS: '2' })
    const [node] = nodes
    await makeAccount(node)
    await cluster.query("ALTER ROLE app PASSWORD 'another'")
    // Open connections last.
    assert.strictEqual(await node.reset(ACCOUNT), 2)
    await cluster.query("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'dashboard-sled'")
    const calls = [node.reset(ACCOUNT), node.session('session_1'), node.read('x')]
    await Promise.all(calls.map((call) => fails(call, 'ERR_STORE_DATABASE', /refuses the user \(password authentication failed for user "app"/)))
    await cluster.query("ALTER ROLE app PASSWORD 'a-secret'")
    await goesOn(node)
    assert.strictEqual(await node.session('session_1'), false)
  })
  it('because it is started again, as for new settings', async () => {
    cluster = await new Cluster().start()
    const resets = await Resets.begin(cluster.url())
    nodes.push(...resets.nodes)
    for (const server of cluster.servers) {
      await resets.more(20)
      // A fast shutdown.
      server.child.kill('SIGINT')
      await server.ended
      await cluster.launch(server)
    }
    await resets.more(20)
    await resets.stop()
    const [lost, alive] = [await resets.countLost((sql) => cluster.query(sql)), await resets.countAlive()]
    console.log(`      ${resets.acknowledged} acknowledged, ${lost} lost, longest wait ${resets.longest} ms`)
    assert.deepStrictEqual({ lost, alive }, { lost: 0, alive: 0 })
  })

  // A user that is not a superuser, for whom some connections are reserved.
  async function addUser (method) {
    const [primary] = cluster.servers
    await cluster.query("CREATE ROLE app LOGIN PASSWORD 'a-secret'; ALTER DATABASE dashboard OWNER TO app; ALTER SCHEMA public OWNER TO app")
    const file = path.join(primary.data, 'pg_hba.conf')
    fs.writeFileSync(file, `host all app 127.0.0.1/32 ${method}\n${fs.readFileSync(file, 'utf8')}`)
    await cluster.query('SELECT pg_reload_conf()')
    await until(async () => (await cluster.query("SELECT auth_method FROM pg_hba_file_rules WHERE 'app' = ANY(user_name)"))[0]?.auth_method === method, { seconds: 60 })
  }
})
