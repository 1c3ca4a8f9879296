// `npm run bench:cluster`: the engine for PostgreSQL on three servers of this machine, beside bare statements on the same quorum.
// It asserts nothing.
const { Client, Pool } = require('pg')
const { Cluster, programs } = require('../__test__/cluster/servers.js')
const { startNodes } = require('../__test__/cluster/nodes.js')

const count = Number(process.env.COUNT || 2000)
const inFlight = 64

async function main () {
  if (!programs) {
    throw new Error('the server of PostgreSQL is missing: apt-get install postgresql')
  }
  const cluster = await new Cluster().start()
  let nodes = []
  try {
    process.env.SLED_DATABASE_URL = cluster.url()
    const addon = require('../index.js')
    const storage = await addon.Storage.setup()
    const reset = (i) => addon.ResetSessionKey.patch({ appid: 'dashboard', query: { accountid: `account_${i}` } })
    const session = (i) => addon.Session.get({ appid: 'dashboard', query: { sessionid: `session_${i}` } })
    const account = (i) => JSON.stringify({ object: 'account', accountid: `account_${i}`, sessionKey: 'k'.repeat(64), sessionKeyNumber: 1, passwordHash: 'p'.repeat(60), usernameHash: 'u'.repeat(128), createdAt: 1 })
    await Promise.all(Array.from({ length: count }, (_, i) => i).flatMap((i) => [
      storage.write(`dashboard/account/account_${i}`, account(i)),
      storage.write(`dashboard/session/session_${i}`, JSON.stringify({ object: 'session', sessionid: `session_${i}`, accountid: `account_${i}`, tokenHash: 't'.repeat(128), expires: 4102444800, sessionKeyNumber: 1, createdAt: 1 }))
    ]))
    await cluster.query('CREATE TABLE bare AS SELECT path, contents FROM objects')
    await cluster.query('ALTER TABLE bare ADD PRIMARY KEY (path)')
    const client = new Client({ connectionString: cluster.url({ servers: [cluster.servers[0]] }) })
    await client.connect()
    const update = { name: 'update', text: 'UPDATE bare SET contents = $2 WHERE path = $1' }
    const row = (i) => [`dashboard/account/account_${i}`, Buffer.from(account(i))]
    const rows = []
    const note = (what, times) => rows.push({ what, ...percentiles(times) })

    note('a round trip of pg (SELECT 1)', await each(count, () => client.query({ name: 'one', text: 'SELECT 1' })))
    note('Session.get, not in memory', await each(count, session))
    note('Session.get, from memory', await each(count, session))
    note('a bare UPDATE of pg', await each(500, (i) => client.query({ ...update, values: row(i) })))
    note('a reset, one node', await each(500, reset))
    const pool = new Pool({ connectionString: cluster.url({ servers: [cluster.servers[0]] }), max: inFlight })
    await Promise.all(Array.from({ length: inFlight }, () => pool.query('SELECT pg_sleep(0.05)')))
    const bare = await together((i) => pool.query({ ...update, values: row(i % count) }))
    const own = await together((i) => reset(i % count))
    await pool.end()
    nodes = await startNodes(2, cluster.url())
    await Promise.all(nodes.map((node) => node.read('dashboard/account/account_0')))
    await new Promise((resolve) => setTimeout(resolve, 1000))
    note('a reset, three nodes', await each(500, reset))
    const three = await together((i) => reset(i % count))
    console.table(rows)
    console.log(`${inFlight} in flight, in changes per second: bare UPDATE ${bare}, resets ${own}, resets with three nodes ${three}`)
    await client.end()
    await storage.close()
  } finally {
    await Promise.all(nodes.map((node) => node.end()))
    await cluster.stop()
  }
}

async function each (number, call) {
  const times = []
  for (let i = 0; i < number; i++) {
    const begun = performance.now()
    await call(i)
    times.push(performance.now() - begun)
  }
  return times
}

// Changes per second with so many in flight, for three seconds.
async function together (call) {
  const begun = performance.now()
  let done = 0
  let next = 0
  await Promise.all(Array.from({ length: inFlight }, async () => {
    while (performance.now() - begun < 3000) {
      await call(next++)
      done++
    }
  }))
  return Math.round(done / (performance.now() - begun) * 1000)
}

function percentiles (times) {
  times.sort((a, b) => a - b)
  const at = (part) => `${times[Math.floor((times.length - 1) * part)].toFixed(3)} ms`
  return { p50: at(0.5), p99: at(0.99) }
}

main().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
