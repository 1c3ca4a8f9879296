// `npm run test:faults`: the faults themselves, through the real addon inside Node. FAULTS=long makes more of
// them, FAULTS_ONLY=<file> runs one file. Ends with a table of what was tried and lost, and the counting line.
const fs = require('fs')
const path = require('path')

// A fault is a file beside this one that exports `run({ long })`, which resolves to rows:
//   { fault, tried, lost }                  nothing may be lost
//   { fault, tried, lost, mustLose: true }  a control: without our protection it has to lose
//   { fault, skipped: 'why' }               this machine cannot do it
// `lost` counts whatever must not be: acknowledged writes that are gone, stores that do not open, wrong values.
const files = fs.readdirSync(__dirname).filter((file) => file.endsWith('.fault.js')).sort()
const long = process.env.FAULTS === 'long'

module.exports = { runFaults }

async function runFaults () {
  const rows = []
  for (const file of files.filter((file) => !process.env.FAULTS_ONLY || file.startsWith(process.env.FAULTS_ONLY))) {
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

// A control that loses nothing, and a fault that was never made, prove nothing.
function judge ({ lost, mustLose, skipped, tried }) {
  if (skipped) {
    return 'skipped'
  }
  return tried > 0 && Boolean(mustLose) === (lost > 0) ? 'passed' : 'failed'
}

async function main () {
  const { passed, failed, skipped } = await runFaults()
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
  process.exit(failed ? 1 : 0)
}

if (require.main === module) {
  main()
}
