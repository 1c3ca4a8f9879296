// The power goes while resets are in flight: a file system of its own is shut down without its log being written,
// and mounted again. What only the system's memory had is gone then.
const assert = require('assert')
const path = require('path')
const { setTimeout: sleep } = require('timers/promises')
const { checked, inFolder, startResets } = require('./processes.js')
const { compile } = require('./shim.js')
const { FILE_SYSTEMS, onVolume } = require('./volume.js')

// A new store after so many cuts.
const CUTS_EACH = 5

module.exports = { run: powerCuts }

async function powerCuts ({ long }) {
  const rows = []
  for (const type of FILE_SYSTEMS) {
    for (const mustLose of [false, true]) {
      rows.push(await inFolder((folder, ledger) => cutsOn(type, folder, ledger, long ? 40 : 10, mustLose)))
    }
  }
  return rows
}

async function cutsOn (type, folder, ledger, cuts, mustLose) {
  const fault = `power cut on ${type}${mustLose ? ', our syncs do nothing' : ''}`
  return onVolume(type, folder, fault, async (volume) => {
    const env = mustLose ? { LD_PRELOAD: compile('void-sync', folder) } : {}
    const lost = await cutAgainAndAgain(volume, ledger, cuts, env, fault, mustLose)
    return { fault: `${fault}, ${ledger.total} acknowledged`, tried: cuts, lost, ...(mustLose && { mustLose }) }
  })
}

async function cutAgainAndAgain (volume, ledger, cuts, env, fault, mustLose) {
  let [lost, store] = [0, undefined]
  ledger.total = 0
  for (let cut = 0; cut < cuts; cut++) {
    if (!store || cut % CUTS_EACH === 0) {
      store = path.join(volume.mount, `store-${cut}`)
      ledger.forget()
      if (mustLose) {
        // The loss of a whole new store would be too easy.
        assert.deepStrictEqual(await checked(store, ledger, { count: 100, audited: true }), [])
      }
    }
    const resets = startResets(store, ledger, { inFlight: 8, audited: true }, { env })
    let problems = ledger.problems(await resets.said() || { error: 'it ended without a word' })
    // The first cuts of a store come while it is young.
    await sleep(20 + (cut % CUTS_EACH) * 150)
    await volume.cut(resets)
    ledger.total += ledger.update()
    problems = [...problems, ...await checked(store, ledger, { count: 0, audited: true })]
    if (!mustLose) {
      problems.forEach((problem) => console.error(`${fault}, cut ${cut}: ${problem}`))
    }
    lost += problems.length ? 1 : 0
    store = problems.length ? undefined : store
  }
  return lost
}
