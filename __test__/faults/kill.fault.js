// kill -9 while resets are in flight, again and again on one store.
const path = require('path')
const { setTimeout: sleep } = require('timers/promises')
const { inFolder, kill, startResets } = require('./processes.js')

const OPEN_MS = 5000

module.exports = {
  run: async ({ long }) => [
    ...await inFolder((folder, ledger) => killRounds(path.join(folder, 'store'), ledger, long ? 500 : 100, false)),
    ...await inFolder((folder, ledger) => killRounds(path.join(folder, 'store'), ledger, long ? 200 : 40, true))
  ]
}

async function killRounds (store, ledger, rounds, audited) {
  let [lost, slow, slowest] = [0, 0, 0]
  for (let round = 0; round <= rounds; round++) {
    // Every process checks what the one before it left; the last one does only that.
    const last = round === rounds
    const resets = startResets(store, ledger, { audited, ...(last ? { count: 0 } : { inFlight: 8 }) })
    const state = await resets.said() || { error: 'it ended without a word' }
    const problems = ledger.problems(state)
    problems.forEach((problem) => console.error(`round ${round}: ${problem}`))
    lost += problems.length ? 1 : 0
    slow += state.openMs < OPEN_MS ? 0 : 1
    slowest = Math.max(slowest, state.openMs)
    if (!last) {
      // From before the first reset to some hundred resets later.
      await sleep(round * 37 % 150)
      await kill(resets)
      ledger.update()
    }
    await resets.ended
  }
  const acknowledged = ledger.resets > rounds ? rounds : 0
  return [
    { fault: `kill -9 with 8 resets in flight${audited ? ', with their audit' : ''}, ${ledger.resets} acknowledged`, tried: acknowledged, lost },
    { fault: `opened within ${OPEN_MS / 1000} s after kill -9, at most ${Math.round(slowest)} ms`, tried: rounds, lost: slow }
  ]
}
