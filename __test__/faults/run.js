// `npm run test:faults`: causes faults through the real addon inside Node. FAULTS=long causes more of them, FAULTS_ONLY=kill,swap
// runs only kill.fault.js and swap.fault.js. Ends with a table of the time that each file took, one of what was tried and lost,
// and a line that counts. Several files run at a time, each in a process (one.js) with folders and volumes of its own, because
// they wait more than they work.
//
// file            fault                                                    control, which has to lose
// asan            memory errors in this project's tests, with a sanitizer  -
// backup          kill -9 during a backup                                  the same without the mark of a copy
// damage          flipped bits, truncated files, older files               an older copy of the whole store
// errors          each write and sync fails, once or from then on; a full  -
//                 disk
// fuzz            random bytes on the disk and in records (cargo-fuzz)     -
// hanging-target  a backup to a volume that hangs                          the store on that volume
// journal-gap     a flipped bit among changes that only the journal has    the same with nothing left behind it
// kill            kill -9 while resets are in flight                       -
// order           acknowledgements before their write or sync (strace)     the trace without them, or with them later
// power-cut       power cut of an ext4 and an xfs while resets are in      syncs that do nothing
//                 flight
// power-cut-at    the same at single calls of an open and of a reset       -
// replay          unsynced writes of a recording dropped, reordered, torn  the same without our fdatasync
// salvage         flipped bits and zeros in sled's files, then a salvage   a removed record
// swap            kill -9 at calls of a restore and of a compaction        the same without the plan of the swap
// syscalls        kill -9 at each call of a creation, an open, a reset     strace has to count the same calls
// unsupported     a file system that cannot sync folders or tell its room  one that lacks nothing gives no warning
// watchdog        calls to the disk that hang, or are slow                 -
// webhooks        kill -9 amid deliveries to a receiver that often fails   the same without what waits in the record
//
// webhooks.fault.js has a store of its own kind. Two other kinds of stores are tested. The files of each share these helpers:
// - resets of a few accounts, made until the process dies: processes.js starts fixtures/resets.js, kills it and checks the store
//   that is opened again; ledger.js has the acknowledged resets. calls.js kills at an exact call, volume.js cuts the power.
// - records and lists in many states: worker.js runs fixtures/work.js to its end; model.js has the acknowledged contents; opener.js
//   opens stores in another process, where check.js compares them with the model. replay.js makes the states of a power cut.
// shim.js compiles the C files of fixtures that are preloaded into a process.
const { fork } = require('child_process')
const { once } = require('events')
const fs = require('fs')
const os = require('os')
const path = require('path')

// Each of these files exports `run({ long })`, which resolves to rows:
//   { fault, tried, lost }                  lost has to be 0
//   { fault, tried, lost, mustLose: true }  a control: lost has to be over 0, because a protection is switched off
//   { fault, skipped: 'why' }               this machine cannot cause it
// `lost` counts acknowledged writes that are gone, stores that do not open, and wrong values.
const only = process.env.FAULTS_ONLY?.split(',').map((name) => `${name}.fault.js`)
// Those that take longest begin first, so that none of them runs alone at the end.
const longest = ['asan', 'replay', 'errors', 'damage', 'fuzz', 'syscalls', 'power-cut-at', 'power-cut'].map((name) => `${name}.fault.js`)
const files = fs.readdirSync(__dirname).filter((file) => file.endsWith('.fault.js') && (!only || only.includes(file)))
  .sort((one, other) => rank(one) - rank(other) || one.localeCompare(other))
const atOnce = os.availableParallelism() + 2

function rank (file) {
  return longest.includes(file) ? longest.indexOf(file) : longest.length
}

async function runFaults () {
  const waiting = files.slice()
  const done = []
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (let file = waiting.shift(); file; file = waiting.shift()) {
      done.push(await runFile(file))
    }
  }))
  const byName = done.sort((one, other) => one.file.localeCompare(other.file))
  console.table(byName.map(({ file, seconds }) => ({ file, seconds })))
  const count = { passed: 0, failed: 0, skipped: 0 }
  const table = byName.flatMap(({ rows }) => rows).map((row) => {
    const verdict = judge(row)
    count[verdict]++
    if (verdict === 'skipped') {
      console.warn(`SKIPPED: ${row.fault}: ${row.skipped}`)
    }
    return { fault: row.fault, tried: row.tried, lost: row.lost, control: row.mustLose ? 'must lose' : '', verdict }
  })
  console.table(table)
  return count
}

// Shows the output of a file in one piece when it has ended, because others run beside it.
async function runFile (file) {
  const started = Date.now()
  const child = fork(path.join(__dirname, 'one.js'), [file], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  let rows
  let output = ''
  child.on('message', (message) => { rows = message })
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => { output += text })
  }
  const [code, signal] = await once(child, 'close')
  const seconds = Math.round((Date.now() - started) / 1000)
  console.log(`-- ${file}\n${output}-- ${file} in ${seconds} s`)
  return { file, seconds, rows: rows || [{ fault: `${file}: ended with ${signal || code}`, tried: 0, lost: 1 }] }
}

// A control that loses nothing, and a fault that was never caused, prove nothing.
function judge ({ lost, mustLose, skipped, tried }) {
  if (skipped) {
    return 'skipped'
  }
  return tried > 0 && Boolean(mustLose) === (lost > 0) ? 'passed' : 'failed'
}

async function main () {
  const unknown = (only || []).filter((file) => !files.includes(file))
  if (unknown.length) {
    throw new Error(`FAULTS_ONLY: there is no ${unknown}`)
  }
  const { passed, failed, skipped } = await runFaults()
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
  process.exit(failed ? 1 : 0)
}

main()
