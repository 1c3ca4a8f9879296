// `npm run bench:cluster-lists`: the first page, a far page and the count of a list of 700,000 items in PostgreSQL, without its directory
// and with it. It asserts nothing. With ITEMS the list is shorter; up to 2,000 items it gets no directory.
const { Client } = require('pg')
const { Cluster, programs } = require('../__test__/cluster/servers.js')
const { until } = require('../__test__/helpers/times.js')

const length = Number(process.env.ITEMS || 700000)
const far = Math.round(length * 0.7)
const calls = 300

async function main () {
  if (!programs) {
    throw new Error('the server of PostgreSQL is missing: apt-get install postgresql')
  }
  const cluster = await new Cluster().start()
  try {
    const addon = require('../index.js')
    const store = await addon.open({ url: cluster.url() })
    // Items of this list and of others alternate, as those of sessions and of the accounts that they belong to do.
    await cluster.query(`INSERT INTO lists (path, objectid) SELECT p, 'session_' || n FROM generate_series(1, ${length}) n, LATERAL (VALUES ('sessions'), ('account/' || n % 20000)) t (p)`)
    await cluster.query('VACUUM ANALYZE lists')
    const client = new Client({ connectionString: cluster.url({ servers: [cluster.servers[0]] }) })
    // A failure of a call is told by the call, not by the end of the server that follows it.
    client.on('error', () => {})
    await client.connect()
    const rows = []
    const note = async (what, call) => rows.push({ what, ...await percentiles(call) })
    await note('a round trip of pg (SELECT 1)', () => client.query({ name: 'one', text: 'SELECT 1' }))
    await note('the first page', () => store.lists.list('sessions', 0, 10))
    await note(`a page at ${far.toLocaleString('en')}, plain`, () => client.query({ name: 'page', text: "SELECT objectid FROM lists WHERE path = 'sessions' ORDER BY listid DESC OFFSET $1 LIMIT 10", values: [far] }))
    await note('the count, plain', () => client.query({ name: 'count', text: "SELECT count(*) FROM lists WHERE path = 'sessions'" }))
    const begun = Date.now()
    await store.lists.count('sessions')
    await until(async () => (await client.query('SELECT FROM ds_list WHERE is_counted')).rowCount > 0, { seconds: 60 })
    console.log(`the directory was made in ${Date.now() - begun} ms`)
    await note(`a page at ${far.toLocaleString('en')}, with a directory`, () => store.lists.list('sessions', far, 10))
    await note('the count, with a directory', () => store.lists.count('sessions'))
    await note('an addition to the long list', (i) => store.lists.add('sessions', `new_${i}`))
    await note('an addition to a short list', (i) => store.lists.add('short', `new_${i}`))
    await note('the count after 300 additions', () => store.lists.count('sessions'))
    console.table(rows)
    await client.end()
    await store.close()
  } finally {
    await cluster.stop()
  }
}

async function percentiles (call) {
  const times = []
  for (let i = 0; i < calls; i++) {
    const begun = performance.now()
    await call(i)
    times.push(performance.now() - begun)
  }
  times.sort((a, b) => a - b)
  const at = (part) => `${times[Math.floor((times.length - 1) * part)].toFixed(3)} ms`
  return { p50: at(0.5), p99: at(0.99) }
}

main().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
