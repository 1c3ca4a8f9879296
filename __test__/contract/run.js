// Runs the host's own suite on our engine, every variant in a process and a store of its own.
const { spawn } = require('child_process')
const fs = require('fs')
const os = require('os')
const path = require('path')

const { freePort } = require('./free-port.js')
const { host, makeApplication } = require('./make-application.js')
const { secrets } = require('../helpers/secret.js')

// Number of tests in Dashboard's suite, in the supported version; fewer means that some did not run.
const expected = 534
const limit = 10 * 60 * 1000
const variants = {
  plain: { modules: [], env: {} },
  encrypted: { modules: [], env: secrets },
  'plain, with our module': { modules: ['dashboard-sled'], env: {} },
  'encrypted, with our module': { modules: ['dashboard-sled'], env: secrets }
}

module.exports = { runContract, runMocha }

// The host's proxy test takes any of the 10,000 ports above the one it is given: so two variants run at a time, side
// by side since they wait more than they work, and each has these ports for itself.
const ports = [1100, 11200]

// With `makeUrl` each variant has the store in the database that it returns for the variant's first port.
async function runContract (root, makeUrl = async () => undefined) {
  const total = { passed: 0, failed: 0 }
  const titles = Object.keys(variants)
  for (let first = 0; first < titles.length; first += ports.length) {
    const counts = ports.map(async (port, i) => runVariant(root, titles[first + i], port, await makeUrl(port)))
    for (const { passed, failed } of await Promise.all(counts)) {
      total.passed += passed
      total.failed += failed
    }
  }
  return total
}

// With `url` the store is in that database, else in a folder of its own.
async function runVariant (root, title, port, url) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dashboard-sled-contract-'))
  const store = path.join(folder, 'store')
  makeApplication(folder, variants[title].modules)
  const files = [path.join(host, 'src', '*.test.js'), path.join(host, 'src', 'www', 'api', '**', '*.test.js')]
  const result = await runMocha(root, title, expected, folder, ['--file', 'main.js', ...files], {
    ...variants[title].env,
    ...(url ? { SLED_DATABASE_URL: url } : { SLED_PATH: store }),
    PORT: String(await freePort(port))
  })
  const { passed } = result
  let { failed } = result
  if (url) {
    fs.rmSync(folder, { recursive: true })
    return { passed, failed }
  }
  const blobs = path.join(store, 'sled', 'blobs')
  const left = fs.existsSync(blobs) ? fs.readdirSync(blobs) : ['no store at all']
  if (left.length) {
    console.error(`${title}: sled wrote values outside its log, where they are never synced: ${left}`)
    failed++
  }
  fs.rmSync(folder, { recursive: true })
  return { passed: passed + (left.length ? 0 : 1), failed }
}

// Runs tests of the host or a module in an application; says how many of those that are expected have passed.
async function runMocha (root, title, expected, folder, files, env) {
  const mocha = path.join(root, 'node_modules', 'mocha', 'bin', 'mocha.js')
  const output = await collect([mocha, '--exit', '--timeout', '60000', '--reporter', 'dot', ...files], folder, {
    ...process.env,
    NODE_ENV: 'testing',
    STORAGE: 'dashboard-sled',
    GENERATE_SITEMAP_TXT: 'false',
    GENERATE_API_TXT: 'false',
    GENERATE_ENV_TXT: 'false',
    ...env
  })
  const passed = Number((/(\d+) passing/.exec(output) || [])[1] || 0)
  const failed = Math.max(expected - passed, Number((/(\d+) failing/.exec(output) || [])[1] || 0))
  console.log(`${title}: ${passed} of ${expected}`)
  if (failed) {
    console.log(output)
  }
  return { passed, failed }
}

function collect (args, cwd, env) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    const timer = setTimeout(() => child.kill('SIGKILL'), limit)
    let output = ''
    child.stdout.on('data', (data) => { output += data })
    child.stderr.on('data', (data) => { output += data })
    child.on('close', () => {
      clearTimeout(timer)
      resolve(output)
    })
  })
}
