/* eslint-env mocha */
const assert = require('assert')
const { execFile, execFileSync, spawn } = require('child_process')
const fs = require('fs')
const os = require('os')
const path = require('path')
const addon = require('../index.js')
const { settings } = require('../lib/settings.js')

// The variables of all settings, for Dashboard's store and for the one of a module.
const variables = [
  ...Object.values(settings).map(({ variable }) => variable),
  ...['folder', 'url'].map((name) => `ORGANIZATIONS_${settings[name].variable}`)
]
const cleared = [...variables, 'NODE_ENV']

const tool = path.join(__dirname, '..', 'bin', 'dashboard-sled.js')
// The user nobody, as whom tests of root check permissions.
const nobody = { uid: 65534, gid: 65534 }

module.exports = { loadEntries, makeFolder, readEntries, rejection, runAsNobody, runNode, runTool, settingsOf, tool, useStore, variables, withStore }

// A new store for each test of the describe block that calls this. It is in a folder, or in the database that TEST_DATABASE_URL names
// (__test__/cluster).
function useStore () {
  const database = process.env.TEST_DATABASE_URL
  const context = {}
  let before
  context.open = async () => {
    context.storage = await addon.Storage.setup()
    context.storageList = await addon.StorageList.setup(context.storage)
  }
  // Nothing is in memory after this.
  context.reopen = async () => {
    await context.storage.close()
    await context.open()
  }
  beforeEach(async () => {
    before = cleared.map((name) => process.env[name])
    cleared.forEach((name) => delete process.env[name])
    context.folder = makeFolder()
    if (database) {
      process.env.SLED_DATABASE_URL = database
      // Three servers take their time for 256 MiB on a busy machine.
      process.env.SLED_COMMIT_SECONDS = '60'
    } else {
      process.env.SLED_PATH = path.join(context.folder, 'store')
    }
    process.env.NODE_ENV = 'testing'
    await context.open()
    if (database) {
      await context.storage.flush()
    }
  })
  afterEach(async () => {
    await context.storage.close()
    assert.deepStrictEqual(database ? [] : fs.readdirSync(path.join(context.folder, 'store', 'sled', 'blobs')), [])
    fs.rmSync(context.folder, { recursive: true })
    cleared.forEach((name, i) => {
      delete process.env[name]
      if (before[i] !== undefined) {
        process.env[name] = before[i]
      }
    })
  })
  return context
}

// The settings of a store for a process of its own: in a folder, or in the database, which that process has to empty.
function settingsOf (folder) {
  const database = process.env.TEST_DATABASE_URL
  return database ? { SLED_PATH: '', SLED_DATABASE_URL: database } : { SLED_PATH: folder }
}

function makeFolder () {
  return fs.mkdtempSync(path.join(os.tmpdir(), 'dashboard-sled-'))
}

// The error that a promise is rejected with; fails if the promise resolves.
async function rejection (promise) {
  let result
  try {
    result = await promise
  } catch (error) {
    return error
  }
  assert.fail(`expected an error, got ${String(result).substring(0, 100)}`)
}

// Runs a script of the fixtures in its own process; `ended` resolves to its exit code, signal and output.
function runNode (fixture, { env = {}, args = [], node = process.execPath, ...options } = {}) {
  const script = path.resolve(__dirname, 'fixtures', fixture)
  const child = spawn(node, [script, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    ...options
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (data) => { stdout += data })
  child.stderr.on('data', (data) => { stderr += data })
  const ended = new Promise((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
  return { child, ended }
}

// The same as the user nobody. It runs copies, because the project and Node may be in a folder that others cannot read, as in
// the home of root.
function runAsNobody (fixture, { env = {}, ...options } = {}) {
  const root = path.join(__dirname, '..')
  const folder = makeFolder()
  const binary = fs.readdirSync(root).filter((name) => name.endsWith('.node'))
  for (const name of ['index.js', 'native.js', 'package.json', 'lib', 'src', path.join('__test__', 'fixtures'), ...binary]) {
    fs.cpSync(path.join(root, name), path.join(folder, name), { recursive: true })
  }
  const node = path.join(folder, 'node')
  fs.copyFileSync(process.execPath, node)
  execFileSync('chmod', ['-R', 'a+rX', folder])
  const running = runNode(path.join(folder, '__test__', 'fixtures', fixture), { node, env, cwd: folder, ...nobody, ...options })
  return { ...running, ended: running.ended.finally(() => fs.rmSync(folder, { recursive: true })) }
}

// Runs the command-line tool to its end; `meanwhile` gets its process.
function runTool (args, { env = {}, input, meanwhile = () => {} } = {}) {
  const options = { env: { ...process.env, ...env }, timeout: 60000, maxBuffer: 1e9 }
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [tool, ...args], options, (error, stdout, stderr) => {
      resolve({ code: error ? error.code : 0, stdout, stderr })
    })
    child.stdin.end(input)
    meanwhile(child)
  })
}

// Opens the store in `folder` for `work`, and closes it; resolves to the value of `work`.
async function withStore (folder, work) {
  const store = await addon.open({ path: folder })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

// Loads entries into the store in `folder`, which is made if it is missing.
function loadEntries (folder, entries) {
  return withStore(folder, (store) => store.load(entries))
}

// All entries of the store in `folder`.
function readEntries (folder) {
  return withStore(folder, async (store) => {
    const found = []
    for await (const entry of store.entries()) {
      found.push(entry)
    }
    return found
  })
}
