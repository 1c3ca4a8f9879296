// Runs fixtures/work.js, and reads what it noted.
const { spawn } = require('child_process')
const fs = require('fs')
const os = require('os')
const path = require('path')
const { copy, empty, note } = require('./model.js')

const LIMIT = 300000

module.exports = { makeFolder, readStates, runNode, work }

// A folder of its own; in memory where that is possible: these tests are about what is in the files. On a disk the journal is
// written past the page cache (src/store/sled/folder/journal/direct_io.rs), in memory by a write and an fdatasync.
function makeFolder (onDisk) {
  const memory = '/dev/shm'
  const parent = fs.existsSync(memory) && !onDisk ? memory : os.tmpdir()
  return fs.mkdtempSync(path.join(parent, 'dashboard-sled-'))
}

// A script of the fixtures in a process of its own; resolves to how it ended and what it said.
function runNode (fixture, args, env, limit = LIMIT) {
  const script = path.join(__dirname, 'fixtures', fixture)
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [script, ...args], {
      env: { ...process.env, NODE_ENV: 'testing', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: limit,
      killSignal: 'SIGKILL'
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (data) => { stdout += data })
    child.stderr.on('data', (data) => { stderr = (stderr + data).slice(-4000) })
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
}

// Works in `<folder>/store`; resolves to the acknowledged state at its end, and at its moments.
async function work (folder, options, env = {}) {
  const journal = path.join(folder, 'acknowledged')
  fs.mkdirSync(path.join(folder, 'moments'), { recursive: true })
  const ended = await runNode('work.js', [JSON.stringify(options)], {
    SLED_PATH: path.join(folder, 'store'),
    ACKNOWLEDGED: journal,
    MOMENTS: path.join(folder, 'moments'),
    ...env
  })
  if (ended.code !== 0) {
    throw new Error(`work.js ended with ${ended.signal || ended.code}: ${ended.stderr}`)
  }
  return readStates(fs.readFileSync(journal, 'utf8'), options.sizes)
}

function readStates (text, sizes) {
  const state = empty(sizes)
  const moments = []
  for (const line of text.split('\n')) {
    if (line.startsWith('moment ')) {
      moments.push({ name: line.substring('moment '.length), state: copy(state) })
    } else {
      note(state, line)
    }
  }
  return { state, moments }
}
