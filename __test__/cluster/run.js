// `npm run test:cluster`: the engine for PostgreSQL, on real servers on loopback. CLUSTER_ONLY=host,failover runs these parts;
// CLUSTER=long tries more. The last line counts all of it. Two parts run at a time: one that works beside one that waits.
const { spawn } = require('child_process')
const fs = require('fs')
const path = require('path')
const { runOrganizations } = require('../contract/organizations.js')
const { runContract } = require('../contract/run.js')
const { Cluster, programs } = require('./servers.js')

const root = path.join(__dirname, '..', '..')
const isLong = process.env.CLUSTER === 'long'
// Tests of the embedded engine that hold for any engine.
const shared = ['audit', 'differential', 'gate', 'random-calls', 'session-limit', 'sessions', 'stale-writes', 'storage', 'storage-list', 'storage-object', 'storage-read']
const own = fs.readdirSync(__dirname).filter((name) => name.endsWith('.test.js')).map((name) => name.replace('.test.js', ''))

const working = ['host', 'organizations', 'shared', 'engines']

const parts = {
  host: () => withCluster((cluster) => runContract(root, (port) => cluster.database(`host_${port}`))),
  organizations: () => withCluster((cluster) => runOrganizations(root, cluster.url())),
  shared: () => withCluster((cluster) => runMocha(shared.map((name) => path.join('__test__', `${name}.test.js`)), {
    TEST_DATABASE_URL: cluster.url(),
    RACES: isLong ? '400' : '20',
    RUNS: isLong ? '150' : '40',
    STATES: isLong ? '20000' : '2000'
  })),
  ...Object.fromEntries(own.map((name) => [name, () => runMocha([path.join('__test__', 'cluster', `${name}.test.js`)])]))
}

async function main () {
  const only = process.env.CLUSTER_ONLY ? process.env.CLUSTER_ONLY.split(',') : Object.keys(parts)
  const unknown = only.filter((name) => !parts[name])
  if (unknown.length) {
    throw new Error(`CLUSTER_ONLY: there is no ${unknown}, only ${Object.keys(parts).join(', ')}`)
  }
  const total = { passed: 0, failed: 0, skipped: 0 }
  if (!programs) {
    total[process.env.CI ? 'failed' : 'skipped']++
    console.warn('SKIPPED: the engine for PostgreSQL, since its server is missing: apt-get install postgresql')
  }
  const rows = []
  const runAll = async (names) => {
    for (const name of names) {
      const started = Date.now()
      const count = await parts[name]()
      for (const kind in total) {
        total[kind] += count[kind] || 0
      }
      rows.push({ part: name, passed: 0, failed: 0, skipped: 0, ...count, seconds: Math.round((Date.now() - started) / 1000) })
    }
  }
  const possible = programs ? only : []
  await Promise.all([
    runAll(possible.filter((name) => working.includes(name))),
    runAll(possible.filter((name) => !working.includes(name)))
  ])
  console.table(rows)
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
  process.exitCode = total.failed ? 1 : 0
}

async function withCluster (work) {
  const cluster = new Cluster()
  try {
    return await work(await cluster.start())
  } finally {
    await cluster.stop()
  }
}

function runMocha (files, env = {}) {
  const args = [path.join(root, 'node_modules', 'mocha', 'bin', 'mocha.js'), '--exit', '--timeout', '60000', ...files]
  const child = spawn(process.execPath, args, { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => { output += text })
  }
  return new Promise((resolve) => child.on('close', (code, signal) => {
    // At once, because another part runs beside it.
    process.stdout.write(output)
    const number = (word) => Number((new RegExp(`^ +(\\d+) ${word}`, 'm').exec(output) || [])[1] || 0)
    const count = { passed: number('passing'), failed: number('failing'), skipped: number('pending') }
    if (code !== 0 && !count.failed) {
      console.error(`mocha ended with ${signal || code} before it said which test failed`)
      count.failed = 1
    }
    resolve(count)
  }))
}

main()
