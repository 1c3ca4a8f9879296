// Carries out the operations of lib/control: in the dashboard that has the store open, else in this process on the store itself.
const { setTimeout: sleep } = require('timers/promises')
const { operations } = require('../control/operations.js')
const { withAlone } = require('../control/alone.js')
const { connect } = require('./dashboard.js')
const { during } = require('./progress.js')
const { bytesText } = require('./numbers.js')

// A dashboard that starts has locked the store shortly before it listens, and one that stops unlocks it shortly afterwards.
const PATIENCE_MS = 1000
const PAUSE_MS = 100

module.exports = { withOperations }

// Calls `work` with a function that carries out an operation by its name and parameters, and returns its report. The third argument
// is how its progress is counted.
async function withOperations (place, options, work) {
  const end = Date.now() + PATIENCE_MS
  for (;;) {
    const dashboard = place.folder && await connect(place.folder)
    if (dashboard) {
      return await work((name, params, kind) => inDashboard(dashboard, options, name, params, kind)).finally(dashboard.end)
    }
    let hasBegun = false
    try {
      return await withAlone(place, (context) => {
        hasBegun = true
        return work((name, params, kind) => here(context, options, name, params, kind))
      })
    } catch (error) {
      if (hasBegun || error.code !== 'ERR_STORE_LOCKED' || Date.now() > end) {
        throw error
      }
      await sleep(PAUSE_MS)
    }
  }
}

function inDashboard (dashboard, options, name, params, kind = { text: bytesText }) {
  let done = 0
  return during(options, { ...kind, value: () => done }, () => dashboard.call(name, params, (progress) => { done = progress }))
}

// The report is what it would be as JSON.
async function here (context, options, name, params, kind = { text: bytesText }) {
  const report = await during(options, { ...kind, value: () => context.done() }, () => operations[name](context, params))
  return JSON.parse(JSON.stringify(report))
}
