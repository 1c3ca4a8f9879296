/* eslint-env mocha */
const assert = require('assert')
const { execFile, execFileSync, spawn } = require('child_process')
const fs = require('fs')
const os = require('os')
const path = require('path')
const addon = require('../index.js')

const settings = ['CACHE', 'NODE_ENV', 'SLED_CACHE_MB', 'SLED_COMMIT_SECONDS', 'SLED_PATH', 'SLED_PURGE_AFTER', 'ORGANIZATIONS_SLED_PATH']

// The user nobody, for whom tests that run as root look at what others may do.
const nobody = { uid: 65534, gid: 65534 }

module.exports = { makeFolder, rejection, runAsNobody, runNode, runTool, useStore, withStore }

// A store of its own for every test of the describe block that calls this.
function useStore () {
  const context = {}
  let before
  context.open = async () => {
    context.storage = await addon.Storage.setup()
    context.storageList = await addon.StorageList.setup(context.storage)
  }
  // From here on nothing is in memory any more.
  context.reopen = async () => {
    await context.storage.close()
    await context.open()
  }
  beforeEach(async () => {
    before = settings.map((name) => process.env[name])
    settings.forEach((name) => delete process.env[name])
    context.folder = makeFolder()
    process.env.SLED_PATH = path.join(context.folder, 'store')
    process.env.NODE_ENV = 'testing'
    await context.open()
  })
  afterEach(async () => {
    await context.storage.close()
    assert.deepStrictEqual(fs.readdirSync(path.join(context.folder, 'store', 'sled', 'blobs')), [])
    fs.rmSync(context.folder, { recursive: true })
    settings.forEach((name, i) => {
      delete process.env[name]
      if (before[i] !== undefined) {
        process.env[name] = before[i]
      }
    })
  })
  return context
}

function makeFolder () {
  return fs.mkdtempSync(path.join(os.tmpdir(), 'dashboard-sled-'))
}

// The error that a promise is rejected with; a promise that is kept is a failure.
async function rejection (promise) {
  let result
  try {
    result = await promise
  } catch (error) {
    return error
  }
  assert.fail(`expected an error, got ${String(result).substring(0, 100)}`)
}

// Runs a script of the fixtures in a process of its own; resolves to how it ended and what it said.
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

// The same as the user nobody. It runs copies: the project may lie where others cannot look, as in the home of root, and so may Node.
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
  const tool = path.join(__dirname, '..', 'bin', 'dashboard-sled.js')
  const options = { env: { ...process.env, ...env }, timeout: 60000, maxBuffer: 1e9 }
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [tool, ...args], options, (error, stdout, stderr) => {
      resolve({ code: error ? error.code : 0, stdout, stderr })
    })
    child.stdin.end(input)
    meanwhile(child)
  })
}

// Opens the store in `folder` for `work`, and closes it.
async function withStore (folder, work) {
  const store = await addon.open({ path: folder })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}
