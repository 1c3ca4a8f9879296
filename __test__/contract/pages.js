// Runs the host's page tests in a real browser, on our engine and with our module in place.
const { spawn, spawnSync } = require('child_process')
const fs = require('fs')
const os = require('os')
const path = require('path')
const { chromium, noChromium } = require('./find-chromium.js')
const { freePort } = require('./free-port.js')
const { host, makeApplication } = require('./make-application.js')

const minute = 60 * 1000
// Number of tests in the supported version; fewer means that some did not run.
const selections = {
  some: {
    files: [
      ...['session', 'sessions', 'reset-session-key'].map((page) => `administrator/${page}.test.js`),
      ...['sessions', 'end-all-sessions', 'signin'].map((page) => `account/${page}.test.js`)
    ],
    expected: 25,
    limit: 10 * minute
  },
  all: { files: ['account/*.test.js', 'administrator/*.test.js'], expected: 298, limit: 60 * minute }
}

module.exports = { runPages }

async function runPages (root, { all = false } = {}) {
  if (!chromium) {
    const reason = `the pages were not tested, ${noChromium}`
    console.warn(`SKIPPED: ${reason}`)
    return { passed: 0, failed: 0, skipped: 1, reason }
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dashboard-sled-pages-'))
  try {
    makeApplication(folder, ['dashboard-sled'])
    const env = makeEnvironment(folder, chromium, await freePort())
    const problem = tryBrowser(chromium, folder) || tryHost(folder, env)
    if (problem) {
      console.error(problem)
      return { passed: 0, failed: 1, skipped: 0 }
    }
    return await runSelection(root, folder, env, all ? selections.all : selections.some)
  } finally {
    fs.rmSync(folder, { recursive: true, maxRetries: 10 })
  }
}

function makeEnvironment (folder, chromium, port) {
  return {
    ...process.env,
    CHROMIUM_EXECUTABLE: chromium,
    NODE_ENV: 'testing',
    STORAGE: 'dashboard-sled',
    SLED_PATH: path.join(folder, 'store'),
    // Files that the browser leaves behind are removed with the folder.
    TMPDIR: folder,
    PORT: String(port),
    GENERATE_SITEMAP_TXT: 'false',
    GENERATE_API_TXT: 'false',
    GENERATE_ENV_TXT: 'false'
  }
}

// The host's tests start the browser and the host again and again until it succeeds, without a word.
function tryBrowser (chromium, folder) {
  const flags = ['--headless', '--no-sandbox', '--disable-dev-shm-usage', `--user-data-dir=${path.join(folder, 'profile')}`]
  const { error, stdout, stderr } = spawnSync(chromium, [...flags, '--dump-dom', 'about:blank'], { encoding: 'utf8', timeout: minute })
  return /<html>/.test(stdout) ? '' : `${chromium} does not start: ${error || stderr}`
}

function tryHost (folder, env) {
  const script = 'require("@userdashboard/dashboard").start(process.cwd())'
  const options = { cwd: folder, env: { ...env, EXIT_ON_START: 'true' }, encoding: 'utf8', timeout: minute }
  const { status, error, stderr } = spawnSync(process.execPath, ['-e', script], options)
  return status === 0 ? '' : `Dashboard does not start: ${error || stderr}`
}

async function runSelection (root, folder, env, { files, expected, limit }) {
  const args = [
    path.join(root, 'node_modules', 'mocha', 'bin', 'mocha.js'),
    ...['--exit', '--require', path.join(__dirname, 'chromium-shim.js'), '--file', 'main.js'],
    ...['--timeout', '60000', '--reporter', 'dot'],
    ...files.map((file) => path.join(host, 'src', 'www', file))
  ]
  const output = await collect(args, { cwd: folder, env }, limit)
  const passed = Number((/(\d+) passing/.exec(output) || [])[1] || 0)
  const failed = Math.max(expected - passed, Number((/(\d+) failing/.exec(output) || [])[1] || 0))
  console.log(`pages: ${passed} of ${expected}`)
  return { passed, failed, skipped: 0 }
}

function collect (args, options, limit) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    // The first lets it end its browser; it hears nothing when its loop is blocked.
    const timers = [
      setTimeout(() => child.kill('SIGTERM'), limit),
      setTimeout(() => child.kill('SIGKILL'), limit + minute / 6)
    ]
    let output = ''
    for (const [from, to] of [[child.stdout, process.stdout], [child.stderr, process.stderr]]) {
      from.on('data', (data) => {
        output += data
        to.write(data)
      })
    }
    child.on('close', () => {
      timers.forEach(clearTimeout)
      resolve(output)
    })
  })
}

async function main () {
  const count = await runPages(path.join(__dirname, '..', '..'), { all: true })
  console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`)
  process.exitCode = count.failed ? 1 : 0
}

if (require.main === module) {
  main()
}
