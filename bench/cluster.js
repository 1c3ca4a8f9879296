// `npm run bench:cluster`: the engine for PostgreSQL on three servers of this machine, beside what it replaces: Dashboard's own engine
// for PostgreSQL on the same servers, and the one for Redis. It asserts nothing. The picture is in bench/results, or in the folder
// that OUTPUT names. COUNT accounts, each with a session, are used, and each measurement takes MILLISECONDS.
const fs = require('fs')
const os = require('os')
const path = require('path')
const { Client, Pool } = require('pg')
const { ACCOUNT, makeAccount, startNodes, watch } = require('../__test__/cluster/nodes.js')
const { Cluster, programs } = require('../__test__/cluster/servers.js')
const { pause } = require('../__test__/helpers/times.js')
const { drawCluster } = require('./charts.js')
const { HostModules, account, appid, records } = require('./host-modules.js')
const { install } = require('./install.js')
const { inspectMachine } = require('./machine.js')
const { alone, inFlight, summarize } = require('./measure.js')
const { RedisServer } = require('./redis-server.js')
const { ours } = require('./stores.js')

const count = Number(process.env.COUNT || 2000)
const milliseconds = Number(process.env.MILLISECONDS || 3000)
const output = process.env.OUTPUT || path.join(__dirname, 'results')
const lagRounds = Math.min(count, 300)
const width = 64
const titles = { redis: 'Redis, appendfsync always', old: 'Dashboard\'s engine for PostgreSQL' }

async function main () {
  if (!programs) {
    throw new Error('the server of PostgreSQL is missing: apt-get install postgresql')
  }
  const unavailable = await install({ names: ['redis-always'], groups: ['http'] })
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dashboard-sled-bench-'))
  // With fsync, as Redis has it here.
  const cluster = await new Cluster({ settings: ['fsync = on'] }).start()
  let nodes = []
  let redis
  try {
    await cluster.database('old')
    redis = await RedisServer.start(folder, ['--appendonly', 'yes', '--appendfsync', 'always'])
    const [get, change, lag, perSecond] = [[], [], [], {}]
    const row = (title, store, { p50, p99, p999 }) => ({ title, store, p50, p99, p999 })

    process.env.SLED_DATABASE_URL = cluster.url()
    const addon = require('../index.js')
    const storage = await addon.Storage.setup()
    await records(count, (file, text) => storage.write(file, text))
    // The standbys have caught up by then.
    await pause(2000)
    const reset = (i) => addon.ResetSessionKey.patch({ appid, query: { accountid: `account_${i % count}` } })
    const session = (i) => addon.Session.get({ appid, query: { sessionid: `session_${i % count}` } })
    const missed = await alone(session, Infinity, 1, count)
    get.push(row('dashboard-sled, from memory', ours, await alone(session, milliseconds, 100)))
    get.push(row('dashboard-sled, not in memory', ours, missed))
    change.push(row('dashboard-sled, one node', ours, await alone(reset, milliseconds, 1)))
    perSecond['dashboard-sled, one node'] = await inFlight(width, reset, milliseconds)

    nodes = await startNodes(2, cluster.url())
    await Promise.all(nodes.map((node) => node.read(`${appid}/account/account_0`)))
    await pause(1000)
    change.push(row('dashboard-sled, three nodes', ours, await alone(reset, milliseconds, 1)))
    perSecond['dashboard-sled, three nodes'] = await inFlight(width, reset, milliseconds)
    await storage.close()
    nodes.push(...await startNodes(1, cluster.url()))
    lag.push(row('dashboard-sled, three nodes', ours, await measureLag(nodes)))
    await Promise.all(nodes.splice(0).map((node) => node.end()))

    for (const [name, settings] of Object.entries({
      old: { STORAGE: '../storage-postgresql', DATABASE_URL: cluster.url({ servers: [cluster.servers[0]], database: 'old' }) },
      redis: { STORAGE: '@userdashboard/storage-redis', REDIS_URL: `redis://127.0.0.1:${redis.port}` }
    })) {
      const host = await HostModules.load(folder, settings)
      await records(count, (file, text) => host.write(file, text))
      get.push(row(titles[name], name, await alone((i) => host.session(i % count), milliseconds, 1)))
      change.push(row(titles[name], name, await alone((i) => host.reset(i % count), milliseconds, 1)))
      perSecond[titles[name]] = await inFlight(width, (i) => host.reset(i % count), milliseconds)
    }

    const connection = { connectionString: cluster.url({ servers: [cluster.servers[0]], database: 'old' }) }
    const client = new Client(connection)
    const pool = new Pool({ ...connection, max: width })
    await client.connect()
    await Promise.all(Array.from({ length: width }, () => pool.query('SELECT pg_sleep(0.05)')))
    const update = (on, i) => on.query({ name: 'update', text: 'UPDATE objects SET contents = $2 WHERE path = $1', values: [`${appid}/account/account_${i % count}`, Buffer.from(account(i % count))] })
    const both = (i) => client.query({ name: 'both', text: 'SELECT path, contents FROM objects WHERE path = ANY($1)', values: [[`${appid}/session/session_${i % count}`, `${appid}/account/account_${i % count}`]] })
    get.push(row('both records by pg, one statement', 'bare', await alone(both, milliseconds, 1)))
    get.push(row('a round trip of pg (SELECT 1)', 'bare', await alone(() => client.query({ name: 'one', text: 'SELECT 1' }), milliseconds, 1)))
    change.push(row('a bare UPDATE by pg', 'bare', await alone((i) => update(client, i), milliseconds, 1)))
    perSecond[`a bare UPDATE by pg, ${width} connections`] = await inFlight(width, (i) => update(pool, i), milliseconds)
    await client.end()
    await pool.end()

    const tables = [
      { title: '`Session.get`', rows: get },
      { title: 'A reset of the session key', rows: change },
      { title: 'From the call of a reset until no node lets the session in', rows: lag }
    ]
    print(tables, perSecond)
    if (unavailable.charts) {
      console.log(`no picture: ${unavailable.charts}`)
    } else {
      drawCluster({ machine: inspectMachine(os.tmpdir()), tables }, path.join(output, 'cluster.svg'))
    }
  } finally {
    await Promise.all(nodes.map((node) => node.end()))
    // Dashboard's own engines throw when their server is gone.
    process.on('uncaughtException', () => {})
    await cluster.stop()
    redis?.child.kill('SIGKILL')
    fs.rmSync(folder, { recursive: true, maxRetries: 10 })
  }
}

// The last node resets, and the others are asked once in a millisecond: without a pause they would take the processors.
async function measureLag (nodes) {
  const times = []
  for (let round = 0; round < lagRounds; round++) {
    const [accountid, sessionid] = [`${ACCOUNT}_${round}`, `session_lag_${round}`]
    const last = nodes[nodes.length - 1]
    await makeAccount(last, { accountid, sessionid })
    const watched = await Promise.all(nodes.slice(0, -1).map((node) => watch(node, sessionid, 1)))
    const { at, took } = await last.resetAt(accountid)
    await pause(5)
    const results = await Promise.all(watched.map((stop) => stop()))
    // On a logarithmic scale nothing is 0.
    times.push(1000 * Math.max(0.001, ...results.map(({ lastAlive }) => lastAlive - (at - took))))
  }
  return summarize(times)
}

function print (tables, perSecond) {
  const shown = (microseconds) => `${(microseconds / 1000).toPrecision(3)} ms`
  for (const { title, rows } of tables) {
    console.log(title)
    console.table(Object.fromEntries(rows.map(({ title, p50, p99, p999 }) => [title, { '50 %': shown(p50), '99 %': shown(p99), '99.9 %': shown(p999) }])))
  }
  console.log(`Resets per second, ${width} in flight`)
  console.table(Object.fromEntries(Object.entries(perSecond).map(([title, result]) => [title, Math.round(result.perSecond)])))
}

main().then(() => process.exit(), (error) => {
  console.error(error)
  process.exit(1)
})
