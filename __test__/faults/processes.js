// The processes that the faults happen to, and the folders they work in; nothing here waits for ever.
const childProcess = require('child_process')
const fs = require('fs')
const os = require('os')
const path = require('path')
const readline = require('readline')
const Ledger = require('./ledger.js')

const LIMIT_MS = 120000
const fixtures = path.join(__dirname, 'fixtures')

module.exports = { checked, copyStore, inFolder, kill, missing, run, startResets, withCleanup }

const running = new Set()
const cleanups = []
// Whichever way this process ends: a stopped child would stay for ever, a mount as well.
process.on('exit', () => {
  running.forEach((child) => child.kill('SIGKILL'))
  cleanups.splice(0).reverse().forEach((cleanup) => cleanup())
})
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => process.exit(1))
}

const options = { accounts: 5, inFlight: 1 }

// Calls `work`, then `cleanup`, whatever happens meanwhile.
async function withCleanup (work, cleanup) {
  cleanups.push(cleanup)
  try {
    return await work()
  } finally {
    cleanups.splice(cleanups.indexOf(cleanup), 1)
    cleanup()
  }
}

// Calls `work` with a folder of its own and a ledger in it.
async function inFolder (work) {
  const folder = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), 'dashboard-sled-faults-'))
  const ledger = new Ledger(path.join(folder, 'acknowledged'))
  return withCleanup(() => work(folder, ledger), () => {
    ledger.close()
    fs.rmSync(folder, { recursive: true, force: true })
  })
}

// fixtures/resets.js on the store in `folder`. `said` resolves to its next message, `ended` when it is gone.
function startResets (folder, ledger, given = {}, { env = {}, prefix = [] } = {}) {
  const argument = JSON.stringify({ ...options, sessions: ledger.someSessions(), ...given })
  const [command, ...args] = [...prefix, process.execPath, path.join(fixtures, 'resets.js'), argument]
  const child = childProcess.spawn(command, args, {
    // The warnings say what an open has repaired, which here is every second one.
    env: { ...clean(process.env), NODE_NO_WARNINGS: '1', ...env, SLED_PATH: folder },
    stdio: ['pipe', 'pipe', 'inherit', ledger.descriptor]
  })
  running.add(child)
  child.on('close', () => running.delete(child))
  // It may be killed before it reads.
  child.stdin.on('error', () => {})
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ended = limited(new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal }))
  }), child)
  ended.catch(() => {})
  return {
    child,
    ended,
    goOn: () => child.stdin.write('\n'),
    // Undefined when it ends without a word.
    said: async () => {
      const { value } = await limited(lines.next(), child)
      return value && JSON.parse(value)
    }
  }
}

// Opens a store again, makes `options.count` resets, and returns the problems of the store.
async function checked (store, ledger, options) {
  const resets = startResets(store, ledger, options)
  const problems = ledger.problems(await resets.said() || { error: 'it ended without a word' })
  const { code } = await resets.ended
  const done = ledger.update()
  return code || done < options.count ? [...problems, `the next resets ended with ${code}`] : problems
}

function clean ({ CACHE, NODE_ENV, SLED_CACHE_MB, ...env }) {
  return env
}

async function kill ({ child, ended }, signal = 'SIGKILL') {
  child.kill(signal)
  return ended
}

// The promise's result, or an error once the time is over; the child goes with it.
async function limited (promise, child, ms = LIMIT_MS) {
  let timer
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`${child.spawnargs.slice(0, 2).join(' ')} took longer than ${ms} ms`))
    }, ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

// Runs a command to its end, and throws what it said on failure.
function run (command, ...args) {
  const { error, status, stdout, stderr } = childProcess.spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
    timeout: LIMIT_MS
  })
  if (error || status !== 0) {
    throw new Error(`${command} ${args[0]}: ${error ? error.message : stderr.trim()}`)
  }
  return stdout
}

// The commands of this list that are not there, as a reason to skip; undefined if none.
function missing (...commands) {
  if (process.platform !== 'linux') {
    return 'only on Linux'
  }
  const folders = `${process.env.PATH}:/usr/sbin:/sbin`.split(':')
  const gone = commands.filter((command) => !folders.some((folder) => fs.existsSync(path.join(folder, command))))
  return gone.length ? `missing: ${gone.join(', ')}` : undefined
}

// The store at `from` as it is, in place of what stood at `to`.
function copyStore (from, to) {
  fs.rmSync(to, { recursive: true, force: true })
  fs.cpSync(from, to, { recursive: true })
}
