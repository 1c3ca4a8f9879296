// `npm run test:faults`: causes faults through the real addon inside Node. FAULTS=long causes more of them, FAULTS_ONLY=kill
// runs kill.fault.js alone. Ends with a table of what was tried and lost, and a line that counts.
//
// file            fault                                                    control, which has to lose                     seconds
// asan            memory errors in this project's tests, with a sanitizer  -                                              -
// backup          kill -9 during a backup                                  the same without the mark of a copy            23
// damage          flipped bits, truncated files, older files               an older copy of the whole store               194
// errors          each write and sync fails, once or from then on; a full  -                                              306
//                 disk
// fuzz            random bytes on the disk and in records (cargo-fuzz)     -                                              -
// hanging-target  a backup to a volume that hangs                          the store on that volume                       70
// journal-gap     a flipped bit among changes that only the journal has    the same with nothing left behind it           6
// kill            kill -9 while resets are in flight                       -                                              106
// order           acknowledgements before their write or sync (strace)     the trace without them, or with them later     23
// power-cut       power cut of an ext4 and an xfs while resets are in      syncs that do nothing                          66
//                 flight
// power-cut-at    the same at single calls of an open and of a reset       -                                              100
// replay          unsynced writes of a recording dropped, reordered, torn  the same without our fdatasync                 over 300
// salvage         flipped bits and zeros in sled's files, then a salvage   a removed record                               110
// swap            kill -9 at calls of a restore and of a compaction        the same without the plan of the swap          100
// syscalls        kill -9 at each call of a creation, an open, a reset     strace has to count the same calls             -
// unsupported     a file system that cannot sync folders or tell its room  one that lacks nothing gives no warning        5
// watchdog        calls to the disk that hang, or are slow                 -                                              40
//
// The seconds are those of one run with the debug build, on two processors that were also busy with other work; a dash is a file
// whose time was not measured.
//
// Two kinds of stores are tested. The files of each share these helpers:
// - resets of a few accounts, made until the process dies: processes.js starts fixtures/resets.js, kills it and checks the store
//   that is opened again; ledger.js has the acknowledged resets. calls.js kills at an exact call, volume.js cuts the power.
// - records and lists in many states: worker.js runs fixtures/work.js to its end; model.js has the acknowledged contents; opener.js
//   opens stores in another process, where check.js compares them with the model. replay.js makes the states of a power cut.
// shim.js compiles the C files of fixtures that are preloaded into a process.
const fs = require('fs')
const path = require('path')

// Each of these files exports `run({ long })`, which resolves to rows:
//   { fault, tried, lost }                  lost has to be 0
//   { fault, tried, lost, mustLose: true }  a control: lost has to be over 0, because a protection is switched off
//   { fault, skipped: 'why' }               this machine cannot cause it
// `lost` counts acknowledged writes that are gone, stores that do not open, and wrong values.
const long = process.env.FAULTS === 'long'
const only = process.env.FAULTS_ONLY
const files = fs.readdirSync(__dirname).filter((file) => only ? file === `${only}.fault.js` : file.endsWith('.fault.js')).sort()

async function runFaults () {
  const rows = []
  for (const file of files) {
    const started = Date.now()
    console.log(`-- ${file}`)
    try {
      rows.push(...await require(path.join(__dirname, file)).run({ long }))
    } catch (error) {
      console.error(error)
      rows.push({ fault: `${file}: ${error.message}`, tried: 0, lost: 1 })
    }
    console.log(`-- ${file} in ${Math.round((Date.now() - started) / 1000)} s`)
  }
  const count = { passed: 0, failed: 0, skipped: 0 }
  const table = rows.map((row) => {
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

// A control that loses nothing, and a fault that was never caused, prove nothing.
function judge ({ lost, mustLose, skipped, tried }) {
  if (skipped) {
    return 'skipped'
  }
  return tried > 0 && Boolean(mustLose) === (lost > 0) ? 'passed' : 'failed'
}

async function main () {
  if (!files.length) {
    throw new Error(`FAULTS_ONLY: there is no ${only}.fault.js`)
  }
  const { passed, failed, skipped } = await runFaults()
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
  process.exit(failed ? 1 : 0)
}

main()
